"""The notary goes on signing after whatever kept it from it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from governance.checkpoints import Checkpoints
from governance.errors import LogError
from server.notary import Notary
from tests_support import House


@pytest.mark.parametrize("trouble", [sqlite3.OperationalError("database or disk is full"), OSError(), LogError("lost")])
async def test_what_could_not_be_signed_is_signed_later(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: Exception
) -> None:
    records, whole, tries = house.services.records, house.services.records.store.sync, iter((trouble, trouble))

    def sync() -> None:
        if error := next(tries, None):
            raise error
        whole()

    monkeypatch.setattr(records.store, "sync", sync)
    newest = house.services.settings.data_dir / "checkpoints" / "checkpoint"
    loop = asyncio.create_task(Notary(records, pause_s=0.01, alarm_every_s=0.0).run())
    for _ in range(500):
        await asyncio.sleep(0.01)
        if newest.exists():
            break
    assert not loop.done()
    loop.cancel()
    assert newest.exists()
    assert caplog.text.count("no checkpoint could be signed") == 2


async def test_a_folder_that_cannot_be_written_to_holds_up_no_other_and_is_told_of_now_and_then(
    house: House, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    records = house.services.records
    (tmp_path / "full").write_text("no folder")
    both = Checkpoints(records.log, records.signer, [tmp_path / "full", tmp_path / "good"])
    loop = asyncio.create_task(Notary(replace(records, checkpoints=both), pause_s=0.01).run())
    for number in range(3):
        with records.store.transaction():
            records.log.append("test", {"number": number})
        await until(lambda: noted(tmp_path / "good") == records.log.size())
    loop.cancel()
    assert caplog.text.count("no checkpoint could be signed") == 1


def noted(folder: Path) -> int:
    """How many entries the newest note in it covers."""
    path = folder / "checkpoint"
    return int(path.read_text().split("\n")[1]) if path.exists() else -1


async def until(done: Callable[[], bool]) -> None:
    for _ in range(300):
        if done():
            return
        await asyncio.sleep(0.01)
    pytest.fail("not within three seconds")


async def test_what_cannot_be_signed_at_the_end_is_said_and_the_engine_is_still_let_go(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    closed: list[bool] = []

    async def close() -> None:
        closed.append(True)

    def refuse() -> None:
        raise LogError("the log was rewritten")

    monkeypatch.setattr(house.services.engine, "close", close, raising=False)
    async with house.app.router.lifespan_context(house.app):
        monkeypatch.setattr(house.services.records.checkpoints, "write", refuse)
    assert closed
    assert "the log was rewritten" in caplog.text
