"""Erasure requests on the running system: where people are looked for, how the model is probed, who carries it out."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from governance.accounts import Account
from governance.erasure import Erasures
from governance.errors import MoveNotAllowed, NotFound
from governance.request_book import check_handler
from governance.requests import ErasureRequest, Kind, Occurrence, Place, Questions, Step, Subject
from governance.residual import Probes
from governance.tools import Tools
from retrieval.errors import DocumentNotFound
from server.engines.protocol import reply_to
from server.erasure_deeds import ErasureDeeds, documents_naming
from server.erasure_files import ErasureFiles
from server.erasure_probes import joined, probes_about
from server.errors import EngineRefused, EngineUnavailable
from server.services import Services

log = logging.getLogger(__name__)

REPLY_TOKENS = 64
AT_ONCE = 32
ENGINE_PAUSE_S = 1.0
LOGINS = ("acc_", "opr_")
USUAL = Questions(correct=False, many=False, certainty="reasonable")


@dataclass(slots=True)
class Underway:
    """An execution that goes on in the background, or why it stopped."""

    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    error: str | None = None


class Erasing:
    """`Erasures` with the tools of this gateway. One execution at a time; it outlives the request that ordered it, and
    a restart of the gateway."""

    def __init__(self, services: Services, *, patience_s: float = 900.0) -> None:
        records = services.records
        self._services = services
        self._files = ErasureFiles(services.settings)
        self._stop = threading.Event()
        self._deeds = ErasureDeeds(services, self._files, stop=self._stop, patience_s=patience_s)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="erasing")
        self._underway: dict[str, Underway] = {}
        self._tasks: dict[str, asyncio.Task[ErasureRequest]] = {}
        self.requests = Erasures(
            records.store,
            records.vault,
            records.log,
            accounts=records.accounts,
            ledger=records.ledger,
            tombstones=records.tombstones,
        )

    async def run(self) -> None:
        """Go on with what was ordered before the last stop; then wait to be stopped."""
        try:
            for request in await asyncio.to_thread(self.requests.list):
                if request.status in (Step.APPROVED, Step.APPLIED) and request.executor:
                    self._start(request.id, self._services.accounts.get(request.executor), waits=True)
            await asyncio.Event().wait()
        finally:
            self._stop.set()

    def underway(self, request_id: str) -> Underway | None:
        """The execution of this request, if one is going on or has stopped with an error."""
        return self._underway.get(request_id)

    async def find(self, request_id: str, actor: Account, *, more: Probes | None = None) -> ErasureRequest:
        """Look everywhere and probe the model, with questions of one's own beside the usual ones."""
        await self._services.serving.ready()
        tools = self._tools(actor, more or Probes(()))
        return await asyncio.to_thread(self.requests.find, request_id, actor, tools=tools)

    async def approve(self, request_id: str, actor: Account, *, reason: str) -> ErasureRequest:
        """Approve a decision; where nobody has searched and decided step by step, do both in the usual way first.

        Raises Forbidden for whom the request concerns, before anything is recorded, and MoveNotAllowed for a
        rectification that nobody has decided: only a person knows the right answers.
        """
        request = await asyncio.to_thread(self.requests.get, request_id)
        check_handler(request, actor)
        if request.kind is Kind.RECTIFICATION and request.status in (Step.IDENTITY_VERIFIED, Step.FOUND):
            raise MoveNotAllowed("a rectification is decided by a person: find, then decide with the right answers")
        if request.status is Step.IDENTITY_VERIFIED:
            request = await self.find(request_id, actor)
        if request.status is Step.FOUND:
            why = reason or "the person asks for it and nothing stands against it"
            # Somebody else may have such a login name: without a person's look only the account that was named goes.
            # Nor is it clear that "sleep" is about Lee.
            unsure = [one.ref for one in request.occurrences if one.within_a_word or one.ref.startswith(LOGINS)]
            keep = [ref for ref in unsure if ref != request.account_id]
            await asyncio.to_thread(self.requests.decide, request_id, actor, questions=USUAL, reason=why, keep=keep)
        return await asyncio.to_thread(self.requests.approve, request_id, actor)

    async def execute(self, request_id: str, actor: Account, *, patience_s: float = 20.0) -> ErasureRequest:
        """Carry it out. Comes back when it is done, or after `patience_s` while it goes on."""
        if request_id not in self._tasks:
            await asyncio.to_thread(self.requests.order_execution, request_id, actor)
        task = self._start(request_id, actor)
        await asyncio.wait({task}, timeout=patience_s)
        return task.result() if task.done() else await asyncio.to_thread(self.requests.get, request_id)

    def login_of(self, request: ErasureRequest) -> str | None:
        """The login name of the account that the request is about, where it is about one."""
        return self._services.accounts.get(request.account_id).name if request.account_id else None

    def about(self, occurrence: Occurrence, request: ErasureRequest) -> str:
        """In words, for those who decide: enough to tell people of one name apart, no more of a chat than its kind."""
        services, ref = self._services, occurrence.ref
        try:
            if occurrence.place is Place.DOCUMENT:
                return services.knowledge.document(ref).title
            if occurrence.place in (Place.CORRECTION, Place.EDIT):
                return services.records.ledger.get(ref).claim.asked
            if occurrence.place is Place.MODEL and request.probes:
                return request.probes.asked_by(ref)
            if occurrence.place is Place.TEXT and ref.startswith("acc_"):
                return f"the account {services.accounts.get(ref).name} with its chats and secrets"
            if occurrence.place is Place.TEXT and ref.startswith("opr_"):
                found = services.records.store.row("SELECT name FROM operators WHERE pseudonym = :id", id=ref)
                return f"the user {found['name']} of the operating system" if found else "gone"
        except (NotFound, DocumentNotFound, IndexError):
            return "gone"
        if occurrence.place is Place.EXPORT:
            return next((str(found.path) for found in self._files.all() if found.ref == ref), "gone")
        if occurrence.place is Place.TEXT and ref.startswith("txt_"):
            row = services.records.store.row("SELECT kind, created FROM texts WHERE id = :id", id=ref)
            return f"{row['kind']} of {row['created'][:10]}" if row else "gone"
        return "search index"

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _start(self, request_id: str, actor: Account, *, waits: bool = False) -> asyncio.Task[ErasureRequest]:
        if request_id not in self._tasks:
            self._underway[request_id] = Underway()
            task = self._tasks[request_id] = asyncio.create_task(self._carry_out(request_id, actor, waits=waits))
            task.add_done_callback(
                lambda done: done.cancelled() or done.exception()
            )  # told by `underway`, to whoever asks
        return self._tasks[request_id]

    async def _carry_out(self, request_id: str, actor: Account, *, waits: bool) -> ErasureRequest:
        try:
            await self._engine_ready(waits=waits)
            tools = self._tools(actor, Probes(()))
            work = partial(self._execute, request_id, actor, tools)
            done = await asyncio.get_running_loop().run_in_executor(self._thread, work)
            del self._underway[request_id]
            return done
        except Exception as error:
            log.warning("erasure %s stopped: %s", request_id, type(error).__name__)
            self._underway[request_id].error = str(error)
            raise
        finally:
            del self._tasks[request_id]

    async def _engine_ready(self, *, waits: bool) -> None:
        """Raises EngineUnavailable; with `waits` it waits instead: after a restart the engine takes a minute to load."""
        while True:
            try:
                await self._services.serving.ready()
                return
            except EngineUnavailable as error:
                if not waits:
                    raise
                log.info("an erasure that was ordered before waits: %s", error)
                await asyncio.sleep(ENGINE_PAUSE_S)

    def _execute(self, request_id: str, actor: Account, tools: Tools) -> ErasureRequest:
        request = self.requests.get(request_id)
        if request.status is Step.APPROVED:
            # What became live since the search leaves the weights too, before its texts can no longer be read.
            self._deeds.take_out_of_weights(sorted(request.corrections), actor)
        return self.requests.execute(request_id, actor, tools=tools)

    def _tools(self, actor: Account, more: Probes) -> Tools:
        loop = asyncio.get_running_loop()

        def ask(questions: Sequence[str]) -> list[str | None]:
            return asyncio.run_coroutine_threadsafe(self._ask(questions), loop).result()

        def probes(subject: Subject, named: Sequence[str]) -> Probes:
            return joined(probes_about(subject, map(self._services.records.ledger.get, named)), more)

        return Tools(
            find=(self._documents, self._data_files, self._caches),
            probes=probes,
            apply=self._deeds.of(actor),
            ask=ask,
            discard=self._deeds.discard,
        )

    def _documents(self, subject: Subject) -> list[Occurrence]:
        return documents_naming(self._services.knowledge, subject)

    def _data_files(self, subject: Subject) -> list[Occurrence]:
        return [
            Occurrence(Place.EXPORT, one.ref, self._files.is_within_a_word(one, subject))
            for one in self._files.naming(subject.needles)
        ]

    def _caches(self, _: Subject) -> list[Occurrence]:
        """Always: words of documents that were removed long ago may still stand in the index."""
        return [Occurrence(Place.CACHE, "index")]

    async def _ask(self, questions: Sequence[str]) -> list[str | None]:
        """What the served weights say by themselves: no card, no passage. None where the engine refuses the question."""

        async def one(question: str) -> str | None:
            try:
                return await reply_to(self._services.engine, question, max_tokens=REPLY_TOKENS)
            except EngineRefused:
                log.warning("the engine refused a probe of an erasure")
                return None

        replies: list[str | None] = []
        for start in range(0, len(questions), AT_ONCE):
            replies += await asyncio.gather(*(one(question) for question in questions[start : start + AT_ONCE]))
        return replies
