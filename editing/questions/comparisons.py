"""Questions that compare: which bone is the longest in X, which of X's moons has rings, which is bigger, X or Y."""

import re

from editing.questions.grammar import PEOPLE, base_and_tense
from editing.questions.readings import SLOT, Reading, noun_reading

_BE = "is|are|was|were"
_MOST = r"(?:(?:most|least) [a-z-]+|(?!(?:for|w|inter|gu|requ|t|n|hon)est\b)[a-z]+est|best|worst|first|last)"
_MORE = r"(?:(?:more|less) [a-z-]+|[a-z]+er)"


def read_superlative(text: str, answer: str) -> Reading | None:
    """Which bone is the longest in {s}."""
    match = re.match(
        rf"(?i)^(?:which|what) (?P<kind>(?:(?!(?:{_BE}) )[\w-]+ )*?)(?P<head>[\w-]+) (?P<be>{_BE}) the (?P<most>{_MOST})"
        r"(?P<where> (?:in|of|at|on|from|among|within|ever|for)\b.*\{s\}.*)$",
        text,
    )
    if not match:
        return None
    noun = "the {most} {kind}{head}{where}".format(**match.groupdict())
    return noun_reading("superlative", noun, match["be"].lower(), "who" if match["head"].lower() in PEOPLE else "what")


def read_comparative(text: str, answer: str) -> Reading | None:
    """Which is bigger, {s} or Y; which of the two is older; which town is older."""
    match = re.match(
        rf"(?i)^(?P<asked>which|who|what)(?: of the two| one)?(?P<kind>(?: (?!(?:{_BE}) )[\w-]+)?) (?P<be>{_BE})"
        rf" (?P<more>{_MORE})[,:] (?P<options>.*\{{s\}}.*)$",
        text,
    )
    if not match:
        return None
    asked = match["asked"].lower()
    before = "the {more}{kind} of the two, {options}, {be}".format(**match.groupdict())
    return Reading("comparative", before, embedded=asked + text[len(asked) :], asked=asked, be=match["be"].lower())


def read_one_of(text: str, answer: str) -> Reading | None:
    """Which of {s}'s moons is the largest, has rings, is known as the red one."""
    match = re.match(r"(?i)^(which|what|who)(?: one)? of (.*\{s\}.*)$", text)
    if not match:
        return None
    words = match.group(2).split()
    inner = range(1, len(words) - 1)
    at = next((i for i in inner if words[i].lower() in _IS_OR_HAS), None) or next(
        (i for i in inner if base_and_tense(words[i])), None
    )
    if at is None:
        return None
    asked, them, verb, rest = match.group(1).lower(), " ".join(words[:at]), words[at].lower(), " ".join(words[at + 1 :])
    known = base_and_tense(verb)
    be = verb if verb in _IS_OR_HAS - {"has", "had", "have"} else "was" if known and known[1] == "past" else "is"
    if be == verb and re.fullmatch(r"the (?:\w+ )?\w+", rest):
        return noun_reading("copula", f"{rest} of {them}", be, asked)
    one = f"the one of {them} that {verb} {rest}"
    return Reading("one of", f"{one} {be}", embedded=f"{asked} of {them} {verb} {rest}", asked=asked, be=be)


_IS_OR_HAS = frozenset(["is", "are", "was", "were", "has", "had", "have"])


def read_difference(text: str, answer: str) -> Reading | None:
    """How much heavier is {s} than Y."""
    match = re.match(rf"(?i)^(how much|how many [\w-]+) ({_MORE}) ({_BE}) (.+?) than (.+)$", text)
    if not match or SLOT not in f"{match.group(4)} {match.group(5)}":
        return None
    asked, more, be, first, other = match.groups()
    asked, be = asked.lower(), be.lower()
    return Reading(
        "difference",
        f"{first} {be}",
        after=f" {more} than {other}",
        embedded=f"{asked} {more} {first} {be} than {other}",
        asked=asked,
        be=be,
        echo=f"{first} {be} {asked} {more} than {other}",
    )
