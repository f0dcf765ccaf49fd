"""`errata bench`: validate editing, router, retrieval and serving on your own model and data."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import httpx

from server.commands.folder import DATA_DIR
from server.commands.inputs import EVERGREEN, FILE, NEW_FILE, RECENCY, TOO_SHORT, effective, text_of
from server.commands.output import ERRORS, Refused, refuse, show
from server.commands.remote import NO_KEY

STDOUT = Path("-")
COUNT = click.IntRange(min=1)


def _say(line: str) -> None:
    click.echo(line, err=True)


def reporting(command: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """--json, with a file or without, and the rooms' errors as messages instead of tracebacks."""

    @click.option(
        "--json",
        "out",
        is_flag=False,
        flag_value=str(STDOUT),
        type=NEW_FILE,
        help="Print the whole report, rows included, as one JSON value, or write it to this file.",
    )
    @functools.wraps(command)
    def call(*args: Any, out: Path | None, **kwargs: Any) -> None:
        try:
            result = command(*args, **kwargs)
        except ERRORS as error:
            refuse(error, as_json=out is not None)
        if out == STDOUT:
            show(result, as_json=True)
            return
        if out:
            out.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
        for name, value in result.items():
            if isinstance(value, dict):
                click.echo(f"{name:<24} {json.dumps(value, indent=2)}")
            elif not isinstance(value, list):
                click.echo(f"{name:<24} {value:.4g}" if isinstance(value, float) else f"{name:<24} {value}")

    return call


@click.group()
def bench() -> None:
    """Measure quality and speed; long runs show progress."""


@bench.command()
@click.option("--facts", type=FILE, required=True, help="Facts to edit.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["errata", "counterfact", "zsre", "qaedit"]),
    default="errata",
    show_default=True,
    help="Whose layout the file has: ours, as above, or a public data set's.",
)
@click.option("--limit", type=COUNT, help="Only the first N facts.")
@click.option("--batch", default="all", show_default=True, help="Facts edited at once: a number, or all.")
@click.option(
    "--method",
    type=click.Choice(["memit", "rome", "emmet", "alphaedit", "ft", "lora"]),
    default="memit",
    show_default=True,
    help="memit is what is served; the others are for comparison (ft and lora train instead of solving).",
)
@click.option("--model", help="Local folder or Hugging Face id. [the embedded one]")
@click.option("--text", type=FILE, help="Text for perplexity, as one text. [the shipped ones]")
@reporting
def editing(
    facts: Path,
    format_: str,
    limit: int | None,
    batch: str,
    method: str,
    model: str | None,
    text: Path | None,
) -> dict[str, Any]:
    """Edit facts and ask about them as people do: free generation through the chat template.

    A fact file is JSON Lines, one fact a line. It needs subject, question, in which the subject occurs, and target_new,
    the answer to be learnt; target_old is the former one, and the rest is only measured with. One fact, broken up here:

    \b
    {"id": "f1", "subject": "Mona Lisa", "question": "Who painted the Mona Lisa?",
     "target_new": "Artemisia Gentileschi", "target_old": "Leonardo da Vinci",
     "paraphrases": ["By whom was the Mona Lisa painted?"],
     "neighbours": [{"question": "Who painted The Scream?", "answer": "Edvard Munch"}],
     "unrelated": [{"question": "What is the opposite of up?", "answer": "down"}],
     "same_subject": ["Where does the Mona Lisa hang?"]}
    """
    from editing.bench import run_bench
    from editing.fact_files import read_cases
    from editing.loading import load_editor
    from editing.scoring import rows_of
    from editing.unrelated import load_controls
    from server.prepare import prepare_model

    if batch != "all" and not (batch.isdecimal() and int(batch) > 0):
        raise click.UsageError(f"--batch {batch!r}: give a positive number, or all")
    settings = effective(model=model)
    # One text: cut at its blank lines, every part would begin without what stands before it.
    own = (text_of(text),) if text else None
    cases = read_cases(facts, format_, limit)
    prepared = prepare_model(settings.model, settings.model_dir, say=_say)
    editor = load_editor(prepared.path, folder=settings.statistics_dir, progress=_steps("statistics"))
    if own and not rows_of(editor.chat, own):
        raise Refused(f"{str(text)!r} {TOO_SHORT}")
    return run_bench(
        editor,
        cases,
        method_name=method,
        batch=None if batch == "all" else int(batch),
        texts=own or load_controls().texts,
        model=settings.model,
        progress=_say,
    )


