"""A version whose tensors cannot be loaded: another one that people want is served, and its files are made again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import SafetensorError, safe_open

from governance.corrections import Status
from governance.versions import BASE, Version
from server.engines.protocol import SwapFailed, SwapTimes
from server.errors import EngineUnavailable, ServerError
from server.publisher import Publisher
from server.settings import Settings
from server.version_files import TENSORS, VersionFiles
from server.worker import Worker, take_base
from tests_support import House
from tests_support_release import FOUNDER, PAINTER, approved, save_tiny, work, worker_of

BOTH = {PAINTER[0]: 0.25, FOUNDER[0]: 0.25}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folders = {"data_dir": tmp_path / "data", "model_dir": tmp_path / "models"}
    return Settings(**folders, worker={"batch_wait_s": 0}, _env_file=None)  # type: ignore[call-arg, arg-type]


@pytest.fixture
def worker(house: House, tmp_path: Path) -> Worker:
    base = save_tiny(tmp_path / "model")
    return worker_of(house.services.settings, house.services.records, base, BOTH)  # type: ignore[arg-type]


@pytest.fixture
async def publisher(house: House, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """Over an engine that reads what it is given. The painter's correction is live."""
    swap = house.engine.swap

    async def reading(folder: Path, version_id: str) -> SwapTimes:
        try:
            with suppress(FileNotFoundError), safe_open(folder / TENSORS, framework="np"):
                pass
        except SafetensorError as error:
            house.engine.swap_fault = str(error)
        return await swap(folder, version_id)

    monkeypatch.setattr(house.engine, "swap", reading)
    house.engine._reply = lambda *_: f"It is {PAINTER[2]}."
    approved(house.services.records, *PAINTER)
    work(worker)
    made = Publisher(house.services)
    await made.reconcile()
    assert house.services.serving.version.active_edits == 1
    return made


def served(house: House) -> Version:
    found = house.services.records.versions.served()
    assert found is not None
    return found


def tensors_of(house: House, version: Version) -> Path:
    return house.services.settings.versions_dir / version.id / TENSORS


def cut(house: House) -> None:
    file = tensors_of(house, served(house))
    file.write_bytes(file.read_bytes()[:-3])


def empty(house: House) -> None:
    tensors_of(house, served(house)).write_bytes(b"")


def gone(house: House) -> None:
    shutil.rmtree(tensors_of(house, served(house)).parent)


@pytest.mark.parametrize("damage", [cut, empty, gone])
async def test_a_served_version_that_cannot_be_loaded_is_made_again(
    house: House, worker: Worker, publisher: Publisher, damage: Callable[[House], None]
) -> None:
    before, bits = served(house), tensors_of(house, served(house)).read_bytes()
    damage(house)
    house.engine.restart()
    with pytest.raises(ServerError):
        await publisher.reconcile()
    assert not house.services.serving.is_open
    work(worker)
    assert tensors_of(house, before).read_bytes() == bits
    await publisher.reconcile()
    assert await house.engine.weight_version() == before.id == served(house).id
    assert house.services.serving.is_open


@pytest.mark.parametrize("damage", [cut, gone])
async def test_the_kill_switch_works_although_the_served_version_cannot_be_loaded(
    house: House, publisher: Publisher, damage: Callable[[House], None]
) -> None:
    damage(house)
    house.engine.restart()
    records = house.services.records
    records.versions.desire(BASE, actor=records.accounts.named("admin"), kind="restore")
    await publisher.reconcile()
    assert (served(house).id, await house.engine.weight_version()) == (BASE, BASE)
    assert house.services.serving.is_open
    assert [c.status for c in records.ledger.in_status(Status.LIVE)] == []


async def test_a_release_that_fails_gives_way_to_the_base_where_the_version_before_cannot_be_loaded(
    house: House, worker: Worker, publisher: Publisher
) -> None:
    records = house.services.records
    new = approved(records, *FOUNDER)
    work(worker)
    cut(house)  # the engine still carries it
    await publisher.reconcile()  # the engine's reply does not show the new edit
    assert (await house.engine.weight_version(), house.services.serving.version.id) == (BASE, BASE)
    assert records.ledger.get(new.id).status is Status.APPROVED
    for _ in range(3):
        work(worker)
        await publisher.reconcile()
    assert records.ledger.get(new.id).status is Status.IN_KNOWLEDGE
    assert {c.claim.question for c in records.ledger.in_status(Status.LIVE)} == {PAINTER[0]}
    assert await house.engine.weight_version() == served(house).id


async def test_a_build_that_edits_other_tensors_makes_the_folders_anew(
    house: House, worker: Worker, publisher: Publisher
) -> None:
    """A folder without a tensor that another version changes would leave it as that one has it."""
    records, files = house.services.records, VersionFiles(house.services.settings)
    ids = (BASE, served(house).id)
    take_base(records, files, "5a" * 32)
    work(worker)
    take_base(records, files, "5a" * 32)
    assert all(files.has_tensors(id_) for id_ in ids)
    take_base(records, files, "b1" * 32)
    assert not any(files.has_tensors(id_) for id_ in ids)
    work(worker)
    await publisher.reconcile()
    assert all(files.has_tensors(id_) for id_ in ids)
    assert await house.engine.weight_version() == served(house).id == ids[1]


async def test_a_build_that_edits_other_layers_judges_live_edits_anew(
    house: House, worker: Worker, publisher: Publisher
) -> None:
    records, before = house.services.records, served(house)
    editor = worker._editor
    editor.statistics = replace(editor.statistics, base_sha256=editor.base_sha256)
    editor._take(replace(editor.config, layers=editor.config.layers[:1]), editor.closed_form)
    take_base(records, VersionFiles(house.services.settings), editor.solve([]).tensors_sha256())
    plan = worker.plan()
    assert [c.claim.question for c in plan.moved] == [PAINTER[0]]
    assert not plan.kept
    for _ in range(3):
        work(worker)
        await publisher.reconcile()
    (live,) = records.ledger.in_status(Status.LIVE)
    assert live.edit["layers"] == list(editor.config.layers)
    assert live.report["passes"]
    assert served(house).corrections == before.corrections
    assert await house.engine.weight_version() == served(house).id != before.id


async def test_tensors_that_are_whole_are_kept_when_a_swap_fails(house: House, publisher: Publisher) -> None:
    file = tensors_of(house, served(house))
    house.engine.restart()
    house.engine.swap_fault = "out of memory"
    with pytest.raises(SwapFailed):
        await publisher.reconcile()
    assert file.is_file()
    await publisher.reconcile()
    assert house.services.serving.is_open


async def test_the_same_trouble_is_logged_once(
    house: House, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    publisher._pause_s = 0.001
    gone(house)
    house.engine.restart()
    running = asyncio.create_task(publisher.run())
    async with asyncio.timeout(10):
        while "no tensors" not in house.services.serving.why_closed:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    running.cancel()
    with suppress(asyncio.CancelledError, EngineUnavailable):
        await running
    assert caplog.text.count("has no tensors") == 1
