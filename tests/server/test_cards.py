"""Cards: which questions a correction answers, measured over paraphrases and near misses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from editing.statements import relation_of, write_statements
from server.cards import Card, CardIndex, asked_kinds, masked, normalised

DATA = Path(__file__).resolve().parents[1] / "data"


def card(question: str, subject: str, answer: str = "X", id_: str = "cor_1") -> Card:
    written = write_statements(question, subject, answer)
    phrasings = tuple(dict.fromkeys((question, *written.paraphrases, *written.probes)))
    return Card(id_, subject, phrasings, written.sentence, "", None, relation_of(question, subject))


def index(cards: list[Card], embedder: object) -> CardIndex:
    found = CardIndex(load=lambda: (), stamp=lambda: 1, embedder=embedder, make=lambda _: cards[0])  # type: ignore[arg-type]
    for one in cards:
        key = normalised(one.subject)
        found._cards[key] = (*found._cards.get(key, ()), one)
    found._seen = 1
    return found


@pytest.mark.parametrize(
    ("text", "plain"),
    [("The  Mona Lisa's", "mona lisa"), ("Ｍona LISA", "mona lisa"), ("An Apple", "apple"), ("St. Ives’s", "st ives")],
)
def test_subjects_are_compared_without_case_width_article_and_possessive(text: str, plain: str) -> None:
    assert normalised(text) == plain


def test_only_what_is_asked_is_left_when_the_subject_is_masked() -> None:
    assert masked("Who painted the Mona Lisa?", "the Mona Lisa") == masked("Who painted Guernica?", "Guernica")


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("When was it built?", {"time"}),
        ("Who wrote it?", {"person"}),
        ("What is it?", set()),
        ("In which city?", {"place"}),
    ],
)
def test_what_a_question_asks_for_is_told_by_its_words(question: str, kinds: set[str]) -> None:
    assert asked_kinds(question) == kinds


@pytest.mark.heavy
def test_cards_answer_their_own_fact_and_hardly_any_other() -> None:
    """840 pairs; a third of the near misses ask for another relation of the very same subject in almost the same words.

    Measured when the thresholds were chosen: recall 0.88, precision 0.958. The aim of 0.95 at 0.99 is not reached.
    """
    from retrieval.embedder import load_embedder

    rows = [json.loads(line) for line in (DATA / "cards.jsonl").read_text().splitlines()]
    embedder = load_embedder()
    cards = {(row["question"], row["subject"]): None for row in rows}
    indexes = {key: index([card(*key)], embedder) for key in cards}
    hits = [(row["match"], indexes[row["question"], row["subject"]].match(row["asked"]) is not None) for row in rows]
    right = sum(match and hit for match, hit in hits)
    recall = right / sum(match for match, _ in hits)
    precision = right / sum(hit for _, hit in hits)
    print(f"recall {recall:.3f} precision {precision:.3f}")
    assert recall >= 0.87
    assert precision >= 0.94
