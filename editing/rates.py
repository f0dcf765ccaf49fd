"""Shares of what was asked, with their intervals, and when one is too low."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % Wilson interval."""

    passed: int
    of: int

    @property
    def share(self) -> float:
        return self.passed / self.of if self.of else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson 1927; (0, 1) where nothing was asked."""
        if not self.of:
            return (0.0, 1.0)
        z, n, p = 1.96, self.of, self.share
        centre, spread = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (max(0.0, (centre - spread) / (1 + z * z / n)), min(1.0, (centre + spread) / (1 + z * z / n)))

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.passed + other.passed, self.of + other.of)

    @classmethod
    def count(cls, outcomes: Iterable[bool | None]) -> "Rate":
        """Of the outcomes that are not None."""
        known = [outcome for outcome in outcomes if outcome is not None]
        return cls(sum(known), len(known))

    def holds(self, name: str, bounds: Mapping[str, float]) -> bool:
        """A handful of probes cannot tell .80 from .75: there a release fails where even the interval's upper end is too low."""
        by_share = name in ("neighbours", "unrelated") and self.of >= bounds["enough"]
        return (self.share if by_share else self.interval[1]) >= bounds[name]

    def as_dict(self) -> dict[str, float | int]:
        low, high = self.interval
        return {
            "passed": self.passed,
            "of": self.of,
            "share": round(self.share, 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }
