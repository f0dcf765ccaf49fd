"""The review: facts in force whose review date has passed are probed again on what is served, and shown to people again."""

from __future__ import annotations

import asyncio
import logging

from editing.wording import contains
from governance.corrections import Correction
from governance.times import to_text
from server.engines.protocol import PROBE_TOKENS, reply_to
from server.errors import ServerError
from server.services import Services

log = logging.getLogger(__name__)


class Review:
    """A slow loop. It changes no fact: whether one that no longer holds is undone, a person decides."""

    def __init__(self, services: Services, *, pause_s: float = 60.0) -> None:
        self._services, self._pause_s = services, pause_s

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except ServerError as error:
                log.warning("the review waits: %s", type(error).__name__)
            except Exception:
                log.exception("facts could not be reviewed; trying again")
            await asyncio.sleep(self._pause_s)

    async def look(self) -> int:
        """Probe what is due and has not been probed for this date yet; returns how many."""
        ledger = self._services.records.ledger
        due = [
            correction
            for correction in await asyncio.to_thread(ledger.due_for_review)
            if correction.review_due and correction.review.get("for") != to_text(correction.review_due)
        ]
        for correction in due:
            reply, holds = await self._probe(correction)
            await asyncio.to_thread(ledger.probed_again, correction.id, holds=holds, reply=reply)
        return len(due)

    async def _probe(self, correction: Correction) -> tuple[str, bool]:
        """What a person would be told now: by its card, from passages, or by the weights, whichever is asked."""
        claim = correction.claim
        question = claim.asked
        decision = await asyncio.to_thread(self._services.router.decide, question)
        if decision.card:
            reply = decision.card.answer
        elif decision.passages:
            reply = "\n".join(passage.text for passage in decision.passages)
        else:
            await self._services.serving.ready()
            reply = await reply_to(self._services.engine, question, max_tokens=PROBE_TOKENS)
        return reply, contains(reply, claim.correct_answer)
