"""What a question says once it is taken apart: the statement around its answer."""

import re
from dataclasses import KW_ONLY, dataclass

from editing.questions.grammar import base_and_tense, past, word_set

SLOT = "{s}"  # stands for the subject, with its article, while a question is taken apart


PLACES = word_set(
    """
    city town country state place continent county province region village district island location borough
    capital area neighborhood neighbourhood
    """
)


TIMES = frozenset(["year", "date", "day", "month", "century", "decade", "time", "season"])


@dataclass(frozen=True, slots=True)
class Reading:
    """A question taken apart; every text has SLOT where the subject stands.

    shape     the name of the rule that matched
    before    the statement up to the answer
    after     the statement behind the answer, without the full stop
    embedded  the question as a clause: "who wrote {s}", "where {s} was born"
    asked     the question word, standing where the answer stands in the statement: "who", "which city"
    noun      what is asked for as a noun phrase, "the capital of {s}"; empty if the question has none
    be        "is" or "was" and the like, as in the question
    inverted  the question without its question word, "did {s} die"; empty if it cannot be split so
    echo      the statement with the question word where the answer stands, "{s} died when"; empty if that reads badly
    """

    shape: str
    before: str
    _: KW_ONLY
    after: str = ""
    embedded: str
    asked: str
    noun: str = ""
    be: str = "is"
    inverted: str = ""
    echo: str = ""


def noun_reading(shape: str, noun: str, be: str, asked: str) -> Reading:
    """The reading of a question for a noun: "who is the CEO of {s}"."""
    return Reading(
        shape,
        f"{noun} {be}",
        embedded=f"{asked} {noun} {be}",
        asked=asked,
        noun=noun,
        be=be,
        echo=f"{noun} {be} {asked}",
    )


def be_of(auxiliary: str) -> str:
    """The form of be that goes with an auxiliary: did -> was, does -> is, were -> were."""
    return auxiliary if auxiliary in ("is", "are", "was", "were") else ("was" if auxiliary in ("did", "had") else "is")


# Where "is" or "was" says something of the subject itself, not of a thing that it belongs to.
IS = re.compile(
    r"((?:^|, |\b(?:who|what|whom|where|when|how|whether) )\{s\} )(?:is|was)\b|\b(?:is|was)(?= \{s\}(?: |\?|$))"
)


def said_of_many(wording: str) -> str:
    """The wording for a subject that is many: "{s} is handled by" -> "{s} are handled by"."""
    return IS.sub(lambda found: re.sub("is$", "are", re.sub("was$", "were", found.group())), wording)


def in_the_past(wording: str) -> str:
    """A question in the present about somebody who was: "what does {s} play" -> "what did {s} play"."""
    told = re.match(r"^(\{s\}) (\w+)(?= )", wording)
    known = base_and_tense(told.group(2)) if told else None
    if told and known and known[1] == "present":
        wording = f"{told.group(1)} {past(known[0])}{wording[told.end() :]}"
    return re.sub(r"\bis\b", "was", wording.replace(" does {s} ", " did {s} "))
