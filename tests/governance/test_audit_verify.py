"""Tampering: each kind is found by the independent verifier, and the message names the first bad entry."""

import json
import shutil
import sqlite3
import threading

import pytest

from governance import merkle
from governance.audit import Log, canonical
from governance.audit_verify import verify
from governance.checkpoints import Checkpoints
from governance.errors import LogError
from governance.export import write_log
from governance.notes import Signer
from governance.store import Store

SIGNER = Signer(b"k" * 32)
SIZE = 60


@pytest.fixture
def signed(tmp_path):
    """A log of 60 entries, checkpointed at 20, 40 and 60 into two folders."""
    store = Store(tmp_path / "errata.db")
    store.migrate()
    log = Log(store)
    folders = [tmp_path / "checkpoints", tmp_path / "elsewhere"]
    writer = Checkpoints(log, SIGNER, folders)
    for _ in range(3):
        append(store, log, 20)
        writer.write()
    yield store, log, folders, tmp_path
    store.close()


def append(store, log, count):
    with store.transaction():
        for number in range(count):
            log.append("test", {"value": number})


def check(signed, **changes):
    store, _, folders, _ = signed
    given = {"database": store.path, "checkpoints": folders, "key": SIGNER.verifier_key} | changes
    return verify(**given)


def tamper(store, *statements, keep_triggers=False):
    """Change the file as its owner can: without triggers."""
    store.close()
    connection = sqlite3.connect(store.path)
    if not keep_triggers:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
    for sql, params in statements:
        connection.execute(sql, params)
    connection.commit()
    connection.close()


def rebuild(store, texts):
    """Write another log with a tree of its own that is right for it."""
    tamper(store, ("DELETE FROM audit_entries", ()), ("DELETE FROM audit_nodes", ()))
    log = Log(store)
    with store.transaction():
        for n, text in enumerate(texts, start=1):
            log.insert(n, text)
    return log


def changed(text, **fields):
    return canonical(json.loads(text) | fields)


def test_an_honest_log_verifies_and_may_be_newer_than_its_checkpoint(signed):
    store, log, _, _ = signed
    append(store, log, 7)
    seen = []
    report = check(signed, progress=lambda done, total: seen.append((done, total)))
    assert report.ok
    assert (report.size, report.newest_head, report.root) == (SIZE + 7, SIZE, log.root().hex())
    assert seen[-1] == (SIZE + 7, SIZE + 7)
    assert report.trusted_key


def test_the_key_beside_the_checkpoints_is_used_and_said_to_be_unproven(signed):
    report = check(signed, key=None)
    assert report.ok
    assert not report.trusted_key


def test_a_changed_entry(signed):
    store, log, _, _ = signed
    text = changed(log.entry(33).text, value=999)
    tamper(store, ("UPDATE audit_entries SET entry = ? WHERE n = 33", (text,)))
    report = check(signed)
    assert (report.first_bad, report.problems[0].kind) == (33, "changed")
    assert "entry 33 was changed" in report.problems[0].message


def test_a_changed_entry_with_its_hash_made_to_fit(signed):
    store, log, _, _ = signed
    text = changed(log.entry(33).text, value=999)
    values = (text, merkle.leaf_hash(text.encode()))
    tamper(store, ("UPDATE audit_entries SET entry = ?, leaf_hash = ? WHERE n = 33", values))
    report = check(signed)
    assert (report.first_bad, report.problems[0].kind) == (33, "rewritten")


def test_a_deleted_entry(signed):
    store, *_ = signed
    tamper(store, ("DELETE FROM audit_entries WHERE n = 21", ()))
    report = check(signed)
    assert (report.first_bad, report.problems[0].kind) == (21, "deleted")


def test_two_entries_that_changed_places(signed):
    store, log, _, _ = signed
    a, b = log.entry(10), log.entry(11)
    sql = "UPDATE audit_entries SET entry = ?, leaf_hash = ? WHERE n = ?"
    tamper(store, (sql, (b.text, b.leaf_hash, 10)), (sql, (a.text, a.leaf_hash, 11)))
    report = check(signed)
    assert (report.first_bad, report.problems[0].kind) == (10, "reordered")


def test_entries_cut_off_at_the_end(signed):
    store, *_ = signed
    tamper(store, ("DELETE FROM audit_entries WHERE n > 55", ()))
    report = check(signed)
    assert (report.first_bad, report.problems[0].kind) == (56, "truncated")


