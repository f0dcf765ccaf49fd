"""Whatever our OpenAPI allows, and what it does not, sent as every role: no 5xx, and nothing the role table does not grant."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from starlette.testclient import TestClient

from governance.accounts import Role
from governance.corrections import Remedy
from server.roles import COLUMNS, route_table
from tests_support import KEYS, House

EXAMPLES = 3  # of each kind, per operation; each is sent as every role
ROWS = {(row.method, row.path): row for row in route_table()}
QUIET = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
WAITING = {"worker_unavailable", "work_unfinished", "engine_unavailable"}  # said to the caller, who may come again


def furnish(house: House, client: TestClient) -> dict[str, list[str]]:
    """Things that are there, of different owners and in different statuses, by the name of their path parameter."""
    ids: dict[str, list[str]] = {}
    ledger = house.services.records.ledger
    house.services.accounts.add("victim", Role.USER)
    for n, role in enumerate((Role.USER, Role.REVIEWER, Role.ADMIN)):
        client.headers["Authorization"] = f"Bearer {KEYS[role]}"
        asked = {"messages": [{"role": "user", "content": f"Who painted door {n}?"}], "errata_store": True}
        answer = client.post("/v1/chat/completions", json=asked).json()
        report = {"answer_id": answer["id"], "correct_answer": f"Piet {n}"}
        made = [client.post("/v1/corrections", json=report).json()["id"] for _ in range(4)]
        for remedy, one in zip((Remedy.WEIGHTS, Remedy.KNOWLEDGE), made[:2], strict=True):
            house.queue(one, remedy, subject=f"door {n}")
        ledger.reject(made[2], house.services.accounts.named("admin"))
        ids.setdefault("correction_id", []).extend(made)
        ids.setdefault("answer_id", []).append(answer["id"])
        ids.setdefault("conversation_id", []).append(answer["errata"]["conversation_id"])
        ids.setdefault("request_id", []).append(
            client.post("/v1/erasure-requests", json={"names": ["Zoe Zebra"]}).json()["id"]
        )
    document = client.post("/v1/knowledge/documents", json={"title": "Door", "text": "The door is blue."}).json()
    passages = client.get(f"/v1/knowledge/documents/{document['id']}").json()["passages"]
    ids |= {"document_id": [document["id"]], "passage_id": [passages[0]["id"]], "version_id": ["base"]}
    return ids | {"name": ["victim"]}


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    logging.getLogger("hypothesis").setLevel(logging.ERROR)
    house.app.state.erasing._deeds._patience_s = 0.1
    with TestClient(house.app, base_url="http://errata.test", raise_server_exceptions=False) as client:
        yield client


def test_no_request_breaks_the_gateway_or_passes_a_door_that_is_closed_to_its_role(
    house: House, client: TestClient
) -> None:
    ids = {name: itertools.cycle([*known, None]) for name, known in furnish(house, client).items()}
    client.headers.pop("Authorization")
    schema = schemathesis.openapi.from_dict(house.app.openapi())
    wrong: list[str] = []
    seen: Counter[tuple[Role | None, int]] = Counter()

    def send(case: schemathesis.Case) -> None:
        for name, known in ids.items():
            if name in (case.path_parameters or {}) and (one := next(known)) and not case.path.endswith("/preview"):
                case.path_parameters[name] = one
        for role in COLUMNS:  # the admin last, who may change most
            send_as(role, case)

    def send_as(role: Role | None, case: schemathesis.Case) -> None:
        kwargs: dict[str, Any] = case.as_transport_kwargs(base_url="http://errata.test")
        kwargs.pop("cookies", None)
        given_headers = {k: v for k, v in kwargs.get("headers", {}).items() if k.lower() != "authorization"}
        kwargs["headers"] = given_headers | ({"Authorization": f"Bearer {KEYS[role]}"} if role else {})
        answer = client.request(**{name: value for name, value in kwargs.items() if value is not None})
        seen[role, answer.status_code] += 1
        said = f"{role} {case.method} {case.formatted_path} -> {answer.status_code} {answer.text[:200]}"
        if answer.status_code >= 500 and not (answer.status_code == 503 and _error(answer).get("type") in WAITING):
            wrong.append(said)
        row = ROWS.get((case.method.upper(), case.path))
        if row and not row.allows(role) and answer.status_code not in (400, 401, 403, 429):
            wrong.append(f"not granted: {said}")
        if answer.status_code >= 400 and case.path != "/ready" and not _error(answer).get("message"):
            wrong.append(f"without a message: {said}")

    for operation in schema.get_all_operations():
        for mode in schemathesis.GenerationMode:
            try:
                strategy = operation.ok().as_strategy(generation_mode=mode)
                QUIET(given(case=strategy)(send))()
            except Unsatisfiable:  # nothing about this operation can be wrong
                assert mode is schemathesis.GenerationMode.NEGATIVE
    assert not wrong, "\n".join(dict.fromkeys(wrong))
    for role in Role:
        assert seen[role, 200] > 20  # it was no row of refusals alone


def _error(answer: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = answer.json()["error"]
        return found
    except (ValueError, KeyError, TypeError):
        return {}
