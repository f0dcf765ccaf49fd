"""The commands that speak HTTP, at an address where no Errata answers, with a key or an id that cannot be used."""

from __future__ import annotations

import functools
from collections.abc import Callable

import httpx
import pytest
from click.testing import CliRunner, Result

from server.cli import main

URL = "https://errata.example"
Answering = Callable[..., Callable[..., Result]]
MOVED = httpx.Response(302, headers={"location": "https://login.example/start"})
CHUNK = b'data: {"id": "ans_1", "choices": [{"delta": {"content": "Hello."}}]}\n\n'
EVERY = [
    ["chat", "hi"],
    ["chat", "hi", "--json"],
    ["report", "ans_1", "--correct", "x"],
    ["queue"],
    ["show", "cor_1"],
    ["approve", "cor_1"],
    ["reroute", "cor_1", "--to", "weights"],
    ["router", "explain", "hi"],
    ["knowledge", "list"],
    ["knowledge", "search", "hi"],
    ["knowledge", "remove", "doc_1"],
    ["knowledge", "sync", "."],
    ["erase", "list"],
    ["erase", "file"],
    ["erase", "close", "era_1"],
    ["erase", "certificate", "era_1"],
]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch, tmp_path) -> Answering:
    """`answering(RESPONSE)("queue")` is the command against a server that answers so; `asked` has its requests."""
    monkeypatch.chdir(tmp_path)
    client = httpx.Client

    def at(answer: httpx.Response, **environ: str) -> Callable[..., Result]:
        def answered(request: httpx.Request) -> httpx.Response:
            at.asked.append(request)  # type: ignore[attr-defined]
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

        monkeypatch.setattr(httpx, "Client", functools.partial(client, transport=httpx.MockTransport(answered)))
        environ = {"ERRATA_URL": URL, "ERRATA_API_KEY": "a-key-of-sixteen-or-more", "COLUMNS": "300", **environ}
        return lambda *line, **given: CliRunner().invoke(main, [*line], env=environ, **given)

    at.asked = []  # type: ignore[attr-defined]
    return at


@pytest.mark.parametrize("line", EVERY, ids=" ".join)
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (MOVED, "redirects to https://login.example/start: set ERRATA_URL"),
        (httpx.Response(200, json={"status": "ok"}), "is no Errata"),
        (httpx.Response(200, json=[]), "is no Errata"),
        (httpx.Response(200, html="<html></html>"), "is no Errata"),
        (httpx.Response(200, content=b'data: {"a": 1}\n\ndata: [DONE]\n\n'), "is no Errata"),
        (httpx.Response(200, content=b"data: 1\n\n"), "is no Errata"),
        (httpx.Response(200, content=CHUNK), "is no Errata"),
        (httpx.Response(401, json={"error": {"message": "no"}}), f"ERRATA_API_KEY is not known at {URL}"),
        (httpx.Response(502), f"{URL} answered 502"),
    ],
    ids=["redirect", "other JSON", "a list", "a page", "other events", "numbers", "no trace", "key", "proxy"],
)
def test_what_no_errata_answers_is_never_a_success(
    answering: Answering, line: list[str], answer: httpx.Response, says: str
) -> None:
    ran = answering(answer)(*line)
    assert (ran.exit_code, says in ran.output) == (1, True), ran.output


@pytest.mark.parametrize("line", [["chat"], ["show"], ["knowledge", "remove"]], ids=" ".join)
def test_bytes_that_are_no_text_are_refused_in_one_line(answering: Answering, line: list[str]) -> None:
    ran = answering(httpx.Response(200))(*line, "\udcff")
    assert (ran.exit_code, "cannot be read or sent" in ran.output) == (1, True), ran.output


@pytest.mark.parametrize("id_", ["", ".", ".."])
@pytest.mark.parametrize("line", [["show"], ["approve"], ["knowledge", "remove"], ["erase", "show"]], ids=" ".join)
def test_what_would_be_another_address_is_no_id(answering: Answering, line: list[str], id_: str) -> None:
    ran = answering(httpx.Response(200, json={"id": "x", "data": []}))(*line, id_)
    assert (ran.exit_code, f"{id_!r} is no id" in ran.output) == (2, True), ran.output


