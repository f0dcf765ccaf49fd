"""POST /v1/chat/completions and GET /v1/models: OpenAI's protocol over Errata's chat."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from governance.accounts import Account
from governance.ids import new_id
from server.auth import Reporter, ServicesOf, Signed
from server.chat import Finished, Piece
from server.errors import UNFORESEEN, BadRequest, Missing, ServerError, error_body, status_of
from server.openai_api import ChatRequest, answer_body, chunk_body, logprobs_of
from server.services import Services

log = logging.getLogger(__name__)
router = APIRouter(prefix="/v1", tags=["chat"])
LINE_ENDINGS = tuple((sign.encode(), rb"\u%04x" % ord(sign)) for sign in "\u2028\u2029\u0085")


@router.get("/models")
def models(services: ServicesOf, _: Signed) -> dict[str, Any]:
    """The one model that is served."""
    return {
        "object": "list",
        "data": [{"id": services.model_name, "object": "model", "created": 0, "owned_by": "errata"}],
    }


@router.post("/chat/completions")
async def complete(body: ChatRequest, request: Request, services: ServicesOf, account: Reporter) -> Response:
    """Answer a conversation, whole or as server-sent events. A client that goes away stops the generation."""
    if body.model and body.model != services.model_name:
        raise Missing(
            f"The model {body.model!r} does not exist; this server has {services.model_name!r}.",
            param="model",
            code="model_not_found",
        )
    body = await asyncio.to_thread(_in_conversation, services, body, account)
    answer_id = new_id("ans")
    pieces = services.chat.answer(body, account, answer_id=answer_id)
    if body.stream:
        first = await anext(pieces)  # an engine that refuses must become a status code, not a broken stream
        return StreamingResponse(
            _events(services, body, answer_id, first, pieces),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )
    whole = asyncio.ensure_future(_collect(pieces))
    gone = asyncio.ensure_future(_disconnected(request))
    await asyncio.wait({whole, gone}, return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if not whole.done():
        whole.cancel()
        return Response(status_code=499)
    text, logprobs, finished = whole.result()
    return JSONResponse(
        answer_body(
            answer_id=answer_id,
            model=services.model_name,
            text=text,
            finish_reason=finished.finish_reason,
            usage=finished.usage,
            fingerprint=finished.fingerprint,
            errata=finished.errata,
            logprobs=logprobs,
        )
    )


def _in_conversation(services: Services, body: ChatRequest, account: Account) -> ChatRequest:
    """The request with the conversation that it goes on. Raises NotFound for one, or a turn of one, that is not theirs.

    A turn that is asked again tells its conversation itself: a client whose first answer broke off never heard its id.
    """
    answers = services.records.answers
    if body.errata_conversation:
        answers.check_conversation(body.errata_conversation, account_id=account.id)
    if not body.errata_replaces:
        return body
    replaced = answers.get(body.errata_replaces, account_id=account.id)
    if body.errata_conversation not in (None, replaced.conversation_id):
        raise BadRequest(
            f"errata_replaces: {body.errata_replaces!r} is no turn of this conversation.", param="errata_replaces"
        )
    return body.model_copy(update={"errata_conversation": replaced.conversation_id})


async def _collect(pieces: AsyncIterator[Piece | Finished]) -> tuple[str, Any, Finished]:
    text = ""
    tokens: list[Any] = []
    async for piece in pieces:
        if isinstance(piece, Finished):
            return text, logprobs_of(tokens), piece
        text += piece.text
        tokens += (piece.logprobs or {}).get("content") or []
    raise BadRequest("the engine ended without an answer")


async def _disconnected(request: Request) -> None:
    while not await request.is_disconnected():
        await asyncio.sleep(0.2)


async def _events(
    services: Services,
    body: ChatRequest,
    answer_id: str,
    first: Piece | Finished,
    pieces: AsyncIterator[Piece | Finished],
) -> AsyncIterator[bytes]:
    def event(**fields: Any) -> bytes:
        return _event(
            chunk_body(answer_id=answer_id, model=services.model_name, fingerprint=first.fingerprint, **fields)
        )

    yield event(delta={"role": "assistant", "content": ""})
    try:
        piece = first
        while not isinstance(piece, Finished):
            yield event(delta={"content": piece.text}, logprobs=piece.logprobs)
            piece = await anext(pieces)
        yield event(delta={}, finish_reason=piece.finish_reason, errata=piece.errata)
        if body.stream_options and body.stream_options.include_usage:
            yield event(usage=piece.usage)
    except Exception as error:
        if not isinstance(error, ServerError):  # its text is out, and it could not be stored
            log.exception("an answer broke off at its end")
        status, kind = status_of(error)
        yield _event(error_body(UNFORESEEN if status == 500 else str(error), kind))
    finally:
        await pieces.aclose()  # type: ignore[attr-defined]
    yield b"data: [DONE]\n\n"


def _event(content: dict[str, Any]) -> bytes:
    """The content as one event. What Python's splitlines takes for the end of a line is escaped: many clients split by it."""
    data = orjson.dumps(content)
    for raw, escaped in LINE_ENDINGS:
        data = data.replace(raw, escaped)
    return b"data: " + data + b"\n\n"
