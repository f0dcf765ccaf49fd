"""What stands around the routes: the limit on bodies, with and without a length, and the request log."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from server.settings import Settings

LIMIT_MB = 0.01


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_request_mb": LIMIT_MB})


async def pieces(size: int) -> AsyncIterator[bytes]:
    yield b'{"messages": [{"role": "user", "content": "'
    for _ in range(size // 1000):
        yield b"a" * 1000
    yield b'"}]}'


@pytest.mark.parametrize("told", [True, False], ids=["with its length", "in chunks of no known length"])
async def test_a_body_over_the_limit_is_refused_in_openais_form(user: httpx.AsyncClient, told: bool) -> None:
    body = b"".join([piece async for piece in pieces(20_000)]) if told else pieces(20_000)
    headers = {"Content-Type": "application/json"}
    refused = await user.post("/v1/chat/completions", content=body, headers=headers)
    assert refused.status_code == 413
    assert "0.01 MB" in refused.json()["error"]["message"]
    fits = await user.post("/v1/chat/completions", content=pieces(8_000), headers=headers)
    assert fits.status_code == 200


async def test_a_request_is_logged_in_one_line_without_what_was_asked(
    user: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="server.middleware"):
        body = {"messages": [{"role": "user", "content": "Who painted the Blue Door?"}], "stream": True}
        await user.post("/v1/chat/completions?secret=1", json=body)
        await user.get("/health")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "server.middleware"]
    assert line.startswith("POST /v1/chat/completions 200 ")
    assert "secret" not in line


@pytest.mark.parametrize("path", ["/v1/x%0a2026-01-01 errata INFO forged", "/v1/x%0d%1b[2K", "/v1/x%e2%80%a8y"])
async def test_a_path_cannot_begin_a_line_of_the_log(
    user: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with caplog.at_level(logging.INFO, logger="server.middleware"):
        await user.get(path, headers={"Authorization": ""})
    (line,) = [record.getMessage() for record in caplog.records if record.name == "server.middleware"]
    assert line.startswith("GET /v1/x%")
    assert line.isprintable()
