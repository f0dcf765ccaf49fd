"""The knowledge store: documents, passages and vectors in the one database, and the generation they stand at."""

import base64
import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import sqlite_utils

from retrieval.chunking import Chunk, chunk, language_of, writes_without_spaces
from retrieval.documents import Document, Passage, StoredDocument, has_expired, iso, parse_day
from retrieval.embedder import Embedder, Vectors
from retrieval.errors import DocumentNotFound, DocumentTooLarge, EmptyDocument
from retrieval.schema import MIGRATIONS

MAX_CHARACTERS = 5_000_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document cut and embedded, ready to be written in one short transaction."""

    document: Document
    chunks: tuple[Chunk, ...]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Generation:
    """Where the store stands. The stamp tells a rolled-back change from the one that took its number."""

    number: int
    stamp: str


class KnowledgeStore:
    """Documents in, passages out. Every change is one transaction and one new generation.

    `connect` gives this thread's database. A change joins a transaction that is already open on it; embedding is
    done before the own transaction begins, so that the write lock is held for milliseconds.
    """

    def __init__(self, connect: Callable[[], sqlite_utils.Database], embedder: Embedder) -> None:
        self._connect = connect
        self.embedder = embedder

    def migrate(self) -> None:
        """Create or update this room's tables."""
        MIGRATIONS.apply(self._connect())

    @property
    def db(self) -> sqlite_utils.Database:
        return self._connect()

    def prepare(self, document: Document) -> Prepared:
        """Cut and embed, touching nothing. Raises EmptyDocument, DocumentTooLarge."""
        characters = sum(len(block.text) for block in document.content())
        if characters > MAX_CHARACTERS:
            raise DocumentTooLarge(
                f"{document.title!r} holds {characters:,} characters, the limit is {MAX_CHARACTERS:,}: split it"
            )
        chunks = tuple(chunk(document))
        if not chunks:
            raise EmptyDocument(f"{document.title!r} holds no text: give a document with text in it")
        vectors = self.embedder.embed_passages([piece.embedded_text(document.title) for piece in chunks])
        return Prepared(document, chunks, vectors)

    def add(self, document: Document | Prepared) -> StoredDocument:
        """Store one more document. The same content may be stored twice; searches merge it."""
        prepared = document if isinstance(document, Prepared) else self.prepare(document)
        with self.db.atomic():
            return self._insert(prepared, self._next_generation())

    def remove(self, document_id: str) -> None:
        """Delete a document, its passages and vectors. It is in no search from the commit on.

        Raises DocumentNotFound.
        """
        with self.db.atomic():
            self._delete(document_id, self._next_generation())

    def document(self, document_id: str) -> StoredDocument:
        """Raises DocumentNotFound."""
        for row in self.db.query(_DOCUMENTS + " WHERE d.id = :id GROUP BY d.id", {"id": document_id}):
            return _stored(row)
        raise DocumentNotFound(f"no document has the id {document_id!r}: list them to find the right one")

    def documents(self, *, kind: str | None = None) -> list[StoredDocument]:
        """All documents, newest first, optionally of one kind."""
        rows = self.db.query(
            _DOCUMENTS + " WHERE :kind IS NULL OR d.kind = :kind GROUP BY d.id ORDER BY d.added DESC, d.id",
            {"kind": kind},
        )
        return [_stored(row) for row in rows]

    def passage(self, passage_id: str, *, at: datetime | None = None) -> Passage:
        """Raises DocumentNotFound."""
        for row in self.db.query(_PASSAGES + " WHERE p.id = :id", {"id": passage_id}):
            return _passage(row, at or datetime.now(UTC))
        raise DocumentNotFound(f"no passage has the id {passage_id!r}: it may have been removed since it was cited")

    def passages_of(self, document_id: str) -> list[Passage]:
        """A document's passages in reading order. Raises DocumentNotFound."""
        rows = list(self.db.query(_PASSAGES + " WHERE p.document_id = :id ORDER BY p.position", {"id": document_id}))
        if not rows:
            raise DocumentNotFound(f"no document has the id {document_id!r}: list them to find the right one")
        return [_passage(row, datetime.now(UTC)) for row in rows]

    def found(self, numbers: Sequence[int], *, at: datetime) -> dict[int, tuple[Passage, str]]:
        """Passages by number, each with the hash of its words. A number that is no longer stored is left out."""
        rows: dict[int, tuple[Passage, str]] = {}
        for start in range(0, len(numbers), 500):
            some = [int(number) for number in numbers[start : start + 500]]
            # json_each keeps this one whole statement, whatever the count.
            for row in self.db.query(
                _PASSAGES + " WHERE p.number IN (SELECT value FROM json_each(:numbers))", {"numbers": str(some)}
            ):
                rows[row["number"]] = (_passage(row, at), row["words_sha256"])
        return rows

    def generation(self) -> Generation:
        """The newest generation; number 0 before the first change."""
        rows = self.db.query("SELECT generation, stamp FROM knowledge_generations ORDER BY generation DESC LIMIT 1")
        for row in rows:
            return Generation(row["generation"], row["stamp"])
        return Generation(0, "")

    def descends_from(self, generation: Generation) -> bool:
        """Whether the store's history still holds this generation (a rollback or a restore may have removed it)."""
        if generation.number == 0:
            return True
        sql = "SELECT 1 FROM knowledge_generations WHERE generation = :number AND stamp = :stamp"
        return any(self.db.query(sql, {"number": generation.number, "stamp": generation.stamp}))

    def vectors(self, *, above: int = 0) -> tuple[np.ndarray[Any, np.dtype[np.int64]], Vectors]:
        """Numbers (n,) and vectors (n, dimension) of the passages numbered above, made by this embedder."""
        rows = self.db.execute(
            "SELECT number, vector FROM vectors WHERE embedder = :embedder AND number > :above ORDER BY number",
            {"embedder": self.embedder.name, "above": above},
        ).fetchall()
        numbers = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
        flat = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f4")
        return numbers, flat.reshape(len(rows), self.embedder.dimension).astype(np.float32)

    def removed_since(self, generation: int) -> list[int]:
        """Numbers of the passages removed after this generation."""
        rows = self.db.execute(
            "SELECT number FROM removed_passages WHERE generation > :generation", {"generation": generation}
        )
        return [row[0] for row in rows]

    def embed_missing(self) -> int:
        """Embed every passage that this embedder has not seen (after a change of embedder), in steps of 256.

        Comes back with how many were embedded. Until it is done, dense search knows only what is embedded.
        """
        sql = """
            SELECT p.number, p.indexed_text FROM passages p
            LEFT JOIN vectors v ON v.number = p.number AND v.embedder = :embedder
            WHERE v.number IS NULL ORDER BY p.number
        """
        rows = self.db.execute(sql, {"embedder": self.embedder.name}).fetchall()
        for start in range(0, len(rows), 256):
            some = rows[start : start + 256]
            vectors = self.embedder.embed_passages([row[1] for row in some])
            with self.db.atomic():
                self._next_generation(forget_lineage=True)
                self._insert_vectors([row[0] for row in some], vectors)
        return len(rows)

    def _insert(self, prepared: Prepared, generation: int) -> StoredDocument:
        document = prepared.document
        text = "\n\n".join(block.text for block in document.content())
        document_id = new_id("doc")
        self.db.execute(
            """
            INSERT INTO documents (id, title, uri, as_of, expires_at, language, kind, source, sha256, characters, added)
            VALUES (:id, :title, :uri, :as_of, :expires_at, :language, :kind, :source, :sha256, :characters, :added)
            """,
            {
                "id": document_id,
                "title": document.title,
                "uri": document.uri,
                "as_of": iso(document.as_of) or None,
                "expires_at": iso(document.expires_at) or None,
                "language": document.language or language_of(text),
                "kind": document.kind,
                "source": document.source,
                "sha256": document.sha256(),
                "characters": len(text),
                "added": iso(datetime.now(UTC)),
            },
        )
        numbers = [
            self._insert_passage(document_id, position, piece, document.title)
            for position, piece in enumerate(prepared.chunks)
        ]
        self._insert_vectors(numbers, prepared.vectors)
        return self.document(document_id)

    def _insert_passage(self, document_id: str, position: int, piece: Chunk, title: str) -> int:
        cursor = self.db.execute(
            """
            INSERT INTO passages (id, document_id, position, heading, text, words_sha256, indexed_text, spaceless)
            VALUES (:id, :document_id, :position, :heading, :text, :words_sha256, :indexed_text, :spaceless)
            """,
            {
                "id": new_id("psg"),
                "document_id": document_id,
                "position": position,
                "heading": piece.heading,
                "text": piece.text,
                "words_sha256": words_sha256(piece.text),
                "indexed_text": piece.embedded_text(title),
                "spaceless": int(writes_without_spaces(piece.text)),
            },
        )
        return int(cursor.lastrowid or 0)

    def _insert_vectors(self, numbers: Sequence[int], vectors: Vectors) -> None:
        self.db.conn.executemany(
            "INSERT INTO vectors (number, embedder, vector) VALUES (:number, :embedder, :vector)",
            [
                {"number": number, "embedder": self.embedder.name, "vector": vector.astype("<f4").tobytes()}
                for number, vector in zip(numbers, vectors, strict=True)
            ],
        )

    def _delete(self, document_id: str, generation: int) -> None:
        self.db.execute(
            """
            INSERT INTO removed_passages (number, generation)
            SELECT number, :generation FROM passages WHERE document_id = :id
            """,
            {"generation": generation, "id": document_id},
        )
        # Spelled out, so that nothing is left behind on a connection without foreign keys.
        self.db.execute(
            "DELETE FROM vectors WHERE number IN (SELECT number FROM passages WHERE document_id = :id)",
            {"id": document_id},
        )
        self.db.execute("DELETE FROM passages WHERE document_id = :id", {"id": document_id})
        if self.db.execute("DELETE FROM documents WHERE id = :id", {"id": document_id}).rowcount == 0:
            raise DocumentNotFound(f"no document has the id {document_id!r}: list them to find the right one")

    def _next_generation(self, *, forget_lineage: bool = False) -> int:
        """The first write of a change, so that the write lock is taken before anything is read."""
        if forget_lineage:
            # Vectors appear under old numbers: an index must not be brought up to date, only rebuilt.
            self.db.execute("UPDATE knowledge_generations SET stamp = :stamp", {"stamp": secrets.token_hex(8)})
        cursor = self.db.execute(
            "INSERT INTO knowledge_generations (stamp, at) VALUES (:stamp, :at)",
            {"stamp": secrets.token_hex(8), "at": iso(datetime.now(UTC))},
        )
        return int(cursor.lastrowid or 0)


