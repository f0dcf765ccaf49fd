"""Commands that speak HTTP to a running Errata, so that policy is the same for everyone."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import click
import httpx

from governance.corrections import Status
from server.commands.inputs import WORDS, effective
from server.commands.output import Refused, json_option, show, table

NO_KEY = "set ERRATA_API_KEY to your key (it was printed at the first start; `errata user reset NAME` makes a new one)"
CORRECTIONS = "/v1/corrections"


class Remote:
    """A server, named by ERRATA_URL, spoken to with ERRATA_API_KEY; both may stand in `.env`."""

    def __init__(self) -> None:
        settings = effective("url")
        if not settings.api_key:
            raise click.UsageError(NO_KEY)
        headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}
        self._url = (settings.url or settings.base_url).rstrip("/")
        self._client = httpx.Client(base_url=self._url, headers=headers, timeout=600, trust_env=not settings.is_near)

    def call(self, method: str, path: str, *, holds: str = "id", **options: Any) -> Any:
        """The JSON answer, an object with the field `holds`; {} where something was deleted. Raises Refused with the
        server's message."""
        try:
            answer = self._client.request(method, path, **options)
        except httpx.RequestError as error:
            raise Refused(f"{self._url} does not answer ({error}): is `errata serve` running?") from None
        self._accept(answer)
        if method == "DELETE" and answer.status_code == httpx.codes.NO_CONTENT:
            return {}
        try:
            found = answer.json()
        except ValueError:
            raise self._foreign("is no JSON") from None
        if not isinstance(found, dict) or holds not in found:
            raise self._foreign(f"has no {holds!r}")
        return found

    def stream(self, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Chunks of a chat answer, one of them with its trace."""
        traced = False
        try:
            with self._client.stream("POST", "/v1/chat/completions", json={**body, "stream": True}) as answer:
                if not answer.is_success:
                    answer.read()
                self._accept(answer)
                for line in answer.iter_lines():
                    if line.startswith("data: ") and line != "data: [DONE]":
                        chunk = json.loads(line.removeprefix("data: "))
                        if "error" not in chunk and "choices" not in chunk:
                            raise self._foreign("is no chat")
                        traced = traced or "errata" in chunk
                        yield chunk
        except httpx.RequestError as error:
            raise Refused(f"{self._url} broke off ({error}): is `errata serve` running?") from None
        except (json.JSONDecodeError, TypeError):
            raise self._foreign("is no JSON") from None
        if not traced:
            raise self._foreign("has no 'errata'")

    def _accept(self, answer: httpx.Response) -> None:
        """Raises Refused, with what to do where the address or the key is wrong, unless the server did what was asked."""
        if answer.is_success:
            return
        if answer.is_redirect:
            to = answer.headers.get("location", "another address")
            raise Refused(f"{self._url} redirects to {to}: set ERRATA_URL to the address of Errata itself")
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise Refused(f"ERRATA_API_KEY is not known at {self._url}: {NO_KEY}")
        try:
            raise Refused(str(answer.json()["error"]["message"]))
        except (ValueError, KeyError, TypeError):
            raise Refused(f"{self._url} answered {answer.status_code} {answer.reason_phrase}") from None

    def _foreign(self, why: str) -> Refused:
        return Refused(f"{self._url} is no Errata: what it answers {why}. Set ERRATA_URL to where `errata serve` runs")


def under(path: str, id_: str) -> str:
    """The address of one thing, whatever is in its id. Raises UsageError for one that would be another address."""
    if id_ in ("", ".", ".."):
        raise click.UsageError(f"{id_!r} is no id")
    return f"{path}/{quote(id_, safe='')}"


@click.command()
@click.argument("question", required=False)
@click.option(
    "--route", type=click.Choice(["auto", "model", "retrieval"]), default="auto", help="Where the answer may come from."
)
@json_option
def chat(question: str | None, route: str, as_json: bool) -> None:
    """Ask one question, or talk until Ctrl-D."""
    if question is not None and not question.strip():
        raise click.UsageError("the question is empty")
    remote, turns = Remote(), []
    for asked in _typed() if question is None else (question,):
        turns.append({"role": "user", "content": asked})
        body = {"messages": turns, "errata_route": route}
        if as_json:
            answer = remote.call("POST", "/v1/chat/completions", holds="errata", json=body)
            show(answer, as_json=True)
            text = answer["choices"][0]["message"]["content"]
        else:
            text = _print_stream(remote, body)
        turns.append({"role": "assistant", "content": text})


def _typed() -> Iterator[str]:
    """What is typed or piped in, a question a line; empty lines ask nothing."""
    if not sys.stdin.isatty():
        yield from filter(None, map(str.strip, sys.stdin))
        return
    while True:
        try:
            asked = input("you: ").strip()
        except EOFError:
            return click.echo()
        if asked:
            yield asked


def _print_stream(remote: Remote, body: dict[str, Any]) -> str:
    text = ""
    last: dict[str, Any] = {}
    for chunk in remote.stream(body):
        if "error" in chunk:
            raise Refused(chunk["error"]["message"])
        for choice in chunk["choices"]:
            piece = choice["delta"].get("content") or ""
            click.echo(piece, nl=False)
            text += piece
        last |= {name: chunk[name] for name in ("id", "errata") if chunk.get(name)}
    trace = last.get("errata", {})
    click.secho(f"\n[{last.get('id')}] {trace.get('route')}: {trace.get('reason')}", dim=True, err=True)
    return text


@click.command()
@click.argument("answer_id")
@click.option("--correct", required=True, help="The right answer.")
@click.option("--evidence", multiple=True, help="An address or a text that shows it; repeat for more.")
@click.option(
    "--category",
    type=click.Choice(["wrong", "outdated", "unsupported", "unsafe", "personal"]),
    default="wrong",
    show_default=True,
    help="What is the matter with the answer.",
)
@click.option("--subject", default="", help="What the question is about, as it stands in it.")
@json_option
def report(answer_id: str, correct: str, evidence: tuple[str, ...], category: str, subject: str, as_json: bool) -> None:
    """Report a wrong answer, with the right one."""
    body = {
        "answer_id": answer_id,
        "correct_answer": correct,
        "evidence": list(evidence),
        "category": category,
        "subject": subject,
    }
    made = Remote().call("POST", CORRECTIONS, json=body)
    show(made, as_json=as_json, text=lambda: f"{made['id']} {made['status']}")


@click.command()
@click.option("--status", type=click.Choice([str(status) for status in Status]), help="Only this status.")
@click.option("--mine", is_flag=True, help="Only my own reports.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@json_option
def queue(status: str | None, mine: bool, limit: int, as_json: bool) -> None:
    """List corrections, newest first."""
    params = {"limit": limit, "mine": mine, **({"status": status} if status else {})}
    found = Remote().call("GET", CORRECTIONS, holds="data", params=params)
    show(
        found,
        as_json=as_json,
        text=lambda: table(found["data"], ("id", "status", "remedy", "canonical_question", "correct_answer"), width=44),
    )


@click.command()
@click.argument("correction_id")
@json_option
def show_correction(correction_id: str, as_json: bool) -> None:
    """Show a correction: claim, evidence, verification, history."""
    show(Remote().call("GET", under(CORRECTIONS, correction_id)), as_json=as_json)


@click.command()
@click.argument("correction_id")
@click.option("--question", "canonical_question", help="The question, put so that it stands alone.")
@click.option("--subject", help="What it is about, word for word as it stands in the question.")
@click.option("--correct", "correct_answer", help="The right answer.")
@click.option("--paraphrase", "paraphrases", multiple=True, help="A wording to learn; repeat for more.")
@click.option("--probe", "probes", multiple=True, help="A question to verify with; repeat for more.")
@click.option(
    "--neighbour", "neighbours", multiple=True, help="A question about another subject whose answer must stay."
)
@json_option
def revise(correction_id: str, as_json: bool, **fields: str | tuple[str, ...] | None) -> None:
    """Put right, before approval, what will be corrected and how it is asked. Your wordings replace the generated ones."""
    body = {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items() if value}
    if not body:
        raise click.UsageError("nothing to change: give --question, --subject, --correct or wordings")
    show(Remote().call("PATCH", under(CORRECTIONS, correction_id), json=body), as_json=as_json)


def _move(name: str, help_text: str, *, reason_required: bool) -> click.Command:
    @click.command(name, help=help_text)
    @click.argument("correction_id")
    @click.option(
        "--reason",
        help="Why; it goes on record.",
        **({"required": True, "type": WORDS} if reason_required else {"default": ""}),
    )
    @json_option
    def move(correction_id: str, reason: str, as_json: bool) -> None:
        moved = Remote().call("POST", f"{under(CORRECTIONS, correction_id)}/{name}", json={"reason": reason})
        show(moved, as_json=as_json, text=lambda: f"{moved['id']} {moved['status']}")

    return move


@click.command()
@click.argument("correction_id")
@click.option(
    "--to",
    "remedy",
    type=click.Choice(["knowledge", "weights"]),
    required=True,
    help="A dated passage for retrieval, or an edit of the weights.",
)
@click.option("--reason", default="", help="Why; it goes on record.")
@json_option
def reroute(correction_id: str, remedy: str, reason: str, as_json: bool) -> None:
    """Choose the other remedy."""
    path, body = f"{under(CORRECTIONS, correction_id)}/reroute", {"remedy": remedy, "reason": reason}
    moved = Remote().call("POST", path, json=body)
    show(moved, as_json=as_json, text=lambda: f"{moved['id']} {moved['status']} {moved['remedy']}")


show_correction.name = "show"
COMMANDS = (
    chat,
    report,
    queue,
    show_correction,
    revise,
    _move("approve", "Approve a queued correction.", reason_required=False),
    _move("reject", "Reject a queued correction.", reason_required=True),
    _move("requeue", "Take an approved or failed correction back to the queue.", reason_required=False),
    _move("rollback", "Undo a correction that is in force.", reason_required=True),
    _move(
        "withdraw",
        "Close a report that is not approved yet: your own, or as a reviewer anybody's.",
        reason_required=False,
    ),
    reroute,
)
