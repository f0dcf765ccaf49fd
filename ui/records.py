"""What the gateway says, as frozen records: answers, conversations, reports, versions, documents, people."""

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
    def may_review(self) -> bool:
        return self.role in ("reviewer", "admin")

    @property
    def may_administer(self) -> bool:
        return self.role == "admin"

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
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question with its answer; `stopped` when the person cut the answer short, `error` when none came; `replaces` names
    the answer that it is asked again in place of."""

    question: str
    answer: str
    answer_id: str = ""
    created: str = ""
    provenance: Provenance | None = None
    stopped: bool = False
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
            stopped=text(data, "finish_reason") in ("abort", "cancelled", "disconnected"),
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
    reporter: str
    reporter_id: str
    answer_id: str
    priority: int
    due: str
    risk_tier: str
    round: int
    approvals_needed: int
    approvals: tuple[Json, ...]
    evidence: tuple[str, ...]
    paraphrases: tuple[str, ...]
    probes: tuple[str, ...]
    neighbours: tuple[str, ...]
    conflicts: tuple[str, ...]
    duplicate_of: str
    fallback: str
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
        claim = data.get("claim")
        said: Json = {**data, **claim} if isinstance(claim, Mapping) else data
        triage, verification, review = data.get("triage"), data.get("report"), data.get("review")
        generated = data.get("generated")
        return cls(
            id=text(data, "id"),
            status=text(data, "status"),
            created=text(data, "created"),
            question=text(said, "question"),
            canonical_question=text(said, "canonical_question"),
            subject=text(said, "subject"),
            answer_old=text(said, "answer_old") or text(said, "answer"),
            correct_answer=text(said, "correct_answer"),
            category=text(data, "category"),
            comment=text(data, "comment"),
            remedy=text(data, "remedy"),
            reason=text(data, "reason"),
            reporter=text(data, "reporter") or text(data, "reporter_role"),
            reporter_id=text(data, "reporter_id"),
            answer_id=text(data, "answer_id"),
            priority=int(data.get("priority") or 0),
            due=text(data, "due"),
            risk_tier=text(data, "risk_tier"),
            round=int(data.get("round") or 0),
            approvals_needed=int(data.get("approvals_needed") or 0),
            approvals=rows(data, "approvals"),
            evidence=words(data, "evidence"),
            paraphrases=words(data, "paraphrases"),
            probes=words(data, "probes"),
            neighbours=words(data, "neighbours"),
            conflicts=words(data, "conflicts"),
            duplicate_of=text(data, "duplicate_of"),
            fallback=text(data, "fallback"),
            undo_requested=bool(data.get("undo_requested")),
            version_before=text(data, "weights_version_before"),
            version_after=text(data, "weights_version_after"),
            moves=tuple(map(Move.read, rows(data, "history") or rows({"last": [data.get("last_move")]}, "last"))),
            generated=generated if isinstance(generated, Mapping) else {},
            triage=triage if isinstance(triage, Mapping) else {},
            verification=verification if isinstance(verification, Mapping) else {},
            review=review if isinstance(review, Mapping) else {},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A set of weights: the base and the edits in it, with what its gate measured."""

    id: str
    created: str
    live_since: str
    tensors_sha256: str
    base: str
    artefacts: tuple[str, ...]
    corrections: tuple[str, ...]
    purged: bool
    summary: Json

    @classmethod
    def read(cls, data: Json) -> "Version":
        figures = data.get("verification")
        summary = {**figures} if isinstance(figures, Mapping) else {}
        if isinstance(data.get("swap_pause_s"), float):
            summary["swap_pause_s"] = data["swap_pause_s"]
        return cls(
            id=text(data, "id"),
            created=text(data, "created"),
            live_since=text(data, "live_since"),
            tensors_sha256=text(data, "tensors_sha256"),
            base=text(data, "base") or text(data, "base_sha256"),
            artefacts=words(data, "artefacts"),
            corrections=words(data, "corrections"),
            purged=bool(data.get("purged")),
            summary=summary,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of the knowledge layer."""

    id: str
    title: str
    uri: str
    kind: str
    as_of: str
    expires_at: str
    created: str
    passages: int

    @classmethod
    def read(cls, data: Json) -> "Document":
        count = data.get("passages")
        return cls(
            id=text(data, "id"),
            title=text(data, "title"),
            uri=text(data, "uri"),
            kind=text(data, "kind"),
            as_of=text(data, "as_of"),
            expires_at=text(data, "expires_at"),
            created=text(data, "created") or text(data, "added"),
            passages=len(count) if isinstance(count, list) else int(count or 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account as the people list shows it; secrets are shown once by the gateway and never kept."""

    id: str
    name: str
    role: str
    disabled: bool
    created: str

    @classmethod
    def read(cls, data: Json) -> "Person":
        return cls(
            id=text(data, "id"),
            name=text(data, "name"),
            role=text(data, "role"),
            disabled=bool(data.get("disabled")),
            created=text(data, "created"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """What the edit worker is doing now."""

    state: str
    step: int
    of: int
    message: str
    since: str

    @classmethod
    def read(cls, data: Json) -> "Worker":
        return cls(
            state=text(data, "state", "idle"),
            step=int(data.get("step") or 0),
            of=int(data.get("of") or 0),
            message=text(data, "message"),
            since=text(data, "since"),
        )
