"""Documents of the knowledge layer as HTML: how one is added, the list, one with its passages, and what a search finds."""

from collections.abc import Sequence
from pathlib import PurePath

from . import html
from .admin_records import Document
from .admin_texts import ADMIN
from .html import Html, element, join
from .reading import Json
from .records import Me, Passage
from .texts import TEXTS

MOST_PASSAGES = 50  # shown of one document; a book has thousands


def _dates() -> list[dict[str, object]]:
    return [
        html.field("as_of", ADMIN.as_of, type="date"),
        html.field("expires_at", ADMIN.expires_at, type="date", help=ADMIN.date_help),
    ]


def file_dialog(name: str) -> dict[str, object]:
    """What is asked about a file that was chosen, before it is added."""
    title = html.field("title", ADMIN.document_title, value=PurePath(name).stem)
    return html.dialog(ADMIN.file_title.format(name=name), act="add-file", ok=TEXTS.save, fields=[title, *_dates()])


def add_buttons(me: Me) -> Html:
    if not me.may_administer:
        return html.EMPTY
    when = _dates()
    title = html.field("title", ADMIN.document_title)
    text = html.field("text", ADMIN.document_text, type="area", rows=8, required=True)
    add = html.dialog(
        ADMIN.add_text,
        act="add-text",
        ok=TEXTS.save,
        wide=True,
        fields=[title, text, html.field("uri", ADMIN.document_uri), *when],
    )
    uri = html.field("uri", ADMIN.document_uri, type="url", required=True)
    link = html.dialog(ADMIN.add_link, act="add-link", ok=TEXTS.save, fields=[uri, title, *when])
    return element(
        "div",
        html.dialog_button(ADMIN.add_text, add, look="er-primary"),
        html.dialog_button(ADMIN.add_link, link),
        class_="er-row-of",
    )


def documents(found: Sequence[Document], me: Me) -> Html:
    if not found:
        return html.empty(ADMIN.no_documents)
    rows = []
    for document in found:
        remove = html.EMPTY
        if me.may_administer and document.kind != "correction":  # such an entry goes with its correction
            words = ADMIN.remove_text.format(title=document.title)
            spec = html.dialog(
                ADMIN.remove_title, act="remove", id=document.id, text=words, ok=ADMIN.remove, danger=True
            )
            remove = html.dialog_button(ADMIN.remove, spec, look="er-plain")
        name = document.title or document.uri
        rows.append(
            [
                html.button(name, act="document", id=document.id, look="er-plain er-link"),
                element("time", document.as_of[:10]),
                element("time", document.expires_at[:10]),
                str(document.passages),
                html.ago(document.created),
                remove,
            ]
        )
    return html.table(ADMIN.document_columns, rows, label=ADMIN.documents)


def document_dialog(document: Document, passages: Sequence[Passage]) -> dict[str, object]:
    """One document: its address and dates, and its text as it is searched, passage by passage."""
    facts = html.pairs(
        [
            (ADMIN.document_uri, html.link(document.uri, document.uri) if document.uri else ""),
            (ADMIN.as_of, document.as_of[:10]),
            (ADMIN.expires_at, document.expires_at[:10]),
        ]
    )
    shown = [element("blockquote", passage.text, class_="er-quote") for passage in passages[:MOST_PASSAGES]]
    said = html.EMPTY
    if len(passages) > MOST_PASSAGES:
        said = element("p", ADMIN.first_passages.format(n=MOST_PASSAGES, of=len(passages)), class_="er-quiet")
    return html.dialog(document.title or document.uri, html=facts + said + join(shown), side=True)


def found_passages(passages: Sequence[Passage], explained: Json) -> Html:
    """What the playground shows: where the question would go, and the passages with their scores."""
    route = str(explained.get("route") or "")
    said = html.EMPTY
    if route:
        words = ADMIN.would_go.format(route=TEXTS.routes.get(route, route))
        said = element("p", words, " ", str(explained.get("reason") or ""), class_="er-note")
    cards = [
        element(
            "article",
            element(
                "div",
                element("b", p.title),
                html.badge(f"{p.score:.2f}", "ok" if p.score >= 0.5 else "count"),
                class_="er-row-of er-spread",
            ),
            element("blockquote", p.text, class_="er-quote"),
            element("span", html.dates(p), class_="er-quiet"),
            class_="er-card",
        )
        for p in passages
    ]
    return said + (join(cards) if cards else html.empty(TEXTS.nothing_found))
