"""Runs the parts of Errata as child processes: they die with their parent, come back if they fall, end within 15 s."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

log = logging.getLogger(__name__)

GRACE_S = 8.0  # from TERM to KILL; together with the next one well below the promised 15 s
LAST_GRACE_S = 4.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
STEADY_S = 120.0  # a child that ran this long and fell is started again at once, as if for the first time
LOG_LIMIT_BYTES = 20 * 2**20


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running.

    log              file for its output; none: the parent's own
    before           called before each start (folders to make, an old socket to remove)
    stops_last       told to end after all others have ended: they may still need it
    is_up            does it answer? asked until it does; one that takes longer than start_timeout_s is started again
    start_timeout_s  seconds
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] | None = None
    folder: Path | None = None
    log: Path | None = None
    before: Callable[[], None] | None = None
    stops_last: bool = False
    is_up: Callable[[], Awaitable[bool]] | None = None
    start_timeout_s: float = 900.0


class Supervisor:
    """Keeps children running until `stop`, then ends them all, with everything that they started."""

    def __init__(
        self, children: Sequence[Child], *, first_pause_s: float = FIRST_PAUSE_S, grace_s: float = GRACE_S
    ) -> None:
        self._children, self._first_pause_s, self._grace_s = tuple(children), first_pause_s, grace_s
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`, TERM or INT. On return no child is left. Belongs to the main thread."""
        loop = asyncio.get_running_loop()
        numbers = [signal.SIGTERM, signal.SIGINT]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup: the terminal may close
            numbers.append(signal.SIGHUP)
        for number in numbers:
            loop.add_signal_handler(number, self.stop)
        keepers = [asyncio.create_task(self._keep(child), name=child.name) for child in self._children]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait([*keepers, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()  # a keeper ends only by a fault of ours, or a command that cannot be started
        finally:
            self._stopping.set()
            stopping.cancel()
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await self._end([child for child in self._children if not child.stops_last], self._grace_s)
            await self._end([child for child in self._children if child.stops_last], min(self._grace_s, LAST_GRACE_S))
            for number in numbers:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Make `run` end every child and return. May be called again."""
        self._stopping.set()

    def pid(self, name: str) -> int | None:
        """The process id of a running child."""
        process = self._running.get(name)
        return None if process is None else process.pid

    async def _keep(self, child: Child) -> None:
        pause_s = self._first_pause_s
        while True:
            started = time.monotonic()
            code = await self._run_once(child)
            if time.monotonic() - started > STEADY_S:
                pause_s = self._first_pause_s
            tail = f" Last lines of {child.log}:\n{last_lines(child.log)}" if child.log else ""
            log.error("%s ended with %s; it is started again in %g s.%s", child.name, _told(code), pause_s, tail)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _run_once(self, child: Child) -> int:
        if child.before:
            child.before()
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(_opened(child.log)) if child.log else None
            # A session of its own, so that whatever the child starts can be ended with it, and Ctrl-C reaches us alone.
            process = await asyncio.create_subprocess_exec(
                *child.command,
                env=child.environ,
                cwd=child.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_dies_with_parent(),
            )
        log.info("%s started (process %d)", child.name, process.pid)
        self._running[child.name] = process
        watching = asyncio.create_task(_end_if_late(child, process.pid))
        try:
            code = await process.wait()
        finally:
            watching.cancel()
        _signal_group(process.pid, signal.SIGKILL)  # what it left behind
        return code

    async def _end(self, children: Sequence[Child], grace_s: float) -> None:
        known = [process for child in children if (process := self._running.get(child.name))]
        processes = [process for process in known if process.returncode is None]  # else its number may be another's now
        for process in processes:
            _signal_group(process.pid, signal.SIGTERM)
        waits = [asyncio.create_task(process.wait()) for process in processes]
        if waits:
            await asyncio.wait(waits, timeout=grace_s)
        for process in processes:
            _signal_group(process.pid, signal.SIGKILL)
        await asyncio.gather(*waits)


async def _end_if_late(child: Child, pid: int) -> None:
    """End a child that does not come up in time; its keeper starts it again."""
    if child.is_up is None:
        return
    deadline = time.monotonic() + child.start_timeout_s
    while not await child.is_up():
        if time.monotonic() > deadline:
            log.error(
                "%s has not come up within %g s and is ended; if it only needs longer: ERRATA_ENGINE__START_TIMEOUT_S",
                child.name,
                child.start_timeout_s,
            )
            _signal_group(pid, signal.SIGKILL)
            return
        await asyncio.sleep(min(1.0, child.start_timeout_s))


def last_lines(file: Path, *, count: int = 15) -> str:
    """The end of a log file, for a person who wonders why."""
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - 16_384))
        return "\n".join(stream.read().decode(errors="replace").splitlines()[-count:])


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """The log file to append to; one that has grown large starts anew, and the old one is kept beside it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.is_file() and file.stat().st_size > LOG_LIMIT_BYTES:
        file.replace(file.with_suffix(".old"))
    with os.fdopen(os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "ab") as stream:
        yield stream


def _dies_with_parent() -> Callable[[], None]:
    """For the child, between fork and exec: have the kernel kill it when we are gone, however we go."""
    libc, parent = ctypes.CDLL(None), os.getpid()
    pr_set_pdeathsig = 1

    def set_it() -> None:
        libc.prctl(pr_set_pdeathsig, signal.SIGKILL)
        if os.getppid() != parent:  # gone already, before the kernel was told
            os._exit(1)

    return set_it


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _told(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
