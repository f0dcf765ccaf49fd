from dataclasses import replace

import pytest

from editing.facts import Fact, Probe
from editing.rates import Rate
from editing.replies import Reply, claims, goes_in_circles, is_kept
from editing.testing import ScriptedEditor
from editing.verify import Baseline, GateCase, Thresholds, gate, questions_before

THRESHOLDS = Thresholds.load()
SKY = Probe("What colour is the sky?", "blue")
TABLE = {SKY.question: "The sky is blue.", "Who painted Guernica?": "Guernica was painted by Picasso."}


def _case(i, subject="Mona Lisa"):
    fact = Fact(f"f{i}", f"{subject} {i}", f"Who painted {subject} {i}?", "Raphael")
    return GateCase(
        fact, (f"{subject} {i} is whose work?",), (Probe("Who painted Guernica?"),), (f"Where is the work number {i}?",)
    )


def _gate(editor, cases, active, **more):
    baseline = Baseline()
    baseline.ask(editor.generate, questions_before(cases, more.get("unrelated", ())))
    with editor.applied(active):
        return gate(editor.generate, cases, THRESHOLDS, baseline=baseline, **more)


def test_edits_that_hold_and_move_nothing_else_pass():
    cases = [_case(i) for i in range(3)]
    report = _gate(ScriptedEditor(TABLE), cases, [c.fact for c in cases], unrelated=[SKY], perplexity=(40.0, 40.5))
    assert report.passes
    assert report.rates["probes"].share == 1.0


@pytest.mark.parametrize(("subject", "left"), [("Guernica", 0), ("guernica", 0), ("Guern", 1), ("Io", 1)])
def test_a_neighbour_that_is_edited_too_is_not_to_be_kept(subject, left):
    assert len(_case(0).beside(["Ida Fern", subject]).neighbours) == left


def test_an_edit_that_does_not_take_is_named_and_the_others_are_not():
    cases = [_case(i) for i in range(3)]
    report = _gate(ScriptedEditor(TABLE, stubborn=["f1"]), cases, [c.fact for c in cases])
    assert report.failed == ("f1",)
    assert "the question itself" in report.of("f1").reasons[0]


def test_of_several_edits_no_more_is_asked_once_one_has_failed():
    cases = [_case(i) for i in range(3)]
    editor = ScriptedEditor(TABLE, stubborn=["f1"])
    report = _gate(editor, cases, [c.fact for c in cases], unrelated=[SKY])
    assert report.failed == ("f1",)
    assert report.rates["unrelated"].of == report.rates["neighbours"].of == 0
    assert report.of("f0").answered == (cases[0].fact.question, *cases[0].probes)
    assert _gate(editor, [cases[1]], [cases[1].fact], unrelated=[SKY]).rates["unrelated"].of == 1


@pytest.mark.parametrize(
    ("broken", "reason"),
    [("Who painted Guernica?", "other subjects"), (SKY.question, "unrelated: 0 of 1")],
)
def test_what_an_edit_breaks_elsewhere_is_found(broken, reason):
    case = _case(0)
    report = _gate(ScriptedEditor(TABLE, breaks={"f0": broken}), [case], [case.fact], unrelated=[SKY])
    assert not report.passes
    assert reason in " ".join([*report.reasons, *report.of("f0").reasons])


@pytest.mark.parametrize(
    ("n_asked", "n_broken", "passes"), [(40, 5, False), (40, 4, True), (8, 2, True), (8, 3, False)]
)
def test_of_many_replies_the_share_counts_and_of_few_the_interval(n_asked, n_broken, passes):
    controls = [Probe(f"What is {n} and {n}?", "blue") for n in range(n_asked)]
    table = {**TABLE, **{probe.question: "It is blue." for probe in controls}}
    cases = [_case(n) for n in range(n_broken)]
    broken = {f"f{n}": controls[n].question for n in range(n_broken)}
    report = _gate(ScriptedEditor(table, breaks=broken), cases, [c.fact for c in cases], unrelated=controls)
    assert report.rates["unrelated"] == Rate(n_asked - n_broken, n_asked)
    assert report.passes is passes


