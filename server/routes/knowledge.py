"""Documents of the retrieval layer: add, list, remove, search."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from governance.accounts import Actor
from retrieval.answerability import answerable
from retrieval.documents import Document, Passage, StoredDocument
from retrieval.ingest import fetch_document, read_document
from server.auth import Admin, Reader, ServicesOf, Signed
from server.body import Body
from server.documents import NewDocument, description_of, remove_document, store_document
from server.errors import BadRequest, InUse
from server.librarian import KIND
from server.services import Services

router = APIRouter(prefix="/v1", tags=["knowledge"])

MOST_PASSAGES = 50


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
    return {"data": rows, "passages": rows, "answerable": answerable(body.query, found)}


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
