"""Evidence: what is given is read, and held against the claimed answer."""

from __future__ import annotations

import asyncio
import threading

import pytest

from retrieval.errors import AddressRefused
from server import evidence
from server.evidence import check_evidence, said_of

PAGES = {
    "https://door.example/history": "The door was painted by Piet  Aldering in 1911.",
    "https://door.example/shop": "Doors in all colours.",
}


def read(uri: str) -> str:
    if uri not in PAGES:
        raise AddressRefused(f"{uri!r} is not public")
    return PAGES[uri].replace("  ", " ")


@pytest.mark.parametrize(
    ("given", "holds", "said"),
    [
        ((), [], ""),
        (("https://door.example/history",), [True], "the evidence holds the answer"),
        (("HTTPS://door.example/nowhere",), [None], "the evidence could not be read"),
        (("the plate says PIET ALDERING, 1911",), [True], "the evidence holds the answer"),
        (
            ("https://door.example/shop", "see the plate"),
            [False, False],
            "the evidence does not hold the answer, please check",
        ),
        (("https://door.example/shop", "https://door.example/history"), [False, True], "the evidence holds the answer"),
    ],
)
async def test_evidence_is_held_against_the_answer(given, holds, said):
    found = await check_evidence(given, "Piet Aldering", read=read)
    assert [one.holds_answer for one in found] == holds
    assert said_of(found) == said
    assert all(bool(one.sha256) == (one.holds_answer is not None) for one in found)


async def test_no_address_inside_the_house_is_fetched_for_a_reporter():
    found = await check_evidence(["http://127.0.0.1:8000/metrics", "http://169.254.169.254/latest"], "x")
    assert [(one.holds_answer, bool(one.why)) for one in found] == [(None, True)] * 2


async def test_addresses_are_left_alone_where_fetching_is_switched_off():
    (found,) = await check_evidence(["https://door.example/history"], "Piet Aldering", read=None)
    assert (found.holds_answer, "ERRATA_FETCH_EVIDENCE" in found.why) == (None, True)


async def test_a_slow_site_and_a_long_list_hold_up_nothing(monkeypatch):
    monkeypatch.setattr(evidence, "LONGEST_S", 0.2)
    asked: list[str] = []
    answered = threading.Event()

    def slow(uri: str) -> str:
        asked.append(uri)
        answered.wait(60)
        return ""

    started = asyncio.get_running_loop().time()
    found = await check_evidence([f"https://slow.example/{n}" for n in range(9)], "x", read=slow)
    assert asyncio.get_running_loop().time() - started < 30
    answered.set()
    assert [one.holds_answer for one in found] == [None] * 9
    assert len(asked) <= evidence.MOST
