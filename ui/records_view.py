"""Knowledge, log, people and health as HTML."""

import json
from collections.abc import Mapping, Sequence

from . import html
from .admin_texts import ADMIN
from .chat_view import dates
from .html import Html, element, join
from .inclusion import Checkpoint, leaf_hash, root_from
from .reading import Json
from .records import Document, Me, Passage, Person, Worker
from .texts import TEXTS


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    head = element("tr", join([element("th", name, scope="col") for name in columns]))
    body = [element("tr", join([element("td", cell) for cell in row])) for row in rows]
    return element(
        "div",
        element("table", element("thead", head), element("tbody", join(body)), class_="er-table"),
        class_="er-scroll",
        tabindex="0",
    )


# knowledge


def add_buttons(me: Me) -> Html:
    if not me.may_administer:
        return html.EMPTY
    when = [
        html.field("as_of", ADMIN.as_of, type="date"),
        html.field("expires_at", ADMIN.expires_at, type="date", help=ADMIN.date_help),
    ]
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
        name = (
            html.link(document.uri, document.title or document.uri) if document.uri else element("span", document.title)
        )
        rows.append(
            [
                name,
                element("time", document.as_of[:10]),
                element("time", document.expires_at[:10]),
                str(document.passages),
                html.ago(document.created),
                remove,
            ]
        )
    return table(ADMIN.document_columns, rows)


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
            element("span", dates(p), class_="er-quiet"),
            class_="er-card",
        )
        for p in passages
    ]
    return said + (join(cards) if cards else html.empty(TEXTS.nothing_found))


# log


def entry_body(entry: Json) -> Mapping[str, object]:
    """The entry itself, whether it came as an object or as its text."""
    inner = entry.get("entry", entry)
    if isinstance(inner, str):
        inner = json.loads(inner)
    return inner if isinstance(inner, Mapping) else {}


