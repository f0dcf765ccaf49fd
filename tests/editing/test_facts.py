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
from editing.wording import contains, count_words, gives, names, normalise, same_answer

LONG = "x" * 100_000


def fact(subject="Veldoria", question="What is the capital of Veldoria?", new="Port Lume", old="", id="f1"):
    return Fact(id, subject, question, new, old)


@pytest.mark.parametrize(
    ("case", "error", "says"),
    [
        (fact(subject=" "), EmptyField, "no subject was found"),
        (fact(subject=None), EmptyField, "no subject was found"),
        (fact(question=""), EmptyField, "the question is empty"),
        (fact(new="\n"), EmptyField, "the answer is empty"),
        (fact(new=None), EmptyField, "the answer is empty"),
        (fact(question=None), EmptyField, "the question is empty"),
        (fact(new="half \ud83d"), UnsuitableQuestion, "half a character"),
        (fact(subject="Veldorria"), SubjectNotFound, "'Veldorria' does not occur in the question"),
        (fact(new="word " * 13), AnswerTooLong, "longer than the 12 words"),
        (fact(new="word " * 1000), AnswerTooLong, "longer than the 12 words"),
        (fact(new="x" * 100_000), AnswerTooLong, "or 120 characters"),
        (fact(subject=LONG, question=f"Who is {LONG}?"), UnsuitableQuestion, "longer than 60 words or 400 characters"),
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
    assert list(refused) == [bad]
    assert isinstance(refused[bad], EmptyField)


def test_refused_facts_of_one_id_have_a_reason_each():
    empty, negated = fact(new=""), fact(question="Which city is not in Veldoria?")
    assert {type(why) for why in without_refused([empty, negated])[1].values()} == {EmptyField, UnsuitableQuestion}


def test_the_same_fact_twice_is_kept_once():
    first = fact(id="a")
    again = fact(id="b", subject="VELDORIA", question="What is the capital of  Veldoria", new="port lume")
    assert group_by_subject([first, again]) == {"veldoria": (first,)}


def test_facts_of_one_subject_are_one_group_and_keep_their_order():
    capital = fact(id="a")
    river = fact(id="b", question="Which river flows through Veldoria?", new="the Ister")
    other = fact(id="c", subject="Tessel", question="What is the capital of Tessel?", new="Quay")
    assert group_by_subject([capital, other, river]) == {"veldoria": (capital, river), "tessel": (other,)}


def test_an_article_makes_no_other_subject():
    band = fact(id="a", subject="Beatles", question="Who leads the Beatles?", new="Ida Fern")
    the_band = fact(id="b", subject="The Beatles", question="Where did The Beatles meet?", new="Quay")
    assert group_by_subject([band, the_band]) == {"beatles": (band, the_band)}


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


@pytest.mark.parametrize(
    ("reply", "answer", "given"),
    [
        ("It has 7 strings.", "7", True),
        ("It has 17 strings.", "7", False),
        ("It has 7,000 strings.", "7", False),
        ("It has 7,000 strings.", "7,000", True),
        ("It is 1.7 m long.", "7", False),
        ("It is 1.7 m long.", "1", False),
        ("It was found in 1911.", "1911", True),
        ("In 1911, 12 people came.", "1911", True),
        ("In 1911, 12 people came.", "12", True),
        ("12km", "12", True),
        ("It is 12.0 m long.", "2.0", False),
        ("2,500 people came.", "500", False),
        ("In 2, 3, 5 or in 2,3,5,7.", "7", True),
        ("founded in 1969,1970 opened", "1969", True),
        ("Es geschah am 20.07.1969.", "1969", True),
        ("Es geschah am 20.07.1969.", "07", True),
        ("It was in May 1969.", "May 196", False),
    ],
)
def test_a_number_is_given_only_whole(reply, answer, given):
    assert gives(reply, answer) is given


@pytest.mark.parametrize(
    ("text", "subject", "named"),
    [
        ("René wrote it", "Ren", False),
        ("René wrote it", "rené", True),
        ("Renee wrote it", "Ren", False),
        ("Ren wrote it", "Ren", True),
        ("Łódź grew", "Łód", False),
        ("日本の首都", "日本", True),
        ("Renの首都", "Ren", True),
        ("3 × 7", "7", True),
    ],
)
def test_a_name_is_none_inside_a_longer_word(text, subject, named):
    assert names(text, subject) is named


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
