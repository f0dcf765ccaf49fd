"""OpenAI's chat protocol: what a request may hold, and how answers, chunks and errors are shaped."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from server.body import Body
from server.errors import BadRequest

MAX_TEXT = (
    1_000_000  # of all messages; the engine's window is the real limit, this only keeps absurd texts away from it
)

# Parameters handed on to the engine. A fixed list: engine extras such as `chat_template` would let a
# caller rewrite the prompt that every answer is traced by.
FORWARDED = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "ignore_eos",
    "min_tokens",
)


class Message(BaseModel):
    """One turn of the conversation."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str

    @field_validator("content", mode="before")
    @classmethod
    def _text(cls, content: Any) -> Any:
        """Text parts are joined; pictures and sound are refused, since the model reads text alone."""
        if content is None:
            return ""
        if not isinstance(content, list):
            return content
        parts = []
        for part in content:
            if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
                raise ValueError("only parts of type 'text' are understood: send the message's content as text")
            parts.append(part["text"])
        return "\n".join(parts)


class StreamOptions(BaseModel):
    include_usage: bool | None = False


class ChatRequest(Body):
    """The body of POST /v1/chat/completions. Fields that Errata does not know are ignored, as OpenAI clients expect."""

    model_config = ConfigDict(extra="ignore")

    messages: list[Message] = Field(min_length=1)
    model: str | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int = 1
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=-1)
    min_p: float | None = Field(None, ge=0, le=1)
    stop: str | list[str] | None = None
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    repetition_penalty: float | None = Field(None, gt=0, le=10)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    ignore_eos: bool | None = None
    min_tokens: int | None = Field(None, ge=0)
    errata_route: Literal["auto", "model", "retrieval"] = "auto"
    errata_conversation: str | None = None
    errata_store: bool = False
    errata_replaces: str | None = None

    @field_validator("messages")
    @classmethod
    def _of_bearable_length(cls, messages: list[Message]) -> list[Message]:
        length = sum(len(message.content) for message in messages)
        if length > MAX_TEXT:
            raise ValueError(f"they hold {length:,} characters: {MAX_TEXT:,} are allowed, so shorten them")
        return messages

    @field_validator("n")
    @classmethod
    def _one(cls, n: int) -> int:
        if n != 1:
            raise ValueError("only n = 1 is supported: an answer is stored and corrected one at a time")
        return n

    @property
    def question(self) -> str:
        """The last thing that the user said. Raises BadRequest if there is none."""
        for message in reversed(self.messages):
            if message.role == "user" and message.content.strip():
                return message.content.strip()
        raise BadRequest("messages holds no user message with text: add one", param="messages")

    def engine_parameters(self, *, default_max_tokens: int) -> dict[str, Any]:
        """What the engine is told beside the messages."""
        chosen = {name: getattr(self, name) for name in FORWARDED if getattr(self, name) is not None}
        chosen["max_tokens"] = self.max_completion_tokens or self.max_tokens or default_max_tokens
        return chosen


def answer_body(
    *,
    answer_id: str,
    model: str,
    text: str,
    finish_reason: str,
    usage: dict[str, int],
    fingerprint: str,
    errata: dict[str, Any],
    logprobs: Any = None,
) -> dict[str, Any]:
    """A whole answer, as `chat.completion`."""
    return {
        "id": answer_id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": fingerprint,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "annotations": citations_of(text, errata)},
                "logprobs": logprobs,
                "finish_reason": finish_reason,
            }
        ],
        "usage": usage,
        "errata": errata,
    }


def chunk_body(
    *,
    answer_id: str,
    model: str,
    fingerprint: str,
    delta: dict[str, Any] | None = None,
    finish_reason: str | None = None,
    usage: dict[str, int] | None = None,
    errata: dict[str, Any] | None = None,
    logprobs: Any = None,
) -> dict[str, Any]:
    """One `chat.completion.chunk`; without `delta` it is the usage chunk, which has no choices."""
    choices = []
    if delta is not None:
        choices = [{"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}]
    body: dict[str, Any] = {
        "id": answer_id,
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": fingerprint,
        "choices": choices,
    }
    if usage is not None:
        body["usage"] = usage
    if errata is not None:
        body["errata"] = errata
    return body


def logprobs_of(tokens: list[Any]) -> dict[str, Any] | None:
    """None where they were not asked for."""
    return {"content": tokens} if tokens else None


def citations_of(text: str, errata: dict[str, Any]) -> list[dict[str, Any]]:
    """OpenAI's url_citation annotations: where each `[n]` of the text points."""
    found = []
    for passage in errata.get("passages", ()):
        mark = f"[{passage['n']}]"
        start = text.find(mark)
        if start >= 0:
            found.append(
                {
                    "type": "url_citation",
                    "url_citation": {
                        "start_index": start,
                        "end_index": start + len(mark),
                        "title": passage["title"],
                        "url": passage["uri"] or f"/v1/passages/{passage['id']}",
                    },
                }
            )
    return found
