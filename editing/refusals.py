"""Questions and answers that no edit can hold, each with its reason in words."""

import re

from editing.errors import AnswerTooLong, EmptyField, FactRefused, SubjectNotFound, UnsuitableQuestion
from editing.questions.plain_order import without_aside
from editing.wording import count_words, names, normalise, shorten, with_it_for

MAX_ANSWER_WORDS = 12  # about 25 tokens, the longest target worth one key
MAX_ANSWER_CHARACTERS = 120
LONGEST_ANSWER = f"{MAX_ANSWER_WORDS} words or {MAX_ANSWER_CHARACTERS} characters"
MAX_QUESTION_WORDS = 60
MAX_QUESTION_CHARACTERS = 400
LONGEST_QUESTION = f"{MAX_QUESTION_WORDS} words or {MAX_QUESTION_CHARACTERS} characters"

_EXPLAINS = re.compile(
    r"^(why\b|how (do|can|should|would|could|to)\b (i|you|we|one|people|someone)\b"
    r"(?! (say|spell|pronounce|abbreviate)\b| write (it|\w+) in\b)|how to\b|how come\b|explain\b|describe\b)"
)
_OPINION = re.compile(
    r"^should (i|we)\b|\bshould (i|we) (buy|choose|pick|visit|watch|read|eat|drink|live|go|try|play|invest|marry|vote|believe"
    r"|get|do|wear|study|learn|hire|trust|travel)\b"
    r"|\b(do you think|do you like|your favou?rite|in your opinion|what do you (?!call\b)|are you"
    r"|best way to)\b"
)
_NEGATION = re.compile(
    r"\b(not|never|isn't|wasn't|aren't|weren't|doesn't|didn't|don't|can't|cannot|won't|except)\b|n't\b"
)
_LISTS = re.compile(
    r"^(list|name (two|three|four|five|six|seven|\d+|all|some|several)|what are (all|some|the names)"
    r"|give me (a list|all|some))\b"
)
_DENIES = re.compile(r"^(not|no one|nobody|nothing|never|none|unknown|i don't know|it is not|it's not|there is no)\b")


def answer_is_too_long(answer: str) -> bool:
    """Whether the answer has more words than one key can hold."""
    return count_words(answer) > MAX_ANSWER_WORDS or len(answer) > MAX_ANSWER_CHARACTERS


def refusal(question: str, subject: str, answer: str) -> str | None:
    """Why this cannot be a weight edit, as a sentence for the person who reported it; None if it can."""
    refused = refused_as(question, subject, answer)
    return None if refused is None else str(refused)


def refused_as(question: str, subject: str, answer: str) -> FactRefused | None:
    """The same as the error that it is."""
    if len(question) > MAX_QUESTION_CHARACTERS or count_words(question) > MAX_QUESTION_WORDS:
        return UnsuitableQuestion(f"the question is longer than {LONGEST_QUESTION}; ask for one fact")
    asked = normalise(without_aside(question)).rstrip("?.! ")
    if not asked:
        return EmptyField("the question is empty")
    if not answer.strip():
        return EmptyField("the answer is empty")
    if not subject.strip():
        return EmptyField(
            "no subject was found in the question; an edit needs a name or a thing that the question is about"
        )
    if any("\ud800" <= character <= "\udfff" for character in question + subject + answer):
        return UnsuitableQuestion("question, subject or answer holds half a character (a lone surrogate)")
    if not names(question, subject):
        return SubjectNotFound(f"the subject {shorten(subject)!r} does not occur in the question {shorten(question)!r}")
    if normalise(answer) == normalise(subject):
        return UnsuitableQuestion(f"the answer {answer!r} is the subject itself")
    if answer_is_too_long(answer):
        return AnswerTooLong(
            f"the answer is longer than the {LONGEST_ANSWER} that fit into an edit; knowledge holds it"
        )
    unsuitable = _unsuitable(with_it_for(subject, asked), normalise(answer))
    return None if unsuitable is None else UnsuitableQuestion(unsuitable)


def _unsuitable(frame: str, answer: str) -> str | None:
    if _EXPLAINS.search(frame):
        return "the question asks for an explanation, which is no single fact"
    if _OPINION.search(frame):
        return "the question asks for an opinion, which is no fact"
    if _NEGATION.search(frame):
        return "the question is negated; an edit holds what is so, not what is not"
    if _DENIES.search(answer):
        return "the answer denies something; an edit holds what is so, not what is not"
    if _LISTS.search(frame):
        return "the question asks for a list; an edit holds one answer"
    if answer.count(",") + answer.count(";") + len(answer.split(" and ")) - 1 >= 2 and not any(
        c.isdigit() for c in answer
    ):
        return "the answer is a list; an edit holds one answer"
    return None
