"""The one database file: a connection per thread, and transactions that nest by joining."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlite_utils

from governance.migrations import MIGRATIONS

BUSY_TIMEOUT_S = 10.0


class Store:
    """`errata.db`, shared by threads and processes. Every write happens inside `transaction()`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._opened: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._lock = threading.Lock()

    @property
    def db(self) -> sqlite_utils.Database:
        """This thread's connection, opened on first use."""
        db: sqlite_utils.Database | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = self._open()
        return db

    def _open(self) -> sqlite_utils.Database:
        # isolation_level None: the driver opens no transaction of its own, so BEGIN IMMEDIATE below is the only one.
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        with self._lock:
            gone = [pair for pair in self._opened if not pair[0].is_alive()]
            self._opened = [pair for pair in self._opened if pair[0].is_alive()]
            self._opened.append((threading.current_thread(), connection))
        for _, stale in gone:
            stale.close()
        return sqlite_utils.Database(connection, execute_plugins=False)

    @contextmanager
    def transaction(self) -> Iterator[sqlite_utils.Database]:
        """All or nothing. The outermost block takes the write lock at once; inner blocks join it.

        Waits up to 10 s for another writer, then raises sqlite3.OperationalError.
        """
        db = self.db
        if db.conn.in_transaction:
            yield db
            return
        db.conn.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.conn.execute("COMMIT")
        except BaseException:
            # A trigger that raises ROLLBACK has ended the transaction already; a COMMIT on a full disk has not.
            if db.conn.in_transaction:
                db.conn.execute("ROLLBACK")
            raise

    @contextmanager
    def snapshot(self) -> Iterator[sqlite_utils.Database]:
        """Several reads that see one moment; joins a transaction that is open."""
        db = self.db
        if db.conn.in_transaction:
            yield db
            return
        db.conn.execute("BEGIN")
        try:
            yield db
        finally:
            if db.conn.in_transaction:
                db.conn.execute("COMMIT")

    def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        """Every row of a SELECT with named parameters, as dicts."""
        cursor = self.db.conn.execute(sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, sql: str, **params: Any) -> dict[str, Any] | None:
        """The first row of a SELECT, or None."""
        cursor = self.db.conn.execute(sql, params)
        row = cursor.fetchone()
        if row is None:
            return None
        return dict(zip([column[0] for column in cursor.description], row, strict=True))

    def value(self, sql: str, **params: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.db.conn.execute(sql, params).fetchone()
        return None if row is None else row[0]

    def write(self, sql: str, **params: Any) -> int:
        """One INSERT, UPDATE or DELETE inside the open transaction; returns the number of rows touched.

        Raises RuntimeError outside a transaction, because a change without its log entry must not happen.
        """
        if not self.db.conn.in_transaction:
            raise RuntimeError("write() outside a transaction: wrap the change in `with store.transaction():`")
        return self.db.conn.execute(sql, params).rowcount

    def migrate(self) -> None:
        """Bring the tables of this room up to date; safe to call at every start and from several processes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.transaction() as db:
            MIGRATIONS.apply(db)

    def truncate_wal(self) -> bool:
        """Copy the write-ahead log into the file and empty it; False while a reader or writer is in the way."""
        connection = self.db.conn
        # It holds the write lock as long as it waits for readers: writers would wait with it.
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
        return not busy

    def sync(self) -> None:
        """Make all that is committed so far survive a power cut."""
        self.db.conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        # While an older reader stands in its way, that syncs nothing.
        with suppress(FileNotFoundError), self.path.with_name(f"{self.path.name}-wal").open("rb") as file:
            os.fsync(file.fileno())

    def close(self) -> None:
        """Close the connections of all threads. The store opens new ones if it is used again."""
        with self._lock:
            opened, self._opened = self._opened, []
            self._local = threading.local()
        for _, connection in opened:
            connection.close()
