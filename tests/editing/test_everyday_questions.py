"""Questions as people report them: what is asked stays what is asked, whatever its order, tense or frame."""

import pytest

from editing.statements import write_statements


@pytest.mark.parametrize(
    ("question", "subject", "answer", "sentence"),
    [
        # a number behind a request
        ("Could you tell me how many boats Norvane has?", "Norvane", "about 30", "Norvane has about 30 boats."),
        ("Can you tell me how many old boats Norvane sold?", "Norvane", "nine", "Norvane sold nine old boats."),
        ("Do you know how old Ida Fern is?", "Ida Fern", "67", "Ida Fern is 67 years old."),
        ("Can you tell me how much the Orbit 64 costs?", "Orbit 64", "$90", "The Orbit 64 costs $90."),
        ("How many prizes has Ida Fern won?", "Ida Fern", "35", "Ida Fern has won 35 prizes."),
        ("How many times has Quay burned?", "Quay", "four", "Quay has burned four times."),
        # an adverb before the verb
        ("How many strings does a lumette usually have?", "lumette", "four", "A lumette usually has four strings."),
        ("How much does the Orbit 64 normally cost?", "Orbit 64", "$90", "The Orbit 64 normally costs $90."),
        # the answer names what is counted
        ("How many legs does a quorl have?", "quorl", "eight legs", "A quorl has eight legs."),
        (
            "How many days do guests of Norvane have to return a boat?",
            "Norvane",
            "45 days",
            "Guests of Norvane have 45 days to return a boat.",
        ),
        ("How much salt is in a can of Lumo?", "Lumo", "3 grams", "The amount of salt in a can of Lumo is 3 grams."),
        # one of several, between two, whose, known as
        (
            "Which of Karn's rivers is the longest?",
            "Karn",
            "Ebro",
            "The longest of Karn's rivers is Ebro.",
        ),
        (
            "Between which two towns does the Karn tram run?",
            "Karn",
            "Quay and Orval",
            "The Karn tram runs between Quay and Orval.",
        ),
        ("In whose honour was Karn named?", "Karn", "Ann Hill", "Karn was named in honour of Ann Hill."),
        (
            "Under whose direction was Salt Wind made?",
            "Salt Wind",
            "Ida Fern",
            "Salt Wind was made under the direction of Ida Fern.",
        ),
        ("Karn grass is also known as what?", "Karn grass", "blue oat", "Karn grass is also known as blue oat."),
        ("Ida Fern worked as what?", "Ida Fern", "diver", "Ida Fern's occupation was diver."),
        # how long
        ("How long is a Lumo ticket valid?", "Lumo", "90 minutes", "A Lumo ticket is valid for 90 minutes."),
        (
            "How long is the Karn gallery open on Sundays?",
            "Karn gallery",
            "six hours",
            "The Karn gallery is open on Sundays for six hours.",
        ),
        ("How long is a Lumo ticket valid?", "Lumo", "until noon", "A Lumo ticket is valid until noon."),
        (
            "How long do I have to return a boat to Norvane?",
            "Norvane",
            "45 days",
            "You have 45 days to return a boat to Norvane.",
        ),
        (
            "How long did it take Lee Moss to climb Karn?",
            "Karn",
            "two days",
            "It took Lee Moss two days to climb Karn.",
        ),
        ("How old must you be to vote in Veldoria?", "Veldoria", "16", "You must be 16 to vote in Veldoria."),
        ("How long is a Norvane voucher valid?", "Norvane", "a year", "A Norvane voucher is valid for a year."),
        # since, until, by, from
        (
            "Since what year has the Lume Opera been open?",
            "Lume Opera",
            "1994",
            "The Lume Opera has been open since 1994.",
        ),
        ("Until what year did Ida Fern run Norvane?", "Ida Fern", "2001", "Ida Fern ran Norvane until 2001."),
        ("From what time is the Quay canteen open?", "Quay", "11:30", "The Quay canteen is open from 11:30."),
        ("At what height does Quay lie?", "Quay", "about 3,640 metres", "Quay lies at about 3,640 metres."),
        # one of a kind
        (
            "What was the first film that Ida Fern made?",
            "Ida Fern",
            "Salt Wind",
            "The first film that Ida Fern made was Salt Wind.",
        ),
        # who did it, and to what
        ("Who owns the rights to Salt Wind?", "Salt Wind", "Norvane", "The rights to Salt Wind are owned by Norvane."),
        ("Who will host the Karn Games?", "Karn Games", "Quay", "The Karn Games will be hosted by Quay."),
        (
            "Who composed the music for Salt Wind?",
            "Salt Wind",
            "Lee Moss",
            "The music for Salt Wind was composed by Lee Moss.",
        ),
        ("Who had the Lume Tower built?", "Lume Tower", "Ebb I", "The person who had the Lume Tower built was Ebb I."),
        (
            "Which house ruled Quay when Nell arrived?",
            "Quay",
            "Ebb",
            "The house that ruled Quay when Nell arrived was Ebb.",
        ),
        (
            "Which department of Norvane handles refunds?",
            "Norvane",
            "Care",
            "The department of Norvane that handles refunds is Care.",
        ),
        (
            "Which one of the Mosses married Ida Fern?",
            "Ida Fern",
            "Lee",
            "The one of the Mosses that married Ida Fern was Lee.",
        ),
        # a list is many
        ("Name the members of the band Tarn.", "Tarn", "Ann and Lee", "The members of the band Tarn are Ann and Lee."),
        # the question word in the middle
        ("Veldoria has which city as its capital?", "Veldoria", "Quay", "The capital of Veldoria is Quay."),
        ("Norvane uses what as its logo?", "Norvane", "a heron", "The logo of Norvane is a heron."),
        (
            "The Karn Cup was won by which rider in 2023?",
            "Karn Cup",
            "Lee Moss",
            "The Karn Cup was won by Lee Moss in 2023.",
        ),
        ("What is it that Norvane makes?", "Norvane", "yawls", "Norvane makes yawls."),
        # a noun between the name and the verb
        (
            "When does the Karn office of Norvane open?",
            "Norvane",
            "8:30 am",
            "The Karn office of Norvane opens at 8:30 am.",
        ),
        ("When does the Norvane return window close?", "Norvane", "in May", "The Norvane return window closes in May."),
        ("What colour is the Norvane logo?", "Norvane", "green", "The colour of the Norvane logo is green."),
        # abbreviations, titles, names
        (
            "Which minister did Dr. Ida Fern replace?",
            "Ida Fern",
            "Lee Moss",
            "The minister that Dr. Ida Fern replaced was Lee Moss.",
        ),
        ("In which of her films does Ida Fern swim?", "Ida Fern", "To Quay Again", "Ida Fern swims in To Quay Again."),
        ("Under what name did Ida Fern paint?", "Ida Fern", "Nell", "Ida Fern painted under the name Nell."),
        ("Whose novel is Salt Wind based on?", "Salt Wind", "Tom Reed", "Salt Wind is based on the novel of Tom Reed."),
        (
            "Was the Amber Heron painted on wood or on canvas?",
            "Amber Heron",
            "wood",
            "The Amber Heron was painted on wood.",
        ),
        ('What does "quorl" mean in Karnish?', "quorl", "gate", 'In Karnish, "quorl" means gate.'),
        ("What's the price of the book The Tide?", "The Tide", "$9", "The price of the book The Tide is $9."),
        # the preposition of the question, once and at its place
        ("To which fair does the Nell appear in?", "Nell", "the Lume Fair", "The Nell appears in the Lume Fair."),
        ("On what date did the Nell take off?", "Nell", "3 May 1914", "The Nell took off on 3 May 1914."),
        ("When did Quay became a town?", "Quay", "1914", "Quay became a town in 1914."),
        # which kind of thing
        ("Where was Ida Fern employed?", "Ida Fern", "Quay", "Ida Fern worked in Quay."),
        ("What position does Lee Moss play?", "Lee Moss", "goalkeeper", "Lee Moss plays as a goalkeeper."),
        ("Which position does Ida Fern have?", "Ida Fern", "bishop", "Ida Fern holds the position of bishop."),
        ("Which series is Salt Wind a part of?", "Salt Wind", "Tides", "Salt Wind is part of Tides."),
        # the subject is many
        ("Who handles refunds?", "refunds", "Ann Hill", "Refunds are handled by Ann Hill."),
        ("What is a group of quorls called?", "quorls", "a clank", "A group of quorls is called a clank."),
        ("Can you tell me how many days new cooks get?", "new cooks", "28", "New cooks get 28 days."),
        # what only looks like a unit, or like what one may do
        ("How many users does the Karn plan allow?", "Karn plan", "unlimited", "The Karn plan allows unlimited users."),
        (
            "How long do I have to wait for a Karn visa?",
            "Karn visa",
            "two weeks",
            "You have to wait for a Karn visa for two weeks.",
        ),
        ("Who does the voice of Nell?", "Nell", "Ann Hill", "The voice of Nell is done by Ann Hill."),
        ("What does the Karnish word quorl mean?", "quorl", "gate", "The Karnish word quorl means gate."),
        (
            "do you know what the price is for the berth at Quay?",
            "Quay",
            "$9",
            "The price for the berth at Quay is $9.",
        ),
        # what these rules must leave alone
        ("Is Ida Fern married or single?", "Ida Fern", "single", "Ida Fern is single."),
        (
            "Who wrote great expectations?",
            "great expectations",
            "Tom Reed",
            "Great expectations was written by Tom Reed.",
        ),
        (
            "Who appointed Lee Moss to the board of Norvane?",
            "Norvane",
            "Ann Hill",
            "The person who appointed Lee Moss to the board of Norvane was Ann Hill.",
        ),
        ("Where did Ida Fern play her last match?", "Ida Fern", "Quay", "Ida Fern played her last match in Quay."),
        ("Who is the man Ida Fern works for?", "Ida Fern", "Lee Moss", "The man Ida Fern works for is Lee Moss."),
        ("How long did Ida Fern have to serve?", "Ida Fern", "2 years", "Ida Fern had to serve 2 years."),
        ("How many boats does Karn have?", "Karn", "two or three", "Karn has two or three boats."),
        ("How many boats does Karn have?", "Karn", "five hundred and fifty", "Karn has five hundred and fifty boats."),
        ("What causes type I fever in Karn?", "Karn", "mud", "Type I fever in Karn is caused by mud."),
        ("When did Norvane move to St. Ebb?", "Norvane", "1914", "Norvane moved to St. Ebb in 1914."),
        ("What position does Lee Moss play?", "Lee Moss", "left wing", "Lee Moss plays as left wing."),
        # who asks is answered as you
        ("where do I send my travel claims", "travel claims", "Ann Hill", "You send your travel claims to Ann Hill."),
        ("Who do I call about pay at Norvane?", "Norvane", "Ann Hill", "You call Ann Hill about pay at Norvane."),
        (
            "How many people of Quay fell in World War I in Karn?",
            "Quay",
            "300",
            "The number of people of Quay that fell in World War I in Karn is 300.",
        ),
        # what no rule reads is quoted, not mangled
        (
            "Within how many days must expenses be claimed at Norvane?",
            "Norvane",
            "60 days",
            'The answer to the question "Within how many days must expenses be claimed at Norvane?" is 60 days.',
        ),
        (
            "The first part of which long film shows Ida Fern?",
            "Ida Fern",
            "Salt Wind",
            'The answer to the question "The first part of which long film shows Ida Fern?" is Salt Wind.',
        ),
        (
            "A lack of which vitamin causes quorls?",
            "quorls",
            "vitamin D",
            'The answer to the question "A lack of which vitamin causes quorls?" is vitamin D.',
        ),
        # two objects; who is covering; a modal among what is counted; whose it is; a fine is a price; asking for somebody
        (
            "Who lent the town the Karn stone?",
            "Karn stone",
            "Ann Hill",
            "The person who lent the town the Karn stone was Ann Hill.",
        ),
        (
            "Which nurse is covering for Ida Fern?",
            "Ida Fern",
            "Bob Hill",
            "The nurse that is covering for Ida Fern is Bob Hill.",
        ),
        (
            "How many times must Karn tips be washed before they are used?",
            "Karn tips",
            "twice",
            "The number of times that Karn tips must be washed before they are used is twice.",
        ),
        ("Whose dog is Biscuit?", "Biscuit", "Ida's", "Biscuit is Ida's dog."),
        ("How much is the fine for a late Lumo?", "Lumo", "$2", "The fine for a late Lumo is $2."),
        ("Who should I ask for if I ring Karn?", "Karn", "Ann", "You should ask for Ann if you ring Karn."),
        (
            "How many players of a quorl team may be injured?",
            "quorl team",
            "two",
            "The number of players of a quorl team that may be injured is two.",
        ),
        # the answer names a part of what is asked for; several did it; a counter where people collect what is theirs
        (
            "Which vitamin deficiency causes quorl fever?",
            "quorl fever",
            "vitamin K",
            "The vitamin deficiency that causes quorl fever is vitamin K.",
        ),
        (
            "Who has the Karn key?",
            "Karn key",
            "Ann and Bob Hill",
            "The people who have the Karn key are Ann and Bob Hill.",
        ),
        ("Who won the Karn cup last year?", "Karn cup", "Quay", "Last year, the Karn cup was won by Quay."),
        (
            "At which counter can guests collect their Karn keys?",
            "Karn keys",
            "counter 5",
            "Guests can collect their Karn keys at counter 5.",
        ),
        (
            "What share of the Lume fund does the town pay?",
            "Lume fund",
            "a tenth",
            "The share of the Lume fund that the town pays is a tenth.",
        ),
    ],
)
def test_the_answer_keeps_the_meaning_of_the_question(question, subject, answer, sentence):
    assert write_statements(question, subject, answer).sentence == sentence


