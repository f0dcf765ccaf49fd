"""One file for threads and processes: nested transactions, kills in the middle, and writers that wait."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from governance.audit import Log
from governance.audit_verify import verify
from governance.store import Store

DIES = """
import os, signal, sys
from pathlib import Path
from governance.audit import Log
from governance.store import Store
store = Store(Path(sys.argv[1]))
with store.transaction():
    store.write("INSERT INTO operators VALUES ('ghost', 'opr_ghost')")
    Log(store).append("test", {})
    os.kill(os.getpid(), signal.SIGKILL)
"""
WRITES = """
import sys
from pathlib import Path
from governance.audit import Log
from governance.store import Store
store = Store(Path(sys.argv[1]))
for number in range(50):
    with store.transaction():
        Log(store).append("test", {"process": sys.argv[2], "number": number})
"""


def test_a_killed_process_leaves_neither_change_nor_entry(room):
    before = room.log.size()
    done = subprocess.run([sys.executable, "-c", DIES, str(room.store.path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert room.log.size() == before
    assert room.store.value("SELECT COUNT(*) FROM operators") == 0
    assert verify(database=room.store.path).ok


def test_processes_and_threads_write_one_log(room):
    before = room.log.size()
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITES, str(room.store.path), str(number)]) for number in range(3)
    ]
    for number in range(20):
        room.flag(question=f"Who painted picture {number}?")
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert room.log.size() == before + 170
    assert verify(database=room.store.path).ok


def test_emptying_the_write_ahead_log_holds_nobody_up_while_somebody_reads(room):
    reader = Store(room.store.path)
    reader.db.conn.execute("BEGIN")
    reader.value("SELECT COUNT(*) FROM audit_entries")
    room.flag()
    begun = time.monotonic()
    assert not room.store.truncate_wal()
    assert time.monotonic() - begun < 2
    reader.close()
    assert room.store.truncate_wal()
    assert room.store.value("PRAGMA busy_timeout") == 10_000


def test_inner_transactions_join_the_outer_one(room):
    def fail():
        with room.store.transaction():
            with room.store.transaction():
                room.log.append("test", {})
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail()
    assert "test" not in [entry["kind"] for entry in room.entries()]


def test_a_write_outside_a_transaction_is_refused(room):
    with pytest.raises(RuntimeError, match="outside a transaction"):
        room.store.write("DELETE FROM sessions")


def test_a_snapshot_sees_one_moment(room):
    with room.store.snapshot():
        before = room.log.size()
        thread = threading.Thread(target=room.flag)
        thread.start()
        thread.join()
        assert room.log.size() == before
    assert room.log.size() == before + 1


def test_migrating_twice_and_from_several_threads_changes_nothing(tmp_path):
    store = Store(tmp_path / "new" / "errata.db")
    threads = [threading.Thread(target=store.migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    schema = store.rows("SELECT sql FROM sqlite_master ORDER BY name")
    store.migrate()
    assert store.rows("SELECT sql FROM sqlite_master ORDER BY name") == schema
    assert Log(store).size() == 0
    store.close()


def test_every_pragma_that_safety_rests_on_is_set(room):
    pragmas = {name: room.store.value(f"PRAGMA {name}") for name in ("journal_mode", "foreign_keys", "secure_delete")}
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "secure_delete": 1}


def test_a_closed_store_opens_again(room):
    room.store.close()
    assert room.log.size() > 0
