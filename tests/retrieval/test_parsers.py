"""Files as someone would write them to keep the gateway busy, and what the parsers make of odd but honest ones."""

import contextlib
import copy
import io
import time

import docx
import pytest
from pypdf import PdfWriter

from retrieval import parsers
from retrieval.chunking import chunk
from retrieval.documents import Block, Document
from retrieval.errors import DocumentRefused, DocumentTooLarge, UnreadableDocument
from retrieval.ingest import read_document

MB = 1_000_000
GENEROUS_S = 10  # each takes well under two on an idle machine, minutes to days where the work grows with the square


def table_file(change):
    document = docx.Document()
    table = document.add_table(3, 2)
    for row in table.rows:
        row.cells[1].text = "fare"
    table.rows[0].cells[0].text = "Berlin"
    change([row.tc_lst[0] for row in table._tbl.tr_lst])
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def long_word_file():
    document = docx.Document()
    body = document.element.body
    paragraph = document.add_paragraph("a")._p
    for _ in range(10_000):
        body.append(copy.deepcopy(paragraph))
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def without_width(cells):
    cells[0].grid_span = 2
    span = cells[0].tcPr.gridSpan
    span.attrib.clear()


def merged_down(cells):
    for cell in cells:
        cell.vMerge = "continue"
    cells[0].vMerge = "restart"


def very_wide(cells):
    cells[0].grid_span = 1_000_000_000


