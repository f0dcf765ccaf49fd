"""Triage: from a report to a proposal. Asks the model again, looks for conflicts, names a remedy and says why."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from editing.refusals import refusal
from editing.statements import plain_question, write_statements
from editing.subjects import propose_subjects
from editing.wording import contains, names
from governance.corrections import Category, Correction, Remedy, Status
from governance.errors import MoveNotAllowed
from retrieval.documents import iso
from retrieval.freshness import Freshness
from server.assessment import assess
from server.cards import Card
from server.engines.protocol import Engine, reply_in
from server.errors import EngineRefused, EngineUnavailable
from server.evidence import Finding, check_evidence, read_address, said_of
from server.router import contradicts
from server.services import Services

log = logging.getLogger(__name__)

SAMPLES = 3  # drawn at temperature 0.7, beside one greedy reply per wording
WORDINGS = 3
PERSISTENT = 0.5  # share of replies that must lack the right answer
REPLY_TOKENS = 64
RETRY_S = 2.0
LONGEST_S = 600.0
AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Persistence:
    """How often the model is wrong when it is asked again: a slip, or something that it has learnt."""

    asked: int
    wrong: int  # replies that do not contain the right answer
    repeated: int  # of these, replies that make the reported claim again

    @property
    def share(self) -> float:
        return self.wrong / self.asked if self.asked else 0.0


@dataclass(frozen=True, slots=True)
class PullBack:
    """With the right answer in the prompt: does the model still say something else?"""

    asked: int
    wrong: int


@dataclass(frozen=True, slots=True)
class Postponed:
    """A report that failed: on the monotonic clock, when it is tried again, and how long it waited."""

    until: float
    pause: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """What triage found: a remedy with its reasons."""

    remedy: Remedy
    reason: str


class Triage:
    """Takes every flagged correction to `queued`. One loop, resumable from the statuses alone: what was interrupted is
    still flagged."""

    def __init__(self, services: Services, *, pause_s: float = 0.5) -> None:
        self._services, self._pause_s = services, pause_s
        self._postponed: dict[str, Postponed] = {}
        self._unreadable: dict[str, float] = {}  # id -> when its new evidence is tried again

    async def run(self) -> None:
        """Forever. An engine that cannot answer delays a report, it never loses one; no report holds up another."""
        while True:
            try:
                await self.turn()
            except EngineUnavailable as error:
                log.warning("triage waits: %s", error)
                await asyncio.sleep(RETRY_S)
            except Exception:
                log.exception("triage failed; trying again")
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(self._pause_s)

    async def turn(self) -> None:
        """Read new evidence in the queue; then consider what is flagged, each report as it stands when its turn comes. One
        that fails waits twice as long each time. Raises EngineUnavailable."""
        ledger, now = self._services.records.ledger, time.monotonic()
        await self._read_new_evidence()
        waiting = await asyncio.to_thread(ledger.in_status, Status.FLAGGED, limit=AT_ONCE + len(self._postponed))
        self._postponed = {c.id: self._postponed[c.id] for c in waiting if c.id in self._postponed}
        for id_ in [c.id for c in waiting if c.id not in self._postponed or self._postponed[c.id].until <= now]:
            try:
                correction = await asyncio.to_thread(ledger.get, id_)
                if correction.status is Status.FLAGGED:
                    await self.consider(correction)
                self._postponed.pop(id_, None)
            except EngineUnavailable:
                raise
            except Exception:
                pause = min(2 * self._postponed[id_].pause, LONGEST_S) if id_ in self._postponed else RETRY_S
                self._postponed[id_] = Postponed(time.monotonic() + pause, pause)
                log.exception("triage of correction %s failed; it is tried again in %.0f s", id_, pause)

    async def _read_new_evidence(self) -> None:
        """Once in ten minutes where it cannot be read, so that one report holds up no other."""
        ledger = self._services.records.ledger
        for id_ in await asyncio.to_thread(ledger.with_unread_evidence):
            if time.monotonic() < self._unreadable.get(id_, 0.0):
                continue
            try:
                await self._read_evidence(await asyncio.to_thread(ledger.get, id_))
            except EngineUnavailable:
                raise
            except Exception:
                self._unreadable[id_] = time.monotonic() + LONGEST_S
                log.exception("the new evidence of correction %s could not be read", id_)

    async def _read_evidence(self, correction: Correction) -> None:
        """Say of a report in the queue what its evidence is worth, now that there is more of it; the remedy stays."""
        shown = await self._evidence(correction)
        before = said_of([Finding(**finding) for finding in correction.triage.get("evidence", ())])
        rest = correction.reason.replace(f"; {before}", "") if before else correction.reason
        await asyncio.to_thread(
            self._services.records.ledger.evidence_read,
            correction.id,
            [asdict(finding) for finding in shown],
            reason="; ".join(filter(None, (rest, said_of(shown)))),
            count=len(correction.evidence),
        )

    async def _evidence(self, correction: Correction) -> list[Finding]:
        read = read_address if self._services.settings.fetch_evidence else None
        return await check_evidence(correction.evidence, correction.claim.correct_answer, read=read)

    async def consider(self, correction: Correction) -> None:
        """Gather the evidence on one report and write the proposal. What the engine refuses counts as not asked."""
        services, claim = self._services, correction.claim
        # At intake the canonical question is the one that was asked; one that a reviewer wrote is left alone.
        is_revised = claim.canonical_question not in ("", claim.question)
        question = claim.canonical_question if is_revised else plain_question(claim.question)
        # Cards and edits look for the subject in the question: one that does not stand there is a slip of the reporter.
        named = claim.subject if names(question, claim.subject) else ""
        subject = named or next(iter(propose_subjects(question, claim.correct_answer)), "")
        assessed = await asyncio.to_thread(assess, services, correction, question=question)
        freshness, personal = assessed.freshness, assessed.personal
        await services.serving.ready()
        persistence, pull_back, refused = Persistence(0, 0, 0), PullBack(0, 0), ""
        try:
            persistence = await self._persistence(question, subject, claim.correct_answer, claim.answer_old)
        except EngineRefused as error:
            refused = str(error)
        with suppress(EngineRefused):
            pull_back = await self._pull_back(question, subject, claim.correct_answer)
        related = await asyncio.to_thread(services.records.ledger.related, correction.id, question=question)
        passages = await asyncio.to_thread(self._contradicted_by, question, subject, claim.correct_answer)
        shown = await self._evidence(correction)
        proposal = propose(
            question,
            subject,
            claim.correct_answer,
            freshness,
            persistence,
            pull_back,
            weights_are_ours=services.settings.weights_are_ours,
            category=correction.category,
            personal=personal,
            refused=refused,
        )
        evidence: dict[str, Any] = {
            "freshness": {
                "evergreen": freshness.evergreen,
                "probability": round(freshness.probability, 4),
                "horizon": str(freshness.horizon),
                "confident": freshness.confident,
            },
            "persistence": {**asdict(persistence), "share": round(persistence.share, 3)},
            "pull_back": asdict(pull_back),
            "contradicted_by": passages,
            "evidence": [asdict(finding) for finding in shown],
            "personal_data": list(personal),
            "subject_candidates": list(propose_subjects(question, claim.correct_answer))[:5],
        }
        contradictions = [f"passage {passage['title']!r} says otherwise" for passage in passages]
        try:
            await asyncio.to_thread(
                services.records.ledger.triaged,
                correction.id,
                remedy=proposal.remedy,
                reason="; ".join(filter(None, (proposal.reason, said_of(shown), *contradictions))),
                evidence=evidence,
                canonical_question=question,
                subject=subject,
                conflicts=related.conflicts,
                duplicate_of=related.repeats,
                personal_data=bool(personal),
                volatile=assessed.volatile,
                claim=correction.claim_commitment,
            )
        except MoveNotAllowed:
            log.info("correction %s was moved or revised by a person during triage", correction.id)

    def _contradicted_by(self, question: str, subject: str, answer: str) -> list[dict[str, str]]:
        """Passages in force that likely answer the question, about the same subject, without the reported answer."""
        card = Card("", subject, (question,), answer, None, claim=answer)
        return [
            {"id": passage.id, "title": passage.title, "as_of": iso(passage.as_of)}
            for passage in self._services.retriever.search(question, k=3)
            if subject and contradicts(passage, card)
        ]

    async def _persistence(self, question: str, subject: str, answer: str, wrong: str) -> Persistence:
        written = write_statements(question, subject, answer)
        wordings = list(dict.fromkeys([question, *written.paraphrases]))[:WORDINGS]
        asked = [(wording, 0.0) for wording in wordings] + [(question, 0.7)] * SAMPLES
        replies = await self._ask([([{"role": "user", "content": text}], heat) for text, heat in asked])
        wrongs = [reply for reply in replies if not contains(reply, answer)]
        repeated = [reply for reply in wrongs if same_claim(reply, wrong, question)]
        return Persistence(len(replies), len(wrongs), len(repeated))

    async def _pull_back(self, question: str, subject: str, answer: str) -> PullBack:
        sentence = write_statements(question, subject, answer).sentence
        told = [{"role": "user", "content": f"{sentence}\n\nQuestion: {question}"}]
        replies = await self._ask([(told, 0.0)])
        return PullBack(len(replies), sum(not contains(reply, answer) for reply in replies))

    async def _ask(self, prompts: list[tuple[list[dict[str, str]], float]]) -> list[str]:
        """All at once: the engine batches them."""
        engine: Engine = self._services.engine
        answers = await asyncio.gather(
            *(
                engine.chat(messages, temperature=heat, max_tokens=REPLY_TOKENS, seed=n)
                for n, (messages, heat) in enumerate(prompts)
            )
        )
        return [reply_in(answer) for answer in answers]


def propose(
    question: str,
    subject: str,
    answer: str,
    freshness: Freshness,
    persistence: Persistence,
    pull_back: PullBack,
    *,
    weights_are_ours: bool,
    category: Category,
    personal: tuple[str, ...],
    refused: str,
) -> Proposal:
    """The remedy, with the first reason that decides it. Pure: the same evidence gives the same proposal.

    refused  why the engine would not take the questions; empty: it took them all
    """
    if not weights_are_ours:
        return Proposal(Remedy.KNOWLEDGE, "the served model's weights are not Errata's to change")
    if category is Category.PERSONAL or personal:
        named = f" ({', '.join(personal)})" if personal else ""
        return Proposal(Remedy.KNOWLEDGE, f"personal data{named} never goes into weights")
    if not freshness.evergreen:
        certainty = "" if freshness.confident else ", though not surely: if it does not, say in the question of when"
        return Proposal(Remedy.KNOWLEDGE, f"the answer changes with time (within {freshness.horizon}){certainty}")
    if why := refusal(question, subject, answer):
        return Proposal(Remedy.KNOWLEDGE, f"not fit for a weight edit: {why}")
    if refused:
        return Proposal(Remedy.KNOWLEDGE, f"the model cannot be asked whether it stays wrong: {refused}")
    if persistence.share < PERSISTENT:
        return Proposal(
            Remedy.KNOWLEDGE,
            f"the model is not wrong persistently ({persistence.wrong} of {persistence.asked} replies): a note is enough",
        )
    unsure = "" if freshness.confident else "; whether it changes with time is uncertain, please check"
    wrong = f"{persistence.wrong} of {persistence.asked} replies"
    # Evidence, not the decision: docs/decisions/0012.
    if not pull_back.asked:
        told = "the right answer in its prompt makes the prompt too long"
    elif pull_back.wrong:
        told = "it is pulled back to that even with the right answer in its prompt"
    else:
        told = "with the right answer in its prompt it gives it, so knowledge would do where that is found"
    return Proposal(
        Remedy.WEIGHTS,
        f"the fact does not change and the model keeps getting it wrong ({wrong}); {told}{unsure}",
    )


def same_claim(reply: str, reported: str, question: str) -> bool:
    """Do two replies name the same thing that the question does not? By names and numbers, which carry most claims."""
    asked = set(_names(question))
    return bool((set(_names(reply)) & set(_names(reported))) - asked)


def _names(text: str) -> list[str]:
    words = re.findall(r"\w[\w'’-]*", text)
    return [word.casefold() for n, word in enumerate(words) if word[0].isdigit() or (word[0].isupper() and n > 0)]
