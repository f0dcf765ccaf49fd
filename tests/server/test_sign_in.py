"""Signing in: the cookie, where it works, who sees which page, and guesses at passwords and keys."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.requests import Request

from governance.accounts import Accounts, Role
from server.auth import same_origin
from server.throttle import SignInThrottle, Throttle
from tests_support import KEYS, House


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
    assert "SameSite=Strict" in cookie  # to the letter, as the contract has it


async def test_an_anonymous_page_leads_to_sign_in(house: House) -> None:
    async with browser(house) as client:
        for path in ("/", "/admin", "/admin/", "/admin/foo", "/foo", "/admin/versions/x"):
            for accept in ("*/*", "text/html", "application/json"):
                answer = await client.get(path, headers={"Accept": accept})
                assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login")
            assert (await client.post(path)).status_code == 401
        for path in ("/config", "/gradio_api/queue/data", "/monitoring/x", "/admin/config", "/admin/assets/x.js"):
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


@pytest.mark.parametrize("role", [Role.USER, Role.REVIEWER, Role.AUDITOR, Role.ADMIN])
async def test_a_key_opens_the_pages_that_its_owner_may_see(house: House, role: Role) -> None:
    async with browser(house) as client:
        key = {"Authorization": f"Bearer {KEYS[role]}"}
        assert (await client.get("/", headers=key)).status_code == 404  # as above
        assert (await client.get("/admin/", headers=key)).status_code == (403 if role is Role.USER else 404)
        assert (await client.post("/admin/", headers=key)).status_code == 403
        assert (await client.get("/admin/", headers={"Authorization": "Bearer of-bad-news"})).status_code == 303


async def test_keys_cannot_be_guessed_at_the_pages(house: House) -> None:
    async with browser(house) as client:
        found = [
            (await client.get("/", headers={"Authorization": f"Bearer guess-{n}"})).status_code for n in range(100)
        ]
    assert found[0] == 303
    assert found[-1] == 429


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


@pytest.mark.parametrize(
    ("origin", "host", "is_ours"),
    [
        ("http://errata.test", "errata.test", True),
        ("http://errata.test:80", "errata.test", True),
        ("https://Errata.test", "errata.test:443", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://errata.test:8000", "errata.test", False),
        ("http://errata.test.evil", "errata.test", False),
        ("http://[", "errata.test", False),
        ("http://errata.test:x", "errata.test", False),
        ("null", "errata.test", False),
        ("", "errata.test", False),
        ("http://errata.test", "", False),
    ],
)
def test_an_origin_is_ours_if_it_names_the_host_that_was_asked(origin: str, host: str, is_ours: bool) -> None:
    headers = [(b"host", host.encode()), (b"origin", origin.encode())]
    assert same_origin(Request({"type": "http", "headers": headers})) is is_ours


async def test_a_foreign_page_ends_nobody_s_session(house: House) -> None:
    async with browser(house) as client:
        await signed_in(client, Role.USER)
        for origin in ("http://evil.test", "null"):
            assert (await client.post("/logout", headers={"Origin": origin})).status_code == 403
        assert (await client.get("/v1/me")).status_code == 200


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


async def attempt(client: httpx.AsyncClient, name: str, password: str) -> httpx.Response:
    form = {"username": name, "password": password}
    return await client.post("/login", data=form, headers={"Origin": "http://errata.test"})


@pytest.fixture
def clock(house: House) -> list[float]:
    """Moments that a test moves on by itself."""
    moment = [1_000.0]
    house.app.state.sign_ins = SignInThrottle(clock=lambda: moment[0])
    return moment


@pytest.mark.parametrize("name", ["admin", "nobody"])
async def test_guessing_is_slowed_down_whether_or_not_the_name_exists(
    house: House, clock: list[float], name: str
) -> None:
    async with browser(house) as client:
        statuses = [(await attempt(client, name, "wrong")).status_code for _ in range(5)]
        assert statuses == [401] * 4 + [429]
        blocked = await attempt(client, name, f"{name}-password")
        assert blocked.status_code == 429  # the right password is not heard either
        assert int(blocked.headers["retry-after"]) >= 1
        assert "Try again in" in blocked.text
        waits = []
        for _ in range(4):
            clock[0] += 1_000
            waits.append(int((await attempt(client, name, "wrong")).headers["retry-after"]))
        assert waits == [2, 4, 8, 16]
        if name == "admin":
            clock[0] += 20
            assert (await attempt(client, name, "admin-password")).status_code == 303
            assert (await attempt(client, name, "wrong")).status_code == 401
    entries = [e.data for e in house.services.records.log.entries() if e.data["kind"] == "account.guessing"]
    assert [entry["wait_s"] for entry in entries] == [1, 2, 4, 8, 16]
    known = {"admin": house.services.accounts.named("admin").pseudonym}.get(name)
    assert {entry["account"] for entry in entries} == {known}
    assert "nobody" not in str(entries)


async def test_guesses_sent_side_by_side_are_heard_one_by_one(house: House, clock: list[float]) -> None:
    async with browser(house) as client:
        at_first = await asyncio.gather(*(attempt(client, "admin", "wrong") for _ in range(20)))
        assert [answer.status_code for answer in at_first].count(401) == 4
        clock[0] += 1_000
        await asyncio.gather(*(attempt(client, "admin", "wrong") for _ in range(20)))
    entries = [e.data for e in house.services.records.log.entries() if e.data["kind"] == "account.guessing"]
    assert [(entry["wrong"], entry["wait_s"]) for entry in entries] == [(5, 1), (6, 2)]


async def test_signing_in_costs_an_address_nothing(house: House, clock: list[float]) -> None:
    async with browser(house) as client:
        for _ in range(40):
            assert (await attempt(client, "user", "user-password")).status_code == 303
        for n in range(29):
            assert (await attempt(client, f"name{n}", "wrong")).status_code == 401
        for _ in range(2):
            assert (await attempt(client, "user", "user-password")).status_code == 303


async def test_one_address_that_tries_many_names_is_slowed_down_too(house: House, clock: list[float]) -> None:
    async with browser(house) as client:
        statuses = [(await attempt(client, f"name{n}", "wrong")).status_code for n in range(31)]
        assert statuses == [401] * 29 + [429] * 2


def test_who_signed_in_from_here_before_is_not_held_up_by_others_guesses() -> None:
    throttle = SignInThrottle(clock=lambda: 0.0)
    throttle.begun("admin", "10.0.0.1")
    throttle.succeeded("admin", "10.0.0.1")
    for _ in range(8):
        throttle.begun("admin", "10.0.0.2")
    assert throttle.wait_s("admin", "10.0.0.2") > 0
    assert throttle.wait_s("admin", "10.0.0.3") > 0
    assert throttle.wait_s("admin", "10.0.0.1") == 0


def test_no_name_that_is_tried_elsewhere_is_mistaken_for_an_account_and_its_address() -> None:
    throttle = SignInThrottle(clock=lambda: 0.0)
    throttle.begun("admin", "10.0.0.1")
    throttle.succeeded("admin", "10.0.0.1")
    for _ in range(8):
        throttle.begun("admin\n10.0.0.1", "10.0.0.2")
    assert throttle.wait_s("admin", "10.0.0.1") == 0


class Overtaken:
    """A hasher whose verification takes so long that the account has new secrets when it is done."""

    def __init__(self, accounts: Accounts) -> None:
        self._hasher, self._accounts = accounts._hasher, accounts

    def __getattr__(self, name: str) -> object:
        return getattr(self._hasher, name)

    def verify(self, known: str, password: str) -> bool:
        found = self._hasher.verify(known, password)
        self._accounts.reset("user", password="another-password")
        return found


async def test_who_signs_in_while_the_account_gets_new_secrets_is_not_let_in(house: House) -> None:
    house.services.accounts._hasher = Overtaken(house.services.accounts)
    async with browser(house) as client:
        answer = await attempt(client, "user", "user-password")
        assert (answer.status_code, "errata_session" in answer.cookies) == (401, False)
        assert (await client.get("/v1/me")).status_code == 401


async def with_key(client: httpx.AsyncClient, key: str, path: str = "/v1/models") -> httpx.Response:
    return await client.get(path, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def key_clock(house: House) -> list[float]:
    moment = [1_000.0]
    house.app.state.wrong_keys = Throttle(free=30, clock=lambda: moment[0])
    return moment


async def test_guessing_keys_is_slowed_down_on_every_route(house: House, key_clock: list[float]) -> None:
    async with browser(house) as client:
        paths = ("/v1/models", "/v1/corrections", "/v1/me")
        statuses = [(await with_key(client, f"guess-{n}", paths[n % 3])).status_code for n in range(31)]
        assert statuses == [401] * 29 + [429] * 2
        refused = await with_key(client, "one more guess")
        assert refused.json()["error"]["type"] == "rate_limit_error"
        assert refused.headers["retry-after"] == "1"
        assert "www-authenticate" not in refused.headers
        waits = []
        for _ in range(4):
            key_clock[0] += 1_000
            waits.append(int((await with_key(client, "another guess")).headers["retry-after"]))
        assert waits == [2, 4, 8, 16]
    entries = [e.data for e in house.services.records.log.entries() if e.data["kind"] == "key.guessing"]
    assert [(entry["wrong"], entry["wait_s"]) for entry in entries] == [(30, 1), (31, 2), (32, 4), (33, 8), (34, 16)]
    assert "guess-" not in str(entries)


async def test_a_right_key_is_heard_whatever_was_guessed_from_its_address(house: House, key_clock: list[float]) -> None:
    async with browser(house) as client:
        for n in range(40):
            await with_key(client, f"guess-{n}")
        assert (await with_key(client, KEYS[Role.USER])).status_code == 200
        assert (await with_key(client, "guess")).status_code == 429  # a key of one's own buys no more guesses
        await signed_in(client, Role.USER)
        assert (await client.get("/v1/me")).status_code == 200


async def test_what_is_no_key_is_no_guess(house: House, key_clock: list[float]) -> None:
    async with browser(house) as client:
        for header in ({}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer "}):
            answers = [await client.get("/v1/models", headers=header) for _ in range(35)]
            assert {answer.status_code for answer in answers} == {401}
        assert (await with_key(client, "a guess")).status_code == 401


async def test_wrong_keys_are_counted_by_address(house: House, key_clock: list[float]) -> None:
    for _ in range(35):
        house.app.state.wrong_keys.failed("10.0.0.9")
    async with browser(house) as client:
        assert (await with_key(client, "a guess")).status_code == 401


def test_names_longer_than_an_account_s_are_counted_as_one() -> None:
    throttle = SignInThrottle()
    waits = [throttle.begun(f"{n}{'x' * 1_000_000}", f"10.0.0.{n}").wait_s for n in range(8)]
    assert (waits[0], waits[-1] > 0) == (0, True)
    assert len(throttle._accounts._kept) == 1


def test_the_longest_pause_is_a_quarter_of_an_hour() -> None:
    throttle = Throttle(free=5, clock=lambda: 0.0)
    assert [throttle.failed("a").wait_s for _ in range(40)][-1] == 900


def test_attempts_are_forgotten_after_an_hour_and_kept_for_a_bounded_number_of_names() -> None:
    moment = [0.0]
    throttle = Throttle(free=1, clock=lambda: moment[0])
    assert throttle.failed("a").wait_s == 1
    moment[0] = 4_000.0
    assert throttle.failed("a").wrong == 1
    for n in range(20_000):
        throttle.failed(str(n))
    assert len(throttle._kept) == 10_000


async def test_no_websocket_passes_the_guard_of_the_pages(house: House) -> None:
    sent = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {KEYS[Role.ADMIN]}".encode())]
    await house.app({"type": "websocket", "path": "/queue/join", "headers": headers}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]
