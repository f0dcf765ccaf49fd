"""The dense index: FAISS over the stored vectors, a cache that is rebuilt aside and swapped when it is whole."""

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.embedder import Vectors
from retrieval.store import Generation, KnowledgeStore

logger = logging.getLogger(__name__)

# Below this an exact scan takes under 10 ms on one core and no build at all; figures in docs/retrieval.md.
EXACT_UP_TO = 50_000
LEARNT_PER_LIST = 40  # vectors that the centre of a list is learnt from, on average


class Built(Protocol):
    """What FAISS indexes have in common."""

    def search(self, queries: Vectors, k: int) -> tuple[Vectors, NDArray[np.int64]]: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One whole state of the index: what FAISS holds, what came since, what is gone since."""

    generation: Generation
    built: Built | None
    numbers: NDArray[np.int64]  # row of `built` -> passage number
    tail_numbers: NDArray[np.int64]
    tail_vectors: Vectors
    removed: frozenset[int]

    def last_number(self) -> int:
        both = (self.numbers[-1:], self.tail_numbers[-1:])
        return max((int(some[0]) for some in both if len(some)), default=0)

    def is_worn(self) -> bool:
        """Whether so much changed since it was built that building anew is cheaper than searching on."""
        loose = len(self.tail_numbers) + len(self.removed)
        return loose > 0 and loose > max(2_000, len(self.numbers) // 20)


class VectorIndex:
    """Nearest passages by cosine. Brings itself to the store's generation at every search.

    Small changes are kept beside the built index; once they are many, a large index is rebuilt in the background
    while the old one serves. A failed build leaves the old one in place. Safe to call from several threads.
    """

    def __init__(self, store: KnowledgeStore, *, exact_up_to: int = EXACT_UP_TO) -> None:
        self._store = store
        self._exact_up_to = exact_up_to
        self._lock = threading.Lock()
        self._building: threading.Thread | None = None
        self._snapshot: Snapshot | None = None

    def search(self, vector: Vectors, *, limit: int) -> list[tuple[int, float]]:
        """Passage numbers with their cosine to the unit vector, best first."""
        snapshot = self.current()
        found: dict[int, float] = {}
        if snapshot.built is not None and len(snapshot.numbers):
            # Removed rows still stand in the built index: ask for that many more, within reason.
            k = min(len(snapshot.numbers), limit + min(len(snapshot.removed), 4 * limit + 64))
            scores, rows = snapshot.built.search(vector.reshape(1, -1), k)
            for score, row in zip(scores[0], rows[0], strict=True):
                if row >= 0:
                    found[int(snapshot.numbers[row])] = float(score)
        if len(snapshot.tail_numbers):
            scores_tail = snapshot.tail_vectors @ vector
            for row in np.argsort(-scores_tail, kind="stable")[:limit]:
                found[int(snapshot.tail_numbers[row])] = float(scores_tail[row])
        for number in snapshot.removed:
            found.pop(number, None)
        return sorted(found.items(), key=lambda item: -item[1])[:limit]

    def current(self) -> Snapshot:
        """The snapshot at the store's generation."""
        generation = self._store.generation()
        snapshot = self._snapshot
        if snapshot is not None and snapshot.generation == generation:
            return snapshot
        with self._lock:
            snapshot = self._snapshot
            if snapshot is None or not self._store.descends_from(snapshot.generation):
                snapshot = self._build(generation)
            elif snapshot.generation != generation:
                snapshot = self._updated(snapshot, generation)
            self._snapshot = snapshot
            if snapshot.is_worn():
                snapshot = self._renew(snapshot)
        return snapshot

    def renew(self) -> None:
        """Build anew from what is stored, so that removed vectors leave the memory too; a large index is built aside,
        and the one that serves goes on leaving them out of its results. Waits for a build that is under way."""
        self.wait()  # it may have read what was removed since
        snapshot = self.current()
        with self._lock:
            self._renew(snapshot)

    def wait(self) -> None:
        """Wait for a background build to end."""
        with self._lock:  # assigned and started in one
            building = self._building
        if building is not None:
            building.join()

    def _build(self, generation: Generation) -> Snapshot:
        numbers, vectors = self._store.vectors()
        return _snapshot(generation, numbers, vectors, self._exact_up_to)

    def _updated(self, snapshot: Snapshot, generation: Generation) -> Snapshot:
        numbers, vectors = self._store.vectors(above=snapshot.last_number())
        removed = snapshot.removed | set(self._store.removed_since(snapshot.generation.number))
        tail_numbers = np.concatenate([snapshot.tail_numbers, numbers])
        kept = ~np.isin(tail_numbers, list(removed))
        tail_vectors = np.concatenate([snapshot.tail_vectors, vectors])
        return Snapshot(generation, snapshot.built, snapshot.numbers, tail_numbers[kept], tail_vectors[kept], removed)

    def _renew(self, snapshot: Snapshot) -> Snapshot:
        """Called under the lock: a small index is rebuilt at once, a large one aside."""
        if len(snapshot.numbers) + len(snapshot.tail_numbers) <= self._exact_up_to:
            self._snapshot = self._build(snapshot.generation)
            return self._snapshot
        if self._building is None or not self._building.is_alive():
            self._building = threading.Thread(target=self._rebuild_aside, name="knowledge-index", daemon=True)
            self._building.start()
        return snapshot

    def _rebuild_aside(self) -> None:
        try:
            rebuilt = self._build(self._store.generation())
        except Exception:
            logger.exception("the dense index could not be rebuilt; the one that served goes on serving")
            return
        with self._lock:
            # What changed during the build is taken up by the next search.
            self._snapshot = rebuilt


def _snapshot(generation: Generation, numbers: NDArray[np.int64], vectors: Vectors, exact_up_to: int) -> Snapshot:
    built = None
    if len(numbers):
        built = build_exact(vectors) if len(numbers) <= exact_up_to else build_large(vectors)
    none = np.empty((0, vectors.shape[1]), dtype=np.float32)
    return Snapshot(generation, built, numbers, np.empty(0, dtype=np.int64), none, frozenset())


def build_exact(vectors: Vectors) -> Any:
    """Every vector is compared: exact, 1.5 kB a passage at 384 dimensions."""
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def build_large(vectors: Vectors, *, progress: Callable[[int, int], None] | None = None) -> Any:
    """Lists around k-means centres, a byte a dimension (IVF, SQ8): a query looks into the nearest 1 list in 32.

    A quarter of a graph's memory and a fraction of its build time; figures in docs/retrieval.md.
    """
    import faiss

    count, dimension = vectors.shape
    lists = max(1, min(2 * math.isqrt(count), count // LEARNT_PER_LIST))
    index: Any = faiss.index_factory(dimension, f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.nprobe = max(8, lists // 32)
    index.cp.niter = 10
    sample = np.random.default_rng(0).permutation(count)[: max(LEARNT_PER_LIST * lists, 20_000)]
    index.train(vectors[np.sort(sample)])
    for start in range(0, count, 50_000):
        index.add(vectors[start : start + 50_000])
        if progress is not None:
            progress(min(start + 50_000, count), count)
    return index
