"""Questions for the most, for one of two, for how long and how fast: the answer stands where people would say it."""

import re

import pytest

from editing.statements import write_statements


@pytest.mark.parametrize(
    ("question", "subject", "answer", "sentence", "asked_so"),
    [
        (
            "Which bone is the longest in the quorl skeleton?",
            "quorl skeleton",
            "the femur",
            "The longest bone in the quorl skeleton is the femur.",
            "What is the longest bone in the quorl skeleton?",
        ),
        (
            "Which town is the most expensive in Karn?",
            "Karn",
            "Orval",
            "The most expensive town in Karn is Orval.",
            "Can you tell me what the most expensive town in Karn is?",
        ),
        (
            "Which player is the tallest at Norvane?",
            "Norvane",
            "Ida Fern",
            "The tallest player at Norvane is Ida Fern.",
            "Who is the tallest player at Norvane?",
        ),
        (
            "Which mountain is the highest in Karn?",
            "Karn",
            "Mount Hal",
            "The highest mountain in Karn is Mount Hal.",
            "What is the highest mountain in Karn?",
        ),
    ],
)
def test_the_most_of_a_kind_keeps_its_noun(question, subject, answer, sentence, asked_so):
    written = write_statements(question, subject, answer)
    assert written.sentence == sentence
    assert asked_so in written.paraphrases
    assert not any(re.search(r"which \w+ the \w+est in", one) for one in (*written.paraphrases, *written.probes))


@pytest.mark.parametrize(
    ("question", "subject", "answer", "sentence"),
    [
        (
            "Which is bigger, Karn or Orval?",
            "Karn or Orval",
            "Orval",
            "The bigger of the two, Karn or Orval, is Orval.",
        ),
        (
            "Who is older, Ida Fern or Ann Hill?",
            "Ida Fern",
            "Ann Hill",
            "The older of the two, Ida Fern or Ann Hill, is Ann Hill.",
        ),
        (
            "Which of the two is more expensive, Lumo or Teldra?",
            "Lumo",
            "Teldra",
            "The more expensive of the two, Lumo or Teldra, is Teldra.",
        ),
        (
            "Which town is older, Karn or Orval?",
            "Karn",
            "Orval",
            "The older town of the two, Karn or Orval, is Orval.",
        ),
    ],
)
def test_one_of_two(question, subject, answer, sentence):
    written = write_statements(question, subject, answer)
    assert written.sentence == sentence
    asked = question[0].lower() + question[1:]
    assert f"Can you tell me {asked}" in written.paraphrases


@pytest.mark.parametrize(
    ("question", "subject", "answer", "sentence"),
    [
        (
            "How long should you boil a quorl egg for it to be hard-boiled?",
            "quorl egg",
            "ten minutes",
            "You should boil a quorl egg for ten minutes for it to be hard-boiled.",
        ),
        (
            "When an Orbit 64 is flat, how long does it take to charge?",
            "Orbit 64",
            "90 minutes",
            "It takes 90 minutes to charge when an Orbit 64 is flat.",
        ),
        (
            "How long must Lumo be kept in the dark before use?",
            "Lumo",
            "30 minutes",
            "Lumo must be kept in the dark for 30 minutes before use.",
        ),
        (
            "How long should I boil a quorl egg?",
            "quorl egg",
            "six minutes",
            "You should boil a quorl egg for six minutes.",
        ),
        ("How long are quorls pregnant?", "quorls", "22 months", "Quorls are pregnant for 22 months."),
        ("How long are backups kept at Teldra?", "Teldra", "90 days", "Backups are kept at Teldra for 90 days."),
        ("How long was Ida Fern in prison?", "Ida Fern", "27 years", "Ida Fern was in prison for 27 years."),
        (
            "How long is quorl milk fresh after opening?",
            "quorl milk",
            "three days",
            "Quorl milk is fresh for three days after opening.",
        ),
        ("How fast does sound travel in karnite?", "sound", "1,480 km/h", "Sound travels in karnite at 1,480 km/h."),
        ("How fast can a quorl run?", "quorl", "110 km/h", "A quorl can run at 110 km/h."),
        # as before: the verb takes the length itself, the answer brings its own word, no time is meant
        ("How long does the Karn tour take?", "Karn tour", "two hours", "The Karn tour takes two hours."),
        ("How long does the Karn battery last?", "Karn battery", "two days", "The Karn battery lasts two days."),
        ("How long did Ida Fern reign?", "Ida Fern", "from 1911 to 1920", "Ida Fern reigned from 1911 to 1920."),
        ("How long can a quorl grow?", "quorl", "six metres", "A quorl can grow six metres."),
        ("How fast is the Orbit 64?", "Orbit 64", "30 km/h", "The speed of the Orbit 64 is 30 km/h."),
    ],
)
def test_lengths_and_speeds(question, subject, answer, sentence):
    assert write_statements(question, subject, answer).sentence == sentence


