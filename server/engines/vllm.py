"""vLLM behind its HTTP interface: a Unix socket of our own child, or an address of one started elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import httpx
import orjson

from server.engines.protocol import PROMPT_TOO_LONG, UNSETTLED, Chunk, Messages, SwapFailed, SwapTimes
from server.errors import EngineRefused, EngineUnavailable

SERVED_NAME = "errata"  # what our own child calls its model
REFUSALS = (
    400,
    413,
    422,
)  # statuses about the request itself; of others (a key, a limit) another request fares no better
NO_SUCH_PATH = (404, 405)
# How servers say that a prompt is too long, where they do not send OpenAI's code. vLLM gives what the prompt leaves of its
# context to the answer, so that a prompt that fills it to the last token is an answer of 0 tokens.
TOO_LONG = re.compile(
    r"maximum context length|longer than the (?:maximum model|model's context) length|plus the number of requested output"
    r"|exceeds? the available context size|max_tokens must be at least 1, got 0",
    re.IGNORECASE,
)
EVENT_END = re.compile(rb"\r?\n\r?\n")


class Endpoint(Enum):
    """All that Errata ever calls at an engine; paths never come from a request."""

    CHAT = ("POST", "/v1/chat/completions")
    MODELS = ("GET", "/v1/models")
    HEALTH = ("GET", "/health")
    PAUSE = ("POST", "/pause")
    RESUME = ("POST", "/resume")
    IS_PAUSED = ("GET", "/is_paused")
    COLLECTIVE_RPC = ("POST", "/collective_rpc")
    RESET_PREFIX_CACHE = ("POST", "/reset_prefix_cache")
    UPDATE_WEIGHT_VERSION = ("POST", "/update_weight_version")
    WEIGHT_INFO = ("GET", "/weight_info")


class VllmEngine:
    """An `Engine` over vLLM's API server. The weight methods need `VLLM_SERVER_DEV_MODE=1` there."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        model: str | None = SERVED_NAME,
        cache_patience_s: float = 5.0,
        is_ours: bool = True,
    ) -> None:
        self._client, self._model, self._cache_patience_s = client, model, cache_patience_s
        self._is_named = model is not None  # else its server says how the model is called
        self._is_ours = is_ours

    @classmethod
    def on_socket(cls, path: Path) -> VllmEngine:
        """The engine that listens on the Unix socket `path`."""
        return cls(
            _client("http://engine", transport=httpx.AsyncHTTPTransport(uds=socket_name(path), limits=_NO_LIMITS))
        )

    @classmethod
    def at(cls, url: str, *, model: str | None = None, api_key: str | None = None) -> VllmEngine:
        """An engine started elsewhere, at `url` with or without a final `/v1`; no `model`: the first one it lists."""
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        return cls(_client(url.rstrip("/").removesuffix("/v1"), headers=headers), model=model, is_ours=False)

    async def chat(self, messages: Messages, **parameters: Any) -> dict[str, Any]:
        return await self._json(Endpoint.CHAT, json=await self._request(messages, parameters))

    async def chat_stream(self, messages: Messages, **parameters: Any) -> AsyncGenerator[Chunk, None]:
        body = await self._request(messages, {"stream_options": {"include_usage": True}, **parameters}) | {
            "stream": True
        }
        # Leaving this block early closes the connection, upon which vLLM aborts the request.
        async with self._answer(Endpoint.CHAT, json=body) as response:
            async for data in _events(response):
                if data == b"[DONE]":
                    return
                chunk: Chunk = orjson.loads(data)
                if "error" in chunk:
                    raise EngineUnavailable(f"The model broke off its answer: {_reason(chunk)}")
                yield chunk
        raise EngineUnavailable("The model broke off its answer without a reason.")

    async def health(self) -> bool:
        try:
            status = await self._status(Endpoint.HEALTH)
            # Of OpenAI's protocol, the list of models is what every server has, and what a wrong key does not get.
            if status in NO_SUCH_PATH or (not self._is_ours and status < 300):
                status = await self._status(Endpoint.MODELS)
        except httpx.TransportError:
            return False
        return status < 300

    async def weight_version(self) -> str:
        try:
            info = await self._json(Endpoint.WEIGHT_INFO)
        except EngineUnavailable:
            # A kept connection that the server has just closed looks like a dead server: ask once more on a new one.
            info = await self._json(Endpoint.WEIGHT_INFO)
        return str(info["weight_version"])

    async def swap(self, version_dir: Path, version_id: str) -> SwapTimes:
        if not any(version_dir.glob("*.safetensors")):
            raise EngineRefused(f"Version {version_id!r} has no tensors in {version_dir}: nothing was changed.")
        started = time.perf_counter()
        # keep: running requests are set back into the queue and later go on from the text they have.
        await self._json(Endpoint.PAUSE, params={"mode": "keep"})
        paused = time.perf_counter()
        try:
            # Named first, so that a crash before the end cannot leave changed weights under the old version's name.
            await self._name(UNSETTLED)
            reloading = time.perf_counter()
            reload = {"method": "reload_weights", "kwargs": {"weights_path": str(version_dir)}}
            await self._json(Endpoint.COLLECTIVE_RPC, json=reload)
            reloaded = time.perf_counter()
            await self._clear_cache()
            await self._name(version_id)
        except (EngineUnavailable, EngineRefused) as error:
            raise SwapFailed(f"Version {version_id!r} could not be put into the running model: {error}") from error
        await self._json(Endpoint.RESUME)
        resumed = time.perf_counter()
        return SwapTimes(wait_s=paused - started, pause_s=resumed - paused, reload_s=reloaded - reloading)

    async def ensure_resumed(self) -> bool:
        if not (await self._json(Endpoint.IS_PAUSED))["is_paused"]:
            return False
        await self._json(Endpoint.RESUME)
        return True

    async def close(self) -> None:
        await self._client.aclose()

    async def _status(self, endpoint: Endpoint) -> int:
        method, path = endpoint.value
        return (await self._client.request(method, path, timeout=5.0)).status_code

    async def _name(self, version_id: str) -> None:
        await self._json(Endpoint.UPDATE_WEIGHT_VERSION, json={"new_version": version_id})

    async def _clear_cache(self) -> None:
        # Cached blocks are keyed by tokens alone, so they would answer with the old weights. vLLM says false while a
        # block is still held by a request that is being set back.
        deadline = time.monotonic() + self._cache_patience_s
        while not (await self._json(Endpoint.RESET_PREFIX_CACHE))["success"]:
            if time.monotonic() > deadline:
                raise EngineUnavailable(f"the prefix cache could not be cleared within {self._cache_patience_s:g} s")
            await asyncio.sleep(0.01)

    async def _request(self, messages: Messages, parameters: dict[str, Any]) -> dict[str, Any]:
        if self._model is None:
            listed = (await self._json(Endpoint.MODELS))["data"]
            if not listed:
                raise EngineUnavailable("The engine lists no model. Name one with ERRATA_ENGINE__MODEL.")
            self._model = str(listed[0]["id"])
        return {"model": self._model, "messages": list(messages), **parameters}

    async def _json(self, endpoint: Endpoint, **request: Any) -> dict[str, Any]:
        async with self._answer(endpoint, **request) as response:
            content = await response.aread()
        return json.loads(content) if content else {}

    @asynccontextmanager
    async def _answer(self, endpoint: Endpoint, **request: Any) -> AsyncIterator[httpx.Response]:
        """The response to a call, with every failure told as one of ours; the body is still to be read."""
        method, path = endpoint.value
        try:
            async with self._client.stream(method, path, **request) as response:
                if response.is_error:
                    body = _parsed(await response.aread())
                    reason = _reason(body) or f"status {response.status_code}"
                    if response.status_code == 404 and not self._is_named:
                        self._model = None  # that server may serve another one by now: ask it again
                    if response.status_code in REFUSALS:
                        raise EngineRefused(reason, code=PROMPT_TOO_LONG if _is_too_long(body, reason) else None)
                    raise EngineUnavailable(f"The model server failed: {reason}")
                yield response
        except httpx.TransportError as error:
            raise EngineUnavailable(f"The model server cannot be reached: {error or type(error).__name__}") from error


