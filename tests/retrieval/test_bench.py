"""The bench of the search: what its figures count."""

import json
from pathlib import Path

from retrieval.bench import bench_retrieval
from retrieval.embedder import HashEmbedder
from retrieval.freshness_training import read_evergreen

SHIPPED = Path(__file__).resolve().parents[1] / "data" / "bench"


def test_a_neighbour_is_scored_with_the_right_passage_taken_out(tmp_path):
    rows = {
        "passages": [
            {"id": "right", "text": "The ferry to Quay leaves at ten."},
            {"id": "neighbour", "text": "The ferry at Quay is old."},  # 0.43 beside the right one, 0.62 without it
        ],
        "questions": [{"question": "When does the ferry to Quay leave?", "passage_id": "right"}],
    }
    for name, some in rows.items():
        (tmp_path / name).write_text("\n".join(map(json.dumps, some)))
    report = bench_retrieval(tmp_path / "passages", tmp_path / "questions", embedder=HashEmbedder(256))
    assert (report["recall_at_1"], report["answered"], report["answered_by_neighbour"]) == (1.0, 1.0, 1.0)


def test_the_shipped_files_can_be_measured_on_and_are_neither_trivial_nor_hopeless():
    report = bench_retrieval(
        SHIPPED / "passages.jsonl", SHIPPED / "questions.jsonl", embedder=HashEmbedder(256), compare=False
    )
    assert (report["n"], report["passages"]) == (60, 60)
    assert 0.5 < report["recall_at_5"] <= 1.0
    assert report["recall_at_1"] < 1.0
    evergreen = [example.evergreen for example in read_evergreen(SHIPPED / "router.csv")]
    assert (evergreen.count(1), evergreen.count(0)) == (20, 20)
