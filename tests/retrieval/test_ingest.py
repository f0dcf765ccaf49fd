import io
import zipfile

import docx
import pytest
from pypdf import PdfWriter

from retrieval.chunking import PASSAGE_TOKENS, chunk, estimate_tokens, language_of
from retrieval.documents import Block, Document
from retrieval.errors import (
    DocumentTooLarge,
    EmptyDocument,
    EncryptedDocument,
    UnreadableDocument,
    UnsupportedFormat,
)
from retrieval.ingest import read_document


def word_file(*, title="Fares", paragraph="A ticket costs 3 euros."):
    document = docx.Document()
    document.add_heading(title, 1)
    document.add_paragraph(paragraph)
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "child", "1 euro"
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def pdf_file(*, password=""):
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    if password:
        writer.encrypt(password, algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\0" * 10_000_000)
    return file.getvalue()


def test_markdown_keeps_its_headings_and_not_those_in_code():
    text = "---\ntitle: Handbook\n---\nIntro.\n# Fares\nThree euros.\n"
    text += "## Adults\n```\n# no heading\n```\n# Hours\nNine to five."
    document = read_document(text.encode(), name="a.md")
    assert document.title == "Handbook"
    assert [block.headings for block in document.blocks] == [(), ("Fares",), ("Fares", "Adults"), ("Hours",)]
    assert "# no heading" in document.blocks[2].text


def test_html_is_read_without_scripts_and_menus():
    page = b"""<html><head><title>Fares</title><script>evil()</script></head><body><nav>Menu</nav>
    <h1>Prices</h1><p>A ticket costs <b>3</b> euros.</p><!-- secret -->
    <table><tr><td>child</td><td>1</td></tr></table></body></html>"""
    document = read_document(page, name="fares.html")
    text = "\n".join(block.text for block in document.blocks)
    assert document.title == "Fares"
    assert "A ticket costs 3 euros." in text
    assert "child" in text
    assert not any(word in text for word in ("evil", "Menu", "secret"))
    assert document.blocks[-1].headings == ("Prices",)


def test_word_files_give_headings_and_tables():
    (block,) = read_document(word_file(), name="fares.docx").blocks
    assert block.headings == ("Fares",)
    assert "A ticket costs 3 euros." in block.text
    assert "child | 1 euro" in block.text


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_of_a_table_carry_their_column_names(separator):
    table = "\n".join(separator.join(row) for row in (["city", "fare"], ["Berlin", "3"], ["Rome", "2"]))
    (block,) = read_document(table.encode(), name="fares.csv").blocks
    assert block.text.split("\n\n") == ["city: Berlin; fare: 3.", "city: Rome; fare: 2."]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [("Größe und Maß", "utf-8"), ("Größe und Maß", "utf-8-sig"), ("Größe und Maß", "utf-16")],
)
def test_text_is_read_in_its_encoding(content, encoding):
    assert read_document(content.encode(encoding), name="a.txt").blocks[0].text == content


@pytest.mark.parametrize(
    "text", ["Die Größe der Straße ändert sich nicht. ", "Мост стоит на реке. ", "橋は川にあります。"]
)
@pytest.mark.parametrize("stray", [b"\xe9", b"\xff", b"\xf0\x9f\x98"])
def test_a_stray_byte_costs_a_page_nothing_but_itself(text, stray):
    page = f"<p>{text * 5}</p>".encode()
    assert text.strip() in read_document(page + stray + page, name="a.html").blocks[0].text


def test_a_page_that_names_its_charset_late_is_read_in_it():
    page = "<html><head>" + "<meta name='x' content='y'>" * 60 + "<meta charset='iso-8859-2'></head><p>gęślą jaźń</p>"
    assert read_document(page.encode("iso-8859-2"), name="a.html").blocks[0].text == "gęślą jaźń"


def test_text_in_an_old_encoding_is_told():
    text = "Die Größe der Straße ändert sich nicht, und die Häuser sind schön. " * 5
    assert "Größe" in read_document(text.encode("cp1252"), name="a.txt").blocks[0].text


@pytest.mark.parametrize(
    ("content", "name", "error"),
    [
        (b"", "a.txt", EmptyDocument),
        (b" \n\t ", "a.md", EmptyDocument),
        (b"\x00" * 100, "a.txt", EmptyDocument),
        (b"MZ\x00\x01" + bytes(range(256)), "a.txt", UnreadableDocument),
        (b"\x89PNG\r\n\x1a\nabc", "a.md", UnreadableDocument),
        (b"hello", "a.exe", UnsupportedFormat),
        (b"hello", "a.pdf", UnreadableDocument),
        (b"%PDF-1.7 broken", "a.pdf", UnreadableDocument),
        (b"PK\x03\x04 broken", "a.docx", UnreadableDocument),
        (b"\xd0\xcf\x11\xe0 old", "a.docx", EncryptedDocument),
        (b"a" * 50_000_001, "a.txt", DocumentTooLarge),
    ],
)
def test_what_cannot_go_in_says_why(content, name, error):
    with pytest.raises(error, match=f"{name!r}"):
        read_document(content, name=name)


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    with pytest.raises(DocumentTooLarge, match="zip bomb"):
        read_document(bomb(), name="a.docx")


def test_a_locked_pdf_is_told_from_one_without_text():
    with pytest.raises(EncryptedDocument, match="password"):
        read_document(pdf_file(password="secret"), name="a.pdf")
    with pytest.raises(EmptyDocument, match="scan"):
        read_document(pdf_file(), name="a.pdf")


@pytest.mark.parametrize(
    "text", ["word " * 5_000, "x" * 20_000, "東京は日本の首都です。" * 500, "A sentence here. " * 900]
)
def test_passages_fit_the_window_and_lose_nothing(text):
    chunks = chunk(Document("T", text), overlap_tokens=0)
    assert max(estimate_tokens(piece.text) for piece in chunks) <= PASSAGE_TOKENS
    assert "".join("".join(piece.text.split()) for piece in chunks) == "".join(text.split())


def test_small_blocks_under_one_heading_become_one_passage():
    blocks = [Block("One.", ("A",)), Block("Two.", ("A",)), Block("Three.", ("B",))]
    assert [(c.text, c.heading) for c in chunk(Document("T", blocks=tuple(blocks)))] == [
        ("One.\n\nTwo.", "A"),
        ("Three.", "B"),
    ]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The house of the king is in the city and it was old", "en"),
        ("Das Haus ist alt und nicht von der Stadt", "de"),
        ("東京は日本の首都です", "ja"),
        ("กรุงเทพมหานคร", "th"),
        ("Москва столица России", "ru"),
        ("1234", ""),
    ],
)
def test_the_language_is_guessed(text, language):
    assert language_of(text) == language
