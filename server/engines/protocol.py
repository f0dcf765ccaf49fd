"""What Errata asks of a language model server: chat, and exchange of weights under running requests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from server.errors import EngineUnavailable

Messages = Sequence[Mapping[str, Any]]
Chunk = dict[str, Any]

PROMPT_TOO_LONG = "context_length_exceeded"  # OpenAI's: the `code` of an EngineRefused whose prompt outgrew the context
UNSETTLED = "unsettled"  # the engine's weights version from the first changed byte until all of it is in place
PROBE_TOKENS = 96  # of a reply that is asked whether a fact holds: the probe at publication and the review cut it alike


class SwapFailed(EngineUnavailable):
    """The weights may be half exchanged. The engine stays paused: swap again, or restart it."""


@dataclass(frozen=True, slots=True)
class SwapTimes:
    """How long the parts of one exchange of weights took, in seconds."""

    wait_s: float  # from asking for the pause until the step of generation that was running had ended
    pause_s: float  # generation stood still
    reload_s: float  # of these, reading the tensors and putting them in place


class Engine(Protocol):
    """A language model server. Safe for concurrent use by many tasks of one event loop.

    Every method raises EngineUnavailable when the server cannot be reached or breaks off, and EngineRefused, with the
    server's own reason, when it rejects the request; its `code` is PROMPT_TOO_LONG where the prompt alone was to blame.
    """

    async def chat(self, messages: Messages, **parameters: Any) -> dict[str, Any]:
        """A whole answer in OpenAI's form. `parameters` are OpenAI's. Cancelling the call stops the generation."""

    def chat_stream(self, messages: Messages, **parameters: Any) -> AsyncGenerator[Chunk, None]:
        """Chunks in OpenAI's form; the last one carries `usage` and no choices. `aclose()` stops the generation."""

    async def health(self) -> bool:
        """Would a question be taken now? Never raises."""

    async def weight_version(self) -> str:
        """The version that the last `swap` left, UNSETTLED inside one, a name of the engine's own before the first."""

    async def swap(self, version_dir: Path, version_id: str) -> SwapTimes:
        """Put the tensors found in `version_dir` into the running model and name the result `version_id`.

        Tensors that the folder lacks stay as they are. Requests in flight keep the text they have and go on under the
        new weights; no cached state of the old ones is left. Raises SwapFailed; EngineRefused, with
        nothing changed, if the folder holds no tensors.
        """

    async def ensure_resumed(self) -> bool:
        """Let generation go on if someone paused it and did not come back; was that so?"""

    async def close(self) -> None:
        """Give back the connections. The server goes on."""


def reply_in(answer: Mapping[str, Any]) -> str:
    """What a whole answer says; empty where it says nothing."""
    return str(answer["choices"][0]["message"]["content"] or "")


async def reply_to(engine: Engine, question: str, *, max_tokens: int) -> str:
    """What the weights say to one plain question by themselves: greedily, no card, no passage."""
    messages = [{"role": "user", "content": question}]
    return reply_in(await engine.chat(messages, temperature=0.0, max_tokens=max_tokens))
