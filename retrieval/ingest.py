"""Bring documents in: one file, one address, or a whole folder kept in step."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from retrieval.documents import Document
from retrieval.errors import DocumentTooLarge, RetrievalError, UnsupportedFormat
from retrieval.fetch import Resolver, fetch, resolve
from retrieval.parsers import MAX_BYTES, parse, suffix_of, suffixes
from retrieval.store import KnowledgeStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that did not go in, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, as paths below the folder."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    failed: tuple[Failure, ...]


def read_document(
    data: bytes | Path,
    *,
    name: str = "",
    title: str = "",
    uri: str = "",
    as_of: date | None = None,
    expires_at: date | None = None,
    language: str = "",
    source: str = "",
    charset: str = "",
) -> Document:
    """The document in these bytes or this file; its kind is told by the suffix of `name`.

    Raises a DocumentRefused.
    """
    if isinstance(data, Path):
        name = name or data.name
        if data.suffix.lower() not in suffixes():
            known = ", ".join(sorted(suffixes()))
            raise UnsupportedFormat(f"{name!r} is of the kind {data.suffix!r}, which is not read; these are: {known}")
        if data.stat().st_size > MAX_BYTES:
            raise DocumentTooLarge(f"{name!r} is {data.stat().st_size:,} bytes, the limit is {MAX_BYTES:,}: split it")
        data = data.read_bytes()
    path = PurePosixPath(name.replace("\\", "/"))
    parsed = parse(data, suffix=path.suffix or suffix_of(data), name=name, charset=charset)
    return Document(
        title or parsed.title[:500] or path.stem or "Untitled",
        blocks=parsed.blocks,
        uri=uri,
        as_of=as_of,
        expires_at=expires_at,
        language=language,
        source=source,
    )


def fetch_document(
    uri: str,
    *,
    title: str = "",
    as_of: date | None = None,
    expires_at: date | None = None,
    language: str = "",
    resolver: Resolver = resolve,
) -> Document:
    """The document at a public address, dated today unless said otherwise.

    Raises AddressRefused, or a DocumentRefused.
    """
    page = fetch(uri, resolver=resolver)
    path = PurePosixPath(unquote(urlsplit(uri).path))
    suffix = path.suffix.lower() if path.suffix.lower() in suffixes() else suffix_of(page.content, page.content_type)
    if page.content_type == "text/html" or not suffix:
        suffix = suffix_of(page.content, page.content_type)
    if not suffix:
        raise UnsupportedFormat(f"{uri!r} is {page.content_type}, which is not read: download and convert it")
    return read_document(
        page.content,
        name=(path.stem or urlsplit(uri).hostname or "page") + suffix,
        title=title,
        uri=uri,
        as_of=as_of or datetime.now(UTC).date(),
        expires_at=expires_at,
        language=language,
        charset=page.charset,
    )


def sync_folder(
    folder: Path, store: KnowledgeStore, *, progress: Callable[[int, int, str], None] | None = None
) -> SyncReport:
    """Bring the store in step with a folder: new files in, changed ones replaced, entries of missing files out.

    Each file is one transaction: a file that fails is reported and skipped, its former version goes on serving.
    `progress(done, of, path)` is called before each file. Raises FileNotFoundError if there is no such folder.
    """
    folder = folder.resolve(strict=True)
    prefix = f"folder:{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}/"
    known = {document.source: document for document in store.documents(source_prefix=prefix)}
    files = list(_files(folder))
    added: list[str] = []
    updated: list[str] = []
    failed: list[Failure] = []
    unchanged = 0
    present: set[str] = set()
    for done, path in enumerate(files):
        below = path.relative_to(folder).as_posix()
        source = prefix + below
        present.add(source)
        if progress is not None:
            progress(done, len(files), below)
        try:
            document = read_document(path, uri=below, source=source, as_of=_day_of(path))
            former = known.get(source)
            if former is None:
                store.add(document)
                added.append(below)
            elif former.sha256 != document.sha256():
                store.replace(former.id, document)
                updated.append(below)
            else:
                unchanged += 1
        except (RetrievalError, OSError) as error:
            logger.warning("skipped %s: %s", below, error)
            failed.append(Failure(below, str(error)))
    gone = [entry for source, entry in known.items() if source not in present]
    for entry in gone:
        store.remove(entry.id)
    return SyncReport(
        tuple(added),
        tuple(updated),
        tuple(entry.source.removeprefix(prefix) for entry in gone),
        unchanged,
        tuple(failed),
    )


def _files(folder: Path) -> Iterator[Path]:
    """Files below the folder in order; hidden ones and links that lead elsewhere are left out."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if not name.startswith(".") and path.is_file() and path.resolve().is_relative_to(folder):
                yield path


def _day_of(path: Path) -> date:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
