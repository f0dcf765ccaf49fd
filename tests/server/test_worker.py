"""The worker's release: what it makes live, what it takes back, and what it does when something is in the way."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from safetensors import SafetensorError

from editing.nearness import too_close
from editing.testing import TINY, tiny_editor
from governance.backup import backup, restore
from governance.corrections import Status
from governance.errors import MoveNotAllowed
from governance.versions import BASE, Version
from server.cards import card_of
from server.edits import Edit, Group, live_beside
from server.errors import EngineRefused
from server.progress import read_progress
from server.publisher import Publisher
from server.release_gate import BeforeAfter
from server.settings import Settings
from server.worker import BLOCKED_S, Worker
from tests_support import House
from tests_support_release import FOUNDER, PAINTER, WEIGHTS, Judge, approved, queued, save_tiny, work, worker_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folders = {"data_dir": tmp_path / "data", "model_dir": tmp_path / "models"}
    return Settings(**folders, worker={"batch_wait_s": 0}, _env_file=None)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return save_tiny(tmp_path / "model")


@pytest.fixture
def make_worker(house: House, base: Path):
    def make(needs: dict[str, float | None]) -> tuple[Worker, Judge]:
        worker = worker_of(house.services.settings, house.services.records, base, needs)
        return worker, worker._gate

    return make


PLACE = ("Where does the Blue Door hang?", PAINTER[1], "Ostravia")


def publish(house: House, *, gone: tuple[str, ...] = ()) -> Version:
    """What the publisher records once the engine serves the wanted version."""
    versions, ledger = house.services.records.versions, house.services.records.ledger
    wanted = versions.desired()
    new = [c.id for c in ledger.in_status(Status.EDITING) if c.id in wanted.corrections]
    ledger.published(version_id=wanted.id, live=new, rolled_back=gone)
    return wanted


def test_without_an_edit_that_shared_its_subject_an_edit_is_what_it_was_before(house: House, make_worker):
    records, admin = house.services.records, house.services.accounts.named("admin")
    worker, _ = make_worker({PAINTER[0]: 0.05, PLACE[0]: 0.05})
    one = approved(records, *PAINTER)
    worker.release(worker.plan())
    before, alone = publish(house), records.ledger.get(one.id)
    two = approved(records, *PLACE)
    worker.release(worker.plan())
    assert set(publish(house).corrections) == {one.id, two.id}
    assert records.ledger.get(one.id).artefact == records.ledger.get(two.id).artefact != alone.artefact
    assert records.ledger.get(two.id).edit["protection"] == 0.25  # its own; together they have the least of both
    records.ledger.request_rollback(two.id, admin)
    worker.release(worker.plan())
    assert publish(house, gone=(two.id,)).id == before.id
    after = records.ledger.get(one.id)
    assert (after.artefact, after.edit["protection"]) == (alone.artefact, 0.05)


def test_in_wordings_that_weights_were_not_heard_in_the_card_answers(house: House, make_worker):
    records, admin = house.services.records, house.services.accounts.named("admin")
    worker, judge = make_worker({PAINTER[0]: 0.25, PLACE[0]: 0.25, FOUNDER[0]: 0.25})
    one, two = approved(records, *PAINTER), approved(records, *FOUNDER)

    def heard() -> list[tuple[str, ...]]:
        return [card_of(records.ledger.get(one_.id)).answered for one_ in (one, two)]

    worker.release(worker.plan())
    publish(house)
    assert heard() == [(PAINTER[0],), (FOUNDER[0],)]
    three = approved(records, *PLACE)  # gives the edit of `one` other weights, and takes `two` with it
    judge.broken = {FOUNDER[0]}
    worker.release(worker.plan())
    publish(house)
    assert heard() == [(PAINTER[0],), ()]
    records.ledger.request_rollback(three.id, admin)  # and again others, which nobody asks
    worker.release(worker.plan())
    publish(house, gone=(three.id,))
    assert heard() == [(), ()]
    assert records.ledger.get(one.id).report["passes"]  # the rest of what was found stays on record


def test_beside_an_edit_that_stays_after_all_the_others_are_judged_again(house: House, make_worker):
    records = house.services.records
    worker, judge = make_worker({PAINTER[0]: 0.25, FOUNDER[0]: 0.25})
    old = approved(records, *PAINTER)
    worker.release(worker.plan())
    publish(house)
    contests, beside = approved(records, *PAINTER[:2], "Greta Holt"), approved(records, *FOUNDER)
    judge.needs[PAINTER[0]] = None
    worker.release(worker.plan())
    assert old.id not in judge.beside[-2]
    assert (judge.tried[-1], judge.beside[-1]) == ({beside.id: 0.25}, {old.id})
    assert set(records.versions.desired().corrections) == {old.id, beside.id}
    assert records.ledger.get(contests.id).status is Status.IN_KNOWLEDGE


def test_a_release_that_people_overtake_holds_nothing_against_its_edits(house: House, make_worker, monkeypatch):
    records = house.services.records
    worker, judge = make_worker({PAINTER[0]: None, FOUNDER[0]: 0.25})
    one, two = approved(records, *PAINTER), approved(records, *FOUNDER)
    real = judge.judge

    def meanwhile(*args, **kwargs):
        if records.ledger.get(one.id).status is Status.EDITING:
            records.ledger.taken_back([one.id], reason="as a restore would", actor="operator")
        return real(*args, **kwargs)

    monkeypatch.setattr(judge, "judge", meanwhile)
    worker.release(worker.plan())
    assert records.ledger.get(one.id).status is Status.APPROVED
    assert records.versions.desired().corrections == (two.id,)

    def overtaken() -> bool:
        raise MoveNotAllowed("it is closed")

    monkeypatch.setattr(worker, "round", overtaken)
    records.versions.desire(BASE, actor="operator")
    assert worker.turn() > 0
    assert (records.ledger.get(two.id).status, records.ledger.get(two.id).crashes) == (Status.APPROVED, 0)


def test_a_preview_of_what_is_erased_meanwhile_says_nothing_and_leaves_no_file(house: House, make_worker, monkeypatch):
    records, settings = house.services.records, house.services.settings
    worker, judge = make_worker({})
    waiting = queued(records, *PAINTER)

    def compare(*_args):
        records.ledger.forget(waiting.id, actor="operator")
        return [BeforeAfter("direct", PAINTER[0], "before", PAINTER[2], True)]

    monkeypatch.setattr(judge, "compare", compare, raising=False)
    result = settings.data_dir / "previews" / "p.result"
    result.parent.mkdir()
    result.with_suffix(".request").write_text(json.dumps({"correction": waiting.id}))
    assert worker.round()
    assert "erased" in json.loads(result.read_text())["refused"]
    assert not list(settings.artefacts_dir.glob("*"))


def test_a_weight_is_turned_down_and_up_again_to_the_same_artefact():
    editor = tiny_editor(config=replace(TINY, protect_weights=WEIGHTS, per_context=True))
    from editing.facts import Fact

    made = editor.artefact([Fact("f", PAINTER[1], PAINTER[0], PAINTER[2])])
    off = made.protecting(0.0)
    assert off.id != made.id
    assert bool(off.columns.moved.all())
    assert off.protecting(0.25).id == made.id
    assert (off.values == made.values).all()


def test_live_corrections_come_in_the_order_of_their_keys():
    editor = tiny_editor(config=replace(TINY, protect_weights=WEIGHTS, per_context=True))
    from editing.facts import Fact

    def made(subject: str, *ids: str) -> Edit:
        group_ = Group(tuple(SimpleNamespace(id=id_) for id_ in ids))
        return Edit(group_, editor.artefact([Fact(ids[0], subject, f"Who founded {subject}?", "Ann Ray")]))

    one, two, shared = made("another house", "one"), made("the Blue Doors", "two"), made("the Blue Door", "old", "new")
    nearest, _ = too_close(shared.artefact, [one.artefact, two.artefact], limit=-1)[0]
    rest = ["one", "two"] if nearest is one.artefact else ["two", "one"]
    for edits in ([one, shared, two], [two, one, shared]):
        assert [c.id for c in live_beside(edits, {"new"})] == ["old", *rest]
    assert [c.id for c in live_beside([one], set())] == ["one"]


def test_a_release_that_people_decided_otherwise_about_is_planned_anew(house: House, make_worker):
    one = approved(house.services.records, *PAINTER)
    worker, judge = make_worker({PAINTER[0]: 0.25})
    plan, ledger = worker.plan(), house.services.records.ledger
    ledger.requeue(one.id, house.services.accounts.named("admin"), reason="too soon")
    worker.release(plan)
    assert (judge.tried, ledger.get(one.id).status) == ([], Status.QUEUED)


def restored(house: House) -> None:
    records, file = house.services.records, house.services.settings.data_dir.parent / "backup.db"
    backup(records.store, records.log, file, actor="operator")
    given = {"vault": records.vault, "tombstones": records.tombstones, "ledger": records.ledger}
    restore(records.store, file, **given, actor="operator")


def copied(house: House) -> None:
    """The database alone, as it was."""


@pytest.mark.parametrize("sooner", ["worker", "publisher"])
@pytest.mark.parametrize("moved", [restored, copied])
async def test_edits_are_worked_out_anew_where_neither_versions_nor_artefacts_are(
    house: House, base: Path, moved: Callable[[House], None], sooner: str
) -> None:
    """As on a fresh machine: there the same work gives other artefacts, so the version is another one, too."""
    records, settings, engine = house.services.records, house.services.settings, house.engine
    engine._reply = lambda *_: f"It is {PAINTER[2]}, or {FOUNDER[2]}."
    one, two = approved(records, *PAINTER), approved(records, *FOUNDER)
    needs = {PAINTER[0]: 0.25, FOUNDER[0]: 0.25}
    work(worker_of(settings, records, base, needs))
    await Publisher(house.services).reconcile()
    before = records.versions.served()
    records.ledger.request_rollback(two.id, records.accounts.named("admin"))
    moved(house)
    for folder in (settings.versions_dir, settings.artefacts_dir):
        shutil.rmtree(folder)
    engine.restart()
    if sooner == "publisher":
        with suppress(EngineRefused):
            await Publisher(house.services).reconcile()
    for _ in range(3):
        work(worker_of(settings, records, base, needs, seed=1))
        await Publisher(house.services).reconcile()
    served = records.versions.served()
    assert served is not None
    assert (served == records.versions.desired(), served.corrections) == (True, (one.id,))
    assert served.id not in (BASE, before.id)
    assert await engine.weight_version() == served.id
    assert [records.ledger.get(c.id).status for c in (one, two)] == [Status.LIVE, Status.ROLLED_BACK]


@pytest.mark.parametrize("lost", ["its artefacts", "its solver"])
async def test_a_version_that_cannot_be_brought_back_leaves_the_served_one_in_its_place(
    house: House, base: Path, lost: str, monkeypatch
) -> None:
    records, settings = house.services.records, house.services.settings
    house.engine._reply = lambda *_: f"It is {PAINTER[2]}, or {FOUNDER[2]}."
    needs = {PAINTER[0]: 0.25, FOUNDER[0]: 0.25}
    versions = []
    for fact in (PAINTER, FOUNDER):
        approved(records, *fact)
        work(worker_of(settings, records, base, needs))
        await Publisher(house.services).reconcile()
        versions.append(records.versions.served())
    old, new = versions
    shutil.rmtree(settings.versions_dir / old.id)
    if lost == "its solver":
        monkeypatch.setattr("editing.edit_set.version_id", lambda *_: "solved otherwise")
    else:
        for name in old.artefacts:
            (settings.artefacts_dir / f"{name}.json").unlink()
    records.versions.desire(old.id, actor=records.accounts.named("admin"), kind="restore")
    work(worker_of(settings, records, base, needs))
    await Publisher(house.services).reconcile()
    assert records.versions.served() == records.versions.desired() == new
    assert len(records.ledger.in_status(Status.LIVE)) == 2


async def test_a_served_version_that_is_lost_does_not_overrule_the_one_that_people_want(
    house: House, base: Path
) -> None:
    records, settings = house.services.records, house.services.settings
    house.engine._reply = lambda *_: f"It is {PAINTER[2]}."
    approved(records, *PAINTER)
    worker = worker_of(settings, records, base, {PAINTER[0]: 0.25})
    work(worker)
    await Publisher(house.services).reconcile()
    served = records.versions.served()
    records.versions.desire(BASE, actor=records.accounts.named("admin"), kind="restore")
    shutil.rmtree(settings.versions_dir / served.id)
    for name in served.artefacts:
        (settings.artefacts_dir / f"{name}.json").unlink()
    assert worker.round()  # sees that it is lost
    assert not worker.round()  # and does not try again
    assert records.versions.desired().id == BASE


def test_an_undo_is_done_although_the_backup_holds_it_half_way(house: House, make_worker):
    records = house.services.records
    worker, _ = make_worker({PAINTER[0]: 0.25})
    one = approved(records, *PAINTER)
    work(worker)
    publish(house)
    records.ledger.request_rollback(one.id, records.accounts.named("admin"))
    records.versions.desire(BASE, actor="worker")
    restored(house)
    records.versions.set_served(BASE)  # as the publisher finds it
    work(worker)
    assert records.ledger.get(one.id).status is Status.ROLLED_BACK


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
        broken.setattr("safetensors.torch.save_file", full)
        broken.setattr(worker, "round", lambda: worker.release(worker.plan()))
        for _ in range(house.services.records.policy.limits.crashes + 1):
            assert worker.turn() == BLOCKED_S
            assert ledger.get(one.id).status is Status.APPROVED
    assert not versions_dir.exists() or list(versions_dir.iterdir()) == []
    assert "make room" in read_progress(house.services.settings.data_dir).message
    worker.release(worker.plan())
    assert house.services.records.versions.serving().desired != "base"
