"""What the server's tests share: a gateway over stand-ins, and the doors into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from governance.accounts import Role
from retrieval.freshness import Freshness, Horizon
from server.engines.scripted import ScriptedEngine
from server.services import Services

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
