"""Where documents name somebody, and that what is removed leaves the indexes, on disk and in memory."""

import threading

import numpy as np
import pytest
import sqlite_utils

from governance.residual import folded
from retrieval.documents import Document
from retrieval.embedder import HashEmbedder
from retrieval.index import VectorIndex, build_large
from retrieval.store import KnowledgeStore
from retrieval.traces import naming, purge_words


@pytest.fixture
def store(tmp_path):
    """In a file, with a connection for each thread: an index is built aside in one of its own."""
    here = threading.local()

    def connect():
        if not hasattr(here, "db"):
            here.db = sqlite_utils.Database(tmp_path / "k.db")
            here.db.execute("PRAGMA secure_delete = ON")
        return here.db

    knowledge = KnowledgeStore(connect, HashEmbedder(64))
    knowledge.migrate()
    return knowledge


@pytest.mark.parametrize(
    ("title", "text", "found"),
    [
        ("Staff", "Ann Zebra-Lee is a dentist.", True),
        ("Staff", "ANN  ZEBRA-LEE is a dentist.", True),
        ("Staff", "Ann\nZebra-Lee is a dentist.", True),
        ("Staff", "Ａnn Ｚebra-Lee is a dentist.", True),  # full-width letters
        ("Letter of Ann Zebra-Lee", "About nothing.", True),
        ("Staff", "Zebra-Lee, Ann: dentist", True),  # all her words, in another order
        ("Staff", "Änn Zébra-Lee", True),  # other accents
        ("Staff", "Ann is a dentist. So is somebody else.", False),
        ("Staff", "A zebra is no dentist.", False),
    ],
)
def test_a_name_is_found_however_it_is_written(store, title, text, found):
    stored = store.add(Document(title, text))
    store.add(Document("Paris", "Paris is the capital of France."))
    assert naming(store.db, ["Ann Zebra-Lee"], fold=folded) == ([stored.id] if found else [])


@pytest.mark.parametrize(
    ("needle", "text", "found"),
    [
        ("Beyoncé", "Beyonce sings.", True),
        ("Beyonce", "Beyoncé sings.", True),
        ("Beyoncé", "Beyonce\u0301 sings.", True),  # letter and accent apart
        ("Beyoncé", "Beyond the sea.", False),
        ("O'Brien", "O\u2019Brien sings.", True),
        ("Zebra-Lee", "Zebra\u2011Lee sings.", True),
        ("Zebra-Lee", "Ze\u00adbra-L\u200bee sings.", True),
        ("ガク", "カクは歌う。", False),  # a voicing mark is no accent: another name
        ("가", "각", False),  # the start of a syllable is none
    ],
)
def test_a_single_word_is_found_with_other_accents(store, needle, text, found):
    store.add(Document("Staff", text))
    assert bool(naming(store.db, [needle], fold=folded)) is found


def test_a_name_cut_between_two_passages_is_found(store):
    cut = [store.add(Document("List", "word " * words + "Ann Zebra-Lee " + "word " * 150)) for words in range(100, 180)]
    assert any(passages := [store.passages_of(one.id)[0].text.endswith("Ann") for one in cut]), passages
    assert naming(store.db, ["Ann Zebra-Lee"], fold=folded) == sorted(one.id for one in cut)


def test_an_address_is_found_in_the_uri(store):
    stored = store.add(Document("Staff", "Somebody.", uri="https://zebra.example/ann"))
    assert naming(store.db, ["zebra.example/ann"], fold=folded) == [stored.id]
    assert naming(store.db, ["", "  "], fold=folded) == []


def test_the_words_of_removed_passages_leave_the_file(store, tmp_path):
    stored = store.add(Document("Staff", "Quaggamira is a dentist."))
    store.add(Document("Paris", "Paris is the capital of France."))
    store.remove(stored.id)
    purge_words(store.db)
    store.db.conn.commit()
    store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert not any(b"quaggamira" in path.read_bytes().lower() for path in tmp_path.iterdir())


@pytest.mark.parametrize("exact_up_to", [1_000, 1])
def test_a_renewed_index_holds_no_removed_vector(store, exact_up_to):
    stored = [store.add(Document(f"Door {n}", f"Door number {n} is blue.")) for n in range(5)]
    index = VectorIndex(store, exact_up_to=exact_up_to)
    vector = store.embedder.embed(["Door number 3 is blue."])[0]
    assert len(index.search(vector, limit=10)) == 5
    store.remove(stored[3].id)
    index.renew()
    index.wait()
    snapshot = index.current()
    assert (len(snapshot.numbers), snapshot.removed, len(snapshot.tail_numbers)) == (4, frozenset(), 0)
    assert len(index.search(np.asarray(vector), limit=10)) == 4


def test_an_index_renewed_while_another_is_built_holds_no_removed_vector(store, monkeypatch):
    stored = [store.add(Document(f"Door {n}", f"Door number {n} is blue.")) for n in range(5)]
    index = VectorIndex(store, exact_up_to=1)
    index.current()
    reading, removed = threading.Event(), threading.Event()

    def slow(vectors):
        reading.set()
        assert removed.wait(10)
        return build_large(vectors)

    monkeypatch.setattr("retrieval.index.build_large", slow)
    index.renew()
    assert reading.wait(10)
    store.remove(stored[3].id)
    threading.Timer(0.1, removed.set).start()
    index.renew()
    index.wait()
    snapshot = index.current()
    assert (len(snapshot.numbers), snapshot.removed, len(snapshot.tail_numbers)) == (4, frozenset(), 0)
