"""The log as HTML: its entries, and the proof that one is in it."""

import re
from collections.abc import Sequence

from . import html
from .html import Html, element
from .inclusion import Checkpoint, leaf_hash, root_from
from .log_texts import LOG
from .reading import Json
from .records import Me
from .texts import TEXTS

ID = re.compile(r"[a-z]{3}_[a-z2-7]{20,}$")


def facts(body: Json) -> list[str]:
    """What an entry is about: its ids, by their beginning, and words; commitments and lists are for the proof."""
    return [
        f"{name} {html.short(str(value), 14) if ID.match(str(value)) else value}"
        for name, value in body.items()
        if name not in ("n", "at", "kind", "role")
        and isinstance(value, str | int)
        and value != ""
        and len(str(value)) < 60
    ]


def head(me: Me, *, first: int, last: int, size: int, page: int) -> Html:
    """The way to other entries, and to the figures of the month for who may read them."""
    entry = html.field("entry", LOG.columns[0], type="number", required=True)
    jump = html.dialog(LOG.jump, act="log", ok=LOG.jump, fields=[entry])
    pieces = [
        html.button(LOG.older, act="log", id=str(first), disabled=first == 0),
        html.button(LOG.newer, act="log", id=str(min(size, last + page)), disabled=last >= size),
        html.dialog_button(LOG.jump, jump),
        element("span", LOG.shown.format(first=min(first + 1, last), last=last), class_="er-quiet"),
    ]
    if me.may_audit:
        figures = element(
            "a", LOG.month, href="/v1/reports", target="_blank", rel="noopener", class_="er-button er-plain"
        )
        pieces.append(figures)
    return element("div", *pieces, class_="er-row-of")


def log(entries: Sequence[Json]) -> Html:
    rows = []
    for entry in reversed(entries):
        body: Json = entry["entry"]
        n, kind = str(body["n"]), str(body["kind"])
        about = " · ".join(facts(body))
        prove = html.button(LOG.prove, act="prove", id=n, look="er-plain")
        rows.append(
            [
                n,
                html.moment(str(body["at"])),
                element("span", LOG.kinds.get(kind, kind), title=kind),
                element("span", about, class_="er-mono"),
                prove,
            ]
        )
    return html.table(LOG.columns, rows, label=LOG.entries) if rows else html.empty(TEXTS.nothing_found)


def proof(n: int, entry: Json, found: Json, checkpoint_text: str) -> dict[str, object]:
    """Recompute the proof of one entry and show every step of it."""
    text = str(entry["text"])
    leaf, reached, why = leaf_hash(text.encode()), b"", ""
    hashes = [bytes.fromhex(str(node)) for node in found.get("hashes") or ()]
    checkpoint = Checkpoint.read(checkpoint_text)
    if leaf.hex() != found.get("leaf_hash"):
        why = LOG.leaf_differs
    else:
        try:
            reached = root_from(leaf, index=n - 1, size=checkpoint.size, path=hashes)
        except ValueError as error:
            why = str(error)
        else:
            if reached != checkpoint.root:
                why = LOG.root_differs.format(
                    reached=html.short(reached.hex(), 12), root=html.short(checkpoint.root.hex(), 12)
                )
    said = LOG.proof_bad.format(why=why) if why else LOG.proof_good.format(n=n, size=checkpoint.size)
    values = [
        text,
        leaf.hex(),
        "\n".join(h.hex() for h in hashes) or "–",
        reached.hex() or "–",
        checkpoint.root.hex(),
        checkpoint_text,
    ]
    steps = html.pairs(
        [
            (name, element("span", value, class_="er-mono er-pre"))
            for name, value in zip(LOG.proof_steps, values, strict=True)
        ]
    )
    verdict = html.problem(said) if why else element("p", said, class_="er-note")
    return html.dialog(
        LOG.proof_title.format(n=n),
        html=verdict + steps + element("p", LOG.signature_note, class_="er-quiet"),
        wide=True,
    )
