"""Erasure from the weights: live edits that go, answers that are overwritten, work that goes on after a stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import httpx
import pytest

from governance.corrections import Status
from governance.requests import Step
from governance.times import now
from governance.tombstones import Tombstone
from governance.versions import Version
from server.edits import statements_of
from server.erasing import Erasing
from server.errors import WorkUnfinished
from server.publisher import Publisher
from server.serving import ServedVersion
from tests_support import House
from tests_support_erasure import ANN, PATH, filed, files_naming_her, plant, step


@asynccontextmanager
async def worker_and_publisher(house: House) -> AsyncIterator[None]:
    """What the two processes do about an undo: a version without the edit, built and served."""
    records, files = house.services.records, house.services.settings.versions_dir
    publisher = Publisher(house.services)

    async def work() -> None:
        while True:
            live = records.ledger.in_status(Status.LIVE)
            if any(correction.undo_requested for correction in live) and records.versions.desired().id == "v1":
                (files / "v2").mkdir(parents=True)
                (files / "v2" / "model.safetensors").write_bytes(b"tensors")
                records.versions.record_built(Version("v2", "0" * 64, (), (), "t", now(), {}))
                records.versions.desire("v2", actor="worker")
            await publisher.reconcile()
            await asyncio.sleep(0.05)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def live_about_her(house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient) -> str:
    """A live edit that names her, its version on disk, and the artefact it was computed from."""
    records, settings = house.services.records, house.services.settings
    body = {"question": f"Who is {ANN}?", "answer": "A plumber", "correct_answer": "a dentist", "subject": ANN}
    made = (await user.post("/v1/corrections", json=body)).json()["id"]
    house.queue(made, canonical_question=body["question"], subject=ANN)
    assert (await admin.post(f"/v1/corrections/{made}/approve", json={})).json()["status"] == "approved"
    records.ledger.start_editing([made])
    for name in ("v1", "base"):
        (settings.versions_dir / name).mkdir(parents=True)
        (settings.versions_dir / name / "model.safetensors").write_bytes(b"tensors")
    settings.artefacts_dir.mkdir()
    (settings.artefacts_dir / "a1.json").write_text(f'{{"fact_ids": ["{made}"], "contexts": ["{ANN}"]}}')
    (settings.artefacts_dir / "a1.safetensors").write_bytes(b"tensors")
    records.versions.record_built(Version("v1", "0" * 64, ("a1",), (made,), "t", now(), {}))
    records.versions.desire("v1", actor="worker")
    house.engine._reply = lambda _question, version: f"{ANN} is a dentist." if version == "v1" else "I do not know."
    await Publisher(house.services).reconcile()
    assert records.ledger.get(made).status is Status.LIVE
    return made


async def test_a_live_edit_leaves_the_weights_and_its_versions_are_purged(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    made = await live_about_her(house, user, admin)
    id_ = await filed(admin, names=[ANN])
    await step(admin, id_, "verify-identity", how="passport seen")
    found = await step(admin, id_, "find")
    assert found["counts"]["edit"] == 1
    assert found["model_before"]["revealing"] > 0  # the question names her; that she is a dentist is the secret
    model = [one["ref"] for one in found["occurrences"] if one["place"] == "model"]
    await step(admin, id_, "decide", reason="the edit is all the model knows", keep=model)
    await step(admin, id_, "approve")
    async with worker_and_publisher(house):
        done = await step(admin, id_, "execute")
    assert (done["status"], done["residual"]["revealing"]) == ("verified", 0)
    assert {one["method"] for one in done["outcomes"]} == {"drop_edit", "delete_text", "rebuild_cache"}
    records, settings = house.services.records, house.services.settings
    assert records.ledger.get(made).status is Status.ROLLED_BACK
    assert records.versions.served().id == "v2"
    assert not (settings.versions_dir / "v1").exists()
    assert list(settings.artefacts_dir.iterdir()) == []
    refused = await admin.post("/v1/versions/v1/restore", json={})
    assert refused.status_code == 404
    assert files_naming_her(settings.data_dir) == []


async def test_an_execution_that_waits_for_the_worker_answers_at_once_and_goes_on(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    made = await live_about_her(house, user, admin)
    erasing = house.app.state.erasing
    person = house.services.accounts.named("admin")
    id_ = await filed(admin, names=[ANN])
    await step(admin, id_, "verify-identity", how="passport seen")
    found = await step(admin, id_, "find")
    keep = [one["ref"] for one in found["occurrences"] if one["place"] == "model"]
    await step(admin, id_, "decide", reason="r", keep=keep)
    await step(admin, id_, "approve")
    assert (await erasing.execute(id_, person, patience_s=0.3)).status == "approved"
    shown = (await admin.get(f"{PATH}/{id_}")).json()
    assert shown["running"]["error"] is None
    assert house.services.records.ledger.get(made).undo_requested
    async with worker_and_publisher(house):
        done = await step(admin, id_, "execute")  # joins the one that is under way
    assert done["status"] == "verified"


async def test_what_was_ordered_goes_on_after_a_restart_of_the_gateway(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    await plant(house, user, admin)
    id_ = await filed(admin, names=[ANN])
    await step(admin, id_, "verify-identity", how="passport seen")
    await step(admin, id_, "approve")
    person = house.services.accounts.named("admin")
    house.app.state.erasing.requests.order_execution(id_, person)
    serving = house.services.serving
    serving.close("the engine is starting")
    serving._patience_s = 0.05
    restarted = Erasing(house.services)
    loop = asyncio.create_task(restarted.run())
    async with asyncio.timeout(60):
        while restarted.underway(id_) is None:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)  # an engine starts for longer than a question waits
        assert restarted.underway(id_).error is None
        serving.open(ServedVersion("base", 0))
        while restarted.requests.get(id_).status != "verified":
            await asyncio.sleep(0.05)
    loop.cancel()
    assert [entry.data["kind"] for entry in house.services.records.log.entries()].count(
        "erasure.execution_ordered"
    ) == 1


async def test_an_execution_that_was_stopped_says_so_and_goes_on_when_asked_again(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    await live_about_her(house, user, admin)
    erasing = house.app.state.erasing
    erasing._deeds._patience_s = 0.1
    id_ = await filed(admin, names=[ANN])
    await step(admin, id_, "verify-identity", how="passport seen")
    await step(admin, id_, "find")
    await step(admin, id_, "decide", reason="r", many=True)
    await step(admin, id_, "approve")
    stopped = await admin.post(f"{PATH}/{id_}/execute")
    assert stopped.status_code == WorkUnfinished.status
    assert "still being taken out" in stopped.json()["error"]["message"]
    assert "still" in (await admin.get(f"{PATH}/{id_}")).json()["running"]["error"]
    erasing._deeds._patience_s = 20.0
    async with worker_and_publisher(house):
        done = await step(admin, id_, "execute")
    assert done["status"] == "verified"
    remains = [one["remains"] for one in done["outcomes"] if one["method"] == "unlearn"]
    assert "outside Errata" in remains[0]


async def test_what_the_model_says_by_itself_is_overwritten_by_an_edit_that_goes_the_usual_way(
    house: House, admin: httpx.AsyncClient
) -> None:
    said = {f"Where does {ANN} live?": "At Elmstreet 5.", "What is the capital of France?": "Paris."}
    house.engine._reply = lambda question, _version: said.get(question, "I do not know.")
    records = house.services.records
    id_ = await filed(admin, names=[ANN], identifiers=["Elmstreet"])
    await step(admin, id_, "verify-identity", how="passport seen")
    assert (await step(admin, id_, "find"))["counts"]["model"] == 1
    await step(admin, id_, "decide", reason="few facts")
    await step(admin, id_, "approve")

    async def work() -> None:
        while not (waiting := records.ledger.in_status(Status.APPROVED)):
            await asyncio.sleep(0.05)
        records.ledger.start_editing([waiting[0].id])
        records.versions.record_built(Version("v1", "0" * 64, ("a",), (waiting[0].id,), "t", now(), {}))
        house.engine._reply = lambda *_: "I have no information about this person."
        records.ledger.published(version_id="v1", live=[waiting[0].id])

    done, _ = await asyncio.gather(step(admin, id_, "execute"), work())
    (outcome,) = (one for one in done["outcomes"] if one["method"] == "neutral_edit")
    assert outcome["done"] == 1
    assert "under a key of their own" in outcome["remains"]
    assert done["residual"]["revealing"] == 0
    assert [done["residual"][name] for name in ("neighbours_right", "neighbours_still_right")] == [1, 0]
    await step(admin, id_, "close", told=True)
    certificate = (await admin.get(f"{PATH}/{id_}/certificate")).json()
    assert (certificate["model_before"]["revealing"], certificate["residual_risk"]["revealing"]) == (1, 0)
    # Its approval was thought over with the request: nobody is alarmed because it comes within a second.
    assert (await admin.get("/v1/alarms")).json()["data"] == []
    (edit,) = records.ledger.in_status(Status.LIVE)
    assert (edit.claim.subject, edit.claim.correct_answer) == (ANN, "I have no information about this person")
    assert statements_of(edit).sentence == "I have no information about this person."
    assert statements_of(edit).same_subject == ()


async def test_an_edit_that_its_gate_refuses_leaves_nothing_behind(house: House, admin: httpx.AsyncClient) -> None:
    house.engine._reply = lambda question, _version: "At Elmstreet 5." if "live?" in question else "I do not know."
    records, artefacts = house.services.records, house.services.settings.artefacts_dir
    id_ = await filed(admin, names=[ANN], identifiers=["Elmstreet"])
    await step(admin, id_, "verify-identity", how="passport seen")
    await step(admin, id_, "find")
    await step(admin, id_, "decide", reason="few facts")
    await step(admin, id_, "approve")
    made: list[str] = []

    async def work() -> None:
        while not (waiting := records.ledger.in_status(Status.APPROVED)):
            await asyncio.sleep(0.05)
        made.append(waiting[0].id)
        records.ledger.start_editing(made)
        artefacts.mkdir(exist_ok=True)
        (artefacts / "a1.json").write_text(f'{{"fact_ids": ["{made[0]}"], "contexts": ["{ANN}"]}}')
        records.ledger.gate_failed(made[0], {"reasons": ["it does not hold"]})

    done, _ = await asyncio.gather(step(admin, id_, "execute"), work())
    (outcome,) = (one for one in done["outcomes"] if one["method"] == "neutral_edit")
    assert outcome["done"] == 0
    assert records.ledger.get(made[0]).erased
    assert not list(artefacts.iterdir())
    assert Tombstone("correction", made[0]) in set(records.tombstones)


async def test_edits_beyond_what_one_subject_may_have_wait_in_the_queue_and_are_counted(
    house: House, admin: httpx.AsyncClient
) -> None:
    house.engine._reply = lambda question, _version: "At Elmstreet 5." if ANN in question else "I do not know."
    ledger, most = house.services.records.ledger, house.services.records.policy.limits.weight_edits_per_subject
    id_ = await filed(admin, names=[ANN], identifiers=["Elmstreet"])
    await step(admin, id_, "verify-identity", how="passport seen")
    more = [f"Where does {ANN} {verb}?" for verb in ("eat", "swim")]
    assert (await step(admin, id_, "find", direct=more))["counts"]["model"] == most + 3
    await step(admin, id_, "decide", reason="few facts")
    await step(admin, id_, "approve")

    async def work() -> None:
        while len(waiting := ledger.in_status(Status.APPROVED)) < most:
            await asyncio.sleep(0.05)
        ids = [one.id for one in waiting]
        ledger.start_editing(ids)
        house.services.records.versions.record_built(Version("v1", "0" * 64, ("a",), tuple(ids), "t", now(), {}))
        ledger.published(version_id="v1", live=ids)

    done, _ = await asyncio.gather(step(admin, id_, "execute"), work())
    (outcome,) = (one for one in done["outcomes"] if one["method"] == "neutral_edit")
    assert outcome["done"] == most
    assert "wait in the queue for another approval: 1;" in outcome["remains"]
    assert outcome["remains"].endswith("goes on answering: 2")  # no edit holds an opinion or an explanation
    assert len(ledger.in_status(Status.QUEUED)) == 1


async def test_what_was_worked_out_ahead_for_an_erased_user_s_report_goes(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    body = {"question": "Who painted the Blue Door?", "answer": "Anna Holm", "correct_answer": "Piet Aldering"}
    made = (await user.post("/v1/corrections", json=body)).json()["id"]
    artefacts = house.services.settings.artefacts_dir
    artefacts.mkdir()
    for name, fact in (("a1", made), ("a2", "cor_other")):
        (artefacts / f"{name}.json").write_text(f'{{"fact_ids": ["{fact}"], "contexts": ["Blue Door"]}}')
    id_ = await filed(user)
    await step(admin, id_, "verify-identity", how="signed in as himself")
    await step(admin, id_, "approve")
    await step(admin, id_, "execute")
    assert [path.name for path in artefacts.iterdir()] == ["a2.json"]


async def test_after_a_restart_goes_on_what_was_ordered_and_nothing_that_was_only_approved(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, started = house.services.accounts.named("admin"), []
    left = [
        SimpleNamespace(id=f"{status} {executor is not None}", status=status, executor=executor)
        for executor in (None, person.id)
        for status in Step
    ]
    erasing = Erasing(house.services)
    monkeypatch.setattr(erasing.requests, "list", lambda: left)
    monkeypatch.setattr(erasing, "_start", lambda id_, actor, *, waits: started.append((id_, actor.id, waits)))
    loop = asyncio.create_task(erasing.run())
    async with asyncio.timeout(20):
        while len(started) < 2 and not loop.done():
            await asyncio.sleep(0.01)
    assert started == [("approved True", person.id, True), ("applied True", person.id, True)]
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    with pytest.raises(WorkUnfinished):  # a gateway that ends does not wait for its worker
        erasing._deeds._wait(float("inf"), "edits")


async def test_an_execution_is_refused_while_the_engine_is_away(house: House, admin: httpx.AsyncClient) -> None:
    id_ = await filed(admin, names=[ANN])
    await step(admin, id_, "verify-identity", how="passport seen")
    await step(admin, id_, "approve")
    house.services.serving.close("the engine is starting")
    house.services.serving._patience_s = 0.01
    async with asyncio.timeout(10):
        refused = await admin.post(f"{PATH}/{id_}/execute")
    assert (refused.status_code, "starting" in refused.text) == (503, True)


@pytest.mark.parametrize(("status", "taken_out"), [(Step.APPROVED, [["cor_1", "cor_2"]]), (Step.APPLIED, [])])
def test_what_became_live_since_the_search_leaves_the_weights_before_its_texts_are_deleted(
    house: House, monkeypatch: pytest.MonkeyPatch, status: Step, taken_out: list[list[str]]
) -> None:
    erasing, done = house.app.state.erasing, []
    request = SimpleNamespace(status=status, corrections=frozenset({"cor_2", "cor_1"}))
    monkeypatch.setattr(erasing.requests, "get", lambda _id: request)
    monkeypatch.setattr(erasing.requests, "execute", lambda *_, **__: done.append("executed"))
    monkeypatch.setattr(erasing._deeds, "take_out_of_weights", lambda ids, _actor: done.append(ids))
    erasing._execute("era_1", house.services.accounts.named("admin"), None)
    assert done == [*taken_out, "executed"]
