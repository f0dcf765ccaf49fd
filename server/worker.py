"""The worker: approved -> artefacts -> joint solve -> gate -> a built version, at low priority, one release at a time."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from editing.errors import ArtefactDamaged, EditingError
from editing.facts import Fact
from editing.statements import Statements, write_statements
from editing.verify import GateCase
from governance.corrections import Correction, Remedy, Status
from governance.errors import GovernanceError
from governance.times import now
from governance.versions import BASE, Version
from server.cards import normalised
from server.prepare import prepare_model
from server.previews import Previews
from server.progress import Progress, write_progress
from server.services import Records, open_records
from server.settings import Settings
from server.version_files import VersionFiles

if TYPE_CHECKING:
    from editing.edit_set import Artefact, Solution
    from editing.editor import Editor
    from editing.verify import GateReport
    from server.release_gate import ReleaseGate

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
    from server.release_gate import ReleaseGate

    def measuring(done: int, of: int) -> None:
        write_progress(settings.data_dir, Progress("starting", done, of, "measuring statistics of the model"))

    torch.set_num_threads(settings.worker.threads)
    editor = load_editor(base.path, folder=settings.model_dir / "statistics", progress=measuring)
    records = open_records(settings)
    records.versions.ensure_base(base.base_sha256)
    gate = ReleaseGate(
        editor, baseline_path=settings.model_dir / "statistics" / f"{base.base_sha256[:32]}.replies.json"
    )
    Worker(settings, records, editor, gate, base.path, base_sha256=base.base_sha256).run()


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


@dataclass(frozen=True, slots=True)
class Edit:
    """A group with its artefact."""

    group: Group
    artefact: Artefact

    def about(self) -> dict[str, Any]:
        """For the record: method, settings, hashes; how the optimisation ended."""
        artefact = self.artefact
        return {
            "method": "memit",
            "layers": list(artefact.layers),
            "base_sha256": artefact.base_sha256,
            "statistics_sha256": artefact.statistics_sha256,
            "settings_sha256": artefact.config_sha256,
            "strength": round(artefact.strength, 3),
            "steps": artefact.steps,
            "nll": round(artefact.nll, 4),
        }


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
        self._idle_at = -1  # size of the log when there was nothing to do

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
        if preview := next(self._previews.waiting(), None):
            self._answer_preview(*preview)
            return True
        serving = self._records.versions.serving()
        for version_id in dict.fromkeys((BASE, serving.desired, serving.served or BASE)):
            if not self._files.has_tensors(version_id):
                self._materialise(version_id)
                return True
        size = self._records.log.size()
        if serving.desired != serving.served or size == self._idle_at:
            return (
                False  # the publisher is at work, and a release builds on what is served; or nothing has happened since
            )
        if not self.plan().is_needed:
            self._idle_at = size
            return False
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
        records = self._records
        records.ledger.start_editing([c.id for c in plan.new])
        new = {c.id: c for c in plan.new}
        self._edits(group((*plan.kept, *plan.new)), new)  # finds what the editor refuses, and fills the cache
        waiting = [id_ for id_ in new if records.ledger.get(id_).status is Status.EDITING]
        selection = self._gate.choose(
            lambda ids: self._try(plan.kept, [new[id_] for id_ in ids]),
            waiting,
            say=lambda text: self._say("gating", message=text, ids=waiting),
        )
        for id_, report in selection.set_aside.items():
            log.info("correction %s does not pass the gate: %s", id_, "; ".join(report.reasons))
            records.ledger.gate_failed(id_, report.as_dict(), reason="; ".join(report.reasons))
        chosen = [new[id_] for id_ in selection.chosen]
        if not chosen and {c.id for c in plan.kept} == plan.served:
            return
        edits = self._edits(group((*plan.kept, *chosen)), {})
        self._write(self._editor.solve([edit.artefact for edit in edits]), edits, selection.report)

    def _try(self, kept: Sequence[Correction], new: Sequence[Correction]) -> GateReport:
        """Solve the live edits and these together, and judge the model that results."""
        edits = self._edits(group((*kept, *new)), {})
        solution = self._editor.solve([edit.artefact for edit in edits])
        return self._gate.judge(self._editor, solution, [case_of(c) for c in new], earlier=[case_of(c) for c in kept])

    def _edits(self, groups: Sequence[Group], new: Mapping[str, Correction]) -> list[Edit]:
        """Each group with its artefact: stored ones are read, others computed. Of `new`, what is refused is set aside."""
        edits = []
        todo = [group_ for group_ in groups if self._stored(group_) is None]
        for group_ in groups:
            artefact = self._stored(group_)
            if artefact is None:
                ids = [c.id for c in group_.corrections]
                self._say("solving", todo.index(group_) + 1, len(todo), "finding the target state of an edit", ids)
                try:
                    artefact = self._editor.artefact(group_.facts, group_.statements)
                except EditingError as error:
                    for id_ in (id_ for id_ in ids if id_ in new):
                        self._records.ledger.gate_failed(id_, {"refused": str(error)}, reason=str(error))
                    standing = group_.without(set(new))
                    edits += self._edits([standing], {}) if standing.corrections else []
                    continue
                artefact.save(self._settings.artefacts_dir)
                self._remember(group_, artefact)
            edits.append(Edit(group_, artefact))
        return edits

    def _stored(self, group_: Group) -> Artefact | None:
        """The artefact that the record names for exactly these facts, else one computed before for the same request."""
        from editing.edit_set import Artefact

        ids = {c.id for c in group_.corrections}
        recorded = {c.artefact for c in group_.corrections}
        for name in (recorded.pop() if len(recorded) == 1 else None, self._remembered(group_)):
            if not name:
                continue
            try:
                artefact = Artefact.load(self._settings.artefacts_dir, name)
            except ArtefactDamaged as error:
                log.warning("%s", error)
                continue
            if set(artefact.fact_ids) == ids and artefact.base_sha256 == self._editor.base_sha256:
                return artefact
        return None

    def _request(self, group_: Group) -> Path:
        """Where the artefact of exactly this request is named: facts, wordings, recipe, statistics, base."""
        editor = self._editor
        asked = [[asdict(fact), asdict(said)] for fact, said in zip(group_.facts, group_.statements, strict=True)]
        whole = json.dumps(
            [asked, editor.config.sha256(), editor.statistics.sha256, editor.base_sha256], sort_keys=True
        )
        return self._settings.artefacts_dir / f"{hashlib.sha256(whole.encode()).hexdigest()}.request"

    def _remember(self, group_: Group, artefact: Artefact) -> None:
        self._request(group_).write_text(artefact.id)

    def _remembered(self, group_: Group) -> str | None:
        request = self._request(group_)
        return request.read_text() if request.is_file() else None

    def _write(self, solution: Solution, edits: Sequence[Edit], report: GateReport | None) -> None:
        """The version on disk first, then one transaction that records it, its artefacts, and that it is wanted."""
        from editing.edit_set import write_version

        self._say("writing", message="writing the version")
        corrections = tuple(c for edit in edits for c in edit.group.corrections)
        about = write_version(self._files.folder(solution.version_id), solution, self._model_dir)
        records = self._records
        with records.store.transaction():
            for edit in edits:
                for correction in edit.group.corrections:
                    passed = report_of(report, correction.id)
                    if passed or correction.artefact != edit.artefact.id:
                        records.ledger.set_artefact(correction.id, edit.artefact.id, edit=edit.about(), report=passed)
            records.versions.record_built(
                Version(
                    id=solution.version_id,
                    base_sha256=self._base_sha256,
                    artefacts=solution.artefact_ids,
                    corrections=tuple(sorted(c.id for c in corrections)),
                    tensors_sha256=str(about["tensors_sha256"]),
                    created=now(),
                    summary=summary_of(report),
                )
            )
            records.versions.desire(solution.version_id, actor="worker")
        self._files.prune(
            [v.id for v in records.versions.list()],
            needed={BASE, solution.version_id, records.versions.serving().served or BASE},
        )

    def _answer_preview(self, result: Path, correction_id: str) -> None:
        """Solve one correction beside the live ones and ask before and after; nothing is stored, nothing served changes."""
        self._say("previewing", message="solving in a sandbox", ids=[correction_id])
        try:
            correction = self._records.ledger.get(correction_id)
            edits = self._edits(group((*self.plan().kept, correction)), {})
            solution = self._editor.solve([edit.artefact for edit in edits])
            probes = self._gate.compare(self._editor, solution, case_of(correction))
            self._previews.answer(result, {"probes": [asdict(probe) for probe in probes]})
        except (EditingError, GovernanceError) as error:
            self._previews.answer(result, {"refused": str(error)})

    def _materialise(self, version_id: str) -> None:
        """Tensors of a version whose folder is not there: solved again from its artefacts, to the same bits."""
        from editing.edit_set import Artefact, write_version

        self._say("writing", message=f"bringing back version {version_id[:12]}")
        version = self._records.versions.get(version_id)
        solution = self._editor.solve([Artefact.load(self._settings.artefacts_dir, name) for name in version.artefacts])
        write_version(self._files.folder(version_id), solution, self._model_dir)

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


def group(corrections: Iterable[Correction]) -> list[Group]:
    """Corrections by subject, in an order that does not depend on when they came."""
    by_subject: dict[str, list[Correction]] = {}
    for correction in sorted(corrections, key=lambda c: c.id):
        by_subject.setdefault(normalised(correction.claim.subject), []).append(correction)
    return [Group(tuple(found)) for _, found in sorted(by_subject.items())]


def case_of(correction: Correction) -> GateCase:
    """The questions that judge this edit; none of them was trained on."""
    return GateCase.of(fact_of(correction), statements_of(correction))


def report_of(report: GateReport | None, correction_id: str) -> dict[str, Any] | None:
    """What the gate says about one new edit; None for those that were live already."""
    facts = report.facts if report else ()
    return next((fact.as_dict() for fact in facts if fact.fact_id == correction_id), None)


def summary_of(report: GateReport | None) -> dict[str, Any]:
    """Figures of a gate without any text, for the ledger of versions."""
    if report is None:
        return {}
    shares = {
        "direct": report.rates["direct"],
        "paraphrase": report.rates["probes"],
        "neighbours_kept": report.rates["neighbours"],
        "unrelated_kept": report.rates["unrelated"],
        "subject_kept": report.rates["subject"],
        "earlier_kept": report.rates["earlier"],
    }
    figures: dict[str, Any] = {name: round(rate.share, 4) for name, rate in shares.items() if rate.of}
    if report.perplexity:
        figures["perplexity_before"], figures["perplexity"] = (round(value, 3) for value in report.perplexity)
    return {**figures, "asked": {name: rate.as_dict() for name, rate in shares.items()}}


def fact_of(correction: Correction) -> Fact:
    """The claim as a fact for the editor."""
    claim = correction.claim
    return Fact(correction.id, claim.subject, claim.canonical_question or claim.question, claim.correct_answer)


def statements_of(correction: Correction) -> Statements:
    """Statements by rule from question and answer; wordings that a reviewer wrote take the place of the generated ones."""
    fact = fact_of(correction)
    written = write_statements(fact.question, fact.subject, fact.target_new)
    chosen = {name: texts for name in ("paraphrases", "probes") if (texts := getattr(correction, name))}
    return replace(written, **chosen)
