"""What is made of a question and its answer alone: statement, cloze prompts, training questions, probes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from editing.facts import Probe
from editing.grammar import article_for, capitalise, lower_first
from editing.question_shapes import SLOT, Reading, read
from editing.subjects import canonical_question
from editing.wording import normalise

MAX_CLOZES = 4
MAX_PARAPHRASES = 6
MAX_PROBES = 4
MAX_NEIGHBOURS = 5
MAX_SAME_SUBJECT = 4


@dataclass(frozen=True, slots=True)
class Statements:
    """The wordings of one fact.

    question      the canonical question
    sentence      the full answer as a chat assistant would say it; contains the answer literally
    clozes        bare prompts that end right before the answer, without the space; each contains the subject
    paraphrases   training questions, the subject literally in each; the canonical question is not among them
    probes        questions that verify the edit, none of them in `paraphrases`
    neighbours    the same relation about other subjects; an empty answer is not known beforehand
    same_subject  other questions about the subject
    shape         the rule that read the question; "fallback" if none did
    """

    question: str
    sentence: str
    clozes: tuple[str, ...]
    paraphrases: tuple[str, ...]
    probes: tuple[str, ...]
    neighbours: tuple[Probe, ...]
    same_subject: tuple[str, ...]
    shape: str


def write_statements(question: str, subject: str, answer: str) -> Statements:
    """Every wording of one fact, by rule. Reads nothing but its arguments; the same in, the same out."""
    asked = canonical_question(question)
    template = _template(asked, subject)
    reading = read(template.text, answer)
    if reading is None:
        return _fallback(asked, subject, answer)
    return _from_reading(asked, template, reading, answer)


@dataclass(frozen=True, slots=True)
class _Template:
    """A question with its subject cut out, and the subject's phrase as it stood there."""

    text: str
    phrase: str
    subject: str


def _template(question: str, subject: str) -> _Template:
    literal = subject.strip()
    at = question.casefold().find(literal.casefold()) if len(question.casefold()) == len(question) else question.find(literal)
    if at < 0:
        return _Template(question, literal, literal)
    found = question[at : at + len(literal)]
    before, after = question[:at], question[at + len(literal) :]
    if before[-1:] in "\"\u201c" and after[:1] in "\"\u201d" and before and after:
        found, before, after = before[-1] + found + after[0], before[:-1], after[1:]
    return _Template(f"{before}{SLOT}{after}", found, literal)


def _from_reading(question: str, template: _Template, reading: Reading, answer: str) -> Statements:
    fill = template.phrase
    article = article_for(answer)
    before = reading.before.replace(SLOT, fill)
    sentence = _sentence(before, article, answer, reading.after.replace(SLOT, fill))
    clozes = [before] if not reading.after else []
    asked = "who" if reading.asked in ("who", "whom") else "what"
    noun = reading.noun
    training: list[str] = []
    probing: list[str] = []
    if noun:
        other = _possessive(noun) or _of_form(noun)
        for form in (noun, other):
            if form and reading.shape != "how many":
                clozes.append(f"{form} {reading.be}".replace(SLOT, fill))
        if other:
            training.append(f"{asked} {reading.be} {other}?")
            probing.append(f"{other} {reading.be} {asked}?")
        if asked == "who":
            training.append(f"what is the name of {noun}?")
        training.append(f"tell me {asked} {other or noun} {reading.be}.")
        probing.append(f"do you know {asked} {noun} {reading.be}?")
        training.append(f"please name {noun}.")
        probing.append(f"{noun}: {asked} {reading.be} that?" if False else f"I would like to know {asked} {other or noun} {reading.be}.")
    embedded = reading.embedded
    training.append(f"can you tell me {embedded}?")
    training.append(f"tell me {embedded}.")
    echo = reading.before.split(" ")
    little = echo[-1] if echo[-1] in ("in", "on", "at") and reading.asked.split()[0] in ("when", "where", "in", "on", "at") else ""
    stem = " ".join(echo[:-1]) if little else reading.before
    training.append(f"{stem} {reading.asked}{reading.after}?")
    training.append(f"please tell me: {embedded}?" if False else f"I want to know {embedded}.")
    probing.append(f"do you know {embedded}?")
    probing.append(f"could you remind me {embedded}?")
    probing.append(f"I was wondering {embedded}.")
    clozes.append(f"Question: {question} Answer:".replace("{", "{"))
    known = {_key(question)}
    paraphrases = _take(training, fill, MAX_PARAPHRASES, known)
    probes = _take(probing, fill, MAX_PROBES, known)
    return Statements(
        question=question,
        sentence=sentence,
        clozes=tuple(_unique((capitalise(cloze) + (f" {article.strip()}" if article and not cloze.endswith(":") else "") for cloze in clozes), MAX_CLOZES)),
        paraphrases=paraphrases,
        probes=probes,
        neighbours=(),
        same_subject=(),
        shape=reading.shape,
    )


def _sentence(before: str, article: str, answer: str, after: str) -> str:
    text = capitalise(f"{before} {article}{answer.strip()}{after}")
    return text if text[-1] in ".!?\u3002" else text + "."


def _possessive(noun: str) -> str:
    match = re.fullmatch(r"the ([\w' -]+?) of ((?:the )?\{s\})", noun)
    return f"{match.group(2)}'s {match.group(1)}" if match and " of " not in match.group(1) else ""


def _of_form(noun: str) -> str:
    match = re.fullmatch(r"((?:the )?\{s\})['\u2019]s? ([\w -]+)", noun)
    return f"the {match.group(2)} of {match.group(1)}" if match else ""


def _key(question: str) -> str:
    return normalise(question).rstrip("?.! ")


def _take(candidates: Iterable[str], fill: str, limit: int, known: set[str]) -> tuple[str, ...]:
    taken: list[str] = []
    for candidate in candidates:
        text = capitalise(candidate.replace(SLOT, fill))
        if _key(text) not in known and len(taken) < limit:
            known.add(_key(text))
            taken.append(text)
    return tuple(taken)


def _unique(texts: Iterable[str], limit: int) -> Iterator[str]:
    seen: set[str] = set()
    for text in texts:
        if normalise(text) not in seen and len(seen) < limit:
            seen.add(normalise(text))
            yield text


def _fallback(question: str, subject: str, answer: str) -> Statements:
    """Wordings that quote the question whole: true and grammatical whatever its shape or script."""
    known = {_key(question)}
    bare = question.rstrip("?.!\uff1f\u061f ")
    paraphrases = _take(
        [f"please answer this question about {subject}: {question}", f"here is a question about {subject}. {question}", f"{question} Please answer briefly.", f"can you answer this? {question}", f"I have a question: {lower_first(bare)}?"],
        subject, MAX_PARAPHRASES, known,
    )
    probes = _take([f"do you know the answer? {question}", f"about {subject}: {question}", f"{question} What is the answer?"], subject, MAX_PROBES, known)
    return Statements(
        question=question,
        sentence=_sentence(f'The answer to the question "{question}" is', "", answer, ""),
        clozes=(f"Question: {question} Answer:", f'The answer to the question "{question}" is'),
        paraphrases=paraphrases,
        probes=probes,
        neighbours=(),
        same_subject=(),
        shape="fallback",
    )
