"""What triage proposes, and on what evidence: the scripted model is asked as the real one is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

from governance.accounts import Role
from governance.corrections import Category, Correction, Remedy, Status
from retrieval.freshness import Freshness, Horizon
from server.engines.scripted import ScriptedEngine
from server.errors import EngineRefused
from server.settings import Settings
from server.triage import Triage
from tests_support import House, furnish, house_of

QUESTION, SUBJECT, RIGHT, WRONG = "Who painted the Blue Door?", "the Blue Door", "Piet Aldering", "Anna Holm"
Says = Callable[[str], str]


class Predicts:
    """A freshness head that says the same of every question."""

    def __init__(self, *, evergreen: bool, confident: bool = True) -> None:
        horizon, recency = (Horizon.NEVER, "Never") if evergreen else (Horizon.MONTHS, "A-Month")
        self.found = Freshness(evergreen, 0.9 if evergreen else 0.1, horizon, recency, confident)

    def predict(self, questions):
        return [self.found for _ in questions]


def is_told(question: str) -> bool:
    return RIGHT in question


def stubborn(_question: str) -> str:
    return f"{WRONG} painted it."


def teachable(question: str) -> str:
    return f"{RIGHT} painted it." if is_told(question) else stubborn(question)


def house_that(tmp_path, says: Says, *, evergreen: bool = True, confident: bool = True, **settings) -> House:
    engine = ScriptedEngine(lambda question, _version: says(question))
    made = Settings(data_dir=tmp_path / "data", model_dir=tmp_path / "model", _env_file=None, **settings)
    services = furnish(made, engine)
    services = replace(services, freshness=Predicts(evergreen=evergreen, confident=confident))
    return house_of(services, engine, with_pages=False, with_loops=False)


async def considered(house: House, **claim) -> Correction:
    ledger, accounts = house.services.records.ledger, house.services.accounts
    wanted = {"question": QUESTION, "answer": stubborn(""), "correct_answer": RIGHT, "category": Category.WRONG}
    flagged = ledger.flag(accounts.named("user"), **(wanted | claim))
    await Triage(house.services).consider(flagged)
    found = ledger.get(flagged.id)
    house.services.records.store.close()
    return found


def flag(house: House, question: str = QUESTION, *, by: str = "user") -> str:
    user = house.services.accounts.named(by)
    return house.services.records.ledger.flag(user, question=question, answer=WRONG, correct_answer=RIGHT).id


async def run_until_queued(house: House, correction_id: str) -> None:
    """The loop, stopped once it has brought this one to the queue."""
    loop = asyncio.create_task(Triage(house.services, pause_s=0.01).run())
    async with asyncio.timeout(30):
        while house.services.records.ledger.get(correction_id).status is not Status.QUEUED:
            await asyncio.sleep(0.01)
    loop.cancel()


@pytest.mark.parametrize(
    ("says", "wrong", "said", "again"),
    [
        (stubborn, 1, "pulled back", 6),
        (teachable, 0, "knowledge would do", 6),
        (lambda _question: "I say Greta Holt painted the Blue Door.", 1, "pulled back", 0),
    ],
    ids=["pulled back", "told is enough", "wrong in another way"],
)
async def test_a_fact_that_stays_wrong_is_for_the_weights_and_the_pull_back_is_told(tmp_path, says, wrong, said, again):
    found = await considered(house_that(tmp_path, says), answer=f"By {WRONG}, who painted the Blue Door.")
    assert (found.status, found.remedy) == (Status.QUEUED, Remedy.WEIGHTS)
    assert found.triage["pull_back"] == {"asked": 1, "wrong": wrong}
    assert found.triage["persistence"] == {"asked": 6, "wrong": 6, "repeated": again, "share": 1.0}
    assert said in found.reason
    assert found.claim.subject.casefold() in SUBJECT.casefold()


@pytest.mark.parametrize("subject", ["Blue Doors", "Blue Do", "the Red Door"])
async def test_a_subject_that_does_not_stand_in_the_question_is_found_anew(tmp_path, subject):
    """A card looks for it there: with a misspelt one the correction would never answer."""
    found = await considered(house_that(tmp_path, stubborn), subject=subject)
    assert (found.claim.subject.casefold() in SUBJECT.casefold(), found.remedy) == (True, Remedy.WEIGHTS)


async def test_a_model_that_is_mostly_right_when_asked_again_is_not_edited(tmp_path):
    asked: list[str] = []

    def right_but_once(question: str) -> str:
        asked.append(question)
        return stubborn(question) if len(asked) == 1 else f"{RIGHT} painted it."

    found = await considered(house_that(tmp_path, right_but_once))
    assert found.remedy is Remedy.KNOWLEDGE
    assert "not wrong persistently (1 of 6 replies)" in found.reason


@pytest.mark.parametrize(("confident", "said"), [(True, "within months"), (False, "say in the question of when")])
async def test_what_changes_is_for_knowledge_and_doubt_is_told(tmp_path, confident, said):
    found = await considered(house_that(tmp_path, stubborn, evergreen=False, confident=confident))
    assert found.remedy is Remedy.KNOWLEDGE
    assert said in found.reason
    assert found.volatile is True


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("the plate names Piet Aldering", "; the evidence holds the answer"),
        ("see the plate", "does not hold the answer"),
    ],
)
async def test_evidence_is_looked_at_and_its_worth_is_told(tmp_path, shown, said):
    found = await considered(house_that(tmp_path, stubborn), evidence=(shown,))
    assert said in found.reason
    assert [one["holds_answer"] for one in found.triage["evidence"]] == ["does not" not in said]


@pytest.mark.parametrize(
    ("first", "reason"),
    [((), ""), (("see the plate",), ""), ((), "rerouted by a reviewer")],
)
async def test_evidence_that_comes_in_while_a_report_waits_is_read_as_well(tmp_path, first, reason):
    house = house_that(tmp_path, stubborn)
    ledger, accounts = house.services.records.ledger, house.services.accounts
    found = await considered(house, evidence=first)
    if reason:
        ledger.reroute(found.id, accounts.named("reviewer"), remedy=Remedy.KNOWLEDGE)
    ledger.add_evidence(found.id, accounts.named("user"), evidence=["the plate names Piet Aldering"])
    before = ledger.get(found.id)
    await Triage(house.services).turn()
    after = ledger.get(found.id)
    assert [one["holds_answer"] for one in after.triage["evidence"]] == [False] * len(first) + [True]
    assert after.reason.startswith(reason or "the fact does not change")
    assert after.reason.endswith("; the evidence holds the answer")
    assert "does not hold" not in after.reason
    assert (after.remedy, after.round, after.triage["persistence"]) == (
        before.remedy,
        before.round,
        before.triage["persistence"],
    )
    size = house.services.records.log.size()
    await Triage(house.services).turn()
    assert house.services.records.log.size() == size
    house.services.records.store.close()


@pytest.mark.parametrize(
    ("change", "bar"),
    [
        ({"canonical_question": "What is the mobile number of Ida Fern?", "subject": "Ida Fern"}, "personal data"),
        ({"correct_answer": "Piet Aldering (piet@example.org)"}, "personal data"),
        ({"paraphrases": ["Whose sexual orientation does the Blue Door tell of?"]}, "personal data"),
    ],
)
async def test_a_revision_is_judged_as_a_report_is(tmp_path, change, bar):
    house = house_that(tmp_path, stubborn)
    found = await considered(house)
    assert found.remedy is Remedy.WEIGHTS
    async with house.client(Role.ADMIN) as admin:
        revised = (await admin.patch(f"/v1/corrections/{found.id}", json=change)).json()
        assert (revised["remedy"], bar in revised["reason"]) == ("knowledge", True)
        refused = await admin.post(f"/v1/corrections/{found.id}/reroute", json={"remedy": "weights"})
        assert refused.status_code == 403
    house.services.records.store.close()


async def test_a_fact_that_may_change_goes_into_weights_once_its_question_says_of_when(tmp_path):
    house = house_that(tmp_path, stubborn, evergreen=False, confident=False)
    found = await considered(house)
    async with house.client(Role.ADMIN) as admin:
        refused = await admin.post(f"/v1/corrections/{found.id}/reroute", json={"remedy": "weights"})
        assert (refused.status_code, "changes with time" in refused.text) == (403, True)
        lasting = replace(house.services, freshness=Predicts(evergreen=True))
        house.app.state.services = lasting
        dated = {"canonical_question": "Who painted the Blue Door in 1911?"}
        assert (await admin.patch(f"/v1/corrections/{found.id}", json=dated)).status_code == 200
        rerouted = await admin.post(f"/v1/corrections/{found.id}/reroute", json={"remedy": "weights"})
        assert (rerouted.status_code, rerouted.json()["remedy"]) == (200, "weights")
    house.services.records.store.close()


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ({"category": Category.PERSONAL}, "personal data"),
        ({"correct_answer": "write to piet.aldering@example.org"}, "personal data (e-mail"),
        (
            {"correct_answer": "It was not Piet, nor was it anybody else, because nobody did."},
            "not fit for a weight edit",
        ),
    ],
)
async def test_what_must_not_or_cannot_be_an_edit_is_for_knowledge(tmp_path, claim, said):
    found = await considered(house_that(tmp_path, stubborn), **claim)
    assert (found.remedy, found.personal_data) == (Remedy.KNOWLEDGE, "(e-mail" in said)
    assert said in found.reason


async def test_weights_that_are_not_ours_are_not_edited(tmp_path):
    found = await considered(house_that(tmp_path, stubborn, engine={"url": "http://127.0.0.1:9", "weights": "none"}))
    assert found.remedy is Remedy.KNOWLEDGE
    assert "not Errata's to change" in found.reason


async def test_a_person_who_decides_during_triage_is_not_overruled(tmp_path):
    house = house_that(tmp_path, stubborn)
    ledger, accounts = house.services.records.ledger, house.services.accounts
    flagged = ledger.flag(
        accounts.named("user"), question=QUESTION, answer=WRONG, correct_answer=RIGHT, category=Category.WRONG
    )
    ledger.withdraw(flagged.id, accounts.named("user"), reason="a mistake of mine")
    await Triage(house.services).consider(flagged)
    assert ledger.get(flagged.id).status is Status.CLOSED
    house.services.records.store.close()


@pytest.mark.parametrize(
    ("is_refused", "asked", "remedy", "says"),
    [
        (is_told, 6, Remedy.WEIGHTS, "makes the prompt too long"),
        (lambda _question: True, 0, Remedy.KNOWLEDGE, "7600 tokens"),
    ],
    ids=["told", "any"],
)
async def test_what_the_engine_refuses_counts_as_not_asked(tmp_path, is_refused, asked, remedy, says):
    def too_long(question: str) -> str:
        if is_refused(question):
            raise EngineRefused("the prompt has 7600 tokens, 4096 are the most")
        return stubborn(question)

    found = await considered(house_that(tmp_path, too_long))
    assert (found.status, found.remedy) == (Status.QUEUED, remedy)
    assert says in found.reason
    assert (found.triage["persistence"]["asked"], found.triage["pull_back"]["asked"]) == (asked, 0)


async def test_a_report_that_fails_is_named_and_holds_up_no_other(tmp_path, caplog):
    def breaks(question: str) -> str:
        if "Red" in question:
            raise RuntimeError("no such door")
        return stubborn(question)

    house = house_that(tmp_path, breaks)
    older, newer = flag(house, "Who painted the Red Door?"), flag(house)
    await run_until_queued(house, newer)
    assert house.services.records.ledger.get(older).status is Status.FLAGGED
    assert any(older in record.getMessage() and "again in 2 s" in record.getMessage() for record in caplog.records)
    house.services.records.store.close()


async def test_a_report_is_judged_as_it_stands_when_its_turn_comes(tmp_path):
    ledger = None

    def revising(question: str) -> str:
        if "Red" in question and ledger.get(newer).claim.correct_answer == RIGHT:
            ledger.revise(newer, reviewer, correct_answer="write to piet.aldering@example.org")
        return stubborn(question)

    house = house_that(tmp_path, revising)
    older, newer = flag(house, "Who painted the Red Door?"), flag(house)
    ledger, reviewer = house.services.records.ledger, house.services.accounts.named("reviewer")
    await run_until_queued(house, newer)
    assert "personal data" in ledger.get(newer).reason
    assert ledger.get(older).status is Status.QUEUED
    house.services.records.store.close()


async def test_what_a_reviewer_wrote_during_triage_is_not_overwritten(tmp_path):
    ledger, revision = None, "Which painter painted the Blue Door?"

    def revising(question: str) -> str:
        if ledger.get(flagged).claim.canonical_question != revision:
            ledger.revise(flagged, reviewer, canonical_question=revision, subject="Blue Door")
        return stubborn(question)

    house = house_that(tmp_path, revising)
    flagged = flag(house)
    ledger, reviewer = house.services.records.ledger, house.services.accounts.named("reviewer")
    await Triage(house.services).consider(ledger.get(flagged))
    assert ledger.get(flagged).status is Status.FLAGGED
    await Triage(house.services).consider(ledger.get(flagged))
    found = ledger.get(flagged)
    assert (found.status, found.claim.canonical_question) == (Status.QUEUED, revision)
    assert found.claim.subject == "Blue Door"
    house.services.records.store.close()


@pytest.mark.parametrize("first_considered", [0, 1])
async def test_of_two_equal_reports_the_later_repeats_the_earlier_whichever_is_considered_first(
    tmp_path, first_considered
):
    house = house_that(tmp_path, stubborn)
    ledger, triage = house.services.records.ledger, Triage(house.services)
    ids = [flag(house), flag(house, by="reviewer")]
    for id_ in (ids[first_considered], ids[1 - first_considered]):
        await triage.consider(ledger.get(id_))
    earlier, later = (ledger.get(id_) for id_ in ids)
    assert (earlier.duplicate_of, later.duplicate_of) == (None, earlier.id)
    assert (earlier.priority, later.priority) == (2, 1)


async def test_a_rejected_report_that_is_appealed_for_repeats_the_one_that_came_meanwhile(tmp_path):
    house = house_that(tmp_path, stubborn)
    ledger, triage, admin = (
        house.services.records.ledger,
        Triage(house.services),
        house.services.accounts.named("admin"),
    )
    first = flag(house)
    await triage.consider(ledger.get(first))
    ledger.reject(first, admin)
    second = flag(house)
    await triage.consider(ledger.get(second))
    ledger.appeal(first, house.services.accounts.named("user"))
    await triage.consider(ledger.get(first))
    assert (ledger.get(first).duplicate_of, ledger.get(second).duplicate_of) == (second, None)


async def test_a_report_that_goes_on_failing_is_tried_at_longer_and_longer_intervals(tmp_path, monkeypatch):
    moment, tries = [0.0], []
    monkeypatch.setattr("server.triage.time", SimpleNamespace(monotonic=lambda: moment[0]))
    house = house_that(tmp_path, lambda _question: tries.append(moment[0]) or 1 / 0)
    flag(house)
    triage = Triage(house.services)
    for moment[0] in range(0, 520, 2):
        await triage.turn()
    pauses = [b - a for a, b in pairwise(sorted(set(tries)))]
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256]
    house.services.records.store.close()
