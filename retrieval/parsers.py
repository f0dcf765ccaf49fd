"""Files to text with headings: Markdown, text, HTML, PDF, DOCX and CSV."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from retrieval.documents import Block
from retrieval.errors import DocumentTooLarge, EmptyDocument, EncryptedDocument, UnreadableDocument, UnsupportedFormat

MAX_BYTES = 50_000_000
MAX_UNPACKED_BYTES = 200_000_000
MAX_PAGES = 5_000
MAX_CSV_ROWS = 200_000

# What files without a mark are still written in. Among all that Python knows, a guess would often be a rare one.
_OLD_ENCODINGS = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1255", "cp1256", "cp874", "cp932", "euc_jp", "gb18030"]
_OLD_ENCODINGS += ["big5", "euc_kr", "koi8_r"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's text, and its title where it names one."""

    title: str
    blocks: tuple[Block, ...]


def parse(content: bytes, *, suffix: str, name: str, charset: str = "") -> Parsed:
    """The text of a file by its suffix (".md", ".pdf"...). `charset` is what a server said, tried first.

    Raises a DocumentRefused: what is empty, too large, binary, damaged, encrypted, or of an unknown kind.
    """
    if not content.strip(b"\x00\t\r\n "):
        raise EmptyDocument(f"{name!r} is empty")
    if len(content) > MAX_BYTES:
        raise DocumentTooLarge(f"{name!r} is {len(content):,} bytes, the limit is {MAX_BYTES:,}: split it")
    parser = _PARSERS.get(suffix.lower())
    if parser is None:
        known = ", ".join(sorted(_PARSERS))
        raise UnsupportedFormat(f"{name!r} is of the kind {suffix!r}, which is not read; these are: {known}")
    parsed = parser(content, name, charset)
    if not any(block.text.strip() for block in parsed.blocks):
        raise EmptyDocument(f"{name!r} holds no text (a scan holds pictures only: recognise its text first)")
    return parsed


def suffixes() -> frozenset[str]:
    """The suffixes that can be read."""
    return frozenset(_PARSERS)


def suffix_of(content: bytes, content_type: str = "") -> str:
    """The suffix for content without a name, by the server's word and the first bytes; empty if neither tells."""
    by_type = {
        "text/html": ".html",
        "application/xhtml+xml": ".html",
        "text/markdown": ".md",
        "text/csv": ".csv",
        "application/pdf": ".pdf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
        "text/plain": ".txt",
    }
    if content_type in by_type:
        return by_type[content_type]
    head = content[:1024].lstrip().lower()
    if head.startswith(b"%pdf-"):
        return ".pdf"
    if head.startswith((b"<!doctype html", b"<html")):
        return ".html"
    return ".txt" if content_type.startswith("text/") else ""


