"""Commands that speak HTTP to a running Errata, so that policy is the same for everyone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
import httpx

from server.commands.output import FILE, NEW_FILE, Refused, json_option, show, table
from server.commands.processes import effective

NO_KEY = "set ERRATA_API_KEY to your key (it was printed at the first start; `errata user reset NAME` makes a new one)"


class Remote:
    """A server, named by ERRATA_URL, spoken to with ERRATA_API_KEY; both may stand in `.env`."""

    def __init__(self) -> None:
        settings = effective()
        if not settings.api_key:
            raise click.UsageError(NO_KEY)
        headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}
        self._client = httpx.Client(
            base_url=settings.url or settings.base_url, headers=headers, timeout=600, trust_env=not settings.is_near
        )

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The JSON answer. Raises Refused with the server's message."""
        try:
            answer = self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise Refused(f"{self._client.base_url} does not answer ({error}): is `errata serve` running?") from None
        if answer.is_error:
            raise Refused(_message(answer))
        try:
            return answer.json() if answer.content else {}
        except ValueError:
            raise Refused(f"{self._client.base_url} is no Errata: what it answers is no JSON") from None

    def stream(self, body: dict[str, Any]) -> Any:
        """Chunks of a chat answer."""
        try:
            with self._client.stream("POST", "/v1/chat/completions", json={**body, "stream": True}) as answer:
                if answer.is_error:
                    answer.read()
                    raise Refused(_message(answer))
                for line in answer.iter_lines():
                    if line.startswith("data: ") and line != "data: [DONE]":
                        yield json.loads(line.removeprefix("data: "))
        except httpx.TransportError as error:
            raise Refused(f"{self._client.base_url} broke off ({error}): is `errata serve` running?") from None


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered {answer.status_code}"


@click.command()
@click.argument("question", required=False)
@click.option(
    "--route", type=click.Choice(["auto", "model", "retrieval"]), default="auto", help="Where the answer may come from."
)
@json_option
def chat(question: str | None, route: str, as_json: bool) -> None:
    """Ask one question, or talk until Ctrl-D."""
    remote, turns = Remote(), []
    while True:
        asked = question or _next_question()
        if not asked:
            return
        turns.append({"role": "user", "content": asked})
        body = {"messages": turns, "errata_route": route}
        if as_json:
            answer = remote.call("POST", "/v1/chat/completions", json=body)
            show(answer, as_json=True)
            text = answer["choices"][0]["message"]["content"]
        else:
            text = _print_stream(remote, body)
        turns.append({"role": "assistant", "content": text})
        if question:
            return


def _next_question() -> str:
    """What is typed or piped in; empty at its end."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    try:
        return input("you: ").strip()
    except EOFError:
        click.echo()
        return ""


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
    "--category", type=click.Choice(["wrong", "outdated", "unsupported", "unsafe", "personal"]), default="wrong"
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
    made = Remote().call("POST", "/v1/corrections", json=body)
    show(made, as_json=as_json, text=lambda: f"{made['id']} {made['status']}")


@click.command()
@click.option("--status", default=None, help="Only this status.")
@click.option("--mine", is_flag=True, help="Only my own reports.")
@click.option("--limit", default=50, show_default=True)
@json_option
def queue(status: str | None, mine: bool, limit: int, as_json: bool) -> None:
    """List corrections, newest first."""
    params = {"limit": limit, "mine": mine, **({"status": status} if status else {})}
    found = Remote().call("GET", "/v1/corrections", params=params)
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
    show(Remote().call("GET", f"/v1/corrections/{correction_id}"), as_json=as_json)


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
    show(Remote().call("PATCH", f"/v1/corrections/{correction_id}", json=body), as_json=as_json)


def _move(name: str, help_text: str, *, reason_required: bool) -> click.Command:
    @click.command(name, help=help_text)
    @click.argument("correction_id")
    @click.option(
        "--reason", help="Why; it goes on record.", **({"required": True} if reason_required else {"default": ""})
    )
    @json_option
    def move(correction_id: str, reason: str, as_json: bool) -> None:
        moved = Remote().call("POST", f"/v1/corrections/{correction_id}/{name}", json={"reason": reason})
        show(moved, as_json=as_json, text=lambda: f"{moved['id']} {moved['status']}")

    return move


@click.command()
@click.argument("correction_id")
@click.option("--to", "remedy", type=click.Choice(["knowledge", "weights"]), required=True)
@click.option("--reason", default="")
@json_option
def reroute(correction_id: str, remedy: str, reason: str, as_json: bool) -> None:
    """Choose the other remedy."""
    moved = Remote().call("POST", f"/v1/corrections/{correction_id}/reroute", json={"remedy": remedy, "reason": reason})
    show(moved, as_json=as_json, text=lambda: f"{moved['id']} {moved['status']} {moved['remedy']}")


@click.group()
def router() -> None:
    """How questions are routed."""


@router.command("explain")
@click.argument("question")
@json_option
def explain(question: str, as_json: bool) -> None:
    """Say where a question would be answered from, and why."""
    found = Remote().call("GET", "/v1/router/explain", params={"question": question})
    show(
        found,
        as_json=as_json,
        text=lambda: (
            f"{found['route']}: {found['reason']}\nevergreen {found['evergreen_probability']:.2f}, horizon {found['horizon']}"
        ),
    )


@router.command("train")
@click.option(
    "--csv", "evergreen", multiple=True, required=True, type=FILE, help="question,is_evergreen; repeat for more."
)
@click.option("--recency", multiple=True, type=FILE, help="JSON Lines of question,recency; repeat for more.")
@click.option(
    "--choose-on", required=True, type=FILE, help="question,is_evergreen: calibrates, and says how good it is."
)
@click.option("--out", required=True, type=NEW_FILE, help="Where the head is written.")
@json_option
def train(evergreen: tuple[Path, ...], recency: tuple[Path, ...], choose_on: Path, out: Path, as_json: bool) -> None:
    """Train the freshness head anew, with a fixed seed. Needs no running server; takes minutes."""
    from dataclasses import asdict

    from retrieval.embedder import load_embedder
    from retrieval.freshness_training import train_freshness

    report = train_freshness(
        evergreen,
        recency,
        choose_on,
        embedder=load_embedder(),
        output=out,
        progress=lambda line: click.echo(line, err=True),
    )
    show(asdict(report), as_json=as_json)


@router.command("train-cards")
@click.option(
    "--pairs", required=True, type=FILE, help="JSON Lines of fact,relation,question,subject,asked,match to fit on."
)
@click.option("--out", required=True, type=NEW_FILE, help="Where the map is written.")
@json_option
def train_cards_command(pairs: Path, out: Path, as_json: bool) -> None:
    """Learn anew which questions a correction card answers, with a fixed seed. Needs no running server; takes a minute."""
    from retrieval.embedder import load_embedder
    from server.card_training import train_cards

    show(train_cards(pairs, out, embedder=load_embedder()), as_json=as_json)


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
    _move("withdraw", "Withdraw your own report.", reason_required=False),
    reroute,
    router,
)
