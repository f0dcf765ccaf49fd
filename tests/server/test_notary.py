"""The notary goes on signing after whatever kept it from it."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

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
    loop = asyncio.create_task(Notary(records, pause_s=0.01, after_error_s=0.01).run())
    for _ in range(500):
        await asyncio.sleep(0.01)
        if records.checkpoints.latest():
            break
    assert not loop.done()
    loop.cancel()
    assert records.checkpoints.latest() is not None
    assert caplog.text.count("no checkpoint could be signed") == 2
