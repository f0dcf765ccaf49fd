"""A gateway over stand-ins: a scripted engine, a hashing embedder, the real ledger in a temporary folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from governance.accounts import Role
from retrieval.embedder import HashEmbedder
from server.app import create_app
from server.engines.scripted import ScriptedEngine
from server.services import bootstrap
from server.serving import ServedVersion
from server.settings import Settings
from tests_support import KEYS, House, NothingChanges


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", model_dir=tmp_path / "model", _env_file=None)


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine({"Who painted the Blue Door?": "Anna Holm painted the Blue Door."})


@pytest.fixture
def house(settings: Settings, engine: ScriptedEngine) -> Iterator[House]:
    services = bootstrap(settings, engine, model_name="tiny", embedder=HashEmbedder(256), freshness=NothingChanges())
    services.records.versions.ensure_base("0" * 64)
    services.records.versions.set_served("base")
    services.serving.open(ServedVersion("base", 0))
    for role in Role:
        services.accounts.add(role.value, role, key=KEYS[role], password=f"{role.value}-password")
    yield House(create_app(services, with_pages=False, with_loops=False), services, engine)
    services.records.store.close()


@pytest.fixture
async def user(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client(Role.USER) as client:
        yield client


@pytest.fixture
async def admin(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client(Role.ADMIN) as client:
        yield client
