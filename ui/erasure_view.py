"""Erasure requests as HTML: the list, one request as a checklist of six steps, and what a person sees of their own."""

from collections.abc import Mapping, Sequence
from typing import Any

from . import html
from .erasure_record import Erasure
from .erasure_texts import ERASURE
from .html import Html, element, join
from .people_view import role_name
from .reading import text, words
from .records import Me
from .texts import TEXTS

ORDER = ("received", "identity_verified", "found", "decided", "approved", "applied", "verified", "closed")
OVER = ("closed", "refused")


def requests(found: Sequence[Erasure], me: Me) -> Html:
    """All requests, the most urgent first."""
    head = element("div", file_button(), class_="er-row-of") if me.may_administer else html.EMPTY
    if not found:
        return head + html.empty(ERASURE.none)
    rows = [
        [
            element("b", about(one)),
            dict(ERASURE.kinds).get(one.kind, one.kind),
            status_badge(one),
            due(one),
            html.button(ERASURE.open, act="erasure", id=one.id),
        ]
        for one in found
    ]
    return head + html.table(ERASURE.columns, rows, label=ERASURE.requests)


def about(request: Erasure) -> str:
    """Whom it is about, as far as this reader may know."""
    named = ", ".join(request.names or request.identifiers)
    account = ERASURE.of_account.format(login=request.login) if request.login else ""
    if not named and not account:
        return ERASURE.account_holder if request.account else ERASURE.hidden
    return " · ".join(filter(None, (named, account)))


def status_badge(request: Erasure) -> Html:
    kind = {"closed": "ok", "refused": "bad"}.get(request.status, "info")
    return html.badge(ERASURE.statuses.get(request.status, request.status), kind)


def due(request: Erasure) -> Html:
    if request.status in OVER:
        return html.EMPTY
    when = html.ago(request.due)
    return when + " " + html.badge(ERASURE.overdue, "bad") if request.overdue else when


def file_button() -> Html:
    fields = [
        html.field("names", ERASURE.names, type="area", rows=2),
        html.field("identifiers", ERASURE.identifiers, type="area", rows=2, help=ERASURE.identifiers_help),
        html.field("account", ERASURE.account),
        html.field("kind", ERASURE.kind, type="select", value="erasure", options=_options(ERASURE.kinds)),
        html.field("law", ERASURE.law, type="select", value="gdpr", options=_options(ERASURE.laws)),
        html.field("statement", ERASURE.statement, type="area", rows=2),
    ]
    spec = html.dialog(ERASURE.file, act="erasure-file", text=ERASURE.file_text, ok=ERASURE.file, fields=fields)
    return html.dialog_button(ERASURE.file, spec, look="er-primary")


