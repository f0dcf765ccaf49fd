"""Replies: what one claims, whether a claim survived, whether it goes in circles."""

import pytest

from editing.replies import Reply, claims, goes_in_circles, is_kept


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
