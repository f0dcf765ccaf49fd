"""Route by route, role by role: who passes the door. The table is the one in docs/architecture.md."""

from __future__ import annotations

import re

import pytest

from governance.accounts import Role
from server.roles import COLUMNS, Row, route_table
from tests_support import House

ROWS = route_table()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
async def test_a_route_lets_in_exactly_the_roles_of_its_row(house: House, row: Row) -> None:
    path = re.sub(r"{\w+}", "cor_none", row.path)
    for role in COLUMNS:
        async with house.client(role or Role.USER) as client:
            if role is None:
                del client.headers["Authorization"]
            status = (await client.request(row.method, path)).status_code
        refused = status == 401 if role is None else status == 403
        assert refused != row.allows(role), f"{role or 'anonymous'} got {status}"
        assert status < 500 or status == 503


def test_only_health_readiness_and_version_are_public() -> None:
    assert {row.path for row in ROWS if row.allows(None)} == {"/health", "/ready", "/version"}


def test_an_auditor_changes_nothing() -> None:
    changing = {(row.method, row.path) for row in ROWS if row.method != "GET" and row.allows(Role.AUDITOR)}
    assert changing == {("POST", "/v1/knowledge/search")}


async def test_an_auditor_reads_accounts_and_settings_and_no_user_or_reviewer_does(house: House) -> None:
    for role, status in ((Role.USER, 403), (Role.REVIEWER, 403), (Role.AUDITOR, 200), (Role.ADMIN, 200)):
        async with house.client(role) as client:
            for path in ("/v1/people", "/v1/settings"):
                assert (await client.get(path)).status_code == status


async def test_an_auditor_reads_how_an_answer_came_about_and_no_word_of_it(house: House) -> None:
    async with house.client(Role.ADMIN) as admin:
        document = {
            "title": "Zebra's door",
            "text": "Anna Holm painted the Blue Door.",
            "uri": "https://zebra.example/",
        }
        await admin.post("/v1/knowledge/documents", json=document)
    async with house.client(Role.USER) as user:
        question = {"role": "user", "content": "Who painted the Blue Door of Zoe Zebra?"}
        asked = {"messages": [question], "errata_route": "retrieval"}
        given = (await user.post("/v1/chat/completions", json=asked)).json()
    async with house.client(Role.AUDITOR) as auditor:
        shown = (await auditor.get(f"/v1/answers/{given['id']}")).json()
    assert (shown["answer_id"], shown["question"], shown["answer"]) == (given["id"], "", "")
    assert (shown["errata"]["route"], shown["errata"]["weights_version"]) == ("retrieval", "base")
    (passage,) = shown["errata"]["passages"]
    assert passage["id"] == given["errata"]["passages"][0]["id"]
    assert "zebra" not in str(shown).casefold()


ACTS_OF_AN_ADMIN = [
    ("POST", "/v1/people", {"name": "new", "role": "user"}),
    ("POST", "/v1/people/new/reset", None),
    ("POST", "/v1/people/new/disable", None),
    ("POST", "/v1/knowledge/documents", {"text": "The Blue Door hangs in Delft."}),
    ("DELETE", "/v1/knowledge/documents/{id}", None),
]


async def test_what_an_admin_does_is_logged_under_pseudonym_and_role(house: House) -> None:
    admin, made = house.services.accounts.named("admin"), {}
    async with house.client(Role.ADMIN) as client:
        for method, path, body in ACTS_OF_AN_ADMIN:
            done = await client.request(method, path.format(**made), json=body)
            assert done.is_success, done.text
            made = done.json() if done.content else {}
            logged = house.services.records.log.entries(limit=1_000)[-1].data
            role = logged.get("actor_role", logged.get("role"))  # an account's entry has the account's own role, too
            assert (logged["actor"], role) == (admin.pseudonym, "admin"), logged["kind"]
