"""A gateway over stand-ins: a scripted engine, a hashing embedder, the real ledger in a temporary folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from governance.accounts import Role
from server.cli import main
from server.engines.scripted import ScriptedEngine
from server.settings import Settings
from tests_support import KEYS, House, free_port, furnish, house_of, listening


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", model_dir=tmp_path / "model", _env_file=None)


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine({"Who painted the Blue Door?": "Anna Holm painted the Blue Door."})


@pytest.fixture
def house(settings: Settings, engine: ScriptedEngine) -> Iterator[House]:
    services = furnish(settings, engine)
    yield house_of(services, engine, with_pages=False, with_loops=False)
    services.records.store.close()


@pytest.fixture
async def user(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client(Role.USER) as client:
        yield client


@pytest.fixture
async def admin(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client(Role.ADMIN) as client:
        yield client


@pytest.fixture
def errata(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """`errata("user", "queue", "--mine")` is what that person sees."""
    port = free_port()
    monkeypatch.setenv("ERRATA_URL", f"http://127.0.0.1:{port}")

    def run(role: str, *line: str) -> Result:
        monkeypatch.setenv("ERRATA_API_KEY", KEYS[Role(role)])
        return CliRunner().invoke(main, list(line))

    with listening(house.app, port):
        yield run
