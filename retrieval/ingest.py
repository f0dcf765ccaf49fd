"""Bring documents in: one file, one address, the files of a folder."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from retrieval.documents import Document
from retrieval.errors import UnsupportedFormat
from retrieval.fetch import FetchLimits, Resolver, fetch, resolve
from retrieval.parsers import parse, suffix_of, suffixes


def read_document(
    data: bytes,
    *,
    name: str = "",
    title: str = "",
    uri: str = "",
    as_of: date | None = None,
    expires_at: date | None = None,
    language: str = "",
    charset: str = "",
) -> Document:
    """The document in these bytes; its kind is told by the suffix of `name`.

    Raises a DocumentRefused.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    parsed = parse(data, suffix=path.suffix or suffix_of(data), name=name, charset=charset)
    return Document(
        title or parsed.title[:500] or path.stem or "Untitled",
        blocks=parsed.blocks,
        uri=uri,
        as_of=as_of,
        expires_at=expires_at,
        language=language,
    )


def fetch_document(
    uri: str,
    *,
    title: str = "",
    as_of: date | None = None,
    expires_at: date | None = None,
    language: str = "",
    resolver: Resolver = resolve,
    limits: FetchLimits | None = None,
) -> Document:
    """The document at a public address, dated today unless said otherwise.

    Raises AddressRefused, or a DocumentRefused.
    """
    page = fetch(uri, limits=limits, resolver=resolver)
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


def files_in(folder: Path) -> Iterator[Path]:
    """Files below a resolved folder in order; hidden ones and links that lead elsewhere are left out.

    Raises OSError where a folder cannot be read: what it holds is not gone.
    """
    for root, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if not name.startswith(".") and path.is_file() and path.resolve().is_relative_to(folder):
                yield path


def _unreadable(error: OSError) -> None:
    raise error
