from dataclasses import replace

import pytest

from editing.bench import run_bench
from editing.errors import EditDiverged
from editing.facts import Fact, FactCase, Probe
from editing.methods import METHODS, memit, method
from editing.replies import Reply
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


def test_only_answers_that_were_right_before_can_be_kept(editor):
    near, other, same = "Who painted Guernica?", "What is water?", "Where is the Mona Lisa?"
    before = {near: Reply("Picasso did.", True), other: Reply("Dry.", True), same: Reply("In Paris.", True)}
    report = run_bench(editor, CASES[:1], max_tokens=4, before=before)
    (row,) = report["facts"]
    assert (row["neighbours_kept"], row["unrelated_kept"], row["subject_kept"]) == ([False], [], [True])
    assert (report["neighbours_kept"], report["unrelated_kept"], report["subject_kept"]) == (0.0, None, 1.0)


def test_the_unedited_model_is_asked_once_for_several_runs(editor):
    before, told = {}, []
    for _ in range(2):
        run_bench(editor, CASES[:1], max_tokens=4, before=before, progress=told.append)
    assert len(before) == 3
    assert told.count("replies of the unedited model: 3 of 3") == 1


def test_a_subject_that_its_tokens_do_not_hold_ends_nothing_but_its_own_edit(editor):
    folded = FactCase(Fact("folded", "ﬁre", "Who saw the fire?", "Ann Ray"))  # one sign for f and i
    told = []
    rows = {
        row["id"]: row for row in run_bench(editor, [folded, CASES[0]], max_tokens=4, progress=told.append)["facts"]
    }
    assert "does not occur in" in rows["folded"]["refused"]
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


def test_facts_of_one_id_are_refused_each_for_its_own_reason(editor):
    same = [replace(case, fact=replace(case.fact, id="same")) for case in CASES]
    mona, lyon, nice, lost = run_bench(editor, same, max_tokens=4)["facts"]
    assert ("refused" in mona, "refused" in lyon) == (False, False)
    assert "contradict" in nice["refused"]
    assert "does not occur" in lost["refused"]
    assert mona["nll"] != lyon["nll"]
    assert "nll" not in nice
    assert "nll" not in lost


def diverging(broken):
    """MEMIT, if it could not do with these facts in one batch."""

    def edit(one, groups, written, progress):
        ids = {fact.id for group in groups for fact in group}
        if broken <= ids:
            raise EditDiverged(f"the values of {sorted(broken & ids)} are not finite")
        return memit(one, groups, written, progress)

    return edit


def test_a_fact_whose_values_are_not_finite_is_refused_and_the_others_are_edited(editor, monkeypatch):
    monkeypatch.setattr("editing.bench.method", lambda _name: diverging({"mona"}))
    report = run_bench(editor, CASES, max_tokens=4)
    rows = {row["id"]: row for row in report["facts"]}
    assert "['mona'] are not finite" in rows["mona"]["refused"]
    assert "steps" not in rows["mona"]
    assert ("refused" in rows["lyon"], rows["lyon"]["steps"] > 0) == (False, True)
    assert "contradict" in rows["nice"]["refused"]
    assert report["refused"] == 3


def test_facts_that_diverge_only_together_are_refused_together_and_the_next_batch_goes_on(editor, monkeypatch):
    other = FactCase(Fact("rome", "Rome", "Which river is in Rome?", "Arno"))
    monkeypatch.setattr("editing.bench.method", lambda _name: diverging({"mona", "lyon"}))
    rows = run_bench(editor, [CASES[0], CASES[1], other], batch=2, max_tokens=4)["facts"]
    assert ["refused" in row for row in rows] == [True, True, False]


def test_a_long_text_and_many_scores_are_told_tenth_by_tenth(editor):
    told = []
    run_bench(editor, CASES[:1], max_tokens=4, texts=["some words to read"] * 400, progress=told.append)
    rows = [line for line in told if line.startswith("rows of text read: ")]
    assert rows[-1] == "rows of text read: 400 of 400"
    assert len(rows) == 2 * 11  # before and after; the first step, and where each tenth begins
    assert "answers scored: 6 of 6" in told


@pytest.mark.parametrize("cloze", ["", "Mona Lisa was painted by"])
def test_probabilities_are_compared_on_the_prompts_that_the_fact_came_with(editor, monkeypatch, cloze):
    asked = []

    def scores(_decoder, _chat, triples, **_more):
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


def test_probabilities_are_left_out_on_demand(editor):
    report = run_bench(editor, CASES[:1], max_tokens=4, teacher_forced=False)
    assert (report["direct"], report["efficacy"], report["neighbourhood"]) == (0.0, None, None)


def test_batches_start_from_the_base_each(editor):
    alone = run_bench(editor, CASES[:1], batch=1, max_tokens=4)["facts"][0]
    among = run_bench(editor, CASES[:2], batch=1, max_tokens=4)["facts"][0]
    assert alone == among


def test_an_unknown_method_is_an_error_that_lists_the_known():
    with pytest.raises(ValueError, match=r"'mend'.*memit"):
        method("mend")
