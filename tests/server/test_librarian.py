"""The entries of corrections in knowledge: dated by their approval, held as long as such answers hold, gone with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from governance.corrections import Remedy, Status
from governance.times import to_text
from server.librarian import Librarian
from tests_support import House

REPORT: dict[str, Any] = {
    "question": "Who is the mayor of Quay?",
    "answer": "Anna Holm",
    "correct_answer": "Piet Aldering",
    "subject": "Quay",
}


async def entered(house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient, **report: Any) -> str:
    """A correction whose answers hold for days, in knowledge."""
    made = (await user.post("/v1/corrections", json=REPORT | report)).json()["id"]
    house.queue(made, Remedy.KNOWLEDGE, evidence={"freshness": {"horizon": "days"}})
    await admin.post(f"/v1/corrections/{made}/approve", json={})
    Librarian(house.services).reconcile()
    return made


async def test_an_entry_goes_with_its_correction_and_not_alone(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    made = await entered(house, user, admin)
    (entry,) = house.services.knowledge.documents()
    refused = await admin.delete(f"/v1/knowledge/documents/{entry.id}")
    assert (refused.status_code, made in refused.text) == (409, True)
    assert len(house.services.knowledge.documents()) == 1
    await admin.post(f"/v1/corrections/{made}/rollback", json={"reason": "r"})
    Librarian(house.services).reconcile()
    assert house.services.knowledge.documents() == []


@pytest.mark.parametrize(
    ("valid_until", "days"),
    [("", 2), ("2020-01-01", None), ("2999-01-01", 2), ("until the election", 2), ("0001-01-01T00:00+14:00", 2)],
)
async def test_an_entry_that_is_written_anew_keeps_the_dates_of_the_approval(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient, valid_until: str, days: int | None
) -> None:
    made = await entered(house, user, admin, valid_until=valid_until)
    records = house.services.records
    with records.store.transaction():  # a year passes
        (approved,) = (m.at for m in records.ledger.get(made).moves if m.to_status is Status.APPROVED)
        approved -= timedelta(days=365)
        records.store.write("UPDATE moves SET at = :at WHERE to_status = 'approved'", at=to_text(approved))
    (entry,) = house.services.knowledge.documents()
    house.services.knowledge.remove(entry.id)
    Librarian(house.services).reconcile()
    (entry,) = house.services.knowledge.documents()
    ends = approved + timedelta(days=days) if days else datetime(2020, 1, 1, tzinfo=UTC)
    assert (entry.as_of, str(entry.expires_at)[:19]) == (approved.date(), str(ends)[:19])
