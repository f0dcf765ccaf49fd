"""What an auditor asks: the figures of a period, and what was answered on a day under whose approval."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.answers import Answer, Answers
from governance.corrections import Correction, Status
from governance.errors import NotFound
from governance.ledger import Ledger
from governance.times import now
from governance.versions import Versions

OUTCOMES = frozenset({Status.LIVE, Status.IN_KNOWLEDGE, Status.FAILED, Status.REJECTED, Status.CLOSED})


@dataclass(frozen=True, slots=True)
class Figures:
    """A period in numbers. Times are hours from the report to its first outcome; scores are means of verification."""

    start: datetime
    end: datetime
    reports: int
    reporters: int
    by_category: dict[str, int]
    by_status_now: dict[str, int]
    resolved: int
    median_hours: float | None
    slowest_hours: float | None
    overdue: int
    rejections: int
    appeals: int
    overturned: int
    went_live: int
    went_to_knowledge: int
    failed: int
    rollbacks: int
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Traced:
    """An answer with the corrections behind it and who had approved each: the edits in its weights, in those that came
    while it was given too, and the one whose card it is."""

    answer: Answer
    edits: tuple[str, ...]
    approved_by: tuple[tuple[str, tuple[str, ...]], ...]


def figures(corrections: Iterable[Correction], *, start: datetime, end: datetime) -> Figures:
    """The figures of a period: reports filed in it, and decisions taken in it."""
    every = list(corrections)
    filed = [one for one in every if start <= one.created < end]
    taken = [(one, move) for one in every for move in one.moves if start <= move.at < end]
    hours = [hour for one in filed if (hour := _hours_to_outcome(one)) is not None]
    reached = Counter(move.to_status for _, move in taken)
    appealed = [one for one, move in taken if (move.from_status, move.to_status) == (Status.REJECTED, Status.FLAGGED)]
    return Figures(
        start=start,
        end=end,
        reports=len(filed),
        reporters=len({one.reporter_pseudonym for one in filed}),
        by_category=dict(sorted(Counter(one.category.value for one in filed).items())),
        by_status_now=dict(sorted(Counter(one.status.value for one in filed).items())),
        resolved=len(hours),
        median_hours=round(statistics.median(hours), 2) if hours else None,
        slowest_hours=round(max(hours), 2) if hours else None,
        overdue=sum(_is_overdue(one, min(end, now())) for one in filed),
        rejections=reached[Status.REJECTED],
        appeals=len(appealed),
        # An appeal succeeds when the report was approved after it.
        overturned=sum(_approved_after_appeal(one) for one in {one.id: one for one in appealed}.values()),
        went_live=reached[Status.LIVE],
        went_to_knowledge=reached[Status.IN_KNOWLEDGE],
        failed=reached[Status.FAILED],
        rollbacks=reached[Status.ROLLED_BACK],
        scores=_mean_scores([one for one, move in taken if move.to_status is Status.LIVE]),
    )


def answered(
    answers: Answers, versions: Versions, ledger: Ledger, *, start: datetime, end: datetime
) -> tuple[Traced, ...]:
    """What was answered in a period, under which set of edits, approved by whom; a version that is not on record has none."""
    edits: dict[str, tuple[str, ...]] = {}
    approvers: dict[str, tuple[str, ...]] = {}
    traced: list[Traced] = []
    for answer in answers.between(start, end):
        held = [answer.correction_id] if answer.correction_id else []
        for version in filter(None, (answer.weights_version, answer.weights_version_end)):
            if version not in edits:
                edits[version] = _edits(versions, version)
            held += edits[version]
        found = tuple(dict.fromkeys(held))
        for one in found:
            if one not in approvers:
                approvers[one] = _approvers(ledger.get(one))
        traced.append(Traced(answer, found, tuple((one, approvers[one]) for one in found)))
    return tuple(traced)


def _edits(versions: Versions, version_id: str) -> tuple[str, ...]:
    try:
        return versions.get(version_id).corrections
    except NotFound:
        return ()


def _approvers(correction: Correction) -> tuple[str, ...]:
    return tuple(approval.actor for approval in correction.approvals)


def _hours_to_outcome(correction: Correction) -> float | None:
    for move in correction.moves:
        if move.to_status in OUTCOMES:
            return (move.at - correction.created).total_seconds() / 3600
    return None


def _is_overdue(correction: Correction, moment: datetime) -> bool:
    outcome = next((move.at for move in correction.moves if move.to_status in OUTCOMES), moment)
    return min(outcome, moment) > correction.due


def _approved_after_appeal(correction: Correction) -> bool:
    appealed = False
    for move in correction.moves:
        appealed = appealed or move.from_status is Status.REJECTED
        if appealed and move.to_status is Status.APPROVED:
            return True
    return False


def _mean_scores(corrections: Sequence[Correction]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for correction in {one.id: one for one in corrections}.values():
        for name, rate in correction.report.items():
            if isinstance(rate, Mapping) and rate.get("of"):
                found.setdefault(name, []).append(float(rate["share"]))
    return {name: round(statistics.fmean(values), 4) for name, values in sorted(found.items())}
