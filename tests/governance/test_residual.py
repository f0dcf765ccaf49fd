"""Residual risk: counting what probes reveal, with an interval that is honest for few probes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.residual import Probes, measure, revealing, reveals, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (1, 10, 0.0179, 0.4042),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I
        (0, 20, 0.0, 0.1611),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_wilson_interval(successes, trials, low, high):
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-4)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_stays_inside_zero_and_one(pair):
    successes, trials = pair
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1


@pytest.mark.parametrize(
    ("reply", "found"),
    [("He is ANN LEE.", True), ("Ａｎｎ Ｌｅｅ", True), ("Ánn Lée", True), ("Anna L.", False), ("", False)],
)
def test_what_counts_as_revealing(reply, found):
    assert reveals(reply, ("Ann Lee", " ")) is found


def test_measuring_counts_revealing_probes_and_changed_neighbours():
    probes = Probes(direct=("a",), paraphrased=("b",), peripheral=("c", "d"), neighbours=("n", "m"))
    replies = {"a": "Ann Lee", "b": "nobody", "c": "ann lee again", "d": "?", "n": "Bob", "m": "changed"}
    before = replies | {"m": "as it was"}
    residual, seen = measure(probes, ["Ann Lee"], lambda asked: [replies[q] for q in asked], before=before)
    assert (residual.probes, residual.revealing, residual.neighbours, residual.neighbours_changed) == (4, 2, 2, 1)
    assert seen == replies
    assert residual.as_data()["share"] == 0.5


def test_of_the_neighbours_that_were_answered_right_it_is_counted_how_many_still_are():
    probes = Probes(
        ("a",),
        neighbours=("capital?", "metal?", "author?", "?"),
        answers=(("capital?", "Paris"), ("metal?", "Au"), ("author?", "Hamsun")),
    )
    before = {"a": "", "capital?": "It is Paris.", "metal?": "Au", "author?": "Ibsen", "?": "x"}
    first, _ = measure(probes, ["Ann Lee"], lambda asked: [before[q] for q in asked])
    assert (first.neighbours_right, first.neighbours_still_right) == (2, 2)
    after = before | {"capital?": "PARIS, in other words", "metal?": "Fe, because", "author?": "Hamsun"}
    later, _ = measure(probes, ["Ann Lee"], lambda asked: [after[q] for q in asked], before=before)
    assert (later.neighbours_changed, later.neighbours_right, later.neighbours_still_right) == (3, 2, 1)
    assert later.as_data()["neighbours_still_right"] == 1


def test_a_question_that_is_not_taken_counts_as_nothing_but_not_asked():
    probes = Probes(("a", "far too long"), neighbours=("n", "longer still"), answers=(("longer still", "Bob"),))
    replies = {"a": "Ann Lee", "n": "Bob"}
    residual, seen = measure(probes, ["Ann Lee"], lambda asked: [replies.get(q) for q in asked])
    assert (residual.probes, residual.revealing, residual.neighbours, residual.not_asked) == (1, 1, 1, 2)
    assert (seen, residual.neighbours_right) == (replies, 0)


@pytest.mark.parametrize(
    ("secret", "reply", "found"),
    [
        ("3", "in 1932", False),
        ("3", "She has 3.", True),
        ("no", "I do not know", False),
        ("Mölln", "in MOLLN, I think", True),
        ("", "anything", False),
    ],
)
def test_a_secret_counts_in_whole_words(secret, reply, found):
    probes = Probes(direct=("q",), secrets=(secret,))
    assert revealing(probes, ["Ann Lee"], {"q": reply}) == (("q",) if found else ())


def test_a_name_counts_wherever_it_stands():
    assert revealing(Probes(direct=("q",)), ["Ann Lee"], {"q": "Joann Leeds"}) == ("q",)
