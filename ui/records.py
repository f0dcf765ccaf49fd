"""What the gateway says, as frozen records: answers, conversations, reports, versions, documents, entries, people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


def _text(data: Json, key: str, default: str = "") -> str:
    value = data.get(key)
    return default if value is None else str(value)


def _rows(data: Json, key: str) -> tuple[Json, ...]:
    return tuple(row for row in data.get(key) or () if isinstance(row, Mapping))


def _words(data: Json, key: str) -> tuple[str, ...]:
    """A list of texts; a probe that comes as {question, answer} is shown by its question."""
    values = data.get(key) or ()
    if isinstance(values, str):
        return (values,)
    return tuple(str(value.get("question", value)) if isinstance(value, Mapping) else str(value) for value in values)


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
        return cls(id=_text(data, "id"), name=_text(data, "name"), role=_text(data, "role", "user"))


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
            id=_text(data, "id"),
            title=_text(data, "title"),
            uri=_text(data, "uri"),
            text=_text(data, "text"),
            as_of=_text(data, "as_of"),
            expires_at=_text(data, "expires_at"),
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
            route=_text(data, "route", "model"),
            reason=_text(data, "reason"),
            weights_version=_text(data, "weights_version"),
            weights_version_end=_text(data, "weights_version_end"),
            active_edits=int(data.get("active_edits") or 0),
            passages=tuple(Passage.read(row, n) for n, row in enumerate(_rows(data, "passages"), start=1)),
            conversation_id=_text(data, "conversation_id"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question with its answer; `stopped` when the person cut the answer short, `error` when none came."""

    question: str
    answer: str
    answer_id: str = ""
    created: str = ""
    provenance: Provenance | None = None
    stopped: bool = False
    error: str = ""

    @classmethod
    def read(cls, data: Json) -> "Turn":
        errata = data.get("errata")
        return cls(
            question=_text(data, "question"),
            answer=_text(data, "answer"),
            answer_id=_text(data, "answer_id") or _text(data, "id"),
            created=_text(data, "created"),
            provenance=Provenance.read(errata) if isinstance(errata, Mapping) else None,
            stopped=_text(data, "finish_reason") in ("abort", "cancelled", "disconnected"),
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
            id=_text(data, "id"),
            title=_text(data, "title"),
            updated=_text(data, "updated") or _text(data, "created"),
            turns=tuple(Turn.read(row) for row in _rows(data, "turns")),
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
            before=_text(data, "from"),
            after=_text(data, "to"),
            actor=_text(data, "actor"),
            role=_text(data, "role"),
            at=_text(data, "at"),
            reason=_text(data, "reason"),
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
    approvals_needed: int
    approvals: tuple[Json, ...]
    evidence: tuple[str, ...]
    paraphrases: tuple[str, ...]
    probes: tuple[str, ...]
    conflicts: tuple[str, ...]
    duplicate_of: str
    fallback: str
    undo_requested: bool
    version_before: str
    version_after: str
    moves: tuple[Move, ...]
    triage: Json = field(default_factory=dict)
    verification: Json = field(default_factory=dict)

    @classmethod
    def read(cls, data: Json) -> "Report":
        claim = data.get("claim")
        said: Json = {**data, **claim} if isinstance(claim, Mapping) else data
        triage, verification = data.get("triage"), data.get("report")
        return cls(
            id=_text(data, "id"),
            status=_text(data, "status"),
            created=_text(data, "created"),
            question=_text(said, "question"),
            canonical_question=_text(said, "canonical_question"),
            subject=_text(said, "subject"),
            answer_old=_text(said, "answer_old") or _text(said, "answer"),
            correct_answer=_text(said, "correct_answer"),
            category=_text(data, "category"),
            comment=_text(data, "comment"),
            remedy=_text(data, "remedy"),
            reason=_text(data, "reason"),
            reporter=_text(data, "reporter") or _text(data, "reporter_role"),
            reporter_id=_text(data, "reporter_id"),
            answer_id=_text(data, "answer_id"),
            priority=int(data.get("priority") or 0),
            due=_text(data, "due"),
            risk_tier=_text(data, "risk_tier"),
            approvals_needed=int(data.get("approvals_needed") or 0),
            approvals=_rows(data, "approvals"),
            evidence=_words(data, "evidence"),
            paraphrases=_words(data, "paraphrases"),
            probes=_words(data, "probes"),
            conflicts=_words(data, "conflicts"),
            duplicate_of=_text(data, "duplicate_of"),
            fallback=_text(data, "fallback"),
            undo_requested=bool(data.get("undo_requested")),
            version_before=_text(data, "weights_version_before"),
            version_after=_text(data, "weights_version_after"),
            moves=tuple(Move.read(row) for row in _rows(data, "moves") or _rows(data, "history")),
            triage=triage if isinstance(triage, Mapping) else {},
            verification=verification if isinstance(verification, Mapping) else {},
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
            id=_text(data, "id"),
            created=_text(data, "created"),
            live_since=_text(data, "live_since"),
            tensors_sha256=_text(data, "tensors_sha256"),
            base=_text(data, "base") or _text(data, "base_sha256"),
            artefacts=_words(data, "artefacts"),
            corrections=_words(data, "corrections"),
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
            id=_text(data, "id"),
            title=_text(data, "title"),
            uri=_text(data, "uri"),
            kind=_text(data, "kind"),
            as_of=_text(data, "as_of"),
            expires_at=_text(data, "expires_at"),
            created=_text(data, "created") or _text(data, "added"),
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
            id=_text(data, "id"),
            name=_text(data, "name"),
            role=_text(data, "role"),
            disabled=bool(data.get("disabled")),
            created=_text(data, "created"),
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
            state=_text(data, "state", "idle"),
            step=int(data.get("step") or 0),
            of=int(data.get("of") or 0),
            message=_text(data, "message"),
            since=_text(data, "since"),
        )
