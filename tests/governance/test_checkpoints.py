"""What was signed: no restore gives it up for another log or leaves it to contradict one, and no rewrite slips past it."""

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
    texts = [entry.text.replace('"role":"user"', '"role":"admin"') for entry in Log(Store(path)).entries()]
    rebuild(path, texts)


def rebuild(path, texts):
    """These entries for those of the log, with a tree that is right for them."""
    copy = Store(path)
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


@pytest.fixture
def small(tmp_path):
    """A log of 30 entries, signed at 10, 20 and 30 into one folder, and at 20 into another that was then unmounted."""
    store = Store(tmp_path / "errata.db")
    store.migrate()
    log, folder, behind = Log(store), tmp_path / "checkpoints", tmp_path / "behind"
    append(store, 10)
    Checkpoints(log, SIGNER, [folder]).write()
    append(store, 10)
    Checkpoints(log, SIGNER, [folder, behind]).write()
    append(store, 10)
    Checkpoints(log, SIGNER, [folder]).write()
    yield store, log, folder, behind
    store.close()


def append(store, count):
    with store.transaction():
        for number in range(count):
            Log(store).append("test", {"value": number})


def found(store, *checkpoints):
    return verify(database=store.path, checkpoints=checkpoints, key=SIGNER.verifier_key)


def texts_with(log, *changed):
    """The entries of the log, those of these numbers with another value."""
    texts = [entry.text for entry in log.entries()]
    return [text.replace('"value":', '"value":7') if n in changed else text for n, text in enumerate(texts, start=1)]


def test_a_folder_that_lags_behind_is_no_fork_and_hides_no_rewrite(small):
    store, log, folder, behind = small
    for folders in ([folder, behind], [behind, folder]):
        assert found(store, *folders).ok
    rebuild(store.path, texts_with(log, 25))
    for folders in ([folder, behind], [behind, folder]):
        report = found(store, *folders)
        assert (report.first_bad, report.problems[0].kind) == (25, "rewritten")


def test_the_last_signed_entry_is_held_against_what_was_signed_like_any_other(small):
    store, log, folder, _ = small
    rebuild(store.path, texts_with(log, 30))
    report = found(store, folder)
    assert (report.first_bad, report.problems[0].kind) == (30, "rewritten")


def test_a_single_entry_cut_off_at_the_end_is_missed(small):
    store, log, folder, behind = small
    rebuild(store.path, texts_with(log)[:29])
    report = found(store, folder)
    assert (report.first_bad, report.problems[0].kind, report.unsigned) == (30, "truncated", 0)
    with pytest.raises(LogError, match="were lost"):
        Checkpoints(log, SIGNER, [folder]).sign()
    assert Checkpoints(log, SIGNER, [behind]).sign()


def test_a_gap_is_told_once_and_not_as_a_wrong_tree_or_an_end_too(small):
    store, log, folder, _ = small
    rebuild(store.path, texts_with(log))
    store.db.conn.execute("DELETE FROM audit_entries WHERE n = 12")
    report = found(store, folder)
    assert [(problem.entry, problem.kind) for problem in report.problems] == [(12, "deleted")]


def test_a_rewrite_is_narrowed_down_in_whatever_order_the_notes_are_given(small):
    store, log, folder, _ = small
    rebuild(store.path, texts_with(log, 25))
    report = found(store, folder / "checkpoint", folder / "checkpoints.jsonl")
    assert [(problem.entry, problem.kind) for problem in report.problems] == [(21, "rewritten")]


def test_neither_a_damaged_note_nor_a_later_change_hides_that_signed_entries_were_rewritten(small):
    store, log, folder, behind = small
    append(store, 1)
    rebuild(store.path, [*texts_with(log, 5)[:30], "{}"])
    (behind / "checkpoint").write_text("damaged")
    report = found(store, folder / "checkpoints.jsonl", behind / "checkpoint")
    told = [(problem.entry, problem.kind) for problem in report.problems]
    assert told == [(1, "rewritten"), (31, "reordered"), (None, "signature")]


