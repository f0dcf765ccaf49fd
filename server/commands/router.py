"""`errata router`: says where a question would be answered from, and trains anew what decides that."""

from __future__ import annotations

from pathlib import Path

import click

from server.commands.inputs import EVERGREEN, FILE, NEW_FILE, RECENCY
from server.commands.output import json_option, show
from server.commands.remote import Remote


@click.group()
def router() -> None:
    """How questions are routed."""


@router.command("explain")
@click.argument("question")
@json_option
def explain(question: str, as_json: bool) -> None:
    """Say where a question would be answered from, and why."""
    found = Remote().call("GET", "/v1/router/explain", holds="route", params={"question": question})
    show(
        found,
        as_json=as_json,
        text=lambda: (
            f"{found['route']}: {found['reason']}\nevergreen {found['evergreen_probability']:.2f}, horizon {found['horizon']}"
        ),
    )


@router.command("train")
@click.option(
    "--csv", "evergreen", multiple=True, required=True, type=FILE, help=f"CSV with {EVERGREEN}; repeat for more."
)
@click.option("--recency", multiple=True, type=FILE, help=f"JSON Lines with {RECENCY}; repeat for more.")
@click.option("--choose-on", required=True, type=FILE, help="The same columns: calibrates, and says how good it is.")
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


COMMANDS = (router,)
