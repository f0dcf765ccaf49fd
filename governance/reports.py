"""Printable HTML: one page per correction, one per period; a single file with no script and nothing to load."""

import html
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from governance.corrections import Correction
from governance.export import record
from governance.records import Figures
from governance.times import now

STYLE = """
body { font: 11pt/1.45 Georgia, serif; margin: 2cm auto; max-width: 17cm; color: #1a1a1a; }
h1 { font-size: 17pt; margin: 0 0 .2em; } h2 { font-size: 12.5pt; margin: 1.4em 0 .3em; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .25em .5em; }
th { font-weight: normal; color: #555; width: 34%; } tr { border-bottom: 1px solid #ddd; }
table.list th { width: auto; } td { overflow-wrap: anywhere; } footer { margin-top: 2em; color: #555; font-size: 9pt; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""


def correction_page(correction: Correction, *, texts: bool = False) -> str:
    """The whole record of a correction as a page; with `texts` also what is in the vault."""
    data = record(correction, texts=texts)
    moves, approvals = data.pop("moves"), data.pop("approvals")
    parts = [_heading(f"Correction {correction.id}", f"{correction.status.value}, risk tier {correction.risk_tier}")]
    if texts:
        shown = {"comment": data.pop("comment"), "evidence": data.pop("evidence"), "reason": data.pop("reason")}
        parts += [_section("Claim", {**data.pop("claim"), **shown})]
    nested = {name: data.pop(name) for name in ("verification", "deployment", "edit")}
    parts.append(_section("Record", data))
    parts.append(_list("Approvals", approvals))
    parts.append(_list("History", moves))
    parts += [_section(name.capitalize(), values) for name, values in nested.items()]
    return _page(f"Correction {correction.id}", parts)


def period_page(figures: Figures) -> str:
    """The figures of a period as a page."""
    data = asdict(figures)
    title = f"Corrections, {data.pop('start'):%Y-%m-%d} to {data.pop('end'):%Y-%m-%d}"
    nested = {name: data.pop(name) for name in ("by_category", "by_status_now", "scores")}
    parts = [_heading(title, f"{figures.reports} reports from {figures.reporters} people"), _section("Figures", data)]
    names = {"by_category": "By category", "by_status_now": "Where they stand now", "scores": "Verification, mean"}
    parts += [_section(names[name], values) for name, values in nested.items()]
    return _page(title, parts)


def _page(title: str, parts: Iterable[str]) -> str:
    written = f"<footer>Written {now():%Y-%m-%d %H:%M} UTC. People appear under pseudonyms.</footer>"
    body = "\n".join((*parts, written))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{_text(title)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _heading(title: str, line: str) -> str:
    return f"<h1>{_text(title)}</h1>\n<p>{_text(line)}</p>"


def _section(title: str, values: Mapping[str, Any]) -> str:
    rows = "\n".join(
        f"<tr><th>{_text(_words(name))}</th><td>{_value(value)}</td></tr>" for name, value in values.items()
    )
    return f"<h2>{_text(title)}</h2>\n<table>\n{rows or '<tr><td>none</td></tr>'}\n</table>"


def _list(title: str, rows: list[dict[str, Any]]) -> str:
    if not rows:
        return f"<h2>{_text(title)}</h2>\n<p>none</p>"
    head = "".join(f"<th>{_text(_words(name))}</th>" for name in rows[0])
    body = "\n".join("<tr>" + "".join(f"<td>{_value(value)}</td>" for value in row.values()) + "</tr>" for row in rows)
    return f'<h2>{_text(title)}</h2>\n<table class="list">\n<tr>{head}</tr>\n{body}\n</table>'


def _value(value: Any) -> str:
    if value is None or value == "" or value == [] or value == {}:
        return "—"
    if isinstance(value, Mapping):
        return "<br>".join(f"{_text(_words(str(name)))}: {_value(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return "<br>".join(_value(inner) for inner in value)
    return _text(str(value))


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _words(name: str) -> str:
    return name.replace("_", " ")
