"""What the server's tests share: a gateway over stand-ins, and the doors into it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from governance.accounts import Role
from governance.corrections import Correction, Remedy
from retrieval.embedder import HashEmbedder
from retrieval.freshness import Freshness, Horizon
from server.app import create_app
from server.engines.scripted import ScriptedEngine
from server.services import Services, bootstrap
from server.serving import ServedVersion
from server.settings import Settings

KEYS = {role: f"{role.value}-key-of-sixteen-or-more" for role in Role}


class NothingChanges:
    """A freshness predictor for a world of fixed facts; a question with "today" in it is the exception."""

    def predict(self, questions: Sequence[str]) -> list[Freshness]:
        return [
            Freshness(False, 0.05, Horizon.DAYS, "A-Day", confident=True)
            if "today" in question
            else Freshness(True, 0.95, Horizon.NEVER, "Never", confident=True)
            for question in questions
        ]


@dataclass
class House:
    """One gateway and the doors into it."""

    app: FastAPI
    services: Services
    engine: ScriptedEngine

    def client(self, role: Role = Role.USER, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://errata.test",
            headers={"Authorization": f"Bearer {KEYS[role]}", **headers},
            timeout=30,
        )

    def queue(self, correction_id: str, remedy: Remedy = Remedy.WEIGHTS, **found: Any) -> Correction:
        """What triage would do, without a model."""
        proposal: dict[str, Any] = {"reason": "test", "evidence": {}} | found
        return self.services.records.ledger.triaged(correction_id, remedy=remedy, **proposal)


def furnish(settings: Settings, engine: ScriptedEngine) -> Services:
    """A gateway's services over stand-ins, with one account per role; names and passwords as the roles are called."""
    services = bootstrap(settings, engine, model_name="tiny", embedder=HashEmbedder(256), freshness=NothingChanges())
    services.records.versions.ensure_base("0" * 64)
    services.records.versions.set_served("base")
    services.serving.open(ServedVersion("base", 0))
    for role in Role:
        services.accounts.add(role.value, role, key=KEYS[role], password=f"{role.value}-password")
    return services


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def listening(app: FastAPI, port: int) -> Iterator[None]:
    """The app on a port of this machine, in a thread of its own."""
    config = uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    # Not server.run(): it would take signal handlers, which belong to the main thread.
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        assert server.started, f"nothing listens on port {port}: was it taken?"
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def house_of(services: Services, engine: ScriptedEngine, **parts: bool) -> House:
    return House(create_app(services, **parts), services, engine)
