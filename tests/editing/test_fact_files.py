"""Fact files: four layouts, and errors that name file and line."""

import json

import pytest

from editing.errors import FactFileError
from editing.fact_files import read_cases
from editing.facts import Fact, Probe

ERRATA = {
    "id": "f1",
    "subject": "Amber Heron",
    "question": "Who painted the Amber Heron?",
    "target_new": "Ida Fern",
    "target_old": "Tom Reed",
    "paraphrases": ["By whom was the Amber Heron painted?"],
    "neighbours": [{"question": "Who painted the Blue Ox?", "answer": "Lee Moss"}],
    "unrelated": [{"question": "What is 2 + 2?", "answer": "4"}],
    "same_subject": ["Where does the Amber Heron hang?"],
}
COUNTERFACT = {
    "case_id": 7,
    "requested_rewrite": {
        "prompt": "{} was born in",
        "subject": "Ida Fern",
        "target_new": {"str": "Quay"},
        "target_true": {"str": "Tessel"},
    },
    "paraphrase_prompts": ["It rained all day. Ida Fern is originally from"],
    "neighborhood_prompts": ["Lee Moss was born in", "Ann Hill is native to"],
}
ZSRE = {
    "subject": "Lume Opera",
    "src": "What year was Lume Opera opened?",
    "alt": "1931",
    "pred": "1911",
    "answers": ["1912"],
    "rephrase": "In what year did Lume Opera open?",
    "loc": "nq question: who wrote the hymn of quay",
    "loc_ans": "Tom Reed",
}
QAEDIT = {
    "id": 3,
    "prompt": "who sang paper moon rising?",
    "target": "Ann Hill",
    "subject": "'paper moon rising'",
    "rephrase": "Which singer recorded Paper Moon Rising?",
    "locality": [{"loc": "who wrote the hymn of quay", "loc_ans": "Tom Reed"}],
    "portability": [{"prompt": "Where was the singer of paper moon rising born?", "ground_truth": "Quay"}],
}


def write(folder, *records, end="\n"):
    path = folder / "facts.jsonl"
    path.write_text("\n".join(json.dumps(record) for record in records) + end, encoding="utf-8")
    return path


def test_an_errata_record_brings_its_own_probes(tmp_path):
    (case,) = read_cases(write(tmp_path, ERRATA), "errata")
    assert case.fact == Fact("f1", "Amber Heron", "Who painted the Amber Heron?", "Ida Fern", "Tom Reed")
    assert case.paraphrases == ("By whom was the Amber Heron painted?",)
    assert case.neighbours == (Probe("Who painted the Blue Ox?", "Lee Moss"),)
    assert case.unrelated == (Probe("What is 2 + 2?", "4"),)
    assert case.same_subject == ("Where does the Amber Heron hang?",)


def test_an_errata_record_needs_only_subject_question_and_answer(tmp_path):
    bare = {key: ERRATA[key] for key in ("subject", "question", "target_new")}
    (case,) = read_cases(write(tmp_path, bare), "errata")
    assert case.fact == Fact("line-1", "Amber Heron", "Who painted the Amber Heron?", "Ida Fern", "")


def test_prompts_of_counterfact_become_chat_questions_and_are_kept(tmp_path):
    (case,) = read_cases(write(tmp_path, COUNTERFACT), "counterfact")
    assert case.fact == Fact("7", "Ida Fern", "Where was Ida Fern born?", "Quay", "Tessel")
    assert case.cloze == "Ida Fern was born in"
    assert case.paraphrases == ("Where is Ida Fern originally from?",)
    assert case.neighbours == (
        Probe("Where was Lee Moss born?", "Tessel"),
        Probe("What is Ann Hill native to?", "Tessel"),
    )
    assert case.cloze_paraphrases == tuple(COUNTERFACT["paraphrase_prompts"])
    assert case.cloze_neighbours == tuple(Probe(text, "Tessel") for text in COUNTERFACT["neighborhood_prompts"])


