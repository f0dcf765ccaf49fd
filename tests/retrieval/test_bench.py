"""The bench of the search: what its figures count."""

import json

from retrieval.bench import bench_retrieval
from retrieval.embedder import HashEmbedder


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