def decode(content: bytes, name: str, charset: str = "") -> str:
    """Text of bytes in UTF-8 or 16, the declared charset, or a detected one. Raises UnreadableDocument."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return _decoded(content, encoding, name)
    if b"\x00" in content[:65_536] or content.startswith(
        (b"PK\x03\x04", b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b")
    ):
        raise UnreadableDocument(f"{name!r} is binary, not text: give it the suffix of what it is")
    for encoding in ("utf-8", charset):
        if encoding:
            try:
                return content.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                continue
    from charset_normalizer import from_bytes

    best = from_bytes(content[:200_000], cp_isolation=_OLD_ENCODINGS).best()
    if best is None or best.percent_chaos > 20:
        raise UnreadableDocument(f"the encoding of {name!r} cannot be told: save it as UTF-8")
    return _decoded(content, best.encoding, name)


def _decoded(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableDocument(f"{name!r} is not valid {encoding} ({error}): save it as UTF-8") from error


def _text(content: bytes, name: str, charset: str) -> Parsed:
    return Parsed("", (Block(decode(content, name, charset)),))


def _markdown(content: bytes, name: str, charset: str) -> Parsed:
    text = decode(content, name, charset)
    title = ""
    front = re.match(r"\A---\n(.*?)\n---\n", text, re.DOTALL)
    if front:
        named = re.search(r"^title:\s*(.+)$", front.group(1), re.MULTILINE)
        title = named.group(1).strip().strip("\"'") if named else ""
        text = text[front.end() :]
    headings = _Headings()
    fenced = False
    for line in text.splitlines():
        fence = line.lstrip().startswith(("```", "~~~"))
        fenced = fenced != fence
        heading = None if fenced or fence else re.match(r"(#{1,6})\s+(.+?)\s*#*\s*$", line)
        if heading:
            headings.open(len(heading.group(1)), heading.group(2))
        else:
            headings.write(line + "\n")
    return Parsed(title or headings.first, headings.blocks())


def _html(content: bytes, name: str, charset: str) -> Parsed:
    from bs4 import BeautifulSoup
    from bs4.element import NavigableString, PreformattedString, Tag

    if b"\x00" in content[:65_536] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableDocument(f"{name!r} is binary, not HTML")
    soup = BeautifulSoup(content, "lxml", from_encoding=charset or None)
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    for unwanted in soup(
        ["script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form", "svg"]
    ):
        unwanted.decompose()
    headings = _Headings()
    blocks = {"p", "div", "li", "tr", "br", "table", "section", "article", "ul", "ol", "pre", "blockquote", "dd", "dt"}
    # A walk with its own stack: a page of a million nested tags must not end in a RecursionError.
    for node in (soup.body or soup).descendants:
        if isinstance(node, Tag):
            if re.fullmatch(r"h[1-6]", node.name):
                headings.open(int(node.name[1]), node.get_text(" ", strip=True))
            elif node.name in blocks:
                headings.write("\n")
            elif node.name in ("td", "th"):
                headings.write(" | ")
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            inside_heading = any(re.fullmatch(r"h[1-6]", parent.name) for parent in islice(node.parents, 4))
            if not inside_heading:
                headings.write(re.sub(r"\s+", " ", str(node)))
    return Parsed(title or headings.first, headings.blocks())


def _pdf(content: bytes, name: str, charset: str) -> Parsed:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    if not content[:1024].lstrip().startswith(b"%PDF-"):
        raise UnreadableDocument(f"{name!r} is no PDF: give it the suffix of what it is")
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise EncryptedDocument(f"{name!r} is locked with a password: remove it first")
        if len(reader.pages) > MAX_PAGES:
            raise DocumentTooLarge(f"{name!r} has {len(reader.pages):,} pages, the limit is {MAX_PAGES:,}: split it")
        title = str((reader.metadata and reader.metadata.title) or "")
        blocks: list[Block] = []
        size = 0
        for number, page in enumerate(reader.pages, 1):
            text = _unwrapped(page.extract_text())
            size += len(text)
            if size > MAX_UNPACKED_BYTES // 10:
                raise DocumentTooLarge(
                    f"{name!r} unpacks to more than {MAX_UNPACKED_BYTES // 10:,} characters: split it"
                )
            blocks.append(Block(text, (f"page {number}",)))
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        RecursionError,
        OSError,
        ArithmeticError,
        AttributeError,
    ) as error:
        # Damaged files surface as many kinds of errors from inside the parser.
        raise UnreadableDocument(f"{name!r} cannot be read as PDF ({type(error).__name__}: {error})") from error
    return Parsed(title.strip(), tuple(blocks))


def _docx(content: bytes, name: str, charset: str) -> Parsed:
    import docx
    from docx.opc.exceptions import OpcError
    from docx.table import Table

    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise EncryptedDocument(f"{name!r} is locked with a password, or an old .doc: save it as a plain .docx")
    _check_zip(content, name)
    try:
        document = docx.Document(io.BytesIO(content))
        headings = _Headings()
        for part in document.iter_inner_content():
            if isinstance(part, Table):
                for row in part.rows:
                    headings.write(" | ".join(cell.text.strip() for cell in row.cells) + "\n")
                continue
            level = re.fullmatch(r"(?:Heading (\d)|Title)", part.style.name if part.style is not None else "")
            if level and part.text.strip():
                headings.open(int(level.group(1) or 1), part.text)
            else:
                headings.write(part.text + "\n\n")
        title = document.core_properties.title or headings.first
    except (OpcError, ValueError, KeyError, OSError, SyntaxError, AttributeError, zipfile.BadZipFile) as error:
        raise UnreadableDocument(f"{name!r} cannot be read as DOCX ({type(error).__name__}: {error})") from error
    return Parsed(title, headings.blocks())


def _check_zip(content: bytes, name: str) -> None:
    """Refuses a zip whose parts would unpack to too much. Declared sizes are enforced by zipfile while reading."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError) as error:  # the last: an unknown zip version
        raise UnreadableDocument(f"{name!r} is damaged ({error})") from error
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED_BYTES or len(parts) > 10_000 or unpacked > 1_000_000 + 200 * len(content):
        raise DocumentTooLarge(f"{name!r} unpacks from {len(content):,} to {unpacked:,} bytes: refused as a zip bomb")
    if any(part.flag_bits & 0x1 for part in parts):
        raise EncryptedDocument(f"{name!r} is locked with a password: remove it first")


