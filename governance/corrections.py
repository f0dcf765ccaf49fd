"""A correction as data: what was claimed, its status, and everything that happened to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

SCHEMA_VERSION = 1

# What a reviewer may write in place of the generated wordings: those to learn, those to verify with, and questions about other
# subjects whose answers must stay.
WORDINGS = ("paraphrases", "probes", "neighbours")


class Status(StrEnum):
    """Where a correction stands; the allowed moves are in lifecycle.py."""

    FLAGGED = "flagged"
    NEEDS_EVIDENCE = "needs_evidence"
    QUEUED = "queued"
    APPROVED = "approved"
    EDITING = "editing"
    LIVE = "live"
    IN_KNOWLEDGE = "in_knowledge"
    FAILED = "failed"
    REJECTED = "rejected"
    CLOSED = "closed"
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"


class Remedy(StrEnum):
    """How a correction takes effect."""

    KNOWLEDGE = "knowledge"
    WEIGHTS = "weights"


class Category(StrEnum):
    """What the reporter says is wrong."""

    WRONG = "wrong"
    OUTDATED = "outdated"
    UNSUPPORTED = "unsupported"
    UNSAFE = "unsafe"
    PERSONAL = "personal"


class Fallback(StrEnum):
    """What becomes of an approved edit that its gate refuses."""

    KNOWLEDGE = "knowledge"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said to be wrong and right. All fields are empty once the text is erased."""

    question: str = ""
    canonical_question: str = ""
    subject: str = ""
    answer_old: str = ""
    correct_answer: str = ""
    valid_from: str = ""
    valid_until: str = ""
    language: str = ""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Claim":
        """The claim within a sealed document, which may lack fields."""
        return cls(**{name: document.get(name, "") for name in cls.__dataclass_fields__})

    @property
    def asked(self) -> str:
        """The question in its canonical form, or as it came."""
        return self.canonical_question or self.question

    @property
    def words(self) -> str:
        """All that the claim itself says, for rules that look for words."""
        return "\n".join((self.question, self.canonical_question, self.subject, self.correct_answer))


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes, in the present round; a changed claim starts a new round."""

    actor_id: str
    actor: str
    role: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """One change of status. `from_status` is None for the first; `entry` is its number in the log."""

    from_status: Status | None
    to_status: Status
    actor_id: str
    actor: str
    role: str
    at: datetime
    reason: str
    entry: int


@dataclass(frozen=True, slots=True)
class Correction:
    """One wrong answer, whole: the row, its texts out of the vault, its moves and approvals."""

    id: str
    created: datetime
    updated: datetime
    channel: str
    status: Status
    reporter_id: str
    reporter_pseudonym: str
    reporter_role: str
    answer_id: str | None
    route: str
    route_reason: str
    claim: Claim
    category: Category
    comment: str
    evidence: tuple[str, ...]
    remedy: Remedy | None
    reason: str
    volatile: bool | None
    personal_data: bool
    triage: Mapping[str, Any]
    approvals: tuple[Approval, ...]
    round: int  # grows with each change of words or remedy; approvals count for one round
    approvals_needed: int
    authors: tuple[str, ...]
    risk_tier: str
    fallback: Fallback
    priority: int
    due: datetime
    attempts: int
    probe_failures: int
    crashes: int
    appeals: int
    undo_requested: bool
    report: Mapping[str, Any]
    report_sha256: str | None
    paraphrases: tuple[str, ...]
    probes: tuple[str, ...]
    neighbours: tuple[str, ...]
    artefact: str | None
    edit: Mapping[str, Any]
    weights_version_at_report: str | None
    index_generation: int | None
    weights_version_before: str | None
    weights_version_after: str | None
    swap_pause_s: float | None
    live_since: datetime | None
    review_due: datetime | None
    duplicate_of: str | None
    superseded_by: str | None
    conflicts: tuple[str, ...]
    told: datetime | None
    erased: bool
    claim_commitment: str | None
    moves: tuple[Move, ...] = field(default=())
    review: Mapping[str, Any] = field(
        default_factory=dict
    )  # the last probe after the review date: for, at, holds, reply
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class Related:
    """Other reports on the same question: those with another answer.

    repeats  the one with the same answer that this report repeats; none if the others repeat it
    """

    conflicts: tuple[str, ...]
    repeats: str | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something a person should look at: a burst of reports on one subject, an approval within seconds."""

    id: int
    at: datetime
    kind: str
    correction_id: str
    seen: bool
