"""Files to text with headings: Markdown, text, HTML, PDF, DOCX and CSV."""

import csv
import io
import re
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrieval.documents import Block
from retrieval.errors import DocumentTooLarge, EmptyDocument, EncryptedDocument, UnreadableDocument, UnsupportedFormat
from retrieval.outline import LONGEST_HEADING, Headings, WebPage

if TYPE_CHECKING:
    from docx.table import Table

MAX_BYTES = 50_000_000
MAX_UNPACKED_BYTES = 200_000_000
MAX_PAGES = 5_000
MAX_PDF_S = 600.0  # looked at between pages: one small drawing on thousands of pages would keep a thread for days
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
    """Text of bytes in UTF-8 or 16, the declared charset, or a detected one. Raises UnreadableDocument.

    A few bytes that are none of UTF-8's in a text that is written in it become U+FFFD: the web is full of such pages.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return _decoded(content, encoding, name)
    if b"\x00" in content[:65_536] or content.startswith(
        (b"PK\x03\x04", b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b")
    ):
        raise UnreadableDocument(f"{name!r} is binary, not text: give it the suffix of what it is")
    # ISO-2022 is written in ASCII bytes and would pass for UTF-8; other charsets that a server names are often wrong.
    for encoding in (charset, "utf-8") if charset.lower().startswith("iso-2022") else ("utf-8", charset):
        if encoding:
            try:
                text = content.decode(encoding)
                text.encode()  # some charsets that a server may name (UTF-7) make halves of characters
                return text
            except (ValueError, LookupError):
                continue
    damaged = content.decode("utf-8", "replace")
    if 10 * damaged.count("\ufffd") < len(damaged) - len(damaged.encode("ascii", "ignore")):
        return damaged
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
    headings = Headings()
    fenced = False
    for line in text.splitlines():
        fence = line.lstrip().startswith(("```", "~~~"))
        fenced = fenced != fence
        level, heading = (0, "") if fenced or fence else _heading(line)
        if heading:
            headings.open(level, heading)
        else:
            headings.write(line + "\n")
    return Parsed(title or headings.first, headings.blocks())


def _heading(line: str) -> tuple[int, str]:
    """Level and text of a Markdown heading like "## Fares ##"; the text is empty where the line is none."""
    text = line.lstrip("#")
    level = len(line) - len(text)
    if not 1 <= level <= 6 or not text[:1].isspace():
        return 0, ""
    text = text.strip()
    unmarked = text.rstrip("#")
    return level, unmarked.rstrip() if unmarked[-1:].isspace() else text


def _html(content: bytes, name: str, charset: str) -> Parsed:
    from lxml import etree  # type: ignore[import-untyped]

    declared = re.search(rb"(?:charset|encoding)\s*=\s*[\"']?([\w.:-]+)", content[:4096])
    text = decode(content, name, charset or (declared.group(1).decode() if declared else ""))
    page = WebPage(name)
    parser = etree.HTMLParser(target=page, encoding="utf-8")
    encoded = text.encode()
    try:
        for start in range(0, len(encoded), 65_536):  # between the pieces others may run
            parser.feed(encoded[start : start + 65_536])
        parser.close()
    except etree.LxmlError as error:
        raise UnreadableDocument(f"{name!r} cannot be read as HTML ({error})") from error
    return Parsed(page.title() or page.headings.first, page.headings.blocks())


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
        end = time.monotonic() + MAX_PDF_S
        for number, page in enumerate(reader.pages, 1):
            if time.monotonic() > end:
                raise DocumentTooLarge(f"{name!r} takes more than {MAX_PDF_S:g} s to read: split it")
            text = _unwrapped(page.extract_text())
            size += len(text)
            _check_size(size, name)
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
    from docx.oxml.exceptions import XmlchemyError
    from docx.table import Table

    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise EncryptedDocument(f"{name!r} is locked with a password, or an old .doc: save it as a plain .docx")
    _check_zip(content, name)
    try:
        document = docx.Document(io.BytesIO(content))
        headings = Headings()
        styles = {style.style_id: style.name or "" for style in document.styles}
        size = 0
        for part in document.iter_inner_content():
            if isinstance(part, Table):
                for row in _rows(part):
                    size += len(row)
                    _check_size(size, name)
                    headings.write(row)
                continue
            # `part.style` would look through all styles anew for every paragraph.
            level = re.fullmatch(r"(?:Heading (\d)|Title)", styles.get(part._p.style, ""))
            if level and part.text.strip():
                headings.open(int(level.group(1) or 1), part.text)
            else:
                headings.write(part.text + "\n\n")
        title = document.core_properties.title or headings.first
    except (
        OpcError,
        XmlchemyError,
        ValueError,
        KeyError,
        TypeError,
        OSError,
        SyntaxError,
        AttributeError,
        zipfile.BadZipFile,
    ) as error:
        raise UnreadableDocument(f"{name!r} cannot be read as DOCX ({type(error).__name__}: {error})") from error
    return Parsed(title, headings.blocks())


def _rows(table: "Table") -> Iterator[str]:
    """A line a row. What spans rows is named in each, cut short; `row.cells` would repeat it at any length and width."""
    above: dict[int, str] = {}
    for row in table._tbl.tr_lst:
        texts: list[str] = []
        column, here = 0, {}
        for cell in row.tc_lst:
            text = "\n".join(paragraph.text for paragraph in cell.p_lst).strip()
            texts.append(above.get(column, "") if cell.vMerge == "continue" else text)
            here[column] = texts[-1][:LONGEST_HEADING]
            column += cell.grid_span
        yield " | ".join(texts) + "\n"
        above = here


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
    lines: list[str] = []
    size = 0
    try:
        rows = csv.reader(io.StringIO(text), delimiter=_separator(text), skipinitialspace=True)
        columns = [column.strip() for column in next(rows, [])]
        for number, row in enumerate(rows):
            if number >= MAX_CSV_ROWS:
                raise DocumentTooLarge(f"{name!r} has more than {MAX_CSV_ROWS:,} rows: split it")
            names = columns[: len(row)] + [f"column {at + 1}" for at in range(len(columns), len(row))]
            values = [f"{column}: {value.strip()}" for column, value in zip(names, row, strict=False) if value.strip()]
            if values:
                lines.append("; ".join(values) + ".")
                size += len(lines[-1])
                _check_size(size, name)
    except csv.Error as error:
        raise UnreadableDocument(f"{name!r} cannot be read as CSV ({error})") from error
    if not lines and any(columns):
        lines = [", ".join(columns)]
    return Parsed("", (Block("\n\n".join(lines)),))


def _separator(text: str) -> str:
    """What stands between the columns: the first lines all hold it, and no other as often."""
    lines = [line for line in text[:8_192].split("\n")[:10] if line.strip()]

    def held(separator: str) -> tuple[int, int]:
        counts = [line.count(separator) for line in lines]
        return min(counts, default=0), sum(counts)

    return max(",;\t|", key=held)


def _check_size(characters: int, name: str) -> None:
    if characters > MAX_UNPACKED_BYTES // 10:
        raise DocumentTooLarge(f"{name!r} unpacks to more than {MAX_UNPACKED_BYTES // 10:,} characters: split it")


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
