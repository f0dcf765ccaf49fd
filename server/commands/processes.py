"""Commands that run processes: `serve` starts and watches the others; `engine`, `gateway` and `worker` run one alone."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from governance.accounts import NewAccount
from server.commands.inputs import effective
from server.commands.output import ERRORS, refuse, show
from server.parts import alone
from server.settings import Settings, misspelt

OPTIONS = (
    click.option("--host", help="Address to listen on. [127.0.0.1]"),
    click.option("--port", type=int, help="Port to listen on. [8000]"),
    click.option(
        "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Everything Errata writes. [./data]"
    ),
    click.option("--model", help="Local folder or Hugging Face id. [the embedded SmolLM2-135M-Instruct]"),
    click.option(
        "--rebase", is_flag=True, default=None, help="Accept another base model; live edits are solved anew on it."
    ),
    click.option("--engine-url", help="An OpenAI-compatible server started elsewhere, instead of our own vLLM."),
    click.option("--engine-weights", type=click.Choice(["ours", "none"]), help="May its weights be edited? [none]"),
)


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Flags over ERRATA_* variables over .env."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def set_up_logging(settings: Settings, process: str) -> None:
    """One line an event on standard error: time, process, level, module, message; never a person's text."""
    logging.basicConfig(
        level=settings.log_level.upper(),
        format=f"%(asctime)s {process} %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
        force=True,
    )
    for noisy in ("httpx", "httpcore", "transformers", "faiss", "uvicorn.access", "sentence_transformers"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def keep_temporary_files(settings: Settings) -> None:
    """Under the data folder, as all that is written: uploads of forms and pages are people's texts. Some libraries look
    when they are imported, so this comes first."""
    folder = settings.data_dir / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["GRADIO_TEMP_DIR"] = os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


Say = Callable[[str], None]


def process(*unused: str) -> Callable[[Callable[[Settings, bool], None]], click.Command]:
    """A command that runs until stopped, from its settings and whether --json was given; errors are one line. All take
    the same options, so that one line does for each; those that a process has no use for are not in its help."""

    def command_of(run: Callable[[Settings, bool], None]) -> click.Command:
        @click.command(name=run.__name__, help=run.__doc__)
        @with_settings
        @click.option("--json", "as_json", is_flag=True, help="Say each line as one JSON object.")
        def command(as_json: bool, **flags: Any) -> None:
            try:
                run(effective("webhook_url", "engine.url", **flags), as_json)
            except (*ERRORS, ValueError) as error:
                refuse(error, as_json=as_json)

        for option in command.params:
            if isinstance(option, click.Option):
                option.hidden = option.name in unused
        return command

    return command_of


def saying(as_json: bool, *, err: bool = False) -> Say:
    """How a process tells what it does."""
    return lambda line: click.echo(
        json.dumps({"message": line.strip()}, ensure_ascii=False) if as_json else line, err=err
    )


@process()
def serve(settings: Settings, as_json: bool) -> None:
    """Prepare the model and run engine, gateway, worker and UI until stopped."""
    from server.serve import serve as run

    set_up_logging(settings, "errata")
    for line in misspelt(os.environ):
        saying(as_json, err=True)(line)
    sys.exit(
        asyncio.run(
            run(
                settings,
                say=saying(as_json),
                show_accounts=lambda made: show(
                    {
                        "accounts": [
                            {"name": new.account.name, "password": new.password, "key": new.key} for new in made
                        ]
                    },
                    as_json=as_json,
                    text=lambda: accounts_text(made, settings),
                ),
            )
        )
    )


@process("host", "port", "rebase", "engine_url", "engine_weights")
def engine(settings: Settings, as_json: bool) -> None:
    """Run only vLLM, on the socket in the data folder."""
    from server.engines.vllm_process import launch_vllm, make_folders, this_machine
    from server.prepare import prepare_model

    with alone(settings.data_dir, "engine") as lock:
        model = prepare_model(settings.model, settings.model_dir, say=saying(as_json))
        launch = launch_vllm(settings, model.path, machine=this_machine(), environ=os.environ)
        make_folders(launch)
        os.chdir(launch.folder)
        os.set_inheritable(lock.fileno(), True)  # vLLM, which this process becomes, holds it on
        os.execvpe(launch.command[0], launch.command, dict(launch.environ))


@process()
def gateway(settings: Settings, as_json: bool) -> None:
    """Run only the gateway: HTTP, pages, triage, publisher."""
    keep_temporary_files(settings)
    with alone(settings.data_dir, "gateway"):
        from server.gateway import run

        set_up_logging(settings, "gateway")
        run(settings, say=saying(as_json))


@process("host", "port", "engine_url", "engine_weights")
def worker(settings: Settings, as_json: bool) -> None:
    """Run only the edit worker."""
    keep_temporary_files(settings)
    with alone(settings.data_dir, "worker"):
        from server.worker import run

        set_up_logging(settings, "worker")
        run(settings, say=saying(as_json, err=True))


def accounts_text(made: list[NewAccount], settings: Settings) -> str:
    """The passwords and keys of new accounts, in a form that is easy to copy; shown once."""
    made_now = "Two accounts were made. Their" if len(made) == 2 else "An account was made. Its"
    lines = ["", f"{made_now} secrets are shown this once:", ""]
    for new in made:
        lines.append(f"  {new.account.name:<8} password {new.password}    API key {new.key}")
    lines += ["", f"Sign in at {settings.base_url}  (lost one? `errata user reset NAME`)", ""]
    return "\n".join(lines)


COMMANDS = (serve, engine, gateway, worker)
