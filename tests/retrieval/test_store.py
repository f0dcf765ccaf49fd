from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace

import numpy as np
import pytest
import sqlite_utils

from retrieval.documents import Block, Document, iso, parse_day
from retrieval.embedder import HashEmbedder
from retrieval.errors import DocumentNotFound, DocumentTooLarge, EmptyDocument
from retrieval.index import VectorIndex
from retrieval.lexical import lexical_search
from retrieval.store import KnowledgeStore, batches


@pytest.fixture
def db():
    db = sqlite_utils.Database(memory=True)
    db.execute("PRAGMA foreign_keys = ON")
    return db


@pytest.fixture
def store(db):
    store = KnowledgeStore(lambda: db, HashEmbedder())
    store.migrate()
    return store


def found(store, index, words):
    dense = index.search(store.embedder.embed([words])[0], limit=5)
    lexical = lexical_search(store.db, words, limit=5)
    return [n for n, _ in dense], [n for n, _ in lexical]


def test_a_document_keeps_what_it_came_with(store):
    document = Document(
        "Fares",
        blocks=(Block("A ticket costs 3 euros.", ("Prices", "Adults")),),
        uri="https://example.org/fares",
        as_of=date(2026, 3, 1),
        expires_at=datetime(2026, 4, 1, 12, tzinfo=UTC),
        kind="note",
        source="s1",
    )
    stored = store.add(document)
    assert store.document(stored.id) == stored
    assert (stored.as_of, stored.expires_at) == (document.as_of, document.expires_at)
    assert (stored.language, stored.passages, stored.sha256) == ("", 1, document.sha256())
    (passage,) = store.passages_of(stored.id)
    assert (passage.heading, passage.text, passage.kind) == ("Prices > Adults", "A ticket costs 3 euros.", "note")
    assert store.passage(passage.id) == passage


def test_a_document_without_text_is_refused_and_changes_nothing(store):
    before = store.generation()
    with pytest.raises(EmptyDocument, match="'Blank'"):
        store.add(Document("Blank", " \n "))
    assert store.generation() == before


def test_what_is_removed_is_in_no_search_at_once(store):
    index = VectorIndex(store)
    kept = store.add(Document("Cats", "Cats sleep all day."))
    gone = store.add(Document("Dogs", "Dogs bark at night."))
    assert all(2 in side for side in found(store, index, "dogs bark at night"))
    store.remove(gone.id)
    assert all(2 not in side for side in found(store, index, "dogs bark at night"))
    assert [document.id for document in store.documents()] == [kept.id]
    for table in ("vectors", "passages"):
        assert store.db[table].count == 1
    with pytest.raises(DocumentNotFound):
        store.document(gone.id)


def test_a_change_joins_the_callers_transaction(store, db):
    index = VectorIndex(store)
    store.add(Document("Cats", "Cats sleep all day."))
    index.current()
    with pytest.raises(RuntimeError), db.atomic():  # noqa: PT012
        store.add(Document("Dogs", "Dogs bark at night."))
        assert 2 in found(store, index, "dogs bark")[0]
        raise RuntimeError
    assert found(store, index, "dogs bark") == ([1], [])


def test_a_rolled_back_generation_is_not_taken_for_the_one_that_follows(store, db):
    index = VectorIndex(store)
    with pytest.raises(RuntimeError), db.atomic():  # noqa: PT012
        store.add(Document("Dogs", "Dogs bark at night."))
        index.current()
        raise RuntimeError
    store.add(Document("Birds", "Birds sing at dawn."))  # takes the same numbers
    ((number, cosine),) = index.search(store.embedder.embed(["Birds sing at dawn."])[0], limit=5)
    assert (number, round(cosine, 4)) == (1, 1.0)


def test_another_embedder_embeds_what_it_has_not_seen(store, db):
    store.add(Document("Cats", "Cats sleep all day."))
    other = KnowledgeStore(lambda: db, HashEmbedder(32))
    index = VectorIndex(other)
    assert index.search(other.embedder.embed(["cats"])[0], limit=3) == []
    assert other.embed_missing() == 1
    assert [n for n, _ in index.search(other.embedder.embed(["cats"])[0], limit=3)] == [1]
    assert other.embed_missing() == 0


@pytest.mark.parametrize(
    "query",
    ['"; DROP TABLE passages; --', "NEAR(a b)", "title:*", "a AND OR NOT", '""', "?!", "^*", "\x00", "x" * 10_000],
)
def test_no_query_is_syntax(store, query):
    store.add(Document("Cats", "Cats sleep all day."))
    assert isinstance(lexical_search(store.db, query, limit=3), list)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("東京は日本の首都です。", "日本の首都はどこですか"),
        ("กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย", "เมืองหลวงของประเทศไทยคืออะไร"),
        ("Die Übergänge führten über die Brücke.", "ubergange brucke"),
        ("Die Straße ist lang.", "Straße"),
        ("İstanbul is a city.", "İstanbul"),
        ("A résumé is short.", "re\u0301sume\u0301"),
        ("서울은 한국의 수도이다.", "서울 수도"),
    ],
)
def test_words_are_found_in_scripts_without_spaces_and_without_accents(store, text, query):
    store.add(Document("Cats", "Cats sleep all day."))
    store.add(Document("Place", text))
    assert [n for n, _ in lexical_search(store.db, query, limit=3)] == [2]


