"""Backups while serving, and restores that lose neither the log nor what was erased."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from governance import merkle
from governance.accounts import Actor, logged
from governance.audit import PAGE, Log
from governance.audit_verify import Report, read_only, verify
from governance.checkpoints import Checkpoints
from governance.deeds import bury
from governance.errors import LogError, WrongKey
from governance.ledger import Ledger
from governance.store import Store
from governance.times import now, to_text
from governance.tombstones import Tombstone, Tombstones
from governance.vault import Vault
from governance.versions import BASE


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. After it, rebuild what is cached from the database (the search index above all).

    disabled    names of the accounts that were closed since the backup, and are again
    to_reset    names of those that had been given new secrets: without `Accounts.reset` nobody gets in
    set_aside   where a database with another log lies now
    notes       where the checkpoints that were signed for that log lie now
    """

    backup_entries: int
    kept_entries: int
    replayed: int
    lost_log: bool
    disabled: tuple[str, ...]
    to_reset: tuple[str, ...]
    set_aside: Path | None
    notes: tuple[Path, ...]


def backup(store: Store, log: Log, target: Path, *, actor: Actor) -> int:
    """Copy the database to `target` while others read and write; returns the number of log entries in it.

    The master key is not in it: without the key files the backup's personal text cannot be read. The log says that it
    is made before there is anything: a copy that nobody knows of, left by a kill, is worse than an entry too many.
    Raises FileExistsError, or FileNotFoundError for a folder that is not there.
    """
    if target.exists():
        raise FileExistsError(f"{str(target)!r} is there already: choose another name")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(target.parent)!r}: make it first")
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    with store.transaction():
        log.append("backup.made", logged(actor))
    try:
        size = _copy_live(store, partial)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    partial.rename(target)
    return size


def _copy_live(store: Store, target: Path) -> int:
    copy = sqlite3.connect(target)
    try:
        os.chmod(target, 0o600)
        # In one step, which others read and write beside: between two, any write would make it begin anew.
        store.db.conn.backup(copy, pages=-1)
        # One file that opens anywhere, read-only places included.
        copy.execute("PRAGMA journal_mode = DELETE")
        size: int = copy.execute("SELECT COALESCE(MAX(n), 0) FROM audit_entries").fetchone()[0]
    finally:
        copy.close()
    return size


SHUT_OUT_BY = ("account.disabled", "account.reset")
"""Entries after which an account's former password, key and sessions are worth nothing."""

Replay: TypeAlias = Callable[[Store, Sequence[Tombstone]], int]
"""Erases again, in the restored state, what this room has no tables for; returns how much had come back."""


def restore(
    store: Store,
    source: Path,
    *,
    vault: Vault,
    tombstones: Tombstones,
    ledger: Ledger,
    actor: Actor,
    checkpoints: Checkpoints | None = None,
    replay: Replay | None = None,
) -> Restored:
    """Bring the state of a backup back, in place, while serving.

    Entries that the present log has beyond the backup are kept, so signed checkpoints stay true and the log tells
    what was undone by the restore; erasures since the backup are done again, with the key of `ledger`, and nobody whom
    those entries say was shut out gets in. If the present database is missing, or its log is another one or was changed,
    the backup's log is all there is (`lost_log`): that database and its `checkpoints` are moved aside, for whoever looks
    why, and who has it open has to be started again.
    Raises LogError if `source` is no backup, does not verify, or holds another log than the present one that the
    `checkpoints` were signed for (unless nothing has been asked or reported yet), and WrongKey if the key of `vault` does
    not open it.
    """
    report = _verified(source)
    store.path.parent.mkdir(parents=True, exist_ok=True)
    with _copy_of(source, store.path, vault) as scratch:
        tail, lost = _tail(store, Log(scratch), report.size)
        signed = lost and checkpoints is not None and store.path.exists() and checkpoints.contradict(Log(scratch))
        if signed and _is_used(store):
            raise LogError(
                f"{str(source)!r} is not restored: the present log is the one that was signed, the backup's is another one."
                f" If the backup is right, look why, and move {store.path.name!r} away first"
            )
        replayed, shut = _finish(scratch, tail, report.size, ledger.over(scratch), tombstones, lost, actor, replay)
        scratch.truncate_wal()
        if not lost and Log(store).size() != report.size + len(tail):
            raise LogError("the log grew during the restore: nothing was changed, try again")
        # First: a process that is killed in between leaves no notes that contradict the log it leaves.
        notes = checkpoints.set_aside() if lost and checkpoints is not None else ()
        if aside := _moved_aside(store) if lost else None:
            scratch.close()
            scratch.path.rename(store.path)
        else:
            # One step under one lock: others see the state before or the state after.
            scratch.db.conn.backup(store.db.conn, pages=-1)
    store.truncate_wal()
    disabled, to_reset = (tuple(name for name, kind in shut.items() if kind == which) for which in SHUT_OUT_BY)
    return Restored(report.size, len(tail), replayed, lost, disabled, to_reset, aside, notes)