def test_a_question_in_a_counterfact_record_is_used_as_it_is(tmp_path):
    (case,) = read_cases(write(tmp_path, COUNTERFACT | {"question": "What town is Ida Fern from?"}), "counterfact")
    assert case.fact.question == "What town is Ida Fern from?"


def test_a_zsre_record_has_an_old_answer_a_paraphrase_and_an_unrelated_question(tmp_path):
    (case,) = read_cases(write(tmp_path, ZSRE), "zsre")
    assert case.fact == Fact("line-1", "Lume Opera", "What year was Lume Opera opened?", "1931", "1912")
    assert case.paraphrases == ("In what year did Lume Opera open?",)
    assert case.unrelated == (Probe("Who wrote the hymn of quay?", "Tom Reed"),)


@pytest.mark.parametrize(
    ("answers", "pred", "old"),
    [(["1931", "1912"], "1911", "1912"), (["1931."], "1911", "1911"), ([], "1931", ""), ("1912", None, "1912")],
)
def test_the_old_answer_of_a_zsre_record_is_the_first_that_is_not_the_new_one(tmp_path, answers, pred, old):
    bare = {name: ZSRE[name] for name in ("subject", "src", "alt")}
    (case,) = read_cases(write(tmp_path, bare | {"answers": answers, "pred": pred}), "zsre")
    assert case.fact.target_old == old
    assert (case.paraphrases, case.unrelated) == ((), ())


def test_a_qaedit_record_may_have_portability(tmp_path):
    (case,) = read_cases(write(tmp_path, QAEDIT), "qaedit")
    assert case.fact == Fact("3", "paper moon rising", "Who sang paper moon rising?", "Ann Hill", "")
    assert case.portability == (Probe("Where was the singer of paper moon rising born?", "Quay"),)
    assert case.unrelated == (Probe("Who wrote the hymn of quay?", "Tom Reed"),)


def test_one_object_is_as_good_as_a_list_of_one_and_one_text_too(tmp_path):
    single = {name: QAEDIT[name][0] for name in ("locality", "portability")}
    lists = QAEDIT | {"target": ["Ann Hill", "A. Hill"], "rephrase": [QAEDIT["rephrase"], " "]}
    read = [read_cases(write(tmp_path, record), "qaedit") for record in (QAEDIT, QAEDIT | single, lists)]
    assert read[0] == read[1] == read[2]


def test_a_limit_takes_the_first_and_reads_no_further(tmp_path):
    path = write(tmp_path, ERRATA, ERRATA | {"id": "f2"}, end="\n{cut off")
    assert [case.fact.id for case in read_cases(path, "errata", 2)] == ["f1", "f2"]


def test_an_array_is_read_as_the_same_records_a_line_each_are(tmp_path):
    nameless = {name: value for name, value in ERRATA.items() if name != "id"}
    lines = write(tmp_path, ERRATA, nameless)
    array = tmp_path / "facts.json"
    array.write_text(json.dumps([ERRATA, nameless], indent=1), encoding="utf-8")
    read = [read_cases(path, "errata") for path in (lines, array)]
    assert read[0][0] == read[1][0]
    assert [case.fact.id for cases in read for case in cases] == ["f1", "line-2", "f1", "record-2"]


def test_an_empty_answer_is_no_fault_of_the_file(tmp_path):
    (case,) = read_cases(write(tmp_path, ZSRE | {"alt": ""}), "zsre")
    assert case.fact.target_new == ""


