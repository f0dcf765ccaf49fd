"""Search by words: BM25 over SQLite's FTS5, by trigrams for scripts without spaces."""

import re
import unicodedata

import sqlite_utils

from retrieval.chunking import writes_without_spaces

# Words that ask rather than name. They are dropped while others remain: they match everything and cost the most.
_ASKING = (
    "a an and are as at be been by can could did do does for from had has have how i if in into is it its me my of on "
    "or our shall should so than that the their them then there these they this those to us was we were what when "
    "where which who whom whose why will with would you your"
)
ASKING_WORDS = frozenset(_ASKING.split())
_WORD = re.compile(r"\w+")


def match_words(query: str) -> str:
    """The FTS5 expression that matches any of the query's words; empty if it has none.

    Every word is quoted, so that nothing in a query is syntax. Letters stay as they are written: FTS5 folds them its own way.
    """
    words = list(dict.fromkeys(_WORD.findall(unicodedata.normalize("NFC", query))))[:64]
    telling = [word for word in words if word.casefold() not in ASKING_WORDS] or words
    return " OR ".join(f'"{word}"' for word in telling)


def match_trigrams(query: str) -> str:
    """The FTS5 expression that matches any three neighbouring characters of the query; empty if it has none."""
    runs = _WORD.findall(unicodedata.normalize("NFC", query))
    trigrams = dict.fromkeys(run[start : start + 3] for run in runs for start in range(len(run) - 2))
    return " OR ".join(f'"{trigram}"' for trigram in list(trigrams)[:128])


def match_beginnings(query: str) -> str:
    """The FTS5 expression that matches words beginning with any of the query's, for words too short for a trigram."""
    return " OR ".join(f"{word}*" for word in match_words(query).split(" OR ") if word)


def lexical_search(db: sqlite_utils.Database, query: str, *, limit: int) -> list[tuple[int, float]]:
    """Passage numbers with their BM25 (higher is better), best first."""
    if not writes_without_spaces(query):
        expression, sql = match_words(query), _WORDS
    elif trigrams := match_trigrams(query):
        expression, sql = trigrams, _TRIGRAMS
    else:
        expression, sql = match_beginnings(query), _WORDS
    if not expression:
        return []
    rows = db.execute(sql, {"expression": expression, "limit": limit})
    return [(row[0], -row[1]) for row in rows]


_WORDS = """
SELECT rowid, rank FROM passage_words WHERE passage_words MATCH :expression ORDER BY rank LIMIT :limit
"""
_TRIGRAMS = """
SELECT rowid, rank FROM passage_trigrams WHERE passage_trigrams MATCH :expression ORDER BY rank LIMIT :limit
"""