def test_a_large_index_is_rebuilt_aside_and_keeps_up(store):
    index = VectorIndex(store, exact_up_to=10)
    for number in range(30):
        store.add(Document(f"Thing {number}", f"word{number} is thing number {number}"))
    first = index.search(store.embedder.embed(["word7"])[0], limit=3)
    last = store.add(Document("Late", "latecomer arrives"))
    assert index.search(store.embedder.embed(["Late latecomer arrives"])[0], limit=1)[0][0] == 31
    store.remove(last.id)
    assert 31 not in [n for n, _ in index.search(store.embedder.embed(["latecomer"])[0], limit=30)]
    assert index.search(store.embedder.embed(["word7"])[0], limit=3)[0] == first[0]


@pytest.mark.parametrize("day", [None, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)])
def test_days_and_moments_survive_the_store(day):
    assert parse_day(iso(day)) == day


@pytest.mark.parametrize(
    ("expires_at", "at", "expired"),
    [
        (None, datetime(9999, 1, 1, tzinfo=UTC), False),
        (date(2026, 1, 1), datetime(2026, 1, 1, 23, 59, tzinfo=UTC), False),  # a day is good through its end
        (date(2026, 1, 1), datetime(2026, 1, 2, tzinfo=UTC), True),
        (date(2026, 1, 1), datetime(2026, 1, 2, 1, tzinfo=timezone(timedelta(hours=2))), False),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 11, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 12, tzinfo=UTC), True),
    ],
)
def test_what_expires_is_dated_from_the_end_of_its_day_or_from_its_moment(store, expires_at, at, expired):
    store.add(Document("Fares", "A ticket costs 3 euros.", expires_at=expires_at))
    ((passage, _),) = store.found([1], at=at).values()
    assert passage.expired is expired


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Fare"},
        {"uri": "https://example.org"},
        {"as_of": date(2026, 1, 2)},
        {"expires_at": date(2026, 1, 2)},
        {"kind": "note"},
        {"blocks": (Block("A ticket costs 3 euros.", ("Adults",)),)},
        {"blocks": (Block("A ticket costs 3 euros!", ("Prices",)),)},
        {"blocks": (Block("A ticket costs 3 euros.", ("Prices",)), Block("And more."))},
    ],
)
def test_documents_have_one_hash_only_if_a_reader_would_see_the_same(change):
    document = Document("Fares", blocks=(Block("A ticket costs 3 euros.", ("Prices",)),))
    assert replace(document).sha256() == document.sha256()
    assert replace(document, source="s2", language="en").sha256() == document.sha256()
    assert replace(document, **change).sha256() != document.sha256()


def test_a_document_is_refused_above_its_limit_and_taken_at_it(store, monkeypatch):
    monkeypatch.setattr("retrieval.store.MAX_CHARACTERS", 20)
    store.add(Document("Fits", blocks=(Block("ten letter"), Block("ten letter"))))
    with pytest.raises(DocumentTooLarge, match="21 characters, the limit is 20"):
        store.add(Document("Large", blocks=(Block("ten letter"), Block("ten letters"))))
    assert [document.title for document in store.documents()] == ["Fits"]


def test_documents_are_listed_by_their_kind(store):
    for kind in ("document", "correction"):
        store.add(Document(kind, "Cats sleep all day.", kind=kind))
    assert [document.title for document in store.documents(kind="correction")] == ["correction"]
    assert {document.title for document in store.documents()} == {"document", "correction"}


@pytest.mark.parametrize("name", ["document", "passages_of", "passage", "remove"])
def test_what_is_not_stored_is_named_and_changes_nothing(store, name):
    store.add(Document("Cats", "Cats sleep all day."))
    before = store.generation()
    with pytest.raises(DocumentNotFound, match="'doc_x'"):
        getattr(store, name)("doc_x")
    assert store.generation() == before


def test_many_documents_are_embedded_together_and_each_gets_its_own_vectors(store):
    documents = [Document(f"Thing {n}", f"word{n} is thing number {n}") for n in range(300)]
    calls, embed = [], store.embedder.embed_passages

    def embed_passages(texts):
        calls.append(len(texts))
        return embed(texts)

    store.embedder = SimpleNamespace(embed_passages=embed_passages)
    prepared = list(batches(store, documents))
    assert [one.document for one in prepared] == documents
    assert calls == [256, 44]
    for one in prepared:
        assert np.allclose(one.vectors, embed([one.chunks[0].embedded_text(one.document.title)]))