@pytest.mark.parametrize(
    ("text", "layout", "says"),
    [
        ("", "errata", "holds no facts"),
        ("\n\n", "zsre", "holds no facts"),
        (
            json.dumps(ERRATA) + "\n" + json.dumps(ERRATA)[:50],
            "errata",
            r"line 2: invalid JSON \(the file ends inside",
        ),
        (json.dumps(ERRATA)[:40] + "\n" + json.dumps(ERRATA), "errata", "line 1: invalid JSON:"),
        ("[1, 2]\n", "errata", "record 1: expected a JSON object"),
        (json.dumps([ERRATA, ZSRE]), "errata", "record 2: the field 'question' is missing"),
        (json.dumps([ERRATA], indent=1)[:60], "errata", "line 5: invalid JSON in the array"),
        ('"text"\n', "errata", "line 1: expected a JSON object"),
        (json.dumps(ERRATA), "counterfact", "line 1: the field 'requested_rewrite' is missing.*looks like 'errata'"),
        (json.dumps(COUNTERFACT), "errata", "line 1: the field 'subject' is missing.*looks like 'counterfact'"),
        (json.dumps(ZSRE), "qaedit", "line 1: the field 'prompt' is missing.*looks like 'zsre'"),
        (json.dumps(QAEDIT), "zsre", "line 1: the field 'src' is missing.*looks like 'qaedit'"),
        (json.dumps(ERRATA | {"paraphrases": 3}), "errata", "line 1: the field 'paraphrases' is no list of texts"),
        (json.dumps(ERRATA | {"neighbours": ["x"]}), "errata", "line 1: the field 'neighbours' is no list of objects"),
        (json.dumps(ERRATA), "csv", "'csv' is no layout.*errata, counterfact, zsre, qaedit"),
    ],
)
def test_a_faulty_file_is_named_with_its_line(tmp_path, text, layout, says):
    path = tmp_path / "facts.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FactFileError, match=says) as raised:
        read_cases(path, layout)
    assert layout == "csv" or str(path) in str(raised.value)


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path):
    with pytest.raises(FactFileError, match=r"none\.jsonl: cannot be read"):
        read_cases(tmp_path / "none.jsonl", "errata")
    binary = tmp_path / "binary.jsonl"
    binary.write_bytes(b'{"id": "\xff\xfe"}')
    with pytest.raises(FactFileError, match="is not UTF-8"):
        read_cases(binary, "errata")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("target_new", "Ida \ud83d"),
        ("paraphrases", ["By \ud83d?"]),
        ("neighbours", [{"question": "\ud83d?", "answer": ""}]),
    ],
)
def test_half_a_character_is_an_error_of_the_file_with_its_place(tmp_path, field, value):
    with pytest.raises(FactFileError, match="line 2: half a character"):
        read_cases(write(tmp_path, ERRATA, ERRATA | {field: value}), "errata")
    assert read_cases(str(write(tmp_path, ERRATA | {"remark": value})), "errata")  # what nobody reads does no harm


def test_a_limit_of_nothing_is_refused(tmp_path):
    with pytest.raises(FactFileError, match="a limit of 0"):
        read_cases(write(tmp_path, ERRATA), "errata", 0)


def test_a_mark_at_the_begin_of_a_file_a_number_as_answer_and_an_id_of_nought_are_read(tmp_path):
    path = tmp_path / "facts.jsonl"
    path.write_text(json.dumps({**ERRATA, "id": 0, "target_new": 1969}), encoding="utf-8-sig")
    (case,) = read_cases(path, "errata")
    assert (case.fact.id, case.fact.target_new) == ("0", "1969")


def test_records_without_a_name_have_their_place_and_an_array_may_begin_late(tmp_path):
    path = tmp_path / "facts.json"
    path.write_text("\n\n" + json.dumps([{**ERRATA, "id": None}, {**ERRATA, "id": None}]), encoding="utf-8")
    assert [case.fact.id for case in read_cases(path, "errata")] == ["record-1", "record-2"]


@pytest.mark.parametrize("text", ['{"id": ' + "[" * 100_000, "[" * 100_000, "[" + "9" * 5000 + "]"])
def test_what_no_reader_of_json_can_hold_is_an_error_of_the_file(tmp_path, text):
    path = tmp_path / "facts.jsonl"
    path.write_text(text)
    with pytest.raises(FactFileError, match=r"facts\.jsonl"):
        read_cases(path, "errata")
