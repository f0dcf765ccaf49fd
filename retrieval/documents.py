"""A document as the knowledge layer takes it, and as it stands in the store."""

import hashlib
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, date, datetime


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text under its headings, outermost first."""

    text: str
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """What goes in: a title and either plain text or blocks with headings.

    as_of       the day the content was true
    expires_at  from when on it counts as dated; a day is good through its end, a datetime is exact (aware)
    language    ISO 639-1 where known; empty means: told from the text
    kind        what sort of entry this is, e.g. "document" or "correction"
    source      the key under which a folder sync or a correction finds its entry again
    """

    title: str
    text: str = ""
    _: KW_ONLY
    blocks: tuple[Block, ...] = ()
    uri: str = ""
    as_of: date | None = None
    expires_at: date | None = None
    language: str = ""
    kind: str = "document"
    source: str = ""

    def content(self) -> tuple[Block, ...]:
        """The blocks, or the plain text as one block."""
        return self.blocks or ((Block(self.text),) if self.text.strip() else ())

    def sha256(self) -> str:
        """Hash of all that a reader would see; equal documents have equal hashes."""
        digest = hashlib.sha256()
        for part in (self.title, self.uri, iso(self.as_of), iso(self.expires_at), self.kind):
            digest.update(part.encode() + b"\x00")
        for block in self.content():
            digest.update("\x1f".join((*block.headings, block.text)).encode() + b"\x00")
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document in the store, without its text."""

    id: str
    title: str
    uri: str
    as_of: date | None
    expires_at: date | None
    language: str
    kind: str
    source: str
    sha256: str
    passages: int
    characters: int
    added: datetime


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, as found.

    score    calibrated 0..1: does this passage answer the question; 0 where nothing was asked
    expired  its document had expired at the time of the search: to be named as dated
    copies   ids of other passages with the same words, merged into this one
    """

    id: str
    document_id: str
    title: str
    uri: str
    text: str
    _: KW_ONLY
    heading: str = ""
    language: str = ""
    kind: str = "document"
    as_of: date | None = None
    expires_at: date | None = None
    score: float = 0.0
    expired: bool = False
    copies: tuple[str, ...] = ()


def has_expired(expires_at: date | None, at: datetime) -> bool:
    """Whether something that expires then counts as dated at this (aware) moment."""
    if expires_at is None:
        return False
    if isinstance(expires_at, datetime):
        return at >= expires_at
    return at.astimezone(UTC).date() > expires_at


def iso(day: date | None) -> str:
    """ISO-8601 text of a day or moment, moments in UTC with Z; empty for None."""
    if isinstance(day, datetime):
        return day.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return day.isoformat() if day is not None else ""


def parse_day(text: str | None) -> date | None:
    """The day or moment that `iso` wrote. Raises ValueError for anything else."""
    if not text:
        return None
    if len(text) == 10:
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
