"""vLLM's HTTP interface as other servers speak it too: refusals, health, events, on a scripted transport."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from server.engines.protocol import PROMPT_TOO_LONG
from server.engines.vllm import VllmEngine
from server.errors import EngineRefused, EngineUnavailable

CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]


def answering(handle: Callable[[httpx.Request], httpx.Response]) -> VllmEngine:
    return VllmEngine(httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://engine"))


@pytest.mark.parametrize(
    "reason",
    [
        "This model's maximum context length is 4096 tokens. However, your prompt contains at least 4097 input tokens",
        "Input length (5000) exceeds model's maximum context length (4096).",
        "The decoder prompt (length 4096) plus the number of requested output tokens (at least 1) is longer than the "
        "maximum model length of 4096.",
        "max_tokens must be at least 1, got 0.",
    ],
)
async def test_a_prompt_that_is_too_long_is_a_refusal_with_openai_s_code(reason):
    engine = answering(lambda _request: httpx.Response(400, json={"error": {"message": reason, "code": 400}}))
    with pytest.raises(EngineRefused) as refused:
        await anext(engine.chat_stream(CAPITAL, max_tokens=5))
    assert refused.value.code == PROMPT_TOO_LONG


async def test_of_other_refusals_openai_s_own_code_alone_says_too_long():
    body = {"error": {"message": "max_tokens=9000 cannot be greater than max_model_len=4096.", "code": 400}}
    for code, told in ((400, None), ("context_length_exceeded", PROMPT_TOO_LONG)):
        body["error"]["code"] = code
        engine = answering(lambda _request: httpx.Response(400, json=body))
        with pytest.raises(EngineRefused) as refused:
            await engine.chat(CAPITAL, max_tokens=9000)
        assert refused.value.code == told


@pytest.mark.parametrize(
    ("health", "models", "healthy"),
    [(200, 500, True), (503, 200, False), (404, 200, True), (405, 200, True), (404, 401, False), (404, 404, False)],
)
async def test_a_server_without_a_health_path_is_asked_for_its_models(health, models, healthy):
    status = {"/health": health, "/v1/models": models}
    engine = answering(lambda request: httpx.Response(status[request.url.path], json={"data": []}))
    assert await engine.health() is healthy


@pytest.mark.parametrize(
    ("health", "models", "healthy"), [(200, 200, True), (200, 401, False), (200, 302, False), (503, 200, False)]
)
async def test_an_engine_started_elsewhere_is_well_where_it_takes_our_key(health, models, healthy):
    def handle(request):
        if request.url.path == "/health":
            return httpx.Response(health)
        return httpx.Response(models if request.headers["Authorization"] == "Bearer our-key" else 401)

    engine = VllmEngine.at("http://engine.example/v1", api_key="our-key")
    engine._client._transport = httpx.MockTransport(handle)
    assert await engine.health() is healthy


async def test_an_engine_that_lists_no_model_says_how_to_name_one():
    engine = answering(lambda _request: httpx.Response(200, json={"data": []}))
    engine._model = None
    with pytest.raises(EngineUnavailable, match="ERRATA_ENGINE__MODEL"):
        await engine.chat(CAPITAL)


async def test_a_server_that_serves_another_model_now_is_asked_its_name_again():
    served = "old"

    def handle(request):
        if request.url.path == "/v1/models":
            return httpx.Response(200, json={"data": [{"id": served}]})
        asked = json.loads(request.content)["model"]
        message = {"role": "assistant", "content": asked}
        return httpx.Response(200 if asked == served else 404, json={"choices": [{"message": message}]})

    engine = answering(handle)
    engine._model, engine._is_named = None, False
    assert (await engine.chat(CAPITAL))["choices"][0]["message"]["content"] == "old"
    served = "new"
    with pytest.raises(EngineUnavailable):
        await engine.chat(CAPITAL)
    assert (await engine.chat(CAPITAL))["choices"][0]["message"]["content"] == "new"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    "event",
    [
        b"data: %s\n\n",
        b"data:%s\n\n",
        b"data: %s\r\n\r\n",
        b": still there\r\n\r\nevent: message\r\ndata:%s\r\nid: 7\r\n\r\n",
    ],
)
async def test_events_are_read_however_they_are_written_and_cut(event, size):
    chunk = {"choices": [{"index": 0, "delta": {"content": "a\u2028b"}, "finish_reason": None}]}
    stream = event % json.dumps(chunk, ensure_ascii=False).encode() * 2 + event % b"[DONE]"

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(stream), size):
            yield stream[start : start + size]

    engine = answering(lambda _request: httpx.Response(200, content=parts()))
    assert [got async for got in engine.chat_stream(CAPITAL, max_tokens=5)] == [chunk, chunk]
