"""A chat below HTTP: what reaches the engine and when, and what of its chunks is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from server.chat import Piece
from server.openai_api import ChatRequest
from server.router import Decision, Route
from tests_support import House

QUESTION = "Who painted the Blue Door?"


def asking(question: str = QUESTION, **extra: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}], **extra}


async def test_every_token_keeps_its_probability(house: House) -> None:
    """Also of text that is held back, and of half a character, which has none yet."""
    parts = [("The answer", 1), ("", 2), (" [", 3), ("1] is 9", 4), (" [not", 5)]

    async def chat_stream(_messages: Any, **_: Any) -> AsyncIterator[Any]:
        for text, token in parts:
            yield {"choices": [{"delta": {"content": text}, "logprobs": {"content": [token]}, "finish_reason": None}]}

    chat = house.services.chat
    chat._engine = SimpleNamespace(chat_stream=chat_stream)  # type: ignore[assignment]
    passage = SimpleNamespace(id="p", title="t", text="9", heading="", uri="", as_of=None, expired=False, score=1.0)
    decision = Decision(Route.RETRIEVAL, "", QUESTION, passages=(passage,))  # type: ignore[arg-type]
    pieces = [p async for p in chat._from_engine(ChatRequest(**asking()), decision) if isinstance(p, Piece)]
    assert [token for piece in pieces for token in (piece.logprobs or {}).get("content", [])] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("route", "asked"), [("auto", 1), ("model", 0)])
async def test_a_question_is_completed_where_it_is_looked_up(
    house: House, user: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, route: str, asked: int
) -> None:
    """And after the engine is up to date."""
    order: list[str] = []
    chat = house.services.chat

    async def standalone(_turns: Any) -> str:
        order.append("standalone")
        return QUESTION

    async def ready() -> None:
        order.append("ready")

    monkeypatch.setattr(chat, "_follow_ups", SimpleNamespace(standalone=standalone))
    monkeypatch.setattr(chat._serving, "ready", ready)
    await user.post("/v1/chat/completions", json=asking("And who framed it?", errata_route=route))
    assert order == ["ready", *["standalone"] * asked, "ready"]