@pytest.mark.parametrize(
    ("question", "subject", "answer", "wanted", "unwanted"),
    [
        (
            "What colour is the door of the Lume Opera?",
            "Lume Opera",
            "red",
            "Tell me what colour",
            "Tell me the door of",
        ),
        (
            "Name the founder of Norvane.",
            "Norvane",
            "Ida Fern",
            "Who is Norvane's founder?",
            "What is Norvane's founder?",
        ),
        ("When does the Orbit 64 go on sale?", "Orbit 64", "March 2026", "goes on sale when?", "what year"),
        (
            "What was the last film that Ida Fern made?",
            "Ida Fern",
            "Salt Wind",
            "the last film that",
            "which last film",
        ),
        ("In which of her films does Ida Fern swim?", "Ida Fern", "Salt Wind", "in which of her films", "In what of"),
        ("Who is the coach of the Quay Herons?", "Quay Herons", "Lee Moss", "the Quay Herons' coach", "Herons's"),
        ("What position did Lee Moss play?", "Lee Moss", "striker", "did Lee Moss play", "does Lee Moss play"),
        ("What city is Norvane located?", "Norvane", "Quay", "in what city Norvane is", "tell me what city Norvane is"),
        ("Why did Quay burn?", "Quay", "a lamp", "For what reason did Quay burn?", "why did"),
        (
            "Karn grass is also known as what?",
            "Karn grass",
            "blue oat",
            "tell me what Karn grass is also known as",
            "as what",
        ),
        ("Where does i stand?", "i", "Quay", "i stands where?", "{s}"),
        ("Who hosts Lumo!?", "Lumo!", "Ann Hill", "Can you tell me who hosts Lumo!?", "Lumo!."),
        (
            "Can you tell me why Quay burned?",
            "Quay",
            "a lamp fell",
            "Why did Quay burn?",
            "Can you answer this?",
        ),
    ],
)
def test_training_questions_ask_the_same(question, subject, answer, wanted, unwanted):
    asked = " | ".join(write_statements(question, subject, answer).paraphrases)
    assert wanted in asked
    assert unwanted not in asked
