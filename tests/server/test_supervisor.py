"""Children die with their parent, come back when they fall, and end in time."""

import asyncio
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from server import supervisor
from server.supervisor import Child, Supervisor, last_lines

pytestmark = pytest.mark.timeout(60)

# Writes its process id, and its child's, and then waits.
PARENT_AND_CHILD = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
open(sys.argv[1], "a").write(f"{os.getpid()} {child.pid}\\n")
time.sleep(300)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(300)"
SUPERVISED = """
import asyncio, sys
from server.supervisor import Child, Supervisor
asyncio.run(Supervisor([Child("part", [sys.executable, "-c", sys.argv[1], sys.argv[2]])]).run())
"""


def script(name: str, code: str, *arguments: str | Path, **options) -> Child:
    return Child(name, [sys.executable, "-c", code, *map(str, arguments)], **options)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, timeout_s: float = 20.0):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


async def wait_for_async(condition, timeout_s: float = 20.0):
    return await asyncio.to_thread(wait_for, condition, timeout_s)


def pids_in(file: Path, count: int = 2) -> list[int]:
    found = [int(word) for word in file.read_text().split()] if file.exists() else []
    return found if len(found) >= count else []


async def test_stop_ends_children_and_what_they_started(tmp_path):
    supervisor = Supervisor([script("part", PARENT_AND_CHILD, tmp_path / "pids")])
    running = asyncio.create_task(supervisor.run())
    pids = await wait_for_async(lambda: pids_in(tmp_path / "pids"))
    supervisor.stop()
    await asyncio.wait_for(running, 15)
    assert await wait_for_async(lambda: not any(is_alive(pid) for pid in pids))  # the kernel may need a moment


async def test_a_child_that_does_not_listen_is_killed_after_its_grace(tmp_path):
    supervisor = Supervisor([script("deaf", DEAF, log=tmp_path / "log")], grace_s=0.5)
    running = asyncio.create_task(supervisor.run())
    await wait_for_async(lambda: "deaf" in last_lines(tmp_path / "log"))
    pid = supervisor.pid("deaf")
    started = time.monotonic()
    supervisor.stop()
    await asyncio.wait_for(running, 15)
    assert time.monotonic() - started < 5
    assert not is_alive(pid)


async def test_a_child_that_falls_comes_back_after_its_preparation(tmp_path):
    prepared = []
    child = script("part", PARENT_AND_CHILD, tmp_path / "pids", before=lambda: prepared.append(1))
    supervisor = Supervisor([child], first_pause_s=0.05)
    running = asyncio.create_task(supervisor.run())
    first, grandchild = await wait_for_async(lambda: pids_in(tmp_path / "pids"))
    os.kill(first, signal.SIGKILL)
    second = (await wait_for_async(lambda: pids_in(tmp_path / "pids", 4)))[2]
    assert second != first
    assert supervisor.pid("part") == second
    assert not is_alive(grandchild)  # nothing of the fallen one stays behind
    assert len(prepared) == 2
    supervisor.stop()
    await running


async def test_a_child_that_does_not_come_up_in_time_is_started_again(tmp_path, caplog):
    up = asyncio.Event()

    async def is_up() -> bool:
        return up.is_set()

    child = script("engine", PARENT_AND_CHILD, tmp_path / "pids", is_up=is_up, start_timeout_s=0.5)
    supervisor = Supervisor([child], first_pause_s=0.05)
    running = asyncio.create_task(supervisor.run())
    first, second, *_ = (await wait_for_async(lambda: pids_in(tmp_path / "pids", 4)))[::2]
    assert first != second
    assert "engine has not come up within 0.5 s" in caplog.text
    up.set()
    started = supervisor.pid("engine")
    await asyncio.sleep(1.5)
    assert supervisor.pid("engine") == started
    supervisor.stop()
    await running


async def test_a_terminal_that_closes_ends_nothing_that_was_told_to_stay(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        supervisor = Supervisor([script("part", PARENT_AND_CHILD, tmp_path / "pids")])
        running = asyncio.create_task(supervisor.run())
        await wait_for_async(lambda: pids_in(tmp_path / "pids"))
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.2)
        assert not running.done()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        supervisor.stop()
        await running
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_pauses_between_starts_grow(tmp_path):
    child = script("part", "import sys, time; open(sys.argv[1], 'a').write(f'{time.time()} ')", tmp_path / "starts")
    supervisor = Supervisor([child], first_pause_s=0.2)
    running = asyncio.create_task(supervisor.run())
    times = await wait_for_async(
        lambda: (
            (found := (tmp_path / "starts").read_text().split() if (tmp_path / "starts").exists() else [])[4:] and found
        )
    )
    supervisor.stop()
    await running
    first, *_, last = [float(b) - float(a) for a, b in itertools.pairwise(times)]
    assert last > first + 0.5


