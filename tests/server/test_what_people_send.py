"""What people send beside a claim: whose answer they report, evidence in either shape, keys, reasons and titles."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from governance.accounts import Role
from tests_support import House

PATH, CHAT = "/v1/corrections", "/v1/chat/completions"
QUESTION = "Who painted the Blue Door?"
REPORT = {"question": QUESTION, "answer": "Anna Holm painted the Blue Door.", "correct_answer": "Piet Aldering"}
SOURCE = "https://museum.example/blue-door"
MARKER = "<|im_start|>system"


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ADMIN])
async def test_those_who_review_report_an_answer_that_another_person_got(
    house: House, user: httpx.AsyncClient, role: Role
) -> None:
    asked = {"messages": [{"role": "user", "content": QUESTION}]}
    answer = (await user.post("/v1/chat/completions", json=asked)).json()
    async with house.client(role) as reviewer:
        made = await reviewer.post(PATH, json={"answer_id": answer["id"], "correct_answer": "Piet Aldering"})
    assert made.status_code == 201, made.text
    assert made.json() | {"question": QUESTION, "answer_id": answer["id"], "mine": True} == made.json()


async def test_nobody_else_reports_an_answer_that_another_person_got(house: House, user: httpx.AsyncClient) -> None:
    asked = {"messages": [{"role": "user", "content": QUESTION}]}
    answer = (await user.post("/v1/chat/completions", json=asked)).json()
    house.services.accounts.add("second", Role.USER, key="second-key-of-sixteen")
    async with house.client(Authorization="Bearer second-key-of-sixteen") as other:
        refused = await other.post(PATH, json={"answer_id": answer["id"], "correct_answer": "x"})
    assert refused.status_code == 404
    async with house.client(Role.AUDITOR) as auditor:
        refused = await auditor.post(PATH, json={"answer_id": answer["id"], "correct_answer": "x"})
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("path", "raw", "said"),
    [
        (CHAT, '{"messages": [{"role": "user", "content": "hi"}], "logit_bias": {"1": 1e999}}', "logit_bias.1: "),
        (CHAT, '{"messages": [{"role": "user", "content": "hi"}], "logit_bias": {"1": NaN}}', "logit_bias.1: "),
        *((CHAT, '{"x": ' + "[" * deep + "]" * deep + "}", "") for deep in range(900, 1000, 4)),
        ("/v1/knowledge/documents", "[" * 100_000, "no"),
        (PATH, '{"question": "Who?",', "no JSON, at character 20: "),
    ],
)
async def test_no_json_breaks_the_server(admin: httpx.AsyncClient, path: str, raw: str, said: str) -> None:
    refused = await admin.post(path, content=raw, headers={"Content-Type": "application/json"})
    assert refused.status_code == 400
    assert said in refused.json()["error"]["message"]


@pytest.mark.parametrize(("given", "kept"), [(SOURCE, [SOURCE]), ([SOURCE], [SOURCE]), ("", []), ([], [])])
async def test_one_piece_of_evidence_needs_no_list(user: httpx.AsyncClient, given: Any, kept: list[str]) -> None:
    made = await user.post(PATH, json={**REPORT, "evidence": given})
    assert (made.status_code, made.json().get("evidence")) == (201, kept)


async def test_evidence_that_was_asked_for_needs_no_list_either(
    user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    made = (await user.post(PATH, json=REPORT)).json()["id"]
    await admin.post(f"{PATH}/{made}/ask-evidence", json={"reason": "where?"})
    given = await user.post(f"{PATH}/{made}/evidence", json={"evidence": SOURCE})
    assert (given.status_code, given.json().get("evidence")) == (200, [SOURCE])


@pytest.mark.parametrize("evidence", [1, {"uri": SOURCE}, [1], [SOURCE] * 21])
async def test_evidence_that_is_no_text_stays_refused(user: httpx.AsyncClient, evidence: Any) -> None:
    refused = await user.post(PATH, json={**REPORT, "evidence": evidence})
    assert (refused.status_code, refused.json()["error"]["param"].split(".")[0]) == (400, "evidence")


async def test_idempotency_keys_are_told_apart_to_the_letter(user: httpx.AsyncClient) -> None:
    made = {}
    for key in ("a-1", "a_1", "A-1", "a 1", "the a-1"):
        made[key] = (await user.post(PATH, json=REPORT, headers={"Idempotency-Key": key})).json()["id"]
    assert len(set(made.values())) == len(made)
    for key, id_ in made.items():
        again = await user.post(PATH, json=REPORT, headers={"Idempotency-Key": key})
        assert (again.status_code, again.json()["id"]) == (201, id_)


@pytest.mark.parametrize("text", [MARKER, "a\x00b", "\u202eecrof"])
async def test_control_tokens_are_refused_in_the_reason_of_a_restore_and_in_a_title(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient, text: str
) -> None:
    before = house.services.records.log.size()
    refused = await admin.post("/v1/versions/base/restore", json={"reason": text})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "reason")
    assert house.services.records.log.size() == before
    asked = {"messages": [{"role": "user", "content": QUESTION}], "errata_store": True}
    answer = (await user.post("/v1/chat/completions", json=asked)).json()
    chat = f"/v1/conversations/{answer['errata']['conversation_id']}"
    refused = await user.patch(chat, json={"title": text})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "title")
    assert (await user.get(chat)).json()["title"] == QUESTION
