"""The worker: approved -> artefacts -> joint solve -> gate -> a built version, at low priority, one release at a time."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from editing.errors import ArtefactDamaged, ArtefactMismatch, EditingError
from governance.corrections import Correction, Status
from governance.errors import GovernanceError, MoveNotAllowed
from governance.times import now
from governance.versions import BASE, Version
from server.ahead import Ahead
from server.base_model import bind_base
from server.edits import Edit, Edits, case_of, group
from server.fitting import Fit, Fitting
from server.prepare import prepare_model
from server.previews import Previews
from server.progress import Progress, write_progress
from server.release import Release, plan_release
from server.services import Records, open_records
from server.settings import Settings
from server.version_files import VersionFiles

if TYPE_CHECKING:
    from editing.edit_set import Solution
    from editing.editor import Editor
    from editing.verify import GateReport
    from server.release_gate import ReleaseGate

log = logging.getLogger(__name__)
IDLE_S = 0.5
BLOCKED_S = 10.0


def run(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Load the model, then build releases until TERM."""
    os.nice(settings.worker.niceness)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # every step is resumable: nothing is worth waiting for
    write_progress(settings.data_dir, Progress("starting", message="loading the model"))
    base = prepare_model(settings.model, settings.model_dir, say=say)
    import torch

    from editing.loading import load_editor
    from server.release_gate import ReleaseGate

    def measuring(done: int, of: int) -> None:
        write_progress(settings.data_dir, Progress("starting", done, of, "measuring statistics of the model"))

    torch.set_num_threads(settings.worker.threads or os.cpu_count() or 1)
    editor = load_editor(base.path, folder=settings.statistics_dir, progress=measuring)
    records = open_records(settings)
    bind_base(settings, records, base.base_sha256)
    take_base(records, VersionFiles(settings), editor.solve([]).tensors_sha256())
    replies = f"{base.base_sha256[:32]}.{str(editor.decoder.dtype).removeprefix('torch.')}.replies.json"
    gate = ReleaseGate(editor, baseline_path=settings.statistics_dir / replies)
    worker = Worker(settings, records, editor, gate, base.path, base_sha256=base.base_sha256)
    signal.signal(signal.SIGTERM, lambda *_: worker.end())
    worker.run()


def take_base(records: Records, files: VersionFiles, tensors_sha256: str) -> None:
    """Record which tensors edits change. Where an earlier build changed others, the folders that it left would not put
    these back, so each is made again when it is needed."""
    if records.versions.get(BASE).tensors_sha256 != tensors_sha256:
        files.clear(recorded=())  # before it is recorded: a process killed in between clears again
        records.versions.measure_base(tensors_sha256)