def test_a_log_rewritten_with_a_tree_of_its_own(signed):
    store, log, _, _ = signed
    texts = [entry.text for entry in log.entries()]
    texts[44] = changed(texts[44], value="another")
    rebuild(store, texts)
    report = check(signed)
    assert (report.first_bad, report.problems[0].kind) == (45, "rewritten")
    assert "entry 45" in report.problems[0].message


def test_a_rewrite_is_narrowed_to_a_span_when_only_notes_are_left(signed):
    store, log, folders, _ = signed
    texts = [entry.text for entry in log.entries()]
    texts[44] = changed(texts[44], value="another")
    rebuild(store, texts)
    for folder in folders:
        (folder / "leaves").unlink()
    report = check(signed)
    assert report.first_bad == 41
    assert "entries 41 to 60" in report.problems[0].message


def test_a_rewritten_log_is_not_signed_again(signed):
    store, log, folders, _ = signed
    texts = [entry.text for entry in log.entries()]
    texts[3] = changed(texts[3], value="another")
    log = rebuild(store, texts)
    append(store, log, 1)
    with pytest.raises(LogError, match="rewritten"):
        Checkpoints(log, SIGNER, folders).write()


def test_a_log_shorter_than_what_was_signed_is_not_signed_again(signed):
    store, log, folders, _ = signed
    texts = [entry.text for entry in log.entries(limit=50)]
    with pytest.raises(LogError, match="were lost"):
        Checkpoints(rebuild(store, texts), SIGNER, folders).write()


def test_a_fork_that_the_owner_signed_too(signed):
    _store, log, folders, tmp_path = signed
    texts = [entry.text for entry in log.entries()]
    texts[49] = changed(texts[49], value="another")
    fork = Store(tmp_path / "fork.db")
    fork.migrate()
    Checkpoints(rebuild(fork, texts), SIGNER, [tmp_path / "forked"]).write()
    report = check(signed, checkpoints=[folders[0], tmp_path / "forked"])
    kinds = {problem.kind for problem in report.problems}
    assert "forked" in kinds
    assert report.first_bad == 50
    # The single note that an auditor kept is enough to see it.
    shutil.copy(tmp_path / "forked" / "checkpoint", tmp_path / "kept.txt")
    report = check(signed, checkpoints=[folders[0], tmp_path / "kept.txt"])
    assert "forked" in {problem.kind for problem in report.problems}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda note: note.replace("\n60\n", "\n61\n"), "does not verify"),
        (lambda note: note.replace("— errata/audit", "— somebody/else"), "not signed by"),
        (lambda note: note.split("\n\n")[0], "no signature"),
    ],
)
def test_a_changed_checkpoint_is_refused(signed, change, message):
    folder = signed[2][0]
    note = (folder / "checkpoint").read_text()
    (folder / "checkpoint").write_text(change(note))
    report = check(signed)
    assert [problem.kind for problem in report.problems] == ["signature"]
    assert message in report.problems[0].message


def test_changed_leaf_hashes_are_found_and_not_believed(signed):
    folder = signed[2][0]
    data = bytearray((folder / "leaves").read_bytes())
    data[32 * 10] ^= 1
    (folder / "leaves").write_bytes(data)
    assert [problem.kind for problem in check(signed).problems] == ["leaves"]


CHANGED = "UPDATE audit_nodes SET hash = x'00' WHERE level = 3 AND position = 2"
SHIFTED = "UPDATE audit_nodes SET position = 30 WHERE level = 1 AND position = 29"
ADDED = "INSERT INTO audit_nodes VALUES (1, 30, x'00')"


@pytest.mark.parametrize(("sql", "entry"), [(CHANGED, 24), (SHIFTED, 60), (ADDED, None)])
def test_a_changed_inner_node_is_found(signed, sql, entry):
    tamper(signed[0], (sql, ()))
    report = check(signed)
    assert (report.first_bad, report.problems[0].kind) == (entry, "tree")


def test_an_export_verifies_offline(signed):
    _, log, folders, tmp_path = signed
    export = tmp_path / "log.jsonl"
    lines = [entry.text for entry in log.entries()]
    export.write_text("".join(f"{line}\n" for line in lines))
    assert verify(export=export, checkpoints=folders, key=SIGNER.verifier_key).ok
    export.write_text("".join(f"{line}\n" for line in lines[:30] + lines[31:]))
    report = verify(export=export, checkpoints=folders, key=SIGNER.verifier_key)
    assert report.first_bad == 31
    for line in ("[" * 100_000, '{"n":1e999}', "\udcff"):
        export.write_text("\n".join([*lines[:30], line, *lines[31:]]), errors="surrogateescape")
        assert verify(export=export, checkpoints=folders, key=SIGNER.verifier_key).first_bad == 31


