"""What a bench leaves in the log."""

from server.bench_log import entry, this_device


def test_an_entry_holds_every_figure_and_no_rows():
    reports = {
        "router": {"n": 10, "weighted_f1": 0.87654321},
        "serving": {"tokens": 64, "runs": [{"concurrency": 8, "ratio": {"tokens_per_s": 0.9}}]},
        "editing": {"direct": 1.0, "method": "memit", "rows": [{"id": "f1"}], "by_kind": {"people": 1}},
    }
    text = entry(reports, day="2026-11-22", commit="abc1234", device="2 cores")
    assert text == (
        "## 2026-11-22 bench at abc1234\n\nOn 2 cores.\n\n"
        '- **editing**: direct 1, method memit\n  - by_kind: {"people": 1}\n'
        "- **router**: n 10, weighted_f1 0.8765\n"
        '- **serving**: tokens 64\n  - {"concurrency": 8, "ratio": {"tokens_per_s": 0.9}}\n'
    )


def test_the_device_is_named():
    assert "cores of" in this_device()
