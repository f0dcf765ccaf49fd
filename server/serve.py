"""`errata serve`: prepare the model, make the first accounts, then keep engine, worker and gateway running."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx

from governance.accounts import NewAccount
from governance.policy import Policy
from server.base_model import bind_base, foreign_base
from server.engines.vllm import VllmEngine
from server.engines.vllm_process import launch_vllm, make_folders, this_machine
from server.errors import ServerError
from server.notary import sign_now
from server.parts import alone
from server.prepare import prepare_model
from server.services import first_accounts, open_records
from server.settings import Settings
from server.supervisor import Child, Supervisor


async def serve(
    settings: Settings, *, say: Callable[[str], None], show_accounts: Callable[[list[NewAccount]], None]
) -> int:
    """Run until TERM or Ctrl-C. Returns the exit code.

    Raises ServerError if the port or the data folder is taken, or the model cannot be served, GovernanceError if the
    policy cannot be read, and MoveNotAllowed if the data folder belongs to another base model; nothing was started then.
    """
    _check_port(settings)
    Policy.load(settings.policy)
    base = prepare_model(settings.model, settings.model_dir, say=say) if settings.weights_are_ours else None
    with ExitStack() as held:
        _take(settings, held)
        records = open_records(settings)  # a vault that does not open stops everything else
        children, base_sha256 = [_own("gateway", settings)], foreign_base(settings)
        if base:
            base_sha256 = base.base_sha256
            children.append(_own("worker", settings))
            if settings.engine.url is None:
                children.append(_engine(settings, base.path))
        bind_base(settings, records, base_sha256)
        if made := first_accounts(records, settings):
            show_accounts(made)
        sign_now(records, say=say)
        records.store.close()
        say(f"Starting on {settings.base_url} (data in {settings.data_dir}); the model takes a minute or two to load.")
        telling = asyncio.create_task(_tell_when_ready(settings, say))
        try:
            await Supervisor(children).run()
        finally:
            telling.cancel()
            sign_now(records, say=say)  # the worker may have ended after the gateway, whose last act this is too
            records.store.close()
        say("Stopped.")
    return 0


def _take(settings: Settings, held: ExitStack) -> None:
    """Hold the data folder and the engine. Gateway and worker hold themselves; here they only must not run already."""
    held.enter_context(alone(settings.data_dir, "serve"))
    for part in ("gateway", "worker"):
        with alone(settings.data_dir, part):
            pass
    if settings.engine.url is None:
        held.enter_context(alone(settings.data_dir, "engine"))


def _own(name: str, settings: Settings) -> Child:
    """One of our processes: the same command line with its own name, the settings as variables."""
    return Child(name, (sys.executable, "-m", "server", name), environ={**os.environ, **as_environment(settings)})


def _engine(settings: Settings, model: Path) -> Child:
    """Our own vLLM; it has come up when it answers on its socket."""
    launch = launch_vllm(settings, model, machine=this_machine(), environ=os.environ)
    engine = VllmEngine.on_socket(launch.socket)
    return Child(
        "engine",
        launch.command,
        environ=launch.environ,
        folder=launch.folder,
        log=launch.log,
        before=lambda: make_folders(launch),
        stops_last=True,
        is_up=engine.health,
        start_timeout_s=settings.engine.start_timeout_s,
    )


def as_environment(settings: Settings) -> dict[str, str]:
    """The settings as ERRATA_* variables, so that children see what the flags said; without those of other commands.

    What is none is an empty variable: another one of that name would come to the children through our own environment.
    """
    variables = {}
    for name, value in settings.model_dump(mode="python", exclude={"url", "api_key"}).items():
        for key, inner in value.items() if isinstance(value, dict) else ((None, value),):
            if "key" in (key or name) or "password" in name:
                continue  # secrets are in our environment already, if anywhere
            variable = f"ERRATA_{name}" + (f"__{key}" if key else "")
            said = "" if inner is None else inner
            variables[variable.upper()] = json.dumps(said) if isinstance(said, bool) else str(said)
    return variables


async def _tell_when_ready(settings: Settings, say: Callable[[str], None]) -> None:
    async with httpx.AsyncClient(base_url=settings.base_url, timeout=5, trust_env=False) as client:
        last = ""
        while True:
            try:
                answer = await client.get("/ready")
                if answer.status_code == 200:
                    say(f"Ready: {settings.base_url}")
                    return
                waiting = ", ".join(f"{part}: {says}" for part, says in answer.json()["parts"].items() if says != "ok")
            except (httpx.TransportError, ValueError, KeyError):
                waiting = "gateway: starting"
            if waiting != last:
                say(f"  waiting for {waiting}")
                last = waiting
            await asyncio.sleep(1)


def _check_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise ServerError(
                    f"{settings.host!r} is no address of this machine ({error.strerror}): choose another with --host."
                ) from None
            raise ServerError(
                f"Port {settings.port} on {settings.host} cannot be used ({error.strerror}): choose another with --port."
            ) from None