def filled(start, repeated, end=""):
    return (start + repeated * (MB // len(repeated)) + end).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("blanks.md", filled("# a", " ", "a\n")),
        ("marks.md", filled("# ", "#", " a\n")),
        ("marks-apart.md", filled("# a", " #", "a\n")),
        ("line.md", filled("a", " ", "a")),
        ("lines.md", filled("a", "\n \t", "a")),
        ("quotes.csv", filled("", '",')),
        ("quotes-on-lines.csv", filled("", ',"a\n')),
        ("apostrophes.csv", filled("", "'a ")),
        ("wide-and-long.csv", b"," * (MB // 2) + b"\n" + b"1\n" * (MB // 4)),
        ("empty-tags.html", filled("<p>a", "<b> </b>")),
        ("deep.html", filled("<p>a", "<b>")),
        ("closed-in-vain.html", filled("<p>a", "<i></p>")),
        ("closed-in-vain-below.html", filled("<p>a" + "<i>" * 900, "</b>")),
        ("headings-in-headings.html", filled("<p>a", "<h1>a<div>")),
        ("menus.html", filled("<p>a", "<b></b>") + filled("", "<nav></nav>")),
        ("charset.html", filled("", "<metaxcharset=") + b"<p>a"),
        ("encoding.html", filled("<?", "encoding='") + b"><p>a"),
        ("broken.html", filled("<p>a", "<a b='")),
        ("comments.html", filled("<p>a", "<!--")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_made_to_be_slow_is_read_or_refused_soon(name, content):
    started = time.monotonic()
    with contextlib.suppress(DocumentRefused):
        chunk(read_document(content, name=name))
    assert time.monotonic() - started < GENEROUS_S


@pytest.mark.parametrize(
    "blocks",
    [
        (Block("x" * MB),),
        (Block("a" + "\u0301\u0316" * (MB // 4)),),
        (Block("か" + "\uff9e\u0301" * (MB // 4)),),
        (Block("a", ("Fares",)),) * 200_000,
    ],
    ids=["one word", "accents", "voicing marks", "crumbs"],
)
def test_a_text_made_to_be_slow_is_cut_soon(blocks):
    started = time.monotonic()
    assert chunk(Document("T", blocks=blocks))
    assert time.monotonic() - started < GENEROUS_S


def test_a_table_whose_column_name_would_fill_the_memory_is_refused():
    with pytest.raises(DocumentTooLarge, match="unpacks to more than"):
        read_document(b"x" * 130_000 + b"\n" + b"1\n" * 200_000, name="a.csv")


@pytest.mark.parametrize(
    ("change", "rows"),
    [(merged_down, ["Berlin | fare", "Berlin | fare", "Berlin | fare"]), (very_wide, ["Berlin | fare"])],
)
def test_merged_cells_of_a_word_file_are_named_once_a_row(change, rows):
    (block,) = read_document(table_file(change), name="a.docx").blocks
    assert block.text.split("\n")[: len(rows)] == rows


def test_a_pdf_that_takes_too_long_is_refused_between_two_pages(monkeypatch):
    monkeypatch.setattr(parsers, "MAX_PDF_S", 0.0)
    writer = PdfWriter()
    for _ in range(2):
        writer.add_blank_page(100, 100)
    file = io.BytesIO()
    writer.write(file)
    with pytest.raises(DocumentTooLarge, match="takes more than 0 s"):
        read_document(file.getvalue(), name="a.pdf")


def test_a_word_file_of_many_paragraphs_is_read_soon():
    started = time.monotonic()
    (block,) = read_document(long_word_file(), name="a.docx").blocks
    assert block.text.count("a") == 10_001
    assert time.monotonic() - started < GENEROUS_S


def test_a_word_file_that_is_not_as_it_should_be_is_refused():
    with pytest.raises(UnreadableDocument, match="InvalidXmlError"):
        read_document(table_file(without_width), name="a.docx")


@pytest.mark.parametrize(
    ("line", "headings"),
    [
        ("# Fares", ("Fares",)),
        ("#\tFares  in   2024 ##  ", ("Fares in 2024",)),
        ("# C#", ("C#",)),
        ("# #", ("#",)),
        ("#Fares", ()),
        ("####### Fares", ()),
        ("#  ", ()),
        ("# " + "far too long " * 50, ()),
    ],
)
def test_a_heading_is_one_to_six_marks_a_blank_and_few_words(line, headings):
    blocks = read_document(f"{line}\nThree euros.".encode(), name="a.md").blocks
    assert blocks[-1].headings == headings


@pytest.mark.parametrize(
    ("table", "first"),
    [
        ("city|fare\nBerlin|3", "city: Berlin; fare: 3."),
        ("name;note\nA;one, two, three", "name: A; note: one, two, three."),
        ('"Name, first";"Age"\n"A";3', "Name, first: A; Age: 3."),
        ('city, note\nRome, "old, warm"', "city: Rome; note: old, warm."),
        ('city,note\nRome,"on two\nlines"', "city: Rome; note: on two\nlines."),
        ("note\nHello", "note: Hello."),
    ],
)
def test_the_separator_of_a_table_is_the_one_that_every_line_holds(table, first):
    assert read_document(table.encode(), name="a.csv").blocks[0].text == first


@pytest.mark.parametrize(
    ("page", "charset"),
    [
        ("<p>Größe</p>".encode("cp1252"), "cp1252"),
        ('<meta charset="iso-8859-1"><p>Größe</p>'.encode("latin-1"), ""),
        ('<?xml version="1.0" encoding="iso-8859-1"?><html><p>Größe</p></html>'.encode("latin-1"), ""),
        ('<meta charset="iso-8859-1"><p>Größe</p>'.encode(), "no-such-charset"),
        ("<p>Größe</p>".encode("utf-16"), ""),
        (b"<p>Gr&ouml;&szlig;e</p>", ""),
    ],
)
def test_a_page_is_read_in_its_encoding(page, charset):
    (block,) = read_document(page, name="a.html", charset=charset).blocks
    assert block.text == "Größe"


def test_japanese_written_in_ascii_bytes_is_not_taken_for_english():
    page = "<meta charset=iso-2022-jp><p>東京</p>".encode("iso-2022-jp")
    assert read_document(page, name="a.html").blocks[0].text == "東京"


def test_letters_that_lie_across_the_pieces_of_a_long_page_stay_whole():
    (block,) = read_document(("<p>" + "東京は首都。" * 20_000).encode(), name="a.html").blocks
    assert block.text == "東京は首都。" * 20_000


@pytest.mark.parametrize("charset", ["idna", "undefined", "unicode_escape", "no\x00thing"])
def test_a_charset_that_writes_no_text_is_not_believed(charset):
    text = "Die Größe der Straße ändert sich nicht. \\ud800 " * 5
    assert read_document(text.encode("cp1252"), name="a.txt", charset=charset).blocks[0].text == text


def test_headings_of_a_page_end_where_the_next_begins():
    page = b"<h1>Pri<b>ces</b><br>today<h2>Adults</h2>3 euros<h2>Children</h2><p>1 euro<svg><title>x</title></svg>"
    first, second = read_document(page, name="a.html").blocks
    assert (first.headings, first.text) == (("Prices today", "Adults"), "3 euros")
    assert (second.headings, second.text) == (("Prices today", "Children"), "1 euro")


def test_a_page_nested_beyond_all_reason_is_refused():
    with pytest.raises(UnreadableDocument, match="nested"):
        read_document(b"<div>" * 100_000 + b"a", name="a.html")
