"""The parts of Errata that run on a data folder: one of each, by a lock that goes with the process that holds it."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from server.errors import ServerError

PARTS = ("serve", "engine", "worker", "gateway")
PATIENCE_S = 2.0  # for the parts of an `errata serve` that was killed: they die with it, a moment later


def lock_of(data_dir: Path, part: str) -> Path:
    """The file whose lock says that this part runs."""
    return data_dir / f"{part}.lock"


@contextmanager
def alone(data_dir: Path, part: str, *, patience_s: float = PATIENCE_S) -> Iterator[TextIO]:
    """Hold a part of a data folder: two of it would fight over the engine, or do the same work twice.

    Raises ServerError if another process holds it and does not let go in time.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + patience_s
    with lock_of(data_dir, part).open("w") as lock:
        while not _held(lock):
            if time.monotonic() > deadline:
                beside = "" if part == "serve" else " (`errata serve` runs one, too)"
                raise ServerError(
                    f"Another errata {part} uses {data_dir}{beside}: stop it, or choose another --data-dir."
                )
            time.sleep(0.1)
        yield lock


def _held(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
