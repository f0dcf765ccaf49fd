"""What a click on the admin page does: one verb of the gateway each, then a word to the person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from . import html, knowledge_view, log_view, people_view, queue_view
from .acting import Act, inform, lines, path_id, refuse
from .admin_texts import ADMIN
from .client import Caller
from .decisions_view import question_of
from .desk import PAGE, Upload
from .erasure_texts import ERASURE
from .errors import FormUnclear, UiError
from .log_texts import LOG

_LONG = {  # what takes minutes, and what is said of it at its start
    "preview": ADMIN.preview_started,
    "erasure-find": ERASURE.find_started,
    "erasure-execute": ERASURE.execute_started,
}

_SAID = {
    "reject": ADMIN.rejected,
    "ask-evidence": ADMIN.evidence_asked,
    "rollback": ADMIN.undone,
    "requeue": ADMIN.requeued,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What changed in the page's own state, and what the browser is told."""

    look: Mapping[str, Any] = field(default_factory=dict)
    told: str | None = None


class AdminActs:
    """Turns an event into calls. Rights are judged by the gateway; a refusal is shown and changes nothing."""

    def __init__(self) -> None:
        self._running: set[tuple[str, str]] = set()  # of what takes minutes: verb and id

    async def do(self, me: Caller, event: gr.EventData, *, file: Upload | None = None) -> Done:
        """`file` is the one that waits to be added."""
        act = Act.read(event)
        work = (act.name, act.id)
        if work in self._running:
            return Done(told=html.refused(ADMIN.runs_already, sent=act.sent))
        if act.name in _LONG:
            self._running.add(work)
            inform(_LONG[act.name])
        try:
            return await self._do(me, act, path_id(act.id), file)
        except FormUnclear as error:
            return Done(told=html.refused(str(error), sent=act.sent))
        except UiError as error:
            return Done(told=refuse(act, error))
        finally:
            self._running.discard(work)

    async def _do(self, me: Caller, act: Act, identity: str, file: Upload | None) -> Done:
        match act.name:
            case "filter":
                return Done(look={"status": "" if identity == "all" else identity, "rows": PAGE, "selected": ""})
            case "select":
                return Done(look={"selected": identity})
            case "show":
                return Done(told=html.tell(await self._shown(me, identity)))
            case "more":
                return Done(look={"rows": int(identity or 0)})
            case "log":
                return Done(look={"log_end": _entry(act.form.get("entry", identity))})
            case "prove":
                return Done(told=html.tell(await self._proof(me, int(identity))))
            case "preview":
                return Done(told=html.tell(await self._preview(me, identity)))
            case "add-person" | "reset" | "disable":
                return await self._person(me, act)
            case "document":
                return Done(told=html.tell(knowledge_view.document_dialog(*await me.document(identity))))
            case "add-file":
                if file is None:
                    raise FormUnclear(ADMIN.file_gone)
                added = await me.upload_document(file.name, file.content, _filled(act))
                inform(ADMIN.added.format(title=added.title))
                return Done(look={"file": None})
            case "add-text" | "add-link":
                added = await me.add_document(_filled(act))
                inform(ADMIN.added.format(title=added.title))
            case "remove":
                await me.remove_document(identity)
                inform(ADMIN.removed)
            case "erasure":
                return Done(look={"erasure": "" if identity == "all" else identity})
            case "erasure-file":
                filed = await me.file_erasure(_erasure_filed(act.form))
                inform(ERASURE.filed)
                return Done(look={"erasure": filed.id})
            case _ if act.name.startswith("erasure-"):
                verb = path_id(act.name.removeprefix("erasure-"))
                await me.step_erasure(identity, verb, _erasure_step(verb, act.form))
                inform(ERASURE.done)
            case "reviewed":
                await me.decide(identity, "reviewed", {})
                inform(ADMIN.stood)
            case "alarm-seen":
                await me.see_alarm(identity)
            case "restore":
                await me.restore(identity, act.form.get("reason", ""))
                inform(ADMIN.restored)
            case "revise":
                await self._revise(me, act, identity)
            case "approve":
                await self._approve(me, act, identity)
            case "reroute-knowledge" | "reroute-weights":
                body = {"remedy": act.name.removeprefix("reroute-"), "reason": act.form.get("reason", "")}
                await me.decide(identity, "reroute", body | _round_read(act))
                inform(ADMIN.rerouted)
            case "reject" | "requeue" | "ask-evidence" | "rollback":
                await me.decide(identity, act.name, {"reason": act.form.get("reason", "")})
                inform(_SAID[act.name])
        return Done()

    async def _approve(self, me: Caller, act: Act, identity: str) -> None:
        body = {"reason": act.form.get("reason", ""), "fallback": act.form.get("fallback", "knowledge")}
        answer = await me.decide(identity, "approve", body | _round_read(act))
        inform(ADMIN.approved_waits if answer.get("status") == "queued" else ADMIN.approved)

    async def _revise(self, me: Caller, act: Act, identity: str) -> None:
        changes: dict[str, object] = {
            key: act.form.get(key, "").strip() for key in ("canonical_question", "subject", "correct_answer")
        }
        generated = (await me.report(identity)).generated
        for name in ADMIN.wordings:
            # What was left as it had been written by rule stays that: it follows the question.
            given = lines(act.form.get(name, ""))
            changes[name] = [] if given == list(generated.get(name, ())) else given
        await me.revise(identity, changes | _round_read(act))
        inform(ADMIN.saved)

    async def _shown(self, me: Caller, identity: str) -> dict[str, object]:
        report, who = await me.report(identity), await me.me()
        return html.dialog(question_of(report), html=queue_view.detail(report, who, aside=True), side=True)

    async def _preview(self, me: Caller, identity: str) -> dict[str, object]:
        report = await me.report(identity)
        answer = await me.preview(identity)
        refused = str(answer.get("refused") or "")
        shown = html.problem(refused) if refused else queue_view.probe_table(answer.get("probes") or ())
        title = ADMIN.preview_title.format(question=question_of(report))
        return html.dialog(title, text=ADMIN.preview_text, html=shown, wide=True)

    async def _proof(self, me: Caller, n: int) -> dict[str, object]:
        """The checkpoint first: its size is the size that the proof must be for."""
        text = await me.checkpoint()
        size = int(text.split("\n")[1])
        found, entries = await me.proof(n, size), await me.entries(n - 1, limit=1)
        return log_view.proof(n, entries[0], found, text)

    async def _person(self, me: Caller, act: Act) -> Done:
        name = act.form.get("name", "").strip() if act.name == "add-person" else act.id
        if act.name == "add-person":
            answer = await me.add_person(name, act.form.get("role", "user"))
        else:
            answer = await me.change_person(name, act.name)
        return Done() if act.name == "disable" else Done(told=html.tell(people_view.secrets_dialog(name, answer)))


