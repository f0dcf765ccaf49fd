"""Questions as people say them: in frames, with asides, the subject first; what belongs to whom."""

import pytest

from editing.questions.relations import find_relation
from editing.statements import write_statements


@pytest.mark.parametrize(
    ("question", "subject", "answer", "sentence"),
    [
        # frames and asides
        ("I'm trying to find out when Lume Hall opens", "Lume Hall", "10:15", "Lume Hall opens at 10:15."),
        (
            "i need to know what battery the Orbit 64 takes",
            "Orbit 64",
            "a K2",
            "The battery that the Orbit 64 takes is a K2.",
        ),
        ("quick one: which gate do Karn boats go to?", "Karn boats", "Gate 7", "Karn boats go to Gate 7."),
        ("could u tell me which bus goes to Quay?", "Quay", "bus 54", "The bus that goes to Quay is bus 54."),
        ("how big is the Karn lake, by the way?", "Karn lake", "9 ha", "The Karn lake is 9 ha."),
        (
            "can you tell me who i should send Norvane forms to?",
            "Norvane forms",
            "Ann Hill",
            "You should send Norvane forms to Ann Hill.",
        ),
        (
            "Could you please tell me what the Lume network is called?",
            "Lume network",
            "HARBOUR",
            "The Lume network is called HARBOUR.",
        ),
        ("The Ebb - where does it rise?", "Ebb", "Orval", "The Ebb rises in Orval."),
        (
            "who is it that looks after Lume Hall?",
            "Lume Hall",
            "Lee Moss",
            "The person who looks after Lume Hall is Lee Moss.",
        ),
        ("what else is Karn grass called?", "Karn grass", "blue oat", "Karn grass is also called blue oat."),
        (
            "Hey, could you tell me which gate Karn boats leave from?",
            "Karn boats",
            "Gate 12",
            "Karn boats leave from Gate 12.",
        ),
        ("sorry to bother you, but who do I send Karn bills to?", "Karn bills", "Ann", "You send Karn bills to Ann."),
        ("Do we know who wrote Salt Wind?", "Salt Wind", "Lee Moss", "Salt Wind was written by Lee Moss."),
        ("when was it that Quay Bridge came down", "Quay Bridge", "1911", "Quay Bridge came down in 1911."),
        ("who's got the key to Lume Hall", "Lume Hall", "Stan", "The person who has the key to Lume Hall is Stan."),
        ("what floor's Lume on", "Lume", "the second floor", "Lume is on the second floor."),
        ("Just checking: what day is market on Ebb Lane?", "Ebb Lane", "Friday", "Market on Ebb Lane is on Friday."),
        (
            "The lost property office at Karn, what's its number",
            "Karn",
            "0148",
            "The number of the lost property office at Karn is 0148.",
        ),
        (
            "May I ask what the length of a Lume key has to be?",
            "Lume key",
            "9 cm",
            "The length of a Lume key has to be 9 cm.",
        ),
        ("Remind me again, what's the name of Quay's dog?", "Quay's dog", "Ebb", "The name of Quay's dog is Ebb."),
        ("where'd Ida Fern sail to?", "Ida Fern", "Karn", "Ida Fern sailed to Karn."),
        ("how long's the Karn walk?", "Karn walk", "9 km", "The length of the Karn walk is 9 km."),
        ("when's Ms Fern back from leave?", "Ms Fern", "5 May", "Ms Fern is back from leave on 5 May."),
        ("how many rooms does Lume Hall have, roughly?", "Lume Hall", "36", "Lume Hall has 36 rooms."),
        (
            "I was wondering how much a day ticket for the Karn tram costs.",
            "day ticket for the Karn tram",
            "8 francs",
            "A day ticket for the Karn tram costs 8 francs.",
        ),
        ("what do you call a Karn boat?", "Karn boat", "a yol", "A Karn boat is called a yol."),
        (
            "so the Lume printer, who do i call when it breaks?",
            "Lume printer",
            "Ann",
            "The person that you call when the Lume printer breaks is Ann.",
        ),
        # asides in one's own words
        ("any chance you know what time Lume Hall closes?", "Lume Hall", "7 pm", "Lume Hall closes at 7 pm."),
        (
            "just wondering, how old is Ida Fern's sister Stella?",
            "Stella",
            "75",
            "Ida Fern's sister Stella is 75 years old.",
        ),
        ("i can never remember this, how many boats does Karn have?", "Karn", "9", "Karn has 9 boats."),
        ("tbh i thought it was Quay, but where does the Ebb rise?", "Ebb", "Orval", "The Ebb rises in Orval."),
        (
            "hi there, could you please tell me how much a Karn ticket costs?",
            "Karn ticket",
            "$9",
            "A Karn ticket costs $9.",
        ),
        (
            "please remind me when the lease on Lume Hall runs out",
            "Lume Hall",
            "1911",
            "The lease on Lume Hall runs out in 1911.",
        ),
        (
            "is there a code for the Karn shed, and if so what is it?",
            "Karn shed",
            "7719",
            "The code for the Karn shed is 7719.",
        ),
        ("roughly how many people live in Karn?", "Karn", "350", "The population of Karn is 350."),
        ("when'll the Karn bridge be open?", "Karn bridge", "in May", "The Karn bridge will be open in May."),
        (
            "our landlord, Ida Fern, what number can i reach her on?",
            "Ida Fern",
            "0148",
            "You can reach Ida Fern on 0148.",
        ),
        ("Biscuit, the cat next door, how old is he?", "Biscuit", "eleven", "Biscuit is eleven."),
        (
            "what's it called when a quorl jumps out of the water?",
            "quorl",
            "breaching",
            "When a quorl jumps out of the water, it is called breaching.",
        ),
        # more than one sentence
        (
            "my son goes to Lume School. who's the head of Lume School?",
            "Lume School",
            "Ann",
            "The head of Lume School is Ann.",
        ),
        (
            "I just moved to Karn. On which day is the waste collected there?",
            "Karn",
            "Friday",
            "The waste is collected in Karn on Friday.",
        ),
        ("My colleague Ida Fern has moved. Where does she sit?", "Ida Fern", "in room 9", "Ida Fern sits in room 9."),
        (
            "You know the Karn bar? Who runs it these days?",
            "Karn bar",
            "Ann Hill",
            "These days, the Karn bar is run by Ann Hill.",
        ),
        ("I lost my badge. Who issues Lume badges?", "Lume badges", "Ann Hill", "Lume badges are issued by Ann Hill."),
        # whom and what else is named in the question
        (
            "Sorry, what was the name of the ship Orla Moss sailed on again?",
            "Orla Moss",
            "Ebb",
            "The name of the ship Orla Moss sailed on was Ebb.",
        ),
        (
            "um what was the name of the old system before Lume came in",
            "Lume",
            "Stratus",
            "The name of the old system before Lume came in was Stratus.",
        ),
        (
            "Which version of the Norvane software are we supposed to be using?",
            "Norvane software",
            "8.2",
            "The version of the Norvane software that you are supposed to be using is 8.2.",
        ),
        (
            "Who else besides Ann Hill has a key to Lume Hall?",
            "Lume Hall",
            "Stan",
            "The person who has a key to Lume Hall besides Ann Hill is Stan.",
        ),
        (
            "Who other than Ann signed Salt Wind?",
            "Salt Wind",
            "Stan",
            "Other than Ann, Salt Wind was signed by Stan.",
        ),
        ("Who else signed Salt Wind?", "Salt Wind", "Stan", "Salt Wind was also signed by Stan."),
        (
            "The Karn printer, who looks after it?",
            "The Karn printer",
            "Ann",
            "The person who looks after the Karn printer is Ann.",
        ),
        (
            "If somebody loses their Karn card, which number should they ring?",
            "Karn card",
            "555",
            "The number that they should ring if somebody loses their Karn card is 555.",
        ),
        (
            "So what's the network called in Lume Hall?",
            "Lume Hall",
            "HARBOUR",
            "The network in Lume Hall is called HARBOUR.",
        ),
        (
            "Please tell me how old you have to be to hire an Orbit 64.",
            "Orbit 64",
            "23",
            "You have to be 23 to hire an Orbit 64.",
        ),
        # a time stands in front, so that nothing breaks off before it
        ("What was Quay called before 1930?", "Quay", "Ebbport", "Before 1930, Quay was called Ebbport."),
        (
            "What is the notice period during a trial?",
            "notice period",
            "a week",
            "The notice period during a trial is a week.",
        ),
        (
            "Who was head of Norvane before Ann Hill?",
            "head of Norvane",
            "Lee Moss",
            "Head of Norvane before Ann Hill was Lee Moss.",
        ),
        # what belongs to whom
        ("Whose face is on the Karn coin?", "Karn coin", "Nell II", "The face on the Karn coin is that of Nell II."),
        (
            "Whose approval is needed to lend a Karn coin?",
            "Karn coin",
            "the keeper's",
            "The approval needed to lend a Karn coin is the keeper's.",
        ),
        ("Whose job is it to clean Lume Hall?", "Lume Hall", "the clerk's", "To clean Lume Hall is the clerk's job."),
        (
            "Which company's boats does Karn use for mail?",
            "Karn",
            "Norvane",
            "Karn uses the boats of Norvane for mail.",
        ),
        (
            "Whose coin hangs in Lume Hall?",
            "Lume Hall",
            "Nell II",
            "The coin that hangs in Lume Hall is that of Nell II.",
        ),
        ("To whom should Karn forms be handed in?", "Karn forms", "Ann", "Karn forms should be handed in to Ann."),
        (
            "Who was president of Karn during the flood?",
            "Karn",
            "Nell",
            "The president of Karn during the flood was Nell.",
        ),
        # a share of something, one of several
        (
            "What percentage of the sea is karnite?",
            "karnite",
            "3 percent",
            "The percentage of the sea that is karnite is 3 percent.",
        ),
        ("Which one of Karn's lakes is the deepest?", "Karn", "Ebb", "The deepest of Karn's lakes is Ebb."),
        (
            "Who do I contact about a lost Karn key?",
            "Karn key",
            "Security",
            "You contact Security about a lost Karn key.",
        ),
        (
            "Where do I hand in a Karn form?",
            "Karn form",
            "the front desk",
            "You hand in a Karn form at the front desk.",
        ),
        ("Which organ produces quorlin?", "quorlin", "the liver", "Quorlin is produced by the liver."),
    ],
)
def test_the_answer_is_said_as_people_would_say_it(question, subject, answer, sentence):
    assert write_statements(question, subject, answer).sentence == sentence


