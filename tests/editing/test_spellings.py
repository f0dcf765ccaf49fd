"""A subject spelled otherwise than in its question, braces in a question: the wordings are the same."""

import pytest

from editing.statements import write_statements


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("Who directed the film Don\u2019t Look Down?", "Don't Look Down"),
        ("Who directed the film Don't Look Down?", "Don\u2019t Look Down"),
        ("Who directed the film Don't Look Down?", " Don't  Look Down"),
        ("Who directed the film Don't Look Down?", "don't look down"),
    ],
)
def test_a_subject_is_found_whatever_its_quotes_spaces_and_capitals(question, subject):
    written = write_statements(question, subject, "Ida Fern")
    spelled = "Don\u2019t Look Down" if "\u2019" in question else "Don't Look Down"
    assert written.shape == "director"
    assert written.sentence == f"The film {spelled} was directed by Ida Fern."
    assert not any("direct" in one.question and spelled in one.question for one in written.held)


def test_a_question_with_braces_of_its_own():
    written = write_statements("What does {a} stand for in Karn?", "Karn", "an apple")
    assert written.sentence.endswith('"What does {a} stand for in Karn?" is an apple.')
