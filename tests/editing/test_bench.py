from dataclasses import replace

import pytest

from editing.bench import run_bench
from editing.facts import Fact, FactCase, Probe
from editing.methods import METHODS, memit, method
from editing.testing import TINY, tiny_editor

CASES = [
    FactCase(
        Fact("mona", "Mona Lisa", "Who painted the Mona Lisa?", "Raphael", "Leonardo"),
        paraphrases=("Mona Lisa: who painted it?",),
        neighbours=(Probe("Who painted Guernica?", "Picasso"),),
        unrelated=(Probe("What is water?", "wet"),),
        same_subject=("Where is the Mona Lisa?",),
    ),
    FactCase(Fact("lyon", "France", "What is the capital of France?", "Lyon", "Paris")),
    FactCase(Fact("nice", "France", "What is the capital of France?", "Nice", "Paris")),
    FactCase(Fact("lost", "Spain", "What is the capital of Italy?", "Turin")),
]
CONTRACT = {
    "n",
    "method",
    "model",
    "batch",
    "generator",
    "direct",
    "paraphrase",
    "neighbours_kept",
    "unrelated_kept",
    "subject_kept",
    "stops",
    "efficacy",
    "paraphrase_tf",
    "neighbourhood",
    "perplexity_before",
    "perplexity_after",
    "seconds",
    "seconds_per_edit",
    "seconds_target_states",
    "seconds_solve",
    "peak_rss_mb",
}


@pytest.fixture(scope="module")
def editor():
    return tiny_editor(config=replace(TINY, steps=2))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_reports_every_field_and_leaves_the_model_alone(editor, name):
    before = editor.solve([]).tensors_sha256()
    report = run_bench(editor, CASES, method_name=name, max_tokens=4, texts=["some words to read"])
    assert set(report) >= CONTRACT
    assert report["n"] == len(report["facts"]) == 4
    assert editor.solve([]).tensors_sha256() == before


def test_facts_that_cannot_be_edited_are_named_and_the_others_go_on(editor):
    report = run_bench(editor, CASES, max_tokens=4)
    rows = {row["id"]: row for row in report["facts"]}
    assert "contradict" in rows["nice"]["refused"]
    assert "'lost'" in rows["lost"]["refused"]
    assert "refused" not in rows["mona"]
    assert report["seconds_per_edit"] == report["seconds"] / 2  # of those that were edited
    assert rows["mona"]["steps"] > 0


def test_a_subject_that_its_tokens_do_not_hold_ends_nothing_but_its_own_edit(editor):
    folded = FactCase(Fact("folded", "ﬁre", "Who saw the fire?", "Ann Ray"))  # one sign for f and i
    told = []
    rows = {
        row["id"]: row for row in run_bench(editor, [folded, CASES[0]], max_tokens=4, progress=told.append)["facts"]
    }
    assert "does not occur in prompt" in rows["folded"]["refused"]
    assert "refused" not in rows[CASES[0].fact.id]
    assert "edits: 1 of 1" in told


def test_two_facts_of_one_id_are_edited_by_their_own_wordings(editor, monkeypatch):
    seen = []

    def noting(one, groups, written, progress):
        seen.extend(zip(groups, written, strict=True))
        return memit(one, groups, written, progress)

    monkeypatch.setattr("editing.bench.method", lambda _name: noting)
    twice = [
        FactCase(Fact("same", place, f"What is the capital of {place}?", "Turin")) for place in ("Spain", "France")
    ]
    run_bench(editor, twice, max_tokens=4)
    assert [said.question for _, (said,) in seen] == [fact.question for (fact,), _ in seen]


@pytest.mark.parametrize("cloze", ["", "Mona Lisa was painted by"])
def test_probabilities_are_compared_on_the_prompts_that_the_fact_came_with(editor, monkeypatch, cloze):
    asked = []

    def scores(_decoder, _chat, triples):
        asked.extend(triples)
        return [0.0] * len(triples)

    monkeypatch.setattr("editing.bench.answer_log_probs", scores)
    rephrased, near = ("It was late. The hand behind Mona Lisa is",), (Probe("Guernica was painted by", "Picasso"),)
    case = replace(CASES[0], cloze=cloze, cloze_paraphrases=rephrased, cloze_neighbours=near)
    run_bench(editor, [case], max_tokens=4)
    questions = (case.fact.question, case.paraphrases[0], case.neighbours[0].question)
    prompts, as_chat = ((cloze, rephrased[0], near[0].question), False) if cloze else (questions, True)
    pairs = zip(prompts, (("Raphael", "Leonardo"), ("Raphael", "Leonardo"), ("Picasso", "Raphael")), strict=True)
    assert asked == [(prompt, answer, as_chat) for prompt, answers in pairs for answer in answers]


def test_batches_start_from_the_base_each(editor):
    alone = run_bench(editor, CASES[:1], batch=1, max_tokens=4)["facts"][0]
    among = run_bench(editor, CASES[:2], batch=1, max_tokens=4)["facts"][0]
    assert alone == among


def test_an_unknown_method_is_an_error_that_lists_the_known():
    with pytest.raises(ValueError, match=r"'mend'.*memit"):
        method("mend")
