"""Backup and restore as a person types them: what is damaged is set aside and said, what is no backup is refused."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from governance.accounts import Role
from governance.audit_verify import verify
from governance.backup import backup
from server.cli import main
from server.services import open_records
from server.settings import Settings


@pytest.fixture
def errata(settings: Settings) -> Callable[..., Result]:
    """`errata("restore", FILE)` on the data folder of the test."""
    return lambda *line: CliRunner().invoke(main, [*line, "--data-dir", str(settings.data_dir)])


@pytest.fixture
def saved(settings: Settings, errata: Callable[..., Result], tmp_path: Path) -> Path:
    """A backup with one account; another one comes after it, and the log is signed."""
    errata("user", "add", "ann", "--role", "user")
    assert errata("backup", str(tmp_path / "backup.db")).exit_code == 0
    records = open_records(settings)
    records.accounts.add("bob", Role.USER, key="a-key-of-sixteen-or-more")
    with records.store.transaction():
        for number in range(200):
            records.log.append("test", {"value": number})
    records.checkpoints.write()
    records.store.close()
    return tmp_path / "backup.db"


def names(errata: Callable[..., Result]) -> list[str]:
    return [account["name"] for account in json.loads(errata("user", "list", "--json").stdout)]


def overwritten(database: Path) -> None:
    database.write_bytes(b"no database at all " * 1000)


def cut_short(database: Path) -> None:
    database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])


def scribbled_over(database: Path) -> None:
    """The head and the schema can be read, most of what comes after cannot."""
    whole = database.read_bytes()
    database.write_bytes(whole[:20_000] + b"\xff" * (len(whole) - 20_000))


@pytest.mark.parametrize("damage", [overwritten, cut_short, scribbled_over])
def test_a_damaged_database_is_set_aside_and_the_backup_takes_its_place(
    settings: Settings, errata: Callable[..., Result], saved: Path, damage: Callable[[Path], None]
) -> None:
    damage(settings.database_path)
    damaged = settings.database_path.read_bytes()
    Path(f"{settings.database_path}-wal").write_bytes(b"of the damaged one")
    told = errata("user", "list")
    assert told.exit_code == 1
    assert "errata restore" in told.output
    ran = errata("restore", str(saved), "--json")
    assert ran.exit_code == 0, ran.output
    done = json.loads(ran.stdout)
    assert done["lost_log"]
    database, notes = map(Path, done["set_aside"])
    assert database.name.startswith("errata.db.damaged-")
    assert database.read_bytes() == damaged
    assert str(database) in ran.stderr
    assert names(errata) == ["ann"]
    assert (notes.parent, (notes / "checkpoint").exists()) == (settings.data_dir / "checkpoints", True)
    records = open_records(settings)
    assert records.checkpoints.write() is not None
    records.store.close()
    assert verify(database=settings.database_path, checkpoints=[settings.data_dir / "checkpoints"]).ok


def test_a_lost_database_sets_its_notes_aside_and_one_that_is_there_keeps_them(
    settings: Settings, errata: Callable[..., Result], saved: Path
) -> None:
    there = json.loads(errata("restore", str(saved)).stdout)
    assert (there["lost_log"], there["set_aside"]) == (False, [])
    for path in settings.data_dir.glob("errata.db*"):
        path.unlink()
    lost = json.loads(errata("restore", str(saved)).stdout)
    assert (lost["lost_log"], len(lost["set_aside"])) == (True, 1)
    assert json.loads(errata("audit", "verify", "--json").stdout)["ok"]


def foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    other.close()


def damaged_beside_its_log(path: Path, table: str = "accounts") -> None:
    """Every entry of its log is whole, this table is not."""
    size = 4096
    with sqlite3.connect(path) as copy:
        copy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = copy.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    copy.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def test_where_only_other_pages_are_damaged_the_log_is_kept(
    settings: Settings, errata: Callable[..., Result], saved: Path
) -> None:
    damaged_beside_its_log(settings.database_path, "texts")
    done = json.loads(errata("restore", str(saved), "--json").stdout)
    assert (done["lost_log"], done["set_aside"]) == (False, [])
    assert done["kept_entries"] > 200
    assert json.loads(errata("audit", "verify", "--json").stdout)["ok"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_bytes(b"no database at all " * 1000), "no backup of Errata"),
        (lambda path: path.write_bytes(b""), "no backup of Errata"),
        (foreign, "no backup of Errata"),
        (damaged_beside_its_log, "damaged"),
        (Path.unlink, "does not exist"),
        (lambda path: (path.unlink(), path.mkdir()), "is a directory"),
    ],
)
@pytest.mark.parametrize("unreadable", [False, True])
def test_what_is_no_backup_is_refused_and_nothing_is_moved(
    settings: Settings,
    errata: Callable[..., Result],
    saved: Path,
    make: Callable[[Path], None],
    says: str,
    unreadable: bool,
) -> None:
    make(saved)
    if unreadable:
        overwritten(settings.database_path)
    ran = errata("restore", str(saved))
    assert ran.exit_code != 0
    assert isinstance(ran.exception, SystemExit)  # no traceback
    assert says in ran.output
    if not unreadable:
        assert names(errata) == ["ann", "bob"]
    else:
        assert not list(settings.data_dir.glob("*damaged*"))


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize(("file", "says"), [("nowhere/b.db", "no folder"), ("", "name is empty")])
def test_a_backup_that_has_no_place_is_wrong_usage_as_an_export_is(
    errata: Callable[..., Result], tmp_path: Path, file: str, says: str
) -> None:
    ran = errata("backup", file and str(tmp_path / file))
    assert (ran.exit_code, says in ran.output) == (2, True), ran.output


def test_a_backup_of_another_key_is_refused_and_nothing_is_touched(
    settings: Settings, errata: Callable[..., Result], saved: Path, tmp_path: Path
) -> None:
    other = open_records(settings.model_copy(update={"data_dir": tmp_path / "other"}))
    other.vault.put("someone", "chat", "zebra")
    backup(other.store, other.log, tmp_path / "other.db", actor="operator")
    other.store.close()
    ran = errata("restore", str(tmp_path / "other.db"))
    assert (ran.exit_code, "master key" in ran.output) == (1, True)
    assert names(errata) == ["ann", "bob"]
    overwritten(settings.database_path)
    assert errata("restore", str(tmp_path / "other.db")).exit_code == 1
    assert not list(settings.data_dir.glob("*damaged*"))
    key = settings.keys_dir / "master.key"
    kept = key.rename(tmp_path / "kept.key")
    ran = errata("restore", str(saved))
    assert (ran.exit_code, "is missing" in ran.output, key.exists()) == (1, True, False)
    kept.rename(key)
    assert errata("restore", str(saved)).exit_code == 0
    assert names(errata) == ["ann"]


@pytest.mark.parametrize("key", [None, b"k" * 32])
def test_a_restore_into_a_new_folder_without_the_right_key_makes_nothing(
    settings: Settings, errata: Callable[..., Result], saved: Path, tmp_path: Path, key: bytes | None
) -> None:
    records = open_records(settings)
    records.vault.put("someone", "chat", "zebra")
    backup(records.store, records.log, tmp_path / "sealed.db", actor="operator")
    records.store.close()
    new = tmp_path / "new"
    (new / "keys").mkdir(parents=True)
    if key:
        (new / "keys" / "master.key").write_bytes(key)
    ran = CliRunner().invoke(main, ["restore", str(tmp_path / "sealed.db"), "--data-dir", str(new)])
    assert (ran.exit_code, "key" in ran.output) == (1, True), ran.output
    assert [path.name for path in new.rglob("*") if path.is_file()] == (["master.key"] if key else [])


def test_a_new_data_folder_is_told_of(errata: Callable[..., Result], settings: Settings) -> None:
    first, second = (errata("user", "add", name, "--role", "user") for name in ("ann", "bob"))
    assert f"A new data folder is made in {settings.data_dir}" in first.stderr
    assert second.stderr == ""


@pytest.mark.parametrize("entry", [b'{"kind":"another","n":100}', b"\xff"])
def test_a_database_whose_log_was_changed_is_set_aside(
    settings: Settings, errata: Callable[..., Result], saved: Path, entry: bytes
) -> None:
    with sqlite3.connect(settings.database_path) as database:
        database.execute("DROP TRIGGER audit_entries_no_update")
        database.execute("UPDATE audit_entries SET entry = CAST(? AS TEXT) WHERE n = 100", (entry,))
    database.close()
    ran = errata("restore", str(saved), "--json")
    assert ran.exit_code == 0, ran.output
    done = json.loads(ran.stdout)
    aside = Path(done["set_aside"][0])
    assert (done["lost_log"], str(aside) in ran.stderr) == (True, True)
    with sqlite3.connect(aside) as changed:
        assert changed.execute("SELECT CAST(entry AS BLOB) FROM audit_entries WHERE n = 100").fetchone() == (entry,)
    changed.close()
    assert json.loads(errata("audit", "verify", "--json").stdout)["ok"]


def test_a_restore_over_another_log_keeps_it_beside(
    settings: Settings, errata: Callable[..., Result], saved: Path
) -> None:
    for path in settings.data_dir.glob("errata.db*"):
        path.unlink()
    errata("user", "add", "eve", "--role", "user")
    assert names(errata) == ["eve"]
    ran = errata("restore", str(saved), "--json")
    done = json.loads(ran.stdout)
    assert (names(errata), done["lost_log"]) == (["ann"], True)
    with sqlite3.connect(done["set_aside"][0]) as kept:
        assert kept.execute("SELECT name FROM accounts").fetchall() == [("eve",)]
    kept.close()
    assert done["set_aside"][0] in ran.stderr


def test_who_was_shut_out_after_the_backup_is_named(errata: Callable[..., Result], tmp_path: Path) -> None:
    for name in ("ann", "cid"):
        errata("user", "add", name, "--role", "user")
    errata("backup", str(tmp_path / "early.db"))
    errata("user", "disable", "ann")
    errata("user", "reset", "cid")
    ran = errata("restore", str(tmp_path / "early.db"), "--json")
    done = json.loads(ran.stdout)
    assert (done["disabled"], done["to_reset"]) == (["ann"], ["cid"])
    assert "they stay: ann" in ran.stderr
    assert "errata user reset" in ran.stderr
    assert {account["disabled"] for account in json.loads(errata("user", "list", "--json").stdout)} == {True}


def test_a_restore_without_the_names_of_what_was_erased_is_refused(
    settings: Settings, errata: Callable[..., Result], saved: Path
) -> None:
    (settings.keys_dir / "tombstones.jsonl").write_bytes(b"\xff\xfe\x00")
    ran = errata("restore", str(saved))
    assert (ran.exit_code, "tombstones.jsonl' is damaged" in ran.output) == (1, True), ran.output
    assert names(errata) == ["ann", "bob"]