def test_two_writers_share_a_folder_without_false_alarms(signed):
    store, log, folders, _ = signed
    errors = []

    def work():
        own = Store(store.path)
        writer = Checkpoints(Log(own), SIGNER, folders)
        try:
            for _ in range(15):
                append(own, Log(own), 1)
                writer.write()
        except LogError as error:
            errors.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    report = check(signed)
    assert report.ok
    assert report.newest_head == log.size() == SIZE + 45


def test_a_checkpoint_is_written_only_when_the_log_has_grown(signed):
    store, log, folders, _ = signed
    writer = Checkpoints(log, SIGNER, folders)
    writer.write()
    lines = (folders[0] / "checkpoints.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert writer.write() is None
    append(store, log, 1)
    assert writer.write() == (folders[0] / "checkpoint").read_text()
    assert check(signed).newest_head == SIZE + 1


def test_a_folder_that_cannot_be_written_to_holds_up_no_other(signed):
    store, log, folders, path = signed
    (path / "file").write_text("no folder")
    writer = Checkpoints(log, SIGNER, [path / "file", *folders])
    append(store, log, 1)
    for _ in range(2):
        with pytest.raises(FileExistsError):
            writer.write()
    assert [check(signed, checkpoints=[folder]).newest_head for folder in folders] == [SIZE + 1] * 2
    (path / "file").unlink()
    assert writer.write()
    assert check(signed, checkpoints=[path / "file"]).newest_head == SIZE + 1


@pytest.mark.parametrize("left", [b'{"at"', "—".encode()[:1], b'"}'])
def test_a_note_that_a_full_disk_cut_off_costs_neither_the_next_one_nor_the_verdict(signed, left):
    store, log, folders, _ = signed
    history = folders[0] / "checkpoints.jsonl"
    *whole, last = history.read_bytes().splitlines(keepends=True)
    history.write_bytes(b"".join(whole) + last[: last.index(left) + len(left)])
    assert check(signed).ok
    append(store, log, 1)
    Checkpoints(log, SIGNER, folders).write()
    (folders[0] / "checkpoint").unlink()
    assert check(signed, checkpoints=[folders[0]]).newest_head == SIZE + 1
    assert check(signed).ok


def rewritten(log):
    texts = [entry.text for entry in log.entries()]
    return [*texts[:3], changed(texts[3], value="another"), *texts[4:]]


@pytest.mark.parametrize(("told", "of"), [("rewritten", rewritten), ("were lost", lambda log: rewritten(log)[:50])])
def test_a_log_that_contradicts_a_newest_note_is_signed_for_nobody(signed, told, of):
    store, log, folders, path = signed
    assert Checkpoints(log, SIGNER, folders).sign() == log.checkpoint(SIGNER)
    log = rebuild(store, of(log))
    for others in (folders, [path / "new", folders[1]]):
        with pytest.raises(LogError, match=told):
            Checkpoints(log, SIGNER, others).sign()
    with pytest.raises(LogError, match=told):
        write_log(log, Checkpoints(log, SIGNER, folders), path / "log.jsonl")
    assert not list(path.glob("log.jsonl*"))


ROOT = b"A" * 43 + b"="
DAMAGED = [b"", b"\n", b"o\n60\nAAAA", b"o\n60\n=\n", b"o\nmany\n" + ROOT, b"o\n-5\n" + ROOT, b"\xff\n60\n" + ROOT]


@pytest.mark.parametrize("left", DAMAGED)
def test_a_damaged_note_is_named_and_holds_up_no_other_folder(signed, left):
    store, log, folders, _ = signed
    damaged = folders[0] / "checkpoint"
    damaged.write_bytes(left)
    append(store, log, 1)
    writer = Checkpoints(log, SIGNER, folders)
    for act in (writer.write, writer.sign):
        with pytest.raises(LogError, match="damaged: run `errata audit verify`") as told:
            act()
        assert str(damaged) in str(told.value)
    assert damaged.read_bytes() == left
    assert check(signed, checkpoints=[folders[1]]).newest_head == SIZE + 1
    assert [problem.kind for problem in check(signed).problems] == ["signature"]
    damaged.unlink()
    assert writer.write()
    assert check(signed, checkpoints=[folders[0]]).newest_head == SIZE + 1
    assert check(signed).ok
