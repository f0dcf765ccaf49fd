"""The webhook: outcomes in ids and statuses, signed, told once each, and again until they are taken."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.herald import Herald, WebhookKey
from server.settings import Settings
from tests_support import House

REPORT = {"question": "Who painted the Blue Door?", "answer": "Anna Holm", "correct_answer": "Piet Aldering"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"webhook_url": "https://receiver.example/hook"})


def herald(house: House, receive: Callable[[httpx.Request], httpx.Response]) -> Herald:
    return Herald(house.services, pause_s=1.0, transport=httpx.MockTransport(receive))


async def rejected(user: httpx.AsyncClient, admin: httpx.AsyncClient) -> str:
    made = (await user.post("/v1/corrections", json=REPORT)).json()["id"]
    assert (await admin.post(f"/v1/corrections/{made}/reject", json={"reason": "Anna did"})).status_code == 200
    return made


async def test_an_outcome_is_told_once_in_ids_alone(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    got: list[httpx.Request] = []
    teller = herald(house, lambda request: got.append(request) or httpx.Response(204))
    assert await teller.tell() == 0
    made = await rejected(user, admin)
    assert await teller.tell() == 1
    assert await teller.tell() == 0
    (request,) = got
    outcome = json.loads(request.content)
    assert (outcome["type"], outcome["correction"], outcome["status"]) == ("correction.outcome", made, "rejected")
    for text in (*REPORT.values(), "Anna did", "user"):
        assert text not in request.content.decode()
    entries = [entry.data for entry in house.services.records.log.entries()]
    assert entries[-1]["kind"] == "correction.told"
    await user.post(f"/v1/corrections/{made}/appeal", json={"reason": "look again"})
    await user.post(f"/v1/corrections/{made}/withdraw", json={})
    assert await teller.tell() == 1
    assert json.loads(got[-1].content)["status"] == "closed"
    assert got[0].headers["webhook-id"] != got[1].headers["webhook-id"]


async def test_the_signature_is_the_one_of_standard_webhooks(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    got: list[httpx.Request] = []
    await rejected(user, admin)
    await herald(house, lambda request: got.append(request) or httpx.Response(200)).tell()
    headers = got[0].headers
    public = (await admin.get("/v1/audit/key")).json()["webhook_key"]
    assert public == WebhookKey(house.services.settings).public
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    version, signature = headers["webhook-signature"].split(",")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + got[0].content
    assert version == "v1a"
    key.verify(base64.b64decode(signature), signed)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(signature), signed + b" ")


async def test_a_receiver_that_fails_is_asked_again_and_stops_no_move(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    answers = iter([httpx.Response(503), httpx.Response(302, headers={"Location": "http://169.254.169.254/"})])
    got: list[str] = []

    def receive(request: httpx.Request) -> httpx.Response:
        got.append(str(request.url))
        return next(answers, httpx.Response(200))

    teller = herald(house, receive)
    made = await rejected(user, admin)
    for _ in range(2):
        with pytest.raises(httpx.HTTPError):
            await teller.tell()
        assert (await user.get(f"/v1/corrections/{made}")).json()["status"] == "rejected"
    assert await teller.tell() == 1
    assert got == ["https://receiver.example/hook"] * 3  # nor is a redirect followed


async def test_what_moves_on_while_it_is_told_is_told_again(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    made = await rejected(user, admin)
    ledger, person = house.services.records.ledger, house.services.accounts.named("user")

    def receive(_: httpx.Request) -> httpx.Response:
        if ledger.get(made).status == "rejected":
            ledger.appeal(made, person)
            ledger.withdraw(made, person)
        return httpx.Response(200)

    teller = herald(house, receive)
    await teller.tell()
    assert [one.id for one in ledger.untold()] == [made]
    assert await teller.tell() == 1
    assert ledger.untold() == ()


def test_the_pause_grows_with_each_failure_up_to_five_minutes(house: House) -> None:
    teller = herald(house, lambda _: httpx.Response(500))
    pauses = []
    for teller._failures in (0, 1, 2, 5, 8, 9, 50):
        pauses.append(teller.pause_s)
    assert pauses == [1.0, 2.0, 4.0, 32.0, 256.0, 300.0, 300.0]
