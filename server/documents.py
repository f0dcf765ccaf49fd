"""Documents of the retrieval layer: what may be said of one, and storing and removing it with an entry in the log."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from governance.accounts import Actor, logged
from governance.tombstones import Tombstone
from retrieval.documents import Document, StoredDocument
from server.body import Body
from server.errors import BadRequest
from server.services import Services


def _moment(given: Any) -> Any:
    """A day as a day, and a text with a time of day as the moment it names: in UTC, where it names no zone."""
    if not isinstance(given, str):
        return given
    if not given.strip():
        return None
    try:
        return date.fromisoformat(given.strip())
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(given.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)  # it is stored so, and a zone can lead out of the calendar
    except (ValueError, OverflowError):
        raise ValueError("give a day such as 2026-11-20, or a moment such as 2026-11-20T09:30Z") from None
    return moment


def _day(given: Any) -> Any:
    """A day, or the day of a moment as it is where that was written."""
    read = _moment(given)
    return read.date() if isinstance(read, datetime) else read


class NewDocument(Body):
    """A document as text, or as the address of one."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field("", max_length=500)
    text: str | None = None
    uri: str | None = Field(None, max_length=2_000)
    as_of: Annotated[date | None, BeforeValidator(_day)] = None
    expires_at: Annotated[datetime | date | None, BeforeValidator(_moment)] = None
    language: str = Field("", max_length=10)

    @field_validator("expires_at")
    @classmethod
    def _not_before(cls, expires_at: date | None, info: ValidationInfo) -> date | None:
        as_of = info.data.get("as_of")
        if expires_at and as_of and _day(expires_at) < as_of:
            raise ValueError(f"{expires_at} is before as_of, {as_of}: give the last day on which the content is good")
        return expires_at

    @model_validator(mode="after")
    def _one_source(self) -> NewDocument:
        if not (self.text and self.text.strip()) and not self.uri:
            raise ValueError("give text, or a uri to fetch")
        return self


def description_of(fields: Any) -> NewDocument:
    """What is said of a document. Raises BadRequest, naming the field."""
    try:
        return NewDocument.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(next(iter(first["loc"]), "body"))  # what follows says which kind of value was tried
        raise BadRequest(f"{field}: {first['msg'].removeprefix('Value error, ')}", param=field) from None


def store_document(services: Services, actor: Actor, document: Document) -> StoredDocument:
    """Add a document and its log entry in one transaction; parsing and embedding come before it.

    The log commits to the content by a sealed hash, whose key goes with the document: a bare one could be guessed.
    """
    prepared, records = services.knowledge.prepare(document), services.records
    with records.store.transaction():
        stored = services.knowledge.add(prepared)
        content = records.vault.commitment(records.vault.put(stored.id, "document", stored.sha256))
        records.log.append("document_added", {"document": stored.id, **logged(actor), "content": content})
    return stored


def remove_document(services: Services, actor: Actor, document_id: str, *, for_good: bool = False) -> None:
    """Raises DocumentNotFound. `for_good`: no restore of an older backup brings it back."""
    records = services.records
    with records.store.transaction():
        services.knowledge.remove(document_id)
        records.vault.erase_person(document_id)
        records.log.append("document_removed", {"document": document_id, **logged(actor)})
        if for_good:  # written down before the commit
            records.tombstones.add([Tombstone("document", document_id), Tombstone("owner", document_id)])
