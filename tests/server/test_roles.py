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
    assert changing <= {
        ("PATCH", "/v1/conversations/{conversation_id}"),  # their own, which they cannot have
        ("DELETE", "/v1/conversations/{conversation_id}"),
        ("POST", "/v1/knowledge/search"),
    }
