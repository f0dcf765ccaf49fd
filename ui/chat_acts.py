"""What a click on the chat page does beside asking: sources, reports, the list of chats, own data; then a word to the person."""

from dataclasses import dataclass

from . import chat_view as view
from . import erasure_view, html, own_reports_view
from .acting import Act, inform, lines, path_id
from .chat_state import ChatState, as_markdown
from .client import Caller
from .erasure_texts import ERASURE
from .errors import UiError
from .records import Report
from .texts import TEXTS

_REPORTS = 200  # of one's own: a page of the gateway's


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What the browser is told, the title that a chat was given, and whether the list of chats or the own reports changed."""

    told: str | None = None
    title: str = ""
    lists: bool = False
    reports: bool = False


async def do(me: Caller, state: ChatState, act: Act) -> Done:
    """Rights are judged by the gateway: raises UiError, and nothing has changed."""
    identity = path_id(act.id)
    match act.name:
        case "flag":
            return Done(told=html.tell(await _flag(me, state, identity)))
        case "similar":
            typed = act.form.get("value", "")
            return Done(told=html.note(own_reports_view.known_reports(await _similar(me, typed)), of=typed))
        case "source":
            return Done(told=html.tell(await _source(me, state, identity, act.n)))
        case "reports":
            reports, following = await me.reports(mine=True, limit=_REPORTS)
            return Done(told=html.tell(own_reports_view.reports_dialog(reports, more=bool(following))))
        case "my-data":
            mine = [one for one in await me.erasures() if one.mine]
            return Done(told=html.tell(erasure_view.own_dialog(mine)))
        case "erase-me":
            await me.file_erasure({"statement": act.form.get("statement", "").strip()})
            inform(ERASURE.asked)
        case "export":
            return Done(told=html.tell({"file": "errata-chat.md", "text": as_markdown(state)}))
        case "rename":
            title = act.form.get("title", "").strip()
            await me.rename_conversation(identity, title)
            return Done(title=title, lists=True)
        case "delete":
            await me.delete_conversation(identity)
            return Done(lists=True)
        case "chats":
            return Done(lists=True)
        case "report" | "withdraw" | "appeal" | "evidence":
            await _report(me, act, identity)
            return Done(reports=True)
    return Done()


async def _flag(me: Caller, state: ChatState, answer_id: str) -> dict[str, object]:
    turn = state.turn(answer_id) or await me.answer(answer_id)
    return own_reports_view.flag_dialog(turn, await _similar(me, turn.question))


async def _similar(me: Caller, question: str) -> list[Report]:
    try:
        return await me.similar(question.strip()[:2000]) if question.strip() else []
    except UiError:
        return []  # a form without the hint is better than none


async def _source(me: Caller, state: ChatState, answer_id: str, n: int) -> dict[str, object]:
    turn = state.turn(answer_id) or await me.answer(answer_id)
    cited = turn.provenance.passages if turn.provenance else ()
    known = next((passage for passage in cited if passage.n == n), None)
    if known is None:
        return html.dialog(TEXTS.sources, text=TEXTS.nothing_found)
    return view.source_dialog(await me.passage(known.id))


async def _report(me: Caller, act: Act, identity: str) -> None:
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
