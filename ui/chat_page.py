"""The chat page: asking, stopping, the list of chats, sources, reports."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import gradio as gr

from . import chat_acts, html, own_reports_view
from . import chat_view as view
from .acting import TELLS, Act, caller, inform, open_queue, panel, path_id, refuse, warn, words_for
from .chat_acts import Done
from .chat_state import CHATS, WINDOW, ChatState, Tab, as_prompt, is_unfinished
from .client import Caller, Gateway
from .errors import GatewayRefused, SignedOut, UiError
from .records import Turn
from .texts import TEXTS
from .transcript import grown, message, messages

_REDRAW_S = 0.06
_REST = 4  # a long conversation takes long to draw: rest four times as long, so that the server keeps answering
_SETTLE_S = 0.25
_LOOKS = 8  # for a conversation that is being stored
_DRAWN = 5  # outputs: state, messages, composer, list of chats and head
# What goes elsewhere hangs up on the answer that streams; deleting another chat does not.
_CHANNELS = """
const channels = {retry: 'ask', edit: 'ask', hint: 'ask', try: 'begin', open: 'go', earlier: 'go'};
const isShown = (id) => document.querySelector('#er-chats [aria-current]')?.dataset.id === id;
window.errataSend = (data) =>
  trigger(data.name === 'delete' && isShown(data.id) ? 'go' : channels[data.name] || 'act', data);
