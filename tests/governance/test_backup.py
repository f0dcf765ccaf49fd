"""Backups while serving, and the file of what a restore erases again."""

import sqlite3
import threading
import time

import pytest

from governance.audit_verify import verify
from governance.backup import backup, restore
from governance.store import Store
from governance.tombstones import Tombstone, Tombstones


def test_a_backup_verifies_and_opens_read_only(room):
    room.flag()
    size = backup(room.store, room.log, room.path / "backup.db", actor="operator")
    report = verify(database=room.path / "backup.db")
    assert report.ok
    assert report.size == size == room.log.size()
    assert room.entries()[-1]["kind"] == "backup.made"
    assert (room.path / "backup.db").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError, match="another name"):
        backup(room.store, room.log, room.path / "backup.db", actor="operator")


def test_a_backup_that_failed_is_not_left_lying_about(room, monkeypatch):
    def full(*_args):
        raise sqlite3.OperationalError("database or disk is full")

    before = room.log.size()
    with pytest.raises(FileNotFoundError, match="no folder"):
        backup(room.store, room.log, room.path / "nowhere" / "backup.db", actor="operator")
    assert room.log.size() == before
    monkeypatch.setattr("governance.backup.os.chmod", full)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        backup(room.store, room.log, room.path / "backup.db", actor="operator")
    assert not list(room.path.glob("*backup*"))
    assert not list(room.path.glob(".*backup*"))


def test_a_backup_that_was_killed_is_on_record_before_there_is_a_copy(room, monkeypatch):
    def killed(_store, target):
        assert not target.exists()
        assert room.entries()[-1]["kind"] == "backup.made"
        raise KeyboardInterrupt

    monkeypatch.setattr("governance.backup._copy_live", killed)
    with pytest.raises(KeyboardInterrupt):
        backup(room.store, room.log, room.path / "backup.db", actor="operator")


@pytest.mark.parametrize("name", ["a#b.db", "a?b.db", "a%20b.db"])
def test_a_backup_is_verified_and_restored_whatever_its_name(room, name):
    kept = room.flag()
    backup(room.store, room.log, room.path / name, actor="operator")
    assert verify(database=room.path / name).ok
    stones = Tombstones(room.path / "erased.jsonl")
    restore(room.store, room.path / name, vault=room.vault, tombstones=stones, ledger=room.ledger, actor="operator")
    assert room.ledger.get(kept.id).claim == kept.claim


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


@pytest.mark.parametrize("line", ['{"kind": "owner"}', '{"id": "acc_2"}', "[1]", "5"])
def test_a_line_that_names_nothing_erased_hides_none_of_the_others(tmp_path, line):
    stones = Tombstones(tmp_path / "not made yet" / "erased.jsonl")
    stones.add([Tombstone("owner", "acc_1")])
    with stones.path.open("a") as file:
        file.write(f"{line}\n")
    stones.add([Tombstone("owner", "acc_3")])
    assert list(stones) == [Tombstone("owner", "acc_1"), Tombstone("owner", "acc_3")]


def test_what_was_erased_of_each_kind_is_read_back_and_what_is_of_none_is_not_written(tmp_path):
    kinds = ["owner", "text", "account", "version", "correction", "conversation", "document", "operator", "kept"]
    stones = Tombstones(tmp_path / "erased.jsonl")
    stones.add(Tombstone(kind, "id_1") for kind in [*kinds, "another"])
    assert [stone.kind for stone in stones] == kinds
    assert "another" not in stones.path.read_text()


def test_a_backup_of_the_build_before_is_restored(room):
    live, path = room.live(), room.path / "backup.db"
    room.ledger.request_rollback(live.id, room.admin)
    backup(room.store, room.log, path, actor="operator")
    older = Store(path)
    for table, column in (
        ("corrections", "undo_reason_text_id"),
        ("corrections", "request_hash"),
        ("answers", "correction_id"),
    ):
        older.db.conn.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    older.db.conn.execute("DELETE FROM _sqlite_migrations WHERE name = 'm014_undo_reasons'")
    older.truncate_wal()
    older.close()
    stones = Tombstones(room.path / "erased.jsonl")
    restore(room.store, path, vault=room.vault, tombstones=stones, ledger=room.ledger, actor="operator")
    assert verify(database=room.store.path).ok
    room.ledger.published(version_id="base", rolled_back=[live.id])
    assert room.ledger.get(live.id).moves[-1].reason == ""