@pytest.mark.parametrize(
    "text",
    [
        *("[31]", "31", '{"n":31,"n":31}', '{"n":31, "value":1}', '{"value":1,"n":31}'),
        *('{"n":31.0}', '{"n":31,"value":NaN}', '{"n":31,"value":-Infinity}'),
    ],
)
def test_an_entry_that_no_log_would_write_is_named_though_nothing_was_signed_over_it(small, text):
    store, log, folder, _ = small
    rebuild(store.path, [*texts_with(log), text])
    report = found(store, folder)
    assert [problem.entry for problem in report.problems] == [31]


def test_a_single_entry_appended_to_an_export_is_named(small):
    store, log, folder, _ = small
    append(store, 1)
    export = folder.parent / "log.jsonl"
    export.write_text("".join(f"{text}\n" for text in texts_with(log)))
    report = verify(export=export, checkpoints=[folder], key=SIGNER.verifier_key)
    assert [(problem.entry, problem.kind) for problem in report.problems] == [(31, "unsigned")]


@pytest.mark.parametrize("name", ["forked", "checkpoints-forked"])  # the second begins as the folder beside it
def test_a_fork_in_any_folder_is_named_at_its_first_entry(small, name):
    store, log, folder, behind = small
    forked = folder.parent / name
    honest = texts_with(log)
    rebuild(store.path, texts_with(log, 30))
    Checkpoints(log, SIGNER, [forked]).write()
    rebuild(store.path, honest)
    for folders in ([folder, behind, forked], [folder, forked, behind]):
        problems = found(store, *folders).problems
        assert (30, "forked") in [(problem.entry, problem.kind) for problem in problems]
        assert "leaves" not in [problem.kind for problem in problems]


def test_the_leaf_hashes_are_whole_again_after_a_write_that_was_cut_off(small):
    store, log, folder, _ = small
    with (folder / "leaves").open("ab") as file:
        file.write(b"cut")
    append(store, 1)
    Checkpoints(log, SIGNER, [folder]).write()
    assert (folder / "leaves").read_bytes() == b"".join(entry.leaf_hash for entry in log.entries())


def test_the_key_that_was_given_is_trusted_and_not_the_one_beside_the_notes(small):
    store, _, folder, _ = small
    report = verify(database=store.path, checkpoints=[folder], key=Signer(b"o" * 32).verifier_key)
    assert {problem.kind for problem in report.problems} == {"signature"}
    assert (report.heads, report.newest_head) == (0, 0)


def test_a_shorter_log_is_held_against_what_was_signed_as_far_as_it_goes(small):
    _store, log, folder, _ = small
    writer = Checkpoints(log, SIGNER, [folder])
    shorter = Store(folder.parent / "shorter.db")
    shorter.migrate()
    for texts, contradicted in ((texts_with(log)[:15], False), (texts_with(log, 5)[:15], True)):
        rebuild(shorter.path, texts)
        assert writer.contradict(Log(shorter)) == contradicted
    shorter.close()


def test_a_head_over_no_entry_verifies_ever_after(tmp_path):
    store = Store(tmp_path / "errata.db")
    store.migrate()
    writer = Checkpoints(Log(store), SIGNER, [tmp_path / "checkpoints"])
    assert "\n0\n" in writer.write()
    append(store, 3)
    writer.write()
    report = found(store, tmp_path / "checkpoints")
    assert (report.ok, report.newest_head) == (True, 3)


def test_all_that_was_signed_is_set_aside_and_the_log_is_signed_anew(room, checkpoints):
    checkpoints.write()
    folder = room.path / "checkpoints"
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.name != ".lock"}
    (aside,) = checkpoints.set_aside()
    assert {file.name: file.read_bytes() for file in aside.iterdir()} == before
    assert {file.name for file in folder.iterdir() if file.is_file()} == {".lock"}
    assert set(before) == {"checkpoint", "checkpoints.jsonl", "leaves", "key"}
    assert checkpoints.write()
