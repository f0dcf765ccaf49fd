"""Documents of the retrieval layer: add, list, remove, search."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from governance.accounts import Actor, stamp
from retrieval.answerability import answerable
from retrieval.documents import Document, Passage, StoredDocument
from retrieval.ingest import fetch_document, read_document
from server.auth import Admin, Reader, ServicesOf, Signed
from server.body import Body
from server.errors import BadRequest, InUse
from server.librarian import KIND
from server.services import Services

router = APIRouter(prefix="/v1", tags=["knowledge"])

MOST_PASSAGES = 50


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


class Search(Body):
    query: str = Field(min_length=1, max_length=4_000)
    k: int = Field(5, ge=1, description=f"How many passages; {MOST_PASSAGES} at most.")


@router.post("/knowledge/documents", status_code=201)
async def add(request: Request, services: ServicesOf, account: Admin) -> dict[str, Any]:
    """Add a document: multipart with a `file`, or JSON with `text` or `uri`."""
    from starlette.concurrency import run_in_threadpool

    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=10) as form:
            upload = form.get("file")
            if upload is None or isinstance(upload, str):
                raise BadRequest("The form holds no file: send it in the field 'file'.", param="file")
            data, name = await upload.read(), upload.filename or "document"
            fields = {key: value for key, value in form.items() if key != "file" and isinstance(value, str) and value}
        described = description_of({**fields, "text": "-"})
        return await run_in_threadpool(_add_file, services, account, data, name, described)
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is neither a form with a file nor JSON: {error}.") from None
    return await run_in_threadpool(_add_text, services, account, description_of(body))


def description_of(fields: Any) -> NewDocument:
    """What is said of a document. Raises BadRequest, naming the field."""
    try:
        return NewDocument.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(next(iter(first["loc"]), "body"))  # what follows says which kind of value was tried
        raise BadRequest(f"{field}: {first['msg'].removeprefix('Value error, ')}", param=field) from None


def _add_file(services: Services, actor: Actor, data: bytes, name: str, described: NewDocument) -> dict[str, Any]:
    document = read_document(
        data,
        name=name,
        title=described.title,
        uri=described.uri or "",
        as_of=described.as_of,
        expires_at=described.expires_at,
        language=described.language,
    )
    return document_json(store_document(services, actor, document))


def _add_text(services: Services, actor: Actor, described: NewDocument) -> dict[str, Any]:
    if described.text and described.text.strip():
        document = Document(
            described.title or described.text.strip().splitlines()[0][:80],
            described.text,
            uri=described.uri or "",
            as_of=described.as_of,
            expires_at=described.expires_at,
            language=described.language,
        )
    else:
        assert described.uri is not None
        document = fetch_document(
            described.uri,
            title=described.title,
            as_of=described.as_of,
            expires_at=described.expires_at,
            language=described.language,
        )
    return document_json(store_document(services, actor, document))


def store_document(services: Services, actor: Actor, document: Document) -> StoredDocument:
    """Add a document and its log entry in one transaction; parsing and embedding come before it.

    The log commits to the content by a sealed hash, whose key goes with the document: a bare one could be guessed.
    """
    prepared, by = services.knowledge.prepare(document), stamp(actor)
    records = services.records
    with records.store.transaction():
        stored = services.knowledge.add(prepared)
        content = records.vault.commitment(records.vault.put(stored.id, "document", stored.sha256))
        records.log.append(
            "document_added", {"document": stored.id, "actor": by.pseudonym, "role": by.role, "content": content}
        )
    return stored


def remove_document(services: Services, actor: Actor, document_id: str) -> None:
    by = stamp(actor)
    with services.records.store.transaction():
        services.knowledge.remove(document_id)
        services.records.vault.erase_person(document_id)
        services.records.log.append(
            "document_removed", {"document": document_id, "actor": by.pseudonym, "role": by.role}
        )


@router.get("/knowledge/documents")
def listing(services: ServicesOf, _: Reader) -> dict[str, Any]:
    return {"data": [document_json(document) for document in services.knowledge.documents()]}


@router.get("/knowledge/documents/{document_id}")
def show(document_id: str, services: ServicesOf, _: Reader) -> dict[str, Any]:
    """A document with its passages."""
    document = services.knowledge.document(document_id)
    return {
        **document_json(document),
        "passages": [passage_json(p) for p in services.knowledge.passages_of(document.id)],
    }


@router.delete("/knowledge/documents/{document_id}", status_code=204)
def remove(document_id: str, services: ServicesOf, account: Admin) -> Response:
    """Remove a document: no answer uses it from this moment on."""
    document = services.knowledge.document(document_id)
    if document.kind == KIND:
        raise InUse(f"This is the entry of correction {document.source}: roll that back, and it goes.")
    remove_document(services, account, document_id)
    return Response(status_code=204)


@router.post("/knowledge/search")
def search(body: Search, services: ServicesOf, _: Signed) -> dict[str, Any]:
    """Passages with scores, as the router would see them."""
    found = services.retriever.search(body.query, k=min(body.k, MOST_PASSAGES))
    rows = [passage_json(p) for p in found]
    return {"data": rows, "passages": rows, "answerable": bool(found) and answerable(body.query, found)}


@router.get("/passages/{passage_id}")
def passage(passage_id: str, services: ServicesOf, _: Signed) -> dict[str, Any]:
    """One passage, for the reader of a citation."""
    return passage_json(services.knowledge.passage(passage_id))


@router.get("/router/explain")
def explain(
    services: ServicesOf, _: Signed, question: Annotated[str, Query(min_length=1, max_length=4_000)]
) -> dict[str, Any]:
    """Where a question would be answered from, and why; how long such an answer stays true."""
    decision = services.router.decide(question)
    freshness = services.freshness.predict([decision.question])[0]
    return {
        "question": decision.question,
        "route": str(decision.route),
        "reason": decision.reason,
        "evergreen": freshness.evergreen,
        "evergreen_probability": round(freshness.probability, 4),
        "horizon": str(freshness.horizon),
        "confident": freshness.confident,
        "correction_id": decision.card.correction_id if decision.card else None,
        "passages": [passage_json(p) for p in decision.passages],
    }


def document_json(document: StoredDocument) -> dict[str, Any]:
    return {
        "id": document.id,
        "title": document.title,
        "uri": document.uri,
        "as_of": document.as_of.isoformat() if document.as_of else None,
        "expires_at": document.expires_at.isoformat() if document.expires_at else None,
        "language": document.language,
        "kind": document.kind,
        "passages": document.passages,
        "characters": document.characters,
        "added": document.added.isoformat(),
    }


def passage_json(passage: Passage) -> dict[str, Any]:
    return {
        "id": passage.id,
        "document_id": passage.document_id,
        "title": passage.title,
        "uri": passage.uri,
        "text": passage.text,
        "as_of": passage.as_of.isoformat() if passage.as_of else None,
        "expires_at": passage.expires_at.isoformat() if passage.expires_at else None,
        "expired": passage.expired,
        "score": round(passage.score, 4),
    }
