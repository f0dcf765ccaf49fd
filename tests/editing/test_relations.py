"""The tables of relations: each knows its own questions, and they refer to one another."""

from editing.questions.relations import find_relation, kinds, open_questions, plain, relations


def test_every_relation_knows_its_own_questions_and_keeps_training_from_probes():
    for relation in relations().values():
        assert not {plain(question) for question in relation.train} & {plain(question) for question in relation.probe}
        for question in (*relation.train, *relation.probe):
            asked = question.replace("{be}", "was")
            assert find_relation(asked) is relation, question
        for statement in relation.statements:
            assert statement.count("{a}") == 1
            assert "{s}" in statement


def test_every_kind_refers_to_relations_that_exist():
    for kind in kinds().values():
        assert set(kind.same) <= set(relations())
    assert {relation.of for relation in relations().values()} <= set(kinds())


def test_every_open_question_is_asked_of_some_kind():
    assert set(open_questions()) <= {question for kind in kinds().values() for question in kind.questions}
