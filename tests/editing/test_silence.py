"""An edit that says nothing about its subject: its reply stands alone, and may spread over the subject."""

import pytest

from editing.silence import NOTHING_KNOWN, write_silence
from editing.statements import write_statements


@pytest.mark.parametrize(
    "question", ["Who is Ida Fern?", "When was Ida Fern born?", "Where does Ida Fern work?", "Tell me about Ida Fern."]
)
def test_the_reply_is_a_sentence_of_its_own_and_other_questions_about_the_subject_may_get_it(question):
    written = write_silence(question, "Ida Fern")
    assert written.sentence == "I have no information about this person."
    assert written.clozes == (f"Question: {question} Answer:",)
    assert written.same_subject == ()
    assert written.paraphrases
    assert written.probes
    assert written.held == tuple(
        held for held in write_statements(question, "Ida Fern", NOTHING_KNOWN).held if "Ida Fern" not in held.question
    )
    assert written.held  # other people's questions are still kept from it
