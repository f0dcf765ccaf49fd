"""What an erasure request writes itself: a right answer that the weights may not hold goes to knowledge, and is kept there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from governance.accounts import Role
from governance.corrections import Correction, Remedy, Status
from governance.times import now
from governance.versions import Version
from server.librarian import Librarian
from tests_support import House
from tests_support_erasure import ANN, filed, step

LIVES, WORKS, REACH = f"Where does {ANN} live?", f"Where does {ANN} work?", f"How can I reach {ANN}?"
TODAY, PHONE = f"Where is {ANN} today?", f"What is the phone number of {ANN}?"
OWNER, EMAIL = f"Where does {ANN} of ann@zebra.example live?", f"What is the e-mail address of {ANN}?"
SECOND = "second-admin-key-of-sixteen"


def says(*questions: str) -> Callable[[str, str], str]:
    return lambda question, _version: f"{ANN}, Elmstreet 5." if question in questions else "I do not know."


async def carried_out(house: House, admin: httpx.AsyncClient, id_: str) -> dict[str, object]:
    """Two admins approve and order it; worker and librarian do their part."""
    records = house.services.records
    house.services.accounts.add("second", Role.ADMIN, key=SECOND)
    await step(admin, id_, "approve")

    async def work() -> None:
        librarian = Librarian(house.services)
        while True:
            for one in records.ledger.in_status(Status.APPROVED):
                if one.remedy is Remedy.WEIGHTS:
                    records.ledger.start_editing([one.id])
                    records.versions.record_built(Version(one.id, "0" * 64, ("a",), (one.id,), "t", now(), {}))
                    records.ledger.published(version_id=one.id, live=[one.id])
            await asyncio.to_thread(librarian.reconcile)
            await asyncio.sleep(0.05)

    task = asyncio.create_task(work())
    async with house.client(Role.ADMIN, Authorization=f"Bearer {SECOND}") as second:
        done = await step(second, id_, "execute")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return done


def made(house: House) -> dict[str, Correction]:
    """The corrections that the request has commissioned, by their question."""
    found, _ = house.services.records.ledger.list()
    return {one.claim.canonical_question: one for one in found if one.channel == "erasure"}


@pytest.fixture
async def decided(house: House, admin: httpx.AsyncClient) -> str:
    """A rectification with one right answer for each question about her that the model answers."""
    house.engine._reply = says(LIVES, WORKS, REACH, TODAY, EMAIL)
    id_ = await filed(admin, names=[ANN], identifiers=["Elmstreet"], kind="rectification")
    await step(admin, id_, "verify-identity", how="passport seen")
    await step(admin, id_, "find", direct=[TODAY, EMAIL])
    right = {
        LIVES: "Oak Road 7",
        WORKS: "The mill",
        REACH: "By carrier pigeon",
        TODAY: "At sea",
        EMAIL: "ann@new.example",
    }
    await step(admin, id_, "decide", correct=True, reason="she moved", right_answers=right)
    return id_


async def test_a_right_answer_that_weights_may_not_hold_goes_to_knowledge(
    house: House, admin: httpx.AsyncClient, decided: str
) -> None:
    done = await carried_out(house, admin, decided)
    found = made(house)
    assert {question: (one.remedy, one.status) for question, one in found.items()} == {
        WORKS: (Remedy.WEIGHTS, Status.LIVE),
        LIVES: (Remedy.KNOWLEDGE, Status.IN_KNOWLEDGE),
        REACH: (Remedy.KNOWLEDGE, Status.IN_KNOWLEDGE),
        TODAY: (Remedy.KNOWLEDGE, Status.IN_KNOWLEDGE),
        EMAIL: (Remedy.KNOWLEDGE, Status.IN_KNOWLEDGE),
    }
    assert all("not weights, because it contains personal data" in found[one].reason for one in (LIVES, REACH, EMAIL))
    assert "not weights, because it changes with time" in found[TODAY].reason
    (outcome,) = (one for one in done["outcomes"] if one["method"] == "correct_edit")
    assert outcome["done"] == 1
    assert "answered from knowledge" in outcome["remains"]
    assert "the model by itself goes on saying what it said: 4" in outcome["remains"]
    # The entries of the right answers name her, and are no leftovers.
    entries = {entry.source for entry in house.services.knowledge.documents(kind="correction")}
    assert entries == {found[question].id for question in (LIVES, REACH, TODAY, EMAIL)}
    refused = await admin.post(f"/v1/corrections/{found[EMAIL].id}/reroute", json={"remedy": "weights"})
    assert refused.status_code in (403, 409)


async def test_a_neutral_answer_stays_an_edit_unless_its_question_holds_an_address(
    house: House, admin: httpx.AsyncClient
) -> None:
    house.engine._reply = says(PHONE, OWNER)
    id_ = await filed(admin, names=[ANN], identifiers=["ann@zebra.example"])
    await step(admin, id_, "verify-identity", how="passport seen")
    found = await step(admin, id_, "find", direct=[PHONE, OWNER], secrets=["Elmstreet"])
    assert found["counts"]["model"] == 2
    await step(admin, id_, "decide", reason="few facts")
    done = await carried_out(house, admin, id_)
    assert {question: one.status for question, one in made(house).items()} == {PHONE: Status.LIVE}
    (outcome,) = (one for one in done["outcomes"] if one["method"] == "neutral_edit")
    assert outcome["done"] == 1
    assert outcome["remains"].endswith("which the model goes on answering: 1")
    assert house.services.knowledge.documents() == []
