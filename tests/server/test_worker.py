"""The worker's release: what fails under one weight of the protected keys is tried under the next, then set aside."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import SafetensorError

from editing.edit_set import Artefact
from editing.testing import TINY, tiny_editor
from governance.corrections import Status
from server.progress import read_progress
from server.worker import BLOCKED_S, Worker
from tests_support import House
from tests_support_release import FOUNDER, PAINTER, WEIGHTS, Judge, approved, save_tiny, worker_of


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return save_tiny(tmp_path / "model")


@pytest.fixture
def make_worker(house: House, base: Path):
    def make(needs: dict[str, float | None]) -> tuple[Worker, Judge]:
        worker = worker_of(house.services.settings, house.services.records, base, needs)
        return worker, worker._gate

    return make


def test_each_edit_is_released_under_the_first_weight_that_it_passes(house: House, make_worker):
    one, two = approved(house.services.records, *PAINTER), approved(house.services.records, *FOUNDER)
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
    one, two = approved(house.services.records, *PAINTER), approved(house.services.records, *FOUNDER)
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
    assert bool(off.columns.moved.all())
    assert off.protecting(0.25).id == made.id
    assert (off.values == made.values).all()


def test_a_database_that_cannot_grow_is_waited_for(house: House, make_worker, monkeypatch):
    one = approved(house.services.records, *PAINTER)
    worker, _ = make_worker({PAINTER[0]: 0.25})

    def full(*_args: object, **_kwargs: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(worker, "round", lambda: worker.release(worker.plan()))
        broken.setattr(worker._records.ledger, "start_editing", full)
        broken.setattr(worker._records.ledger, "requeue_interrupted", full)
        assert worker.turn() == BLOCKED_S
    assert "make room" in read_progress(house.services.settings.data_dir).message
    while worker.turn() == 0.0:
        pass
    assert house.services.records.ledger.get(one.id).status is Status.EDITING


def test_a_full_disk_blames_no_edit_and_leaves_nothing_behind(house: House, make_worker, monkeypatch):
    one = approved(house.services.records, *PAINTER)
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
