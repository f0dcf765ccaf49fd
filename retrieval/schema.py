"""The tables of the knowledge store, as migrations of the one database file."""

import sqlite_utils
from sqlite_utils.migrations import Migrations

SCHEMA = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    uri TEXT NOT NULL,
    as_of TEXT,
    expires_at TEXT,
    language TEXT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    characters INTEGER NOT NULL,
    added TEXT NOT NULL
) STRICT;
CREATE INDEX documents_source ON documents(source);

CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    heading TEXT NOT NULL,
    text TEXT NOT NULL,
    words_sha256 TEXT NOT NULL,
    indexed_text TEXT NOT NULL,
    spaceless INTEGER NOT NULL
) STRICT;
CREATE INDEX passages_document ON passages(document_id, position);

CREATE TABLE vectors (
    number INTEGER NOT NULL REFERENCES passages(number) ON DELETE CASCADE,
    embedder TEXT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (number, embedder)
) STRICT, WITHOUT ROWID;

CREATE TABLE knowledge_generations (
    generation INTEGER PRIMARY KEY AUTOINCREMENT,
    stamp TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE TABLE removed_passages (
    number INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL
) STRICT;
CREATE INDEX removed_passages_generation ON removed_passages(generation);

CREATE VIRTUAL TABLE passage_words USING fts5(
    indexed_text, content='passages', content_rowid='number', tokenize='porter unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE passage_trigrams USING fts5(
    indexed_text, content='passages', content_rowid='number', tokenize='trigram'
);
CREATE TRIGGER passages_added AFTER INSERT ON passages BEGIN
    INSERT INTO passage_words(rowid, indexed_text) VALUES (new.number, new.indexed_text);
    INSERT INTO passage_trigrams(rowid, indexed_text) SELECT new.number, new.indexed_text WHERE new.spaceless;
END;
CREATE TRIGGER passages_removed AFTER DELETE ON passages BEGIN
    INSERT INTO passage_words(passage_words, rowid, indexed_text) VALUES ('delete', old.number, old.indexed_text);
    INSERT INTO passage_trigrams(passage_trigrams, rowid, indexed_text)
        SELECT 'delete', old.number, old.indexed_text WHERE old.spaceless;
END;
"""

MIGRATIONS = Migrations("retrieval")


@MIGRATIONS()
def create_knowledge_tables(db: sqlite_utils.Database) -> None:
    """Documents, their passages, the vectors, the lexical indexes and the generations."""
    db.executescript(SCHEMA)