def _filled(act: Act) -> dict[str, str]:
    return {key: value.strip() for key, value in act.form.items() if value.strip()}


def _entry(typed: str) -> int:
    """The number of an entry; 0 is the end of the log. Raises FormUnclear."""
    number = typed.strip()
    if not (number.isascii() and number.isdecimal()):
        raise FormUnclear(LOG.no_entry)
    return int(number)


def _round_read(act: Act) -> dict[str, object]:
    """The round of the words that the form was opened over."""
    said = act.form.get("round", "")
    return {"round": int(said)} if said.isdecimal() else {}


def _erasure_filed(form: Mapping[str, str]) -> dict[str, object]:
    """The body of a request; fields that stayed empty are left out. Raises FormUnclear where nobody is named: the gateway
    would take such a request for the admin's own."""
    filled: dict[str, object] = {key: lines(form.get(key, "")) for key in ("names", "identifiers")}
    filled |= {key: form.get(key, "").strip() for key in ("account", "kind", "law", "statement")}
    if not (filled["names"] or filled["identifiers"] or filled["account"]):
        raise FormUnclear(ERASURE.nobody)
    return {key: value for key, value in filled.items() if value}


def _erasure_step(verb: str, form: Mapping[str, str]) -> dict[str, object]:
    """What the form of a step says, in the gateway's terms. Raises FormUnclear."""
    body: dict[str, object] = {key: value.strip() for key, value in form.items()}
    for key in ("direct", "secrets", "keep"):
        if key in form:
            body[key] = lines(form[key])
    for key in ("correct", "many", "told"):
        if key in form:
            body[key] = form[key] == "yes"
    if "right_answers" in form:
        body["right_answers"] = dict(map(_right_answer, lines(form["right_answers"])))
    if "backups_until" in form:
        body["backups_until"] = form["backups_until"] or None
    return body


def _right_answer(line: str) -> tuple[str, str]:
    """Question and answer: what stands before and after the equals sign behind the question mark, else the last one, between
    spaces if there is such."""
    asked, ends, rest = line.partition("? = ")
    question, _, answer = (asked + "?", ends, rest) if ends else line.rpartition(" = " if " = " in line else "=")
    if not question.strip() or not answer.strip():
        raise FormUnclear(ERASURE.no_answer.format(line=line))
    return question.strip(), answer.strip()
