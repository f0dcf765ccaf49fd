"""Fitting: what does not reach far enough under one weight of the protected keys is tried under the next, then set aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from editing.edit_set import Artefact
from governance.corrections import Status
from server.settings import Settings
from server.worker import Worker
from tests_support import House
from tests_support_release import FOUNDER, PAINTER, Judge, approved, save_tiny, worker_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folders = {"data_dir": tmp_path / "data", "model_dir": tmp_path / "models"}
    return Settings(**folders, worker={"batch_wait_s": 0}, _env_file=None)


@pytest.fixture
def make_worker(house: House, tmp_path: Path):
    base = save_tiny(tmp_path / "model")

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


def test_an_edit_that_moves_too_much_is_not_tried_with_less_protection(house: House, make_worker):
    one, two = approved(house.services.records, *PAINTER), approved(house.services.records, *FOUNDER)
    worker, judge = make_worker({PAINTER[0]: 0.25, FOUNDER[0]: 0.05})
    judge.leaking.add(FOUNDER[0])
    worker.release(worker.plan())
    assert judge.tried == [{one.id: 0.25, two.id: 0.25}, {one.id: 0.25}]
    assert house.services.records.ledger.get(two.id).status in (Status.IN_KNOWLEDGE, Status.FAILED)
