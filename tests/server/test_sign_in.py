"""Signing in with a browser: the cookie, where it works, and who sees which page."""

from __future__ import annotations

import httpx
import pytest

from governance.accounts import Role
from tests_support import House


def browser(house: House) -> httpx.AsyncClient:
    client = house.client()
    del client.headers["Authorization"]
    return client


async def signed_in(client: httpx.AsyncClient, role: Role) -> None:
    form = {"username": role.value, "password": f"{role.value}-password"}
    answer = await client.post("/login", data=form, headers={"Origin": "http://errata.test"})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "errata_session=" in cookie
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()


async def test_an_anonymous_page_leads_to_sign_in(house: House) -> None:
    async with browser(house) as client:
        for path in ("/", "/admin/"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login")
        for path in ("/config", "/gradio_api/queue/data", "/monitoring/x", "/admin/config"):
            assert (await client.get(path)).status_code == 401


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/", "/admin/config", "/admin/monitoring/x", "//admin/", "/admin/../admin/config"]
)
async def test_a_user_sees_nothing_under_admin(house: House, path: str) -> None:
    async with browser(house) as client:
        await signed_in(client, Role.USER)
        assert (await client.get(path)).status_code in (403, 404)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR, Role.ADMIN])
async def test_those_who_review_or_audit_pass_the_guard(house: House, role: Role) -> None:
    async with browser(house) as client:
        await signed_in(client, role)
        assert (
            await client.get("/admin/")
        ).status_code == 404  # no pages are mounted in this house: the guard let it through


async def test_wrong_passwords_are_refused_without_saying_which_part_was_wrong(house: House) -> None:
    async with browser(house) as client:
        texts = set()
        for name, password in (("user", "wrong"), ("nobody", "wrong")):
            answer = await client.post("/login", data={"username": name, "password": password})
            assert answer.status_code == 401
            texts.add(answer.text)
        assert len(texts) == 1


async def test_a_write_with_a_cookie_from_elsewhere_is_refused(house: House) -> None:
    async with browser(house) as client:
        await signed_in(client, Role.USER)
        body = {"messages": [{"role": "user", "content": "hello there"}]}
        for origin in ({}, {"Origin": "http://evil.test"}, {"Origin": "null"}):
            assert (await client.post("/v1/chat/completions", json=body, headers=origin)).status_code == 403
        own = await client.post("/v1/chat/completions", json=body, headers={"Origin": "http://errata.test"})
        assert own.status_code == 200


async def test_sign_out_ends_the_session_on_the_server(house: House) -> None:
    async with browser(house) as client:
        await signed_in(client, Role.USER)
        token = client.cookies["errata_session"]
        assert (await client.get("/v1/me")).json()["role"] == "user"
        await client.post("/logout", headers={"Origin": "http://errata.test"})
        client.cookies.set("errata_session", token)
        assert (await client.get("/v1/me")).status_code == 401


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)"])
async def test_sign_in_leads_only_to_this_site(house: House, target: str) -> None:
    async with browser(house) as client:
        form = {"username": "user", "password": "user-password", "next": target}
        assert (await client.post("/login", data=form)).headers["location"] == "/"


async def test_a_name_in_the_sign_in_page_is_escaped(house: House) -> None:
    async with browser(house) as client:
        answer = await client.get("/login", params={"next": '/"><img src=x onerror=alert(1)>'})
        assert "<img" not in answer.text
