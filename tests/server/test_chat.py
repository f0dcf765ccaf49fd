"""A chat below HTTP: what reaches the engine and when, and what of its chunks is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from server.chat import Piece
from server.engines.scripted import ScriptedEngine
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


def test_what_is_said_about_sampling_reaches_the_engine_and_what_would_rewrite_the_prompt_does_not() -> None:
    said = {"temperature": 0.0, "top_p": 0.5, "top_k": 5, "min_p": 0.1, "stop": ["."], "seed": 0, "min_tokens": 2}
    said |= {"presence_penalty": 0.5, "frequency_penalty": 0.5, "repetition_penalty": 1.5, "ignore_eos": True}
    said |= {"logprobs": True, "top_logprobs": 3, "logit_bias": {"7": 1.0}}
    request = ChatRequest(**asking(**said, chat_template="{{ x }}", n=1, errata_route="model"))
    assert request.engine_parameters(default_max_tokens=9) == {**said, "max_tokens": 9}


@pytest.mark.parametrize(
    ("said", "length"),
    [
        ({}, 9),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 4}, 4),
        ({"max_tokens": 5, "max_completion_tokens": 4}, 4),
    ],
)
def test_the_newer_of_openai_s_two_names_of_a_length_wins(said: dict[str, int], length: int) -> None:
    assert ChatRequest(**asking(**said)).engine_parameters(default_max_tokens=9) == {"max_tokens": length}


async def test_a_developer_s_instruction_reaches_the_model_as_a_system_message(
    user: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    said = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    assert (await user.post("/v1/chat/completions", json={"messages": said})).status_code == 200
    assert [message["role"] for message in engine.asked[-1]] == ["system", "user"]


@pytest.mark.parametrize("uri", ["", "https://quay.example/fares"])
async def test_each_citation_of_an_answer_is_annotated_with_where_it_stands_and_leads(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient, uri: str
) -> None:
    house.engine._reply = lambda _question, _version: "It costs 3 euros [2] in Quay."
    for day in ("Monday", "Sunday"):
        document = {"title": day, "text": f"On a {day} a ticket in Quay costs 3 euros.", "uri": uri}
        await admin.post("/v1/knowledge/documents", json=document)
    asked = asking("What does a ticket in Quay cost?", errata_route="retrieval")
    answer = (await user.post("/v1/chat/completions", json=asked)).json()
    message, (_, passage) = answer["choices"][0]["message"], answer["errata"]["passages"]
    (cited,) = (one["url_citation"] for one in message["annotations"])
    assert message["content"][cited["start_index"] : cited["end_index"]] == "[2]"
    assert (cited["title"], cited["url"]) == (passage["title"], uri or f"/v1/passages/{passage['id']}")
