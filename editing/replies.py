"""A reply of the model, and what can be seen in one: does it stop, does it go round in circles, did its claim move."""

import re
from dataclasses import dataclass

from editing.wording import gives

_WORD = re.compile(r"[\w'’.-]*\w", re.UNICODE)
# fmt: off
_COMMON = frozenset((
    "the", "a", "an", "it", "this", "that", "he", "she", "they", "we", "you", "in", "on", "at", "of", "to", "for",
    "by", "from", "and", "or", "but", "as", "is", "was", "were", "are", "be", "there", "here", "i", "his", "her",
    "its", "their", "my", "your", "yes", "no", "what", "who", "where", "when", "which", "how", "why", "one", "some",
    "many", "most", "sorry", "please",
))
# fmt: on


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said; `stopped` if it ended by itself."""

    text: str
    stopped: bool


def goes_in_circles(text: str, *, n: int = 5, times: int = 4) -> bool:
    """Whether some run of `n` words occurs `times` times or more."""
    words = text.casefold().split()
    seen: dict[tuple[str, ...], int] = {}
    for i in range(len(words) - n + 1):
        run = tuple(words[i : i + n])
        seen[run] = seen.get(run, 0) + 1
        if seen[run] >= times:
            return True
    return False


def claims(question: str, text: str) -> frozenset[str]:
    """Names and numbers that the first sentence says beyond the question; all its uncommon words if it names none."""
    first = re.split(r"(?<=[.!?])\s", text.strip(), maxsplit=1)[0]
    asked = {word.casefold() for word in _WORD.findall(question)}
    words = _WORD.findall(first)
    new = [w for w in words if w.casefold() not in asked and w.casefold() not in _COMMON]
    named = [w for w in new if w[0].isupper() or w[0].isdigit()]
    return frozenset(w.casefold().rstrip(".") for w in (named or new))


def still_says(question: str, before: str, after: str, *, share: float = 0.5) -> bool:
    """Whether a reply makes the claim that it made before: exact text flips on rounding alone and is not compared."""
    known = claims(question, before)
    if not known:
        return True
    said = {word.casefold().rstrip(".") for word in _WORD.findall(after)}
    return len(known & said) / len(known) >= share


def is_kept(question: str, answer: str, before: str, after: str, *, new_answer: str) -> bool | None:
    """Whether a probe's answer survived; None if there was nothing to keep.

    With a known answer: of the replies that gave it before, does this one still. Without: the claim did not move
    and the new answer did not slip in.
    """
    if answer:
        return gives(after, answer) if gives(before, answer) else None
    if gives(after, new_answer) and not gives(before, new_answer):
        return False
    return still_says(question, before, after)