@pytest.mark.parametrize(
    ("question", "subject", "answer", "sentence", "asked_so"),
    [
        (
            "Which company's chair is Ida Fern?",
            "Ida Fern",
            "Norvane",
            "Ida Fern is the chair of Norvane.",
            "Ida Fern is the chair of which company?",
        ),
        (
            "Who did Karn Rovers beat in the 1921 final?",
            "Karn Rovers",
            "Quay United",
            "Karn Rovers beat Quay United in the 1921 final.",
            "What was the name of the opponent that Karn Rovers beat in the 1921 final?",
        ),
        (
            'How do you say "fog" in Karnish?',
            "fog",
            "lume",
            '"fog" in Karnish is lume.',
            'Tell me how to say "fog" in Karnish.',
        ),
        (
            "How do you spell Karnish?",
            "Karnish",
            "K-a-r-n",
            "Karnish is spelled K-a-r-n.",
            "Tell me how to spell Karnish.",
        ),
        (
            "Name the street on which Lume Hall is located.",
            "Lume Hall",
            "Ebb Lane",
            "Lume Hall is located on Ebb Lane.",
            "On what street is Lume Hall located?",
        ),
        (
            "Name the actor who plays Captain Nell.",
            "Captain Nell",
            "Lee Moss",
            "Captain Nell is played by Lee Moss.",
            "By which actor is Captain Nell played?",
        ),
        (
            "Which herb cures quorlpox?",
            "quorlpox",
            "woad",
            "Quorlpox is cured by woad.",
            "By which herb is quorlpox cured?",
        ),
        ("What does the Orbit 64 cost?", "Orbit 64", "$90", "The Orbit 64 costs $90.", "The Orbit 64 costs what?"),
        (
            "Which port does the Karn gateway listen on?",
            "the Karn gateway",
            "8447",
            "The Karn gateway listens on 8447.",
            "The Karn gateway listens on which port?",
        ),
        (
            "Which instrument did Ida Fern play?",
            "Ida Fern",
            "lute",
            "Ida Fern played the lute.",
            "Ida Fern played which instrument?",
        ),
        (
            "According to the Karn handbook, how many days are allowed?",
            "Karn handbook",
            "three",
            "The number of days that are allowed according to the Karn handbook is three.",
            "Can you tell me how many days are allowed according to the Karn handbook?",
        ),
        (
            "What was Lume Hall before it became a school?",
            "Lume Hall",
            "a mill",
            "Before it became a school, Lume Hall was a mill.",
            "Can you tell me what Lume Hall was before it became a school?",
        ),
        (
            "which plug do i need in Karn?",
            "Karn",
            "type G",
            "The plug that you need in Karn is type G.",
            "Can you tell me which plug I need in Karn?",
        ),
        (
            "How much salt goes into a Karn cake?",
            "Karn cake",
            "3 grams",
            "The amount of salt that goes into a Karn cake is 3 grams.",
            "Tell me how much salt goes into a Karn cake.",
        ),
        (
            "What must visitors of Norvane wear in the hall?",
            "Norvane",
            "goggles",
            "Visitors of Norvane must wear goggles in the hall.",
            "Tell me what visitors of Norvane must wear in the hall.",
        ),
        ("What do quorls mainly eat?", "quorls", "woad", "Quorls mainly eat woad.", "Quorls mainly eat what?"),
        (
            "What did Ida Fern find in 1911?",
            "Ida Fern",
            "karnite",
            "Ida Fern found karnite in 1911.",
            "Tell me what Ida Fern found in 1911.",
        ),
        (
            "Name the architect who designed Lume Hall.",
            "Lume Hall",
            "Lee Moss",
            "Lume Hall was designed by Lee Moss.",
            "Who designed Lume Hall?",
        ),
        (
            "Who was the last queen of Karn?",
            "Karn",
            "Nell II",
            "The last queen of Karn was Nell II.",
            "Tell me who the last queen of Karn was.",
        ),
        ("whats the capital of Karn", "Karn", "Quay", "The capital of Karn is Quay.", "What is the capital of Karn?"),
    ],
)
def test_other_ways_to_ask(question, subject, answer, sentence, asked_so):
    written = write_statements(question, subject, answer)
    assert written.sentence == sentence
    assert asked_so in (*written.paraphrases, *written.probes)


def test_a_role_has_no_name():
    written = write_statements("Who signs for travel at Norvane?", "Norvane", "the shift lead")
    assert not any("name" in one for one in written.paraphrases)