class Worker:
    """Builds versions. Reads and writes the ledger; the engine is the publisher's alone."""

    def __init__(
        self,
        settings: Settings,
        records: Records,
        editor: Editor,
        gate: ReleaseGate,
        model_dir: Path,
        *,
        base_sha256: str,
    ) -> None:
        self._settings, self._records, self._editor, self._gate = settings, records, editor, gate
        self._model_dir, self._base_sha256 = model_dir, base_sha256
        self._files, self._previews = VersionFiles(settings), Previews(settings)
        self._edits = Edits(editor, settings.artefacts_dir, say=self._solving, refused=self._refused)
        self._fitting = Fitting(
            editor, gate, self._edits, say=lambda text, ids: self._say("gating", message=text, ids=ids)
        )
        self._ahead = Ahead(settings, records, editor, gate, say=self._working_ahead)
        self._lost: set[str] = set()  # versions whose artefacts are gone
        self._idle_at = -1  # size of the log when there was nothing to do

    def run(self) -> None:
        """Forever."""
        self.resume()
        while True:
            time.sleep(self.turn())

    def end(self) -> None:
        """At once."""
        try:
            self._ahead.leave()
        finally:
            os._exit(0)

    def resume(self, *, blame: bool = True) -> None:
        """Clear up after a release that did not end: its corrections start again, folders without a record go."""
        self._records.ledger.requeue_interrupted(blame=blame)
        self._edits.clear_unfinished()
        self._files.clear({version.id for version in self._records.versions.list()})

    def turn(self) -> float:
        """One round, and how long to rest after it. What fails leaves its corrections as they were before."""
        try:
            if self.round():
                return 0.0
        except EditingError as error:  # its words may be those of a report
            log.error("a release failed with %s; its corrections start again", type(error).__name__)
            self._records.ledger.requeue_interrupted()
        except GovernanceError as error:  # people decided otherwise meanwhile, or brought a backup back
            log.warning("a release was overtaken (%s); its corrections start again", type(error).__name__)
            self._records.ledger.requeue_interrupted(blame=False)
        except (OSError, sqlite3.OperationalError) as error:  # a full disk, most likely: no edit is to blame
            log.exception("cannot write")
            with suppress(sqlite3.OperationalError):  # the database lies on the same disk: a later round clears up
                self._records.ledger.requeue_interrupted(blame=False)
            why = getattr(error, "strerror", None) or error
            self._say("waiting", message=f"cannot write ({why}): make room, it goes on by itself")
            return BLOCKED_S
        self._say("idle")
        return IDLE_S

    def round(self) -> bool:
        """One release, if one is wanted; was there anything to do?"""
        if preview := next(self._previews.waiting(), None):
            self._answer_preview(*preview)
            return True
        serving = self._records.versions.serving()
        for version_id in dict.fromkeys((BASE, serving.desired, serving.served or BASE)):
            if self._files.has_tensors(version_id) or (version_id in self._lost and version_id != serving.desired):
                continue
            self._materialise(version_id)
            return True
        size = self._records.log.size()
        if serving.desired != serving.served or size == self._idle_at:
            return (
                False  # the publisher is at work, and a release builds on what is served; or nothing has happened since
            )
        # With nothing on its way to be served, what is in `editing` is in a version that nobody wants any more.
        self._records.ledger.requeue_interrupted(blame=False)
        self._records.ledger.finish_undos()
        plan = self.plan()
        if not plan.is_needed:
            if self._settings.worker.ahead and self._ahead.step(plan.kept):
                return True
            self._idle_at = size
            return False
        self._wait_for_more()
        self.release(self.plan())
        return True

    def plan(self) -> Release:
        """What the next version shall hold. Changes nothing."""
        return plan_release(
            self._records,
            base_sha256=self._base_sha256,
            weights_sha256=self._editor.base_sha256,
            layers=self._editor.config.edited_layers,
        )

    def release(self, plan: Release) -> None:
        """Artefacts, joint solve, gate; what fails is set aside with its report, the rest is written and wanted."""
        try:
            self._records.ledger.start_editing([c.id for c in plan.new])
        except MoveNotAllowed as error:
            log.info("people decided otherwise since this release was planned: %s", error)
            return
        new = {c.id: c for c in (*plan.new, *plan.moved)}
        fit = self._fit(plan, new)
        while plan.kept_beside(fit.chosen) != plan.kept_beside(new):  # one is back that yielded to an edit that failed
            new = {id_: new[id_] for id_ in fit.chosen}
            fit = self._fit(plan, new)
        kept = plan.kept_beside(fit.chosen)
        if not fit.chosen and {c.id for c in kept} == plan.served:
            return
        edits = self._edits.of(group((*kept, *(new[id_] for id_ in fit.chosen))), fit.chosen)
        solution = self._editor.solve([edit.artefact for edit in edits])
        if not self._write(solution, edits, fit, wanted=plan.wanted):
            log.info("people decided otherwise while this version was made; its corrections start again")
            self.resume(blame=False)

    def _fit(self, plan: Release, new: Mapping[str, Correction]) -> Fit:
        """Which of the new ones pass beside the live edits; the others are set aside."""
        beside, weight = plan.kept_beside(new), self._editor.config.protect_weights[0]
        self._edits.of(group((*beside, *new.values())), dict.fromkeys(new, weight))  # finds what is refused
        fit = self._fitting.of(beside, {id_: c for id_, c in new.items() if self._is_in_hand(id_)})
        for id_, found in fit.aside.items():
            log.info("correction %s does not pass the gate: %s", id_, "; ".join(found.reasons))
            self._set_aside(id_, found.as_dict(), "; ".join(found.reasons))
        return fit

    def _refused(self, correction_id: str, error: EditingError) -> None:
        self._set_aside(correction_id, {"refused": str(error)}, str(error))

    def _set_aside(self, correction_id: str, report: dict[str, Any], reason: str) -> None:
        """An approved one goes where its approver said; one that was live on another base stays so by its card. What
        people have decided otherwise since stays as they left it."""
        ledger = self._records.ledger
        if not self._is_in_hand(correction_id):
            log.info("correction %s is no longer in hand", correction_id)
        elif ledger.get(correction_id).status is Status.LIVE:
            ledger.unfit(correction_id, self._base_sha256, report)
        else:
            ledger.gate_failed(correction_id, report, reason=reason)

    def _is_in_hand(self, correction_id: str) -> bool:
        """May this correction go into the version that is being made? Not if it was refused, undone or erased since."""
        correction = self._records.ledger.get(correction_id)
        if correction.status is Status.LIVE:
            return not correction.undo_requested and correction.edit.get("unfit_for") != self._base_sha256
        return correction.status is Status.EDITING

    def _solving(self, step: int, of: int, ids: Sequence[str]) -> None:
        self._say("solving", step, of, "working out what an edit must say", ids)

    def _working_ahead(self, ids: Sequence[str]) -> None:
        self._say("ahead", message="working out an edit that waits for review", ids=ids)

    def _write(self, solution: Solution, edits: Sequence[Edit], fit: Fit, *, wanted: str) -> bool:
        """The version on disk first, then one transaction that records it, its artefacts, and that it is wanted; unless
        people have wanted another version since, undone one of its edits, or undone what one that it lacks had yielded
        to: then nothing is recorded."""
        from editing.edit_set import write_version

        self._say("writing", message="writing the version")
        report, corrections = fit.report, tuple(c for edit in edits for c in edit.group.corrections)
        judged = {fact.fact_id: fact.as_dict() for fact in report.facts} if report else {}
        written = write_version(self._files.folder(solution.version_id), solution, self._model_dir)
        records = self._records
        with records.store.transaction():
            stay = {c.id for c in self.plan().kept_beside(fit.chosen)}
            settled = records.versions.serving().desired == wanted and stay <= {c.id for c in corrections}
            if not settled or not all(self._is_in_hand(c.id) for c in corrections):
                return False
            for edit in edits:
                for correction in edit.group.corrections:
                    if found := judged.get(correction.id) or _heard(correction, edit, report):
                        about = edit.about(correction.id)
                        records.ledger.set_artefact(correction.id, edit.artefact.id, edit=about, report=found)
            records.versions.record_built(
                Version(
                    id=solution.version_id,
                    base_sha256=self._base_sha256,
                    artefacts=solution.artefact_ids,
                    corrections=tuple(sorted(c.id for c in corrections)),
                    tensors_sha256=str(written["tensors_sha256"]),
                    created=now(),
                    summary=report.figures if report else {},
                )
            )
            records.versions.desire(solution.version_id, actor="worker")
        self._files.prune(
            [v.id for v in records.versions.list()],
            needed={BASE, solution.version_id, records.versions.serving().served or BASE},
        )
        return True

    def _answer_preview(self, result: Path, correction_id: str) -> None:
        """Solve one correction beside the live ones and ask before and after; nothing is stored, nothing served changes."""
        self._say("previewing", message="solving in a sandbox", ids=[correction_id])
        try:
            correction = self._records.ledger.get(correction_id)
            weights = {correction.id: self._editor.config.protect_weights[0]}
            beside = [c for c in self.plan().kept if c.id not in correction.conflicts]
            edits = Edits(self._editor, self._settings.artefacts_dir, say=self._solving, refused=_raise).of(
                group((*beside, correction)), weights
            )
            solution = self._editor.solve([edit.artefact for edit in edits])
            probes = self._gate.compare(solution, case_of(correction))
            answer: dict[str, Any] = {"probes": [asdict(probe) for probe in probes]}
        except (EditingError, GovernanceError) as error:
            answer = {"refused": str(error)}
        if self._ahead.discard_erased(correction_id):
            answer = {"refused": f"the text of correction {correction_id!r} has been erased"}
        self._previews.answer(result, answer)

    def _materialise(self, version_id: str) -> None:
        """Tensors of a version whose folder is not there: solved again from its artefacts, to the same bits."""
        from editing.edit_set import Artefact, write_version

        self._say("writing", message=f"bringing back version {version_id[:12]}")
        names = self._records.versions.get(version_id).artefacts
        try:
            solution = self._editor.solve([Artefact.load(self._settings.artefacts_dir, name) for name in names])
            if solution.version_id != version_id:
                raise ArtefactMismatch("this build solves its edits into other tensors")
        except (ArtefactDamaged, ArtefactMismatch) as error:  # no backup holds them
            log.error("version %s cannot be brought back, its live edits are worked out anew: %s", version_id, error)
            self._lost.add(version_id)
            if self._records.versions.serving().desired == version_id:
                self._do_without(version_id)
        else:
            write_version(self._files.folder(version_id), solution, self._model_dir)

    def _do_without(self, version_id: str) -> None:
        """What is served stays, or the base. Other live edits are live by their cards until they are in a release again;
        an undo that was asked for is done, here or by the publisher who serves the base."""
        versions, ledger = self._records.versions, self._records.ledger
        with self._records.store.transaction():
            served = versions.serving().served or BASE
            stays = versions.get(BASE if served == version_id else served)
            versions.desire(stays.id, actor="worker", reason="the wanted version cannot be solved again")
            ledger.finish_undos()

    def _wait_for_more(self) -> None:
        """Until no approval came for a while: a burst is one release."""
        settings = self._settings.worker
        started, seen = time.monotonic(), len(self.plan().new)
        while time.monotonic() - started < settings.batch_wait_max_s:
            self._say("waiting", message="waiting for more approvals", ids=[c.id for c in self.plan().new])
            time.sleep(settings.batch_wait_s)
            if len(self.plan().new) == seen:
                return
            seen = len(self.plan().new)

    def _say(self, state: str, step: int = 0, of: int = 0, message: str = "", ids: Iterable[str] = ()) -> None:
        write_progress(self._settings.data_dir, Progress(state, step, of, message, tuple(sorted(ids))))


def _heard(correction: Correction, edit: Edit, report: GateReport | None) -> dict[str, Any] | None:
    """The record of a live correction that was not judged anew, if a release changes what is known of it: in which
    wordings these weights were heard to give its answer. In all others its card answers."""
    stands = report.stands.get(correction.id) if report else None
    is_same = correction.artefact == edit.artefact.id
    if is_same and stands is not False:
        return None
    return {**correction.report, "answered": [case_of(correction).fact.question] if stands else []}


def _raise(_correction_id: str, error: EditingError) -> None:
    raise error
