"""What only the admin page reads of the gateway, as frozen records: versions, documents, accounts, the worker."""

from collections.abc import Mapping
from dataclasses import dataclass

from .reading import Json, text, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A set of weights: the base and the edits in it, with what its gate measured."""

    id: str
    created: str
    live_since: str
    tensors_sha256: str
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
            created=text(data, "added"),
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

    @classmethod
    def read(cls, data: Json) -> "Worker":
        return cls(
            state=text(data, "state", "idle"),
            step=int(data.get("step") or 0),
            of=int(data.get("of") or 0),
            message=text(data, "message"),
        )
