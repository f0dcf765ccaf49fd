"""Measure the freshness head and the search on files of questions whose answers are known."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import sqlite_utils

from retrieval.answerability import answerable
from retrieval.documents import Document, Passage
from retrieval.embedder import Embedder, Vectors
from retrieval.errors import BenchInputInvalid
from retrieval.freshness import RECENCY_LABELS, FreshnessHead
from retrieval.freshness_examples import labels_of, read_evergreen, read_recency, read_text
from retrieval.freshness_training import figures
from retrieval.lexical import lexical_search
from retrieval.retriever import HybridRetriever
from retrieval.store import KnowledgeStore, batches

Progress = Callable[[str, int, int], None]
DEPTH = 20  # how far down the right passage is looked for


@dataclass(frozen=True, slots=True)
class BenchPassage:
    """One passage of the bench; whatever is cut from it counts as its id."""

    id: str
    text: str
    title: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class BenchQuestion:
    """A question and the passage that answers it."""

    question: str
    passage_id: str


def bench_router(
    evergreen: Path, recency: Path | None = None, *, head: FreshnessHead, progress: Progress | None = None
) -> dict[str, Any]:
    """How well evergreen is told on a CSV, and how often RecencyQA's label is hit within one class.

    Comes back with `n, weighted_f1, macro_f1, accuracy, ece, unsure_share, accuracy_when_sure, seconds_per_question`,
    and `within_one_class, n_recency` if there is a recency file. Raises BenchInputInvalid.
    """
    examples = read_evergreen(evergreen)
    dated = read_recency(recency) if recency else []
    labels = labels_of(examples)
    _tell(progress, "freshness", 0, len(examples))
    started = time.perf_counter()
    found = head.predict([example.question for example in examples])
    seconds = time.perf_counter() - started
    _tell(progress, "freshness", len(examples), len(examples))
    right = np.array([decision.evergreen for decision in found]) == (labels == 1)
    sure = np.array([decision.confident for decision in found])
    report: dict[str, Any] = figures(np.array([decision.probability for decision in found]), labels)
    report |= {
        "n": len(examples),
        "unsure_share": float(1.0 - sure.mean()),
        "accuracy_when_sure": float(right[sure].mean()) if sure.any() else 0.0,
        "seconds_per_question": seconds / len(examples),
    }
    if dated:
        guesses = head.predict([example.question for example in dated])
        near = [
            abs(RECENCY_LABELS.index(guess.recency) - (example.recency or 0)) <= 1
            for guess, example in zip(guesses, dated, strict=True)
        ]
        report |= {"within_one_class": float(np.mean(near)), "n_recency": len(dated)}
    return report


def bench_retrieval(
    passages: Path,
    questions: Path,
    *,
    embedder: Embedder,
    distractors: Sequence[Path] = (),
    compare: bool = True,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """How often the right passage is found, and how fast, the embedding of the question included.

    Comes back with `n, passages, distractors, recall_at_1, recall_at_5, mrr, p50_ms, p95_ms`; with `compare` also
    `methods`: the same quality figures for dense and lexical search alone and LangChain's in-memory vector store,
    and `answered, answered_by_neighbour`: the share of questions held answerable with their passage there, and with
    it taken out. Raises BenchInputInvalid.
    """
    wanted = read_passages(passages)
    others = [passage for path in distractors for passage in read_passages(path)]
    asked = read_questions(questions, {passage.id for passage in wanted})
    memory = _Remembering(embedder)
    db = sqlite_utils.Database(memory=True)
    store = KnowledgeStore(lambda: db, memory)
    store.migrate()
    _fill(store, [*wanted, *others], progress)
    store.embedder = embedder
    retriever = HybridRetriever.over(store)
    retriever.search(asked[0].question)  # the first search builds the index
    owner = {document.id: document.source for document in store.documents()}

    ranks: list[int] = []
    times: list[float] = []
    answered: list[bool] = []
    by_neighbour: list[bool] = []
    for done, row in enumerate(asked):
        started = time.perf_counter()
        retriever.search(row.question, 5)
        times.append(time.perf_counter() - started)
        found = retriever.search(row.question, DEPTH) if compare else retriever.search(row.question, 5)
        ids = [_ids(passage, store, owner) for passage in found]
        ranks.append(_rank(ids, row.passage_id))
        if compare:
            same = {row.passage_id}.union(*(some for some in ids if row.passage_id in some))
            right = {document_id for document_id, source in owner.items() if source in same}
            answered.append(answerable(row.question, found[:5]))
            by_neighbour.append(answerable(row.question, retriever.search(row.question, 5, without=right)))
        _tell(progress, "questions", done + 1, len(asked))
    report: dict[str, Any] = {
        "n": len(asked),
        "passages": len(wanted),
        "distractors": len(others),
        **_quality(ranks),
        "p50_ms": float(np.percentile(times, 50) * 1000),
        "p95_ms": float(np.percentile(times, 95) * 1000),
    }
    if compare:
        report["answered"] = float(np.mean(answered))
        report["answered_by_neighbour"] = float(np.mean(by_neighbour))
        report["methods"] = _others(retriever, memory, [*wanted, *others], asked, owner, progress)
    return report


def read_passages(path: Path) -> list[BenchPassage]:
    """Rows of `id, text` and optionally `title, uri`; a row without an id can only be a distractor."""
    found = []
    for number, row in _rows(path):
        if not isinstance(row.get("text"), str) or not row["text"].strip():
            raise BenchInputInvalid(f"line {number} of {path.name!r} has no text")
        given = {name: "" if row.get(name) is None else str(row[name]) for name in ("id", "title", "uri")}
        key = given["id"] or f"{path.name}:{number}"
        found.append(BenchPassage(key, row["text"], given["title"], given["uri"]))
    if len({passage.id for passage in found}) != len(found):
        raise BenchInputInvalid(f"{path.name!r} has two passages of the same id: ids are keys")
    return found


def read_questions(path: Path, known: set[str]) -> list[BenchQuestion]:
    """Rows of `question, passage_id`, each naming a known passage."""
    found = []
    for number, row in _rows(path):
        question, key = row.get("question"), str(row.get("passage_id"))
        if not isinstance(question, str) or key not in known:
            raise BenchInputInvalid(
                f"line {number} of {path.name!r} needs a question and a passage_id among the passages, it has {key!r}"
            )
        found.append(BenchQuestion(question, key))
    if not found:
        raise BenchInputInvalid(f"{path.name!r} holds no questions: give one a line")
    return found


def _rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    rows = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BenchInputInvalid(f"line {number} of {path.name!r} is no JSON ({error})") from error
        if not isinstance(row, dict):
            raise BenchInputInvalid(f"line {number} of {path.name!r} is no JSON object")
        rows.append((number, row))
    return rows


class _Remembering:
    """An embedder that keeps what it made, so that one run compares methods without embedding twice."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[tuple[str, str], Vectors] = {}

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._made("question", self._embedder.embed, texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._made("passage", self._embedder.embed_passages, texts)

    def _made(self, kind: str, embed: Callable[[Sequence[str]], Vectors], texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if (kind, text) not in self._known]
        self._known.update(zip(((kind, text) for text in new), embed(new), strict=True))
        made = [self._known[kind, text] for text in texts]
        return np.array(made, dtype=np.float32).reshape(len(texts), self.dimension)


def _fill(store: KnowledgeStore, passages: Sequence[BenchPassage], progress: Progress | None) -> None:
    documents = [Document(row.title, row.text, uri=row.uri, source=row.id) for row in passages]
    for done, prepared in enumerate(batches(store, documents), 1):
        store.add(prepared)
        _tell(progress, "passages", done, len(documents))


def _others(
    retriever: HybridRetriever,
    memory: _Remembering,
    passages: Sequence[BenchPassage],
    asked: Sequence[BenchQuestion],
    owner: Mapping[str, str],
    progress: Progress | None,
) -> dict[str, dict[str, float]]:
    store = retriever.store
    vectors = store.embedder.embed([row.question for row in asked])
    stock = _stock_store(memory, passages)
    ranks: dict[str, list[int]] = {"dense": [], "lexical": [], "langchain_in_memory": []}
    now = datetime.now(UTC)

    def owners(hits: Sequence[tuple[int, float]]) -> list[set[str]]:
        rows = store.found([number for number, _ in hits], at=now)
        return [{owner[rows[number][0].document_id]} for number, _ in hits if number in rows]

    for done, (row, vector) in enumerate(zip(asked, vectors, strict=True), 1):
        ranks["dense"].append(_rank(owners(retriever.index.search(vector, limit=2 * DEPTH)), row.passage_id))
        lexical = lexical_search(store.db, row.question, limit=2 * DEPTH)
        ranks["lexical"].append(_rank(owners(lexical), row.passage_id))
        ranks["langchain_in_memory"].append(_rank([{key} for key in stock(row.question, vector)], row.passage_id))
        _tell(progress, "compared", done, len(asked))
    return {method: _quality(found) for method, found in ranks.items()}


def _stock_store(memory: _Remembering, passages: Sequence[BenchPassage]) -> Callable[[str, Vectors], list[str]]:
    """LangChain's InMemoryVectorStore with the same vectors, whole passages, as it comes."""
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import InMemoryVectorStore

    class _Adapter(Embeddings):  # type: ignore[misc]
        def embed_documents(self, texts: list[str]) -> list[Vectors]:
            return list(memory.embed_passages(texts))

        def embed_query(self, text: str) -> Vectors:
            vector: Vectors = memory.embed([text])[0]
            return vector

    store = InMemoryVectorStore(_Adapter())
    store.add_texts([row.text for row in passages], metadatas=[{"key": row.id} for row in passages])

    def search(question: str, vector: Vectors) -> list[str]:
        found = store.similarity_search_by_vector(vector, k=DEPTH)
        return [document.metadata["key"] for document in found]

    return search


def _ids(passage: Passage, store: KnowledgeStore, owner: Mapping[str, str]) -> set[str]:
    """What a passage that was found counts as: its own id, and those of the same words that were merged into it."""
    documents = (passage.document_id, *(store.passage(copy).document_id for copy in passage.copies))
    return {owner[document_id] for document_id in documents}


def _rank(found: Iterable[Set[str]], right: str) -> int:
    """Place of the right one, from 1; 0 if it is not there. What brings no new id, as a second chunk, takes no place."""
    seen: set[str] = set()
    place = 0
    for ids in found:
        place += not seen.issuperset(ids)
        if right in ids:
            return place
        seen |= ids
    return 0


def _quality(ranks: Sequence[int]) -> dict[str, float]:
    return {
        "recall_at_1": float(np.mean([rank == 1 for rank in ranks])),
        "recall_at_5": float(np.mean([1 <= rank <= 5 for rank in ranks])),
        "mrr": float(np.mean([1 / rank if rank else 0.0 for rank in ranks])),
    }


def _tell(progress: Progress | None, step: str, done: int, of: int) -> None:
    if progress is not None:
        progress(step, done, of)
