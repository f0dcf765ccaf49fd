"""Which edits have to leave a set so that what the others cost is within bounds."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

from editing.rates import Rate

WORTH_LEAVING = 0.5


@dataclass(frozen=True, slots=True)
class Asked:
    """A question whose reply should stay as it was in some way.

    name   the share that it counts for, as the bounds call it
    owner  the fact that brings it and takes it along; None if it is asked of every set
    kept   whether the reply did stay so
    by     if not: facts whose edits may leave, each with its edit's part in that, one at most
    """

    name: str
    question: str
    owner: str | None
    kept: bool
    by: Mapping[str, float] = field(default_factory=dict)


def culprits(asked: Sequence[Asked], bounds: Mapping[str, float], leaving: Collection[str] = ()) -> dict[str, float]:
    """Facts that have to leave for the others' shares to hold, those that lost most first, each with how much it lost of
    the replies of shares that were still too low.

    leaving  facts that leave anyway

    A reply that several edits moved is taken to come back by as much as those did that leave. None leaves if all shares
    hold, and beside others none for less than half a reply: without those first, it may be less still.
    """
    found: dict[str, float] = {}
    while guilt := _guilt(asked, bounds, {*leaving, *found}):
        worst = max(guilt, key=lambda fact: (guilt[fact], fact))
        if guilt[worst] < WORTH_LEAVING and (found or leaving):
            break
        found[worst] = guilt[worst]
    return found


def _guilt(asked: Sequence[Asked], bounds: Mapping[str, float], gone: Collection[str]) -> Counter[str]:
    """How much each fact that is not gone lost, of the shares that are still too low without those that are."""
    left = [one for one in asked if one.owner not in gone]
    lost: dict[str, Mapping[str, float]] = {}
    for name in sorted({one.name for one in left}):
        mine = [one for one in left if one.name == name]
        back = sum(1.0 if one.kept else min(1.0, sum(one.by.get(fact, 0.0) for fact in gone)) for one in mine)
        if not Rate(floor(back + 1e-9), len(mine)).holds(name, bounds):
            lost |= {one.question: one.by for one in mine if not one.kept}
    guilt: Counter[str] = Counter()
    for by in lost.values():
        guilt.update({fact: part for fact, part in by.items() if fact not in gone})
    return +guilt
