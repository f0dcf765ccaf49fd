"""The librarian: keeps one dated knowledge entry for every correction that lives in knowledge, and none for the others."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, date, datetime, timedelta

from editing.statements import write_statements
from governance.corrections import Correction, Remedy, Status
from retrieval.documents import Document
from retrieval.freshness import Horizon
from server.services import Services

log = logging.getLogger(__name__)

KIND = "correction"
# How long an entry counts as current: the predicted horizon of its question. Longer than a year is reviewed, not expired.
SHELF_LIFE = {
    Horizon.HOURS: timedelta(days=1),
    Horizon.DAYS: timedelta(days=3),
    Horizon.WEEKS: timedelta(weeks=3),
    Horizon.MONTHS: timedelta(days=120),
    Horizon.YEARS: timedelta(days=730),
}


class Librarian:
    """Approved knowledge -> in_knowledge, in the transaction that stores the entry; entries of undone corrections go."""

    def __init__(self, services: Services, *, pause_s: float = 0.5) -> None:
        self._services, self._pause_s = services, pause_s
        self._seen = -1

    async def run(self) -> None:
        """Forever; what was interrupted is seen again, since the entry and the move are one transaction."""
        while True:
            try:
                await asyncio.to_thread(self.reconcile)
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("the knowledge entries could not be brought up to date; trying again")
                await asyncio.sleep(5)
            await asyncio.sleep(self._pause_s)

    def reconcile(self) -> None:
        """One round; costs one query while the log stands still."""
        size = self._services.records.log.size()
        if size == self._seen:
            return
        ledger = self._services.records.ledger
        entries = {document.source: document for document in self._services.knowledge.documents(kind=KIND)}
        wanted: dict[str, Correction] = {}
        for status in (Status.APPROVED, Status.IN_KNOWLEDGE):
            for correction in ledger.in_status(status):
                if status is Status.IN_KNOWLEDGE or correction.remedy is Remedy.KNOWLEDGE:
                    wanted[correction.id] = correction
        for correction in wanted.values():
            if correction.id not in entries:
                self._enter(correction)
            elif correction.status is Status.APPROVED:
                ledger.to_knowledge(correction.id)
        for source in entries.keys() - wanted.keys():
            self._services.knowledge.remove(entries[source].id)
        self._seen = size

    def _enter(self, correction: Correction) -> None:
        prepared = self._services.knowledge.prepare(entry(correction, today=datetime.now(UTC).date()))
        with self._services.records.store.transaction():
            self._services.knowledge.add(prepared)
            if correction.status is Status.APPROVED:
                self._services.records.ledger.to_knowledge(correction.id)


def entry(correction: Correction, *, today: date) -> Document:
    """The dated entry of a correction: its question with the full answer sentence."""
    claim = correction.claim
    question = claim.canonical_question or claim.question
    written = write_statements(question, claim.subject, claim.correct_answer)
    horizon = correction.triage.get("freshness", {}).get("horizon")
    life = SHELF_LIFE.get(Horizon(horizon)) if horizon else None
    sources = [source for source in correction.evidence if source.startswith(("http://", "https://"))]
    return Document(
        claim.subject or question,
        f"{question}\n{written.sentence}",
        uri=sources[0] if sources else "",
        as_of=today,
        expires_at=today + life if life else None,
        kind=KIND,
        source=correction.id,
    )
