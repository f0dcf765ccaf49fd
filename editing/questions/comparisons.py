"""Questions for the most of a kind and for one of two: which bone is the longest in X, which is bigger, X or Y."""

import re

from editing.questions.grammar import PEOPLE
from editing.questions.readings import SLOT, Reading, noun_reading

_BE = r"(is|are|was|were)"
_MOST = r"(?:(?:most|least) [a-z-]+|(?!(?:for|w|inter|gu|requ|t|n|hon)est\b)[a-z]+est|best|worst|first|last)"
_MORE = r"(?:(?:more|less) [a-z-]+|[a-z]+er)"


def read_superlative(text: str, answer: str) -> Reading | None:
    """Which bone is the longest in {s}."""
    match = re.match(
        rf"(?i)^(?:which|what) ((?:(?!{_BE} )[\w-]+ ){{0,3}})([\w-]+) {_BE} the ({_MOST})((?: .+)?)$", text
    )
    if not match or SLOT not in match.group(6):
        return None
    kind, head, be, most, rest = match.group(1), match.group(3), match.group(4).lower(), match.group(5), match.group(6)
    if not re.match(
        r" (?:in|of|at|on|from|among|within|ever|for)\b", rest
    ):  # "the first success of {s}" names it itself
        return None
    asked = "who" if head.lower() in PEOPLE else "what"
    return noun_reading("superlative", f"the {most} {kind}{head}{rest}", be, asked)


def read_comparative(text: str, answer: str) -> Reading | None:
    """Which is bigger, {s} or Y; which of the two is older; which town is older."""
    match = re.match(
        rf"(?i)^(?:which|who|what)(?: of the two| one)?((?: (?!{_BE} )[\w-]+)?) {_BE} ({_MORE})[,:] (.+)$", text
    )
    if not match or SLOT not in match.group(5):
        return None
    kind, be, more, options = match.group(1), match.group(3).lower(), match.group(4), match.group(5)
    asked = text.partition(" ")[0].lower()
    return Reading(
        "comparative",
        f"the {more}{kind} of the two, {options}, {be}",
        embedded=asked + text[len(asked) :],
        asked=asked,
        be=be,
    )
