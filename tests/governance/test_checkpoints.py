"""A restore beside signed checkpoints: what was signed is not given up for another log, nor left to contradict one."""

from pathlib import Path

import pytest

from governance.audit import Log
from governance.audit_verify import verify
from governance.backup import backup, restore
from governance.checkpoints import Checkpoints
from governance.errors import LogError
from governance.notes import Signer
from governance.store import Store
from governance.tombstones import Tombstones

SIGNER = Signer(b"k" * 32)


@pytest.fixture
def checkpoints(room):
    return Checkpoints(room.log, SIGNER, [room.path / "checkpoints"])


def bring_back(room, source, checkpoints):
    stones = Tombstones(room.path / "erased.jsonl")
    given = {"vault": room.vault, "tombstones": stones, "ledger": room.ledger, "checkpoints": checkpoints}
    return restore(room.store, source, **given, actor="operator")


def saved(room):
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    return room.path / "backup.db"


def forge(path):
    """Another log with a tree of its own that is right for it."""
    copy = Store(path)
    texts = [entry.text.replace('"role":"user"', '"role":"admin"') for entry in Log(copy).entries()]
    connection = copy.db.conn
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("DELETE FROM audit_entries")
    connection.execute("DELETE FROM audit_nodes")
    with copy.transaction():
        for n, text in enumerate(texts, start=1):
            Log(copy).insert(n, text)
    copy.truncate_wal()
    copy.close()


@pytest.mark.parametrize("later", [False, True])
def test_a_forged_backup_takes_nothing_from_the_log_that_was_signed(room, checkpoints, later):
    checkpoints.write()
    room.flag()
    path = saved(room)
    if later:
        checkpoints.write()
    forge(path)
    assert verify(database=path).ok
    size = room.log.size()
    with pytest.raises(LogError, match="the one that was signed"):
        bring_back(room, path, checkpoints)
    assert room.log.size() == size
    assert not list(room.path.glob("*.damaged-*"))


def test_the_log_of_a_damaged_note_or_of_nobody_yields_to_the_backup(room, checkpoints):
    path = saved(room)
    checkpoints.write()
    forge(path)
    (room.path / "checkpoints" / "checkpoint").write_text("")
    assert bring_back(room, path, checkpoints).lost_log


def test_a_new_data_folder_yields_to_the_backup_of_another_one(room, checkpoints):
    path = saved(room)
    forge(path)
    checkpoints.write()
    assert bring_back(room, path, checkpoints).lost_log


@pytest.mark.parametrize("step", ["_moved_aside", "_aside"])
def test_a_restore_that_is_killed_leaves_no_notes_that_contradict_what_it_leaves(room, checkpoints, monkeypatch, step):
    path = saved(room)
    room.flag()
    checkpoints.write()
    room.store.close()
    for file in room.path.glob("errata.db*"):
        file.unlink()
    room.store.migrate()
    with room.store.transaction():
        room.log.append("test", {})

    def killed(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(f"governance.backup.{step}", killed)
        with pytest.raises(KeyboardInterrupt):
            bring_back(room, path, checkpoints)
    again = Checkpoints(room.log, SIGNER, [room.path / "checkpoints"])
    assert again.write()
    done = bring_back(room, path, None)
    assert done.lost_log


def test_checkpoints_are_read_where_one_stands(room, checkpoints, monkeypatch):
    checkpoints.write()
    folder = room.path / "checkpoints"
    (folder / "key").unlink()
    monkeypatch.chdir(folder)
    assert [problem.kind for problem in verify(database=room.store.path, checkpoints=[Path()]).problems] == ["key"] * 2


def test_a_restored_database_takes_its_place_whole(room, checkpoints, monkeypatch):
    path = saved(room)
    rename, renamed = type(path).rename, []

    def told(self, target):
        if self.name == ".errata.db.restoring":
            assert verify(database=self).ok
        renamed.append((self.name, target.name))
        return rename(self, target)

    monkeypatch.setattr(type(path), "rename", told)
    forge(path)
    done = bring_back(room, path, checkpoints)  # nothing was signed yet
    assert renamed[-2:] == [("errata.db", done.set_aside.name), (".errata.db.restoring", "errata.db")]
    assert room.entries()[-1]["log_lost"]
    assert not list(room.path.glob(".errata.db.restoring*"))
    assert checkpoints.write()
