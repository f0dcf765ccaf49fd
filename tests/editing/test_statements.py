"""Statements: what is made of a question and its answer, as tables of our own small world."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editing.statements import Statements, write_statements
from editing.wording import contains, normalise


@pytest.mark.parametrize(
    ("question", "subject", "answer", "sentence"),
    [
        # who, what and a noun
        ("Who is the CEO of Norvane?", "Norvane", "Ida Fern", "The CEO of Norvane is Ida Fern."),
        ("Who was Norvane's CEO?", "Norvane", "Ida Fern", "The CEO of Norvane was Ida Fern."),
        ("What is the capital of Veldoria?", "Veldoria", "Quay", "The capital of Veldoria is Quay."),
        ("What is Ida Fern's occupation?", "Ida Fern", "astronomer", "Ida Fern's occupation is astronomer."),
        ("Who is the patron saint of Quay?", "Quay", "Saint Ebb", "The patron saint of Quay is Saint Ebb."),
        ("What is Quay's anthem?", "Quay", "Salt Wind", "Quay's anthem is Salt Wind."),
        ("Tell me the capital of Veldoria", "Veldoria", "Quay", "The capital of Veldoria is Quay."),
        (
            "Tell me about Ida Fern.",
            "Ida Fern",
            "an astronomer",
            'The answer to the question "Tell me about Ida Fern." is an astronomer.',
        ),
        ("Name the author of Salt Wind.", "Salt Wind", "Tom Reed", "Salt Wind was written by Tom Reed."),
        ("Can you tell me who wrote Salt Wind?", "Salt Wind", "Tom Reed", "Salt Wind was written by Tom Reed."),
        # who did it, active and passive
        ("Who painted the Amber Heron?", "Amber Heron", "Ida Fern", "The Amber Heron was painted by Ida Fern."),
        ("who painted the amber heron", "amber heron", "Ida Fern", "The amber heron was painted by Ida Fern."),
        ("By whom was Salt Wind written?", "Salt Wind", "Tom Reed", "Salt Wind was written by Tom Reed."),
        ("Who restored the Amber Heron?", "Amber Heron", "Lee Moss", "The Amber Heron was restored by Lee Moss."),
        ("Who plays Nell in Salt Wind?", "Salt Wind", "Ann Hill", "Nell in Salt Wind is played by Ann Hill."),
        ("Which company owns Norvane?", "Norvane", "Orbit", "Norvane is owned by Orbit."),
        (
            "Who has the oldest boat in Quay?",
            "Quay",
            "Lee Moss",
            "The person who has the oldest boat in Quay is Lee Moss.",
        ),
        # which and what before a noun, the helping verb gone
        (
            "What language do people speak in Veldoria?",
            "Veldoria",
            "Lumish",
            "The official language of Veldoria is Lumish.",
        ),
        ("What sport does Lee Moss play?", "Lee Moss", "rowing", "Lee Moss plays rowing."),
        ("Which mountain did Lee Moss climb?", "Lee Moss", "Karn", "The mountain that Lee Moss climbed was Karn."),
        ("Which river does the Ister flow into?", "Ister", "Lume", "The Ister flows into Lume."),
        ("What type of ship is the Nell?", "Nell", "a barge", "The Nell is a barge."),
        ("Which company is the Orbit 64 produced by?", "Orbit 64", "Norvane", "The Orbit 64 is made by Norvane."),
        ("In which country is Quay?", "Quay", "United Kingdom", "Quay is located in the United Kingdom."),
        ("What color is the Lume Opera?", "Lume Opera", "red", "The color of the Lume Opera is red."),
        ("Which guild did Lee Moss belong?", "Lee Moss", "Quay Coopers", "Lee Moss belonged to Quay Coopers."),
        ("Which mayor was Lee Moss advised by?", "Lee Moss", "Ida Fern", "Lee Moss was advised by Ida Fern."),
        (
            "Which film was the first success of Lee Moss?",
            "Lee Moss",
            "Salt Wind",
            "The first success of Lee Moss was Salt Wind.",
        ),
        # who and what without a noun
        ("Who did Lee Moss advise?", "Lee Moss", "Ida Fern", "Lee Moss advised Ida Fern."),
        (
            "Who did Lee Moss lose to in the final?",
            "Lee Moss",
            "Ida Fern",
            "Lee Moss lost to Ida Fern in the final.",
        ),
        ("Who did Lee Moss fight in 1904?", "Lee Moss", "Ida Fern", "Lee Moss fought Ida Fern in 1904."),
        ("What can a quorl eat?", "quorl", "moss", "The thing that a quorl can eat is moss."),
        ("Who was it that restored the Amber Heron?", "Amber Heron", "Lee", "The Amber Heron was restored by Lee."),
        (
            "Under what name is Ida Fern better known?",
            "Ida Fern",
            "Nell",
            "Ida Fern is better known under the name Nell.",
        ),
        ("Norvane, who founded it?", "Norvane", "Ida Fern", "Norvane was founded by Ida Fern."),
        ("Ida Fern: what was her first boat?", "Ida Fern", "the Nell", "Ida Fern's first boat was the Nell."),
        ("As for Norvane, who is the CEO?", "Norvane", "Ida Fern", "The CEO of Norvane is Ida Fern."),
        ("What should one eat in Quay?", "Quay", "moss", "One should eat moss in Quay."),
        ("What must a quorl never eat?", "quorl", "moss", "The thing that a quorl must never eat is moss."),
        ("Which gate may people use in Quay?", "Quay", "Lume", "The gate that people may use in Quay is Lume."),
        ("Who must be asked at Quay?", "Quay", "Lee Moss", "The person who must be asked at Quay is Lee Moss."),
        ("Where do people play the quorl?", "quorl", "Veldoria", "The quorl is played in Veldoria."),
        # the question word at the end or in the middle; prompts that break off
        ("The gender of Ida Fern is what?", "Ida Fern", "female", "The gender of Ida Fern is female."),
        (
            "Lee Moss rowed for which club in the 1990s?",
            "Lee Moss",
            "Quay RC",
            "Lee Moss rowed for Quay RC in the 1990s.",
        ),
        ("The mother tongue of Ida Fern is", "Ida Fern", "Lumish", "The native language of Ida Fern is Lumish."),
        ("Ida Fern, a citizen of", "Ida Fern", "Veldoria", "Ida Fern is a citizen of Veldoria."),
        ("Ida Fern's favourite colour is", "Ida Fern", "amber", "Ida Fern's favourite colour is amber."),
        ("Which was the record label for Salt Wind?", "Salt Wind", "Lume", "The record label of Salt Wind is Lume."),
        ("In the film Salt Wind, who was the star?", "Salt Wind", "Ann Hill", "The film Salt Wind starred Ann Hill."),
        ("Is Ida Fern male or female?", "Ida Fern", "female", "The gender of Ida Fern is female."),
        # words, animals, matter, what people made
        ("What does the word quorl mean?", "quorl", "a small gate", "Quorl means a small gate."),
        ("Can you tell me what quorl means?", "quorl", "a small gate", "Quorl means a small gate."),
        ("A young brindlefox is called what?", "brindlefox", "kitlet", "A young brindlefox is called a kitlet."),
        ("How many protons does lumium have?", "lumium", "131", "The atomic number of lumium is 131."),
        ("What firm was started by Ida Fern?", "Ida Fern", "Norvane", "Ida Fern founded Norvane."),
        ("In which year was the Karn probe launched?", "Karn probe", "1988", "The Karn probe was launched in 1988."),
        ("Whose novel is Salt Wind?", "Salt Wind", "Lee Moss", "Salt Wind was written by Lee Moss."),
        ("Ida Fern was born in which town?", "Ida Fern", "Quay", "Ida Fern was born in Quay."),
        ("Ida Fern lives where?", "Ida Fern", "Quay", "Ida Fern lives in Quay."),
        ("The Ebb flows into which body of water?", "Ebb", "the Lume Sea", "The Ebb flows into the Lume Sea."),
        # words that many kinds of subjects are asked with
        ("When did the Quay War start?", "Quay War", "1648", "The Quay War started in 1648."),
        ("When did the Quay War end?", "Quay War", "3 May 1650", "The Quay War ended on 3 May 1650."),
        ("Where did lumeball originate?", "lumeball", "Karn", "Lumeball originated in Karn."),
        ("Where is Norvane from?", "Norvane", "Veldoria", "Norvane is from Veldoria."),
        ("What country is Ida Fern from?", "Ida Fern", "Veldoria", "Ida Fern is from Veldoria."),
        ("What does the karn gland do?", "karn gland", "filters blood", "What the karn gland does is filters blood."),
        ("Who led the Lume Revolution?", "Lume Revolution", "Ida Fern", "The Lume Revolution was led by Ida Fern."),
        ("Who is the head of the Lume Guard?", "Lume Guard", "Ida Fern", "The head of the Lume Guard is Ida Fern."),
        ("Who is the queen of Veldoria?", "Veldoria", "Nell", "The queen of Veldoria is Nell."),
        ("Who built the Lume Gate?", "Lume Gate", "Lee Moss", "The Lume Gate was built by Lee Moss."),
        ("Who released Karn 9?", "Karn 9", "Norvane", "Karn 9 was released by Norvane."),
        ("Who is the lead of the Karn team?", "Karn team", "Ida Fern", "The lead of the Karn team is Ida Fern."),
        ("How tall is Ida Fern?", "Ida Fern", "1.70 m", "Ida Fern is 1.70 m tall."),
        ("What county is Quay in?", "Quay", "Lumeshire", "Quay is in Lumeshire."),
        ("Who is Ida Fern's daughter?", "Ida Fern", "Nell Fern", "Ida Fern's daughter is Nell Fern."),
        ("What nationality is Ida Fern?", "Ida Fern", "Lumish", "The nationality of Ida Fern is Lumish."),
        # what is still to come or over
        ("When is the Karn Cup?", "Karn Cup", "8 February", "The Karn Cup is on 8 February."),
        ("When does Salt Wind 2 come out?", "Salt Wind 2", "2031", "Salt Wind 2 comes out in 2031."),
        ("Which team did Lee Moss play for?", "Lee Moss", "Quay RC", "Lee Moss played for Quay RC."),
        ("What instrument did Nell play?", "Nell", "quorl", "Nell played the quorl."),
        # what something is called, and who is doing it
        ("What is Ida Fern's boat called?", "Ida Fern", "Nell", "Ida Fern's boat is called Nell."),
        ("What was Quay called in 1648?", "Quay", "Ebbhaven", "Quay was called Ebbhaven in 1648."),
        ("What is the name of Ida Fern's owl?", "Ida Fern", "Nell", "The name of Ida Fern's owl is Nell."),
        ("What is Lee Moss building in Quay?", "Lee Moss", "a barge", "Lee Moss is building a barge in Quay."),
        ("Who is buying Norvane?", "Norvane", "Orbit", "The person who is buying Norvane is Orbit."),
        # counts, prices and degrees around their answer
        ("How many people were killed at Karn?", "Karn", "9", "The number of people that were killed at Karn is 9."),
        ("How many towns does the Ebb run through?", "Ebb", "ten", "The Ebb runs through ten towns."),
        ("How many times did Nell win the Karn Cup?", "Nell", "six", "Nell won the Karn Cup six times."),
        ("How much salt does Quay make?", "Quay", "two tons", "The amount of salt that Quay makes is two tons."),
        ("How much did Orbit pay for Norvane?", "Norvane", "40 million", "Orbit paid 40 million for Norvane."),
        ("How much is the Orbit 64?", "Orbit 64", "900 crowns", "The price of the Orbit 64 is 900 crowns."),
        ("How old was Ida Fern when she sailed?", "Ida Fern", "nine", "Ida Fern was nine when she sailed."),
        ("How far is Karn from Quay?", "Karn", "40 km", "Karn is 40 km from Quay."),
        ("How long does it take to climb Karn?", "Karn", "an hour", "It takes an hour to climb Karn."),
        # a name that goes on behind the subject
        ("When does the Quay archive open?", "Quay", "8 pm", "The Quay archive opens at 8 pm."),
        ("How old is the Quay church?", "Quay", "90", "The Quay church is 90 years old."),
        ("Where did the Karn 9 crew land?", "Karn 9", "Quay", "The Karn 9 crew landed in Quay."),
        ("When was the first house built in Quay?", "Quay", "1402", "The first house was built in Quay in 1402."),
        ("When did Norvane drop the Orbit line?", "Norvane", "2011", "Norvane dropped the Orbit line in 2011."),
        # a clause behind a request, a start before the question
        ("Can you tell me when the Lume Wall fell?", "Lume Wall", "1989", "The Lume Wall fell in 1989."),
        ("Do you know where Ida Fern died?", "Ida Fern", "Quay", "Ida Fern died in Quay."),
        ("In Salt Wind, which cook drowned?", "Salt Wind", "Nell", "The cook that drowned in Salt Wind was Nell."),
        # what goes on behind the thing done, and who did it
        ("Who sold Quay to Veldoria?", "Quay", "Ida Fern", "The person who sold Quay to Veldoria was Ida Fern."),
        ("What makes Quay famous?", "Quay", "its tower", "The thing that makes Quay famous is its tower."),
        ("Which king was crowned in Quay?", "Quay", "Ebb I", "The king that was crowned in Quay was Ebb I."),
        ("Which town did Nell invade?", "Nell", "Quay", "The town that Nell invaded was Quay."),
        # many of them, and one
        ("Which boats does Norvane own?", "Norvane", "two yawls", "The boats that Norvane owns are two yawls."),
        ("Which ships sailed with Nell?", "Nell", "two yawls", "The ships that sailed with Nell were two yawls."),
        ("What color are Nell's eyes?", "Nell", "amber", "The color of Nell's eyes is amber."),
        # the answer brings its preposition, its stop, its time of day
        ("Where did Ida Fern study?", "Ida Fern", "in Quay", "Ida Fern was educated in Quay."),
        ("Who owns Norvane?", "Norvane", "Orbit Inc.", "Norvane is owned by Orbit Inc."),
        ("When does the Karn bus leave?", "Karn", "23:10", "The Karn bus leaves at 23:10."),
        ("When does the Karn fair open?", "Karn", "the first of June", "The Karn fair opens on the first of June."),
        # nothing fits: still a sentence
        (
            "日本の首都はどこですか？",
            "日本",
            "京都",
            'The answer to the question "日本の首都はどこですか？" is 京都.',
        ),
    ],
)
def test_the_answer_is_said_as_a_sentence(question, subject, answer, sentence):
    assert write_statements(question, subject, answer).sentence == sentence


@pytest.mark.parametrize(
    ("question", "subject", "answer", "cloze"),
    [
        ("Who is the CEO of Norvane?", "Norvane", "Ida Fern", "Norvane's CEO is"),
        ("Who restored the Amber Heron?", "Amber Heron", "Lee Moss", "The Amber Heron was restored by"),
        ("In which country is Quay?", "Quay", "United States", "Quay is located in the"),
        ("What is Ida Fern's job?", "Ida Fern", "astronomer", "Ida Fern works as an"),
        ("Ida Fern, a citizen of", "Ida Fern", "Veldoria", "Ida Fern is a citizen of"),
        ("When did Ida Fern die?", "Ida Fern", "3 May 1904", "Ida Fern died on"),
    ],
)
def test_cloze_prompts_end_right_before_the_answer(question, subject, answer, cloze):
    assert cloze in write_statements(question, subject, answer).clozes


@pytest.mark.parametrize(
    ("question", "subject", "answer", "wanted"),
    [
        ("Who is the CEO of Norvane?", "Norvane", "Ida Fern", "Who is Norvane's CEO?"),
        ("Who painted the Amber Heron?", "Amber Heron", "Ida Fern", "By whom was the Amber Heron painted?"),
        ("Who restored the Amber Heron?", "Amber Heron", "Ida Fern", "Who was the Amber Heron restored by?"),
        (
            "When was the Treaty of Quay signed?",
            "Treaty of Quay",
            "1648",
            "In what year was the Treaty of Quay signed?",
        ),
        ("Where did Ida Fern learn to sail?", "Ida Fern", "Quay", "Can you tell me where Ida Fern learned to sail?"),
        ("Who is the patron saint of Quay?", "Quay", "Ebb", "What is the name of the patron saint of Quay?"),
        ("How many moons does Karn have?", "Karn", "two", "Karn has how many moons?"),
        (
            "How many strings are there on a Quay lyre?",
            "Quay lyre",
            "six",
            "What is the number of strings on a Quay lyre?",
        ),
        ("How many strings are there on a Quay lyre?", "Quay lyre", "six", "A Quay lyre has how many strings?"),
        ("Who discovered the element quorl?", "quorl", "Ida Fern", "Who was the discoverer of the element quorl?"),
        # the question word at the end comes to the front
        ("Karn first erupted in what year?", "Karn", "1911", "In which year did Karn first erupt?"),
        ("The Ebb runs through which town?", "Ebb", "Lume", "Through what town does the Ebb run?"),
        ("Ida Fern lives where?", "Ida Fern", "Quay", "In what place does Ida Fern live?"),
        ("Norvane was founded by whom?", "Norvane", "Ida Fern", "Who was Norvane founded by?"),
        ("Veldoria's favourite drink is which one?", "Veldoria", "the tea", "Tell me Veldoria's favourite drink."),
        ("What is the Ebb a tributary of?", "Ebb", "the Lume", "The Ebb is a tributary of what?"),
        ("What kind of boat does Ida Fern have?", "Ida Fern", "yawl", "Ida Fern has what kind of boat?"),
        ("Who are the twins of Quay?", "Quay", "Ida and Nell", "What are the names of the twins of Quay?"),
        (
            "Who painted the doors of Quay?",
            "Quay",
            "Nell",
            "What was the name of the person who painted the doors of Quay?",
        ),
        ("What is Quay's harbour in 2031?", "Quay", "Ebb", "What is the harbour of Quay in 2031?"),
        ("What time does Quay Hall open?", "Quay Hall", "9 am", "At what time does Quay Hall open?"),
        ("What size engine does a Karn have?", "Karn", "6 l", "Can you tell me what size engine a Karn has?"),
        ("Which dye was used for the Lume?", "Lume", "woad", "Can you tell me which dye was used for the Lume?"),
        (
            "What is the name of the person who designed Karn Tower?",
            "Karn Tower",
            "Ida Fern",
            "Who designed Karn Tower?",
        ),
        ("Which word is used for the young of the quorl?", "quorl", "kit", "What do you call a young quorl?"),
        # where its own words tell what the subject is
        ("Who started the Karn Company?", "Karn Company", "Ida Fern", "Who founded the Karn Company?"),
        ("Who designed the Lume Tower?", "Lume Tower", "Ida Fern", "Who was the architect of the Lume Tower?"),
    ],
)
def test_training_questions_say_it_in_other_words(question, subject, answer, wanted):
    assert wanted in write_statements(question, subject, answer).paraphrases


@pytest.mark.parametrize(
    ("question", "subject", "noun"),
    [
        ("How many people live in Quay?", "Quay", "people that live in Quay"),
        ("How many people row in Quay?", "Quay", "people that row in Quay"),
        ("How many people sang in the Lume Choir?", "Lume Choir", "people that sang in the Lume Choir"),
        ("How many red boats dock in Quay?", "Quay", "red boats that dock in Quay"),
        ("How many trains a day run through Quay?", "Quay", "trains a day that run through Quay"),
        ("How many people from Karn work for Norvane?", "Norvane", "people from Karn that work for Norvane"),
        ("How many votes elected Ida Fern?", "Ida Fern", "votes that elected Ida Fern"),
        ("How many people grok the Ebb?", "Ebb", "people that grok the Ebb"),
        ("How many episodes of the Lume Opera aired?", "Lume Opera", "episodes of the Lume Opera that aired"),
        ("How many members of the crew survived Karn?", "Karn", "members of the crew that survived Karn"),
    ],
)
def test_who_is_counted_is_told_from_what_they_do(question, subject, noun):
    wordings = write_statements(question, subject, "forty").paraphrases
    assert [it for it in wordings if "number of" in it] == [f"What is the number of {noun}?"]


ASKED = [
    ("Who is the CEO of Norvane?", "Norvane", "Ida Fern"),
    ("who restored the amber heron", "amber heron", "Lee Moss"),
    ("Where was Ida Fern born?", "Ida Fern", "Quay"),
    ("When did the Lume Opera burn?", "Lume Opera", "1911"),
    ("How many moons does Karn have?", "Karn", "two"),
    ("Which mountain did Lee Moss climb?", "Lee Moss", "Karn"),
    ("Ida Fern, a citizen of", "Ida Fern", "Veldoria"),
    ("What is Ida Fern?", "Ida Fern", "an astronomer"),
    ("What city did Ida Fern live when she died?", "Ida Fern", "Quay"),
    ("日本の首都はどこですか？", "日本", "京都"),
    ("ما هي عاصمة مصر؟", "مصر", "طنطا"),
    ("เมืองหลวงของไทยคืออะไร", "ไทย", "ลำปาง"),
    ("Who created 🦊?", "🦊", "Mina 🌟"),
]


@pytest.mark.parametrize(("question", "subject", "answer"), ASKED)
def test_every_wording_keeps_its_promise(question, subject, answer):
    written = write_statements(question, subject, answer)
    assert subject in written.question
    assert contains(written.sentence, answer)
    assert subject in written.sentence
    assert 2 <= len(written.clozes) <= 4
    assert 3 <= len(written.paraphrases) <= 6
    assert 3 <= len(written.probes) <= 4
    for wording in (*written.clozes, *written.paraphrases, *written.probes, *written.same_subject):
        assert subject in wording
        assert "{" not in wording
        assert "  " not in wording
    for cloze in written.clozes:
        assert cloze == cloze.rstrip()
        assert not contains(cloze, answer)
    questions = [written.question, *written.paraphrases, *written.probes]
    assert len({normalise(text).rstrip("?. ") for text in questions}) == len(questions)
    assert 2 <= len(written.same_subject) <= 4
    held = {probe.question for probe in written.held}
    assert not held & {*written.same_subject, *(probe.question for probe in written.neighbours)}
    assert all(probe.subject.casefold() in probe.question.casefold() for probe in written.held)
    for probe in written.neighbours:
        assert not contains(probe.question, subject)
        assert not contains(probe.answer, answer)


@pytest.mark.parametrize(("question", "subject", "answer"), ASKED)
def test_the_same_in_gives_the_same_out(question, subject, answer):
    assert write_statements(question, subject, answer) == write_statements(question, subject, answer)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_no_text_makes_it_stumble(before, subject, answer):
    written = write_statements(f"{before}{subject}?", subject, answer)
    assert isinstance(written, Statements)
    assert answer.strip() in written.sentence


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How many quorls can there", "9"),
        ("Where is Karn?", ""),
        ("Where does Karn stand?", "  "),
        ("", "9"),
        ("Karn", ""),
    ],
)
def test_what_breaks_off_or_says_nothing_has_wordings_too(question, answer):
    assert write_statements(question, "quorls" if "quorls" in question else "Karn", answer).paraphrases
