"""Tokens per second and time to first token, through the gateway and at the bare engine, in turn in one run."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from server.engines.vllm import SERVED_NAME
from server.engines.vllm_process import SOCKET
from server.errors import BadRequest
from server.settings import Settings

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Run:
    """One round at one concurrency."""

    tokens_per_s: float
    first_token_s: tuple[float, ...]


async def run_serving_bench(
    settings: Settings, streams: Sequence[int], *, tokens: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Figures per concurrency: medians over rounds, gateway and engine in turn, and their ratios."""
    if not settings.api_key:
        raise BadRequest("Set ERRATA_API_KEY to the key of a user of the running server.")
    key, url = settings.api_key.get_secret_value(), settings.url or settings.base_url
    socket = settings.engine_dir / SOCKET
    headers = {"Authorization": f"Bearer {key}"}
    gateway = httpx.AsyncClient(base_url=url, headers=headers, timeout=600, trust_env=not settings.is_near)
    transport = httpx.AsyncHTTPTransport(uds=os.path.relpath(socket), limits=httpx.Limits(max_connections=None))
    engine = httpx.AsyncClient(base_url="http://engine", transport=transport, timeout=600)
    report = []
    async with gateway, engine:
        await _answer(engine, SERVED_NAME, 0, tokens)  # warm
        await _answer(gateway, None, 0, tokens)
        for n in streams:
            runs: dict[str, list[Run]] = {"gateway": [], "engine": []}
            for round_ in range(ROUNDS):
                for name, client, model in (("gateway", gateway, None), ("engine", engine, SERVED_NAME)):
                    runs[name].append(await _run(client, model, n, tokens, seed=round_))
                    say(
                        f"{n} streams, round {round_ + 1} of {ROUNDS}, {name}: {runs[name][-1].tokens_per_s:.1f} tokens/s"
                    )
            report.append({"concurrency": n, **_figures(runs)})
    return {"tokens": tokens, "rounds": ROUNDS, "runs": report}


async def _run(client: httpx.AsyncClient, model: str | None, n: int, tokens: int, *, seed: int) -> Run:
    started = time.monotonic()
    answers = await asyncio.gather(*(_answer(client, model, seed * 1000 + i, tokens) for i in range(n)))
    seconds = time.monotonic() - started
    return Run(sum(count for count, _ in answers) / seconds, tuple(first for _, first in answers))


async def _answer(client: httpx.AsyncClient, model: str | None, number: int, tokens: int) -> tuple[int, float]:
    """(tokens, seconds to the first one) of one stream. Both sides are asked the very same thing."""
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": f"Write down what you see from window number {number}."}],
        "max_tokens": tokens,
        "temperature": 0,
        "ignore_eos": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    body |= {"model": model} if model else {"errata_route": "auto"}
    started, first, count = time.monotonic(), 0.0, 0
    async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        if not answer.is_success:
            await answer.aread()
            raise BadRequest(f"The server answered {answer.status_code}: {answer.text[:300]}")
        async for line in answer.aiter_lines():
            if not line.startswith("data: {"):
                continue
            chunk = json.loads(line.removeprefix("data: "))
            if not first and any((choice.get("delta") or {}).get("content") for choice in chunk.get("choices", ())):
                first = time.monotonic() - started
            count = (chunk.get("usage") or {}).get("completion_tokens") or count
    return count, first


def _figures(runs: dict[str, list[Run]]) -> dict[str, Any]:
    sides = {name: _side(found) for name, found in runs.items()}
    ratios = {
        key: round(sides["gateway"][key] / sides["engine"][key], 3) for key in sides["engine"] if sides["engine"][key]
    }
    return {**sides, "ratio": ratios}


def _side(runs: list[Run]) -> dict[str, float]:
    firsts = sorted(first for run in runs for first in run.first_token_s)
    return {
        "tokens_per_s": round(statistics.median(run.tokens_per_s for run in runs), 2),
        "first_token_p50_s": round(firsts[len(firsts) // 2], 4),
        "first_token_p95_s": round(firsts[min(len(firsts) - 1, int(0.95 * len(firsts)))], 4),
    }
