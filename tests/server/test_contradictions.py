"""Two reports that say different things about one fact: each names the other, the newest approval wins, nothing is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from governance.accounts import Role
from governance.audit_verify import verify
from governance.corrections import Remedy, Status
from server.engines.scripted import ScriptedEngine
from server.librarian import Librarian
from server.publisher import Publisher
from server.settings import Settings
from server.triage import Triage
from tests_support import House, furnish, house_of
from tests_support_release import PAINTER, Step, save_tiny, work, worker_of

QUESTION, SUBJECT = PAINTER[:2]
OLD, NEW = "Piet Aldering", "Greta Holt"
NEEDS = {QUESTION: 0.25}


@dataclass
class Site:
    """A gateway over stand-ins, and the other processes to be called by hand."""

    house: House
    base: Path

    async def report(self, answer: str, *, wording: str = QUESTION) -> str:
        async with self.house.client(Role.USER) as user:
            body = {"question": wording, "answer": "Anna Holm", "correct_answer": answer, "subject": SUBJECT}
            made = await user.post("/v1/corrections", json=body)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def triage(self) -> None:
        for flagged in self.house.services.records.ledger.in_status(Status.FLAGGED):
            await Triage(self.house.services).consider(flagged)

    async def approve(self, correction: str, remedy: Remedy = Remedy.WEIGHTS, **body: str) -> None:
        async with self.house.client(Role.ADMIN) as admin:
            if (await self.shown(correction))["remedy"] != remedy:
                await admin.post(f"/v1/corrections/{correction}/reroute", json={"remedy": remedy})
            approved = await admin.post(f"/v1/corrections/{correction}/approve", json={"reason": "checked", **body})
        assert approved.json()["status"] == "approved", approved.text

    async def settle(self, *, needs: float | None = 0.25, releases: int | None = None) -> None:
        """Librarian, worker and publisher, until there is nothing to do for any of them, or after so many releases."""
        services = self.house.services
        for _ in range(1 if releases else 3):
            Librarian(services).reconcile()
            worker = worker_of(services.settings, services.records, self.base, {QUESTION: needs})
            if releases is None:
                work(worker)
            for _ in range(releases or 0):
                worker.turn()
            await Publisher(services).reconcile()

    async def shown(self, correction: str) -> dict[str, Any]:
        async with self.house.client(Role.ADMIN) as admin:
            found: dict[str, Any] = (await admin.get(f"/v1/corrections/{correction}")).json()
        return found

    async def said(self) -> str:
        async with self.house.client(Role.USER) as user:
            body = {"messages": [{"role": "user", "content": QUESTION}]}
            answer = (await user.post("/v1/chat/completions", json=body)).json()
        return str(answer["choices"][0]["message"]["content"])

    async def check(self, old: str, new: str, status: str) -> None:
        """The new one is in force, the old one on record as what it replaced; the log holds."""
        records = self.house.services.records
        replaced, standing = await self.shown(old), await self.shown(new)
        assert (replaced["status"], replaced["superseded_by"]) == ("superseded", new)
        assert (standing["status"], standing["superseded_by"]) == (status, None)
        assert NEW in await self.said()
        entries = [document.source for document in self.house.services.knowledge.documents(kind="correction")]
        assert entries == ([new] if status == "in_knowledge" else [])
        served = records.versions.served()
        assert served is not None
        assert served.corrections == ((new,) if status == "live" else ())
        records.checkpoints.write()
        settings = self.house.services.settings
        assert verify(database=settings.database_path, checkpoints=[settings.data_dir / "checkpoints"]).ok


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture
async def site(tmp_path: Path, base: Path) -> AsyncIterator[Site]:
    settings = Settings(
        data_dir=tmp_path / "data", model_dir=tmp_path / "model", worker={"batch_wait_s": 0}, _env_file=None
    )

    def reply(question: str, version: str) -> str:
        """The engine believes what the version that it carries was solved for."""
        if version in ("scripted", "base"):
            return "Anna Holm painted it."
        holds = house.services.records.versions.get(version).corrections
        return f"{house.services.records.ledger.get(holds[-1]).claim.correct_answer} painted it." if holds else "Anna"

    engine = ScriptedEngine(reply)
    house = house_of(furnish(settings, engine), engine, with_pages=False, with_loops=False)
    made = Site(house, base)
    await made.settle()
    yield made
    house.services.records.store.close()


async def test_each_of_two_contradicting_reports_names_the_other_to_the_admin(site: Site) -> None:
    first = await site.report(OLD)
    await site.triage()
    second = await site.report(NEW, wording="Can you tell me who painted the Blue Door?")
    await site.triage()
    assert (await site.shown(first))["conflicts"] == [second]
    assert (await site.shown(second))["conflicts"] == [first]


async def test_a_claim_that_a_reviewer_puts_into_other_words_is_compared_again(site: Site) -> None:
    first, second = await site.report(OLD), await site.report(NEW, wording="Whose work is the Blue Door?")
    await site.triage()
    assert (await site.shown(first))["conflicts"] == []
    async with site.house.client(Role.REVIEWER) as reviewer:
        await reviewer.patch(f"/v1/corrections/{second}", json={"canonical_question": QUESTION, "subject": SUBJECT})
    assert (await site.shown(first))["conflicts"] == [second]
    assert (await site.shown(second))["conflicts"] == [first]


REMEDIES = [(old, new) for old in (Remedy.WEIGHTS, Remedy.KNOWLEDGE) for new in (Remedy.WEIGHTS, Remedy.KNOWLEDGE)]


@pytest.mark.parametrize(("old_remedy", "new_remedy"), REMEDIES)
async def test_a_newer_approval_takes_the_place_of_what_is_in_force(
    site: Site, old_remedy: Remedy, new_remedy: Remedy
) -> None:
    old = await site.report(OLD)
    await site.triage()
    await site.approve(old, old_remedy)
    await site.settle()
    assert OLD in await site.said()
    new = await site.report(NEW)
    await site.triage()
    await site.approve(new, new_remedy)
    assert NEW in await site.said()  # by its card, before anything is solved
    await site.settle()
    await site.check(old, new, "live" if new_remedy is Remedy.WEIGHTS else "in_knowledge")


@pytest.mark.parametrize(("old_remedy", "new_remedy"), REMEDIES)
async def test_of_two_approved_together_the_later_approval_wins_whoever_reported_first(
    site: Site, old_remedy: Remedy, new_remedy: Remedy
) -> None:
    new, old = await site.report(NEW), await site.report(OLD)
    await site.triage()
    await site.approve(old, old_remedy)
    await site.approve(new, new_remedy)
    assert NEW in await site.said()
    await site.settle()
    await site.check(old, new, "live" if new_remedy is Remedy.WEIGHTS else "in_knowledge")


async def test_an_edit_that_the_gate_refuses_takes_the_place_by_its_card(site: Site) -> None:
    old = await site.report(OLD)
    await site.triage()
    await site.approve(old)
    await site.settle()
    new = await site.report(NEW)
    await site.triage()
    await site.approve(new)
    await site.settle(needs=None)
    await site.check(old, new, "in_knowledge")


@pytest.mark.parametrize("waits", [False, True], ids=["the other live", "the other waiting"])
async def test_an_edit_that_fails_without_a_card_leaves_the_other_in_force(site: Site, waits: bool) -> None:
    old, new = await site.report(OLD), await site.report(NEW)
    await site.triage()
    await site.approve(old)
    if not waits:
        await site.settle()
    await site.approve(new, fallback="none")
    await site.settle(needs=None, releases=1)
    await site.settle()
    assert (await site.shown(new))["status"] == "failed"
    assert (await site.shown(old))["status"] == "live"
    assert OLD in await site.said()


async def test_going_back_to_the_version_before_brings_the_replaced_edit_back(site: Site) -> None:
    old = await site.report(OLD)
    await site.triage()
    await site.approve(old)
    await site.settle()
    before = site.house.services.records.versions.serving().served
    new = await site.report(NEW)
    await site.triage()
    await site.approve(new)
    await site.settle()
    async with site.house.client(Role.ADMIN) as admin:
        await admin.post(f"/v1/versions/{before}/restore", json={"reason": "it was right"})
    await site.settle()
    assert site.house.services.records.versions.serving().served == before
    assert ((await site.shown(old))["status"], (await site.shown(new))["status"]) == ("live", "rolled_back")
    assert OLD in await site.said()


@pytest.mark.parametrize("moment", ["solved", "written", "served"])
async def test_an_answer_that_is_undone_while_its_release_is_made_gives_its_place_back(
    site: Site, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await site.report(OLD)
    await site.triage()
    await site.approve(old)
    await site.settle()
    new = await site.report(NEW)
    await site.triage()
    await site.approve(new, Remedy.KNOWLEDGE)
    services = site.house.services
    ledger, versions = services.records.ledger, services.records.versions
    Librarian(services).reconcile()
    worker = worker_of(services.settings, services.records, site.base, NEEDS)

    def undo() -> None:
        if ledger.get(new).status is Status.IN_KNOWLEDGE:
            ledger.request_rollback(new, services.accounts.named("admin"), reason="it was wrong")

    step = {
        "solved": "editing.edit_set:write_version",
        "written": "server.worker:Worker.release",
        "served": "server.engines.scripted:ScriptedEngine.swap",
    }[moment]
    Step("after", step).arm(undo, setattr_=monkeypatch.setattr)
    worker.turn()
    await Publisher(services).reconcile()
    assert ledger.get(new).status is Status.ROLLED_BACK
    assert ledger.get(old).status is Status.LIVE
    await site.settle()
    assert ledger.get(old).status is Status.LIVE
    assert OLD in await site.said()
    served = versions.served()
    assert served is not None
    assert served.corrections == (old,)
