from datetime import UTC, date, datetime

import pytest
import sqlite_utils
from hypothesis import given
from hypothesis import strategies as st

from retrieval.answerability import answerable
from retrieval.documents import Document
from retrieval.embedder import HashEmbedder
from retrieval.retriever import HybridRetriever, fuse
from retrieval.store import KnowledgeStore

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def store():
    db = sqlite_utils.Database(memory=True)
    store = KnowledgeStore(lambda: db, HashEmbedder(256))
    store.migrate()
    return store


def test_the_passage_that_answers_comes_first_and_answers(store):
    store.add(Document("Apple", "The CEO of Apple is Tim Cook."))
    store.add(Document("Pears", "Pears grow on trees."))
    found = HybridRetriever.over(store).search("Who is the CEO of Apple?")
    assert found[0].title == "Apple"
    assert answerable("Who is the CEO of Apple?", found)


def test_a_neighbour_does_not_answer(store):
    store.add(Document("Apple", "The CEO of Apple is Tim Cook."))
    question = "Who is the chief of the company Microsoft?"
    assert not answerable(question, HybridRetriever.over(store).search(question))


@pytest.mark.parametrize("query", ["", "   ", "?"])
def test_nothing_asked_nothing_answered(store, query):
    store.add(Document("Apple", "The CEO of Apple is Tim Cook."))
    assert not answerable(query, HybridRetriever.over(store).search(query))


def test_an_empty_store_finds_nothing(store):
    assert HybridRetriever.over(store).search("anything") == []


def test_what_holds_comes_before_what_expired_and_both_are_marked(store):
    store.add(Document("Fare", "The fare is 3 euros.", as_of=date(2025, 1, 1), expires_at=date(2025, 12, 31)))
    store.add(Document("Fare", "Today the fare is 4 euros.", as_of=date(2026, 1, 1), expires_at=date(2026, 12, 31)))
    retriever = HybridRetriever.over(store)
    found = retriever.search("The fare is how many euros?", at=NOW)
    assert [(p.text, p.expired) for p in found] == [
        ("Today the fare is 4 euros.", False),
        ("The fare is 3 euros.", True),
    ]
    assert not any(p.expired for p in retriever.search("fare", at=datetime(2025, 2, 1, tzinfo=UTC)))


def test_passages_with_the_same_words_are_one_with_the_newest_date(store):
    store.add(Document("Old", "The CEO of Apple is Tim Cook.", as_of=date(2024, 1, 1)))
    store.add(Document("New", "The CEO of Apple is  Tim Cook!", as_of=date(2026, 1, 1)))
    (passage,) = HybridRetriever.over(store).search("Apple CEO")
    assert (passage.title, len(passage.copies)) == ("New", 1)


@pytest.mark.parametrize("first", [True, False])
def test_of_the_same_words_those_that_hold_stand_for_those_that_expired_whatever_their_dates(store, first):
    holds = Document("Holds", "The fare is 3 euros.", as_of=date(2024, 1, 1))
    expired = Document("Expired", "The fare is 3 euros.", as_of=date(2026, 1, 1), expires_at=date(2026, 2, 1))
    for document in (holds, expired) if first else (expired, holds):
        store.add(document)
    (passage,) = HybridRetriever.over(store).search("What is the fare?", at=NOW)
    assert (passage.title, passage.expired) == ("Holds", False)


def test_a_hundred_copies_of_one_passage_hide_no_other(store):
    for number in range(60):
        store.add(Document(f"Copy {number}", "The fare is 3 euros.", as_of=date(2026, 1, 1 + number * 7 % 31)))
    other = store.add(Document("Other", "The fare to Quay was 5 euros in another year, with a bicycle."))
    found = HybridRetriever.over(store).search("The fare is 3 euros.")
    assert [len(passage.copies) for passage in found if passage.document_id != other.id] == [59]
    assert other.id in {passage.document_id for passage in found}


@pytest.mark.parametrize(("k", "count"), [(-1, 0), (0, 0), (1, 1), (2, 2), (9, 3)])
def test_no_more_passages_are_found_than_are_asked_for(store, k, count):
    for name in ("Ada", "Bea", "Cleo"):
        store.add(Document(name, f"{name} rows to Quay."))
    assert len(HybridRetriever.over(store).search("Who rows to Quay?", k)) == count


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Store at -18 °C.", "Store at 18 °C."),
        ("A dose: 1.5 mg", "A dose: 1-5 mg"),
        ("Fee: $5", "Fee: €5"),
        ("C++", "C#"),
    ],
)
def test_passages_that_differ_in_a_sign_are_two(store, one, other):
    store.add(Document("One", one))
    store.add(Document("Other", other))
    assert len(HybridRetriever.over(store).search(one)) == 2


def test_the_others_score_as_if_a_document_left_out_were_not_stored(store):
    texts = ["The ferry leaves at nine.", "The ferry to Quay leaves from pier 3.", "Trains leave from platform 4."]
    question = "When does the ferry to Quay leave?"
    for n, text in enumerate(texts):
        store.add(Document(f"Town {n}", text))
    alone = [(p.title, p.score) for p in HybridRetriever.over(store).search(question)]
    right = store.add(Document("Right", "The ferry to Quay leaves at ten."))
    found = HybridRetriever.over(store).search(question, without=[right.id])
    assert [(p.title, p.score) for p in found] == alone


def test_it_is_a_langchain_retriever(store):
    dated = {"uri": "https://example.org", "as_of": date(2026, 1, 1), "expires_at": date(2999, 1, 1)}
    store.add(Document("Apple", "The CEO of Apple is Tim Cook.", **dated))
    (document,) = HybridRetriever.over(store).invoke("CEO of Apple")
    assert document.page_content == "The CEO of Apple is Tim Cook."
    (passage,) = HybridRetriever.over(store).search("CEO of Apple")
    assert document.metadata == {
        "id": passage.id,
        "document_id": passage.document_id,
        "title": "Apple",
        "uri": "https://example.org",
        "heading": "",
        "as_of": "2026-01-01",
        "expires_at": "2999-01-01",
        "score": passage.score,
        "expired": False,
    }


hits = st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), max_size=20, unique_by=lambda hit: hit[0])


@given(dense=hits, lexical=hits)
def test_fusing_keeps_every_candidate_once_in_falling_order(dense, lexical):
    fused = fuse(dense, lexical, lexical_weight=0.5)
    assert {hit.number for hit in fused} == {n for n, _ in dense} | {n for n, _ in lexical}
    assert [hit.fused for hit in fused] == sorted((hit.fused for hit in fused), reverse=True)
