"""The queue as HTML: filters with counts, the list, and one report with all that a decision needs."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from . import html, plots
from .admin_texts import ADMIN
from .decisions_view import actions, question_of
from .html import Html, element, join
from .people_view import role_name
from .reading import Json
from .records import Me, Report
from .texts import TEXTS

_PLAIN_TIERS = ("", "low", "standard", "ordinary", "normal")


def filters(counts: Mapping[str, int], *, current: str) -> Html:
    """Chips for the statuses that occur, the first one and "all" in any case."""
    chips = []
    for status, name in ADMIN.filters:
        n = sum(counts.values()) if status == "" else counts.get(status, 0)
        if n == 0 and status not in (current, "queued", ""):
            continue
        chips.append(
            element(
                "button",
                name,
                " ",
                element("span", str(n), class_="er-count"),
                type="button",
                class_="er-chip",
                data_act="filter",
                data_id=status or "all",
                aria_pressed="true" if status == current else "false",
            )
        )
    return element("div", join(chips), class_="er-chips", role="group", aria_label=ADMIN.filter_by)


def keys(me: Me) -> Html:
    """The keys that do something for this role."""
    may = {"": True, "reviewer": me.may_review, "admin": me.may_administer}
    said = ", ".join(said for role, said in ADMIN.keys if may[role])
    turned = html.button(TEXTS.keys, act="keys", look="er-plain")
    return element("div", element("span", said, class_="er-keys-said"), turned, class_="er-quiet er-keys er-row-of")


def listing(reports: Sequence[Report], *, selected: str, more: bool) -> Html:
    if not reports:
        return html.empty(ADMIN.queue_empty)
    rows = [element("li", _row(report, selected=report.id == selected)) for report in reports]
    return element("ul", join(rows), class_="er-queue") + more_button(len(reports), more=more)


def more_button(shown: int, *, more: bool) -> Html:
    return html.button(TEXTS.load_more, act="more", id=str(2 * shown), look="er-plain") if more else html.EMPTY


def _row(report: Report, *, selected: bool) -> Html:
    badges = [status_badge(report)]
    if report.remedy:
        badges.append(html.badge(ADMIN.remedies.get(report.remedy, report.remedy), report.remedy))
    if report.risk_tier not in _PLAIN_TIERS:
        badges.append(html.badge(report.risk_tier, "high"))
    if report.conflicts:
        badges.append(html.badge(ADMIN.conflicts, "warn"))
    if report.priority > 1:
        badges.append(html.badge(f"×{report.priority}", "count"))
    return element(
        "button",
        element("span", question_of(report), class_="er-row-title"),
        element("span", f"→ {report.correct_answer}" if report.correct_answer else "", class_="er-row-answer"),
        element(
            "span",
            join(badges, " "),
            " ",
            element("span", html.ago(report.created), class_="er-quiet"),
            class_="er-row-of",
        ),
        type="button",
        class_="er-row",
        data_act="select",
        data_id=report.id,
        aria_current="true" if selected else None,
    )


def status_badge(report: Report) -> Html:
    if report.undo_requested:
        return html.badge(ADMIN.undo_pending, "warn")
    return html.badge(TEXTS.statuses.get(report.status, report.status), report.status)


def detail(report: Report | None, me: Me, *, aside: bool = False) -> Html:
    """One report: the actions on top, then claim, triage, wordings, approvals, history; `aside` if a dialog shows it."""
    if report is None:
        return html.empty(ADMIN.choose)
    head = element(
        "header",
        element("h2", question_of(report)),
        element("div", status_badge(report), _remedy(report), *_tier(report), _printed(report), class_="er-row-of"),
        class_="er-detail-head",
    )
    parts = [
        head,
        *_bar(actions(report, me)),
        *_barred(report, me),
        _claim(report),
        _reporter(report),
        _triage(report),
        _related(report, act="show" if aside else "select"),
    ]
    if report.remedy == "weights":
        parts += [_wordings(report, name, title) for name, title in ADMIN.wordings.items() if report.wordings(name)]
    parts += [_approvals(report), _verification(report), _history(report)]
    return element("article", join(parts), class_="er-detail", data_report=report.id)


def _wordings(report: Report, name: str, title: str) -> Html:
    """Questions that an edit learns from or is judged by, and whether a person wrote them."""
    lines = element("ul", join([element("li", line) for line in report.wordings(name)]), class_="er-lines")
    by_rule = html.EMPTY if getattr(report, name) else element("p", ADMIN.generated, class_="er-quiet")
    return _section(title, by_rule + lines)


def _bar(buttons: Sequence[Html]) -> list[Html]:
    return [element("div", *buttons, class_="er-actions")] if buttons else []


def _barred(report: Report, me: Me) -> list[Html]:
    """Why who could approve may not approve this one."""
    if report.status != "queued" or not me.may_administer or not report.approval_barred:
        return []
    return [element("p", ADMIN.approval_barred.format(why=report.approval_barred), class_="er-note")]


def _section(title: str, *content: str) -> Html:
    return element("section", element("h3", title, class_="er-h"), *content)


def _printed(report: Report) -> Html:
    """The whole record as a page to print or to file."""
    where = f"/v1/corrections/{report.id}/report"
    return element("a", ADMIN.printed, href=where, target="_blank", rel="noopener", class_="er-button er-plain")


def _remedy(report: Report) -> Html:
    return html.badge(ADMIN.remedies.get(report.remedy, report.remedy), report.remedy or "count")


def _tier(report: Report) -> list[Html]:
    shown = []
    if report.risk_tier:
        shown.append(
            html.badge(
                f"{ADMIN.risk}: {report.risk_tier}",
                "count" if report.risk_tier in _PLAIN_TIERS else "high",
            )
        )
    if report.due and report.status in ("flagged", "needs_evidence", "queued"):
        before, after = ADMIN.due.split("{time}")
        shown.append(element("span", before, html.ago(report.due), after, class_="er-quiet"))
    return shown


def _claim(report: Report) -> Html:
    sides = [
        (ADMIN.answer_given, report.answer_old or ADMIN.hidden, "er-wrong"),
        (ADMIN.right_answer, report.correct_answer or ADMIN.hidden, "er-right"),
    ]
    compared = element(
        "div",
        join([element("div", element("b", label), text, class_=look) for label, text, look in sides]),
        class_="er-compare",
    )
    facts = html.pairs(
        [
            (ADMIN.asked, report.question if report.question != report.canonical_question else ""),
            (ADMIN.answered_by, TEXTS.routes.get(report.route, report.route)),
            (ADMIN.canonical_question, report.canonical_question),
            (ADMIN.subject, report.subject or (ADMIN.no_subject if report.remedy == "weights" else "")),
        ]
    )
    return _section(ADMIN.claim, compared, facts)


def _reporter(report: Report) -> Html:
    named = dict(TEXTS.categories).get(report.category, report.category)
    sources = join(list(_evidence(report))) if report.evidence else ADMIN.no_evidence
    return _section(
        ADMIN.from_reporter,
        html.pairs([(ADMIN.category, named), (ADMIN.comment, report.comment), (ADMIN.evidence, sources)]),
    )


def _evidence(report: Report) -> Iterator[Html]:
    """Each source, and whether triage found the answer in it."""
    found = report.triage.get("evidence")
    findings = found[: len(report.evidence)] if isinstance(found, list) else []  # what came later was not looked at
    for source, finding in zip_longest(report.evidence, findings):
        said = ""
        if isinstance(finding, Mapping):
            holds = finding.get("holds_answer")
            unread = ADMIN.evidence_unread.format(why=finding.get("why", "?"))
            said = " · " + (unread if holds is None else ADMIN.evidence_holds if holds else ADMIN.evidence_lacks)
        yield element("div", html.link(source, source), said)


def _triage(report: Report) -> Html:
    triage = report.triage
    rows: list[tuple[str, str]] = [(ADMIN.proposal, report.reason)]
    fresh = triage.get("freshness")
    if isinstance(fresh, Mapping):
        words = ADMIN.evergreen if fresh.get("evergreen") else ADMIN.changing
        share = fresh.get("probability")
        sure = share if fresh.get("evergreen") or not isinstance(share, float) else 1 - share
        said = words.format(probability=_percent(sure), horizon=fresh.get("horizon", "?"))
        rows.append((ADMIN.freshness, said + (f" · {ADMIN.unsure}" if fresh.get("confident") is False else "")))
    persistence = triage.get("persistence")
    if isinstance(persistence, Mapping):
        rows.append((ADMIN.persistence, _persistence(persistence)))
    pull = triage.get("pull_back")
    if isinstance(pull, Mapping) and pull.get("asked"):
        rows.append((ADMIN.pull_back, ADMIN.pull_back_said.format(wrong=pull.get("wrong", 0), asked=pull["asked"])))
    personal = triage.get("personal_data")
    if personal:
        rows.append((ADMIN.personal_data, ", ".join(str(kind) for kind in personal)))
    return _section(ADMIN.triage, html.pairs(rows)) if any(value for _, value in rows) else html.EMPTY


def _related(report: Report, *, act: str) -> Html:
    """The way to other reports on the same question."""
    named = [
        (ADMIN.conflicts, report.conflicts),
        (ADMIN.duplicate_of, (report.duplicate_of,)),
        (ADMIN.superseded_by, (report.superseded_by,)),
    ]
    rows = []
    for label, ids in named:
        links = [
            html.button(ADMIN.open_report.format(id=html.short(i)), act=act, id=i, look="er-plain") for i in ids if i
        ]
        rows.append((label, join(links, " ")))
    return html.pairs(rows)


def _persistence(found: Json) -> Html:
    asked, wrong = int(found.get("asked") or 0), int(found.get("wrong") or 0)
    said = ADMIN.persistence_said.format(wrong=wrong, asked=asked)
    if found.get("repeated"):
        said += "; " + ADMIN.repeated_said.format(repeated=found["repeated"])
    return plots.dots(wrong, asked, label=said) + element("div", said)


def _percent(share: Any) -> str:
    return f"{share:.0%}" if isinstance(share, int | float) else "?"


def _approvals(report: Report) -> Html:
    if not report.approvals_needed and not report.approvals:
        return html.EMPTY
    given = [
        element(
            "li",
            element("b", _named(str(a.get("actor", "")), str(a.get("role") or ""))),
            " ",
            html.moment(str(a.get("at", ""))),
            " ",
            str(a.get("reason") or ""),
        )
        for a in report.approvals
    ]
    count = ADMIN.approvals_said.format(given=len(given), needed=max(report.approvals_needed, len(given)))
    chosen = dict(ADMIN.fallbacks).get(report.fallback, report.fallback)
    rows = [(ADMIN.fallback, chosen if given and report.remedy == "weights" else "")]
    listed = element("ul", join(given), class_="er-lines") if given else html.EMPTY
    return _section(f"{ADMIN.approvals}: {count}", listed + html.pairs(rows))


def _verification(report: Report) -> Html:
    """What the gate measured: passed of asked, what the edited model said, and why it failed if it did."""
    found = report.verification
    rows: list[tuple[str, str]] = []
    for key, name in ADMIN.verified:
        rate = found.get(key)
        if isinstance(rate, Mapping) and rate.get("of"):
            said = ADMIN.verified_said.format(passed=rate.get("passed"), of=rate["of"])
            rows.append((name, plots.dots(int(rate.get("passed") or 0), int(rate["of"]), label=said, good=True) + said))
    rows.append((ADMIN.verified_reply, str(found.get("reply") or "")))
    rows.append((ADMIN.verified_failed, "; ".join(str(reason) for reason in found.get("reasons") or ())))
    if report.version_before or report.version_after:
        said = ADMIN.versions_said.format(
            before=html.short(report.version_before) or "–", after=html.short(report.version_after) or "…"
        )
        rows.append((ADMIN.weights_version, said))
    rows.append((ADMIN.review_due, html.ago(report.review_due)))
    return _section(ADMIN.verification, html.pairs(rows)) if any(value for _, value in rows) else html.EMPTY


def probe_table(rows: Sequence[Any]) -> Html:
    """Before and after replies of probes, as a preview or a verification report brings them."""
    lines = []
    for row in rows:
        if not isinstance(row, Mapping) or "question" not in row:
            continue
        ok = row.get("ok")
        mark = html.EMPTY if ok is None else html.badge(ADMIN.good if ok else ADMIN.bad, "ok" if ok else "bad")
        kind = str(row.get("kind", ""))
        lines.append(
            [
                ADMIN.probe_kinds.get(kind, kind),
                str(row["question"]),
                str(row.get("before") or ""),
                str(row.get("after") or ""),
                mark,
            ]
        )
    return html.table(ADMIN.probe_columns, lines, label=ADMIN.probes) if lines else html.EMPTY


def _history(report: Report) -> Html:
    lines = [
        element(
            "li",
            html.badge(TEXTS.statuses.get(move.after, move.after), move.after),
            " ",
            element("span", _named(move.actor, move.role)),
            " ",
            element("span", html.moment(move.at), class_="er-quiet"),
            element("div", move.reason, class_="er-quiet") if move.reason else "",
        )
        for move in reversed(report.moves)
    ]
    return _section(ADMIN.history, element("ol", join(lines), class_="er-lines er-history")) if lines else html.EMPTY


def _named(actor: str, role: str) -> str:
    """A pseudonym is shown short, with its role; a loop of the server by its name."""
    name = html.short(actor, 6) if actor.startswith("psn_") else actor
    return f"{name} ({role_name(role)})" if role and role != name else name
