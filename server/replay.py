"""After a restore: the documents that were erased since the backup are erased again, with their words in the indexes."""

from __future__ import annotations

from collections.abc import Sequence

from governance.store import Store
from governance.tombstones import Tombstone
from retrieval.embedder import HashEmbedder
from retrieval.errors import DocumentNotFound
from retrieval.store import KnowledgeStore
from retrieval.traces import purge_words


def replay_documents(store: Store, stones: Sequence[Tombstone]) -> int:
    """Remove what the tombstones name from this state, inside the caller's transaction. Returns how many came back."""
    knowledge = KnowledgeStore(lambda: store.db, HashEmbedder(8))  # removing embeds nothing
    if "documents" not in store.db.table_names():
        return 0
    gone = 0
    for stone in stones:
        if stone.kind == "document":
            try:
                knowledge.remove(stone.id)
                gone += 1
            except DocumentNotFound:
                continue
    purge_words(store.db)
    return gone