"""


class ChatPage:
    """Builds the Blocks of `/` and answers its events; it keeps nothing between requests but what Gradio keeps per tab."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def build(self) -> gr.Blocks:
        with gr.Blocks(title=TEXTS.chat_title, analytics_enabled=False, fill_height=True, fill_width=True) as page:
            state = gr.State(ChatState())
            fixed, tab = gr.State(-1), gr.State(Tab())
            with gr.Sidebar(width=290, elem_id="er-sidebar"):
                panel(html.element("div", TEXTS.product, class_="er-brand"))
                new = gr.Button(TEXTS.new_chat, variant="primary", size="md", elem_id="er-new")
                search = gr.Textbox(
                    placeholder=TEXTS.search_chats,
                    label=TEXTS.search_chats,
                    show_label=False,
                    container=False,
                    elem_id="er-search-chats",
                )
                chats = panel("", "er-chats")
                account = panel("", "er-account")
            with gr.Column(elem_id="er-main"):
                top = panel("", "er-top")
                bot = gr.Chatbot(
                    elem_id="er-bot",
                    label=TEXTS.transcript,
                    show_label=False,
                    container=False,
                    layout="panel",
                    buttons=[],
                    feedback_options=None,
                    sanitize_html=True,
                    allow_tags=False,
                    height="100%",
                    latex_delimiters=[
                        {"left": "$$", "right": "$$", "display": True},
                        {"left": "\\(", "right": "\\)", "display": False},
                    ],
                )
                with gr.Column(elem_id="er-composer"):
                    ask = gr.Textbox(
                        elem_id="er-ask",
                        placeholder=TEXTS.ask,
                        label=TEXTS.ask_label,
                        show_label=False,
                        container=False,
                        lines=1,
                        max_lines=8,
                        max_length=20000,
                        submit_btn=True,
                        autofocus=True,
                    )
                    panel(view.notice())
            bus: Any = gr.HTML(" ", elem_id="er-bus", js_on_load=_CHANNELS)
            told = gr.HTML("", elem_id="er-told", html_template=" ", js_on_load=TELLS)
            clock = gr.Timer(20)

            drawn, around = [state, bot, ask, chats, top], [tab, search]
            quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
            asking = [
                ask.submit(self.ask, [ask, state, *around], drawn, **quiet),
                bus.ask(self.ask_again, [state, *around], drawn, **quiet),
            ]
            # Each hangs up before it does anything: with `cancels` beside a handler Gradio would do so after it.
            bus.begin(None, None, None, cancels=asking, **quiet)
            asking.append(bus.begin(self.try_fixed, [state, *around], drawn, **quiet))
            for leaves in (ask.stop, bus.go, new.click):
                leaves(None, None, None, cancels=asking, **quiet)
            ask.stop(self.settle, None, None, **quiet).then(self.stopped, [state, *around], drawn, **quiet)
            bus.go(self.go, [state, *around], drawn, trigger_mode="multiple", **quiet)
            new.click(self.start_new, [state, *around], drawn, **quiet)
            bus.act(self.act, [state, *around], [told, chats, top, account], trigger_mode="multiple", **quiet)
            search.change(self.find, [state, *around], [chats], trigger_mode="always_last", **quiet)
            clock.tick(self.tick, [fixed], [fixed, account], **quiet)
            page.load(self.open, [state, fixed], [chats, account, fixed, top, ask, new], **quiet)
        open_queue(page)
        return page

    # opening, listing

    async def open(self, state: ChatState, fixed: int, request: gr.Request) -> tuple[Any, ...]:
        me = caller(self._gateway, request)
        (account, fixed), chats, may_ask = await asyncio.gather(
            self._account(me, fixed), self._chats(me, state, Tab(), ""), self._may_ask(me)
        )
        if may_ask:
            return chats, account, fixed, view.top(state), gr.skip(), gr.skip()
        closed = gr.Textbox(interactive=False, placeholder=TEXTS.auditors_read, submit_btn=False)
        return chats, account, fixed, view.welcome(may_ask=False), closed, gr.Button(visible=False)

    async def _may_ask(self, me: Caller) -> bool:
        try:
            return (await me.me()).may_ask
        except UiError:
            return True  # the gateway says so itself

    async def tick(self, fixed: int, request: gr.Request) -> tuple[Any, ...]:
        account, now = await self._account(caller(self._gateway, request), fixed)
        return now, account

    async def _account(self, me: Caller, fixed: int) -> tuple[Any, int]:
        """The foot of the sidebar and how many own reports are fixed; says so when there are more than before."""
        try:
            who, counts = await asyncio.gather(me.me(), me.counts(mine=True))
        except SignedOut:
            return view.account(None), fixed
        except UiError:
            return gr.skip(), fixed
        now = sum(counts.get(status, 0) for status in own_reports_view.FIXED)
        if 0 <= fixed < now:
            inform(TEXTS.newly_fixed)
        return view.account(who, reports=sum(counts.values()), fixed=now), now

    async def _chats(self, me: Caller, state: ChatState, tab: Tab, search: str) -> str:
        try:
            found, more = await me.conversations(search.strip(), limit=tab.rows)
        except UiError as error:
            return html.problem(words_for(error))
        return view.conversation_list(
            found, current=state.conversation_id, searched=bool(search.strip()), more=more, turn=tab.turn
        )

    async def find(self, state: ChatState, tab: Tab, search: str, request: gr.Request) -> str:
        tab.rows = CHATS
        return await self._chats(caller(self._gateway, request), state, tab, search)

    # asking

    async def ask(
        self, question: str, state: ChatState, tab: Tab, search: str, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        question = question.strip()
        if not question:
            yield self._drawn(tab, state)
            return
        asked = replace(state, turns=(*state.turns, Turn(question=question, answer="")), before="")
        async for drawn in self._answer(asked, caller(self._gateway, request), tab, search):
            yield drawn

    async def try_fixed(
        self, state: ChatState, tab: Tab, search: str, event: gr.EventData, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        """Ask what one's own report was about in a new chat."""
        me = caller(self._gateway, request)
        tab.turn += 1
        if is_unfinished(state):
            await self.settle()
        try:
            report = await me.report(path_id(Act.read(event).id))
        except UiError as error:
            warn(error)
            return
        question = report.canonical_question or report.question
        fresh = ChatState(turns=(Turn(question=question, answer=""),), before=report.answer_old)
        async for drawn in self._answer(fresh, me, tab, search):
            yield drawn

    async def ask_again(
        self, state: ChatState, tab: Tab, search: str, event: gr.EventData, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        """Retry, edit the last question, or follow a hint."""
        act, me = Act.read(event), caller(self._gateway, request)
        if act.name == "hint":
            async for drawn in self.ask(TEXTS.examples[act.n % len(TEXTS.examples)], state, tab, search, request):
                yield drawn
            return
        if not state.turns:
            return
        last = state.turns[-1]
        question = act.form.get("question", "").strip() or last.question
        turn = Turn(question=question, answer="", replaces=last.answer_id or last.replaces)
        async for drawn in self._answer(replace(state.with_last(turn), before=""), me, tab, search):
            yield drawn

    async def _answer(self, state: ChatState, me: Caller, tab: Tab, search: str) -> AsyncIterator[tuple[Any, ...]]:
        """Fill in the last turn as it streams; closing this iterator hangs up on the gateway."""
        turn = state.turns[-1]
        prompt = [*as_prompt(state.turns[:-1]), {"role": "user", "content": turn.question}]
        yield self._drawn(tab, state, busy=True)
        earlier = messages(replace(state, turns=state.turns[:-1], shown=max(0, state.shown - 1)), ended=False)
        next_s = time.monotonic()
        chunks = me.stream_chat(prompt, conversation_id=state.conversation_id, replaces=turn.replaces)
        try:
            async for chunk in chunks:
                turn = grown(turn, chunk)
                if turn.provenance and turn.provenance.conversation_id:
                    state = replace(state, conversation_id=turn.provenance.conversation_id)
                state = state.with_last(turn)
                began = time.monotonic()
                if began >= next_s:
                    # What is being typed meanwhile stays: nothing but the messages is drawn.
                    yield state, [*earlier, *message(turn, last=True)], gr.skip(), gr.skip(), gr.skip()
                    ended = time.monotonic()
                    next_s = ended + max(_REDRAW_S, _REST * (ended - began))
        except UiError as error:
            if await self._is_gone(me, state, error):
                gone = replace(turn, error=TEXTS.chat_is_gone, replaces="")
                state = replace(state.with_last(gone), conversation_id="")
            else:
                state = await self._found_again(me, state.with_last(replace(turn, error=words_for(error))))
        finally:
            await chunks.aclose()  # type: ignore[attr-defined]
        state = replace(state, title=state.title or state.turns[0].question[:60])
        yield self._drawn(tab, state, chats=await self._chats(me, state, tab, search))

    async def _is_gone(self, me: Caller, state: ChatState, error: UiError) -> bool:
        """Whether there is no answer because the conversation has been deleted meanwhile, on another page perhaps."""
        if not (isinstance(error, GatewayRefused) and error.status == 404 and state.conversation_id):
            return False
        try:
            await me.conversation(state.conversation_id)
        except GatewayRefused as refused:
            return refused.status == 404
        except UiError:
            pass
        return False

    async def settle(self) -> None:
        """Wait until a cancelled answer has stopped drawing, so that what comes next is drawn last."""
        await asyncio.sleep(_SETTLE_S)

    async def stopped(self, state: ChatState, tab: Tab, search: str, request: gr.Request) -> tuple[Any, ...]:
        me = caller(self._gateway, request)
        state = await self._cut(me, state)
        return self._drawn(tab, state, chats=await self._chats(me, state, tab, search))

    async def _cut(self, me: Caller, state: ChatState) -> ChatState:
        """Mark an answer that was cut short, and find the conversation that it began."""
        if not is_unfinished(state):
            return state
        return await self._found_again(me, state.with_last(replace(state.turns[-1], stopped=True)))

    async def _found_again(self, me: Caller, state: ChatState) -> ChatState:
        """The server names a conversation at the end of its first answer; after a stop, or when it broke off, it is the
        newest with that answer, as soon as that is stored."""
        if state.conversation_id or not state.turns[-1].answer_id:
            return state
        try:
            for _ in range(_LOOKS):
                newest_of_all, _ = await me.conversations(limit=1)
                for newest in newest_of_all:
                    found = await me.conversation(newest.id)
                    if any(turn.answer_id == state.turns[-1].answer_id for turn in found.turns):
                        return replace(state, conversation_id=found.id, title=found.title)
                await self.settle()
        except UiError:
            pass  # the next question then begins a conversation of its own
        return state

    # going elsewhere

    async def start_new(self, state: ChatState, tab: Tab, search: str, request: gr.Request) -> tuple[Any, ...]:
        tab.turn += 1
        if is_unfinished(state):
            await self.settle()
        fresh = ChatState()
        return self._drawn(tab, fresh, chats=await self._chats(caller(self._gateway, request), fresh, tab, search))

    async def go(
        self, state: ChatState, tab: Tab, search: str, event: gr.EventData, request: gr.Request
    ) -> tuple[Any, ...]:
        """Open another chat, delete the shown one, or show more of it; where the person went on meanwhile, draw nothing."""
        act, me = Act.read(event), caller(self._gateway, request)
        tab.turn = turn = tab.turn + 1
        if is_unfinished(state):
            await self.settle()
        identity = path_id(act.id)
        try:
            if act.name == "earlier":
                state = replace(state, shown=state.shown + WINDOW)
            elif act.name == "delete":
                await me.delete_conversation(identity)
                state = ChatState() if identity == state.conversation_id else state
            else:
                found = await me.conversation(identity)
                state = ChatState(conversation_id=found.id, title=found.title, turns=found.turns)
        except UiError as error:
            warn(error)
        state = await self._cut(me, state)
        chats = await self._chats(me, state, tab, search)
        return self._drawn(tab, state, chats=chats) if tab.turn == turn else (gr.skip(),) * _DRAWN

    # dialogs and what they send

    async def act(
        self, state: ChatState, tab: Tab, search: str, event: gr.EventData, request: gr.Request
    ) -> tuple[Any, ...]:
        act, me, turn = Act.read(event), caller(self._gateway, request), tab.turn
        try:
            done = await chat_acts.do(me, tab.titled(state), act)
        except UiError as error:
            done = Done(told=refuse(act, error))
        told = gr.skip() if done.told is None else done.told
        account = (await self._account(me, -1))[0] if done.reports else gr.skip()
        if done.title:
            tab.titles[path_id(act.id)] = done.title
        tab.rows += CHATS if act.name == "chats" else 0
        if not done.lists or tab.turn != turn:  # what goes elsewhere meanwhile draws the list itself
            return told, gr.skip(), gr.skip(), account
        is_headed = done.title and path_id(act.id) == state.conversation_id and not is_unfinished(state)
        top = view.top(tab.titled(state)) if is_headed else gr.skip()
        return told, await self._chats(me, state, tab, search), top, account

    # drawing

    def _drawn(self, tab: Tab, state: ChatState, *, busy: bool = False, chats: str | None = None) -> tuple[Any, ...]:
        """State, messages, composer, list of chats and head, in the order of the page's outputs."""
        state = tab.titled(state)
        composer = gr.Textbox(submit_btn=not busy, stop_btn=busy, **({"value": ""} if busy else {}))
        return state, messages(state), composer, gr.skip() if chats is None else chats, view.top(state, busy=busy)
