"""The librarian: keeps one dated knowledge entry for every correction that lives in knowledge, and none for the others."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from editing.statements import write_statements
from governance.corrections import Correction, Remedy, Status
from governance.lifecycle import IN_FORCE
from retrieval.documents import Document, StoredDocument
from retrieval.errors import DocumentNotFound
from server.cards import approved_at, holds_until
from server.evidence import is_address
from server.services import Services

log = logging.getLogger(__name__)

KIND = "correction"


class Librarian:
    """Approved knowledge -> in_knowledge, in the transaction that stores the entry; entries of undone corrections go."""

    def __init__(self, services: Services, *, pause_s: float = 0.5) -> None:
        self._services, self._pause_s = services, pause_s
        self._seen = -1

    async def run(self) -> None:
        """Forever; what was interrupted is seen again, since the entry and the move are one transaction."""
        is_embedded = False
        while True:
            try:
                if not is_embedded:  # after a change of embedder; else there is nothing to do
                    await asyncio.to_thread(self._services.knowledge.embed_missing)
                    is_embedded = True
                await asyncio.to_thread(self.reconcile)
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
        self._replace()
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
            else:
                forget_erased_source(self._services, entries[correction.id], correction)
        for source in entries.keys() - wanted.keys():
            self._services.knowledge.remove(entries[source].id)
        self._seen = size

    def _replace(self) -> None:
        """What is in no weights gives way to a newer answer in force; the publisher does it for the others."""
        ledger = self._services.records.ledger
        for old, new in ledger.contested().items():
            if (
                ledger.get(new).status in IN_FORCE
                and ledger.get(old).status is not Status.EDITING
                and not ledger.in_weights(old)
            ):
                ledger.supersede(
                    old, new, actor="librarian", reason="a newer correction of the same question is in force"
                )

    def _enter(self, correction: Correction) -> None:
        prepared = self._services.knowledge.prepare(entry(correction, at=approved_at(correction) or datetime.now(UTC)))
        with self._services.records.store.transaction():
            now = self._services.records.ledger.get(correction.id)
            if now.status is not correction.status or now.erased:
                return  # moved, or erased, while its entry was being written
            self._services.knowledge.add(prepared)
            if correction.status is Status.APPROVED:
                self._services.records.ledger.to_knowledge(correction.id)


def forget_erased_source(services: Services, stored: StoredDocument, correction: Correction) -> None:
    """Write an entry anew whose address its correction names no more, since its reporter was erased. Its dates stay."""
    if correction.erased or stored.uri in ("", _source(correction)):
        return
    written = replace(entry(correction, at=stored.added), as_of=stored.as_of, expires_at=stored.expires_at)
    prepared = services.knowledge.prepare(written)
    with services.records.store.transaction(), suppress(DocumentNotFound):  # removed while it was being written
        services.knowledge.remove(stored.id)
        services.knowledge.add(prepared)


def _source(correction: Correction) -> str:
    return next(filter(is_address, correction.evidence), "")


def entry(correction: Correction, *, at: datetime) -> Document:
    """The entry of a correction, dated `at`: question and full answer, for as long as such answers hold."""
    claim = correction.claim
    question = claim.asked
    written = write_statements(question, claim.subject, claim.correct_answer)
    return Document(
        claim.subject or question,
        f"{question}\n{written.sentence}",
        uri=_source(correction),
        as_of=at.date(),
        expires_at=holds_until(correction, at),
        kind=KIND,
        source=correction.id,
    )
