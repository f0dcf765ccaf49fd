"""The admin page: decide about reports, watch and undo edits, keep knowledge, read the log, manage people."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr

from . import attention_view, erasure_view, html, queue_view, records_view, versions_view
from .acting import TELLS, caller, open_queue, panel, warn, words_for
from .admin_acts import AdminActs, Done
from .admin_texts import ADMIN
from .client import Caller, Gateway
from .errors import UiError
from .records import Me, Report, Version, Worker
from .texts import TEXTS

PAGE = 50  # reports drawn at a time; the rest is a click away, so that ten thousand are as quick as ten
LOG_PAGE = 40
TABS = ("queue", "live", "versions", "knowledge", "erasure", "log", "people", "health")  # named by ADMIN.tabs
_BUS = "window.errataSend = (data) => trigger('act', data);"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminState:
    """What one tab of the admin page looks at."""

    me: Me | None = None
    tab: str = TABS[0]
    status: str = "queued"
    sort: str = "priority"
    search: str = ""
    selected: str = ""
    rows: int = PAGE
    log_end: int = 0  # 0 is the end of the log
    erasure: str = ""  # the request that is open; the list where none is


@dataclass(slots=True)
class Desk:
    """The one thing of a tab that changes in place, so that a drawing that took long can see that it is out of date."""

    look: AdminState
    turn: int = 0

    def turn_to(self, **changes: Any) -> None:
        """Look at something else, or at the same anew; whatever is being drawn now is out of date from here on."""
        self.look = replace(self.look, **changes)
        self.turn += 1


class AdminPage:
    """Builds the Blocks of `/admin`. The page itself holds no data: each event fetches it with the caller's cookie."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._acts = AdminActs()

    def build(self) -> gr.Blocks:
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        with gr.Blocks(title=TEXTS.admin_title, analytics_enabled=False, fill_width=True) as page:
            desk = gr.State(Desk(AdminState()))
            bus: Any = gr.HTML(" ", elem_id="er-bus", js_on_load=_BUS)
            told = gr.HTML("", elem_id="er-told", html_template=" ", js_on_load=TELLS)
            strip = panel("", "er-admin")
            views: dict[str, gr.HTML] = {}
            with gr.Tabs(elem_id="er-tabs", overflow_behavior="wrap") as tabs:
                with gr.Tab(ADMIN.tabs[0], id=TABS[0]), gr.Row(elem_id="er-desk"):
                    with gr.Column(scale=2, min_width=300, elem_id="er-left"):
                        filters = panel("", "er-filters")
                        with gr.Row(elem_id="er-find"):
                            search = gr.Textbox(
                                label=ADMIN.search_reports,
                                placeholder=ADMIN.search_reports,
                                show_label=False,
                                container=False,
                                elem_id="er-search",
                                scale=3,
                            )
                            sort = gr.Dropdown(
                                [(name, value) for value, name in ADMIN.sorts],
                                value="priority",
                                label=ADMIN.sort,
                                show_label=False,
                                container=False,
                                elem_id="er-sort",
                                scale=1,
                                min_width=110,
                                filterable=False,
                            )
                        queue = panel("", "er-queue")
                        panel(html.element("p", ADMIN.keys_hint, class_="er-quiet er-keys"))
                    with gr.Column(scale=3, min_width=320, elem_id="er-right"):
                        detail = panel("", "er-detail")
                for key, name in zip(TABS[1:], ADMIN.tabs[1:], strict=True):
                    with gr.Tab(name, id=key, render_children=True):
                        if key == "knowledge":
                            with gr.Row(elem_id="er-adding"):
                                add = panel("", "er-add")
                                upload = gr.UploadButton(
                                    ADMIN.upload, size="sm", elem_id="er-upload", file_count="single", type="filepath"
                                )
                            views[key] = panel()
                            playground = gr.Textbox(
                                label=ADMIN.playground,
                                placeholder=ADMIN.playground_hint,
                                elem_id="er-playground",
                                submit_btn=True,
                            )
                            found = panel("", "er-found")
                        else:
                            views[key] = panel()
            clock = gr.Timer(4)

            drawn = [told, strip, filters, queue, detail, add, *views.values()]
            self._slots = {
                name: n for n, name in enumerate(("told", "strip", "filters", "queue", "detail", "add", *views))
            }
            page.load(self.open, [desk], drawn, **quiet)
            page.load(self.find_by_words, None, [search], **quiet)
            clock.tick(self.refresh, [desk], drawn, trigger_mode="once", **quiet)
            tabs.select(self.choose_tab, [desk], drawn, **quiet)
            bus.act(self.act, [desk], drawn, trigger_mode="multiple", **quiet)
            search.change(self.find, [desk, search, sort], drawn, trigger_mode="always_last", **quiet)
            sort.change(self.find, [desk, search, sort], drawn, **quiet)
            upload.upload(self.upload, [desk, upload], drawn, **quiet)
            playground.submit(self.try_search, [playground], [found], **quiet)
        open_queue(page)
        return page

    # events

    async def open(self, desk: Desk, request: gr.Request) -> list[Any]:
        me = caller(self._gateway, request)
        try:
            desk.turn_to(me=await me.me())
        except UiError as error:
            warn(error)
            return self._row(strip=html.problem(words_for(error)))
        return await self._draw(me, desk)

    async def find_by_words(self, request: gr.Request) -> Any:
        """The box to search in is there for those who may read what was reported."""
        with contextlib.suppress(UiError):
            who = await caller(self._gateway, request).me()
            return gr.update(visible=who.may_review)
        return gr.skip()

    async def refresh(self, desk: Desk, request: gr.Request) -> list[Any]:
        return await self._draw(caller(self._gateway, request), desk)

    async def choose_tab(self, desk: Desk, event: gr.SelectData, request: gr.Request) -> list[Any]:
        desk.turn_to(tab=dict(zip(ADMIN.tabs, TABS, strict=True)).get(str(event.value), TABS[0]))
        return await self._draw(caller(self._gateway, request), desk)

    async def find(self, desk: Desk, search: str, sort: str, request: gr.Request) -> list[Any]:
        desk.turn_to(search=search.strip(), sort=sort, rows=PAGE)
        return await self._draw(caller(self._gateway, request), desk)

    async def upload(self, desk: Desk, path: str, request: gr.Request) -> list[Any]:
        me = caller(self._gateway, request)
        await self._acts.upload(me, path)
        desk.turn_to()
        return await self._draw(me, desk)

    async def try_search(self, query: str, request: gr.Request) -> str:
        if not query.strip():
            return ""
        me = caller(self._gateway, request)
        try:
            passages, explained = await asyncio.gather(me.search_knowledge(query), me.explain_route(query))
        except UiError as error:
            return html.problem(words_for(error))
        return records_view.found_passages(passages, explained)

    async def act(self, desk: Desk, event: gr.EventData, request: gr.Request) -> list[Any]:
        me = caller(self._gateway, request)
        done: Done = await self._acts.do(me, event)
        desk.turn_to(**done.look)
        if desk.look.me is None:
            return await self.open(desk, request)
        return await self._draw(me, desk, told=done.told)

    # drawing

    def _row(self, **views: object) -> list[Any]:
        """One value per output: what is not named stays as it is."""
        row: list[Any] = [gr.skip()] * len(self._slots)
        for name, view in views.items():
            if view is not None:
                row[self._slots[name]] = view
        return row

    async def _draw(self, me: Caller, desk: Desk, *, told: str | None = None) -> list[Any]:
        """The line on top and the tab that is open; a part that cannot be read says so in its own place."""
        turn, look = desk.turn, desk.look
        if look.me is None:
            return self._row()
        strip, views = await asyncio.gather(self._strip(me, look.me), self._views(me, look, look.me))
        if desk.turn != turn:
            return self._row(told=told)
        return self._row(told=told, strip=strip, **views)

    async def _strip(self, me: Caller, who: Me) -> str:
        try:
            counts, served, worker, ready = await asyncio.gather(
                me.counts(), me.current_version(), _or(me.worker, Worker.read({})), me.health()
            )
        except UiError as error:
            return html.problem(words_for(error))
        return records_view.strip(
            who, waiting=counts.get("queued", 0), served=served, worker=worker, ready=bool(ready["ready"])
        )

    async def _views(self, me: Caller, state: AdminState, who: Me) -> dict[str, object]:
        try:
            return await self._tab(me, state, who)
        except UiError as error:
            name = "detail" if state.tab == TABS[0] else state.tab
            return {name: html.problem(words_for(error))}

    async def _tab(self, me: Caller, state: AdminState, who: Me) -> dict[str, object]:
        match state.tab:
            case "queue":
                return await self._queue(me, state)
            case "live":
                (edited, _), (carded, _), alarms, due = await asyncio.gather(
                    _reports(partial(me.reports, status="live")),
                    _reports(partial(me.reports, status="in_knowledge")),
                    me.alarms(),
                    me.due_for_review(),
                )
                live = sorted([*edited, *carded], key=lambda r: r.created, reverse=True)
                shown = attention_view.attention(alarms, due, who) + versions_view.live_edits(live, who)
            case "versions":
                versions, served = await asyncio.gather(me.versions(), me.current_version())
                shown = versions_view.timeline(_unique(versions), served=served, me=who)
            case "knowledge":
                documents = records_view.documents(await me.documents(), who)
                return {"add": records_view.add_buttons(who), state.tab: documents}
            case "erasure":
                if state.erasure:
                    shown = erasure_view.checklist(await me.erasure(state.erasure), who)
                else:
                    shown = erasure_view.requests(await me.erasures(), who)
            case "log":
                shown = await self._log(me, state)
            case "people":
                shown = records_view.people(await me.people()) if who.may_administer else html.empty(ADMIN.admins_only)
            case _:
                shown = records_view.health(await me.health())
        return {state.tab: shown}

    async def _queue(self, me: Caller, state: AdminState) -> dict[str, object]:
        counts, selected, (reports, more) = await asyncio.gather(
            me.counts(),
            self._selected(me, state),
            _reports(partial(me.reports, status=state.status, search=state.search, sort=state.sort), most=state.rows),
        )
        return {
            "filters": queue_view.filters(counts, current=state.status),
            "queue": queue_view.listing(reports, selected=state.selected, more=more),
            "detail": queue_view.detail(selected, state.me),
        }

    async def _selected(self, me: Caller, state: AdminState) -> Report | None:
        return await me.report(state.selected) if state.selected else None

    async def _log(self, me: Caller, state: AdminState) -> html.Html:
        size = await me.log_size()
        end = min(state.log_end or size, size)
        first = max(0, end - LOG_PAGE)
        entries = await me.entries(first, limit=max(1, end - first))
        older = html.button(ADMIN.older, act="log", id=str(first), disabled=first == 0)
        newer = html.button(ADMIN.newer, act="log", id=str(min(size, end + LOG_PAGE)), disabled=end >= size)
        said = html.element("span", ADMIN.log_of.format(first=first + 1, last=end), class_="er-quiet")
        return html.element("div", older, newer, said, class_="er-row-of") + records_view.log(entries)


Fetch = Callable[..., Awaitable[tuple[list[Report], str]]]


async def _reports(fetch: Fetch, *, most: int | None = None) -> tuple[list[Report], bool]:
    """As many as are shown, all without a `most`, page by page; and whether there are more."""
    reports: list[Report] = []
    cursor = ""
    while most is None or len(reports) < most:
        page, cursor = await fetch(limit=PAGE, cursor=cursor)
        reports += page
        if not cursor:
            break
    return reports, bool(cursor)


async def _or(call: Callable[[], Awaitable[Worker]], otherwise: Worker) -> Worker:
    """The answer, or the stand-in where the gateway has none: a missing worker is no reason for an empty page."""
    try:
        return await call()
    except UiError:
        return otherwise


def _unique(versions: list[Version]) -> list[Version]:
    """A set of weights that came back is one version, however often it was served."""
    return list({version.id: version for version in versions}.values())
