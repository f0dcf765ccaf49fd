"""Health as HTML, and the line on top of the admin page."""

from collections.abc import Mapping

from . import html
from .admin_records import Worker
from .admin_texts import ADMIN
from .html import Html, element
from .people_view import role_name
from .reading import Json
from .records import Me
from .texts import TEXTS

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
