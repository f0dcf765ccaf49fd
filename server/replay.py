"""After a restore: documents and entries that were erased since the backup go again, with their words in the indexes."""

from __future__ import annotations

from collections.abc import Sequence

from governance.store import Store
from governance.tombstones import Tombstone
from retrieval.embedder import HashEmbedder
from retrieval.store import KnowledgeStore
from retrieval.traces import purge_words
from server.librarian import KIND


def replay_documents(store: Store, stones: Sequence[Tombstone]) -> int:
    """Remove what the tombstones name from this state, inside the caller's transaction. Returns how many came back."""
    knowledge = KnowledgeStore(lambda: store.db, HashEmbedder(8))  # removing embeds nothing
    if "documents" not in store.db.table_names():
        return 0
    erased = {stone.id for stone in stones if stone.kind == "document"}
    forgotten = {stone.id for stone in stones if stone.kind == "correction"}
    gone = [d.id for d in knowledge.documents() if d.id in erased or (d.kind == KIND and d.source in forgotten)]
    for document_id in gone:
        knowledge.remove(document_id)
    purge_words(store.db)
    return len(gone)