def test_an_id_leads_to_no_other_address(answering: Answering) -> None:
    at = answering(httpx.Response(200, json={"id": "x", "status": "approved"}))
    at("approve", "../versions/base?x#y")
    [asked] = answering.asked  # type: ignore[attr-defined]
    assert asked.url.raw_path == b"/v1/corrections/..%2Fversions%2Fbase%3Fx%23y/approve"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ERRATA_URL", "http://127.0.0.1:abc"),
        ("ERRATA_URL", "http://[::1"),
        ("ERRATA_URL", "127.0.0.1:8765"),
        ("ERRATA_URL", "http://127.0.0.1:8000/v1"),
        ("ERRATA_URL", "https://errata.example/errata/v1/"),
        ("ERRATA_URL", "http://127.0.0.1:8000?x=y"),
        ("ERRATA_URL", "http://127.0.0.1:8000/#queue"),
        ("ERRATA_URL", "ftp://errata.example"),
        ("ERRATA_URL", "http://errata example"),
        ("ERRATA_API_KEY", "ключ-из-шестнадцати"),
        ("ERRATA_API_KEY", "a-key-of-sixteen\nor-more"),
    ],
)
def test_an_address_or_key_that_cannot_be_used_is_named(answering: Answering, name: str, value: str) -> None:
    ran = answering(httpx.Response(200), **{name: value})("queue")
    assert (ran.exit_code, name in ran.output.splitlines()[-1], value in ran.output) == (2, True, False), ran.output


@pytest.mark.parametrize("at", ["https://host.example/errata", "https://host.example/errata/", "https://host.example/"])
def test_a_server_may_stand_behind_a_part_of_another_address(answering: Answering, at: str) -> None:
    ran = answering(httpx.Response(200, json={"data": [], "next_cursor": None}), ERRATA_URL=at)("queue")
    [asked] = answering.asked  # type: ignore[attr-defined]
    assert (ran.exit_code, asked.url.path) == (0, f"{httpx.URL(at).path.rstrip('/')}/v1/corrections"), ran.output


def test_empty_lines_ask_nothing_and_end_nothing(answering: Answering) -> None:
    told = {"choices": [{"message": {"content": "Hello."}}], "errata": {"route": "model"}}
    ran = answering(httpx.Response(200, json=told))("chat", "--json", input="first\n\nsecond\n")
    assert (ran.exit_code, len(ran.stdout.splitlines())) == (0, 2), ran.output


@pytest.mark.parametrize("question", ["", "  "])
def test_an_empty_question_is_wrong_usage(answering: Answering, question: str) -> None:
    ran = answering(httpx.Response(200))("chat", question, input="first\n")
    assert (ran.exit_code, "empty" in ran.output) == (2, True), ran.output


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["queue", "--status", "bogus"], "--status"),
        (["queue", "--limit", "0"], "--limit"),
        (["knowledge", "search", "hi", "-k", "0"], "-k"),
        (["knowledge", "add", "a.md", "--as-of", "31.12.2026"], "--as-of: give a day"),
        (["knowledge", "add", "a.md", "--expires-at", "soon"], "--expires-at: give a day"),
        (["erase", "close", "era_1", "--backups-until", "garbage"], "--backups-until"),
    ],
)
def test_values_that_no_server_takes_are_wrong_usage(answering: Answering, line: list[str], says: str) -> None:
    ran = answering(httpx.Response(400, json={"error": {"message": "no"}}))(*line)
    assert (ran.exit_code, says in ran.output) == (2, True), ran.output


def test_settings_in_another_encoding_are_named(answering: Answering, tmp_path) -> None:
    (tmp_path / ".env").write_text("ERRATA_PORT=8001\n", encoding="utf-16")
    ran = answering(httpx.Response(200))("queue")
    assert (ran.exit_code, ".env is no UTF-8 text" in ran.output) == (2, True), ran.output
