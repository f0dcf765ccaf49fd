"""The one table of allowed moves of a correction."""

from collections.abc import Mapping
from types import MappingProxyType

from governance.corrections import Status
from governance.errors import MoveNotAllowed

ALLOWED_MOVES: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.FLAGGED: frozenset({Status.NEEDS_EVIDENCE, Status.QUEUED, Status.CLOSED, Status.REJECTED}),
        Status.NEEDS_EVIDENCE: frozenset({Status.FLAGGED, Status.CLOSED}),
        Status.QUEUED: frozenset({Status.APPROVED, Status.REJECTED, Status.NEEDS_EVIDENCE, Status.CLOSED}),
        Status.APPROVED: frozenset({Status.EDITING, Status.IN_KNOWLEDGE, Status.QUEUED}),
        Status.EDITING: frozenset({Status.LIVE, Status.IN_KNOWLEDGE, Status.FAILED, Status.APPROVED}),
        Status.LIVE: frozenset({Status.ROLLED_BACK, Status.SUPERSEDED}),
        Status.IN_KNOWLEDGE: frozenset({Status.ROLLED_BACK, Status.SUPERSEDED}),
        Status.FAILED: frozenset({Status.QUEUED}),
        Status.REJECTED: frozenset({Status.FLAGGED}),
        Status.CLOSED: frozenset(),
        # Only by restoring a version that holds the edit, verified when it was built.
        Status.ROLLED_BACK: frozenset({Status.LIVE}),
        Status.SUPERSEDED: frozenset({Status.LIVE}),
    }
)

# What to do about one in each status, said where a person asks for what is not open to it.
NEXT: Mapping[Status, str] = MappingProxyType(
    {
        Status.FLAGGED: "triage has not looked at it yet, wait a moment",
        Status.NEEDS_EVIDENCE: "it waits for evidence, which its reporter adds",
        Status.QUEUED: "it waits for a decision, approve or reject it",
        Status.APPROVED: "it is approved and not live yet, take it back first with requeue",
        Status.EDITING: "its edit is being made, wait until it is live or has failed",
        Status.LIVE: "it is in force, roll it back first",
        Status.IN_KNOWLEDGE: "it is in force, roll it back first",
        Status.FAILED: "its edit failed, take it back to the queue with requeue",
        Status.REJECTED: "it is rejected, its reporter may appeal",
        Status.CLOSED: "closed is final, report it anew",
        Status.ROLLED_BACK: "it is undone, report it anew",
        Status.SUPERSEDED: "a newer correction has taken its place",
    }
)

OPEN = frozenset({Status.FLAGGED, Status.NEEDS_EVIDENCE, Status.QUEUED, Status.APPROVED, Status.EDITING})
IN_FORCE = frozenset({Status.LIVE, Status.IN_KNOWLEDGE})
BEFORE_APPROVAL = frozenset({Status.FLAGGED, Status.NEEDS_EVIDENCE, Status.QUEUED})


def check_move(from_status: Status, to_status: Status) -> None:
    """Raises MoveNotAllowed unless the table has this move."""
    if to_status not in ALLOWED_MOVES[from_status]:
        raise MoveNotAllowed(
            f"a correction that is {from_status.value!r} cannot become {to_status.value!r}: {NEXT[from_status]}"
        )


def check_status(status: Status, allowed: frozenset[Status], act: str) -> None:
    """Raises MoveNotAllowed unless the act is open to a correction in this status."""
    if status not in allowed:
        raise MoveNotAllowed(f"cannot {act} a correction that is {status.value!r}: {NEXT[status]}")
