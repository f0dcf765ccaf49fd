"""What wants a person's attention as HTML: alarms not seen yet, facts in force whose review date has passed."""

from collections.abc import Sequence

from . import html
from .admin_texts import ADMIN
from .decisions_view import question_of, undo_button
from .html import EMPTY, Html, element, join
from .reading import Json, text
from .records import Me, Report


def attention(alarms: Sequence[Json], due: Sequence[Report], me: Me) -> Html:
    """Nothing at all where nothing waits."""
    raised = [_alarm(alarm, me) for alarm in alarms if text(alarm, "kind") in ADMIN.alarms]
    rows = [*(_due(report, me) for report in due), *raised]
    if not rows:
        return EMPTY
    return element("h3", ADMIN.look_again, class_="er-h") + join(
        [element("div", row, class_="er-card") for row in rows]
    )


def _due(report: Report, me: Me) -> Html:
    """A fact with what it says today; whoever may review says that it stands, or undoes it."""
    probed = "holds" in report.review
    found = (
        html.badge(ADMIN.still_holds, "ok")
        if report.review.get("holds")
        else html.badge(ADMIN.holds_no_more if probed else ADMIN.not_probed, "warn")
    )
    stands = html.button(ADMIN.stands, act="reviewed", id=report.id) if me.may_review else EMPTY
    undo = undo_button(report) if me.may_administer and not report.undo_requested else EMPTY
    shown = html.button(question_of(report), act="show", id=report.id, look="er-plain er-link")
    says = [(ADMIN.right_answer, report.correct_answer), (ADMIN.verified_reply, text(report.review, "reply"))]
    return (
        element("div", shown, found, class_="er-row-of")
        + html.pairs(says)
        + element("div", stands, undo, class_="er-row-of")
    )


def _alarm(alarm: Json, me: Me) -> Html:
    about = text(alarm, "correction_id")
    said = element("span", ADMIN.alarms[text(alarm, "kind")])
    shown = html.button(ADMIN.open_report.format(id=html.short(about)), act="show", id=about, look="er-plain er-link")
    seen = html.button(ADMIN.seen, act="alarm-seen", id=str(alarm.get("id") or "")) if me.may_review else EMPTY
    return element("div", said, html.ago(text(alarm, "at")), shown, seen, class_="er-row-of")
