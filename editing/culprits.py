"""Which edits have to leave a set so that what the others cost is within bounds."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from editing.rates import Rate


@dataclass(frozen=True, slots=True)
class Asked:
    """A question beside the edits' own whose answer should stay.

    name   the share that it counts for, as the bounds call it
    owner  the fact that brings it and takes it along; None if it is asked of every set
    kept   whether its answer did stay
    by     the facts of the edit that is to blame if not; none if no edit that may leave is
    """

    name: str
    question: str
    owner: str | None
    kept: bool
    by: frozenset[str] = frozenset()


def culprits(asked: Sequence[Asked], bounds: Mapping[str, float]) -> dict[str, list[str]]:
    """The facts that lost most, as few as must leave for the others' shares to hold, with the questions that each lost.

    None if all shares hold already. Those that are still short when nobody is left to blame are left short.
    """
    gone: dict[str, list[str]] = {}
    while lost := _lost(asked, bounds, gone):
        counts = Counter(one.by for one in lost)
        worst, _ = max(counts.items(), key=lambda item: (item[1], sorted(item[0])))
        gone |= {fact: [one.question for one in lost if one.by == worst] for fact in worst}
    return gone


def _lost(asked: Sequence[Asked], bounds: Mapping[str, float], gone: Collection[str]) -> list[Asked]:
    """Without those gone: what is lost and can be laid at somebody's door, of the shares that are too low."""
    left = [one for one in asked if one.owner not in gone]
    short = {name for name in {one.name for one in left} if not _rate(left, name, gone).holds(name, bounds)}
    return [one for one in left if one.name in short and one.by and not _is_kept(one, gone)]


def _rate(asked: Iterable[Asked], name: str, gone: Collection[str]) -> Rate:
    return Rate.count(_is_kept(one, gone) for one in asked if one.name == name)


def _is_kept(one: Asked, gone: Collection[str]) -> bool:
    """Whether the answer stays once these facts' edits are gone."""
    return one.kept or not one.by.isdisjoint(gone)
