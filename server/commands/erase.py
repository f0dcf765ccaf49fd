"""`errata erase`: requests for erasure and rectification, step by step, over HTTP."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from server.commands.inputs import DAY, NEW_FILE, WORDS
from server.commands.output import json_option, show, table
from server.commands.remote import Remote, under

PATH = "/v1/erasure-requests"


@click.group()
def erase() -> None:
    """Requests for erasure and rectification: file, verify-identity, find, decide, approve, execute, close."""


@erase.command("file")
@click.option("--name", "names", multiple=True, help="A name of the person; repeat for more. [yourself]")
@click.option("--identifier", "identifiers", multiple=True, help="An address, number or other mark; repeat for more.")
@click.option("--account", default=None, help="Their login name, if they have one.")
@click.option("--kind", type=click.Choice(["erasure", "rectification"]), default="erasure", show_default=True)
@click.option("--law", type=click.Choice(["gdpr", "pdpa"]), default="gdpr", show_default=True)
@click.option("--statement", default="", help="What the person asks for, in their words.")
@json_option
def file_request(
    names: tuple[str, ...],
    identifiers: tuple[str, ...],
    account: str | None,
    kind: str,
    law: str,
    statement: str,
    as_json: bool,
) -> None:
    """File a request for yourself, or as an admin for somebody else."""
    body = {"names": list(names), "identifiers": list(identifiers), "kind": kind, "law": law, "statement": statement}
    _show(Remote().call("POST", PATH, json=body | ({"account": account} if account else {})), as_json)


@erase.command("list")
@json_option
def list_requests(as_json: bool) -> None:
    """List requests, the most urgent first."""
    found = Remote().call("GET", PATH, holds="data")
    show(found, as_json=as_json, text=lambda: table(found["data"], ("id", "status", "kind", "law", "due", "overdue")))


@erase.command("show")
@click.argument("request_id")
@json_option
def show_request(request_id: str, as_json: bool) -> None:
    """Show a request whole: where the person was found, what was decided and done."""
    show(Remote().call("GET", under(PATH, request_id)), as_json=as_json)


@erase.command("verify-identity")
@click.argument("request_id")
@click.option("--how", type=WORDS, required=True, help="By what it is known that the request comes from the person.")
@json_option
def verify_identity(request_id: str, how: str, as_json: bool) -> None:
    """Say how the identity was checked."""
    _step(request_id, "verify-identity", as_json, how=how)


@erase.command("find")
@click.argument("request_id")
@click.option(
    "--probe", "probes", type=WORDS, multiple=True, help="A question of your own to the model; repeat for more."
)
@click.option(
    "--secret", "secrets", type=WORDS, multiple=True, help="What no reply may bring to light; repeat for more."
)
@json_option
def find(request_id: str, probes: tuple[str, ...], secrets: tuple[str, ...], as_json: bool) -> None:
    """Look for the person everywhere, and ask the model about them."""
    _step(request_id, "find", as_json, direct=list(probes), secrets=list(secrets))


@erase.command("decide")
@click.argument("request_id")
@click.option("--correct", is_flag=True, help="Something is to be put right, not removed.")
@click.option("--many", is_flag=True, help="More than a few facts are concerned; such need training outside Errata.")
@click.option("--certainty", type=click.Choice(["reasonable", "highest"]), default="reasonable", show_default=True)
@click.option("--reason", type=WORDS, required=True, help="Why; it goes on record.")
@click.option("--exceptions", default="", help="Which exceptions were considered.")
@click.option(
    "--keep",
    "keep",
    multiple=True,
    metavar="REF",
    help="An occurrence that stays, by its ref in `errata erase show ID`; repeat for more.",
)
@click.option(
    "--right",
    "right",
    multiple=True,
    nargs=2,
    metavar="QUESTION ANSWER",
    help="For --correct: a question and its right answer; repeat for more.",
)
@json_option
def decide(
    request_id: str,
    correct: bool,
    many: bool,
    certainty: str,
    reason: str,
    exceptions: str,
    keep: tuple[str, ...],
    right: tuple[tuple[str, str], ...],
    as_json: bool,
) -> None:
    """Answer the three questions; the methods follow from them: is something to be put right (--correct) or removed, are
    many facts concerned (--many) or a few, and how certain must it be (--certainty)?"""
    _step(
        request_id,
        "decide",
        as_json,
        correct=correct,
        many=many,
        certainty=certainty,
        reason=reason,
        exceptions=exceptions,
        keep=list(keep),
        right_answers=dict(right),
    )


@erase.command("approve")
@click.argument("request_id")
@click.option("--reason", default="", help="Why, where nobody has decided yet.")
@json_option
def approve(request_id: str, reason: str, as_json: bool) -> None:
    """Approve the decision. Where none was taken yet, search and decide first: remove, few facts, reasonable certainty;
    what may be somebody else's stays."""
    _step(request_id, "approve", as_json, reason=reason)


@erase.command("execute")
@click.argument("request_id")
@json_option
def execute(request_id: str, as_json: bool) -> None:
    """Carry it out and probe again; call it again while edits are being taken out."""
    _step(request_id, "execute", as_json)


@erase.command("refuse")
@click.argument("request_id")
@click.option("--reason", type=WORDS, required=True, help="The reason, as given to the person.")
@click.option("--ground", type=WORDS, required=True, help="The legal ground, a short code such as gdpr-17-3-e.")
@json_option
def refuse(request_id: str, reason: str, ground: str, as_json: bool) -> None:
    """Say no, with the ground and the reason."""
    _step(request_id, "refuse", as_json, reason=reason, ground=ground)


@erase.command("close")
@click.argument("request_id")
@click.option("--told/--not-told", default=True, show_default=True, help="Has the person been told?")
@click.option("--backups-until", type=DAY, default=None, help="Until when older backups are kept, for the certificate.")
@json_option
def close(request_id: str, told: bool, backups_until: datetime | None, as_json: bool) -> None:
    """Write the certificate and destroy the request's own key."""
    until = backups_until and backups_until.date().isoformat()
    _step(request_id, "close", as_json, told=told, backups_until=until)


@erase.command("certificate")
@click.argument("request_id")
@click.option("--out", type=NEW_FILE, help="Write it to this file.")
@json_option
def certificate(request_id: str, out: Path | None, as_json: bool) -> None:
    """Print the certificate of a closed request."""
    found = Remote().call("GET", f"{under(PATH, request_id)}/certificate", holds="request")
    if out is not None:
        out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    show(found, as_json=as_json, text=(lambda: f"certificate in {out}") if out else None)


def _step(request_id: str, name: str, as_json: bool, **body: Any) -> None:
    _show(Remote().call("POST", f"{under(PATH, request_id)}/{name}", json=body), as_json)


def _show(request: dict[str, Any], as_json: bool) -> None:
    counts = ", ".join(f"{n} {place}" for place, n in request["counts"].items() if n)
    lines = [f"{request['id']} {request['status']}, due {request['due'][:10]}; next: {', '.join(request['next'])}"]
    lines += [f"  found: {counts}"] if counts else []
    lines += [f"  {choice['method']} ({choice['count']}): {choice['why']}" for choice in request["choices"]]
    lines += [f"  remains: {outcome['remains']}" for outcome in request["outcomes"] if outcome["remains"]]
    if residual := request["residual"]:
        lines.append(f"  residual risk: {residual['revealing']} of {residual['probes']} probes, {residual['interval']}")
    show(request, as_json=as_json, text=lambda: "\n".join(lines))


COMMANDS = (erase,)
