"""How fast the log is at a size: appends, proofs, checkpoints and a full verification.

    python tests/bench_log.py [N]      a million entries, if not said otherwise; 100 a commit

One JSON object on standard output, in ms unless the name says s.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
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


def measure(store: Store, *, entries: int) -> dict[str, Any]:
    """The report of a log of this many entries, made in this empty store; a line on standard error now and then."""
    store.migrate()
    log, batches, singles = Log(store), list[float](), list[float]()
    while log.size() < entries:
        start = time.perf_counter()
        with store.transaction():
            for _ in range(min(BATCH, entries - log.size())):
                log.append("correction.moved", ENTRY)
        batches.append((time.perf_counter() - start) / BATCH)
        if len(batches) % 100 == 0:
            _tell(len(batches) * BATCH, entries)
    for _ in range(SAMPLES):
        start = time.perf_counter()
        with store.transaction():
            log.append("correction.moved", ENTRY)
        singles.append(time.perf_counter() - start)
    draw = random.Random(0)
    numbers = [draw.randint(1, entries) for _ in range(SAMPLES)]
    folder = store.path.parent / "checkpoints"
    checkpoints = Checkpoints(log, Signer(bytes(32)), [folder])
    first = _timed(checkpoints.write)
    with store.transaction():
        log.append("correction.moved", ENTRY)
    following = _timed(checkpoints.write)
    start = time.perf_counter()
    report = verify(database=store.path, checkpoints=[folder], progress=_tell)
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


def _tell(done: int, of: int) -> None:
    print(f"{done} of {of}", file=sys.stderr, flush=True)


def main(entries: str = "1000000") -> None:
    with tempfile.TemporaryDirectory() as folder, closing(Store(Path(folder) / "errata.db")) as store:
        print(json.dumps(measure(store, entries=int(entries))))


if __name__ == "__main__":
    main(*sys.argv[1:])