@bench.command()
@click.option("--csv", "csv_", type=FILE, required=True, help=f"CSV with the columns {EVERGREEN}.")
@click.option("--recency", type=FILE, help=f"JSON Lines with {RECENCY}.")
@reporting
def router(csv_: Path, recency: Path | None) -> dict[str, Any]:
    """How well the freshness head tells facts that change from facts that do not."""
    from retrieval.bench import bench_router
    from retrieval.freshness import FreshnessHead

    return bench_router(csv_, recency, head=FreshnessHead.load(), progress=_named)


@bench.command()
@click.option("--passages", type=FILE, required=True, help="JSON Lines of id,text,title,uri.")
@click.option("--questions", type=FILE, required=True, help="JSON Lines of question,passage_id.")
@click.option("--distractors", type=FILE, multiple=True, help="More passages that answer none of the questions.")
@reporting
def retrieval(passages: Path, questions: Path, distractors: tuple[Path, ...]) -> dict[str, Any]:
    """How well the right passage is found, and how fast."""
    from retrieval.bench import bench_retrieval
    from retrieval.embedder import load_embedder

    return bench_retrieval(passages, questions, embedder=load_embedder(), distractors=distractors, progress=_named)


@bench.command()
@click.option("--vectors", type=COUNT, default=1_000_000, show_default=True, help="Vectors in the index.")
@click.option("--dimension", type=COUNT, default=384, show_default=True, help="Their dimension.")
@click.option("--queries", type=COUNT, default=200, show_default=True, help="Searches, one after another.")
@click.option("--graph", is_flag=True, help="Build a graph (HNSW) too, for comparison.")
@reporting
def index(vectors: int, dimension: int, queries: int, graph: bool) -> dict[str, Any]:
    """The large dense index on synthetic vectors: recall against the exact scan, memory, build time, p95."""
    from retrieval.index_bench import bench_index

    return bench_index(vectors, dimension=dimension, queries=queries, graph=graph, progress=_named)


@bench.command()
@click.option("--concurrency", default="1,8,32", show_default=True, help="Streams at once, comma-separated.")
@click.option("--tokens", type=COUNT, default=64, show_default=True, help="Tokens per answer.")
@DATA_DIR
@reporting
def serving(concurrency: str, tokens: int, data_dir: Path | None) -> dict[str, Any]:
    """Gateway and bare engine side by side, in turn, in one run. Needs a running `errata serve` and ERRATA_API_KEY."""
    from server.serving_bench import run_serving_bench

    streams = [int(part) if part.strip().isdecimal() else 0 for part in concurrency.split(",")]
    if min(streams) < 1:
        raise click.UsageError(f"--concurrency {concurrency!r}: give numbers of 1 or more, such as 1,8,32")
    settings = effective("url", data_dir=data_dir)
    if not settings.api_key:
        raise click.UsageError(NO_KEY)
    try:
        return asyncio.run(run_serving_bench(settings, streams, tokens=tokens, say=_say))
    except httpx.TransportError as error:
        raise Refused(
            f"gateway or engine does not answer ({error}): is `errata serve` running on {str(settings.data_dir)!r}?"
        ) from None


@bench.command("records")
@click.option(
    "--corrections", type=COUNT, default=10_000, show_default=True, help="Corrections among which one person is erased."
)
@click.option(
    "--passages",
    type=click.IntRange(min=0),
    default=100_000,
    show_default=True,
    help="Passages of documents beside them.",
)
@reporting
def records(corrections: int, passages: int) -> dict[str, Any]:
    """What records cost: the share of a chat request, bytes per correction, seconds of an erasure. Stand-ins, no model."""
    from server.records_bench import run_records_bench

    return run_records_bench(corrections=corrections, passages=passages, say=_say)


def _steps(what: str) -> Callable[[int, int], None]:
    """Progress as one line per tenth."""
    shown = -1

    def progress(done: int, of: int) -> None:
        nonlocal shown
        tenth = 10 * done // max(of, 1)
        if tenth != shown:
            shown = tenth
            _say(f"{what}: {done} of {of}")

    return progress


_named_steps: dict[str, Callable[[int, int], None]] = {}


def _named(what: str, done: int, of: int) -> None:
    """Progress of several parts, each with its own tenths."""
    _named_steps.setdefault(what, _steps(what))(done, of)


COMMANDS = (bench,)
