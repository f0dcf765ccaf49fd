"""Questions whose replies an edit shall leave alone: about other subjects, and others about its own."""

from editing.questions.relations import open_questions, relations
from editing.statements import write_statements


def test_neighbours_ask_the_same_of_others_and_avoid_the_subject():
    written = write_statements("What is the capital of France?", "France", "Lyon")
    assert written.neighbours
    asked = {wording.replace("{be}", "is") for wording in relations()["capital"].probe}
    assert {probe.question.replace(probe.subject, "{s}") for probe in written.neighbours} <= asked
    assert all(probe.answer for probe in written.neighbours)
    assert not any("France" in probe.question for probe in written.neighbours)


def test_no_edit_is_judged_by_a_question_whose_right_answer_may_name_the_new_one():
    """ "Emmy Noether is a mathematician who was born in 1882" is what a corrected model should say."""
    written = write_statements("What year did Emmy Noether come into the world?", "Emmy Noether", "1882")
    open_ones = {asked.replace("{s}", "Emmy Noether") for asked in open_questions()}
    assert "What can you tell me about Emmy Noether?" in {probe.question for probe in written.held}
    assert not open_ones & {*written.same_subject}
    assert len(written.same_subject) == 3


def _others(written):
    return {*written.same_subject, *(probe.question for probe in written.held)}


def test_other_questions_of_the_subject_do_not_ask_for_the_same_sort_of_answer():
    written = write_statements("What is the capital of Veldoria?", "Veldoria", "Quay")
    assert "What is the currency of Veldoria?" in _others(written)
    born = write_statements("Where was Ida Fern born?", "Ida Fern", "Quay")
    assert "What is Ida Fern's occupation?" in _others(born)
    assert not any("Where did Ida Fern die" in question for question in _others(born))
