"""One question, one answer: routed, asked, streamed, stored with everything that it can be traced by."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from governance.accounts import Account
from governance.answers import Answer, Answers
from retrieval.store import KnowledgeStore
from server.engines.protocol import PROMPT_TOO_LONG, Chunk, Engine
from server.errors import EngineRefused
from server.follow_ups import FollowUps, Turn
from server.metrics import Metrics
from server.openai_api import ChatRequest, logprobs_of
from server.prompt import citations_missing, with_passages, without_false_citations, without_oldest_turns
from server.router import Decision, Route, Router
from server.serving import ServedVersion, Serving

log = logging.getLogger(__name__)
LOOKED_UP = 4_000  # characters of a question that are compared with cards and passages; what follows is text to work on


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer's text; `fingerprint` names the weights that the answer began with."""

    text: str
    logprobs: Any = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer: how it ended and how it came about."""

    finish_reason: str
    usage: dict[str, int]
    errata: dict[str, Any]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class _End:
    """How an answer ended, and how many turns of its conversation the engine's context had no room for."""

    finish_reason: str = "abort"
    usage: dict[str, int] = field(
        default_factory=lambda: {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    )
    turns_left_out: int = 0


class Chat:
    """Answers questions. The only user of the engine's chat endpoint besides triage and probes."""

    def __init__(
        self,
        *,
        engine: Engine,
        follow_ups: FollowUps,
        router: Router,
        answers: Answers,
        knowledge: KnowledgeStore,
        serving: Serving,
        metrics: Metrics,
        default_max_tokens: int,
    ) -> None:
        self._engine, self._follow_ups, self._router, self._answers = engine, follow_ups, router, answers
        self._knowledge, self._serving, self._metrics = knowledge, serving, metrics
        self._default_max_tokens = default_max_tokens

    async def answer(
        self, request: ChatRequest, account: Account, *, answer_id: str
    ) -> AsyncIterator[Piece | Finished]:
        """Pieces of the answer as they come, then Finished. Stored when it ends, also when the client left in mid-answer.

        Raises EngineUnavailable or EngineRefused before the first piece, if the engine cannot or will not answer.
        """
        started = time.monotonic()
        await self._serving.ready()  # a follow-up may be completed by the engine, too
        decision = await self._decide(request)
        await self._serving.ready()
        version, swaps = self._serving.version, self._serving.swaps
        text: list[str] = []
        end = _End()
        try:
            saying = self._from_card(decision) if decision.card else self._from_engine(request, decision)
            async with aclosing(saying) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Piece):
                        if not text:
                            self._metrics.first_token(decision.route, time.monotonic() - started)
                        text.append(piece.text)
                        yield replace(piece, fingerprint=version.id)
                    else:
                        end = piece
        finally:
            self._metrics.answered(decision.route, end.finish_reason, time.monotonic() - started)
            # Also where the client left or the engine broke off: what was said is on record. Begun once and shielded, so
            # that a client that leaves now ends the waiting alone.
            stored = asyncio.get_running_loop().run_in_executor(
                None,
                self._store,
                request,
                account,
                answer_id,
                decision,
                "".join(text),
                end.finish_reason,
                version,
                swaps,
            )
            stored.add_done_callback(_log_failure)
            answer = await asyncio.shield(stored)
        trace = self._trace(request.question, decision, answer, version)
        if end.turns_left_out:
            trace["turns_left_out"] = end.turns_left_out
        yield Finished(end.finish_reason, end.usage, trace, version.id)

    async def _decide(self, request: ChatRequest) -> Decision:
        """The route of the question, made to stand alone."""
        question = request.question
        if len(question) <= LOOKED_UP and request.errata_route != "model":  # else nothing is looked up
            turns = [Turn(m.role, m.content[:LOOKED_UP]) for m in request.messages]
            question = await self._follow_ups.standalone(turns)
        decision = await asyncio.to_thread(self._router.decide, question[:LOOKED_UP], forced=request.errata_route)
        return replace(decision, question=question)

    async def _from_card(self, decision: Decision) -> AsyncGenerator[Piece | _End, None]:
        assert decision.card is not None
        for word in re.findall(r"\S+\s*", decision.card.answer):
            yield Piece(word)
        yield _End("stop")

    async def _from_engine(self, request: ChatRequest, decision: Decision) -> AsyncGenerator[Piece | _End, None]:
        messages = [
            {"role": m.role if m.role != "developer" else "system", "content": m.content} for m in request.messages
        ]
        if decision.passages:
            messages = with_passages(messages, decision.question, decision.passages)
        parameters = request.engine_parameters(default_max_tokens=self._default_max_tokens)
        finish_reason, usage, left_out = "stop", _End().usage, 0
        held, said = "", ""  # text held back until it is sure not to be half a citation
        tokens: list[Any] = []  # of what is held back, or of half a character
        stream = self._chunks(messages, parameters)
        try:
            async for chunk, not_shown in stream:
                left_out = not_shown
                if chunk.get("usage"):
                    usage = {name: chunk["usage"].get(name) or 0 for name in usage}
                for choice in chunk.get("choices", ()):
                    finish_reason = choice.get("finish_reason") or finish_reason
                    new = (choice.get("delta") or {}).get("content") or ""
                    tokens += (choice.get("logprobs") or {}).get("content") or []
                    if decision.passages:
                        held, new = _hold_back(held + new)
                        new = without_false_citations(new, len(decision.passages))
                    if new:
                        said += new
                        yield Piece(new, logprobs_of(tokens))
                        tokens = []
        finally:
            await stream.aclose()  # tells the engine to stop generating
        if decision.passages:
            rest = without_false_citations(held, len(decision.passages))
            rest += citations_missing(said + rest, decision.passages)
            if rest:
                yield Piece(rest, logprobs_of(tokens))
        yield _End(finish_reason, usage, left_out)

    async def _chunks(
        self, messages: list[dict[str, str]], parameters: dict[str, Any]
    ) -> AsyncGenerator[tuple[Chunk, int], None]:
        """The engine's chunks, each with how many turns were left out before it took the conversation.

        A chat that outgrew the context is asked again without the older half of its turns, until the last question stands
        alone; then the refusal stands.
        """
        left_out = 0
        while True:
            try:
                async with aclosing(self._engine.chat_stream(messages, **parameters)) as stream:
                    async for chunk in stream:
                        yield chunk, left_out
                    return
            except EngineRefused as error:
                messages, count = without_oldest_turns(messages)
                if error.code != PROMPT_TOO_LONG or not count:
                    raise
                left_out += count

    def _store(
        self,
        request: ChatRequest,
        account: Account,
        answer_id: str,
        decision: Decision,
        text: str,
        finish_reason: str,
        version: ServedVersion,
        swaps: int,
    ) -> Answer:
        conversation_id = request.errata_conversation
        was_said = bool(text) or finish_reason != "abort"
        if not was_said:
            conversation_id = None  # no turn, and no chat that begins with it
        elif request.errata_store and conversation_id is None:
            conversation_id = self._answers.start_conversation(account.id, request.question).id
        return self._answers.record(
            answer_id=answer_id,
            account_id=account.id,
            conversation_id=conversation_id,
            replaces=request.errata_replaces,
            question=request.question,
            answer=text,
            keeps_texts=was_said,
            route=str(decision.route),
            reason=decision.reason,
            weights_version=version.id,
            weights_version_end=self._serving.version.id if self._serving.swaps != swaps else None,
            active_edits=version.active_edits,
            index_generation=self._knowledge.generation().number,
            passages=_passages(decision),
            finish_reason=finish_reason,
            correction_id=decision.card.correction_id if decision.card else None,
        )

    def _trace(self, question: str, decision: Decision, answer: Answer, version: ServedVersion) -> dict[str, Any]:
        trace: dict[str, Any] = {
            "route": str(decision.route),
            "reason": decision.reason,
            "weights_version": version.id,
            "active_edits": version.active_edits,
            "passages": list(_passages(decision)),
        }
        if decision.question != question:
            trace["read_as"] = decision.question
        if answer.weights_version_end:
            trace["weights_version_end"] = answer.weights_version_end
        if answer.conversation_id:
            trace["conversation_id"] = answer.conversation_id
        if decision.route is Route.CORRECTION and decision.card:
            trace["correction_id"] = decision.card.correction_id
        return trace


def _log_failure(stored: asyncio.Future[Answer]) -> None:
    """A client that left while its answer was stored hears of no error."""
    if not stored.cancelled() and (error := stored.exception()):
        log.error("an answer is not on record: %s", type(error).__name__)


def _passages(decision: Decision) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "n": n,
            "id": passage.id,
            "title": passage.title,
            "uri": passage.uri,
            "as_of": passage.as_of.isoformat() if passage.as_of else None,
            "expired": passage.expired,
            "score": round(passage.score, 4),
        }
        for n, passage in enumerate(decision.passages, 1)
    )


def _hold_back(text: str) -> tuple[str, str]:
    """(what to hold, what can go): an open `[` with at most four characters after it may still become a citation."""
    open_at = text.rfind("[")
    if open_at >= 0 and "]" not in text[open_at:] and len(text) - open_at <= 5:
        start = open_at - 1 if open_at and text[open_at - 1].isspace() else open_at
        return text[start:], text[:start]
    return "", text
