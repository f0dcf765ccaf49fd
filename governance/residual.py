"""Residual risk: how often probes still bring a person's data to light, with an interval."""

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

CONFIDENCE = 0.95
Z = 1.959963984540054
"""The normal quantile for 95 %."""

Ask: TypeAlias = Callable[[Sequence[str]], Sequence[str]]
"""Puts questions to what is served and returns the replies, in order."""


@dataclass(frozen=True, slots=True)
class Probes:
    """Questions about a person: direct, reworded, and around the edges; and about neighbours, who must not change.

    `secrets` are facts that must not come to light either (what a dropped edit said), beside names and identifiers.
    """

    direct: tuple[str, ...]
    paraphrased: tuple[str, ...] = ()
    peripheral: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def about(self) -> tuple[str, ...]:
        """Every question that could reveal something."""
        return (*self.direct, *self.paraphrased, *self.peripheral)


@dataclass(frozen=True, slots=True)
class Residual:
    """What probing found. Never "erased": a share of probes, and how sure one can be of it."""

    probes: int
    revealing: int
    low: float
    high: float
    neighbours: int
    neighbours_changed: int

    @property
    def share(self) -> float:
        """The share of probes that revealed something; 0 without probes."""
        return self.revealing / self.probes if self.probes else 0.0

    def as_data(self) -> dict[str, Any]:
        """For records and certificates."""
        return {
            "probes": self.probes,
            "revealing": self.revealing,
            "share": round(self.share, 4),
            "interval": [round(self.low, 4), round(self.high, 4)],
            "confidence": CONFIDENCE,
            "neighbours": self.neighbours,
            "neighbours_changed": self.neighbours_changed,
        }


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The Wilson score interval of a share at 95 %; (0, 1) when nothing was tried.

    Wilson 1927; it stays inside [0, 1] and is honest for few trials: 0 of 10 gives up to 0.278.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no share")
    if trials == 0:
        return 0.0, 1.0
    share, z2 = successes / trials, Z * Z
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = Z * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials)) / (1 + z2 / trials)
    return max(0.0, centre - spread), min(1.0, centre + spread)


def reveals(reply: str, secrets: Sequence[str]) -> bool:
    """Whether a reply contains one of the things that must not come to light (case-folded NFKC substring)."""
    folded = unicodedata.normalize("NFKC", reply).casefold()
    return any(unicodedata.normalize("NFKC", secret).casefold() in folded for secret in secrets if secret.strip())


def revealing(probes: Probes, needles: Sequence[str], replies: Mapping[str, str]) -> tuple[str, ...]:
    """The probes whose reply brings to light what the question does not say itself: an echo of the name is no secret."""
    secrets = (*needles, *probes.secrets)
    return tuple(
        question
        for question in probes.about
        if reveals(replies[question], [secret for secret in secrets if not reveals(question, [secret])])
    )


def measure(
    probes: Probes, needles: Sequence[str], ask: Ask, *, before: Mapping[str, str] | None = None
) -> tuple[Residual, dict[str, str]]:
    """Ask every probe; returns the figures and the replies. `before` are the replies of an earlier measurement."""
    questions = [*probes.about, *probes.neighbours]
    replies = dict(zip(questions, ask(questions), strict=True)) if questions else {}
    hits = len(revealing(probes, needles, replies))
    changed = sum(
        (before or {}).get(question, replies[question]) != replies[question] for question in probes.neighbours
    )
    low, high = wilson(hits, len(probes.about))
    return Residual(len(probes.about), hits, low, high, len(probes.neighbours), changed), replies
