"""The gate as the worker uses it: what it asks beside the edits."""

from contextlib import contextmanager

import pytest
import torch

from editing.facts import Fact, Probe
from editing.replies import Reply
from editing.unrelated import load_controls
from editing.verify import GateCase
from server.release_gate import ReleaseGate

FRANCE = GateCase(Fact("f", "France", "What is the capital of France?", "Lyon"))
SPRUNDEL = GateCase(Fact("s", "sprundel", "What does sprundel mean?", "a lost button"))


class _Believed(dict):
    """Questions with what is answered to them, in place of a solution."""

    fact_ids = (("f",), ("s",))


class _Knowing:
    """Has every shipped question right but one, and believes what it is told."""

    def __init__(self, unknown):
        self._answers = {probe.question: probe.answer for probe in load_controls().probes if probe.question != unknown}
        self._believed = {}
        self.asked = []

    @contextmanager
    def applied(self, believed):
        self._believed = believed
        self.asked = []
        yield

    def blame(self, solution, replies):
        """France's edit does most, the sprundel's half as much."""
        return torch.tensor([[1.0, 0.5]] * len(replies))

    def generate(self, prompts, max_tokens):
        self.asked += prompts
        return [Reply(self._believed.get(q) or self._answers.get(q, "I do not know."), stopped=True) for q in prompts]


@pytest.fixture
def judge(monkeypatch, tmp_path):
    monkeypatch.setattr(ReleaseGate, "_perplexity", lambda _self: 40.0)

    def judged(believed, cases, earlier=(), unknown="", held=()):
        editor = _Knowing(unknown)
        gate = ReleaseGate(editor, baseline_path=tmp_path / "replies.json")
        return gate.judge(_Believed(believed), cases, earlier=earlier, held=held), editor.asked

    return judged


def test_a_well_known_answer_that_an_edit_changes_on_purpose_is_no_damage(judge):
    believed = {FRANCE.fact.question: "Lyon", SPRUNDEL.fact.question: "a lost button"}
    for report, asked in (judge(believed, [FRANCE]), judge(believed, [SPRUNDEL], earlier=[FRANCE])):
        assert report.passes
        assert report.rates["unrelated"].share == 1.0
        assert report.rates["unrelated"].of > 50
        assert not any("France" in question for question in set(asked) - {FRANCE.fact.question})


@pytest.mark.parametrize("earlier", [True, False])
def test_what_another_edit_says_on_purpose_is_no_damage_to_a_neighbour(judge, earlier):
    near = GateCase(
        Fact("v", "Veldoria", "What is the capital of Veldoria?", "Quay"), neighbours=(Probe(FRANCE.fact.question),)
    )
    believed = {FRANCE.fact.question: "Lyon", near.fact.question: "Quay"}
    report, _ = judge(believed, [near], earlier=[FRANCE]) if earlier else judge(believed, [near, FRANCE])
    assert report.passes
    assert judge(believed, [near])[0].rates["neighbours"].share == 0


def test_what_the_unedited_model_does_not_know_is_not_asked_again(judge):
    tail = load_controls().probes[-1].question
    _, asked = judge({SPRUNDEL.fact.question: "a lost button"}, [SPRUNDEL], unknown=tail)
    assert tail not in asked


def test_a_release_that_moves_a_sixth_of_what_is_well_known_fails(judge):
    moved = [probe.question for probe in load_controls().probes if "France" not in probe.question][::6]
    believed = {SPRUNDEL.fact.question: "a lost button", **dict.fromkeys(moved, "No idea.")}
    report, _ = judge(believed, [SPRUNDEL])
    assert not report.passes
    assert set(report.blamed) == {"s"}
    assert any(reason.startswith("unrelated: ") and reason.endswith("less than 90%") for reason in report.reasons)


def test_only_shipped_questions_are_kept_on_disk(judge, tmp_path):
    judge({SPRUNDEL.fact.question: "a lost button"}, [SPRUNDEL])
    assert "sprundel" not in (tmp_path / "replies.json").read_text()
    assert load_controls().probes[-1].question in (tmp_path / "replies.json").read_text()


def test_of_many_earlier_edits_the_nearest_and_some_others_are_asked(judge):
    earlier = [GateCase(Fact(f"{n:03}", f"Sprund {n}", f"What is Sprund {n}?", "a button")) for n in range(100)]
    _, asked = judge({SPRUNDEL.fact.question: "a lost button"}, [SPRUNDEL], earlier=earlier)
    drawn = [n for n, case in enumerate(earlier) if case.fact.question in asked]
    assert drawn[:32] == list(range(32))
    assert len(drawn) == 64


@pytest.mark.parametrize(
    ("new", "held", "blamed"), [("fs", "", {"f"}), ("fs", "f", {"s"}), ("s", "", {"s"}), ("fs", "fs", set())]
)
def test_of_the_edits_that_may_leave_the_one_that_did_most_is_blamed(judge, new, held, blamed):
    moved = [probe.question for probe in load_controls().probes if "France" not in probe.question][::6]
    believed = {SPRUNDEL.fact.question: "a lost button", FRANCE.fact.question: "Lyon", **dict.fromkeys(moved, "No.")}
    cases = {"f": FRANCE, "s": SPRUNDEL}
    report, _ = judge(believed, [cases[one] for one in new], earlier=[] if "f" in new else [FRANCE], held=tuple(held))
    assert set(report.blamed) == blamed


def test_a_preview_judges_each_reply_by_what_it_was_asked_for(judge, tmp_path):
    unrelated, kept, lost = load_controls().probes[:3], load_controls().probes[10], load_controls().probes[11]
    case = GateCase(
        SPRUNDEL.fact,
        probes=("What is a sprundel?",),
        neighbours=(Probe("What does grundel mean?", "a zip"), kept, lost),
        same_subject=("Who found the sprundel?", "How old is the sprundel?"),
    )
    moved = (SPRUNDEL.fact.question, "Who found the sprundel?", lost.question, unrelated[1].question)
    editor = _Knowing("")
    gate = ReleaseGate(editor, baseline_path=tmp_path / "replies.json")
    found = {one.question: one for one in gate.compare(_Believed(dict.fromkeys(moved, "It is a lost button.")), case)}
    told = found[SPRUNDEL.fact.question]
    assert (told.before, told.after) == ("I do not know.", "It is a lost button.")
    assert {question: (one.kind, one.ok) for question, one in found.items()} == {
        SPRUNDEL.fact.question: ("direct", True),
        "What is a sprundel?": ("paraphrase", False),
        "What does grundel mean?": ("neighbour", None),  # it was not known before
        kept.question: ("neighbour", True),
        lost.question: ("neighbour", False),
        "Who found the sprundel?": ("same subject", False),
        "How old is the sprundel?": ("same subject", True),
        **{probe.question: ("unrelated", probe != unrelated[1]) for probe in unrelated},
    }
