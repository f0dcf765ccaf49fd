"""The chat page: asking, stopping, the list of chats, sources, reports."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import gradio as gr

from . import chat_view as view
from . import erasure_view, html, own_reports_view
from .acting import TELLS, Act, caller, inform, lines, open_queue, panel, path_id, refuse, warn, words_for
from .chat_view import ChatState
from .client import Caller, Gateway
from .erasure_texts import ERASURE
from .errors import UiError
from .records import Me, Report, Turn
from .texts import TEXTS
from .transcript import grown, message, messages

_REDRAW_S = 0.06
_REST = 4  # a long conversation takes long to draw: rest four times as long, so that the server keeps answering
_SETTLE_S = 0.25
_LOOKS = 8  # for a conversation that is being stored
_CHANNELS = """
const asks = ['retry', 'edit', 'try', 'hint'], goes = ['open', 'new', 'delete', 'earlier'];
window.errataSend = (data) => trigger(asks.includes(data.name) ? 'ask' : goes.includes(data.name) ? 'go' : 'act', data);
"""


class ChatPage:
    """Builds the Blocks of `/` and answers its events; it keeps nothing between requests but what Gradio keeps per tab."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def build(self) -> gr.Blocks:
        with gr.Blocks(title=TEXTS.chat_title, analytics_enabled=False, fill_height=True, fill_width=True) as page:
            state = gr.State(ChatState())
            fixed = gr.State(-1)
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

            drawn = [state, bot, ask, chats, top]
            quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
            asking = [
                ask.submit(self.ask, [ask, state], drawn, **quiet),
                bus.ask(self.ask_again, [state], drawn, **quiet),
            ]
            ask.stop(self.settle, None, None, cancels=asking, **quiet).then(self.stopped, [state], drawn, **quiet)
            bus.go(self.go, [state], drawn, cancels=asking, **quiet)
            new.click(self.start_new, [state], drawn, cancels=asking, **quiet)
            bus.act(self.act, [state, search], [told, chats, top, account], trigger_mode="multiple", **quiet)
            search.change(self.find, [state, search], [chats], trigger_mode="always_last", **quiet)
            clock.tick(self.tick, [fixed], [fixed, account], **quiet)
            page.load(self.open, [state, fixed], [chats, account, fixed, top], **quiet)
        open_queue(page)
        return page

    # opening, listing

    async def open(self, state: ChatState, fixed: int, request: gr.Request) -> tuple[Any, ...]:
        me = caller(self._gateway, request)
        account, fixed = await self._account(me, fixed)
        return await self._chats(me, state), account, fixed, view.top(state)

    async def tick(self, fixed: int, request: gr.Request) -> tuple[Any, ...]:
        account, now = await self._account(caller(self._gateway, request), fixed)
        return now, account

    async def _account(self, me: Caller, fixed: int) -> tuple[str, int]:
        """The foot of the sidebar and how many own reports are fixed; says so when there are more than before."""
        try:
            who: Me = await me.me()
            reports, _ = await me.reports(mine=True)
        except UiError:
            return view.account(None), fixed
        now = sum(report.status in own_reports_view.FIXED for report in reports)
        if 0 <= fixed < now:
            inform(TEXTS.newly_fixed)
        return view.account(who, reports=len(reports), fixed=now), now

    async def _chats(self, me: Caller, state: ChatState, search: str = "") -> str:
        try:
            found = await me.conversations(search)
        except UiError as error:
            return html.problem(words_for(error))
        return view.conversation_list(found, current=state.conversation_id, searched=bool(search))

    async def find(self, state: ChatState, search: str, request: gr.Request) -> str:
        return await self._chats(caller(self._gateway, request), state, search)

    # asking

    async def ask(self, question: str, state: ChatState, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        question = question.strip()
        if not question:
            yield self._drawn(state)
            return
        asked = replace(state, turns=(*state.turns, Turn(question=question, answer="")), before="")
        async for drawn in self._answer(asked, caller(self._gateway, request)):
            yield drawn

    async def ask_again(
        self, state: ChatState, event: gr.EventData, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        """Retry, edit the last question, follow a hint, or try a fixed report in a new chat."""
        act, me = Act.read(event), caller(self._gateway, request)
        if act.name == "hint":
            async for drawn in self.ask(TEXTS.examples[act.n % len(TEXTS.examples)], state, request):
                yield drawn
            return
        if act.name == "try":
            try:
                report = await me.report(path_id(act.id))
            except UiError as error:
                warn(error)
                return
            question = report.canonical_question or report.question
            fresh = ChatState(turns=(Turn(question=question, answer=""),), before=report.answer_old)
            async for drawn in self._answer(fresh, me):
                yield drawn
            return
        if not state.turns:
            return
        last = state.turns[-1]
        question = act.form.get("question", "").strip() or last.question
        turn = Turn(question=question, answer="", replaces=last.answer_id or last.replaces)
        async for drawn in self._answer(replace(state.with_last(turn), before=""), me):
            yield drawn

    async def _answer(self, state: ChatState, me: Caller) -> AsyncIterator[tuple[Any, ...]]:
        """Fill in the last turn as it streams; closing this iterator hangs up on the gateway."""
        turn = state.turns[-1]
        prompt = [*view.as_prompt(state.turns[:-1]), {"role": "user", "content": turn.question}]
        yield self._drawn(state, busy=True)
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
            state = await self._found_again(me, state.with_last(replace(turn, error=words_for(error))))
        finally:
            await chunks.aclose()  # type: ignore[attr-defined]
        state = replace(state, title=state.title or state.turns[0].question[:60])
        yield self._drawn(state, chats=await self._chats(me, state))

    async def settle(self) -> None:
        """Wait until a cancelled answer has stopped drawing, so that what comes next is drawn last."""
        await asyncio.sleep(_SETTLE_S)

    async def stopped(self, state: ChatState, request: gr.Request) -> tuple[Any, ...]:
        """Mark the answer that was cut short, and find the conversation that it began."""
        me = caller(self._gateway, request)
        if view.is_unfinished(state):
            cut = replace(state.turns[-1], stopped=True)
            state = await self._found_again(me, state.with_last(cut))
        return self._drawn(state, chats=await self._chats(me, state))

    async def _found_again(self, me: Caller, state: ChatState) -> ChatState:
        """The server names a conversation at the end of its first answer; after a stop, or when it broke off, it is the
        newest with that answer, as soon as that is stored."""
        if state.conversation_id or not state.turns[-1].answer_id:
            return state
        try:
            for _ in range(_LOOKS):
                for newest in await me.conversations(limit=1):
                    found = await me.conversation(newest.id)
                    if any(turn.answer_id == state.turns[-1].answer_id for turn in found.turns):
                        return replace(state, conversation_id=found.id, title=found.title)
                await self.settle()
        except UiError:
            pass  # the next question then begins a conversation of its own
        return state

    # going elsewhere

    async def start_new(self, state: ChatState, request: gr.Request) -> tuple[Any, ...]:
        if view.is_unfinished(state):
            await self.settle()
        fresh = ChatState()
        return self._drawn(fresh, chats=await self._chats(caller(self._gateway, request), fresh))

    async def go(self, state: ChatState, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Open another chat, delete one, or show more of this one."""
        act, me = Act.read(event), caller(self._gateway, request)
        if view.is_unfinished(state):
            await self.settle()
        if act.name == "earlier":
            return self._drawn(replace(state, shown=state.shown + view.WINDOW))
        identity = path_id(act.id)
        try:
            if act.name == "delete":
                await me.delete_conversation(identity)
                state = ChatState() if identity == state.conversation_id else state
            else:
                found = await me.conversation(identity)
                state = ChatState(conversation_id=found.id, title=found.title, turns=found.turns)
        except UiError as error:
            warn(error)
        return self._drawn(state, chats=await self._chats(me, state))

    # dialogs and what they send

    async def act(self, state: ChatState, search: str, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        act, me = Act.read(event), caller(self._gateway, request)
        chats: Any = gr.skip()
        account: Any = gr.skip()
        told: Any = gr.skip()
        identity = path_id(act.id)
        try:
            if act.name == "flag":
                told = html.tell(await self._flag(me, state, identity))
            elif act.name == "similar":
                typed = act.form.get("value", "")
                told = html.note(own_reports_view.known_reports(await self._similar(me, typed)), of=typed)
            elif act.name == "source":
                told = html.tell(await self._source(me, state, identity, act.n))
            elif act.name == "reports":
                reports, _ = await me.reports(mine=True, limit=100)
                told = html.tell(own_reports_view.reports_dialog(reports))
            elif act.name == "my-data":
                mine = [one for one in await me.erasures() if one.mine]
                told = html.tell(erasure_view.own_dialog(mine))
            elif act.name == "erase-me":
                await me.file_erasure({"statement": act.form.get("statement", "").strip()})
                inform(ERASURE.asked)
            elif act.name == "export":
                told = html.tell({"file": "errata-chat.md", "text": view.as_markdown(state)})
            elif act.name == "rename":
                await me.rename_conversation(identity, act.form.get("title", "").strip())
                chats = await self._chats(me, state, search)
            elif act.name in ("report", "withdraw", "appeal", "evidence"):
                await self._report(me, state, act, identity)
                account, _ = await self._account(me, -1)
        except UiError as error:
            told = refuse(act, error) or told
        return told, chats, gr.skip(), account

    async def _flag(self, me: Caller, state: ChatState, answer_id: str) -> dict[str, object]:
        turn = state.turn(answer_id) or await me.answer(answer_id)
        return own_reports_view.flag_dialog(turn, await self._similar(me, turn.question))

    async def _similar(self, me: Caller, question: str) -> list[Report]:
        try:
            return await me.similar(question.strip()[:2000]) if question.strip() else []
        except UiError:
            return []  # a form without the hint is better than none

    async def _source(self, me: Caller, state: ChatState, answer_id: str, n: int) -> dict[str, object]:
        turn = state.turn(answer_id) or await me.answer(answer_id)
        cited = turn.provenance.passages if turn.provenance else ()
        known = next((passage for passage in cited if passage.n == n), None)
        if known is None:
            return html.dialog(TEXTS.sources, text=TEXTS.nothing_found)
        return view.source_dialog(await me.passage(known.id))

    async def _report(self, me: Caller, state: ChatState, act: Act, identity: str) -> None:
        form = act.form
        if act.name == "report":
            report = {
                "answer_id": identity,
                "question": form.get("question", "").strip(),
                "correct_answer": form.get("correct_answer", "").strip(),
                "category": form.get("category", "wrong"),
                "evidence": lines(form.get("evidence", "")),
                "comment": form.get("comment", "").strip(),
            }
            await me.flag(report, idempotency_key=form.get("key", ""))
            inform(TEXTS.report_sent)
        elif act.name == "withdraw":
            await me.decide(identity, "withdraw", {"reason": ""})
            inform(TEXTS.withdrawn)
        elif act.name == "appeal":
            await me.decide(identity, "appeal", {"reason": form.get("reason", "")})
            inform(TEXTS.appeal_sent)
        else:
            await me.decide(identity, "evidence", {"evidence": lines(form.get("evidence", "")), "reason": ""})
            inform(TEXTS.evidence_sent)

    # drawing

    def _drawn(self, state: ChatState, *, busy: bool = False, chats: str | None = None) -> tuple[Any, ...]:
        """State, messages, composer, list of chats and head, in the order of the page's outputs."""
        composer = (
            gr.Textbox(submit_btn=False, stop_btn=True, value="")
            if busy
            else gr.Textbox(submit_btn=True, stop_btn=False)
        )
        return state, messages(state), composer, gr.skip() if chats is None else chats, view.top(state)
