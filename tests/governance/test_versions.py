"""Versions: what is wanted, what is served, and what may never be served again."""

import pytest

from governance.corrections import Fallback, Status
from governance.errors import MoveNotAllowed, NotFound
from governance.versions import Versions


def test_base_is_registered_once_and_another_base_is_refused(room):
    assert room.versions.ensure_base("ba5e" * 16).id == "base"
    with pytest.raises(MoveNotAllowed, match="--rebase"):
        room.versions.ensure_base("0ther" * 12)
    room.versions.rebase("0ther" * 12, actor="setup")
    assert room.versions.ensure_base("0ther" * 12).base_sha256 == "0ther" * 12


def test_the_base_s_tensors_are_measured_once_for_each_base(room):
    size = room.log.size()
    for _ in range(2):
        room.versions.measure_base("7e" * 32)
    assert room.versions.get("base").tensors_sha256 == "7e" * 32
    assert room.log.size() == size + 1
    room.versions.rebase("0ther" * 12, actor="setup")
    assert room.versions.get("base").tensors_sha256 == ""


def test_recording_a_built_version_twice_changes_nothing(room):
    correction = room.editing()
    first = room.build("v1", correction.id)
    size = room.log.size()
    assert room.build("v1", correction.id) == first
    assert room.log.size() == size
    assert first.corrections == (correction.id,)


def test_wanted_and_served_differ_until_the_publisher_confirms(room):
    room.build("v1")
    serving = room.versions.desire("v1", actor=room.admin, reason="because", kind="restore")
    assert (serving.desired, serving.served, serving.kind, serving.reason) == (
        "v1",
        None,
        "restore",
        "because",
    )
    desired = {"kind": "version.desired", "version": "v1", "for": "restore", "actor": room.admin.pseudonym}
    assert desired.items() <= room.entries()[-1].items()
    room.versions.set_served("v1", swap_pause_s=0.123456)
    assert room.versions.served().id == "v1"
    assert room.entries()[-1]["pause_s"] == 0.1235
    assert room.versions.served().live_since is not None


def test_a_version_says_since_when_it_is_served_and_how_long_its_last_swap_took(room):
    for version_id in ("v1", "v2"):
        room.build(version_id)
    for version_id, pause in (("v1", 0.25), ("v2", 0.5), ("v1", 0.125), ("v1", 9.0), ("v2", None)):
        room.versions.set_served(version_id, swap_pause_s=pause)
    first, second = (room.versions.get(version_id) for version_id in ("v1", "v2"))
    assert (first.live_since, first.swap_pause_s, second.swap_pause_s) == (None, 0.125, 0.5)
    assert second.live_since == room.versions.served().live_since > second.created
    served = [entry for entry in room.entries() if entry["kind"] == "version.served"]
    assert [(entry["before"], entry["version"]) for entry in served] == [
        (None, "v1"),
        ("v1", "v2"),
        ("v2", "v1"),
        ("v1", "v2"),
    ]


def test_a_version_is_purged_once_and_the_log_says_by_whom(room):
    room.build("v1")
    for actor in (room.admin, room.second_admin):
        room.versions.purge("v1", actor=actor)
    (entry,) = [entry for entry in room.entries() if entry["kind"] == "version.purged"]
    assert (entry["version"], entry["actor"], entry["role"]) == ("v1", room.admin.pseudonym, "admin")
    assert room.versions.get("v1").purged
    room.build("v2")
    room.versions.desire("v2", actor="worker")
    room.versions.set_served("v2")
    with pytest.raises(MoveNotAllowed, match="wanted or served"):
        room.versions.purge("base", actor=room.admin)


def test_a_version_of_another_base_is_not_served_on_this_one(room):
    room.build("v1")
    room.versions.rebase("0ther" * 12, actor="setup")
    with pytest.raises(MoveNotAllowed, match="another base model"):
        room.versions.desire("v1", actor="worker")
    assert room.versions.desired().id == "base"


def test_unknown_purged_and_served_versions_are_refused_where_they_must_be(room):
    room.build("v1")
    for act in (lambda: room.versions.get("v9"), lambda: room.versions.desire("v9", actor="worker")):
        with pytest.raises(NotFound):
            act()
    room.versions.desire("v1", actor="worker")
    with pytest.raises(MoveNotAllowed, match="wanted or served"):
        room.versions.purge("v1", actor="erasure")
    room.versions.desire("base", actor="worker")
    room.versions.purge("v1", actor="erasure")
    with pytest.raises(MoveNotAllowed, match="purged"):
        room.versions.desire("v1", actor="worker")
    with pytest.raises(ValueError, match="kind"):
        room.versions.desire("base", actor="worker", kind="other")


@pytest.mark.parametrize("became", [Status.EDITING, Status.APPROVED, Status.QUEUED, Status.IN_KNOWLEDGE, Status.FAILED])
def test_a_version_whose_edit_was_never_in_force_is_not_restored(room, became):
    queued = room.queued()
    room.ledger.approve(queued.id, room.admin, fallback=Fallback.NONE if became == "failed" else Fallback.KNOWLEDGE)
    room.ledger.start_editing([queued.id])
    room.build("v1", queued.id)
    if became in (Status.IN_KNOWLEDGE, Status.FAILED):
        room.ledger.gate_failed(queued.id, {})
    elif became is not Status.EDITING:
        room.ledger.probe_failed(queued.id, {})
    if became is Status.QUEUED:
        room.ledger.requeue(queued.id, room.admin)
    assert room.ledger.get(queued.id).status is became
    before = (room.versions.serving(), room.log.size())
    with pytest.raises(MoveNotAllowed, match=f"{queued.id}.*{became.value}"):
        room.versions.desire("v1", actor=room.admin, kind="restore")
    assert (room.versions.serving(), room.log.size()) == before
    room.versions.desire("v1", actor="worker")  # what the worker has built is probed before it is served


@pytest.mark.parametrize("became", [Status.LIVE, Status.ROLLED_BACK, Status.SUPERSEDED])
def test_a_version_whose_edits_were_in_force_is_restored(room, became):
    live = room.live("v1")
    if became is Status.ROLLED_BACK:
        room.ledger.published(version_id="base", rolled_back=[live.id])
    elif became is Status.SUPERSEDED:
        newer = room.live("v2", correct_answer="Leonardo")
        room.ledger.published(version_id="v2", superseded={live.id: newer.id})
    assert room.ledger.get(live.id).status is became
    assert room.versions.desire("v1", actor=room.admin, kind="restore").desired == "v1"


def test_without_a_base_nothing_can_be_served(tmp_path, room):
    with room.store.transaction():
        room.store.write("DELETE FROM serving")
    with pytest.raises(NotFound, match="ensure_base"):
        Versions(room.store, room.log, room.vault).serving()
