"""Evidence: what is given is read, and held against the claimed answer."""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import threading
import time
from collections.abc import Iterator

import pytest

from retrieval import fetch as fetching
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


# As they come over the wire, read by nothing but what reads them in service.
SITE = {
    "/history": "<h1>The door</h1><p>It was painted by <b>Piet </b>\n<i>Aldering</i> in 1911.</p>",
    "/painter": "<h2>Piet Aldering</h2><p>Painted doors.</p>",
    "/shop": "<p>Doors in all colours.</p>",
    "/T%C3%BCr": "<p>Piet Aldering</p>",
    "/empty": "<script>document.write('Piet Aldering')</script>",
    "/long": "<p>Piet Aldering</p>" + " " * evidence.MAX_BYTES,
}


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = SITE.get(self.path, "").encode()
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server on this machine that the guard lets through."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(fetching, "is_public", lambda address: True)
    monkeypatch.setattr(fetching, "_ALLOWED_PORTS", frozenset({server.server_port}))
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "holds", "why"),
    [
        ("/history", True, ""),
        ("/painter", True, ""),
        ("/shop", False, ""),
        ("/Tür", True, ""),
        ("/nowhere", None, "404"),
        ("/empty", None, "no text"),
        ("/long", None, "more than 2,000,000 bytes"),
    ],
)
async def test_a_page_is_fetched_and_read(site, path, holds, why):
    (found,) = await check_evidence([site + path], "Piet Aldering")
    assert found.holds_answer is holds
    assert why in found.why
    assert found.sha256 != hashlib.sha256(b"").hexdigest()


async def test_the_hash_is_that_of_the_text_as_read(site):
    (found,) = await check_evidence([f"{site}/shop"], "x")
    assert found.sha256 == hashlib.sha256(b"Doors in all colours.").hexdigest()


@pytest.mark.parametrize(
    "error", [RuntimeError("odd"), RecursionError(), MemoryError(), UnicodeEncodeError("ascii", "ü", 0, 1, "no")]
)
async def test_no_surprise_in_a_page_holds_a_report(error, caplog):
    def surprising(uri: str) -> str:
        raise error

    found = await check_evidence(["https://odd.example/a", "Piet Aldering"], "Piet Aldering", read=surprising)
    assert [one.holds_answer for one in found] == [None, True]
    assert type(error).__name__ in found[0].why
    assert "odd.example" not in caplog.text
    assert type(error).__name__ in caplog.text


async def test_an_answer_is_found_across_lines_and_kinds_of_quotes():
    (found,) = await check_evidence(["it says \u201cPiet\n  Aldering\u201d, 1911"], '"Piet Aldering"')
    assert found.holds_answer is True


async def test_a_text_made_to_be_slow_is_read_soon():
    started = time.monotonic()
    (found,) = await check_evidence(["Piet Aldering a" + "\u0301\u0316" * 250_000], "Piet Aldering")
    assert found.holds_answer is True
    assert time.monotonic() - started < 10  # 300 s where the accents are sorted
