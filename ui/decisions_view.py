"""What can be decided about a report: its buttons by status and role, and the dialogs that they open."""

from typing import Any

from . import html
from .admin_texts import ADMIN
from .html import Html, element
from .records import Me, Report
from .texts import TEXTS


def question_of(report: Report) -> str:
    return report.canonical_question or report.question or f"{ADMIN.hidden} {html.short(report.id)}"


def actions(report: Report, me: Me) -> list[Html]:
    """What this role may do with a report in this status; the gateway judges again."""
    buttons: list[Html] = []
    if report.status == "queued" and me.may_administer and not report.approval_barred:
        buttons.append(
            html.dialog_button(_keyed(ADMIN.approve, "a"), approve_dialog(report), look="er-primary", data_key="a")
        )
    if report.status in ("flagged", "queued") and me.may_review:
        reject = _with_reason(
            ADMIN.reject_title,
            report,
            act="reject",
            ok=ADMIN.reject,
            danger=True,
            text=question_of(report),
            help=ADMIN.reject_help,
        )
        buttons.append(html.dialog_button(_keyed(ADMIN.reject, "r"), reject, look="er-danger", data_key="r"))
    if report.status in ("flagged", "queued", "needs_evidence") and me.may_review:
        buttons.append(html.dialog_button(_keyed(ADMIN.edit, "e"), edit_dialog(report), data_key="e"))
    if report.status == "queued" and me.may_review:
        reroute = reroute_dialog(report)
        buttons.append(html.dialog_button(str(reroute["ok"]), reroute))
        if report.remedy == "weights":
            buttons.append(html.button(ADMIN.preview, act="preview", id=report.id))
    if report.status in ("flagged", "queued") and me.may_review:
        ask = _with_reason(ADMIN.ask_evidence_title, report, act="ask-evidence", ok=ADMIN.ask_evidence)
        buttons.append(html.dialog_button(ADMIN.ask_evidence, ask))
    if report.status in ("approved", "failed") and me.may_administer:
        text = ADMIN.requeue_text.format(question=question_of(report))
        requeue = _with_reason(ADMIN.requeue_title, report, act="requeue", ok=ADMIN.requeue, text=text, rows=2)
        buttons.append(html.dialog_button(ADMIN.requeue, requeue))
    if report.status in ("live", "in_knowledge") and me.may_administer and not report.undo_requested:
        buttons.append(undo_button(report))
    return buttons


def _keyed(label: str, key: str) -> Html:
    return html.EMPTY + label + " " + element("kbd", key, aria_hidden="true")


def approve_dialog(report: Report) -> dict[str, object]:
    weights = report.remedy == "weights"
    fields = [html.field("reason", ADMIN.approve_reason, type="area", rows=2, required=True), _round(report)]
    if weights:
        fields.append(
            html.field(
                "fallback", ADMIN.fallback, type="select", value="knowledge", options=[list(f) for f in ADMIN.fallbacks]
            )
        )
    words = ADMIN.approve_weights_text if weights else ADMIN.approve_knowledge_text
    return html.dialog(
        ADMIN.approve_weights if weights else ADMIN.approve_knowledge,
        act="approve",
        id=report.id,
        text=words.format(question=question_of(report), answer=report.correct_answer),
        ok=ADMIN.approve,
        fields=fields,
    )


def edit_dialog(report: Report) -> dict[str, object]:
    fields = [
        html.field("canonical_question", ADMIN.canonical_question, value=report.canonical_question, required=True),
        html.field("subject", ADMIN.subject, value=report.subject),
        html.field("correct_answer", ADMIN.right_answer, value=report.correct_answer, required=True),
    ]
    fields += [
        html.field(name, label, type="area", rows=4, value="\n".join(report.wordings(name)), help=ADMIN.one_per_line)
        for name, label in ADMIN.wordings.items()
    ]
    fields.append(_round(report))
    return html.dialog(ADMIN.edit_title, act="revise", id=report.id, ok=TEXTS.save, wide=True, fields=fields)


def reroute_dialog(report: Report) -> dict[str, object]:
    other = "knowledge" if report.remedy == "weights" else "weights"
    label = ADMIN.reroute_knowledge if other == "knowledge" else ADMIN.reroute_weights
    reason = html.field("reason", TEXTS.reason, type="area", required=True)
    return html.dialog(
        ADMIN.reroute_title,
        act=f"reroute-{other}",
        id=report.id,
        ok=label,
        text=report.reason,
        fields=[reason, _round(report)],
    )


def _round(report: Report) -> dict[str, object]:
    """Which words are being looked at: a decision on them is refused if they have changed meanwhile."""
    return html.field("round", "", type="hidden", value=str(report.round or ""))


def undo_button(report: Report) -> Html:
    text = ADMIN.undo_text.format(question=question_of(report))
    undo = _with_reason(ADMIN.undo_title, report, act="rollback", ok=ADMIN.undo, danger=True, text=text, rows=2)
    return html.dialog_button(ADMIN.undo, undo, look="er-danger")


def _with_reason(
    title: str, report: Report, *, act: str, ok: str, text: str = "", danger: bool = False, **more: Any
) -> dict[str, object]:
    """A dialog that asks for nothing but why; `more` goes to that field."""
    reason = html.field("reason", TEXTS.reason, type="area", required=True, **more)
    return html.dialog(title, act=act, id=report.id, ok=ok, danger=danger, text=text, fields=[reason])