# A point or comma between digits is part of a number.
_PUNCTUATION = re.compile(r"[.,:](?!\d)|(?<!\d)[.,:]|[;!?\"'“”‘’„«»()\[\]…]")


def new_id(prefix: str) -> str:
    """An unguessable id, e.g. doc_k3..., of 20 random bytes."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(20)).decode().lower()}"


def words_sha256(text: str) -> str:
    """Hash of the words alone: passages that differ in case, spacing or sentence punctuation are one; signs and symbols count."""
    plain = _PUNCTUATION.sub(" ", unicodedata.normalize("NFKC", text).casefold())
    return hashlib.sha256(" ".join(plain.split()).encode()).hexdigest()


def batches(store: KnowledgeStore, documents: Sequence[Document]) -> Iterator[Prepared]:
    """Prepare many documents with few embedder calls, about 256 passages at a time."""
    waiting: list[tuple[Document, tuple[Chunk, ...]]] = []
    for document in documents:
        waiting.append((document, tuple(chunk(document))))
        if sum(len(chunks) for _, chunks in waiting) >= 256:
            yield from _embedded(store, waiting)
            waiting = []
    yield from _embedded(store, waiting)


def _embedded(store: KnowledgeStore, waiting: Sequence[tuple[Document, tuple[Chunk, ...]]]) -> Iterator[Prepared]:
    vectors = store.embedder.embed_passages(
        [piece.embedded_text(document.title) for document, chunks in waiting for piece in chunks]
    )
    start = 0
    for document, chunks in waiting:
        yield Prepared(document, chunks, vectors[start : start + len(chunks)])
        start += len(chunks)


def _stored(row: Mapping[str, Any]) -> StoredDocument:
    return StoredDocument(
        id=row["id"],
        title=row["title"],
        uri=row["uri"],
        as_of=parse_day(row["as_of"]),
        expires_at=parse_day(row["expires_at"]),
        language=row["language"],
        kind=row["kind"],
        source=row["source"],
        sha256=row["sha256"],
        passages=row["passages"],
        characters=row["characters"],
        added=datetime.fromisoformat(row["added"]),
    )


def _passage(row: Mapping[str, Any], at: datetime) -> Passage:
    expires_at = parse_day(row["expires_at"])
    return Passage(
        row["id"],
        row["document_id"],
        row["title"],
        row["uri"],
        row["text"],
        heading=row["heading"],
        language=row["language"],
        kind=row["kind"],
        as_of=parse_day(row["as_of"]),
        expires_at=expires_at,
        expired=has_expired(expires_at, at),
    )


_DOCUMENTS = """
SELECT d.id, d.title, d.uri, d.as_of, d.expires_at, d.language, d.kind, d.source, d.sha256, d.characters, d.added,
       count(p.number) AS passages
FROM documents d LEFT JOIN passages p ON p.document_id = d.id
"""
_PASSAGES = """
SELECT p.number, p.id, p.document_id, p.heading, p.text, p.words_sha256,
       d.title, d.uri, d.as_of, d.expires_at, d.language, d.kind
FROM passages p JOIN documents d ON d.id = p.document_id
"""
