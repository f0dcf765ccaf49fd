"""What a click on the admin page does: one verb of the gateway each, then a word to the person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from . import html, queue_view, records_view
from .acting import Act, inform, lines, path_id, refuse, warn
from .admin_texts import ADMIN
from .client import Caller
from .decisions_view import question_of
from .erasure_texts import ERASURE
from .errors import UiError

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

    async def do(self, me: Caller, event: gr.EventData) -> Done:
        act = Act.read(event)
        try:
            return await self._do(me, act, path_id(act.id))
        except UiError as error:
            return Done(told=refuse(act, error))

    async def _do(self, me: Caller, act: Act, identity: str) -> Done:
        match act.name:
            case "filter":
                return Done(look={"status": "" if identity == "all" else identity, "rows": 50, "selected": ""})
            case "select":
                return Done(look={"selected": identity})
            case "show":
                return Done(told=html.tell(await self._shown(me, identity)))
            case "more":
                return Done(look={"rows": int(identity or 0)})
            case "log":
                return Done(look={"log_end": int(identity or 0)})
            case "prove":
                return Done(told=html.tell(await self._proof(me, int(identity))))
            case "preview":
                return Done(told=html.tell(await self._preview(me, identity)))
            case "add-person" | "reset" | "disable":
                return await self._person(me, act)
            case "add-text" | "add-link" | "remove":
                return await self._document(me, act, identity)
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
        return html.dialog(question_of(report), html=queue_view.detail(report, who), side=True)

    async def _preview(self, me: Caller, identity: str) -> dict[str, object]:
        inform(ADMIN.preview_started)
        answer = await me.preview(identity)
        refused = str(answer.get("refused") or "")
        shown = html.problem(refused) if refused else queue_view.probe_table(answer.get("probes") or ())
        return html.dialog(ADMIN.preview_title, text=ADMIN.preview_text, html=shown, wide=True)

    async def _proof(self, me: Caller, n: int) -> dict[str, object]:
        """The checkpoint first: its size is the size that the proof must be for."""
        text = await me.checkpoint()
        size = int(text.split("\n")[1])
        found, entries = await me.proof(n, size), await me.entries(n - 1, limit=1)
        return records_view.proof(n, entries[0], found, text)

    async def _person(self, me: Caller, act: Act) -> Done:
        name = act.form.get("name", "").strip() if act.name == "add-person" else act.id
        if act.name == "add-person":
            answer = await me.add_person(name, act.form.get("role", "user"))
        else:
            answer = await me.change_person(name, act.name)
        return Done() if act.name == "disable" else Done(told=html.tell(records_view.secrets_dialog(name, answer)))

    async def _document(self, me: Caller, act: Act, identity: str) -> Done:
        if act.name == "remove":
            await me.remove_document(identity)
            inform(ADMIN.removed)
            return Done()
        filled = {key: value.strip() for key, value in act.form.items() if value.strip()}
        added = await me.add_document(filled)
        inform(ADMIN.added.format(title=added.title))
        return Done()

    async def upload(self, me: Caller, path: str) -> None:
        """Hand an uploaded file on; Gradio's copy is removed whatever comes of it."""
        file = Path(path)
        try:
            added = await me.upload_document(file.name, file.read_bytes(), {})
            inform(ADMIN.added.format(title=added.title))
        except UiError as error:
            warn(error)
        finally:
            file.unlink(missing_ok=True)


def _round_read(act: Act) -> dict[str, object]:
    """The round of the words that the form was opened over."""
    said = act.form.get("round", "")
    return {"round": int(said)} if said.isdecimal() else {}


def _erasure_filed(form: Mapping[str, str]) -> dict[str, object]:
    """The body of a request; fields that stayed empty are left out."""
    filled: dict[str, object] = {key: lines(form.get(key, "")) for key in ("names", "identifiers")}
    filled |= {key: form.get(key, "").strip() for key in ("account", "kind", "law", "statement")}
    return {key: value for key, value in filled.items() if value}


def _erasure_step(verb: str, form: Mapping[str, str]) -> dict[str, object]:
    """What the form of a step says, in the gateway's terms."""
    body: dict[str, object] = {key: value.strip() for key, value in form.items()}
    for key in ("direct", "secrets", "keep"):
        if key in form:
            body[key] = lines(form[key])
    for key in ("correct", "many", "told"):
        if key in form:
            body[key] = form[key] == "yes"
    if "right_answers" in form:
        pairs = [line.partition("=") for line in lines(form["right_answers"])]
        body["right_answers"] = {question.strip(): answer.strip() for question, _, answer in pairs if answer.strip()}
    if "backups_until" in form:
        body["backups_until"] = form["backups_until"] or None
    return body
