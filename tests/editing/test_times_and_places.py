"""Questions for a time or a place, and the preposition that the answer takes."""

import pytest

from editing.statements import write_statements


@pytest.mark.parametrize(
    ("question", "subject", "answer", "sentence"),
    [
        ("Where was Ida Fern born?", "Ida Fern", "Quay", "Ida Fern was born in Quay."),
        ("Where is the Lume Opera?", "Lume Opera", "Quay", "The Lume Opera is located in Quay."),
        ("Where did Ida Fern learn to sail?", "Ida Fern", "Quay", "Ida Fern learned to sail in Quay."),
        ("When did Ida Fern die?", "Ida Fern", "1904", "Ida Fern died in 1904."),
        ("When did Ida Fern die?", "Ida Fern", "3 May 1904", "Ida Fern died on 3 May 1904."),
        ("When was the Treaty of Quay signed?", "Treaty of Quay", "1648", "The Treaty of Quay was signed in 1648."),
        ("When does the Lume Opera open?", "Lume Opera", "8 pm", "The Lume Opera opens at 8 pm."),
        ("In what year was Norvane created?", "Norvane", "1931", "Norvane was founded in 1931."),
        ("Norvane was created in what year?", "Norvane", "1931", "Norvane was founded in 1931."),
        ("What year did the Lume Opera burn?", "Lume Opera", "1911", "The Lume Opera burned in 1911."),
        ("When was the last time Karn erupted?", "Karn", "1911", "The last time Karn erupted was in 1911."),
        ("Since when has Norvane been in Quay?", "Norvane", "1931", "Norvane has been in Quay since 1931."),
        ("Until when was Ida Fern mayor?", "Ida Fern", "1908", "Ida Fern was mayor until 1908."),
        ("Where in Veldoria is Quay?", "Quay", "the north", "Quay is in the north."),
        ("Where in the world is Quay, which country?", "Quay", "Veldoria", "Quay is located in Veldoria."),
    ],
)
def test_a_time_or_a_place_stands_behind_its_preposition(question, subject, answer, sentence):
    assert write_statements(question, subject, answer).sentence == sentence
