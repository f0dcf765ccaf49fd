"""The large dense index, on a small scale: nearly exact, chosen by size, and brought up to date like the small one."""

from __future__ import annotations

import numpy as np
import pytest
import sqlite_utils

from retrieval.documents import Document
from retrieval.embedder import HashEmbedder
from retrieval.index import VectorIndex, build_exact, build_large
from retrieval.index_bench import bench_index, clustered
from retrieval.store import KnowledgeStore


def test_the_large_index_is_nearly_exact() -> None:
    vectors, asked = clustered(20_000, dimension=64, queries=50)
    right, found = (build(vectors).search(asked, 10)[1] for build in (build_exact, build_large))
    recall = np.mean([len({*one} & {*other}) / 10 for one, other in zip(right, found, strict=True)])
    assert recall >= 0.85


@pytest.mark.parametrize(("exact_up_to", "kind"), [(100, "IndexFlatIP"), (10, "IndexIVFScalarQuantizer")])
def test_the_index_is_chosen_by_size_and_leaves_out_what_is_removed(exact_up_to: int, kind: str) -> None:
    db = sqlite_utils.Database(memory=True)
    store = KnowledgeStore(lambda: db, HashEmbedder(64))
    store.migrate()
    ids = [store.add(Document(f"Town {n}", f"Town {n} lies on river number {n}.")).id for n in range(60)]
    index = VectorIndex(store, exact_up_to=exact_up_to)
    assert type(index.current().built).__name__ == kind
    asked = store.embedder.embed(["Town 7\nTown 7 lies on river number 7."])[0]
    first = index.search(asked, limit=5)[0]
    assert first[1] > 0.9
    store.remove(ids[7])
    added = store.add(Document("Late", "A town that came later."))
    found = dict(index.search(asked, limit=100))
    assert first[0] not in found
    assert len(store.found(list(found), at=added.added)) == len(found)


def test_vectors_of_the_bench_are_of_unit_length_and_the_report_is_whole() -> None:
    vectors, asked = clustered(2_000, dimension=32, queries=5)
    assert np.allclose(np.linalg.norm(np.concatenate([vectors, asked]), axis=1), 1, atol=1e-5)
    report = bench_index(2_000, dimension=32, queries=5, graph=True)
    assert report["exact"]["recall_at_10"] == 1.0
    assert report["large"]["mb"] < report["exact"]["mb"] < report["graph"]["mb"]
