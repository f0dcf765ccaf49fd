"""Questions for a number, in front or where the answer would stand: sentence, wordings, subject."""

import pytest

from editing.statements import write_statements
from editing.subjects import propose_subjects


@pytest.mark.parametrize(
    ("question", "subject", "answer", "sentence"),
    [
        ("How many Norvane boats are there?", "Norvane", "40", "There are 40 Norvane boats."),
        ("How much does a quorl weigh?", "quorl", "2 kg", "A quorl weighs 2 kg."),
        ("How many moons does Karn have?", "Karn", "two", "Karn has two moons."),
        ("How many doors are there in the Lume Opera?", "Lume Opera", "40", "There are 40 doors in the Lume Opera."),
        ("How many metres high is Karn?", "Karn", "3,120", "Karn is 3,120 metres high."),
        ("How many were lost at Karn?", "Karn", "9", "The number of people that were lost at Karn is 9."),
        ("How old is Ida Fern?", "Ida Fern", "45", "Ida Fern is 45 years old."),
        ("How tall is the Lume Tower?", "Lume Tower", "90 metres", "The Lume Tower is 90 metres tall."),
        # how long, counted; and the subject is what is counted
        (
            "For how many years was Ida Fern manager of Karn?",
            "Karn",
            "12",
            "Ida Fern was manager of Karn for 12 years.",
        ),
        ("When was Ida Fern head of Karn?", "Karn", "1990 to 1994", "Ida Fern was head of Karn from 1990 to 1994."),
        ("For how many days is a Karn pass valid?", "Karn pass", "3 days", "A Karn pass is valid for 3 days."),
        ("For how long is a Karn pass valid?", "Karn pass", "3 days", "A Karn pass is valid for 3 days."),
        (
            "How much paid leave do clerks at Quay get?",
            "paid leave",
            "a day",
            "The amount of paid leave that clerks at Quay get is a day.",
        ),
        ("How many quorls may guests take?", "quorls", "two", "The number of quorls that guests may take is two."),
        # the question word at the end
        ("Karn has how many moons?", "Karn", "two", "Karn has two moons."),
        ("A Quay lyre has how many strings?", "lyre", "six", "A Quay lyre has six strings."),
        ("Lee Moss won how many medals?", "Lee Moss", "nine", "Lee Moss won nine medals."),
        ("Lee Moss had how many boats?", "Lee Moss", "four", "Lee Moss had four boats."),
        ("The Lume Line carries how many people a day?", "Lume Line", "900", "The Lume Line carries 900 people a day."),
        (
            "The Lume Line passes through how many towns?",
            "Lume Line",
            "nine",
            "The Lume Line passes through nine towns.",
        ),
        ("Quay is home to how many people?", "Quay", "40,000", "Quay is home to 40,000 people."),
        ("In Quay there are how many gates?", "Quay", "nine", "There are nine gates in Quay."),
        ("A quorl costs how much?", "quorl", "9 crowns", "A quorl costs 9 crowns."),
        ("Karn is how many metres high?", "Karn", "3,120", "Karn is 3,120 metres high."),
        ("Ida Fern is how old?", "Ida Fern", "45", "Ida Fern is 45 years old."),
        ("The tower of Quay is how tall?", "Quay", "90 metres", "The tower of Quay is 90 metres tall."),
    ],
)
def test_a_number_stands_before_what_it_counts(question, subject, answer, sentence):
    assert write_statements(question, subject, answer).sentence == sentence


def test_a_number_is_asked_for_in_either_order():
    asked_last, asked_first = (
        write_statements(question, "Karn", "two")
        for question in ("Karn has how many moons?", "How many moons does Karn have?")
    )
    assert "What is the number of moons that Karn has?" in asked_last.paraphrases
    assert "Can you tell me how many moons Karn has?" in asked_last.paraphrases
    assert asked_last.sentence == asked_first.sentence
    assert asked_last.clozes[0] == asked_first.clozes[0] == "Karn has"


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("karn has how many moons?", "karn"),
        ("a harp lyre has how many strings?", "harp lyre"),
        ("quay is home to how many people", "quay"),
        ("the blue door is how old?", "blue door"),
        ("what should one eat in quay", "quay"),
    ],
)
def test_the_subject_is_what_is_counted_in(question, subject):
    assert propose_subjects(question)[0] == subject
