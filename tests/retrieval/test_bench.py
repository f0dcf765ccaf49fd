"""The bench of the search: what its figures count."""

import json
from pathlib import Path

import pytest

from retrieval.bench import bench_retrieval, read_passages, read_questions
from retrieval.embedder import HashEmbedder
from retrieval.errors import BenchInputInvalid
from retrieval.freshness_examples import Example, read_evergreen, read_recency

SHIPPED = Path(__file__).resolve().parents[1] / "data" / "bench"
MARK = b"\xef\xbb\xbf"  # what some editors put before UTF-8
READERS = {
    "evergreen": read_evergreen,
    "recency": read_recency,
    "passages": read_passages,
    "questions": lambda path: read_questions(path, {"p"}),
}
GOOD = {
    "evergreen": b"question,is_evergreen\nWho wrote Faust?,1\n",
    "recency": b'{"question": "Who wrote Faust?", "recency": "Never"}\n',
    "passages": b'{"id": "p", "text": "Goethe wrote Faust."}\n',
    "questions": b'{"question": "Who wrote Faust?", "passage_id": "p"}\n',
}


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


def test_a_passage_with_the_words_of_another_is_found_as_either(tmp_path):
    words = "The ferry to Quay leaves at ten."
    rows = {
        "passages": [
            {"id": "first", "text": words, "title": None},
            {"id": "second", "text": words},
            {"id": "other", "text": "The ferry at Quay is old."},
        ],
        "questions": [
            {"question": "When does the ferry to Quay leave?", "passage_id": one} for one in ("first", "second")
        ],
    }
    for name, some in rows.items():
        (tmp_path / name).write_text("\n".join(map(json.dumps, some)))
    report = bench_retrieval(tmp_path / "passages", tmp_path / "questions", embedder=HashEmbedder(256))
    assert (report["recall_at_1"], report["mrr"], report["answered"]) == (1.0, 1.0, 1.0)
    assert report["answered_by_neighbour"] == 1.0  # the other one: both of the same words were taken out


def test_what_is_null_in_a_passage_is_absent(tmp_path):
    file = tmp_path / "passages"
    file.write_text('{"id": null, "text": "Goethe wrote Faust.", "title": null, "uri": null}\n')
    (passage,) = read_passages(file)
    assert (passage.id, passage.title, passage.uri) == ("passages:1", "", "")


@pytest.mark.parametrize("kind", READERS)
def test_a_mark_before_the_text_is_no_part_of_it(tmp_path, kind):
    file = tmp_path / "file"
    file.write_bytes(GOOD[kind])
    plain = READERS[kind](file)
    file.write_bytes(MARK + GOOD[kind])
    assert READERS[kind](file) == plain


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00", "Wer schrieb das Märchen?".encode("latin-1")])
def test_a_file_that_is_no_utf_8_is_named(tmp_path, kind, content):
    file = tmp_path / "file.bin"
    file.write_bytes(GOOD[kind] + content)
    with pytest.raises(BenchInputInvalid, match=r"'file.bin' is no UTF-8 text .* save it as UTF-8"):
        READERS[kind](file)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("Who wrote Faust?,True", "line 3 of 'file.csv' has the label 'True': is_evergreen is 1"),
        ("Who wrote Faust?,1.0", "has the label '1.0'"),
        ("Who wrote Faust?,2", "has the label '2'"),
        ("Who wrote Faust?,", "has the label ''"),
        ("Who wrote Faust?", "has no label"),
        (",1", "line 3 of 'file.csv' has no question"),
    ],
)
def test_a_row_of_the_router_file_that_cannot_be_read_is_named_with_what_is_needed(tmp_path, row, says):
    file = tmp_path / "file.csv"
    file.write_text(f"question,is_evergreen\nWho wrote Emma?, 1\n{row}\n")
    with pytest.raises(BenchInputInvalid) as refused:
        read_evergreen(file)
    assert says in str(refused.value)


def test_blank_lines_are_skipped_and_empty_files_are_named(tmp_path):
    file = tmp_path / "file"
    for kind, read in READERS.items():
        head, _, row = GOOD[kind].rpartition(b"\n")[0].rpartition(b"\n")
        file.write_bytes(head + b"\n\n" * bool(head) + row + b"\n \n\n" * (kind != "evergreen"))
        assert len(read(file)) == 1
        file.write_bytes(b"\n \n" if kind != "evergreen" else head + b"\n")
        if kind != "passages":  # a file of distractors may be empty
            with pytest.raises(BenchInputInvalid, match="'file' holds no questions"):
                read(file)
    file.write_bytes(GOOD["recency"])
    assert read_recency(file) == [Example("Who wrote Faust?", evergreen=1, recency=11)]
