from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import BenchInputInvalid, FreshnessArtefactInvalid
from retrieval.freshness import ARTEFACT, BUCKETS, RECENCY_LABELS, FreshnessHead, Horizon, best_label, decide, grams
from retrieval.freshness_examples import Example, read_evergreen, read_recency
from retrieval.freshness_training import figures, split, unsure_margin

EVEN = np.full(12, 1 / 12)


@pytest.mark.parametrize(
    ("probability", "evergreen", "confident"),
    [(0.99, True, True), (0.01, False, True), (0.6, True, False), (0.4, False, False)],
)
def test_a_decision_near_the_middle_is_unsure(probability, evergreen, confident):
    decision = decide(probability, EVEN, unsure_within=0.2)
    assert (decision.evergreen, decision.confident) == (evergreen, confident)
    assert (decision.horizon is Horizon.NEVER) == evergreen


@given(st.lists(st.floats(0.001, 1), min_size=12, max_size=12), st.floats(0, 1))
def test_the_label_is_one_of_the_twelve_and_never_exactly_if_evergreen(weights, probability):
    recency = np.array(weights) / sum(weights)
    decision = decide(probability, recency, unsure_within=0.1)
    assert decision.recency in RECENCY_LABELS
    assert (decision.horizon is Horizon.NEVER) == decision.evergreen


def test_the_label_with_likely_neighbours_wins_over_a_lonely_peak():
    probabilities = np.zeros(12)
    probabilities[[0, 5, 6, 7]] = [0.3, 0.25, 0.25, 0.2]
    assert best_label(probabilities) == 6


def test_horizons_end_in_their_order():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    ends = [horizon.expires_after(now) for horizon in Horizon]
    assert ends[-1] is None
    assert ends[:-1] == sorted(ends[:-1])


@given(st.text(max_size=200))
def test_grams_are_buckets_and_repeatable(question):
    found = grams(question)
    assert list(found) == list(grams(question))
    assert all(0 <= bucket < BUCKETS for bucket in found)


def test_a_split_does_not_depend_on_the_neighbours():
    examples = [Example(f"question {number}") for number in range(200)]
    _, held = split(examples, 0.2, seed=1)
    _, again = split(examples[::2], 0.2, seed=1)
    assert 20 < len(held) < 60
    assert set(again) == set(held) & set(examples[::2])


def test_figures_of_a_perfect_and_a_reversed_guess():
    labels = np.array([0, 1, 1, 0])
    assert figures(labels.astype(float), labels)["weighted_f1"] == 1.0
    assert figures(1.0 - labels, labels)["weighted_f1"] == 0.0
    assert figures(labels.astype(float), labels)["ece"] == 0.0


def test_the_unsure_margin_leaves_out_the_mistakes():
    probabilities = np.array([0.9] * 50 + [0.1] * 50 + [0.55] * 10)
    labels = np.array([1] * 50 + [0] * 50 + [0] * 10)
    assert 0.05 <= unsure_margin(probabilities, labels) < 0.4


def test_a_file_of_another_shape_is_refused(tmp_path: Path):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    with pytest.raises(BenchInputInvalid, match="question,is_evergreen"):
        read_evergreen(wrong)
    wrong.write_text('{"question": "q", "recency": "Sometimes"}\n')
    with pytest.raises(BenchInputInvalid, match="line 1"):
        read_recency(wrong)
    with pytest.raises(FreshnessArtefactInvalid, match=r"wrong\.csv"):
        FreshnessHead.load(wrong)


def test_the_shipped_head_is_small():
    assert ARTEFACT.stat().st_size < 2_000_000


@pytest.mark.heavy
def test_the_shipped_head_tells_what_changes():
    head = FreshnessHead.load()
    questions = ["What is the price of Bitcoin today?", "Who wrote Hamlet?", "Who is the current CEO of Apple?"]
    found = head.predict(questions)
    assert [decision.evergreen for decision in found] == [False, True, False]
    assert found[0].horizon in (Horizon.HOURS, Horizon.DAYS)
    assert head.predict([]) == []
    assert head.predict(["Who wrote Hamlet? " * 5_000])[0].probability > 0
