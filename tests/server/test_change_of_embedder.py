"""Another embedder on an old data folder: the documents are embedded anew beside the old vectors, by themselves."""

from __future__ import annotations

import asyncio

from retrieval.documents import Document
from retrieval.embedder import HashEmbedder
from server.librarian import Librarian
from tests_support import House


async def test_documents_are_embedded_anew_when_the_embedder_has_changed(house: House) -> None:
    knowledge = house.services.knowledge
    knowledge.add(Document("Aubach", "The Aubach flows into the Weser."))
    knowledge.embedder = HashEmbedder(32)
    assert len(knowledge.vectors()[0]) == 0
    running = asyncio.create_task(Librarian(house.services, pause_s=0.01).run())
    try:
        async with asyncio.timeout(10):
            while len(knowledge.vectors()[0]) == 0:
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
    assert knowledge.vectors()[1].shape == (1, 32)