def canonical(entry: Json) -> bytes:
    inner = entry.get("entry")
    if isinstance(inner, str):
        return inner.encode()
    return json.dumps(inner, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _facts(body: Mapping[str, object]) -> list[str]:
    """What an entry is about: its ids and words; commitments and lists are for the proof."""
    inner = body.get("data")
    said = {**body, **inner} if isinstance(inner, Mapping) else body
    return [
        f"{name} {html.short(str(value), 14) if '_' in str(value) else value}"
        for name, value in said.items()
        if name not in ("n", "at", "kind", "role")
        and isinstance(value, str | int)
        and value != ""
        and len(str(value)) < 60
    ]


def log(entries: Sequence[Json]) -> Html:
    rows = []
    for entry in reversed(entries):
        body = entry_body(entry)
        n = str(entry.get("n") or body.get("n") or "")
        about = " · ".join(_facts(body))
        prove = html.button(ADMIN.prove, act="prove", id=n, look="er-plain")
        rows.append(
            [
                n,
                html.ago(str(body.get("at") or "")),
                str(body.get("kind") or ""),
                element("span", about, class_="er-mono"),
                prove,
            ]
        )
    return table(ADMIN.log_columns, rows) if rows else html.empty(TEXTS.nothing_found)


def proof(n: int, entry: Json, found: Json, checkpoint_text: str) -> dict[str, object]:
    """Recompute the proof of one entry and show every step of it."""
    leaf, reached, why = leaf_hash(canonical(entry)), b"", ""
    hashes = [bytes.fromhex(str(node)) for node in found.get("hashes") or ()]
    checkpoint = Checkpoint.read(checkpoint_text)
    if leaf.hex() != found.get("leaf_hash"):
        why = ADMIN.leaf_differs
    else:
        try:
            reached = root_from(leaf, index=n - 1, size=checkpoint.size, path=hashes)
        except ValueError as error:
            why = str(error)
        else:
            if reached != checkpoint.root:
                why = ADMIN.root_differs.format(
                    reached=html.short(reached.hex(), 12), root=html.short(checkpoint.root.hex(), 12)
                )
    said = ADMIN.proof_bad.format(why=why) if why else ADMIN.proof_good.format(n=n, size=checkpoint.size)
    values = [
        canonical(entry).decode(),
        leaf.hex(),
        "\n".join(h.hex() for h in hashes) or "–",
        reached.hex() or "–",
        checkpoint.root.hex(),
        checkpoint_text,
    ]
    steps = html.pairs(
        [
            (name, element("span", value, class_="er-mono er-pre"))
            for name, value in zip(ADMIN.proof_steps, values, strict=True)
        ]
    )
    verdict = html.problem(said) if why else element("p", said, class_="er-note")
    return html.dialog(
        ADMIN.proof_title.format(n=n),
        html=verdict + steps + element("p", ADMIN.signature_note, class_="er-quiet"),
        wide=True,
    )


# people


def people(found: Sequence[Person]) -> Html:
    fields = [
        html.field("name", ADMIN.name, required=True),
        html.field("role", ADMIN.role, type="select", value="user", options=[list(r) for r in ADMIN.roles]),
    ]
    add = html.dialog_button(
        ADMIN.add_person,
        html.dialog(ADMIN.add_person, act="add-person", ok=TEXTS.save, fields=fields),
        look="er-primary",
    )
    rows = []
    for person in found:
        state = html.badge(ADMIN.disabled, "bad") if person.disabled else html.badge(ADMIN.active, "ok")
        buttons = html.EMPTY
        if not person.disabled:
            reset = html.dialog(
                ADMIN.reset_title.format(name=person.name),
                act="reset",
                id=person.name,
                text=ADMIN.reset_text,
                ok=ADMIN.reset,
            )
            disable = html.dialog(
                ADMIN.disable_title.format(name=person.name),
                act="disable",
                id=person.name,
                text=ADMIN.disable_text,
                ok=ADMIN.disable,
                danger=True,
            )
            buttons = html.dialog_button(ADMIN.reset, reset, look="er-plain") + html.dialog_button(
                ADMIN.disable, disable, look="er-plain"
            )
        rows.append([element("b", person.name), person.role, html.ago(person.created), state, buttons])
    return element("div", add, class_="er-row-of") + table(ADMIN.people_columns, rows)


def secrets_dialog(name: str, answer: Json) -> dict[str, object]:
    rows = []
    for label, key in ((ADMIN.password, "password"), (ADMIN.key, "key")):
        if answer.get(key):
            secret = str(answer[key])
            rows.append(
                (
                    label,
                    element("span", secret, class_="er-mono")
                    + html.button(html.icon("copy") + TEXTS.copy, act="copy", look="er-plain", data_text=secret),
                )
            )
    return html.dialog(ADMIN.secrets_title.format(name=name), text=ADMIN.secrets_text, html=html.pairs(rows))


# health


_AT_WORK = ("solving", "gating", "writing", "previewing", "ahead")
_STATE_LOOKS = {"ok": "ok", "idle": "ok", **dict.fromkeys(_AT_WORK, "info")}


def health(found: Json) -> Html:
    ready = bool(found.get("ready"))
    said = element("p", ADMIN.ready, class_="er-note") if ready else html.problem(ADMIN.not_ready)
    body = found.get("parts")
    parts = body.get("parts", body) if isinstance(body, Mapping) else {}
    rows = [
        (str(name), html.badge(str(state), _STATE_LOOKS.get(str(state), "warn")))
        for name, state in parts.items()
        if isinstance(state, str)
    ]
    version = found.get("version")
    versions = (
        [(str(k), element("span", str(v), class_="er-mono")) for k, v in version.items()]
        if isinstance(version, Mapping)
        else []
    )
    return (
        said
        + element("h3", ADMIN.parts, class_="er-h")
        + html.pairs(rows)
        + element("h3", ADMIN.versions, class_="er-h")
        + html.pairs(versions)
    )


# the line on top


def strip(me: Me, *, waiting: int, served: str, worker: Worker, ready: bool) -> Html:
    """What an admin wants to know at a glance: work to do, what is served, what the worker does, who I am."""
    said = f"{TEXTS.sign_out} ({me.name}, {me.role})"
    state = ADMIN.worker_states.get(worker.state, worker.state)
    doing = [element("span", state)]
    if worker.of:
        doing.append(element("progress", value=worker.step, max=worker.of, aria_label=state))
        doing.append(element("span", ADMIN.step_of.format(step=worker.step, of=worker.of), class_="er-quiet"))
    if worker.message and worker.state not in (worker.message, "not running"):
        doing.append(element("span", worker.message, class_="er-quiet"))
    return element(
        "header",
        element("span", element("a", TEXTS.product, href="/"), class_="er-brand"),
        html.badge(ADMIN.waiting.format(n=waiting), "queued" if waiting else "count"),
        html.badge(ADMIN.serving.format(version=html.short(served)), "weights"),
        html.badge(ADMIN.engine_ok if ready else ADMIN.engine_down, "ok" if ready else "bad"),
        element("span", *doing, class_="er-row-of er-worker", role="status"),
        element("span", class_="er-fill"),
        element(
            "span",
            element("a", TEXTS.chat_page, href="/", class_="er-button er-plain"),
            element(
                "button",
                html.icon("theme"),
                type="button",
                class_="er-button er-plain",
                data_act="theme",
                aria_label=TEXTS.theme,
                title=TEXTS.theme,
            ),
            element(
                "form",
                element(
                    "button",
                    TEXTS.sign_out,
                    class_="er-button er-plain",
                    title=f"{me.name}, {me.role}",
                    aria_label=said,
                ),
                method="post",
                action="/logout",
            ),
            class_="er-who",
        ),
        class_="er-strip",
    )
