"""What Errata relies on, asked of the scripted engine and, marked `engine`, of a real vLLM alike."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from server.engines.protocol import UNSETTLED, Engine, SwapFailed, SwapTimes
from server.engines.scripted import ScriptedEngine
from server.engines.vllm import VllmEngine, socket_name
from server.errors import EngineRefused, EngineUnavailable

CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]
STORY = [{"role": "user", "content": "Tell me a long story about a lighthouse."}]
ENDLESS = {"temperature": 0, "ignore_eos": True, "max_tokens": 3000}  # no engine is done within the wait for its end


@dataclass(frozen=True, slots=True)
class Case:
    """An engine, folders with weights for it, and ways to look behind its interface."""

    engine: Engine
    base: Path
    edited: Path
    damaged: Path
    running: Callable[[], Awaitable[int]]  # answers being generated
    pause: Callable[[], Awaitable[None]]  # as a publisher that dies right after it


@pytest.fixture(params=["scripted", pytest.param("vllm", marks=pytest.mark.engine)])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    if request.param == "scripted":
        yield _scripted(tmp_path)
        return
    process = request.getfixturevalue("engine_process")
    folders = request.getfixturevalue("version_folders")
    engine = VllmEngine.on_socket(process.socket)
    behind = httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=socket_name(process.socket)), base_url="http://engine"
    )

    async def running() -> int:
        return sum(int(float(n)) for n in re.findall(r"^vllm:num_requests_\w+{.*} (.*)$", await _metrics(), re.M))

    async def _metrics() -> str:
        return (await behind.get("/metrics")).text

    async def pause() -> None:
        await behind.post("/pause", params={"mode": "keep"})

    yield Case(engine, folders["base"], folders["edited"], folders["damaged"], running, pause)
    await engine.swap(folders["base"], "base")  # leave it as it was found
    await engine.close()
    await behind.aclose()


def _scripted(tmp_path: Path) -> Case:
    for version in ("base", "edited", "damaged"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "model.safetensors").touch()

    def reply(question: str, version: str) -> str:
        return f"{version} " + (f"{version}-word " * 3000 if "story" in question else f"answers {question}")

    engine = ScriptedEngine(reply, token_s=0.005)

    async def running() -> int:
        return engine.running

    async def pause() -> None:
        engine.pause()

    return Case(engine, tmp_path / "base", tmp_path / "edited", tmp_path / "damaged", running, pause)


async def ask(engine: Engine, messages: list[dict[str, str]] = CAPITAL, *, max_tokens: int = 24) -> str:
    answer = await engine.chat(messages, temperature=0, max_tokens=max_tokens)
    return str(answer["choices"][0]["message"]["content"])


async def until(condition: Callable[[], Awaitable[bool]], timeout_s: float = 20) -> None:
    async with asyncio.timeout(timeout_s):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_a_whole_answer_has_openais_form(case):
    answer = await case.engine.chat(CAPITAL, temperature=0, max_tokens=24)
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["role"] == "assistant"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["completion_tokens"] > 0


async def test_a_stream_says_what_the_whole_answer_says_and_ends_with_its_usage(case):
    chunks = [chunk async for chunk in case.engine.chat_stream(CAPITAL, temperature=0, max_tokens=24)]
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert text == await ask(case.engine)
    assert [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]][-1] == "stop"
    assert chunks[-1]["usage"]["completion_tokens"] > 0
    assert chunks[-1]["choices"] == []


async def test_max_tokens_is_kept(case):
    answer = await case.engine.chat(STORY, temperature=0, max_tokens=5)
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 5


@pytest.mark.engine
async def test_a_request_that_names_no_sampling_gets_that_of_the_prepared_model(engine_process):
    engine = VllmEngine.on_socket(engine_process.socket)
    named = {"temperature": 0.2, "top_p": 0.9}
    for seed in range(3):
        plain, same, hot = [
            (await engine.chat(STORY, seed=seed, max_tokens=24, **sampling))["choices"][0]["message"]["content"]
            for sampling in ({}, named, {"temperature": 1.0, "top_p": 1.0})
        ]
        assert plain == same != hot
    await engine.close()


async def test_a_seed_holds_for_a_prompt_that_takes_several_steps(case):
    long = [{"role": "user", "content": "Go on with this list: " + ", ".join(f"item {n}" for n in range(200))}]
    wanted = {"temperature": 1.0, "seed": 7, "max_tokens": 12}
    said = [(await case.engine.chat(long, **wanted))["choices"][0]["message"]["content"] for _ in range(2)]
    assert said[0] == said[1]
    assert await case.engine.health()


async def test_a_closed_stream_stops_the_generation(case):
    stream = case.engine.chat_stream(STORY, **ENDLESS)
    await anext(stream)
    assert await case.running() == 1
    await stream.aclose()
    await until(lambda: _is(case.running, 0), timeout_s=10)


async def test_a_cancelled_answer_stops_the_generation(case):
    asking = asyncio.create_task(case.engine.chat(STORY, **ENDLESS))
    await until(lambda: _is(case.running, 1))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: _is(case.running, 0), timeout_s=10)


async def test_a_refused_request_says_why(case):
    with pytest.raises(EngineRefused, match=r"\w{4}"):
        await case.engine.chat([], max_tokens=5)
    with pytest.raises(EngineRefused, match=r"\w{4}"):
        await anext(case.engine.chat_stream([], max_tokens=5))


async def test_it_is_healthy(case):
    assert await case.engine.health()


async def test_a_swap_changes_answers_and_base_tensors_bring_them_back(case):
    await case.engine.swap(case.base, "base")
    before = await ask(case.engine)
    times = await case.engine.swap(case.edited, "v1")
    assert await case.engine.weight_version() == "v1"
    assert await ask(case.engine) != before
    assert 0 <= times.reload_s <= times.pause_s < 10
    await case.engine.swap(case.base, "base")
    assert await case.engine.weight_version() == "base"
    assert await ask(case.engine) == before


async def test_an_answer_survives_a_swap_and_goes_on_under_the_new_weights(case):
    await case.engine.swap(case.base, "base")
    whole = await ask(case.engine, STORY, max_tokens=200)
    text, chunks = "", 0
    stream = case.engine.chat_stream(STORY, temperature=0, max_tokens=200)
    async for chunk in stream:
        for choice in chunk["choices"]:
            text += choice["delta"].get("content") or ""
        chunks += 1
        if chunks == 10:
            said = text
            await case.engine.swap(case.edited, "v1")
    assert text.startswith(said)
    assert whole.startswith(said)
    assert text != whole


async def test_ten_swaps_under_sixteen_streams_lose_no_request(case, record_property):
    await case.engine.swap(case.base, "base")
    gaps: list[float] = []
    going = True

    async def talk(number: int) -> int:
        answers = 0
        while going:
            last, finish = time.perf_counter(), None
            messages = [{"role": "user", "content": f"Tell me a story about number {number}."}]
            async for chunk in case.engine.chat_stream(messages, temperature=0, max_tokens=40):
                gaps.append(time.perf_counter() - last)
                last = time.perf_counter()
                for choice in chunk["choices"]:
                    finish = choice["finish_reason"] or finish
            assert finish in ("stop", "length")
            answers += 1
        return answers

    talkers = [asyncio.create_task(talk(number)) for number in range(16)]
    await until(lambda: _is(case.running, 16))
    times: list[SwapTimes] = []
    for number in range(10):
        folder, version = (case.edited, f"v{number}") if number % 2 == 0 else (case.base, "base")
        times.append(await case.engine.swap(folder, version))
        await asyncio.sleep(0.5 if case.engine.__class__ is VllmEngine else 0.01)
    going = False
    answers = sum(await asyncio.gather(*talkers))
    assert answers >= 16
    pauses = sorted(t.pause_s for t in times)
    figures = {
        "median_pause_s": round(pauses[5], 3),
        "longest_pause_s": round(pauses[-1], 3),
        "longest_wait_s": round(max(t.wait_s for t in times), 3),
        "longest_gap_s": round(max(gaps), 3),
    }
    record_property("swap", json.dumps(figures))
    print(figures, f"{answers} answers")
    assert pauses[-1] < 10  # a busy machine; the figures are printed


async def test_a_folder_without_tensors_changes_nothing(case, tmp_path):
    await case.engine.swap(case.base, "base")
    with pytest.raises(EngineRefused, match="nothing was changed"):
        await case.engine.swap(tmp_path / "nowhere", "v1")
    assert await case.engine.weight_version() == "base"
    assert await ask(case.engine)


async def test_a_swap_that_fails_half_way_holds_answers_back_until_the_next_one(case):
    await case.engine.swap(case.base, "base")
    before = await ask(case.engine)
    if isinstance(case.engine, ScriptedEngine):
        case.engine.swap_fault = "unreadable"
    with pytest.raises(SwapFailed, match="'v1'"):
        await case.engine.swap(case.damaged, "v1")
    assert await case.engine.weight_version() == UNSETTLED
    asking = asyncio.create_task(ask(case.engine))
    await asyncio.sleep(0.5)
    assert not asking.done()  # nothing is said from weights that nobody knows
    await case.engine.swap(case.base, "base")
    assert await asking == before


async def test_an_engine_found_paused_goes_on(case):
    await case.pause()
    asking = asyncio.create_task(ask(case.engine))
    await asyncio.sleep(0.3)
    assert not asking.done()
    assert await case.engine.ensure_resumed()
    assert await asking
    assert not await case.engine.ensure_resumed()


async def test_an_engine_that_is_gone_is_told_so(tmp_path):
    for engine in (VllmEngine.on_socket(tmp_path / "no.sock"), ScriptedEngine({})):
        if isinstance(engine, ScriptedEngine):
            engine.is_up = False
        assert not await engine.health()
        with pytest.raises(EngineUnavailable, match="cannot be reached"):
            await engine.chat(CAPITAL)
        with pytest.raises(EngineUnavailable, match="cannot be reached"):
            await anext(engine.chat_stream(CAPITAL))
        with pytest.raises(EngineUnavailable, match="cannot be reached"):
            await engine.weight_version()
        await engine.close()


async def _is(count: Callable[[], Awaitable[int]], wanted: int) -> bool:
    return await count() == wanted


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, EngineRefused),
        (413, EngineRefused),
        (401, EngineUnavailable),
        (429, EngineUnavailable),
        (500, EngineUnavailable),
    ],
)
async def test_only_a_fault_of_the_request_itself_is_a_refusal(status, error):
    answer = httpx.MockTransport(lambda _request: httpx.Response(status, json={"error": {"message": "so it is"}}))
    engine = VllmEngine(httpx.AsyncClient(transport=answer, base_url="http://engine"))
    with pytest.raises(error, match="so it is"):
        await engine.chat([{"role": "user", "content": "Who?"}], max_tokens=5)
