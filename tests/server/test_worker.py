"""The worker's release: what fails under one weight of the protected keys is tried under the next, then set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import SafetensorError

from editing.edit_set import Artefact, Solution
from editing.testing import TINY, tiny_editor, tiny_model, tiny_tokenizer
from editing.verify import FactReport, GateCase, GateReport, Rate, Selection, choose
from governance.corrections import Category, Correction, Remedy, Status
from server.progress import read_progress
from server.worker import BLOCKED_S, Worker
from tests_support import House

WEIGHTS = (0.25, 0.05)
ALL, NONE = Rate(1, 1), Rate(0, 1)


class Judge:
    """Passes an edit if its artefact was solved under the weight that it needs; None is never enough."""

    def __init__(self, needs: dict[str, float | None]) -> None:
        self.needs = needs
        self.tried: list[dict[str, float]] = []
        self.weights: dict[str, float] = {}

    def choose(self, try_set, ids, *, held=(), say) -> Selection:
        return choose(try_set, ids, rounds=4, held=held)

    def judge(self, editor, solution: Solution, cases: Sequence[GateCase], *, earlier) -> GateReport:
        found = {id_: self.weights[id_] for id_ in (case.fact.id for case in cases)}
        self.tried.append(found)
        reports = []
        for case in cases:
            passes = found[case.fact.id] == self.needs[case.fact.question]
            reasons = () if passes else ("asked in other words, the new answer comes in 0 of 1",)
            reports.append(FactReport(case.fact.id, ALL, ALL if passes else NONE, ALL, ALL, reasons, "a reply"))
        rates = dict.fromkeys(("direct", "probes", "neighbours", "subject", "unrelated", "earlier"), ALL)
        return GateReport(tuple(reports), rates, None, ())


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    tiny_model("llama").save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def make_worker(house: House, base: Path, monkeypatch: pytest.MonkeyPatch):
    def make(needs: dict[str, float | None]) -> tuple[Worker, Judge]:
        editor = tiny_editor(config=replace(TINY, protect_weights=WEIGHTS, per_context=True))
        judge = Judge(needs)
        solve = editor.solve

        def solving(artefacts: Sequence[Artefact]) -> Solution:
            artefacts = list(artefacts)
            judge.weights |= {id_: round(a.protection, 6) for a in artefacts for id_ in a.fact_ids}
            return solve(artefacts)

        monkeypatch.setattr(editor, "solve", solving)
        records = house.services.records
        return Worker(house.services.settings, records, editor, judge, base, base_sha256=editor.base_sha256), judge

    return make


def approved(house: House, question: str, subject: str, answer: str) -> Correction:
    ledger, accounts = house.services.records.ledger, house.services.accounts
    flagged = ledger.flag(
        accounts.named("user"), question=question, answer="no idea", correct_answer=answer, category=Category.WRONG
    )
    ledger.triaged(
        flagged.id,
        Status.QUEUED,
        remedy=Remedy.WEIGHTS,
        reason="",
        evidence={},
        canonical_question=question,
        subject=subject,
    )
    return ledger.approve(flagged.id, accounts.named("admin"))


PAINTER = ("Who painted the Blue Door?", "the Blue Door", "Piet Aldering")
FOUNDER = ("Who founded Velmora Robotics?", "Velmora Robotics", "Ines Takeda")


def test_each_edit_is_released_under_the_first_weight_that_it_passes(house: House, make_worker):
    one, two = approved(house, *PAINTER), approved(house, *FOUNDER)
    worker, judge = make_worker({PAINTER[0]: 0.25, FOUNDER[0]: 0.05})
    worker.release(worker.plan())
    assert judge.tried == [{one.id: 0.25, two.id: 0.25}, {one.id: 0.25}, {one.id: 0.25, two.id: 0.05}]
    versions, ledger = house.services.records.versions, house.services.records.ledger
    wanted = versions.get(versions.serving().desired)
    assert set(wanted.corrections) == {one.id, two.id}
    stored = {c.id: Artefact.load(house.services.settings.artefacts_dir, ledger.get(c.id).artefact) for c in (one, two)}
    assert {id_: round(a.protection, 6) for id_, a in stored.items()} == {one.id: 0.25, two.id: 0.05}
    assert ledger.get(two.id).edit["protection"] == 0.05


def test_an_edit_that_passes_under_no_weight_is_set_aside_with_its_report_and_the_rest_goes_on(house, make_worker):
    one, two = approved(house, *PAINTER), approved(house, *FOUNDER)
    worker, judge = make_worker({PAINTER[0]: 0.25, FOUNDER[0]: None})
    worker.release(worker.plan())
    ledger, versions = house.services.records.ledger, house.services.records.versions
    assert versions.get(versions.serving().desired).corrections == (one.id,)
    assert ledger.get(two.id).status in (Status.IN_KNOWLEDGE, Status.FAILED)
    assert ledger.get(one.id).status is Status.EDITING
    assert {two.id: 0.05}.items() <= judge.tried[-1].items()


def test_a_weight_is_turned_down_and_up_again_to_the_same_artefact():
    editor = tiny_editor(config=replace(TINY, protect_weights=WEIGHTS, per_context=True))
    from editing.facts import Fact

    made = editor.artefact([Fact("f", PAINTER[1], PAINTER[0], PAINTER[2])])
    off = made.protecting(0.0)
    assert off.id != made.id
    assert not [row for row, _ in off.weighed if row.role.value == "protect"]
    assert off.protecting(0.25).id == made.id
    assert (off.delta == made.delta).all()


def test_a_full_disk_blames_no_edit_and_leaves_nothing_behind(house: House, make_worker, monkeypatch):
    one = approved(house, *PAINTER)
    worker, _ = make_worker({PAINTER[0]: 0.25})
    ledger, versions_dir = house.services.records.ledger, house.services.settings.versions_dir

    def full(*_args: object, **_kwargs: object) -> None:
        raise SafetensorError("Error while serializing: IoError(Os { code: 28, kind: StorageFull })")

    with monkeypatch.context() as broken:
        broken.setattr("editing.edit_set.save_file", full)
        broken.setattr(worker, "round", lambda: worker.release(worker.plan()))
        for _ in range(house.services.records.policy.limits.crashes + 1):
            assert worker.turn() == BLOCKED_S
            assert ledger.get(one.id).status is Status.APPROVED
    assert not versions_dir.exists() or list(versions_dir.iterdir()) == []
    assert "make room" in read_progress(house.services.settings.data_dir).message
    worker.release(worker.plan())
    assert house.services.records.versions.serving().desired != "base"
