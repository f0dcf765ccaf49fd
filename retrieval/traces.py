"""Where documents name somebody, and how the words of removed passages leave the lexical indexes."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import sqlite_utils

PAGE = 2_000
_ACCENTS = re.compile("[\u0300-\u036f]+")
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+")
_ALIKE = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201b\u02b9\u02bb\u02bc\u2032`\u00b4", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58", "-")
)


@dataclass(frozen=True, slots=True)
class Naming:
    """A document that names somebody."""

    document_id: str
    title: str


def naming(db: sqlite_utils.Database, needles: Sequence[str]) -> list[Naming]:
    """The documents whose title, address or text contains one of the needles, or all the words of one in one passage.

    Exact but for case, accents, the form of spaces, dashes and apostrophes, and what cannot be seen; then by the lexical
    index, which also finds "Lee, Ann". Meaning is not searched: whoever is only described is not found.
    """
    patterns = [pattern for needle in needles if (pattern := _pattern(needle))]
    found: dict[str, Naming] = {}
    if not patterns:
        return []
    for document_id, title, text in _texts(db):
        plain = _folded(text)
        if any(pattern.search(plain) for pattern in patterns):
            found.setdefault(document_id, Naming(document_id, title))
    for needle in needles:
        words = re.findall(r"\w+", needle)
        if len(words) > 1:
            together = " AND ".join(f'"{word}"' for word in words)
            for document_id, title in db.execute(_BY_WORDS, {"words": together}):
                found.setdefault(document_id, Naming(document_id, title))
    return sorted(found.values(), key=lambda one: one.document_id)


def purge_words(db: sqlite_utils.Database) -> None:
    """Merge the lexical indexes, so that the words of deleted passages are gone from the file: FTS5 only marks them
    as deleted until then."""
    db.execute("INSERT INTO passage_words(passage_words) VALUES ('optimize')")
    db.execute("INSERT INTO passage_trigrams(passage_trigrams) VALUES ('optimize')")


def _texts(db: sqlite_utils.Database) -> Iterator[tuple[str, str, str]]:
    """Every passage with its document's title and address, and how the next begins, since a name may be cut between both."""
    nothing = (0, "", "", "", "", "")
    for (_, document_id, title, uri, text, _), after in pairwise(chain(_rows(db), [nothing])):
        begins = after[-1] if after[1] == document_id else ""
        yield document_id, title, f"{title}\n{uri}\n{text} {begins}"


def _rows(db: sqlite_utils.Database) -> Iterator[tuple[int, str, str, str, str, str]]:
    """All passages in order, in pages so that a long scan holds no lock."""
    last = 0
    while rows := db.execute(_PASSAGES_AFTER, {"last": last, "limit": PAGE}).fetchall():
        last = rows[-1][0]
        yield from rows


def _pattern(needle: str) -> re.Pattern[str] | None:
    words = _folded(needle).split()
    return re.compile(r"\s+".join(re.escape(word) for word in words)) if words else None


def _folded(text: str) -> str:
    """Without case, accents and widths of letters, and without what cannot be seen; Japanese voicing marks stay."""
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKD", text.translate(_ALIKE)))
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain)).casefold()


_PASSAGES_AFTER = """
SELECT p.number, p.document_id, d.title, d.uri, p.indexed_text, substr(p.text, 1, 200)
FROM passages p JOIN documents d ON d.id = p.document_id
WHERE p.number > :last ORDER BY p.number LIMIT :limit
"""
_BY_WORDS = """
SELECT p.document_id, d.title FROM passage_words w JOIN passages p ON p.number = w.rowid
JOIN documents d ON d.id = p.document_id WHERE passage_words MATCH :words
"""
