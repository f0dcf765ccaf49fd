"""What the gateway says, as frozen records: people, answers, conversations, reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .reading import Json, rows, text, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The person who is signed in."""

    id: str
    name: str
    role: str

    @property
    def may_ask(self) -> bool:
        return self.role != "auditor"

    @property
    def may_review(self) -> bool:
        return self.role in ("reviewer", "admin")

    @property
    def may_administer(self) -> bool:
        return self.role == "admin"

    @property
    def may_audit(self) -> bool:
        return self.role in ("auditor", "admin")

    @property
    def sees_admin_page(self) -> bool:
        return self.role in ("auditor", "reviewer", "admin")

    @classmethod
    def read(cls, data: Json) -> "Me":
        return cls(id=text(data, "id"), name=text(data, "name"), role=text(data, "role", "user"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a document that was put before the model, or found by the playground."""

    n: int
    id: str
    title: str
    uri: str
    text: str
    as_of: str
    expires_at: str
    expired: bool
    score: float

    @classmethod
    def read(cls, data: Json, n: int = 0) -> "Passage":
        return cls(
            n=int(data.get("n") or n),
            id=text(data, "id"),
            title=text(data, "title"),
            uri=text(data, "uri"),
            text=text(data, "text"),
            as_of=text(data, "as_of"),
            expires_at=text(data, "expires_at"),
            expired=bool(data.get("expired")),
            score=float(data.get("score") or 0.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How one answer came about: the `errata` field of an answer."""

    route: str
    reason: str
    weights_version: str
    weights_version_end: str
    active_edits: int
    passages: tuple[Passage, ...]
    conversation_id: str = ""
    read_as: str = ""  # the question as it was understood, where it says more than what was typed
    correction_id: str = ""  # whose card answered
    turns_left_out: int = 0  # the oldest of the conversation, which the model had no room to see

    @classmethod
    def read(cls, data: Json) -> "Provenance":
        return cls(
            route=text(data, "route", "model"),
            reason=text(data, "reason"),
            weights_version=text(data, "weights_version"),
            weights_version_end=text(data, "weights_version_end"),
            active_edits=int(data.get("active_edits") or 0),
            passages=tuple(Passage.read(row, n) for n, row in enumerate(rows(data, "passages"), start=1)),
            conversation_id=text(data, "conversation_id"),
            read_as=text(data, "read_as"),
            correction_id=text(data, "correction_id"),
            turns_left_out=int(data.get("turns_left_out") or 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question with its answer; `stopped` when it was cut short, by a person or a fault, `limited` when it reached the
    greatest length, `error` when none came; `replaces` names the answer that it is asked again in place of."""

    question: str
    answer: str
    answer_id: str = ""
    created: str = ""
    provenance: Provenance | None = None
    stopped: bool = False
    limited: bool = False
    error: str = ""
    replaces: str = ""

    @classmethod
    def read(cls, data: Json) -> "Turn":
        errata = data.get("errata")
        return cls(
            question=text(data, "question"),
            answer=text(data, "answer"),
            answer_id=text(data, "answer_id") or text(data, "id"),
            created=text(data, "created"),
            provenance=Provenance.read(errata) if isinstance(errata, Mapping) else None,
            stopped=text(data, "finish_reason") == "abort",
            limited=text(data, "finish_reason") == "length",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation kept on the server; the list carries no turns."""

    id: str
    title: str
    updated: str
    turns: tuple[Turn, ...] = ()

    @classmethod
    def read(cls, data: Json) -> "Conversation":
        return cls(
            id=text(data, "id"),
            title=text(data, "title"),
            updated=text(data, "updated") or text(data, "created"),
            turns=tuple(Turn.read(row) for row in rows(data, "turns")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One step of a report: from one status to the next, by whom and why."""

    before: str
    after: str
    actor: str
    role: str
    at: str
    reason: str

    @classmethod
    def read(cls, data: Json) -> "Move":
        return cls(
            before=text(data, "from"),
            after=text(data, "to"),
            actor=text(data, "actor"),
            role=text(data, "role"),
            at=text(data, "at"),
            reason=text(data, "reason"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A correction as the gateway shows it; fields that a list leaves out are empty."""

    id: str
    status: str
    created: str
    question: str
    canonical_question: str
    subject: str
    answer_old: str
    correct_answer: str
    category: str
    comment: str
    remedy: str
    reason: str
    answer_id: str
    priority: int
    due: str
    risk_tier: str
    round: int
    approvals_needed: int
    approvals: tuple[Json, ...]
    approval_barred: str  # why who reads this may not approve it; empty where they may
    evidence: tuple[str, ...]
    paraphrases: tuple[str, ...]
    probes: tuple[str, ...]
    neighbours: tuple[str, ...]
    conflicts: tuple[str, ...]
    duplicate_of: str
    superseded_by: str
    route: str  # of the answer that was reported
    fallback: str
    review_due: str
    undo_requested: bool
    version_before: str
    version_after: str
    moves: tuple[Move, ...]  # in a list the last one alone
    generated: Json = field(default_factory=dict)
    triage: Json = field(default_factory=dict)
    verification: Json = field(default_factory=dict)
    review: Json = field(default_factory=dict)

    def wordings(self, name: str) -> tuple[str, ...]:
        """The paraphrases, probes or neighbours that an edit would use: a reviewer's own, else the generated ones."""
        own: tuple[str, ...] = getattr(self, name)
        return own or words(self.generated, name)

    @classmethod
    def read(cls, data: Json) -> "Report":
        triage, verification, review = data.get("triage"), data.get("report"), data.get("review")
        generated, router = data.get("generated"), data.get("router")
        return cls(
            id=text(data, "id"),
            status=text(data, "status"),
            created=text(data, "created"),
            question=text(data, "question"),
            canonical_question=text(data, "canonical_question"),
            subject=text(data, "subject"),
            answer_old=text(data, "answer"),
            correct_answer=text(data, "correct_answer"),
            category=text(data, "category"),
            comment=text(data, "comment"),
            remedy=text(data, "remedy"),
            reason=text(data, "reason"),
            answer_id=text(data, "answer_id"),
            priority=int(data.get("priority") or 0),
            due=text(data, "due"),
            risk_tier=text(data, "risk_tier"),
            round=int(data.get("round") or 0),
            approvals_needed=int(data.get("approvals_needed") or 0),
            approvals=rows(data, "approvals"),
            approval_barred=text(data, "approval_barred"),
            evidence=words(data, "evidence"),
            paraphrases=words(data, "paraphrases"),
            probes=words(data, "probes"),
            neighbours=words(data, "neighbours"),
            conflicts=words(data, "conflicts"),
            duplicate_of=text(data, "duplicate_of"),
            superseded_by=text(data, "superseded_by"),
            route=text(router, "route") if isinstance(router, Mapping) else "",
            fallback=text(data, "fallback"),
            review_due=text(data, "review_due"),
            undo_requested=bool(data.get("undo_requested")),
            version_before=text(data, "weights_version_before"),
            version_after=text(data, "weights_version_after"),
            moves=tuple(map(Move.read, rows(data, "history") or rows({"last": [data.get("last_move")]}, "last"))),
            generated=generated if isinstance(generated, Mapping) else {},
            triage=triage if isinstance(triage, Mapping) else {},
            verification=verification if isinstance(verification, Mapping) else {},
            review=review if isinstance(review, Mapping) else {},
        )
