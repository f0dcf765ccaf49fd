"""The report form, and one's own reports as a timeline that ends in trying the fixed answer."""

import secrets
from collections.abc import Sequence

from . import html
from .html import Html, element, join
from .records import Report, Turn
from .texts import TEXTS

FIXED = ("live", "in_knowledge")
_SHOWN = 500  # characters of the answer, above the form


def known_reports(similar: Sequence[Report]) -> Html:
    """What is said of a question that somebody has reported already."""
    if not similar:
        return html.EMPTY
    states = [html.badge(TEXTS.statuses.get(r.status, r.status), r.status) for r in similar[:3]]
    fixed = all(report.status in FIXED for report in similar)
    words = TEXTS.already_fixed if fixed else TEXTS.already_reported
    return element("div", element("span", words), " ", join(states, " "), class_="er-note")


def flag_dialog(turn: Turn, similar: Sequence[Report]) -> dict[str, object]:
    """The report form, prefilled; reports on the same question that are known already are said first."""
    cut = "…" if len(turn.answer) > _SHOWN else ""
    said = html.pairs([(TEXTS.report_answer, turn.answer[:_SHOWN] + cut)])
    fields = [
        html.field(
            "question",
            TEXTS.report_question,
            type="area",
            rows=1,
            value=turn.question,
            required=True,
            help=TEXTS.report_question_help,
            watch="similar",
        ),
        html.field(
            "correct_answer",
            TEXTS.right_answer,
            type="area",
            rows=2,
            required=True,
            first=True,
            help=TEXTS.right_answer_help,
        ),
        html.field(
            "category", TEXTS.report_category, type="select", value="wrong", options=[list(c) for c in TEXTS.categories]
        ),
        html.field("evidence", TEXTS.evidence, type="area", rows=2, help=TEXTS.evidence_help),
        html.field("comment", TEXTS.comment, type="area", rows=1),
        # Two clicks on "send" make one report: the key belongs to the form, not to the click.
        html.field("key", "", type="hidden", value=secrets.token_hex(16)),
    ]
    return html.dialog(
        TEXTS.report_title,
        act="report",
        id=turn.answer_id,
        text=TEXTS.report_text,
        html=said,
        ok=TEXTS.send_report,
        note=known_reports(similar),
        fields=fields,
    )


def reports_dialog(reports: Sequence[Report], *, more: bool) -> dict[str, object]:
    shown = join([_report(report) for report in reports]) if reports else html.empty(TEXTS.no_reports)
    cut = TEXTS.newest_reports.format(n=len(reports)) if more else ""
    return html.dialog(TEXTS.my_reports, text=cut, html=shown, side=True)


def _report(report: Report) -> Html:
    """One report as a card: what was said, how far it has come, and what its reporter can do now."""
    head = element(
        "div",
        element("b", report.question),
        html.badge(TEXTS.statuses.get(report.status, report.status), report.status),
        class_="er-row-of er-spread",
    )
    facts = html.pairs([(TEXTS.report_answer, report.answer_old), (TEXTS.you_said, report.correct_answer)])
    last = report.moves[-1] if report.moves else None
    why = element("p", last.reason, class_="er-quiet") if last and last.reason else html.EMPTY
    when = element("span", html.ago(report.created), class_="er-quiet")
    actions = element("div", when, *_possible(report), class_="er-row-of")
    return element("article", head, facts, progress(report.status), why, actions, class_="er-card")


def progress(status: str) -> Html:
    """The four steps of a report; where it ended elsewhere, the last step says so."""
    reached = {"flagged": 1, "needs_evidence": 1, "queued": 2, "approved": 3, "editing": 3}.get(status, 4)
    names = list(TEXTS.steps)
    ended = status in ("rejected", "closed", "rolled_back", "superseded", "failed")
    if ended:
        reached, names = 2, [names[0], TEXTS.statuses[status]]
    items = [
        element("li", name, class_=("er-bad" if ended and n == 2 else "er-on" if n <= reached else ""))
        for n, name in enumerate(names, start=1)
    ]
    return element("ol", join(items), class_="er-steps")


def _possible(report: Report) -> list[Html]:
    if report.status in (*FIXED, "approved", "editing"):  # from approval on, a card answers
        words = TEXTS.fixed_try if report.status in FIXED else TEXTS.try_now
        return [html.button(words, act="try", id=report.id, look="er-primary", data_closes=True)]
    if report.status in ("flagged", "queued", "needs_evidence"):
        withdraw = html.dialog(
            TEXTS.withdraw_title, act="withdraw", id=report.id, ok=TEXTS.withdraw, danger=True, text=report.question
        )
        buttons = [html.dialog_button(TEXTS.withdraw, withdraw, look="er-plain")]
        if report.status == "needs_evidence":
            fields = [html.field("evidence", TEXTS.evidence, type="area", required=True, help=TEXTS.evidence_help)]
            more = html.dialog(TEXTS.add_evidence_title, act="evidence", id=report.id, ok=TEXTS.save, fields=fields)
            buttons.insert(0, html.dialog_button(TEXTS.add_evidence, more, look="er-primary"))
        return buttons
    if report.status == "rejected":
        fields = [html.field("reason", TEXTS.reason, type="area", required=True)]
        appeal = html.dialog(TEXTS.appeal_title, act="appeal", id=report.id, ok=TEXTS.appeal, fields=fields)
        return [html.dialog_button(TEXTS.appeal, appeal)]
    return []
