"""What browsers are told: on every answer, refusals and pages included."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

from governance.accounts import Role
from server.app import create_app
from server.auth import COOKIE, same_origin
from server.engines.scripted import ScriptedEngine
from server.headers import FIXED, PAGE_POLICY, PLAIN_POLICY, is_own
from server.settings import Settings
from server.throttle import Throttle
from tests_support import KEYS, House, furnish


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


@pytest.fixture
async def page(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which an admin is signed in."""
    async with outside(house) as client:
        client.cookies.set(COOKIE, house.services.accounts.sign_in("admin", "admin-password") or "")
        yield client


async def test_nothing_is_deleted_with_a_cookie_from_elsewhere(page: httpx.AsyncClient) -> None:
    for headers, status in (({"Origin": "http://evil.test"}, 403), ({}, 403), ({"Origin": "http://e.test"}, 404)):
        assert (await page.delete("/v1/knowledge/documents/doc_none", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({"referer": "http://e.test/admin?tab=queue"}, True),
        ({"referer": "http://evil.test/e.test"}, False),
        ({"origin": "http://evil.test", "referer": "http://e.test/"}, False),
        ({"origin": "null", "host": ""}, False),
        ({"host": ""}, False),
    ],
)
def test_a_referer_counts_where_no_origin_is_said_and_no_host_is_nobody_s(
    headers: dict[str, str], is_ours: bool
) -> None:
    sent = [(name.encode(), value.encode()) for name, value in ({"host": "e.test"} | headers).items()]
    assert same_origin(Request({"type": "http", "headers": sent})) is is_ours


async def test_a_foreign_page_signs_nobody_in(house: House) -> None:
    form = {"username": "user", "password": "user-password"}
    async with outside(house) as client:
        for origin in ("http://evil.test", "null"):
            answer = await client.post("/login", data=form, headers={"Origin": origin})
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


async def test_a_wrong_key_is_refused_though_the_cookie_beside_it_is_right(page: httpx.AsyncClient) -> None:
    assert (await page.get("/v1/me")).status_code == 200
    assert (await page.get("/v1/me", headers={"Authorization": "Bearer no-such-key"})).status_code == 401


async def test_the_scheme_of_a_key_may_be_written_in_any_case(house: House) -> None:
    async with outside(house) as client:
        for scheme in ("Bearer", "bearer", "BEARER"):
            answer = await client.get("/v1/me", headers={"Authorization": f"{scheme} {KEYS[Role.USER]}"})
            assert answer.status_code == 200


async def test_one_address_s_guesses_hold_up_no_other_address(house: House) -> None:
    house.app.state.wrong_keys = Throttle(free=1, clock=lambda: 0.0)
    found = []
    for address in ("10.0.0.1", "10.0.0.1", "10.0.0.2"):
        transport = httpx.ASGITransport(house.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://e.test") as client:
            await client.get("/v1/me", headers={"Authorization": "Bearer a-guess"})
        found.append(house.app.state.wrong_keys.wait_s(address))
    assert found == [1, 1, 1]
    assert set(house.app.state.wrong_keys._kept) == {"10.0.0.1", "10.0.0.2"}


async def test_signing_out_takes_the_cookie_from_the_browser(page: httpx.AsyncClient) -> None:
    answer = await page.post("/logout", headers={"Origin": "http://e.test"})
    assert "Max-Age=0" in answer.headers["set-cookie"]
