"""Backups while serving; restores that keep the log and replay erasures."""

import sqlite3
import threading
import time

import pytest

from governance.audit import Log
from governance.audit_verify import verify
from governance.backup import backup, discard_unfinished, restore
from governance.checkpoints import Checkpoints
from governance.corrections import Status
from governance.erasure import Erasures
from governance.errors import LogError
from governance.notes import Signer
from governance.requests import Questions, Subject
from governance.store import Store
from governance.tombstones import Tombstone, Tombstones
from governance.tools import Tools

SIGNER = Signer(b"k" * 32)


@pytest.fixture
def tombstones(room):
    return Tombstones(room.path / "erased.jsonl")


def erase(room, tombstones, account):
    erasures = Erasures(
        room.store, room.vault, room.log, accounts=room.accounts, ledger=room.ledger, tombstones=tombstones
    )
    request = erasures.file(room.admin, subject=Subject((), (), account.id))
    erasures.verify_identity(request.id, room.admin, how="known")
    erasures.find(request.id, room.admin, tools=Tools())
    erasures.decide(request.id, room.admin, questions=Questions(correct=False, many=False), reason="asked for")
    erasures.approve(request.id, room.admin)
    erasures.execute(request.id, room.admin, tools=Tools())


def test_a_backup_verifies_and_opens_read_only(room):
    room.flag()
    size = backup(room.store, room.log, room.path / "backup.db", actor="operator")
    report = verify(database=room.path / "backup.db")
    assert report.ok
    assert report.size == size == room.log.size() - 1
    assert room.entries()[-1]["kind"] == "backup.made"
    assert (room.path / "backup.db").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError, match="another name"):
        backup(room.store, room.log, room.path / "backup.db", actor="operator")


def test_a_backup_that_failed_is_neither_logged_nor_left_lying_about(room, monkeypatch):
    def full(*_args):
        raise sqlite3.OperationalError("database or disk is full")

    before = room.log.size()
    monkeypatch.setattr("governance.backup.os.chmod", full)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        backup(room.store, room.log, room.path / "backup.db", actor="operator")
    with pytest.raises(FileNotFoundError, match="no folder"):
        backup(room.store, room.log, room.path / "nowhere" / "backup.db", actor="operator")
    assert room.log.size() == before
    assert not list(room.path.glob("*backup*"))
    assert not list(room.path.glob(".*backup*"))


def test_a_backup_is_made_while_others_write(room):
    with room.store.transaction():
        room.store.write("CREATE TABLE ballast AS SELECT zeroblob(20000000) AS bytes")  # several steps, if it had any
    begun, stop, ends = threading.Event(), threading.Event(), time.monotonic() + 10

    def write():
        while not stop.is_set() and time.monotonic() < ends:
            with room.store.transaction():
                room.log.append("test", {})
            begun.set()

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait()
    size = backup(room.store, room.log, room.path / "backup.db", actor="operator")
    still_writing = thread.is_alive()
    stop.set()
    thread.join()
    assert still_writing
    report = verify(database=room.path / "backup.db")
    assert (report.ok, report.size) == (True, size)
    assert verify(database=room.store.path).size > size


def test_a_restore_brings_the_state_back_and_keeps_the_log(room, tombstones):
    kept = room.queued()
    checkpoints = Checkpoints(room.log, SIGNER, [room.path / "checkpoints"])
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    room.ledger.reject(kept.id, room.admin)
    later = room.flag(question="Who painted The Scream?")
    checkpoints.write()
    before = room.log.size()
    done = restore(room.store, room.path / "backup.db", tombstones=tombstones, ledger=room.ledger, actor="operator")
    assert not done.lost_log
    assert done.kept_entries == 3  # that the backup was made among them
    assert room.ledger.get(kept.id).status is Status.QUEUED
    assert later.id not in [correction.id for correction in room.ledger.list()[0]]
    assert room.log.size() == before + 1
    assert room.entries()[-1]["kind"] == "backup.restored"
    # The checkpoint signed before the restore is still true, and the log goes on from it.
    checkpoints.write()
    report = verify(database=room.store.path, checkpoints=[room.path / "checkpoints"], key=SIGNER.verifier_key)
    assert report.ok
    assert report.newest_head == report.size
    assert room.ledger.approve(kept.id, room.admin).status is Status.APPROVED


def test_erasures_are_replayed_after_a_restore(room, tombstones):
    report = room.flag(comment="zebra")
    chat = room.answers.record(
        account_id=room.user.id, question="zebra?", answer="zebra!", route="model", reason="", weights_version="base"
    )
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    erase(room, tombstones, room.user)
    done = restore(room.store, room.path / "backup.db", tombstones=tombstones, ledger=room.ledger, actor="operator")
    assert done.replayed > 0
    assert room.ledger.get(report.id).erased
    assert room.answers.texts(room.answers.get(chat.id)) == ("", "")
    assert room.vault.is_erased(room.user.id)
    assert room.accounts.get(room.user.id).disabled
    assert room.accounts.get(room.user.id).name.startswith("erased_")


