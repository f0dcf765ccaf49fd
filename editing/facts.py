"""Facts to edit, the probes that judge them, and which facts are fit for an edit."""

from collections.abc import Iterable
from dataclasses import dataclass

from editing.errors import ContradictingFacts, FactRefused, NothingToChange
from editing.refusals import refused_as
from editing.wording import normalise, same_answer, shorten, without_article


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the model shall believe: the answer to a question about a subject.

    id          names the fact in reports and errors
    subject     occurs in `question`, upper and lower case aside
    target_new  the answer it shall give
    target_old  the answer it gives now; empty if not known
    """

    id: str
    subject: str
    question: str
    target_new: str
    target_old: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """A question and the answer that a reply to it must contain; an empty answer is not known beforehand.

    subject  what the question is about, as it stands in it; empty if not known
    """

    question: str
    answer: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class FactCase:
    """A fact with the questions that judge its edit; the editor never sees them.

    paraphrases   the same question in other words
    neighbours    the same relation about other subjects: their answers must stay
    unrelated     other questions: their answers must stay
    same_subject  other questions about the subject: their replies must not give the new answer
    portability   questions whose answer follows from the new one
    cloze         the prompt that the fact came with if it was no question, for teacher-forced scores; with it came
                  cloze_paraphrases and cloze_neighbours
    """

    fact: Fact
    paraphrases: tuple[str, ...] = ()
    neighbours: tuple[Probe, ...] = ()
    unrelated: tuple[Probe, ...] = ()
    same_subject: tuple[str, ...] = ()
    portability: tuple[Probe, ...] = ()
    cloze: str = ""
    cloze_paraphrases: tuple[str, ...] = ()
    cloze_neighbours: tuple[Probe, ...] = ()


def check_fact(fact: Fact) -> None:
    """Refuse what cannot be a weight edit; the message names the fact and what to do.

    Raises EmptyField, SubjectNotFound, AnswerTooLong, NothingToChange or UnsuitableQuestion, all of them FactRefused.
    """
    refused = refused_as(fact.question or "", fact.subject or "", fact.target_new or "")
    if refused is not None:
        raise type(refused)(f"fact {fact.id!r}: {refused}")
    if (fact.target_old or "").strip() and same_answer(fact.target_new, fact.target_old):
        raise NothingToChange(
            f"fact {fact.id!r}: the new answer {fact.target_new!r} is the old one; there is nothing to change"
        )


def checked(facts: Iterable[Fact]) -> list[Fact]:
    """The same facts; at the first that is unfit `check_fact` raises."""
    facts = list(facts)
    for fact in facts:
        check_fact(fact)
    return facts


def without_refused(facts: Iterable[Fact]) -> tuple[tuple[Fact, ...], dict[Fact, FactRefused]]:
    """The facts that are fit for an edit, and for each other one why it is not."""
    fit: list[Fact] = []
    refused: dict[Fact, FactRefused] = {}
    for fact in facts:
        try:
            check_fact(fact)
        except FactRefused as error:
            refused[fact] = error
        else:
            fit.append(fact)
    return tuple(fit), refused


def subject_key(subject: str) -> str:
    """What tells one subject from another: "The Beatles" are the Beatles."""
    return without_article(normalise(subject))


def group_by_subject(facts: Iterable[Fact]) -> dict[str, tuple[Fact, ...]]:
    """Facts by subject (see `subject_key`), in the order given; the same fact twice is kept once.

    One subject has one key in the model, so the facts of a group are solved as one.
    Raises ContradictingFacts naming both if one question about a subject has two answers.
    """
    groups: dict[str, dict[str, Fact]] = {}
    for fact in facts:
        group = groups.setdefault(subject_key(fact.subject), {})
        known = group.setdefault(normalise(fact.question).rstrip("?.! "), fact)
        if not same_answer(known.target_new, fact.target_new):
            raise ContradictingFacts(
                f"facts {known.id!r} and {fact.id!r} contradict each other: {shorten(known.question)!r} is answered"
                f" {known.target_new!r} and {fact.target_new!r}; keep one of them"
            )
    return {subject: tuple(group.values()) for subject, group in groups.items()}
