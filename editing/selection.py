"""Which edits of a batch go into the weights: the largest part that passes the gate, and who is to blame if not all do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from editing.verify import FactReport, GateReport

TrySet = Callable[[Sequence[str], Sequence[str]], GateReport]
"""Solves the base's live edits and these together and judges them: the first that may leave, the second that stay."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which edits go into the weights, and why the others do not."""

    chosen: tuple[str, ...]
    report: GateReport | None
    set_aside: Mapping[str, FactReport]
    tries: int


def choose(try_set: TrySet, fact_ids: Sequence[str], *, rounds: int, held: tuple[str, ...] = ()) -> Selection:
    """The largest part of a batch that passes, by whole solves of parts rather than one edit at a time.

    try_set  gives a report for all that it is told of
    held     edits that have passed and are part of every try

    Edits that fail on their own account leave together and the rest is tried again, and so do those to blame for what
    the release has lost. If nobody is, or so many rounds were not enough, the batch is halved: the first half alone, then
    the second beside what passed of the first. With b bad edits among n this takes about b·log2(n) tries, not n.
    """
    counter = _Counter(try_set)
    chosen, report, aside = _passing(counter, list(fact_ids), rounds, held)
    return Selection(tuple(chosen), report, aside, counter.tries)


@dataclass(slots=True)
class _Counter:
    try_set: TrySet
    tries: int = 0

    def __call__(self, ids: Sequence[str], held: Sequence[str]) -> GateReport:
        self.tries += 1
        return self.try_set(ids, held)


def _passing(
    try_set: TrySet, ids: list[str], rounds: int, held: tuple[str, ...] = ()
) -> tuple[list[str], GateReport | None, dict[str, FactReport]]:
    """Of `ids`, those that pass together with `held`, which has passed before."""
    aside: dict[str, FactReport] = {}
    report: GateReport | None = None
    own: list[str] = []
    for _ in range(max(1, rounds)):
        if not ids:
            return [], None, aside
        report = try_set(ids, held)
        if report.passes:
            return ids, report, aside
        own = [i for i in (*report.failed, *report.blamed) if i not in held]
        if not own:
            break
        aside.update({i: _set_aside(report, i) for i in own})
        ids = [i for i in ids if i not in own]
    if not ids or report is None:
        return [], None, aside
    if len(ids) == 1 and not own:  # it was tried without those that have left
        blame = report.reasons or ("an edit that passed before fails beside it",)
        aside[ids[0]] = replace(report.of(ids[0]), reasons=tuple(blame))
        return [], None, aside
    middle = len(ids) // 2
    left, left_report, left_aside = _passing(try_set, ids[:middle], rounds, held)
    right, right_report, right_aside = _passing(try_set, ids[middle:], rounds, (*held, *left))
    return [*left, *right], right_report if right else left_report, {**aside, **left_aside, **right_aside}


def _set_aside(report: GateReport, fact_id: str) -> FactReport:
    """Its own report; of one that fails for the release, with what that has lost and its own part of it."""
    own = report.of(fact_id)
    return own if own.reasons else replace(own, reasons=(*report.reasons, report.blamed[fact_id]))
