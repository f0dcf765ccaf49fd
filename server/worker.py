"""The worker: approved -> artefacts -> joint solve -> gate -> a built version, at low priority, one release at a time."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from editing.errors import ArtefactDamaged, EditingError
from editing.facts import Fact
from editing.statements import Statements, write_statements
from governance.corrections import Correction, Remedy, Status
from governance.times import now
from governance.versions import BASE, Version
from server.cards import normalised
from server.prepare import prepare_model
from server.progress import Progress, write_progress
from server.services import Records, open_records
from server.settings import Settings
from server.version_files import VersionFiles

if TYPE_CHECKING:
    from editing.edit_set import Artefact, Solution
    from editing.editor import Editor
    from editing.verify import Gate, GateReport

log = logging.getLogger(__name__)
IDLE_S = 0.5


def run(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Load the model, then build releases until TERM."""
    os.nice(settings.worker.niceness)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # every step is resumable: nothing is worth waiting for
    write_progress(settings.data_dir, Progress("starting", message="loading the model"))
    base = prepare_model(settings.model, settings.model_dir, say=say)
    import torch

    from editing.loading import load_editor
    from editing.verify import Gate

    def measuring(done: int, of: int) -> None:
        write_progress(settings.data_dir, Progress("starting", done, of, "measuring statistics of the model"))

    torch.set_num_threads(settings.worker.threads)
    editor = load_editor(base.path, folder=settings.model_dir / "statistics", progress=measuring)
    records = open_records(settings)
    records.versions.ensure_base(base.base_sha256)
    Worker(settings, records, editor, Gate(editor.generate), base.path, base_sha256=base.base_sha256).run()


@dataclass(frozen=True, slots=True)
class Release:
    """What the next version shall hold: edits that stay and edits that are new; and what is served now."""

    kept: tuple[Correction, ...]
    new: tuple[Correction, ...]
    served: frozenset[str]

    @property
    def is_needed(self) -> bool:
        return bool(self.new) or {c.id for c in self.kept} != self.served


@dataclass(frozen=True, slots=True)
class Group:
    """The corrections of one subject, which share one artefact: one key can hold one target state only."""

    corrections: tuple[Correction, ...]

    @property
    def facts(self) -> list[Fact]:
        return [fact_of(c) for c in self.corrections]

    @property
    def statements(self) -> list[Statements]:
        return [statements_of(c) for c in self.corrections]

    def without(self, ids: set[str]) -> Group:
        return Group(tuple(c for c in self.corrections if c.id not in ids))


class Worker:
    """Builds versions. Reads and writes the ledger; the engine is the publisher's alone."""

    def __init__(
        self, settings: Settings, records: Records, editor: Editor, gate: Gate, model_dir: Path, *, base_sha256: str
    ) -> None:
        self._settings, self._records, self._editor, self._gate = settings, records, editor, gate
        self._model_dir, self._base_sha256 = model_dir, base_sha256
        self._files = VersionFiles(settings)

    def run(self) -> None:
        """Forever. A crash leaves corrections in `editing`, which the next start takes back to `approved`."""
        self._records.ledger.requeue_interrupted()
        while True:
            try:
                busy = self.round()
            except EditingError:
                log.exception("a release failed; its corrections start again")
                self._records.ledger.requeue_interrupted()
                busy = False
            if not busy:
                self._say("idle")
                time.sleep(IDLE_S)

    def round(self) -> bool:
        """One release, if one is wanted; was there anything to do?"""
        serving = self._records.versions.serving()
        for version_id in dict.fromkeys((BASE, serving.desired, serving.served or BASE)):
            if not self._files.has_tensors(version_id):
                self._materialise(version_id)
                return True
        if serving.desired != serving.served or not self.plan().is_needed:
            return False  # nothing to do, or the publisher is at work: a release builds on what is served
        self._wait_for_more()
        self.release(self.plan())
        return True

    def plan(self) -> Release:
        """What the next version shall hold. Changes nothing."""
        ledger, served = self._records.ledger, self._records.versions.served()
        live = [c for c in ledger.in_status(Status.LIVE) if not c.undo_requested]
        new = [c for c in ledger.in_status(Status.APPROVED) if c.remedy is Remedy.WEIGHTS]
        limit = self._records.policy.limits.weight_edits_per_batch
        return Release(
            kept=tuple(c for c in live if c.edit.get("unfit_for") != self._base_sha256),
            new=tuple(new[:limit]),
            served=frozenset(served.corrections if served else ()),
        )

    def release(self, plan: Release) -> None:
        """Artefacts, joint solve, gate; what fails is set aside with its report, the rest is written and wanted."""
        self._records.ledger.start_editing([c.id for c in plan.new])
        groups = group((*plan.kept, *plan.new))
        new_ids = {c.id for c in plan.new}
        made = self._artefacts(groups, new_ids)
        solution, report = self._solve_and_gate(made, new_ids)
        kept = [c for group_, _ in made for c in group_.corrections]
        self._write(solution, kept, report, kind="release" if plan.new else "undo")

    def _artefacts(self, groups: list[Group], new_ids: set[str]) -> list[tuple[Group, Artefact]]:
        """The artefact of each group: stored ones are read, others computed; a fact that is refused is set aside."""
        made: list[tuple[Group, Artefact]] = []
        todo = sum(1 for group_ in groups if self._stored(group_) is None)
        done = 0
        for group_ in groups:
            artefact = self._stored(group_)
            if artefact is None:
                done += 1
                self._say("solving", done, todo, "computing target states", [c.id for c in group_.corrections])
                artefact = self._computed(group_, new_ids)
            if artefact is not None:
                made.append((group_, artefact))
        return made

    def _stored(self, group_: Group) -> Artefact | None:
        from editing.edit_set import Artefact

        names = {c.artefact for c in group_.corrections}
        if len(names) != 1 or (name := names.pop()) is None:
            return None
        try:
            artefact = Artefact.load(self._settings.artefacts_dir, name)
        except ArtefactDamaged as error:
            log.warning("%s", error)
            return None
        fits = set(artefact.fact_ids) == {c.id for c in group_.corrections} and artefact.base_sha256 == self._editor.base_sha256
        return artefact if fits else None

    def _computed(self, group_: Group, new_ids: set[str]) -> Artefact | None:
        try:
            artefact = self._editor.artefact(group_.facts, group_.statements)
        except EditingError as error:
            for correction in group_.corrections:
                if correction.id in new_ids:
                    self._records.ledger.gate_failed(correction.id, {"refused": str(error)}, reason=str(error))
            standing = group_.without(new_ids)
            return self._stored(standing) if standing.corrections else None
        artefact.save(self._settings.artefacts_dir)
        edit = {
            "method": "memit",
            "layers": list(artefact.layers),
            "base_sha256": artefact.base_sha256,
            "statistics_sha256": artefact.statistics_sha256,
            "settings_sha256": artefact.config_sha256,
            "strength": round(artefact.strength, 3),
            "steps": artefact.steps,
            "nll": round(artefact.nll, 4),
        }
        for correction in group_.corrections:
            self._records.ledger.set_artefact(correction.id, artefact.id, edit=edit)
        return artefact
