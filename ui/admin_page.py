"""The admin page: decide about reports, watch and undo edits, keep knowledge, read the log, manage people."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from . import (
    attention_view,
    erasure_view,
    health_view,
    html,
    knowledge_view,
    log_view,
    people_view,
    queue_view,
    versions_view,
)
from .acting import TELLS, caller, open_queue, panel, words_for
from .admin_acts import AdminActs, Done
from .admin_records import Worker
from .admin_texts import ADMIN
from .client import Caller, Gateway
from .desk import PAGE, TABS, AdminState, Desk, Upload
from .errors import UiError
from .html import Html
from .records import Me, Report
from .texts import TEXTS

MOST_AT_ONCE = 200  # the gateway's limit
MAX_SEARCH = 200  # characters; the gateway refuses more
LOG_PAGE = 40
T = TypeVar("T")
_BUS = "window.errataSend = (data) => trigger('act', data);"


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
                                max_length=MAX_SEARCH,
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
                        keys = panel("")
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

            slots = {
                "told": told,
                "filters": filters,
                "queue": queue,
                "keys": keys,
                "detail": detail,
                "add": add,
                **views,
            }
            self._slots, drawn = {name: n for n, name in enumerate(slots)}, list(slots.values())
            for comes in (page.load, clock.tick):
                comes(self.refresh, [desk], drawn, trigger_mode="once", **quiet)
                # By itself: it waits for the engine, and nothing else may have to.
                comes(self.on_top, [desk], [strip], trigger_mode="once", **quiet)
            page.load(self.find_by_words, None, [search], **quiet)
            # Not "always_last": Gradio would send the first click once more in the place of the last.
            tabs.select(self.choose_tab, [desk], drawn, trigger_mode="multiple", **quiet)
            bus.act(self.act, [desk], drawn, trigger_mode="multiple", **quiet)
            search.change(self.find, [desk, search, sort], drawn, trigger_mode="always_last", **quiet)
            sort.change(self.find, [desk, search, sort], drawn, **quiet)
            upload.upload(self.upload, [desk, upload], [told], **quiet)
            playground.submit(self.try_search, [playground], [found], **quiet)
        open_queue(page)
        return page

    # events

    async def find_by_words(self, request: gr.Request) -> Any:
        """The box to search in is there for those who may read what was reported."""
        with contextlib.suppress(UiError):
            who = await caller(self._gateway, request).me()
            return gr.update(visible=who.may_review)
        return gr.skip()

    async def refresh(self, desk: Desk, request: gr.Request) -> list[Any]:
        return await self._draw(caller(self._gateway, request), desk)

    async def choose_tab(self, desk: Desk, event: gr.SelectData, request: gr.Request) -> list[Any]:
        desk.turn_to(tab=dict(zip(ADMIN.tabs, TABS, strict=True)).get(str(event.value), TABS[0]), rows=PAGE)
        return await self._draw(caller(self._gateway, request), desk)

    async def find(self, desk: Desk, search: str, sort: str, request: gr.Request) -> list[Any]:
        desk.turn_to(search=search.strip(), sort=sort, rows=PAGE)
        return await self._draw(caller(self._gateway, request), desk)

    async def upload(self, desk: Desk, path: str) -> str:
        """Keep a file until its title and dates are known; Gradio's copy is removed."""
        file = Path(path)
        desk.look = replace(desk.look, file=Upload(file.name, file.read_bytes()))
        file.unlink()
        return html.tell(knowledge_view.file_dialog(file.name))

    async def try_search(self, query: str, request: gr.Request) -> str:
        if not query.strip():
            return ""
        me = caller(self._gateway, request)
        try:
            passages, explained = await asyncio.gather(me.search_knowledge(query), me.explain_route(query))
        except UiError as error:
            return html.problem(words_for(error))
        return knowledge_view.found_passages(passages, explained)

    async def act(self, desk: Desk, event: gr.EventData, request: gr.Request) -> list[Any]:
        me = caller(self._gateway, request)
        done: Done = await self._acts.do(me, event, file=desk.look.file)
        desk.turn_to(**done.look)
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
        """The tab that is open; a part that cannot be read says so in its own place."""
        turn, tab = desk.turn, desk.look.tab
        try:
            views = await self._tab(me, desk, await self._who(me, desk))
        except UiError as error:
            views = {"detail" if tab == TABS[0] else tab: html.problem(words_for(error))}
        return self._row(told=told, **(views if desk.turn == turn else {}))

    async def _who(self, me: Caller, desk: Desk) -> Me:
        """Asked for until the gateway has said it once."""
        who = desk.look.me or await me.me()
        desk.look = replace(desk.look, me=who)
        return who

    async def on_top(self, desk: Desk, request: gr.Request) -> str:
        """The line on top: what waits, what is served, what the worker does, whether the engine answers."""
        me = caller(self._gateway, request)
        try:
            who, counts, served, worker, ready = await asyncio.gather(
                self._who(me, desk),
                self._counts(me, desk),
                me.current_version(),
                _or(me.worker, Worker.read({})),
                me.ready(),
            )
        except UiError as error:
            return html.problem(words_for(error))
        return health_view.strip(
            who, waiting=counts.get("queued", 0), served=served, worker=worker, ready=bool(ready["ready"])
        )

    async def _counts(self, me: Caller, desk: Desk) -> Mapping[str, int]:
        """The queue has them already where it is open."""
        return (desk.look.tab == TABS[0] and desk.counts) or await me.counts()

    async def _tab(self, me: Caller, desk: Desk, who: Me) -> dict[str, object]:
        state = desk.look
        match state.tab:
            case "queue":
                return await self._queue(me, desk, who)
            case "live":
                (edited, more_edited), (carded, more_carded), alarms, due = await asyncio.gather(
                    _reports(partial(me.reports, status="live"), most=state.rows),
                    _reports(partial(me.reports, status="in_knowledge"), most=state.rows),
                    me.alarms(),
                    me.due_for_review(),
                )
                live = sorted([*edited, *carded], key=lambda r: r.created, reverse=True)
                more = more_edited or more_carded or len(live) > state.rows
                listed = versions_view.live_edits(live[: state.rows], who, more=more)
                shown = attention_view.attention(alarms, due, who) + listed
            case "versions":
                versions, served = await asyncio.gather(me.versions(), me.current_version())
                shown = versions_view.timeline(versions, served=served, me=who)
            case "knowledge":
                documents = knowledge_view.documents(await me.documents(), who)
                return {"add": knowledge_view.add_buttons(who), state.tab: documents}
            case "erasure":
                if state.erasure:
                    shown = erasure_view.checklist(await me.erasure(state.erasure), who)
                else:
                    shown = erasure_view.requests(await me.erasures(), who)
            case "log":
                shown = await self._log(me, state, who)
            case "people":
                shown = people_view.people(await me.people(), who) if who.may_audit else html.empty(ADMIN.admins_only)
            case _:
                shown = health_view.health(await me.health())
        return {state.tab: shown}

    async def _queue(self, me: Caller, desk: Desk, who: Me) -> dict[str, object]:
        state = desk.look

        async def count() -> Mapping[str, int]:
            desk.counts = await me.counts()
            return desk.counts

        filters, queue, detail = await asyncio.gather(
            _part(count(), partial(queue_view.filters, current=state.status)),
            _part(
                _reports(
                    partial(me.reports, status=state.status, search=state.search, sort=state.sort), most=state.rows
                ),
                lambda found: queue_view.listing(found[0], selected=state.selected, more=found[1]),
            ),
            _part(self._selected(me, state), lambda report: queue_view.detail(report, who)),
        )
        return {"filters": filters, "queue": queue, "keys": queue_view.keys(who), "detail": detail}

    async def _selected(self, me: Caller, state: AdminState) -> Report | None:
        return await me.report(state.selected) if state.selected else None

    async def _log(self, me: Caller, state: AdminState, who: Me) -> Html:
        size = await me.log_size()
        last = min(state.log_end or size, size)
        first = max(0, last - LOG_PAGE)
        entries = await me.entries(first, limit=max(1, last - first))
        return log_view.head(who, first=first, last=last, size=size, page=LOG_PAGE) + log_view.log(entries)


Fetch = Callable[..., Awaitable[tuple[list[Report], str]]]


async def _reports(fetch: Fetch, *, most: int) -> tuple[list[Report], bool]:
    """As many as are shown, page by page; and whether there are more."""
    reports: list[Report] = []
    cursor = ""
    while len(reports) < most:
        page, cursor = await fetch(limit=min(MOST_AT_ONCE, most - len(reports)), cursor=cursor)
        reports += page
        if not cursor:
            break
    return reports, bool(cursor)


async def _part(found: Awaitable[T], show: Callable[[T], Html]) -> Html:
    """A part as it is shown, or why it cannot be read: the parts beside it are none the worse."""
    try:
        return show(await found)
    except UiError as error:
        return html.problem(words_for(error))


async def _or(call: Callable[[], Awaitable[Worker]], otherwise: Worker) -> Worker:
    """The answer, or the stand-in where the gateway has none: a missing worker is no reason for an empty page."""
    try:
        return await call()
    except UiError:
        return otherwise
