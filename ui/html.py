"""Small pieces of HTML, escaped by construction: every text goes through markupsafe, and nothing else makes markup."""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from markupsafe import Markup, escape

from .records import Passage
from .texts import TEXTS

Html = Markup
EMPTY = Markup("")


def element(name: str, *children: str, **attributes: object) -> Html:
    """`element("b", text, class_="x")` is `<b class="x">…</b>` with the text and each attribute escaped.

    Attribute names: a trailing underscore is dropped and the others become hyphens. None and False leave an attribute
    out, True writes it bare.
    """
    parts = [Markup("<") + name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        parts.append(Markup(" ") + key.rstrip("_").replace("_", "-"))
        if value is not True:
            parts.append(Markup('="{}"').format(value))
    parts.append(Markup(">"))
    parts.extend(escape(child) for child in children)
    parts.append(Markup("</") + name + Markup(">"))
    return EMPTY.join(parts)


def join(pieces: Sequence[str], between: str = "") -> Html:
    return escape(between).join(pieces)


def button(label: str, *, act: str = "", id: str = "", look: str = "", **attributes: object) -> Html:
    """A button whose click reaches the page's handler as `act` with `id`."""
    return element(
        "button",
        label,
        type="button",
        class_=f"er-button {look}".strip(),
        data_act=act or None,
        data_id=id or None,
        **attributes,
    )


def dialog_button(label: str, spec: Mapping[str, object], *, look: str = "", **attributes: object) -> Html:
    """A button that opens a dialog in the browser; what is filled in arrives as the spec's `act`."""
    return element(
        "button",
        label,
        type="button",
        class_=f"er-button {look}".strip(),
        data_dialog=json.dumps(spec),
        **attributes,
    )


def dialog(
    title: str,
    *,
    act: str = "",
    id: str = "",
    text: str = "",
    html: str = "",
    ok: str = "",
    danger: bool = False,
    wide: bool = False,
    side: bool = False,
    keep: bool = False,
    note: str = "",
    fields: Sequence[Mapping[str, object]] = (),
) -> dict[str, object]:
    """A dialog as page.js understands it. `html` and `note` must come from this module; all else is shown as text.

    keep  nothing that arrives meanwhile closes it, nor a click beside it, as if it had fields
    """
    return {
        "title": title,
        "act": act,
        "id": id,
        "text": text,
        "html": str(html),
        "ok": ok,
        "danger": danger,
        "wide": wide,
        "side": side,
        "keep": keep,
        "note": str(note),
        "fields": list(fields),
    }


def field(name: str, label: str, *, type: str = "text", value: str = "", **more: object) -> dict[str, object]:
    """One input of a dialog: type text, area, hidden or select (with `options` as [value, label] pairs).

    With `watch`, what is typed into it is sent under that name when typing rests; `note` answers it.
    """
    return {"name": name, "label": label, "type": type, "value": value, **more}


def tell(message: Mapping[str, object]) -> str:
    """A message for the browser; the token makes two equal messages in a row differ, so that both are seen."""
    return json.dumps({**message, "token": secrets.token_hex(4)})


def note(shown: str, *, of: str) -> str:
    """A message that fills the note of the open dialog, as long as the watched field still says `of`."""
    return tell({"note": str(shown), "of": of})


def refused(words: str, *, sent: int = 0) -> str:
    """A message that opens the form that was sent under this number once more, as it was filled in, and why it was refused."""
    return tell({"refused": words, "sent": sent})


_ICONS = {
    "flag": "M5 21V4h11l-1.5 4L16 12H5",
    "copy": "M9 9h11v11H9zM5 15H4V4h11v1",
    "again": "M20 11a8 8 0 1 0-2.3 6M20 5v6h-6",
    "edit": "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
    "bin": "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v6M14 11v6",
    "theme": "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
    "save": "M12 4v11M7 11l5 5 5-5M5 20h14",
}


def icon(name: str) -> Html:
    """A line drawing for sighted people; the button around it carries the words."""
    path = element("path", d=_ICONS[name])
    return element("svg", path, class_="er-svg", viewBox="0 0 24 24", aria_hidden="true")


def badge(label: str, kind: str) -> Html:
    return element("span", label, class_=f"er-badge er-is-{kind}")


def pairs(rows: Sequence[tuple[str, str]]) -> Html:
    """A definition list; pairs without a value are left out."""
    shown = [element("dt", name) + element("dd", value) for name, value in rows if value]
    return element("dl", join(shown), class_="er-pairs") if shown else EMPTY


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, label: str) -> Html:
    """A table that scrolls sideways where it has no room; the keyboard reaches it, under this label."""
    head = element("tr", join([element("th", name, scope="col") for name in columns]))
    body = [element("tr", join([element("td", cell) for cell in row])) for row in rows]
    return element(
        "div",
        element("table", element("thead", head), element("tbody", join(body)), class_="er-table"),
        class_="er-scroll",
        tabindex="0",
        role="group",
        aria_label=label,
    )


def empty(text: str) -> Html:
    return element("p", text, class_="er-empty")


def problem(text: str) -> Html:
    return element("p", text, class_="er-problem", role="alert")


def link(uri: str, label: str) -> Html:
    """A link for http and https; any other scheme is shown as text, so that `javascript:` is never followed."""
    if uri.lower().startswith(("https://", "http://")):
        return element("a", label, href=uri, target="_blank", rel="noopener noreferrer nofollow")
    return element("span", label)


def short(identity: str, length: int = 8) -> str:
    """The start of an id or hash, without its prefix."""
    return identity.split("_", 1)[-1][:length]


def read_time(stamp: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def ago(stamp: str) -> Html:
    """`3 h ago` with the full time as a tooltip."""
    at = read_time(stamp)
    if at is None:
        return escape(stamp)
    seconds = (datetime.now(UTC) - at).total_seconds()
    size = abs(seconds)
    if size < 60:
        words = TEXTS.just_now
    else:
        n, unit = next(
            (int(size // length), unit)
            for length, unit in ((86400, TEXTS.days), (3600, TEXTS.hours), (60, TEXTS.minutes))
            if size >= length
        )
        words = (TEXTS.ago if seconds > 0 else TEXTS.ahead).format(time=f"{n} {unit}")
    return element("time", words, datetime=at.isoformat(), title=at.strftime("%Y-%m-%d %H:%M UTC"))


def moment(stamp: str) -> Html:
    """`2026-11-20 14:03 UTC`, where the very minute counts: in the log and in a history."""
    at = read_time(stamp)
    if at is None:
        return escape(stamp)
    return element("time", at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"), datetime=at.isoformat())


def dates(passage: Passage) -> str:
    said = [TEXTS.as_of.format(date=passage.as_of)] if passage.as_of else []
    if passage.expires_at:
        words = TEXTS.expired if passage.expired else TEXTS.expires
        said.append(words.format(date=passage.expires_at))
    return " · ".join(said)


def number(value: object, digits: int = 2) -> str:
    """A figure as people read it; what is not a number stays as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return str(value) if isinstance(value, int) else f"{value:.{digits}f}"
