import time

import pytest

from retrieval.small_talk import is_small_talk

CHAT = """hi
Hello!
hey there
Good morning, how are you?
Thanks a lot!
thank you so much
bye, see you later
How are you doing today?
what's up
Who are you?
What can you do?
Are you a robot?
lol
ok
:-)
Nice to meet you!
I'm bored
Let's chat
Tell me a joke
tell me a funny joke about cats
Write a poem about the sea
Can you write me a haiku about autumn?
Please compose a song for my wife
Write a short story about a dragon who fears fire.
Come up with five names for my bakery
Pretend you are a pirate
Hello! Could you draft an email to my boss asking for a day off?
Translate this into French: good morning
Rewrite this sentence to sound friendlier: give me the report
Suggest a name for my puppy
Give me some ideas for a birthday party
Make me laugh
Sing me a song
imagine a world without gravity
Brainstorm ten slogans for a bike shop"""
QUESTIONS = """Who is the CEO of Apple?
Who wrote the poem The Raven?
What is the name of the longest river?
Who are the members of the board?
Tell me about the history of Norway
Tell me who won the 1998 World Cup
Hi, what is the capital of France?
Who wrote the story of Peter Pan?
How are vaccines made?
What are you required to declare at customs in Japan?
When did the Beatles write Yesterday?
What song won Eurovision in 2012?
Give me the population of Ghana
Can you tell me where the Amazon flows?
How is life expectancy measured?
How many jokes are in the book Joke Theory?
What is your company's refund policy?
Who was Good King Wenceslas?
Is the Hello Kitty museum open on Sunday?
What does the function of the kidney consist of?
How do I reset my password?
Make a list of the countries that border Chad
What was the name of Abel's brother?
Thanks to whom was penicillin discovered?
What is new in version 3?
Explain the plot of Hamlet"""


@pytest.mark.parametrize("message", CHAT.splitlines())
def test_chat_and_creative_requests_are_small_talk(message):
    assert is_small_talk(message)


@pytest.mark.parametrize("message", QUESTIONS.splitlines())
def test_questions_are_looked_up(message):
    assert not is_small_talk(message)


def test_a_message_that_fits_a_rule_in_many_ways_is_judged_at_once():
    started = time.perf_counter()
    assert not is_small_talk("hi" + " how are you today" * 22 + " q")
    assert time.perf_counter() - started < 1


def test_a_huge_message_is_judged_by_its_opening():
    assert is_small_talk("Write a poem about " + "the sea " * 10_000)
    assert not is_small_talk("Who is " + "the king of " * 10_000)