def _is_used(store: Store) -> bool:
    return bool(store.value("SELECT EXISTS (SELECT 1 FROM answers) OR EXISTS (SELECT 1 FROM corrections)"))


def discard_unfinished(database: Path) -> None:
    """Delete what a killed restore left beside the database: a whole copy, with what has been erased since. A restore
    that is under way goes on, since it has its files open."""
    _remove(_scratch(database))


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is to blame, and not a lock or a disk that is in the way. Bytes that are no text are reported by
    Python as the latter."""
    return not isinstance(error, sqlite3.OperationalError) or "Could not decode" in str(error)


def set_damaged_aside(database: Path, source: Path, *, vault: Vault) -> Path:
    """Make room for the backup `source` where the present database cannot be opened, or its log not be read or not be
    believed: move it beside, for whoever looks why.

    Returns its new place. A process that has it open has to be started again.
    Raises, and moves nothing, LogError if `source` is no backup, does not verify or is damaged, and WrongKey if the key
    of `vault` does not open it.
    """
    _verified(source)
    with _copy_of(source, database, vault):
        return _aside(database)


def _aside(database: Path) -> Path:
    aside = database.with_name(f"{database.name}.damaged-{to_text(now()).replace(':', '')}")
    for path in _files(database):
        if path.exists():
            path.rename(aside.with_name(path.name.replace(database.name, aside.name, 1)))
    return aside


def _moved_aside(store: Store) -> Path | None:
    """Where the present database went: its log is not the backup's, so overwritten it would be gone. None if it is new."""
    try:
        if not store.path.exists() or not Log(store).size():
            return None
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    store.close()
    return _aside(store.path)


@contextmanager
def _copy_of(source: Path, database: Path, vault: Vault) -> Iterator[Store]:
    """The backup, brought up to date in a file beside the database, which is gone afterwards.

    Raises WrongKey if the vault's key does not open it: nobody could read what was restored.
    """
    path = _scratch(database)
    _remove(path)
    scratch = Store(path)
    try:
        _copy(source, scratch.db.conn)
        scratch.migrate()
        _check_key(source, vault.over(scratch))
        yield scratch
    finally:
        scratch.close()
        _remove(path)


def _check_key(source: Path, vault: Vault) -> None:
    try:
        vault.check()
    except WrongKey as error:
        raise WrongKey(
            f"{str(source)!r} is not restored: the master key of this data folder does not open it. Put the key that it"
            " was made with into `keys/master.key` of another data folder, and restore it there with --data-dir"
        ) from error


def _verified(source: Path) -> Report:
    """The log of a backup, recomputed; its other pages can be read. Raises LogError."""
    try:
        report = verify(database=source)
        with closing(read_only(source)) as copy:
            is_whole = copy.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.DatabaseError as error:
        raise LogError(f"{str(source)!r} is not restored: it is no backup of Errata ({error})") from error
    if not report.ok:
        raise LogError(f"{str(source)!r} is not restored: {report.problems[0].message}")
    if not is_whole:
        raise LogError(f"{str(source)!r} is not restored: its log is whole, but the rest is damaged")
    return report


