"""German, Thai and Japanese with the embedder that knows English: what is found, and what is held answerable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlite_utils

from retrieval.answerability import answerable
from retrieval.documents import Document, Passage
from retrieval.embedder import load_embedder
from retrieval.retriever import HybridRetriever
from retrieval.store import KnowledgeStore

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "languages.jsonl").read_text(encoding="utf-8").splitlines()
]
LANGUAGES = sorted({row["language"] for row in ROWS})


@pytest.fixture(scope="module")
def found() -> dict[str, list[tuple[str, str, list[Passage]]]]:
    """Per language each question with its right passage's text and the passages found, all languages in one store."""
    db = sqlite_utils.Database(memory=True)
    store = KnowledgeStore(lambda: db, load_embedder())
    store.migrate()
    for n, row in enumerate(ROWS):
        store.add(Document("", row["passage"], source=f"row {n}"))
    retriever = HybridRetriever.over(store)
    return {
        language: [
            (question, row["passage"], retriever.search(question, k=10))
            for row in ROWS
            if row["language"] == language
            for question in row["questions"]
        ]
        for language in LANGUAGES
    }


@pytest.mark.parametrize(("language", "first"), [("German", 0.75), ("Japanese", 0.95), ("Thai", 0.95)])
def test_the_right_passage_comes_first(found: dict, language: str, first: float) -> None:  # type: ignore[type-arg]
    right = [passages[0].text == text for _, text, passages in found[language]]
    assert len(right) == 24
    assert sum(right) / len(right) >= first


@pytest.mark.parametrize(("language", "kept"), [("German", 0.45), ("Japanese", 0.7), ("Thai", 0.9)])
def test_it_is_held_answerable_and_a_neighbour_seldom(found: dict, language: str, kept: float) -> None:  # type: ignore[type-arg]
    right = [passages[0].text == text and answerable(q, passages[:3]) for q, text, passages in found[language]]
    wrong = [answerable(q, [p for p in passages if p.text != text][:3]) for q, text, passages in found[language]]
    assert sum(right) / len(right) >= kept
    assert sum(wrong) / len(wrong) <= 0.1