@pytest.mark.parametrize(
    "question",
    [
        "The Karn bar has a new owner. Who is it?",  # not the bar
        "What's that lake called, the one next to the Karn bar?",
        "Bob Hill works at the Karn bar. Where does he live?",
        "Bob likes the Karn bar. What paint did he use for its doors?",
    ],
)
def test_what_may_mean_another_thing_is_quoted_whole(question):
    assert question in write_statements(question, "Karn bar", "Ann Hill").sentence


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("What colour are the keys for Norvane guests?", "keys for Norvane guests"),
        ("Which of Karn's lakes is the deepest?", "Karn's lakes"),
        ("What is the root of 169?", "169"),
    ],
)
def test_some_things_have_no_possessive(question, subject):
    written = write_statements(question, subject, "Ebb")
    assert not any(f"{subject}'s" in one for one in (*written.clozes, *written.paraphrases, *written.probes))
    assert len(written.paraphrases) >= 3


def test_an_organ_is_no_manufacturer():
    assert find_relation("which organ produces {s}") is None
    maker = find_relation("which company produces {s}")
    assert maker is not None
    assert maker.name == "manufacturer"


@pytest.mark.parametrize("asked", ["whose face is on {s}", "whose job it is to clean {s}"])
def test_whose_keeps_its_order_inside_a_request(asked):
    question = asked.replace("it is", "is it").replace("{s}", "Lume Hall")
    written = write_statements(question + "?", "Lume Hall", "the clerk's")
    assert f"Can you tell me {asked.replace('{s}', 'Lume Hall')}?" in written.paraphrases
