"""After its review date a fact is probed again and shown again; what is said the same way is found in triage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from governance.accounts import Role
from governance.corrections import Remedy
from governance.times import now, to_text
from governance.versions import Version
from server.librarian import Librarian
from server.review import Review
from server.triage import Triage
from tests_support import House

REPORT: dict[str, Any] = {
    "question": "Who painted the Blue Door?",
    "answer": "Anna Holm",
    "correct_answer": "Piet Aldering",
    "subject": "the Blue Door",
}


async def in_force(house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient, remedy: Remedy) -> str:
    """A fact in the weights or in knowledge, whose review date was yesterday."""
    records = house.services.records
    made = (await user.post("/v1/corrections", json=REPORT)).json()["id"]
    house.queue(made, remedy, canonical_question=REPORT["question"])
    await admin.post(f"/v1/corrections/{made}/approve", json={})
    if remedy is Remedy.KNOWLEDGE:
        Librarian(house.services).reconcile()
    else:
        records.ledger.start_editing([made])
        records.versions.record_built(Version("v1", "0" * 64, ("a",), (made,), "t", now(), {}))
        records.ledger.published(version_id="v1", live=[made])
    with records.store.transaction():
        yesterday = to_text(now() - timedelta(days=1))
        records.store.write("UPDATE corrections SET review_due = :at WHERE id = :id", at=yesterday, id=made)
    return made


@pytest.mark.parametrize(
    ("remedy", "says", "holds"),
    [
        (Remedy.WEIGHTS, "Piet Aldering painted it.", True),
        (Remedy.WEIGHTS, "Anna Holm painted it.", False),
        (Remedy.KNOWLEDGE, "the card answers, not the model", True),
    ],
)
async def test_a_fact_is_probed_once_after_its_date_and_shown_until_a_person_has_looked(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient, remedy: Remedy, says: str, holds: bool
) -> None:
    made = await in_force(house, user, admin, remedy)
    house.engine._reply = lambda *_: says
    review = Review(house.services)
    assert [await review.look(), await review.look()] == [1, 0]
    (due,) = (await admin.get("/v1/corrections/due-for-review")).json()["data"]
    assert (due["id"], due["review"]["holds"]) == (made, holds)
    alarms = (await admin.get("/v1/alarms")).json()["data"]
    (alarm,) = (one for one in alarms if one["kind"].startswith("review"))
    assert (alarm["kind"], alarm["correction_id"]) == ("review" if holds else "review_failed", made)
    async with house.client(Role.AUDITOR) as auditor:
        (shown,) = (await auditor.get("/v1/corrections/due-for-review")).json()["data"]
        assert "reply" not in shown["review"]
        assert (await auditor.post(f"/v1/corrections/{made}/reviewed")).status_code == 403
        assert (await auditor.post(f"/v1/alarms/{alarm['id']}/seen")).status_code == 403
    assert (await admin.post(f"/v1/alarms/{alarm['id']}/seen")).status_code == 200
    answer = (await admin.post(f"/v1/corrections/{made}/reviewed")).json()
    assert answer["review_due"] > now().isoformat()
    assert (await admin.get("/v1/corrections/due-for-review")).json()["data"] == []
    assert not [a for a in (await admin.get("/v1/alarms")).json()["data"] if a["kind"].startswith("review")]
    kinds = [entry.data["kind"] for entry in house.services.records.log.entries()]
    assert kinds[-3:] == ["correction.probed_again", "alarm.seen", "correction.reviewed"]


async def test_a_fact_without_a_card_is_told_from_its_entry(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REPORT, "subject", "")
    made = await in_force(house, user, admin, Remedy.KNOWLEDGE)
    assert house.services.router.decide(REPORT["question"]).passages
    assert await Review(house.services).look() == 1
    assert house.services.records.ledger.get(made).review["holds"]


async def test_only_facts_in_force_are_reviewed(user: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    made = (await user.post("/v1/corrections", json=REPORT)).json()["id"]
    assert (await admin.post(f"/v1/corrections/{made}/reviewed")).status_code == 409
    assert (await admin.post("/v1/corrections/cor_none/reviewed")).status_code == 404
    assert (await admin.post("/v1/alarms/999/seen")).status_code == 404


async def test_a_conversational_report_meets_the_one_that_it_repeats_or_contradicts(
    house: House, user: httpx.AsyncClient
) -> None:
    triage, ledger = Triage(house.services), house.services.records.ledger
    ids = []
    for question, answer in (
        ("Who painted the Blue Door?", "Piet Aldering"),
        ("Hi, can you tell me who painted the Blue Door?", "Piet Aldering"),
        ("please tell me who painted the Blue Door", "Mia Verhoeven"),
    ):
        made = await user.post("/v1/corrections", json={**REPORT, "question": question, "correct_answer": answer})
        ids.append(made.json()["id"])
        await triage.consider(ledger.get(ids[-1]))
    first, second, third = map(ledger.get, ids)
    assert {one.claim.canonical_question for one in (first, second, third)} == {"Who painted the Blue Door?"}
    assert second.duplicate_of == first.id
    assert set(third.conflicts) == {first.id, second.id}