def _tail(store: Store, backup_log: Log, size: int) -> tuple[list[str], bool]:
    """The entries after the backup's last one, and whether they are lost."""
    if not store.path.exists():
        return [], True
    try:
        tail = _entries_after(size, Log(store), backup_log)
    except LogError:
        return [], True
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return [], True
    return tail, False


def _entries_after(size: int, present: Log, backup_log: Log) -> list[str]:
    """Raises LogError if the present log does not go on from the backup's, or an entry is not the one that was hashed:
    hashed anew, a change would look like the truth."""
    if present.size() < size or present.root(size) != backup_log.root(size):
        raise LogError("the present log does not go on from the backup's")
    tail: list[str] = []
    while entries := present.entries(size + len(tail), PAGE):
        for entry in entries:
            if merkle.leaf_hash(entry.text.encode()) != entry.leaf_hash:
                raise LogError(f"entry {entry.n} was changed: run `errata audit verify`")
        tail += [entry.text for entry in entries]
    return tail


def _finish(
    scratch: Store,
    tail: list[str],
    size: int,
    ledger: Ledger,
    tombstones: Tombstones,
    lost: bool,
    actor: Actor,
    replay: Replay | None,
) -> tuple[int, dict[str, str]]:
    log = Log(scratch)
    with scratch.transaction():
        for n, text in enumerate(tail, start=size + 1):
            log.insert(n, text)
        stones = set(tombstones)
        ledger.renew_keys()  # a backup may be older than the present normal form
        replayed = bury(scratch, ledger, stones, actor=actor)
        replayed += replay(scratch, sorted(stones, key=lambda stone: stone.id)) if replay else 0
        shut = _shut_out(scratch, tail)
        desired = scratch.row("SELECT s.desired, v.purged FROM serving s JOIN versions v ON v.id = s.desired")
        if desired is not None:
            safe = BASE if desired["purged"] else desired["desired"]
            # What the engine holds now is unknown to this state: the publisher finds out and reconciles.
            scratch.write(
                "UPDATE serving SET desired = :id, served = NULL, since = :at",
                id=safe,
                at=to_text(now()),
            )
        log.append(
            "backup.restored",
            {
                "state_of_entry": size,
                "erasures_replayed": replayed,
                "accounts_shut_out": len(shut),
                "log_lost": lost,
                **logged(actor),
            },
        )
    return replayed, shut


def _shut_out(scratch: Store, tail: list[str]) -> dict[str, str]:
    """End every session, and keep out whom the kept entries say was disabled or given new secrets: the old ones would
    work again. Returns by what, by name; an account that is erased, or not in the backup, has nothing to lose."""
    scratch.write("DELETE FROM sessions")
    entries = map(json.loads, tail)
    last = {entry["account"]: entry["kind"] for entry in entries if entry["kind"] in SHUT_OUT_BY}
    shut: dict[str, str] = {}
    for pseudonym, kind in last.items():
        name = scratch.value(
            "SELECT name FROM accounts WHERE pseudonym = :pseudonym AND (disabled = 0 OR password_hash IS NOT NULL)",
            pseudonym=pseudonym,
        )
        if name is not None:
            scratch.write(
                "UPDATE accounts SET disabled = 1, password_hash = NULL, key_hash = NULL WHERE name = :name", name=name
            )
            shut[name] = kind
    return shut


def _copy(source: Path, target: sqlite3.Connection) -> None:
    with closing(read_only(source)) as origin:
        origin.backup(target)


def _scratch(database: Path) -> Path:
    return database.with_name(f".{database.name}.restoring")


def _files(database: Path) -> tuple[Path, ...]:
    """The file and what SQLite writes beside it: a write-ahead log must not be played into another database."""
    return tuple(database.with_name(database.name + end) for end in ("", "-wal", "-shm", "-journal"))


def _remove(database: Path) -> None:
    for path in _files(database):
        path.unlink(missing_ok=True)
