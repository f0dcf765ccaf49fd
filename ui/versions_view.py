"""Live edits and versions as HTML: what is in force, how it measured, the way back."""

from collections.abc import Sequence

from . import html, plots
from .admin_records import Version
from .admin_texts import ADMIN
from .decisions_view import question_of, undo_button
from .html import Html, element, join
from .queue_view import more_button, status_badge
from .records import Me, Report
from .texts import TEXTS

BASE = "base"


def live_edits(reports: Sequence[Report], me: Me, *, more: bool) -> Html:
    """Corrections in force, in weights or in knowledge, each with its undo; `more` if these are not all."""
    if not reports:
        return html.empty(ADMIN.no_live)
    rows = []
    for report in reports:
        since = report.moves[-1].at if report.moves else report.created
        can_undo = me.may_administer and not report.undo_requested
        rows.append(
            [
                html.button(question_of(report), act="show", id=report.id, look="er-plain er-link"),
                report.correct_answer or ADMIN.hidden,
                _where(report),
                html.ago(since),
                undo_button(report) if can_undo else "",
            ]
        )
    return html.table(ADMIN.live_columns, rows, label=ADMIN.tabs[1]) + more_button(len(reports), more=more)


def _where(report: Report) -> Html:
    """In the weights, or answered by knowledge: by choice, or because the gate set the edit aside."""
    if report.undo_requested or report.status == "live":
        return status_badge(report)
    set_aside = report.remedy == "weights"
    return html.badge(ADMIN.set_aside if set_aside else ADMIN.in_knowledge, "warn" if set_aside else "in_knowledge")


def figure_of(version: Version, names: Sequence[str]) -> float | None:
    """A figure of a version's verification under any of its names."""
    for name in names:
        value = version.summary.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def _is_share(names: Sequence[str]) -> bool:
    return names[0] not in ("perplexity", "swap_pause_s")


def _said(figure: float, names: Sequence[str]) -> str:
    """A share in percent, anything else as a number."""
    return f"{figure:.0%}" if _is_share(names) else html.number(figure, 2)


def courses(versions: Sequence[Version]) -> Html:
    """One small plot per figure over the versions, oldest first; figures that nobody measured are left out."""
    plotted = []
    for title, names in ADMIN.figures:
        measured = [(v, figure) for v in versions if (figure := figure_of(v, names)) is not None]
        if measured:
            values = [figure for _, figure in measured]
            high = 1.0 if _is_share(names) else max(values) or 1.0
            said = [_said(figure, names) for figure in values]
            plotted.append(
                plots.course(
                    values, [html.short(v.id) for v, _ in measured], title=title, low=0.0, high=high, said=said
                )
            )
    return element("div", join(plotted), class_="er-figures") if plotted else html.empty(ADMIN.no_figures)


def timeline(versions: Sequence[Version], *, served: str, me: Me) -> Html:
    """Newest first, the base last in time but always in reach."""
    oldest_first = sorted(versions, key=lambda v: v.created)
    items = [_version(version, served=served, me=me) for version in reversed(oldest_first)]
    kill = html.EMPTY
    if me.may_administer and served != BASE:
        spec = html.dialog(
            ADMIN.kill_title,
            act="restore",
            id=BASE,
            text=ADMIN.kill_text,
            ok=ADMIN.kill_switch,
            danger=True,
            fields=[_reason()],
        )
        kill = element(
            "div", html.dialog_button(ADMIN.kill_switch, spec, look="er-danger"), class_="er-row-of er-spread"
        )
    return courses(oldest_first) + kill + element("ol", join(items), class_="er-timeline")


def _reason() -> dict[str, object]:
    return html.field("reason", TEXTS.reason, type="area", rows=2, required=True)


def _version(version: Version, *, served: str, me: Me) -> Html:
    is_served = version.id == served
    name = ADMIN.base if version.id == BASE else html.short(version.id, 12)
    edits = ADMIN.edits.format(n=len(version.corrections) or len(version.artefacts))
    badges = [html.badge(ADMIN.serving_now, "live")] if is_served else []
    if version.purged:
        badges.append(html.badge(ADMIN.purged, "warn"))
    figures = [
        (title, _said(figure, names))
        for title, names in ADMIN.figures
        if (figure := figure_of(version, names)) is not None
    ]
    restore = html.EMPTY
    if me.may_administer and not is_served and not version.purged:
        spec = html.dialog(
            ADMIN.restore_title.format(version=name),
            act="restore",
            id=version.id,
            text=ADMIN.restore_text,
            ok=ADMIN.restore,
            fields=[_reason()],
        )
        restore = html.dialog_button(ADMIN.restore, spec)
    when = version.live_since or version.created
    head = element(
        "div",
        element(
            "div",
            element("b", name, title=version.id),
            *badges,
            element("span", edits, class_="er-quiet"),
            html.ago(when),
            class_="er-row-of",
        ),
        restore,
        class_="er-row-of er-spread",
    )
    sha = f"sha256 {html.short(version.tensors_sha256, 16)}" if version.tensors_sha256 else ""
    return element(
        "li",
        head,
        html.pairs(figures),
        element("div", sha, class_="er-mono er-quiet") if sha else "",
        class_="er-on" if is_served else None,
    )
