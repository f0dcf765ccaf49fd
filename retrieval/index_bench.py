"""Measure the large dense index on synthetic vectors that cluster as embeddings do: recall, memory, build time, speed."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.embedder import Vectors
from retrieval.index import build_exact, build_large
from retrieval.sameness import unit

Progress = Callable[[str, int, int], None]
K = 10
BLOCK = 50_000
STRAY, ASKED_NEAR = np.float32(0.8), np.float32(0.5)  # how far from its topic, and a query from its vector


def clustered(count: int, *, dimension: int, queries: int, seed: int = 7) -> tuple[Vectors, Vectors]:
    """Unit vectors around topics of very different sizes, and queries near some of them.

    Topics and what strays from them have a falling spectrum, as embeddings have: a few directions carry most of it.
    """
    chance = np.random.default_rng(seed)
    spectrum = (np.arange(1, dimension + 1) ** -0.5).astype(np.float32)
    turn = np.linalg.qr(chance.standard_normal((dimension, dimension)))[0].astype(np.float32)
    topics = max(1, count // 100)

    def drawn(rows: int) -> Vectors:
        strays = (chance.standard_normal((rows, dimension), dtype=np.float32) * spectrum) @ turn
        return unit(strays.astype(np.float32))

    centres = drawn(topics)
    share = 1 / np.arange(1, topics + 1) ** 0.7
    vectors = np.empty((count, dimension), dtype=np.float32)
    for start in range(0, count, BLOCK):
        rows = min(BLOCK, count - start)
        of = chance.choice(topics, rows, p=share / share.sum())
        vectors[start : start + rows] = unit(centres[of] + STRAY * drawn(rows))
    near = vectors[chance.choice(count, queries, replace=False)]
    asked: Vectors = near + ASKED_NEAR * drawn(queries)
    return vectors, unit(asked)


def bench_index(
    count: int, *, dimension: int, queries: int, graph: bool = False, progress: Progress | None = None
) -> dict[str, Any]:
    """Comes back with `n, dimension, queries` and, for the index of the product and the exact scan (and a graph), a dict of
    `recall_at_10, p50_ms, p95_ms, build_s, mb`. One search at a time, as questions come."""
    vectors, asked = clustered(count, dimension=dimension, queries=queries)
    exact, report = _measured(build_exact, vectors, asked, None)
    result: dict[str, Any] = {"n": count, "dimension": dimension, "queries": queries, "exact": report}
    result["large"] = _measured(
        lambda rows: build_large(rows, progress=lambda done, of: progress("index", done, of) if progress else None),
        vectors,
        asked,
        exact,
    )[1]
    if graph:
        result["graph"] = _measured(_graph, vectors, asked, exact)[1]
    return result


def _measured(
    build: Callable[[Vectors], Any], vectors: Vectors, asked: Vectors, right: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], dict[str, float]]:
    import faiss

    started = time.perf_counter()
    index = build(vectors)
    build_s = time.perf_counter() - started
    index.search(asked[:1], K)
    found, times = [], []
    for query in asked:
        started = time.perf_counter()
        found.append(index.search(query[None], K)[1][0])
        times.append(time.perf_counter() - started)
    rows = np.stack(found)
    recall = (
        1.0 if right is None else np.mean([len({*some} & {*true}) / K for some, true in zip(rows, right, strict=True)])
    )
    return rows, {
        "recall_at_10": float(recall),
        "p50_ms": float(np.percentile(times, 50) * 1000),
        "p95_ms": float(np.percentile(times, 95) * 1000),
        "build_s": build_s,
        # A scan holds the vectors as they are; a copy of them would only fill the memory.
        "mb": (vectors.nbytes if right is None else faiss.serialize_index(index).nbytes) / 1e6,
    }


def _graph(vectors: Vectors) -> Any:
    """HNSW with 32 links, the usual alternative."""
    import faiss

    index = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 100
    index.hnsw.efSearch = 128
    index.add(vectors)
    return index
