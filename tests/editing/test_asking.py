"""What people and data sets write, made into the plain question that is stored."""

import pytest

from editing.statements import plain_question, question_from_prompt


@pytest.mark.parametrize(
    ("prompt", "question"),
    [
        ("Ida Fern was born in", "Where was Ida Fern born?"),
        ("The favourite drink of Ida Fern is", "What is the favourite drink of Ida Fern?"),
        ("Ida Fern, who works for", "Who does Ida Fern work for?"),
        ("Ida Fern plays the instrument", "Which instrument does Ida Fern play?"),
        ("Ida Fern is owned by", "Who is Ida Fern owned by?"),
        ("Ida Fern belongs to the order of", "To which order does Ida Fern belong?"),
        ("Where is Ida Fern? It is located in", "Where is Ida Fern?"),
        ("Who is Ida Fern?", "Who is Ida Fern?"),
    ],
)
def test_a_prompt_that_breaks_off_becomes_a_question(prompt, question):
    assert question_from_prompt(prompt, "Ida Fern", "Quay") == question


@pytest.mark.parametrize(
    ("asked", "plain"),
    [
        ("Hi, can you tell me who painted the Blue Door?", "Who painted the Blue Door?"),
        ("please tell me who painted the Blue Door", "Who painted the Blue Door?"),
        ("who painted the Blue Door", "Who painted the Blue Door?"),
        ("Do you know how many people live in Quay?", "How many people live in Quay?"),
        ("Please tell me which river flows through Quay", "Which river flows through Quay?"),
        ("Can you tell me when the Lume Wall fell?", "Can you tell me when the Lume Wall fell?"),
        ("Do you know how many moons Karn has?", "Do you know how many moons Karn has?"),
        ("Tell me what the capital of Veldoria is.", "Tell me what the capital of Veldoria is."),
        ("And of Italy?", "And of Italy?"),
        ("Tell me who", "Tell me who"),
        ("Please sing.", "Please sing."),
        ("Is Paris in France?", "Is Paris in France?"),
    ],
)
def test_a_plain_question_has_no_frame_and_still_asks(asked, plain):
    assert plain_question(asked) == plain
