"""Facts: what is refused and why, which two contradict, which two are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editing.errors import (
    AnswerTooLong,
    ContradictingFacts,
    EmptyField,
    FactRefused,
    NothingToChange,
    SubjectNotFound,
    UnsuitableQuestion,
)
from editing.facts import Fact, check_fact, group_by_subject, without_refused
from editing.wording import contains, count_words, normalise, same_answer


def fact(subject="Veldoria", question="What is the capital of Veldoria?", new="Port Lume", old="", id="f1"):
    return Fact(id, subject, question, new, old)


@pytest.mark.parametrize(
    ("case", "error", "says"),
    [
        (fact(subject=" "), EmptyField, "the subject is empty"),
        (fact(question=""), EmptyField, "the question is empty"),
        (fact(new="\n"), EmptyField, "the answer is empty"),
        (fact(new="half \ud83d"), UnsuitableQuestion, "half a character"),
        (fact(subject="Veldorria"), SubjectNotFound, "'Veldorria' does not occur in the question"),
        (fact(new="word " * 13), AnswerTooLong, "longer than the 12 words"),
        (fact(new="word " * 1000), AnswerTooLong, "longer than the 12 words"),
        (fact(new="x" * 500), AnswerTooLong, "shorten it"),
        (fact(new="Port Lume", old="port lume."), NothingToChange, "nothing to change"),
        (fact(new="The Harbour", old="harbour"), NothingToChange, "nothing to change"),
        (fact(new="Veldoria"), UnsuitableQuestion, "the subject itself"),
        (fact(question="Why did Veldoria lose the war?"), UnsuitableQuestion, "explanation"),
        (fact(question="How do I get to Veldoria?"), UnsuitableQuestion, "explanation"),
        (fact(question="Which city is not in Veldoria?"), UnsuitableQuestion, "negated"),
        (fact(question="List all cities in Veldoria"), UnsuitableQuestion, "list"),
        (fact(question="Should I move to Veldoria?"), UnsuitableQuestion, "opinion"),
        (fact(new="Port Lume, Arran, Tessel and Quay"), UnsuitableQuestion, "list"),
        (fact(new="No one"), UnsuitableQuestion, "denies"),
    ],
)
def test_what_cannot_be_an_edit_is_refused_by_name_and_reason(case, error, says):
    with pytest.raises(error, match=says) as raised:
        check_fact(case)
    assert "'f1'" in str(raised.value)
    assert isinstance(raised.value, FactRefused)


@pytest.mark.parametrize(
    "case",
    [
        fact(),
        fact(old="Lumeton"),
        fact(subject="veldoria"),
        fact(question="Not Without You", subject="Not Without You", new="Ida Fern"),
        fact(subject="日本", question="日本の首都はどこですか？", new="東京"),
        fact(subject="مصر", question="ما هي عاصمة مصر؟", new="القاهرة"),
        fact(subject="🦊", question="Who created 🦊?", new="Mina 🌟"),
        fact(new="12 May 1967, in the old harbour"),
    ],
)
def test_an_ordinary_fact_in_any_script_passes(case):
    check_fact(case)


def test_a_refused_fact_does_not_stop_the_others():
    good, bad = fact(id="good"), fact(id="bad", new="")
    fit, refused = without_refused([bad, good])
    assert fit == (good,)
    assert list(refused) == ["bad"]
    assert isinstance(refused["bad"], EmptyField)


def test_the_same_fact_twice_is_kept_once():
    first = fact(id="a")
    again = fact(id="b", subject="VELDORIA", question="What is the capital of  Veldoria", new="port lume")
    assert group_by_subject([first, again]) == {"veldoria": (first,)}


def test_facts_of_one_subject_are_one_group_and_keep_their_order():
    capital = fact(id="a")
    river = fact(id="b", question="Which river flows through Veldoria?", new="the Ister")
    other = fact(id="c", subject="Tessel", question="What is the capital of Tessel?", new="Quay")
    assert group_by_subject([capital, other, river]) == {"veldoria": (capital, river), "tessel": (other,)}


def test_two_answers_to_one_question_contradict_and_both_are_named():
    with pytest.raises(ContradictingFacts, match=r"'a' and 'b'.*'Port Lume' and 'Quay'"):
        group_by_subject([fact(id="a"), fact(id="b", new="Quay")])


@pytest.mark.parametrize(
    ("reply", "answer", "holds"),
    [
        ("It is PORT LUME, of course.", "Port Lume", True),
        ("Ｐｏｒｔ Ｌｕｍｅ", "port lume", True),
        ("Straße", "STRASSE", True),
        ("portlume", "Port Lume", False),
        ("anything", "", False),
        ("the 19th century", "19", True),  # no word boundaries
    ],
)
def test_a_reply_contains_an_answer(reply, answer, holds):
    assert contains(reply, answer) is holds


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(min_size=1), st.text(), st.text())
def test_a_text_around_the_answer_contains_it(answer, before, after):
    assert contains(f"{before}|{answer.strip()}|{after}", answer) or not answer.strip() or not answer.isascii()


@pytest.mark.parametrize(
    ("text", "words"), [("", 0), ("one", 1), ("three small words", 3), ("東京", 1), ("กรุงเทพมหานคร", 5)]
)
def test_words_are_counted_in_scripts_without_spaces_too(text, words):
    assert count_words(text) == words


def test_answers_differ_by_more_than_an_article():
    assert same_answer("The Hague", "hague")
    assert not same_answer("Hague", "Haag")
