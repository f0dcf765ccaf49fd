"""Where documents name somebody, and how the words of removed passages leave the lexical indexes."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise

import sqlite_utils

PAGE = 2_000


def naming(db: sqlite_utils.Database, needles: Sequence[str], *, fold: Callable[[str], str]) -> list[str]:
    """The ids of the documents whose title, address or text contains one of the needles, or all the words of one in one passage.

    Exact but for what `fold` levels, the form of spaces too; then by the lexical index, which also finds "Lee, Ann".
    Meaning is not searched: whoever is only described is not found.
    """
    wanted = [one for one in map(fold, needles) if one]
    found = set[str]()
    if not wanted:
        return []
    for document_id, text in _texts(db):
        plain = fold(text)
        if any(needle in plain for needle in wanted):
            found.add(document_id)
    for needle in needles:
        words = re.findall(r"\w+", needle)
        if len(words) > 1:
            together = " AND ".join(f'"{word}"' for word in words)
            found.update(document_id for (document_id,) in db.execute(_BY_WORDS, {"words": together}))
    return sorted(found)


def purge_words(db: sqlite_utils.Database) -> None:
    """Merge the lexical indexes, so that the words of deleted passages are gone from the file: FTS5 only marks them
    as deleted until then."""
    db.execute("INSERT INTO passage_words(passage_words) VALUES ('optimize')")
    db.execute("INSERT INTO passage_trigrams(passage_trigrams) VALUES ('optimize')")


def _texts(db: sqlite_utils.Database) -> Iterator[tuple[str, str]]:
    """Every passage with its document's title and address, and how the next begins, since a name may be cut between both."""
    nothing = (0, "", "", "", "", "")
    for (_, document_id, title, uri, text, _), after in pairwise(chain(_rows(db), [nothing])):
        begins = after[-1] if after[1] == document_id else ""
        yield document_id, f"{title}\n{uri}\n{text} {begins}"


def _rows(db: sqlite_utils.Database) -> Iterator[tuple[int, str, str, str, str, str]]:
    """All passages in order, in pages so that a long scan holds no lock."""
    last = 0
    while rows := db.execute(_PASSAGES_AFTER, {"last": last, "limit": PAGE}).fetchall():
        last = rows[-1][0]
        yield from rows


_PASSAGES_AFTER = """
SELECT p.number, p.document_id, d.title, d.uri, p.indexed_text, substr(p.text, 1, 200)
FROM passages p JOIN documents d ON d.id = p.document_id
WHERE p.number > :last ORDER BY p.number LIMIT :limit
"""
_BY_WORDS = """
SELECT p.document_id FROM passage_words w JOIN passages p ON p.number = w.rowid WHERE passage_words MATCH :words
"""
