"""People, health and the line on top as HTML, and how tables are drawn."""

from collections.abc import Mapping, Sequence

from . import html
from .admin_records import Person, Worker
from .admin_texts import ADMIN
from .html import Html, element, join
from .reading import Json
from .records import Me
from .texts import TEXTS


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


# people


def role_name(role: str) -> str:
    return ADMIN.role_names.get(role, role)


def people(found: Sequence[Person], me: Me) -> Html:
    """All accounts; who may administer adds some, and gives others new secrets or none."""
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
        if me.may_administer and not person.disabled:
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
        rows.append([element("b", person.name), role_name(person.role), html.ago(person.created), state, buttons])
    head = element("div", add, class_="er-row-of") if me.may_administer else html.EMPTY
    return head + table(ADMIN.people_columns, rows, label=ADMIN.accounts)


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
    return html.dialog(ADMIN.secrets_title.format(name=name), text=ADMIN.secrets_text, html=html.pairs(rows), keep=True)


# health


_AT_WORK = ("solving", "gating", "writing", "previewing", "ahead")
_STATE_LOOKS = {"ok": "ok", "idle": "ok", **dict.fromkeys(_AT_WORK, "info")}


def health(found: Json) -> Html:
    ready = bool(found.get("ready"))
    said = element("p", ADMIN.ready, class_="er-note") if ready else html.problem(ADMIN.not_ready)
    body = found.get("parts")
    parts = body.get("parts", body) if isinstance(body, Mapping) else {}
    rows = [
        (ADMIN.part_names.get(str(name), str(name)), html.badge(str(state), _STATE_LOOKS.get(str(state), "warn")))
        for name, state in parts.items()
        if isinstance(state, str)
    ]
    version = found.get("version")
    versions = (
        [
            (ADMIN.version_names.get(str(name), str(name)), element("span", str(said), class_="er-mono"))
            for name, said in version.items()
        ]
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
    who = f"{me.name}, {role_name(me.role)}"
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
                    title=who,
                    aria_label=f"{TEXTS.sign_out} ({who})",
                ),
                method="post",
                action="/logout",
            ),
            class_="er-who",
        ),
        class_="er-strip",
    )