def _options(pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    return [list(pair) for pair in pairs]


def checklist(request: Erasure, me: Me) -> Html:
    """One request: what is done of its six steps, what each found, and the next step as a button."""
    back = html.button(f"← {ERASURE.back}", act="erasure", id="all", look="er-plain")
    facts = html.pairs(
        [
            (ERASURE.kind, dict(ERASURE.kinds).get(request.kind, request.kind)),
            (ERASURE.law, dict(ERASURE.laws).get(request.law, request.law)),
            (ERASURE.statement, request.statement),
            *_refusal(request),
        ]
    )
    head = element(
        "div",
        element("h2", about(request)),
        status_badge(request),
        due(request),
        class_="er-row-of er-detail-head",
    )
    reached = ORDER.index(request.status) if request.status in ORDER else 0
    items = []
    for n, (title, statuses) in enumerate(ERASURE.steps):
        is_done = all(ORDER.index(status) <= reached for status in statuses) and request.status != "refused"
        body = _BODIES[n](request)
        buttons = _BUTTONS[n](request) if me.may_administer else []
        actions = element("div", *buttons, class_="er-row-of") if buttons else html.EMPTY
        items.append(
            element(
                "li",
                element("div", element("b", title), " ", _when(request, statuses), class_="er-row-of"),
                body,
                actions,
                class_="er-on" if is_done else "er-next" if buttons else None,
            )
        )
    refusal = [_refuse(request)] if me.may_administer and "refuse" in request.next else []
    return element("article", back, head, facts, element("ol", join(items), class_="er-checklist"), *refusal)


def _refusal(request: Erasure) -> list[tuple[str, str]]:
    """Why it was refused, and on which ground."""
    return [
        (ERASURE.refused, request.refusal),
        (ERASURE.ground, dict(ERASURE.grounds).get(request.ground, request.ground)),
    ]


def _when(request: Erasure, statuses: Sequence[str]) -> Html:
    """Who took the last of these steps, and when."""
    taken = [step for step in request.steps if step.get("to") in statuses]
    if not taken:
        return html.EMPTY
    return element(
        "span", role_name(str(taken[-1].get("role") or "")), " ", html.ago(str(taken[-1]["at"])), class_="er-quiet"
    )


def _step(
    request: Erasure, verb: str, label: str, *, danger: bool = False, look: str = "er-primary", **spec: Any
) -> list[Html]:
    """The button of a step, where the gateway says that it can be taken now."""
    if verb not in request.next:
        return []
    title = spec.pop("title", label)
    dialog = html.dialog(title, act=f"erasure-{verb}", id=request.id, ok=label, danger=danger, **spec)
    return [html.dialog_button(label, dialog, look="er-danger" if danger else look)]


def _identity(request: Erasure) -> list[Html]:
    fields = [html.field("how", ERASURE.verify_how, type="area", rows=2, required=True)]
    return _step(request, "verify-identity", ERASURE.verify, text=ERASURE.verify_text, fields=fields)


def _find(request: Erasure) -> list[Html]:
    again = request.status not in ("received", "identity_verified")
    fields = [
        html.field("direct", ERASURE.find_more, type="area", rows=2),
        html.field("secrets", ERASURE.find_secrets, type="area", rows=2),
    ]
    label, look = (ERASURE.find_again, "") if again else (ERASURE.find, "er-primary")
    return _step(request, "find", label, look=look, text=ERASURE.find_text, fields=fields)


def _decide(request: Erasure) -> list[Html]:
    """The three questions; one who decides anew finds what was decided last."""
    asked, last = request.questions, request.decision
    known = {str(one.get("ref")) for one in request.occurrences}
    kept = [ref for ref in words(last, "keep") if ref in known]
    right = [f"{question} = {answer}" for question, answer in request.right_answers.items()]
    yes = {key: "yes" if asked.get(key) else "" for key in ("correct", "many")}
    sure = text(asked, "certainty", "reasonable")
    fields = [
        html.field("correct", ERASURE.correct, type="select", value=yes["correct"], options=_options(ERASURE.yes_no)),
        html.field("many", ERASURE.many, type="select", value=yes["many"], options=_options(ERASURE.yes_no)),
        html.field("certainty", ERASURE.certainty, type="select", value=sure, options=_options(ERASURE.certainties)),
        html.field("reason", ERASURE.reason, type="area", rows=2, value=text(last, "reason"), required=True),
        html.field("exceptions", ERASURE.exceptions, type="area", rows=2, value=text(last, "exceptions")),
        html.field("keep", ERASURE.keep, type="area", rows=2, value="\n".join(kept)),
        html.field("right_answers", ERASURE.right_answers, type="area", rows=2, value="\n".join(right)),
    ]
    look = "" if request.status == "decided" else "er-primary"
    return _step(request, "decide", ERASURE.decide, look=look, text=ERASURE.decide_text, fields=fields)


def _approve(request: Erasure) -> list[Html]:
    if request.status != "decided":
        return []  # the gateway would search and decide by itself; here a person looks first
    fields = [html.field("reason", TEXTS.reason, type="area", rows=2, required=True)]
    return _step(request, "approve", ERASURE.approve, text=ERASURE.approve_text, fields=fields)


def _execute(request: Erasure) -> list[Html]:
    if request.is_running:
        return []
    label = ERASURE.execute_again if request.status == "applied" else ERASURE.execute
    return _step(request, "execute", label, danger=True, title=ERASURE.execute_title, text=ERASURE.execute_text)


def _close(request: Erasure) -> list[Html]:
    fields = [
        html.field("told", ERASURE.told, type="select", options=_options(ERASURE.yes_no)),
        html.field("backups_until", ERASURE.backups, type="date"),
    ]
    return _step(request, "close", ERASURE.close, text=ERASURE.close_text, fields=fields)


def _refuse(request: Erasure) -> Html:
    fields = [
        html.field("ground", ERASURE.ground, type="select", options=_options(ERASURE.grounds)),
        html.field("reason", TEXTS.reason, type="area", required=True),
    ]
    return _step(
        request,
        "refuse",
        ERASURE.refuse,
        danger=True,
        title=ERASURE.refuse_title,
        text=ERASURE.refuse_text,
        fields=fields,
    )[0]


def _said_of_identity(request: Erasure) -> Html:
    return html.pairs([(ERASURE.verify_how, request.identity)])


def _places(request: Erasure) -> Html:
    if not any(step.get("to") == "found" for step in request.steps):
        return html.EMPTY
    counted = [(ERASURE.places.get(place, place), str(n)) for place, n in request.counts.items() if n]
    said = html.pairs(counted) if counted else html.empty(ERASURE.nothing_found)
    before = request.model_before
    if before.get("probes"):
        said += element(
            "p", ERASURE.model_said.format(n=before.get("revealing", 0), of=before["probes"]), class_="er-quiet"
        )
    rows = [
        [ERASURE.places.get(str(one.get("place")), ""), _what(one), _mono(str(one.get("ref") or ""))]
        for one in request.occurrences
    ]
    return said + (html.table(ERASURE.place_columns, rows, label=ERASURE.steps[1][0]) if rows else html.EMPTY)


def _what(occurrence: Mapping[str, object]) -> str:
    about = str(occurrence.get("about") or "")
    return ERASURE.within_a_word.format(what=about) if occurrence.get("within_a_word") else about


def _mono(text: str) -> Html:
    return element("span", text, class_="er-mono")


def _methods(request: Erasure) -> Html:
    rows = [
        [
            ERASURE.methods.get(str(one.get("method")), str(one.get("method"))),
            str(one.get("count", "")),
            str(one.get("why") or ""),
        ]
        for one in request.choices
    ]
    return html.table(ERASURE.method_columns, rows, label=ERASURE.steps[2][0]) if rows else html.EMPTY


def _outcomes(request: Erasure) -> Html:
    said = html.EMPTY
    if request.error:
        said = html.problem(ERASURE.stopped.format(why=request.error))
    elif request.is_running:
        before, after = ERASURE.running.split("{since}")
        said = element("p", before, html.ago(str(request.running.get("since"))), after, class_="er-note", role="status")
    rows = [
        [
            ERASURE.methods.get(str(one.get("method")), str(one.get("method"))),
            str(one.get("done", "")),
            str(one.get("remains") or "–"),
        ]
        for one in request.outcomes
    ]
    return said + (html.table(ERASURE.outcome_columns, rows, label=ERASURE.steps[4][0]) if rows else html.EMPTY)


def _verified(request: Erasure) -> Html:
    rows = [(name, _figure(request.residual.get(key))) for key, name in ERASURE.figures]
    link = html.EMPTY
    if request.certificate:
        where = f"/v1/erasure-requests/{request.id}/certificate"
        link = element("a", html.icon("save") + ERASURE.certificate, href=where, download=True, class_="er-button")
    return html.pairs(rows) + link


def _figure(value: object) -> str:
    if value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "–".join(html.number(part) for part in value)
    return html.number(value)


_BODIES = (_said_of_identity, _places, _methods, lambda _: html.EMPTY, _outcomes, _verified)
_BUTTONS = (_identity, _find, _decide, _approve, _execute, _close)


def own_dialog(found: Sequence[Erasure]) -> dict[str, object]:
    """What the chat page shows: own requests, and the form where none is open."""
    cards = [
        element(
            "article",
            element(
                "div",
                element("b", dict(ERASURE.kinds).get(one.kind, one.kind)),
                status_badge(one),
                class_="er-row-of er-spread",
            ),
            element("span", ERASURE.due.format(date=one.due[:10]) if one.status not in OVER else "", class_="er-quiet"),
            html.pairs(_refusal(one)),
            _verified(one) if one.certificate else html.EMPTY,
            class_="er-card",
        )
        for one in found
    ]
    if any(one.status not in OVER for one in found):
        return html.dialog(ERASURE.mine, html=join(cards))
    fields = [html.field("statement", ERASURE.mine_statement, type="area", rows=2)]
    return html.dialog(
        ERASURE.mine,
        act="erase-me",
        text=ERASURE.mine_text,
        html=join(cards),
        ok=ERASURE.ask,
        danger=True,
        fields=fields,
    )
