"""How a request for erasure may be put: whose it is, in which words, and what is refused instead of being guessed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from governance.accounts import Role
from tests_support import House
from tests_support_erasure import ANN, PATH, filed, step

MARKER = "<|im_start|>system"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"name": ANN}, {"names": [ANN], "identifiers": []}),
        ({"names": ANN, "email": "ann@zebra.example"}, {"names": [ANN], "identifiers": ["ann@zebra.example"]}),
        ({"subject": ANN, "name": "Anny", "names": ["Annie"]}, {"names": [ANN, "Anny", "Annie"]}),
        ({"email": "ann@zebra.example", "identifiers": ["quagga"]}, {"identifiers": ["quagga", "ann@zebra.example"]}),
        ({"subject": ANN, "reason": "Forget me"}, {"statement": "Forget me"}),
        ({"subject": ANN, "reason": "Forget me", "statement": "Please"}, {"statement": "Please\nForget me"}),
        ({"subject": ANN, "law": "PDPA", "kind": "Rectification"}, {"law": "pdpa", "kind": "rectification"}),
        ({"subject": ANN, "law": " GDPR "}, {"law": "gdpr", "kind": "erasure"}),
        ({"subject": ANN, "phone": "none", "channel": "letter"}, {"names": [ANN]}),
    ],
)
async def test_a_request_is_read_in_the_words_it_usually_comes_in(
    admin: httpx.AsyncClient, body: dict[str, Any], shown: dict[str, Any]
) -> None:
    made = await admin.post(PATH, json=body)
    assert made.status_code == 201, made.text
    assert made.json() | shown == made.json()
    assert made.json()["account"] is None


@pytest.mark.parametrize("body", [{"nmaes": [ANN]}, {"user": "ann"}, {"statement": "Forget her", "person": ANN}])
async def test_a_body_that_may_name_somebody_in_a_field_nobody_reads_is_not_taken_for_one_s_own(
    house: House, admin: httpx.AsyncClient, user: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    for client in (admin, user):
        refused = await client.post(PATH, json=body)
        assert refused.status_code == 400
        assert repr(list(body)[-1]) in refused.json()["error"]["message"]
    assert (await admin.get(PATH)).json()["data"] == []


@pytest.mark.parametrize("body", [{"law": "ccpa"}, {"kind": "oblivion"}, {"law": 1}, {"names": [1]}, {"name": {}}])
async def test_what_no_law_and_no_name_is_stays_refused(admin: httpx.AsyncClient, body: dict[str, Any]) -> None:
    refused = await admin.post(PATH, json=body)
    assert (refused.status_code, refused.json()["error"]["param"].split(".")[0]) == (400, *body)


async def test_an_empty_body_means_oneself(house: House, admin: httpx.AsyncClient, user: httpx.AsyncClient) -> None:
    for name, client in (("admin", admin), ("user", user)):
        for body in ({}, {"statement": "Forget me", "law": "PDPA"}):
            made = (await client.post(PATH, json=body)).json()
            assert made["account"] == house.services.accounts.named(name).id


async def test_only_an_admin_files_for_another_subject(house: House, admin: httpx.AsyncClient) -> None:
    house.services.accounts.add("ann.lee", Role.USER, key="ann-key-of-sixteen-or-more")
    for role, key in ((Role.REVIEWER, None), (Role.USER, None), (Role.USER, "ann-key-of-sixteen-or-more")):
        async with house.client(role, **({"Authorization": f"Bearer {key}"} if key else {})) as client:
            refused = await client.post(PATH, json={"subject": ANN})
            assert refused.status_code == 403, refused.text
            assert "ask an admin" in refused.json()["error"]["message"]
            assert ANN in refused.json()["error"]["message"]
    assert (await admin.get(PATH)).json()["data"] == []
    assert (await admin.post(PATH, json={"subject": ANN})).status_code == 201


async def test_who_it_is_about_and_what_was_decided_in_which_words_is_said_to_admins_alone(
    house: House, admin: httpx.AsyncClient
) -> None:
    id_ = await filed(admin, account="user")
    await step(admin, id_, "verify-identity", how="passport seen")
    await step(admin, id_, "find")
    await step(admin, id_, "decide", reason="asked for", exceptions="none", certainty="highest", keep=["index"])
    shown = (await admin.get(f"{PATH}/{id_}")).json()
    assert (shown["login"], shown["identity"]) == ("user", "passport seen")
    assert shown["decision"] == {"reason": "asked for", "exceptions": "none", "keep": ["index"]}
    assert (await admin.get(PATH)).json()["data"][0]["login"] == "user"
    async with house.client(Role.AUDITOR) as auditor:
        read = (await auditor.get(f"{PATH}/{id_}")).json()
    assert not {"login", "identity", "decision"} & read.keys()
    assert "passport" not in str([entry.text for entry in house.services.records.log.entries()])


async def test_one_names_oneself_as_one_s_account_is_called_and_is_looked_for_by_any_name(house: House) -> None:
    account = house.services.accounts.add("ann.lee", Role.USER, key="ann-key-of-sixteen-or-more").account
    async with house.client(Authorization="Bearer ann-key-of-sixteen-or-more") as ann:
        for body in ({"subject": "ann.lee"}, {"subject": "Ann Lee"}, {"names": [ANN]}, {"name": ANN}):
            made = await ann.post(PATH, json=body)
            assert (made.status_code, made.json()["account"]) == (201, account.id)


@pytest.mark.parametrize("name", ["approve", "refuse", "verify-identity"])
async def test_a_word_more_than_is_read_stops_no_step_that_is_only_words(admin: httpx.AsyncClient, name: str) -> None:
    id_ = await filed(admin, names=[ANN])
    if name == "approve":
        await step(admin, id_, "verify-identity", how="passport seen")
    await step(admin, id_, name, reason="r", ground="gdpr-17-3-e", approver="me", comment="c")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("find", {"secret": ["quagga"]}),
        ("decide", {"reason": "r", "keeps": ["doc_1"]}),
        ("close", {"told": True, "backup_until": "2999-01-31"}),
    ],
)
async def test_a_misspelt_field_is_not_lost_where_it_would_change_what_is_done(
    admin: httpx.AsyncClient, name: str, body: dict[str, Any]
) -> None:
    id_ = await filed(admin, names=[ANN])
    refused = await admin.post(f"{PATH}/{id_}/{name}", json=body)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, list(body)[-1])


@pytest.mark.parametrize("kind", ["direct", "paraphrased", "peripheral", "neighbours", "secrets"])
@pytest.mark.parametrize("text", [MARKER, "a\x00b", " "])
async def test_control_tokens_are_refused_in_every_probe(
    house: House, admin: httpx.AsyncClient, kind: str, text: str
) -> None:
    id_ = await filed(admin, names=[ANN])
    await step(admin, id_, "verify-identity", how="passport seen")
    refused = await admin.post(f"{PATH}/{id_}/find", json={kind: ["Who is Ann?", text]})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, kind)
    assert house.services.records.log.entries(limit=1_000)[-1].data["to"] == "identity_verified"
