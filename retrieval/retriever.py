"""Hybrid search: dense and lexical hits fused, dated and merged; as a plain method and as a LangChain retriever."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from retrieval.answerability import ANSWERABLE_FROM, Contrast, Question, Scorer
from retrieval.documents import Passage, iso
from retrieval.index import VectorIndex
from retrieval.lexical import lexical_search
from retrieval.store import KnowledgeStore


@dataclass(frozen=True, slots=True)
class Fusion:
    """How the two searches are joined: cosine + weight x (BM25 as a share of the query's best), the first few reranked.

    Measured on the development questions; the table is in docs/retrieval.md.
    """

    candidates: int = 100
    lexical_weight: float = 0.5
    reranked: int = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """One candidate: its cosine, and its place in both searches joined."""

    number: int
    cosine: float
    fused: float


def fuse(
    dense: Sequence[tuple[int, float]], lexical: Sequence[tuple[int, float]], *, lexical_weight: float
) -> list[Hit]:
    """Both lists as one, best first. A passage that the dense search did not bring has its lowest cosine."""
    cosines = dict(dense)
    scores = dict(lexical)
    floor = min(cosines.values(), default=0.0)
    best = max(scores.values(), default=0.0) or 1.0
    hits = [
        Hit(
            number,
            cosines.get(number, floor),
            cosines.get(number, floor) + lexical_weight * scores.get(number, 0.0) / best,
        )
        for number in {**cosines, **scores}
    ]
    return sorted(hits, key=lambda hit: (-hit.fused, hit.number))


class HybridRetriever(BaseRetriever):  # type: ignore[misc]
    """Passages that answer a query, best first.

    Expired passages are found too, flagged, and behind those that answer and hold: the caller names them as dated.
    Passages with the same words are merged; the newest stands for them.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    store: KnowledgeStore
    index: VectorIndex
    fusion: Fusion = Fusion()
    scorer: Scorer = Scorer()
    contrast: Contrast = Contrast()
    k: int = 5

    @classmethod
    def over(cls, store: KnowledgeStore) -> "HybridRetriever":
        """The usual parts over a store."""
        return cls(store=store, index=VectorIndex(store))

    def search(
        self, query: str, k: int = 5, *, at: datetime | None = None, without: Container[str] = ()
    ) -> list[Passage]:
        """The k best passages, with calibrated scores. `at` (aware) is the moment that expiry is judged by.

        Documents with an id in `without` are left out before anything is scored.
        """
        if not query.strip() or k < 1:
            return []
        moment = at or datetime.now(UTC)
        vector = self.store.embedder.embed([query])[0]
        hits = fuse(
            self.index.search(vector, limit=self.fusion.candidates),
            lexical_search(self.store.db, query, limit=self.fusion.candidates),
            lexical_weight=self.fusion.lexical_weight,
        )
        merged: dict[str, tuple[Hit, Passage]] = {}
        wanted = max(self.fusion.reranked, k)
        for start in range(0, len(hits), 2 * wanted):
            some = hits[start : start + 2 * wanted]
            rows = self.store.found([hit.number for hit in some], at=moment)
            for hit in some:
                if hit.number not in rows:
                    continue  # removed a moment ago: it is in no answer from then on
                passage, words = rows[hit.number]
                if passage.document_id not in without:
                    merged[words] = _merge(merged.get(words), hit, passage)
            if len(merged) >= wanted:
                break
        asked = Question(query)
        found = list(merged.values())[:wanted]
        logits = [self.scorer.logit(asked.overlap(_readable(passage), cosine=hit.cosine)) for hit, passage in found]
        scores = self.contrast.scores(logits)
        scored = [replace(passage, score=score) for (_, passage), score in zip(found, scores, strict=True)]
        # What answers and still holds comes first.
        return sorted(scored, key=lambda passage: (passage.expired or passage.score < ANSWERABLE_FROM, -passage.score))[
            :k
        ]

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[LangChainDocument]:
        return [
            LangChainDocument(page_content=passage.text, metadata=_metadata(passage), id=passage.id)
            for passage in self.search(query, self.k)
        ]


def _readable(passage: Passage) -> str:
    return f"{passage.title}. {passage.heading}.\n\n{passage.text}"


def _merge(known: tuple[Hit, Passage] | None, hit: Hit, passage: Passage) -> tuple[Hit, Passage]:
    """The better place in the ranking with the newest passage's text and dates."""
    if known is None:
        return hit, passage
    place, kept = known
    newer, older = (passage, kept) if _freshness(passage) > _freshness(kept) else (kept, passage)
    return place, replace(newer, copies=(*newer.copies, *older.copies, older.id))


def _freshness(passage: Passage) -> tuple[bool, str]:
    return not passage.expired, iso(passage.as_of)


def _metadata(passage: Passage) -> Mapping[str, Any]:
    return {
        "id": passage.id,
        "document_id": passage.document_id,
        "title": passage.title,
        "uri": passage.uri,
        "heading": passage.heading,
        "as_of": iso(passage.as_of),
        "expires_at": iso(passage.expires_at),
        "score": passage.score,
        "expired": passage.expired,
    }
