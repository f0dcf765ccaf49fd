"""Questions for a reason, a manner or an outcome become sentences that say them."""

import pytest

from editing.statements import write_statements


@pytest.mark.parametrize(
    ("question", "subject", "answer", "sentence"),
    [
        ("Why did Karn Bridge close?", "Karn Bridge", "because of rust", "Karn Bridge closed because of rust."),
        ("Why is Mars red?", "Mars", "rust", "The reason why Mars is red is rust."),
        (
            "Why was Karn Bridge closed?",
            "Karn Bridge",
            "it was unsafe",
            "The reason why Karn Bridge was closed is that it was unsafe.",
        ),
        (
            "Why should I restart my Orbit 64?",
            "Orbit 64",
            "It clears the cache",
            "The reason why you should restart your Orbit 64 is this: It clears the cache.",
        ),
        ("Why do Norvane ferries stop at noon?", "Norvane", "to refuel", "Norvane ferries stop at noon to refuel."),
        ("How was Karn destroyed?", "Karn", "by a flood", "Karn was destroyed by a flood."),
        ("How is Lumo pronounced?", "Lumo", "LOO-moh", "Lumo is pronounced LOO-moh."),
        (
            "How do I reset my Orbit 64?",
            "Orbit 64",
            "hold the button",
            "To reset your Orbit 64, hold the button.",
        ),
        ("How can I contact Norvane?", "Norvane", "by letter", "You can contact Norvane by letter."),
        (
            "What happens if I lose my Norvane badge?",
            "Norvane badge",
            "You pay 20 euros",
            "If you lose your Norvane badge, this happens: You pay 20 euros.",
        ),
        (
            "Why does the Orbit 64 beep?",
            "Orbit 64",
            "The filter needs cleaning",
            "The reason why the Orbit 64 beeps is this: The filter needs cleaning.",
        ),
        (
            "Why was Karn Bridge closed?",
            "Karn Bridge",
            "boats that had no brakes",
            "The reason why Karn Bridge was closed is boats that had no brakes.",
        ),
        (
            "Why did Norvane not open in May?",
            "Norvane",
            "a strike",
            'The answer to the question "Why did Norvane not open in May?" is a strike.',
        ),
        (
            "How should I address Queen Ida?",
            "Queen Ida",
            "like any other captain",
            "You should address Queen Ida like any other captain.",
        ),
        (
            "What happens to unused leave at Norvane?",
            "Norvane",
            "It expires in March",
            "This happens to unused leave at Norvane: It expires in March.",
        ),
    ],
)
def test_reasons_manners_and_outcomes_are_told(question, subject, answer, sentence):
    assert write_statements(question, subject, answer).sentence == sentence


@pytest.mark.parametrize("question", ["Why did Karn close?", "How do I reset Karn?", "What happens if Karn closes?"])
def test_no_answer_at_all_is_no_crash(question):
    assert "Karn" in write_statements(question, "Karn", "").sentence