async def _events(response: httpx.Response) -> AsyncIterator[bytes]:
    """The data of server-sent events. Bytes, because httpx's own way through text and lines costs as much again."""
    rest = b""
    async for part in response.aiter_raw():
        *whole, rest = EVENT_END.split(rest + part)
        for event in whole:
            if data := b"\n".join(line[5:].removeprefix(b" ") for line in event.splitlines() if line[:5] == b"data:"):
                yield data


_NO_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=64)
# A first token may wait behind a long queue and a swap; a server that is gone closes its socket at once.
_TIMEOUT = httpx.Timeout(connect=5, read=600, write=30, pool=30)


def socket_name(path: Path) -> str:
    """A name for the Unix socket at `path` that fits the 107 bytes which such names may have.

    A longer one goes by way of its folder's file descriptor, which then stays open as long as this process lives.
    """
    if len(os.fsencode(path)) <= 107:
        return str(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"/proc/self/fd/{os.open(path.parent, os.O_PATH | os.O_DIRECTORY)}/{path.name}"


def _client(
    url: str, *, transport: httpx.AsyncBaseTransport | None = None, headers: dict[str, str] | None = None
) -> httpx.AsyncClient:
    # trust_env off: a proxy variable of the machine must not carry conversations elsewhere.
    return httpx.AsyncClient(
        base_url=url,
        transport=transport,
        headers={"Accept-Encoding": "identity", **(headers or {})},
        timeout=_TIMEOUT,
        limits=_NO_LIMITS,
        trust_env=False,
    )


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")[:500]


def _reason(body: Any) -> str:
    """The message inside an error body of vLLM's or OpenAI's shape."""
    if isinstance(body, dict):
        inner = body.get("error", body.get("detail", body.get("message", "")))
        return _reason(inner) if isinstance(inner, dict) else str(inner)
    return str(body)


def _is_too_long(body: Any, reason: str) -> bool:
    """Was a request refused because its prompt is longer than the context?"""
    inner = body.get("error") if isinstance(body, dict) else None
    code = inner.get("code") if isinstance(inner, dict) else None
    return code == PROMPT_TOO_LONG or TOO_LONG.search(reason) is not None
