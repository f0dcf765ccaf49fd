"""People as HTML: all accounts, and new secrets, shown once."""

from collections.abc import Sequence

from . import html
from .admin_records import Person
from .admin_texts import ADMIN
from .html import Html, element
from .reading import Json
from .records import Me
from .texts import TEXTS


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
    return head + html.table(ADMIN.people_columns, rows, label=ADMIN.accounts)


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
