"""What browsers are told: on every answer, refusals and pages included."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from server.app import create_app
from server.engines.scripted import ScriptedEngine
from server.headers import FIXED, PAGE_POLICY, PLAIN_POLICY, is_own
from server.settings import Settings
from tests_support import House, furnish


def outside(house: House) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(house.app, raise_app_exceptions=False), base_url="http://e.test"
    )


@pytest.mark.parametrize(
    ("path", "status", "policy"),
    [
        ("/login", 200, PLAIN_POLICY),
        ("/health", 200, PLAIN_POLICY),
        ("/v1/me", 401, PLAIN_POLICY),
        ("/v1/nothing", 404, PLAIN_POLICY),
        ("/", 303, PAGE_POLICY),
        ("/admin/", 303, PAGE_POLICY),
        ("/admin/config", 401, PAGE_POLICY),
    ],
)
async def test_every_answer_carries_the_headers(house: House, path: str, status: int, policy: str) -> None:
    async with outside(house) as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in FIXED} == FIXED
    assert answer.headers["content-security-policy"] == policy
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize("policy", [PAGE_POLICY, PLAIN_POLICY])
def test_nothing_comes_from_elsewhere_and_nobody_frames_a_page(policy: str) -> None:
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["frame-ancestors"] == "'none'"
    assert rules["form-action"] == "'self'"
    assert rules["default-src"] in ("'self'", "'none'")
    assert all("http" not in rule and "*" not in rule for rule in rules.values())


def test_every_route_is_known_as_our_own(house: House) -> None:
    assert all(is_own(route.path) for route in house.app.routes)
    assert not any(map(is_own, ("/", "/admin/", "/v1", "/health/x", "/loginx", "/config")))


async def test_personal_answers_are_not_kept_by_the_browser(user: httpx.AsyncClient) -> None:
    assert (await user.get("/v1/me")).headers["cache-control"] == "no-store"


async def test_behind_https_browsers_are_told_to_stay_there(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", model_dir=tmp_path / "model", secure_cookie=True, _env_file=None)
    engine = ScriptedEngine()
    services = furnish(settings, engine)
    async with outside(House(create_app(services, with_pages=False, with_loops=False), services, engine)) as client:
        assert "max-age=" in (await client.get("/health")).headers["strict-transport-security"]
    services.records.store.close()
