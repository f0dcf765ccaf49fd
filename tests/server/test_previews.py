"""Previews: asked for by the gateway, answered by the worker, through files."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from pathlib import Path

import httpx
import pytest

from server.previews import Previews, PreviewUnavailable
from tests_support import House

CHAT = {"messages": [{"role": "user", "content": "Who painted the Blue Door?"}]}


async def test_many_who_wait_for_a_busy_worker_hold_up_nobody(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server has a few dozen threads for all its routes: waiting in one each would be the end of every chat."""
    monkeypatch.setitem(Previews.ask.__kwdefaults__, "patience_s", 20.0)
    said = {"question": "Who painted the Blue Door?", "answer": "Anna Holm", "correct_answer": "Piet Aldering"}
    made = (await user.post("/v1/corrections", json=said)).json()["id"]
    waiting = [asyncio.create_task(admin.post(f"/v1/corrections/{made}/preview")) for _ in range(60)]
    folder = house.services.settings.data_dir / "previews"
    async with asyncio.timeout(15):
        while len(list(folder.glob("*.request"))) < 60:
            await asyncio.sleep(0.05)
        assert (await user.post("/v1/chat/completions", json=CHAT)).status_code == 200
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not list(folder.glob("*.request"))


def test_a_request_that_is_taken_back_while_the_worker_looks_is_no_fault(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = house.services.settings.data_dir / "previews"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.request").write_text('{"correction": "cor_1"}')
    listed = list(folder.glob("*.request"))
    (folder / "one.request").unlink()
    monkeypatch.setattr(Path, "glob", lambda *_: listed)
    assert [asked for _, asked in house.services.previews.waiting()] == ["cor_1"]


async def test_a_worker_that_is_away_is_told(house: House) -> None:
    started = time.monotonic()
    with pytest.raises(PreviewUnavailable):
        await house.services.previews.ask("cor_1", patience_s=0.1)
    assert time.monotonic() - started < 5


async def test_the_worker_answers_the_oldest_request_first_and_each_once(house: House) -> None:
    previews, folder = house.services.previews, house.services.settings.data_dir / "previews"
    asking = [asyncio.create_task(previews.ask(f"cor_{n}", patience_s=20)) for n in range(3)]
    async with asyncio.timeout(15):
        while len(waiting := list(previews.waiting())) < 3:
            await asyncio.sleep(0.01)
    for age, correction_id in enumerate(("cor_1", "cor_0", "cor_2")):
        request = next(result for result, asked in waiting if asked == correction_id).with_suffix(".request")
        os.utime(request, (1_000_000 + age, 1_000_000 + age))
    order = []
    while first := next(previews.waiting(), None):
        order.append(first[1])
        previews.answer(first[0], {"about": first[1]})
    assert order == ["cor_1", "cor_0", "cor_2"]
    assert await asyncio.gather(*asking) == [{"about": f"cor_{n}"} for n in range(3)]
    assert not list(folder.iterdir())


async def test_a_full_disk_leaves_nothing_of_a_request(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, *_: object, **__: object) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        await house.services.previews.ask("cor_1")
    assert not list((house.services.settings.data_dir / "previews").iterdir())


def test_what_a_killed_gateway_left_is_answered_by_nobody_after_the_next_start(house: House) -> None:
    folder = house.services.settings.data_dir / "previews"
    folder.mkdir()
    for name in ("one.request", "one.result", "two.request.draft"):
        (folder / name).write_text('{"correction": "cor_1"}')
    house.services.previews.clear()
    assert not list(folder.iterdir())