def _csv(content: bytes, name: str, charset: str) -> Parsed:
    """One line of text a row, each value named by its column, so that a passage makes sense alone."""
    text = decode(content, name, charset)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:8_192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    lines: list[str] = []
    try:
        rows = csv.reader(io.StringIO(text), dialect)
        columns = [column.strip() for column in next(rows, [])]
        for number, row in enumerate(rows):
            if number >= MAX_CSV_ROWS:
                raise DocumentTooLarge(f"{name!r} has more than {MAX_CSV_ROWS:,} rows: split it")
            names = columns + [f"column {at + 1}" for at in range(len(columns), len(row))]
            values = [f"{column}: {value.strip()}" for column, value in zip(names, row, strict=False) if value.strip()]
            if values:
                lines.append("; ".join(values) + ".")
    except csv.Error as error:
        raise UnreadableDocument(f"{name!r} cannot be read as CSV ({error})") from error
    if not lines and any(columns):
        lines = [", ".join(columns)]
    return Parsed("", (Block("\n\n".join(lines)),))


class _Headings:
    """Collects text under the headings that are open at the time."""

    def __init__(self) -> None:
        self.first = ""
        self._open: dict[int, str] = {}
        self._blocks: list[Block] = []
        self._text: list[str] = []

    def open(self, level: int, heading: str) -> None:
        self._close()
        heading = " ".join(heading.split())
        self.first = self.first or heading
        self._open = {at: text for at, text in self._open.items() if at < level} | {level: heading}

    def write(self, text: str) -> None:
        self._text.append(text)

    def blocks(self) -> tuple[Block, ...]:
        self._close()
        return tuple(self._blocks)

    def _close(self) -> None:
        text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]*\n[ \t]*", "\n", "".join(self._text))).strip()
        if text:
            self._blocks.append(Block(text, tuple(self._open[level] for level in sorted(self._open))))
        self._text = []


def _unwrapped(page: str) -> str:
    """A page's lines joined into paragraphs, words that were hyphenated at a line's end made whole."""
    page = re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", page)
    return re.sub(r"(?<![.!?:。\n])\n(?=\S)", " ", page)


def _parsers() -> Iterator[tuple[str, Callable[[bytes, str, str], Parsed]]]:
    yield from dict.fromkeys((".md", ".markdown"), _markdown).items()
    yield from dict.fromkeys((".txt", ".text"), _text).items()
    yield from dict.fromkeys((".html", ".htm", ".xhtml"), _html).items()
    yield from {".pdf": _pdf, ".docx": _docx, ".csv": _csv}.items()


_PARSERS: Mapping[str, Callable[[bytes, str, str], Parsed]] = dict(_parsers())
