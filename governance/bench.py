"""How fast the log is at a size: appends, proofs, checkpoints and a full verification, in one run."""

import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from governance.audit import Log
from governance.audit_verify import verify
from governance.checkpoints import Checkpoints
from governance.notes import Signer
from governance.store import Store

BATCH = 100
SAMPLES = 200
ENTRY = {
    "correction": "cor_" + "a" * 32,
    "from": "queued",
    "to": "approved",
    "actor": "psn_" + "b" * 32,
    "role": "admin",
    "reason": "c" * 64,
    "claim": "d" * 64,
}


def bench_log(
    *, entries: int = 1_000_000, folder: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Fill a log of this many entries (100 a commit) and time what is done with it, in ms unless the name says s."""
    place = Path(tempfile.mkdtemp(dir=folder))
    store = Store(place / "errata.db")
    try:
        store.migrate()
        return _measure(store, entries, progress)
    finally:
        store.close()
        shutil.rmtree(place)


def _measure(store: Store, entries: int, progress: Callable[[int, int], None] | None) -> dict[str, Any]:
    log, batches, singles = Log(store), list[float](), list[float]()
    while log.size() < entries:
        start = time.perf_counter()
        with store.transaction():
            for _ in range(min(BATCH, entries - log.size())):
                log.append("correction.moved", ENTRY)
        batches.append((time.perf_counter() - start) / BATCH)
        if progress and len(batches) % 100 == 0:
            progress(len(batches) * BATCH, entries)
    for _ in range(SAMPLES):
        start = time.perf_counter()
        with store.transaction():
            log.append("correction.moved", ENTRY)
        singles.append(time.perf_counter() - start)
    draw = random.Random(0)
    numbers = [draw.randint(1, entries) for _ in range(SAMPLES)]
    checkpoints = Checkpoints(log, Signer(bytes(32)), [store.path.parent / "checkpoints"])
    first = _timed(checkpoints.write)
    with store.transaction():
        log.append("correction.moved", ENTRY)
    following = _timed(checkpoints.write)
    start = time.perf_counter()
    report = verify(database=store.path, checkpoints=[store.path.parent / "checkpoints"], progress=progress)
    return {
        "entries": entries,
        "append_ms": _median(batches),
        "append_at_full_size_ms": _median(batches[-SAMPLES:]),
        "append_one_a_commit_ms": _median(singles),
        "inclusion_proof_ms": _median([_timed(partial(log.inclusion_proof, n)) for n in numbers]),
        "consistency_proof_ms": _median([_timed(partial(log.consistency_proof, n)) for n in numbers]),
        "first_checkpoint_s": round(first, 3),
        "next_checkpoint_ms": round(following * 1000, 3),
        "verify_s": round(time.perf_counter() - start, 2),
        "verified": report.ok,
        "database_mb": round(store.path.stat().st_size / 1e6, 1),
    }


def _timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _median(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1000, 4)
