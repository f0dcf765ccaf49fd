"""The publisher: the engine's only client for weights. Brings what is served to what is desired, and probes it."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import Any

from editing.wording import gives
from governance.corrections import Correction, Status
from governance.errors import NotFound
from governance.versions import BASE, Version, Wanted
from server.engines.protocol import PROBE_TOKENS, UNSETTLED, SwapFailed, SwapTimes, reply_to
from server.errors import ServerError
from server.services import Services
from server.serving import ServedVersion
from server.version_files import VersionFiles

log = logging.getLogger(__name__)

PROBES_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What the served engine says about one edited fact."""

    correction_id: str
    reply: str
    holds: bool


class Publisher:
    """Reconciles three things: the version that the database wants, the one it says is served, and what the engine carries.

    State is in the database and in the engine alone, so a publisher that dies at any line is continued by the next one: an
    engine found paused or half-exchanged is given the served version again, then the wanted one.
    """

    def __init__(self, services: Services, *, pause_s: float = 0.5) -> None:
        self._services, self._pause_s = services, pause_s
        self._versions, self._ledger = services.records.versions, services.records.ledger
        self._files = VersionFiles(services.settings)
        self._told: set[str] = set()  # errors that are in the process log since all was well

    async def run(self) -> None:
        """Forever. While the engine is away the gate is closed; no question reaches weights that are not the served ones."""
        while True:
            try:
                await self.reconcile()
                self._told.clear()
            except ServerError as error:
                self._services.serving.close(str(error))
                self._tell(error)
            except Exception:
                log.exception("publishing failed; trying again")
                await asyncio.sleep(5)
            await asyncio.sleep(self._pause_s)

    async def reconcile(self) -> None:
        """One round: bring the engine back to the served version if it lost it, then publish the wanted one if another,
        also where the served one cannot be loaded any more: the kill switch works then, too."""
        services = self._services
        if not services.settings.weights_are_ours:
            await self._follow_foreign_engine()
            return
        wanted = await asyncio.to_thread(self._versions.serving)
        if not await services.engine.health():
            services.serving.close("the engine does not answer")
            return
        is_next = wanted.desired != wanted.served and self._files.has_tensors(wanted.desired)
        try:
            await self._restore_engine(wanted)
        except ServerError as error:
            if not is_next:
                raise
            self._tell(error)
        if is_next:
            await self._publish(wanted)

    def _tell(self, error: ServerError) -> None:
        """In the process log, once for each text while the trouble lasts."""
        if str(error) not in self._told:
            self._told.add(str(error))
            log.error("%s", error)

    async def _swap(self, version_id: str) -> SwapTimes:
        """The engine's swap. Where it fails, a version whose tensors are damaged is deleted: the worker makes it again."""
        try:
            return await self._services.engine.swap(self._files.folder(version_id), version_id)
        except SwapFailed:
            recorded = (await asyncio.to_thread(self._versions.get, version_id)).tensors_sha256
            if await asyncio.to_thread(self._files.delete_if_damaged, version_id, recorded):
                log.error("the tensors of version %s are damaged: the worker makes them again", version_id)
            raise

    async def _follow_foreign_engine(self) -> None:
        if await self._services.engine.health():
            self._services.serving.open(ServedVersion(BASE, 0))
        else:
            self._services.serving.close("the engine does not answer, or does not take our key")

    async def _restore_engine(self, wanted: Wanted) -> None:
        """Open the gate once the engine carries what the database says is served."""
        served = wanted.served or BASE
        engine, serving = self._services.engine, self._services.serving
        carried = await engine.weight_version()
        if carried not in (served, UNSETTLED) and not await asyncio.to_thread(self._is_known, carried):
            # A fresh engine has a name of its own for the weights it came with. A version's name is a hash: one that is
            # not on record was built after the backup that was restored.
            carried = UNSETTLED if re.fullmatch(r"[0-9a-f]{64}", carried) else BASE
        if carried != served:
            serving.close("the engine is being brought to the served weights")
            log.info("engine carries %r, served is %r: putting it back", carried, served)
            await self._swap(served)
            self._services.metrics.swapped("restored")
        elif await engine.ensure_resumed():
            log.warning("the engine was found paused and goes on")
        if wanted.served is None:
            await asyncio.to_thread(self._versions.set_served, BASE)
        if not serving.is_open or serving.version.id != served:
            version = await asyncio.to_thread(self._versions.get, served)
            serving.open(ServedVersion(version.id, len(version.corrections)))

    def _is_known(self, version_id: str) -> bool:
        try:
            self._versions.get(version_id)
        except NotFound:
            return False
        return True

    async def _publish(self, wanted: Wanted) -> None:
        """Swap, probe, and write the outcome in one transaction; or put the previous version back."""
        version = await asyncio.to_thread(self._versions.get, wanted.desired)
        change = await asyncio.to_thread(self._change, wanted, version)
        log.info("publishing %s: %d new, %d undone", version.id, len(change.live), len(change.rolled_back))
        serving = self._services.serving
        before = serving.version
        times = await self._swap(version.id)
        # Chat stays open while the engine is probed: what is answered meanwhile is answered by these weights.
        serving.open(ServedVersion(version.id, len(version.corrections)))
        results = await self._probe([*change.live, *change.moved])
        failed = [result for result in results if not result.holds]
        if failed:
            await self._take_back(before, version, change, times, failed)
            return
        await asyncio.to_thread(self._write_outcome, wanted, version, change, results, times.pause_s)
        self._services.metrics.swapped("published", times.pause_s)
        log.info("version %s is served; generation was held up for %.2f s", version.id, times.pause_s)

    def _write_outcome(
        self, wanted: Wanted, version: Version, change: Change, results: list[ProbeResult], pause_s: float
    ) -> None:
        """One transaction. What leaves is read anew in it: an answer that it yields to may have been undone meanwhile."""
        with self._services.records.store.transaction():
            left = self._change(wanted, version)
            self._ledger.published(
                version_id=version.id,
                live=[c.id for c in change.live],
                rolled_back=[c.id for c in left.rolled_back],
                relived=[c.id for c in change.relived],
                superseded=left.superseded,
                reports={r.correction_id: self._report(r) for r in results},
                swap_pause_s=pause_s,
            )

    def _change(self, wanted: Wanted, version: Version) -> Change:
        """Which corrections this release makes live, undoes, or brings back: the difference of the two sets.

        Rolled back is what somebody undid, what has lost its texts, and by a restore every live edit that the version
        lacks, be it in the weights until now or live by its card. Otherwise such an edit stays, and is in the next release.
        """
        now = set(self._versions.get(wanted.served or BASE).corrections)
        then = set(version.corrections)
        come = [self._ledger.get(id_) for id_ in sorted(then - now)]
        gone = [self._ledger.get(id_) for id_ in sorted(now - then)]
        if wanted.kind == "restore":
            gone += [c for c in self._ledger.in_status(Status.LIVE) if c.id not in now | then]
        superseded = {}
        for old, new in self._ledger.contested().items():
            before, status = self._ledger.get(old), self._ledger.get(new).status
            waits = before.status in (Status.APPROVED, Status.IN_KNOWLEDGE) and status is Status.EDITING and new in then
            leaves = before in gone and not before.undo_requested and (new in then or status is Status.IN_KNOWLEDGE)
            if waits or leaves:
                superseded[old] = new
        return Change(
            live=[c for c in come if c.status is Status.EDITING],
            moved=[c for c in come if c.status is Status.LIVE],
            relived=[c for c in come if c.status in (Status.ROLLED_BACK, Status.SUPERSEDED)],
            rolled_back=[
                c
                for c in gone
                if c.status is Status.LIVE
                and c.id not in superseded
                and (c.undo_requested or c.erased or wanted.kind == "restore")
            ],
            superseded=superseded,
        )

    async def _take_back(
        self, before: ServedVersion, version: Version, change: Change, times: SwapTimes, failed: list[ProbeResult]
    ) -> None:
        """The served engine disagrees with the gate: the previous version returns, or the base if that cannot be loaded;
        the facts go back or are set aside."""
        log.warning("version %s fails %d probes on the served engine: taking it back", version.id, len(failed))
        try:
            await self._swap(before.id)
        except ServerError as error:
            self._tell(error)
            before = ServedVersion(BASE, 0)
            await self._swap(BASE)
        self._services.serving.open(before)
        await asyncio.to_thread(self._write_failure, change, failed, version.id, before.id)
        self._services.metrics.swapped("taken back", times.pause_s)

    def _write_failure(self, change: Change, failed: list[ProbeResult], version_id: str, back_to: str) -> None:
        """One transaction: the facts that failed count one failure more, those beside them start again, unharmed.

        The version before is wanted again, unless a person has wanted another one since.
        """
        with self._services.records.store.transaction():
            moved = {c.id for c in change.moved}
            for result in failed:
                if result.correction_id in moved:
                    base = self._versions.get(BASE).base_sha256
                    self._ledger.unfit(result.correction_id, base, self._report(result))
                else:
                    self._ledger.probe_failed(result.correction_id, self._report(result))
            bystanders = {c.id for c in change.live} - {result.correction_id for result in failed}
            self._ledger.taken_back(
                sorted(bystanders), reason="another edit of the same release failed on the served engine"
            )
            if self._versions.serving().desired == version_id:
                self._versions.desire(back_to, actor="publisher", reason="the served engine did not show every edit")

    def _report(self, result: ProbeResult) -> dict[str, Any]:
        """The gate's report of a correction with what the served engine said."""
        return {
            **self._ledger.get(result.correction_id).report,
            "served_reply": result.reply,
            "served_holds": result.holds,
        }

    async def _probe(self, changed: list[Correction]) -> list[ProbeResult]:
        """Ask the served engine about the facts that changed, as a person would: greedy, through the chat template."""

        async def one(correction: Correction) -> ProbeResult:
            claim = correction.claim
            reply = await reply_to(self._services.engine, claim.asked, max_tokens=PROBE_TOKENS)
            return ProbeResult(correction.id, reply, gives(reply, claim.correct_answer))

        results: list[ProbeResult] = []
        for start in range(0, len(changed), PROBES_AT_ONCE):
            results += await asyncio.gather(*(one(c) for c in changed[start : start + PROBES_AT_ONCE]))
        return results


@dataclass(frozen=True, slots=True)
class Change:
    """What a release does to corrections."""

    live: list[Correction]
    moved: list[Correction]  # live already, by their cards since another base took the place of theirs
    relived: list[Correction]
    rolled_back: list[Correction]
    superseded: dict[str, str]  # old -> new