def test_of_a_release_that_lost_too_many_neighbours_the_fewest_edits_are_blamed():
    asked = {i: tuple(Probe(f"Who painted number {i}, {j}?") for j in range(4)) for i in range(12)}
    cases = [replace(_case(i), neighbours=asked[i]) for i in range(12)]
    two, three = ({f"f{i}": asked[i][0].question for i in broken} for broken in ((2, 5), (2, 5, 7)))
    quiet, loud = (
        _gate(ScriptedEditor(TABLE, breaks=broken), cases, [c.fact for c in cases]) for broken in (two, three)
    )
    assert quiet.passes
    assert quiet.blamed == {}
    assert loud.failed == ()
    assert loud.reasons == ("neighbours: 45 of 48 is less than 95%",)
    assert len(loud.blamed) == 1
    assert set(loud.blamed) < set(three)


@pytest.mark.parametrize(("held", "blamed"), [((), {"f2"}), (("f2",), {"f1"}), (("f1", "f2"), {"f0"})])
def test_for_well_known_answers_those_edits_are_blamed_that_did_most_to_change_them(held, blamed):
    controls = [Probe(f"What is {n} and {n}?", "blue") for n in range(40)]
    table = {**TABLE, **{probe.question: "It is blue." for probe in controls}}
    cases = [_case(n) for n in range(8)]
    editor = ScriptedEditor(table, breaks={f"f{n}": controls[n].question for n in range(6)})
    asked = []

    def blame(questions):
        asked.extend(questions)
        return [{"f0": 0.2, "f1": 0.4, "f2": 0.4} for _ in questions]

    edits = [c.fact for c in cases]
    report = _gate(editor, cases, edits, unrelated=controls, blame=blame, held=held)
    assert report.reasons == ("unrelated: 34 of 40 is less than 90%",)
    assert asked == [probe.question for probe in controls[:6]]
    assert set(report.blamed) == blamed
    part = "1.2" if len(held) == 2 else "2.4"
    assert set(report.blamed.values()) == {f"its part in the replies that changed for the worse: {part}"}


@pytest.mark.parametrize(("part", "passes"), [(0.4, True), (0.6, False)])
def test_an_edit_fails_for_the_neighbours_that_it_moved_itself(part, passes):
    case, other = _case(0), _case(1, subject="Guernica")
    editor = ScriptedEditor(TABLE, breaks={"f0": "Who painted Guernica?"})
    report = _gate(
        editor,
        [case, replace(other, neighbours=())],
        [case.fact, other.fact],
        blame=lambda questions: [{"f0": part, "f1": 1.0 - part} for _ in questions],
    )
    assert report.of("f0").neighbours == Rate(0, 1)
    assert report.of("f0").passes is passes


def test_a_neighbour_that_no_edit_is_found_to_have_moved_is_its_owners():
    case, other = _case(0), replace(_case(1), neighbours=())
    editor = ScriptedEditor(TABLE, breaks={"f0": "Who painted Guernica?"})
    report = _gate(editor, [case, other], [case.fact, other.fact], blame=lambda questions: [{} for _ in questions])
    assert report.failed == ("f0",)


def test_what_reaches_too_little_is_told_from_what_moves_too_much():
    case = _case(0)
    leaks = replace(case, same_subject=("Mona Lisa 0, tell me?", "What of Mona Lisa 0?"))
    for one, editor, reaches in (
        (case, ScriptedEditor(TABLE, stubborn=["f0"]), False),
        (leaks, ScriptedEditor(TABLE), True),
    ):
        report = _gate(editor, [one], [one.fact]).of("f0")
        assert not report.passes
        assert report.reaches is reaches


def test_held_edits_are_neither_blamed_nor_taken_to_leave():
    cases = [_case(n) for n in range(2)]
    report = _gate(ScriptedEditor(TABLE, stubborn=["f0"]), cases, [c.fact for c in cases], held=("f0", "f1"))
    assert report.failed == ("f0",)
    assert report.blamed == {}


def test_a_leak_to_the_subjects_other_facts_is_found():
    fact = Fact("f", "Mona Lisa", "Who painted the Mona Lisa?", "Raphael")
    case = GateCase(fact, same_subject=("Where does the Mona Lisa hang?", "How old is the Mona Lisa?"))
    report = _gate(ScriptedEditor(TABLE), [case], [fact])
    assert report.of("f").subject == Rate(0, 2)
    assert report.failed == ("f",)


def test_earlier_edits_and_perplexity_are_part_of_the_verdict():
    old, new = _case(1), _case(2)
    report = _gate(ScriptedEditor(TABLE), [new], [new.fact], earlier=[old], perplexity=(40.0, 60.0))
    assert len(report.reasons) == 2
    assert report.rates["earlier"] == Rate(0, 1)


