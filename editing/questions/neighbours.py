"""What is asked of an edit's neighbours: the same about other well-known subjects, and what a right answer contains."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from editing.facts import Probe
from editing.questions.grammar import capitalise
from editing.questions.readings import SLOT
from editing.questions.relations import Relation, plain, relations

T = TypeVar("T")

_ASKED_KINDS = (
    (r"who|whom|whose", "person"),
    (r"when|year|date", "date"),
    (r"how (many|much|long|tall|high|old)", "number"),
    (r"language", "language"),
    (r"country|nation", "country"),
    (r"company|manufacturer|brand|firm", "company"),
    (r"network|channel", "network"),
    (r"genre", "genre"),
    (r"where|city|town|place", "city"),
)


def neighbours_of(relation: Relation, *, be: str = "is", avoid: tuple[str, ...]) -> tuple[Probe, ...]:
    """Questions of one relation about other well-known subjects; none that touches a text in `avoid`."""
    avoided = [plain(text) for text in avoid if text]
    probes = []
    for subject, answer in relation.known:
        texts = (plain(re.sub(r"^the ", "", subject)), plain(answer))
        if not any(one in other or other in one for one in texts for other in avoided):
            probes.append(Probe(relation.train[0].replace("{be}", be).replace(SLOT, subject), answer, subject))
    return tuple(probes)


def in_other_words(neighbours: Sequence[Probe], relation: Relation, *, be: str) -> tuple[Probe, ...]:
    """The same in wordings that verify, in turn. What is asked plainly is protected about everybody (leads.py)."""
    wordings = [wording.replace("{be}", be) for wording in relation.probe]
    return tuple(
        replace(probe, question=capitalise(wordings[number % len(wordings)].replace(SLOT, probe.subject)))
        for number, probe in enumerate(neighbours)
    )


def loose_neighbours(wording: str, avoid: tuple[str, ...]) -> list[Probe]:
    """For a relation without a name: well-known facts whose answers are of the same sort."""
    text = wording.casefold()
    gives = next((sort for pattern, sort in _ASKED_KINDS if re.search(rf"\b({pattern})\b", text)), "")
    found: list[Probe] = []
    for relation in relations().values():
        if relation.gives == gives or not gives:
            found += neighbours_of(relation, avoid=avoid)[:2]
    return found


def spread(of: Sequence[T], seed: str, limit: int) -> tuple[T, ...]:
    """As many as wanted, from a place that depends on the seed, so that many facts do not share one set."""
    if len(of) <= limit:
        return tuple(of)
    start = zlib.crc32(seed.encode()) % len(of)
    return tuple(of[(start + step) % len(of)] for step in range(limit))
