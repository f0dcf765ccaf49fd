"""The measure of the log: it runs at any size."""

import importlib.util
from contextlib import closing
from pathlib import Path

from governance.store import Store

SCRIPT = Path(__file__).parents[1] / "bench_log.py"


def test_the_bench_of_the_log_runs_at_any_size(tmp_path):
    spec = importlib.util.spec_from_file_location("bench_log", SCRIPT)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    with closing(Store(tmp_path / "errata.db")) as store:
        found = bench.measure(store, entries=300)
    assert found["verified"]
    assert found["entries"] == 300
