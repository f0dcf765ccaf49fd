"""A stand-in for vLLM in tests: answers from a table, keeps the engine's promises, notes what was asked of it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any

from server.engines.protocol import PROMPT_TOO_LONG, UNSETTLED, Chunk, Messages, SwapFailed, SwapTimes
from server.errors import EngineRefused, EngineUnavailable

Reply = Callable[[str, str], str]  # (last user message, weights version) -> answer


class ScriptedEngine:
    """An `Engine` without a model.

    replies     a table from question to answer, or a function of (question, weights version)
    token_s     pause before each word, so that a test can act in mid-answer
    """

    def __init__(self, replies: Mapping[str, str] | Reply | None = None, *, token_s: float = 0.0) -> None:
        self._reply: Reply = replies if callable(replies) else _from_table(replies or {})
        self.token_s = token_s
        self._version = "scripted"
        self._going = asyncio.Event()
        self._going.set()
        self.asked: list[Messages] = []
        self.swaps: list[tuple[Path, str]] = []
        self.running = 0  # answers being generated now
        self.aborted = 0  # answers left by their client
        self.is_up = True  # False: as if the server were gone
        self.context: int | None = None  # a number of words: longer prompts are refused
        self.swap_fault: str | None = None  # a reason: the next swap fails half-way with it

    async def chat(self, messages: Messages, **parameters: Any) -> dict[str, Any]:
        usage: dict[str, int] = {}
        text, finish = "", "stop"
        async for chunk in self.chat_stream(messages, **parameters):
            usage = chunk.get("usage") or usage
            for choice in chunk["choices"]:
                text += choice["delta"].get("content") or ""
                finish = choice["finish_reason"] or finish
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "message": message, "finish_reason": finish}]
        return {"id": "chatcmpl-scripted", "object": "chat.completion", "choices": choices, "usage": usage}

    async def chat_stream(self, messages: Messages, **parameters: Any) -> AsyncGenerator[Chunk, None]:
        self._check_up()
        if not messages:
            raise EngineRefused("messages must not be empty")
        prompt = sum(len(str(m["content"]).split()) for m in messages)
        if self.context is not None and prompt > self.context:
            raise EngineRefused(f"the prompt has {prompt} words, {self.context} are the most", code=PROMPT_TOO_LONG)
        self.asked.append(messages)
        question = next((str(m["content"]) for m in reversed(messages) if m["role"] == "user"), "")
        limit = parameters.get("max_completion_tokens") or parameters.get("max_tokens")
        self.running += 1
        done = False
        try:
            said = 0
            await self._going.wait()
            yield _chunk({"role": "assistant", "content": ""})
            # Asked again for each word: a swap in mid-answer changes what is still to come, as it does in vLLM.
            while said < len(words := re.findall(r"\S+\s*", self._reply(question, self._version))) and said != limit:
                await asyncio.sleep(self.token_s)
                await self._going.wait()
                self._check_up()
                yield _chunk({"content": words[said]})
                said += 1
            yield _chunk({}, finish_reason="length" if said < len(words) else "stop")
            done = True
            yield _chunk(
                None, usage={"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}
            )
        finally:
            self.running -= 1
            self.aborted += not done

    async def health(self) -> bool:
        return self.is_up

    async def weight_version(self) -> str:
        self._check_up()
        return self._version

    async def swap(self, version_dir: Path, version_id: str) -> SwapTimes:
        self._check_up()
        if not any(version_dir.glob("*.safetensors")):
            raise EngineRefused(f"Version {version_id!r} has no tensors in {version_dir}: nothing was changed.")
        started = time.perf_counter()
        self._going.clear()
        self._version = UNSETTLED
        fault, self.swap_fault = self.swap_fault, None
        if fault is not None:
            raise SwapFailed(f"Version {version_id!r} could not be put into the running model: {fault}")
        await asyncio.sleep(0)
        self.swaps.append((version_dir, version_id))
        self._version = version_id
        self._going.set()
        return SwapTimes(wait_s=0.0, pause_s=time.perf_counter() - started, reload_s=0.0)

    def pause(self) -> None:
        """As if a publisher had died between pause and resume."""
        self._going.clear()

    async def ensure_resumed(self) -> bool:
        self._check_up()
        was_paused = not self._going.is_set()
        self._going.set()
        return was_paused

    async def close(self) -> None:
        return None

    def restart(self) -> None:
        """As if the server had died and come back: running, with the base weights."""
        self._version, self.is_up = "scripted", True
        self._going.set()

    def _check_up(self) -> None:
        if not self.is_up:
            raise EngineUnavailable("The model server cannot be reached: it was switched off by the script")


def _from_table(table: Mapping[str, str]) -> Reply:
    return lambda question, _version: table.get(question, "I do not know.")


def _chunk(
    delta: dict[str, Any] | None, *, finish_reason: str | None = None, usage: dict[str, int] | None = None
) -> Chunk:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    chunk: Chunk = {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "choices": choices}
    return chunk if usage is None else chunk | {"usage": usage}