def test_a_fact_in_force_outlives_its_erased_reporter_after_a_restore_too(room, tombstones):
    live = room.live("v1", comment="zebra")
    queued = room.queued(question="Who painted The Scream?")
    conversation = room.answers.start_conversation(room.user.id, "zebra")
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    erase(room, tombstones, room.user)
    adopted = room.ledger.get(live.id)
    restore(room.store, room.path / "backup.db", tombstones=tombstones, ledger=room.ledger, actor="operator")
    again = room.ledger.get(live.id)
    assert (again.status, again.claim, again.comment) == (Status.LIVE, adopted.claim, "")
    assert again.claim.correct_answer == "Leonardo da Vinci"
    forgotten = room.ledger.get(queued.id)
    assert (forgotten.status, forgotten.erased) == (Status.CLOSED, True)
    assert not room.store.value("SELECT COUNT(*) FROM conversations WHERE id = :id", id=conversation.id)
    # A second restore finds it adopted already.
    backup(room.store, room.log, room.path / "again.db", actor="operator")
    size = room.log.size()
    restore(room.store, room.path / "again.db", tombstones=tombstones, ledger=room.ledger, actor="operator")
    assert room.ledger.get(live.id).claim == adopted.claim
    assert room.log.size() == size + 1


def test_what_was_forgotten_is_in_force_no_longer_after_a_restore(room, tombstones):
    live = room.live("v1")
    editing = room.editing(question="Who painted The Scream?")
    in_knowledge = room.editing(question="Who painted The Kiss?")
    room.ledger.gate_failed(in_knowledge.id, {})
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    tombstones.add(Tombstone("correction", one.id) for one in (live, editing, in_knowledge))
    done = restore(room.store, room.path / "backup.db", tombstones=tombstones, ledger=room.ledger, actor="operator")
    after = [room.ledger.get(one.id) for one in (live, editing, in_knowledge)]
    assert [one.status for one in after] == [Status.ROLLED_BACK, Status.CLOSED, Status.ROLLED_BACK]
    assert all(one.erased for one in after)
    assert done.replayed == 3
    assert verify(database=room.store.path).ok


def test_a_chat_that_was_deleted_stays_deleted_after_a_restore(room, tombstones):
    answers = type(room.answers)(room.store, room.vault, tombstones=tombstones)
    conversation = answers.start_conversation(room.user.id, "zebra")
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    answers.delete(conversation.id)
    restore(room.store, room.path / "backup.db", tombstones=tombstones, ledger=room.ledger, actor="operator")
    assert answers.conversations(room.user.id) == ([], None)
    assert room.entries()[-2]["kind"] == "conversation.deleted"


def test_what_a_killed_restore_left_is_discarded_and_one_under_way_goes_on(room, tombstones):
    kept = room.queued()
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    room.ledger.reject(kept.id, room.admin)
    scratch = room.path / ".errata.db.restoring"

    def replay(store, _stones):
        assert scratch.exists()
        discard_unfinished(room.store.path)
        assert not scratch.exists()
        return 0

    restore(
        room.store,
        room.path / "backup.db",
        tombstones=tombstones,
        ledger=room.ledger,
        actor="operator",
        replay=replay,
    )
    assert room.ledger.get(kept.id).status is Status.QUEUED
    assert verify(database=room.store.path).ok
    assert not list(room.path.glob(".errata.db.restoring*"))


def test_a_lost_database_is_restored_and_the_loss_is_said(room, tombstones):
    kept = room.flag()
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    fresh = Store(room.path / "elsewhere" / "errata.db")
    done = restore(fresh, room.path / "backup.db", tombstones=tombstones, ledger=room.ledger, actor="operator")
    assert done.lost_log
    assert Log(fresh).size() == done.backup_entries + 1
    assert fresh.value("SELECT COUNT(*) FROM corrections WHERE id = :id", id=kept.id) == 1
    fresh.close()


def test_checkpoints_of_a_lost_log_are_set_aside_as_evidence(room, tombstones):
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    room.flag()
    room.flag(question="Who painted The Scream?")
    Checkpoints(room.log, SIGNER, [room.path / "checkpoints"]).write()
    fresh = Store(room.path / "elsewhere" / "errata.db")
    restore(fresh, room.path / "backup.db", tombstones=tombstones, ledger=room.ledger, actor="operator")
    again = Checkpoints(Log(fresh), SIGNER, [room.path / "checkpoints"])
    with pytest.raises(LogError, match="lost"):
        again.write()
    (aside,) = again.set_aside()
    assert (aside / "checkpoint").exists()
    again.write()
    assert verify(database=fresh.path, checkpoints=[room.path / "checkpoints"]).ok
    fresh.close()


def test_a_changed_backup_is_not_restored(room, tombstones):
    path = room.path / "backup.db"
    backup(room.store, room.log, path, actor="operator")
    broken = Store(path)
    broken.db.conn.execute("DROP TRIGGER audit_entries_no_update")
    broken.db.conn.execute("UPDATE audit_entries SET entry = '{}' WHERE n = 2")
    broken.truncate_wal()
    broken.close()
    before = room.log.size()
    with pytest.raises(LogError, match="entry 2 was changed"):
        restore(room.store, path, tombstones=tombstones, ledger=room.ledger, actor="operator")
    assert room.log.size() == before


def test_a_backup_without_the_key_tells_nothing(room):
    room.flag(comment="zebra")
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    assert b"zebra" not in (room.path / "backup.db").read_bytes()
    assert (room.path / "master.key").read_bytes() not in (room.path / "backup.db").read_bytes()


def test_a_half_written_tombstone_is_passed_over(tmp_path):
    stones = Tombstones(tmp_path / "erased.jsonl")
    assert list(stones) == []
    stones.add([Tombstone("owner", "acc_1")])
    with stones.path.open("a") as file:
        file.write('{"kind": "ow')
    assert list(stones) == [Tombstone("owner", "acc_1")]
    stones.add([Tombstone("owner", "acc_2")])  # once there is room again
    assert list(stones) == [Tombstone("owner", "acc_1"), Tombstone("owner", "acc_2")]
