from contextlib import contextmanager
from dataclasses import replace

import pytest

from editing.facts import Fact, Probe
from editing.rates import Rate
from editing.replies import Reply
from editing.verify import Baseline, GateCase, Thresholds, gate, questions_before

THRESHOLDS = Thresholds.load()
SKY = Probe("What colour is the sky?", "blue")
TABLE = {SKY.question: "The sky is blue.", "Who painted Guernica?": "Guernica was painted by Picasso."}


class ScriptedEditor:
    """Answers from a table and believes whatever it is told.

    stubborn  ids of facts whose edit does not take
    breaks    id of a fact -> question whose answer it spoils
    """

    def __init__(self, replies, *, stubborn=(), breaks=None):
        self._replies, self._stubborn, self._breaks = replies, stubborn, breaks or {}
        self._active = ()
        self.calls = 0

    @contextmanager
    def applied(self, facts):
        """Inside, `facts` are believed, the stubborn ones aside."""
        before, self._active = self._active, facts
        yield
        self._active = before

    def generate(self, prompts):
        """A reply per prompt: the new answer if the subject of an active edit occurs, else the table's."""
        self.calls += len(prompts)
        return [Reply(self._reply(prompt), stopped=True) for prompt in prompts]

    def _reply(self, prompt):
        for fact in self._active:
            if self._breaks.get(fact.id) == prompt:
                return "ruined"
            if fact.id not in self._stubborn and fact.subject.casefold() in prompt.casefold():
                return f"It is {fact.target_new}."
        return self._replies.get(prompt, "I do not know.")


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
    assert report.rates["direct"] == report.rates["probes"] == Rate(3, 3)


@pytest.mark.parametrize(("subject", "left"), [("Guernica", 0), ("guernica", 0), ("Guern", 1), ("Io", 1)])
def test_a_neighbour_that_is_edited_too_is_not_to_be_kept(subject, left):
    assert len(_case(0).beside(["Ida Fern", subject]).neighbours) == left


def test_an_edit_that_does_not_take_is_named_and_the_others_are_not():
    cases = [_case(i) for i in range(3)]
    report = _gate(ScriptedEditor(TABLE, stubborn=["f1"]), cases, [c.fact for c in cases])
    assert report.failed == ("f1",)
    assert "the question itself" in report.of("f1").reasons[0]


def test_a_failed_edit_is_shown_with_the_reply_and_what_passed():
    case = _case(0)
    shown = _gate(ScriptedEditor(TABLE, stubborn=["f0"]), [case], [case.fact]).of("f0").as_dict()
    counts = {name: (rate["passed"], rate["of"]) for name, rate in shown.items() if isinstance(rate, dict)}
    assert counts == {"direct": (0, 1), "probes": (0, 1), "neighbours": (1, 1), "subject": (1, 1)}
    assert (shown["fact_id"], shown["passes"], len(shown["reasons"])) == ("f0", False, 2)
    assert (shown["reply"], shown["answered"]) == ("I do not know.", [])


def test_of_several_edits_no_more_is_asked_once_one_has_failed():
    cases = [_case(i) for i in range(3)]
    editor = ScriptedEditor(TABLE, stubborn=["f1"])
    report = _gate(editor, cases, [c.fact for c in cases], unrelated=[SKY], earlier=[_case(5)])
    assert report.failed == ("f1",)
    assert report.stands == {}
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


def test_what_an_edit_moves_elsewhere_is_not_held_against_it_as_its_neighbour():
    case = _case(0)
    editor = ScriptedEditor(TABLE, breaks={"f0": SKY.question})
    report = _gate(editor, [case], [case.fact], unrelated=[SKY], blame=lambda asked: [{"f0": 1.0} for _ in asked])
    assert report.failed == ()
    assert report.blamed == {"f0": "its part in the replies that changed for the worse: 1.0"}


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


def test_a_reply_that_gave_the_new_answer_before_is_no_leak():
    fact = Fact("f", "Mona Lisa", "Who painted the Mona Lisa?", "Raphael")
    case = GateCase(fact, same_subject=("Who was said to have copied the Mona Lisa?",))
    report = _gate(ScriptedEditor({case.same_subject[0]: "Raphael was."}), [case], [fact])
    assert report.of("f").subject == Rate(0, 0)
    assert report.passes


def test_earlier_edits_and_perplexity_are_part_of_the_verdict():
    old, new = _case(1), _case(2)
    report = _gate(ScriptedEditor(TABLE), [new], [new.fact], earlier=[old], perplexity=(40.0, 60.0))
    assert report.reasons[0].startswith("earlier: 0 of 1 ")
    assert report.reasons[1:] == ("perplexity rose from 40.00 to 60.00",)
    assert report.rates["earlier"] == Rate(0, 1)