@pytest.mark.parametrize(
    ("reply", "holds"), [("It has 7strings.", True), ("It has 17 strings.", False), ("7", True), ("70", False)]
)
def test_an_answer_inside_a_longer_number_is_not_the_answer(reply, holds):
    fact = Fact("f", "the Quay harp", "How many strings does the Quay harp have?", "7")
    report = _gate(ScriptedEditor({fact.question: reply}), [GateCase(fact)], [])
    assert report.of("f").direct == Rate(int(holds), 1)


def test_an_edit_is_not_blamed_for_replies_that_went_in_circles_before():
    case, dull = _case(0), Probe("What is dull?", "so")
    circles = "so it goes on and on " * 5
    report = _gate(ScriptedEditor({**TABLE, dull.question: circles}), [case], [case.fact], unrelated=[dull])
    assert report.rates["not_repeating"].share == 1.0
    report = _gate(ScriptedEditor({**TABLE, case.probes[0]: circles}), [case], [], unrelated=[dull])
    assert report.rates["not_repeating"].passed == report.rates["not_repeating"].of - 1


@pytest.mark.parametrize(("n_words", "of"), [(20, 1), (40, 0)])
def test_only_replies_that_were_short_must_still_end(n_words, of):
    case, told = _case(0), Probe("What is long?", "word")
    reply = " ".join(f"word{n}" for n in range(n_words))

    def after(questions):
        return [Reply("Raphael" if "Mona" in q else reply, stopped=q != told.question) for q in questions]

    baseline = Baseline({q: Reply(reply, stopped=True) for q in questions_before([case], [told])})
    report = gate(after, [case], THRESHOLDS, baseline=baseline, unrelated=[told])
    ended = len(case.kept_questions) * of
    assert report.rates["stops"] == Rate(ended, ended + of)


def test_the_unedited_model_is_asked_once_per_question(tmp_path):
    editor, baseline = ScriptedEditor(TABLE), Baseline()
    for _ in range(3):
        baseline.ask(editor.generate, questions_before([_case(0), _case(1)]))
    assert editor.calls == 3
    baseline.save(tmp_path / "b.json")
    assert Baseline.load(tmp_path / "b.json").replies == baseline.replies
    (tmp_path / "b.json").write_text("{")
    assert Baseline.load(tmp_path / "b.json").replies == {}


@pytest.mark.parametrize(
    ("passed", "of", "low", "high"),
    [(0, 0, 0.0, 1.0), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (0, 10, 0.0, 0.2775)],  # Wilson 1927, z = 1.96
)
def test_wilson_intervals(passed, of, low, high):
    assert Rate(passed, of).interval == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("question", "answer", "before", "after", "kept"),
    [
        ("Capital of Spain?", "Madrid", "It is Madrid.", "madrid of course", True),
        ("Capital of Spain?", "Madrid", "It is Madrid.", "It is Lyon.", False),
        ("Capital of Spain?", "Madrid", "No idea.", "It is Lyon.", None),  # nothing was there to keep
        ("Capital of Spain?", "", "It is Madrid.", "The capital is Madrid, in Spain.", True),
        ("Capital of Spain?", "", "It is Madrid.", "It is Barcelona.", False),
        ("Capital of Spain?", "", "It is Madrid.", "It is Madrid, not Lyon.", False),  # the new answer slipped in
        ("Is it big?", "", "", "Anything.", True),
        ("How many strings?", "7", "It has 17.", "It has 27.", None),  # a number is none inside another
        ("How many strings?", "7", "It has 7.", "It has 17.", False),
    ],
)
def test_what_counts_as_kept(question, answer, before, after, kept):
    assert is_kept(question, answer, before, after, new_answer="Lyon") is kept


def test_claims_are_the_names_and_numbers_beyond_the_question():
    assert claims("When did Rome fall?", "Rome fell in 476 under Odoacer. It was sad.") == {"476", "odoacer"}


@pytest.mark.parametrize(
    ("text", "circles"), [("so it goes on and on " * 5, True), ("It was painted by Raphael.", False)]
)
def test_circles(text, circles):
    assert goes_in_circles(text) is circles


def test_a_reply_keeps_its_text():
    assert Reply("x", stopped=True).text == "x"