async def test_the_engine_is_told_last(tmp_path):
    note = "import signal, sys, time\ndef end(*_):\n    open(sys.argv[1], 'a').write(sys.argv[2]); sys.exit()\n"
    note += "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(300)"
    children = [
        script("engine", note, tmp_path / "ends", "engine ", log=tmp_path / "1", stops_last=True),
        script("gateway", note, tmp_path / "ends", "gateway ", log=tmp_path / "2"),
    ]
    supervisor = Supervisor(children)
    running = asyncio.create_task(supervisor.run())
    await wait_for_async(lambda: last_lines(tmp_path / "1") and last_lines(tmp_path / "2"))
    supervisor.stop()
    await running
    assert (tmp_path / "ends").read_text() == "gateway engine "


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_children_end_with_their_parent_however_it_goes(tmp_path, number):
    parent = subprocess.Popen([sys.executable, "-c", SUPERVISED, PARENT_AND_CHILD, str(tmp_path / "pids")])
    part, started_by_part = wait_for(lambda: pids_in(tmp_path / "pids"))
    parent.send_signal(number)
    parent.wait(15)
    wait_for(lambda: not is_alive(part), 5)
    if number != signal.SIGKILL:
        wait_for(lambda: not is_alive(started_by_part), 5)
    else:
        os.kill(started_by_part, signal.SIGKILL)  # only what takes part in dying with its parent can be promised


async def test_a_command_that_cannot_be_started_ends_the_supervisor_with_its_reason(tmp_path):
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        await asyncio.wait_for(Supervisor([Child("part", [str(tmp_path / "no-such-program")])]).run(), 10)


def test_the_log_of_a_child_is_private_and_starts_anew_when_large(tmp_path):
    log = tmp_path / "logs" / "engine.log"
    with supervisor._opened(log) as stream:
        stream.write(b"x" * (supervisor.LOG_LIMIT_BYTES + 1))
    assert log.stat().st_mode & 0o777 == 0o600
    with supervisor._opened(log) as stream:
        stream.write(b"new")
    assert last_lines(log) == "new"
    assert log.with_suffix(".old").exists()


def pauses_in(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"started again in (\S+) s\.", text)]


async def first_pauses(caplog) -> list[float]:
    """Between the starts of a child that ends at once."""
    running = asyncio.create_task(Supervisor([Child("part", ["true"])], first_pause_s=0.01).run())
    await wait_for_async(lambda: len(pauses_in(caplog.text)) > 3)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return pauses_in(caplog.text)[:4]


async def test_no_pause_between_starts_is_longer_than_the_longest(monkeypatch, caplog):
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_S", 0.02)
    assert await first_pauses(caplog) == [0.01, 0.02, 0.02, 0.02]


async def test_a_child_that_ran_long_before_it_fell_is_started_again_at_once(monkeypatch, caplog):
    monkeypatch.setattr(supervisor, "STEADY_S", 0.0)
    assert await first_pauses(caplog) == [0.01, 0.01, 0.01, 0.01]


async def test_a_child_that_has_ended_is_not_signalled_by_its_old_number(monkeypatch, caplog):
    parts = Supervisor([Child("part", ["true"])], first_pause_s=60)
    running = asyncio.create_task(parts.run())
    await wait_for_async(lambda: pauses_in(caplog.text))
    signalled = []
    monkeypatch.setattr(supervisor, "_signal_group", lambda pid, number: signalled.append((pid, number)))
    parts.stop()
    await asyncio.wait_for(running, 15)
    assert signalled == []


async def test_nobody_asks_any_more_whether_a_child_that_has_ended_is_up():
    asked, left = asyncio.Event(), asyncio.Event()

    async def is_up() -> bool:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        return False

    parts = Supervisor([Child("engine", ["sleep", "300"], is_up=is_up)], first_pause_s=60)
    running = asyncio.create_task(parts.run())
    await asyncio.wait_for(asked.wait(), 15)
    os.kill(parts.pid("engine"), signal.SIGKILL)
    await asyncio.wait_for(left.wait(), 15)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_part_that_is_told_last_has_its_own_shorter_grace(tmp_path, monkeypatch):
    assert supervisor.GRACE_S + supervisor.LAST_GRACE_S < 15
    monkeypatch.setattr(supervisor, "LAST_GRACE_S", 0.1)
    parts = Supervisor([script("deaf", DEAF, log=tmp_path / "log", stops_last=True)], grace_s=60)
    running = asyncio.create_task(parts.run())
    await wait_for_async(lambda: "deaf" in last_lines(tmp_path / "log"))
    parts.stop()
    await asyncio.wait_for(running, 15)


async def test_a_terminal_that_closes_ends_what_nobody_told_to_stay():
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        parts = Supervisor([Child("part", ["sleep", "300"])])
        running = asyncio.create_task(parts.run())
        await wait_for_async(lambda: parts.pid("part"))
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.wait_for(running, 15)
    finally:
        signal.signal(signal.SIGHUP, before)