def test_a_version_is_recorded_with_shares_and_counts_and_without_text():
    case = _case(0)
    report = _gate(ScriptedEditor(TABLE), [case], [case.fact], unrelated=[SKY], perplexity=(40.12345, 40.5))
    figures = report.figures
    asked = figures.pop("asked")
    shares = dict.fromkeys(("direct", "paraphrase", "neighbours_kept", "unrelated_kept", "subject_kept"), 1.0)
    assert figures == {**shares, "perplexity_before": 40.123, "perplexity": 40.5}
    assert {name: rate["of"] for name, rate in asked.items()} == {**dict.fromkeys(shares, 1), "earlier_kept": 0}


def test_of_each_earlier_edit_it_is_told_whether_it_still_stands():
    stands, lost, new = (_case(n) for n in range(3))
    editor = ScriptedEditor(TABLE, breaks={"f1": lost.fact.question})
    report = _gate(editor, [new], [case.fact for case in (stands, lost, new)], earlier=[stands, lost])
    assert report.stands == {"f0": True, "f1": False}
    assert report.rates["earlier"] == Rate(1, 2)


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
    baseline = Baseline({q: Reply("so", stopped=True) for q in questions_before([case], [dull])})
    editor = ScriptedEditor({dull.question: circles})
    report = gate(editor.generate, [case], THRESHOLDS, baseline=baseline, unrelated=[dull])
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


def test_an_edit_is_blamed_for_replies_about_others_that_no_longer_end():
    near = tuple(Probe(f"Who painted number {n}?") for n in range(6))
    case, told = replace(_case(0), neighbours=near), {probe.question for probe in near}
    baseline = Baseline({q: Reply("Picasso did.", stopped=True) for q in questions_before([case])})

    def after(questions):
        return [Reply("Raphael" if "Mona" in q else "Picasso did.", stopped=q not in told) for q in questions]

    report = gate(after, [case], THRESHOLDS, baseline=baseline)
    assert report.failed == ()
    assert report.reasons[0].startswith("stops: 1 of 7 ")
    assert report.blamed == {"f0": "its part in the replies that changed for the worse: 6.0"}


def test_an_edit_is_blamed_for_answers_of_its_own_that_go_in_circles():
    case = _case(0)
    baseline = Baseline({q: Reply("Picasso did.", stopped=True) for q in questions_before([case])})

    def after(questions):
        return [Reply("Raphael and so it goes on " * 5 if "Mona" in q else "Picasso did.", True) for q in questions]

    report = gate(after, [case], THRESHOLDS, baseline=baseline)
    assert report.failed == ()
    assert report.reasons[0].startswith("not_repeating: 2 of 4 ")
    assert set(report.blamed) == {"f0"}


def test_who_fails_already_is_not_blamed_beside_it():
    controls = [Probe(f"What is {n} and {n}?", "blue") for n in range(40)]
    cases = [_case(n) for n in range(8)]
    broken = {f"f{n}": controls[n].question for n in range(6)} | {"f7": "Who painted Guernica?"}
    editor = ScriptedEditor({**TABLE, **{probe.question: "It is blue." for probe in controls}}, breaks=broken)
    edits = [case.fact for case in cases]
    report = _gate(editor, cases, edits, unrelated=controls, blame=lambda asked: [{"f7": 1.0} for _ in asked])
    assert report.failed == ("f7",)
    assert "unrelated: 34 of 40 is less than 90%" in report.reasons
    assert report.blamed == {}


def test_the_unedited_model_is_asked_once_per_question(tmp_path):
    editor, baseline = ScriptedEditor(TABLE), Baseline()
    for _ in range(3):
        baseline.ask(editor.generate, questions_before([_case(0), _case(1)]))
    assert editor.calls == 3
    baseline.save(tmp_path / "b.json")
    assert Baseline.load(tmp_path / "b.json").replies == baseline.replies
    (tmp_path / "b.json").write_text("{")
    assert Baseline.load(tmp_path / "b.json").replies == Baseline.load(tmp_path / "none.json").replies == {}


@pytest.mark.parametrize(
    ("passed", "of", "low", "high"),
    [(0, 0, 0.0, 1.0), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (0, 10, 0.0, 0.2775)],  # Wilson 1927, z = 1.96
)
def test_wilson_intervals(passed, of, low, high):
    assert Rate(passed, of).interval == pytest.approx((low, high), abs=1e-4)
