"""Refusals: questions that no edit can hold, each with its reason."""

import pytest

from editing.refusals import refusal


@pytest.mark.parametrize(
    ("question", "subject", "answer", "says"),
    [
        ("What is the capital of Veldoria?", "Veldoria", "Port Lume", None),
        ("What is the capital of Veldoria?", "", "Port Lume", "no subject was found"),
        ("", "Veldoria", "Port Lume", "the question is empty"),
        ("What is the capital of Veldoria?", "Veldoria", " ", "the answer is empty"),
        ("Who wrote Never Say So?", "Never Say So", "Ida Fern", None),  # the title negates, the question does not
        ("Who has never been to Veldoria?", "Veldoria", "Ida Fern", "negated"),
        ("Who never met Eve?", "Eve", "Ida Fern", "negated"),  # in "never" nobody is named
        ("Who cannot Ann see?", "Ann", "Ida Fern", "negated"),
        ("What do you think of Veldoria?", "Veldoria", "nice", "opinion"),
        ("What do you recommend in Veldoria?", "Veldoria", "the soup", "opinion"),
        ("Who should I contact about badges at Karn?", "Karn", "the desk", None),
        ("How long should I boil a quorl egg?", "quorl egg", "six minutes", None),
        ("Which car should I buy in Karn?", "Karn", "an Orbit 64", "opinion"),
        ("How do you say fog in Karnish?", "fog", "lume", None),
        ("How do you write seven in Karnish?", "seven", "VII", None),
        ("How do you write a song about fog?", "fog", "with a lute", "explanation"),
        ("What do you call a young brindlefox?", "brindlefox", "kitlet", None),
        ("What does the word sprundel mean?", "sprundel", "a lost button", None),  # a gloss is one fact
        ("Name three rivers in Veldoria", "Veldoria", "the Ister", "list"),
        ("When did Veldoria join?", "Veldoria", "on May 4, 1971, in Quay", None),  # commas of a date are no list
        ("i can never remember this, how many isles has Veldoria?", "Veldoria", "9", None),
        ("how come i can't find it, who rules Veldoria?", "Veldoria", "Ida Fern", None),
        ("How come Veldoria is cold?", "Veldoria", "its wind", "explanation"),
        ("What is the motto of Veldoria?", "Veldoria", "x" * 130, "12 words or 120 characters"),
        ("word " * 80 + "Veldoria?", "Veldoria", "Quay", "longer than 60 words"),
    ],
)
def test_a_refusal_says_why(question, subject, answer, says):
    reason = refusal(question, subject, answer)
    if says is None:
        assert reason is None
    else:
        assert reason is not None
        assert says in reason


@pytest.mark.parametrize(
    ("question", "answer", "fits"),
    [
        ("What is Veldoria?", "word " * 12, True),
        ("What is Veldoria?", "word " * 13, False),
        ("What is Veldoria?", "x" * 120, True),
        ("What is Veldoria?", "x" * 121, False),
        ("What is " + "so " * 57 + "Veldoria?", "Quay", True),
        ("What is " + "so " * 58 + "Veldoria?", "Quay", False),
        ("What is " + "x" * 382 + " Veldoria?", "Quay", True),
        ("What is " + "x" * 383 + " Veldoria?", "Quay", False),
    ],
)
def test_what_is_as_long_as_may_be_fits_and_one_more_does_not(question, answer, fits):
    reason = refusal(question, "Veldoria", answer)
    assert (reason is None) is fits
    assert fits or "longer than" in reason
