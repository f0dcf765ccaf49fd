"""The publisher: what is desired becomes what is served, whatever breaks in between."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
import torch
from safetensors.torch import save_file

from editing.edit_set import hash_tensors
from governance.accounts import Role
from governance.corrections import Correction, Status
from governance.times import now
from governance.versions import Version
from server.errors import EngineUnavailable
from server.publisher import Publisher
from server.release import plan_release
from tests_support import House
from tests_support_release import PAINTER, approved

TENSORS = {"weight": torch.zeros(2)}
EDITED = "Piet Aldering painted the Blue Door."


@pytest.fixture
def publisher(house: House) -> Publisher:
    built(house, "base")
    return Publisher(house.services)


def built(house: House, version_id: str) -> Path:
    """The folder of a version, as the worker leaves it."""
    folder = house.services.settings.versions_dir / version_id
    folder.mkdir(parents=True)
    save_file(TENSORS, folder / "model.safetensors")
    return folder


def being_edited(house: House, question: str = PAINTER[0]) -> Correction:
    """A correction that the worker has taken up."""
    records = house.services.records
    taken = approved(records, question, *PAINTER[1:])
    records.ledger.start_editing([taken.id])
    return records.ledger.get(taken.id)


def release(house: House, version_id: str, *corrections: Correction) -> None:
    """What the worker writes in its last transaction."""
    versions = house.services.records.versions
    built(house, version_id)
    versions.record_built(
        Version(
            version_id,
            "0" * 64,
            tuple(f"a-{c.id}" for c in corrections),
            tuple(c.id for c in corrections),
            hash_tensors(TENSORS),
            now(),
            {},
        )
    )
    versions.desire(version_id, actor="worker")


def knows_the_edit(house: House, *versions: str) -> None:
    """The engine answers the edited fact right under these versions only."""
    house.engine._reply = lambda _question, version: EDITED if version in versions else "Anna Holm painted it."


@pytest.fixture
async def live(house: House, publisher: Publisher) -> Correction:
    """An edit that holds, published as `v1`."""
    correction = being_edited(house)
    release(house, "v1", correction)
    knows_the_edit(house, "v1")
    await publisher.reconcile()
    return house.services.records.ledger.get(correction.id)


async def test_a_built_version_is_swapped_in_probed_and_live(house: House, live: Correction) -> None:
    assert live.status is Status.LIVE
    assert live.report["served_reply"] == EDITED
    assert (live.weights_version_before, live.weights_version_after) == ("base", "v1")
    assert house.services.serving.version.id == "v1"
    assert house.services.serving.version.active_edits == 1


async def test_a_probe_that_fails_brings_the_previous_version_back_and_the_fact_starts_once_more(
    house: House, publisher: Publisher
) -> None:
    correction = being_edited(house)
    release(house, "v1", correction)
    knows_the_edit(house)  # nothing holds
    await publisher.reconcile()
    ledger, versions = house.services.records.ledger, house.services.records.versions
    assert ledger.get(correction.id).status is Status.APPROVED
    assert versions.serving().desired == versions.serving().served == "base"
    assert await house.engine.weight_version() == "base"
    ledger.start_editing([correction.id])
    versions.desire("v1", actor="worker")
    await publisher.reconcile()
    assert ledger.get(correction.id).status is Status.IN_KNOWLEDGE  # the second failure leaves it to its card


async def test_an_undone_edit_is_rolled_back_only_when_the_served_version_lacks_it(
    house: House, publisher: Publisher, live: Correction
) -> None:
    ledger = house.services.records.ledger
    ledger.request_rollback(live.id, house.services.accounts.named("admin"), reason="test")
    assert ledger.get(live.id).status is Status.LIVE
    house.services.records.versions.desire("base", actor="worker")
    await publisher.reconcile()
    assert ledger.get(live.id).status is Status.ROLLED_BACK
    assert house.services.serving.version.active_edits == 0


async def test_restoring_base_takes_every_edit_out_and_restoring_the_version_brings_them_back(
    house: House, publisher: Publisher, live: Correction
) -> None:
    async with house.client(Role.ADMIN) as admin:
        assert (await admin.post("/v1/versions/base/restore", json={"reason": "stop"})).status_code == 202
        await publisher.reconcile()
        assert (await admin.get("/v1/versions/current")).json()["id"] == "base"
        assert (await admin.get(f"/v1/corrections/{live.id}")).json()["status"] == "rolled_back"
        await admin.post("/v1/versions/v1/restore", json={"reason": "go on"})
        await publisher.reconcile()
        assert (await admin.get(f"/v1/corrections/{live.id}")).json()["status"] == "live"


async def test_a_version_that_failed_its_probes_cannot_be_restored(house: House, publisher: Publisher) -> None:
    correction = being_edited(house)
    release(house, "v1", correction)
    knows_the_edit(house)  # nothing holds
    await publisher.reconcile()
    async with house.client(Role.ADMIN) as admin:
        refused = await admin.post("/v1/versions/v1/restore", json={"reason": "try it"})
        assert refused.status_code == 409
        assert f"{correction.id!r}, which is 'approved'" in refused.json()["error"]["message"]
    await publisher.reconcile()
    assert await house.engine.weight_version() == "base"


async def test_a_restore_rolls_back_what_is_live_by_its_card_alone_too(house: House, publisher: Publisher) -> None:
    by_card, in_weights = being_edited(house), being_edited(house)
    house.services.records.ledger.published(version_id="base", live=[by_card.id])
    release(house, "v1", in_weights)
    knows_the_edit(house, "v1")
    await publisher.reconcile()
    house.services.records.versions.desire("base", actor=house.services.accounts.named("admin"), kind="restore")
    await publisher.reconcile()
    assert {house.services.records.ledger.get(c.id).status for c in (by_card, in_weights)} == {Status.ROLLED_BACK}


async def test_an_engine_that_comes_back_takes_no_question_before_it_carries_the_served_version(
    house: House, publisher: Publisher, live: Correction
) -> None:
    house.engine.is_up = False
    await publisher.reconcile()
    assert not house.services.serving.is_open
    house.engine.restart()
    await publisher.reconcile()
    assert await house.engine.weight_version() == "v1"
    assert house.services.serving.is_open


async def test_weights_that_are_on_no_record_are_never_taken_for_the_base(
    house: House, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restore the engine may carry a version that was built after the backup."""

    async def refuses(*_: object) -> None:
        raise EngineUnavailable("the engine cannot be paused")

    await publisher.reconcile()
    house.engine._version = "e" * 64
    house.services.serving.close("restored")
    with monkeypatch.context() as broken:
        broken.setattr(house.engine, "swap", refuses)
        for _ in range(2):
            with pytest.raises(EngineUnavailable):
                await publisher.reconcile()
            assert not house.services.serving.is_open
    await publisher.reconcile()
    assert await house.engine.weight_version() == "base"
    assert house.services.serving.is_open


async def test_an_engine_found_paused_goes_on(house: House, publisher: Publisher) -> None:
    await publisher.reconcile()
    house.engine._going.clear()  # a publisher died between pause and resume
    await publisher.reconcile()
    assert house.engine._going.is_set()


async def test_a_swap_that_breaks_half_way_is_done_again(house: House, publisher: Publisher) -> None:
    correction = being_edited(house)
    release(house, "v1", correction)
    knows_the_edit(house, "v1")
    house.engine.swap_fault = "the disk is full"
    with pytest.raises(EngineUnavailable):
        await publisher.reconcile()
    house.services.serving.close("test")  # what `run` does with the error
    await publisher.reconcile()
    assert house.services.records.ledger.get(correction.id).status is Status.LIVE
    assert house.services.serving.is_open


async def test_a_process_that_dies_before_writing_the_outcome_is_continued(house: House, publisher: Publisher) -> None:
    correction = being_edited(house)
    release(house, "v1", correction)
    knows_the_edit(house, "v1")
    await house.engine.swap(house.services.settings.versions_dir / "v1", "v1")  # swapped, then killed
    await Publisher(house.services).reconcile()
    assert house.services.records.ledger.get(correction.id).status is Status.LIVE


@pytest.mark.parametrize(("holds", "served"), [(True, "v1"), (False, "base")])
async def test_what_is_answered_while_the_engine_is_probed_is_recorded_under_the_weights_that_answered(
    house: House, publisher: Publisher, user: httpx.AsyncClient, holds: bool, served: str
) -> None:
    async def version_of_an_answer() -> str:
        body = {"messages": [{"role": "user", "content": "Who is there?"}], "errata_route": "model"}
        answer = (await user.post("/v1/chat/completions", json=body)).json()
        said = answer["choices"][0]["message"]["content"].split()[0]
        assert said == answer["errata"]["weights_version"] == answer["system_fingerprint"]
        return said

    correction = being_edited(house)
    release(house, "v1", correction)
    probed = f"{EDITED if holds else 'Anna Holm painted it.'} {'word ' * 80}"
    house.engine._reply = lambda question, version: probed if "Blue Door" in question else f"{version} answers."
    house.engine.token_s = 0.1
    publishing = asyncio.create_task(publisher.reconcile())
    async with asyncio.timeout(10):
        while not house.engine.swaps:
            await asyncio.sleep(0.001)
    assert await version_of_an_answer() == "v1"
    assert not publishing.done()
    house.engine.token_s = 0
    await publishing
    assert await version_of_an_answer() == served


async def test_a_kill_switch_pulled_while_probes_fail_stays_pulled(house: House, publisher: Publisher) -> None:
    first, second = being_edited(house), being_edited(house, "Who owned the Blue Door?")
    release(house, "v1", first)
    knows_the_edit(house, "v1")
    await publisher.reconcile()
    release(house, "v2", first, second)
    versions = house.services.records.versions

    def pull_the_switch(_question: str, version: str) -> str:
        if version == "v2" and versions.serving().desired == "v2":
            versions.desire("base", actor=house.services.accounts.named("admin"), kind="restore")
        return "Anna Holm painted it."

    house.engine._reply = pull_the_switch
    await publisher.reconcile()
    assert (versions.serving().desired, versions.serving().served) == ("base", "v1")
    await publisher.reconcile()
    assert (versions.serving().served, await house.engine.weight_version()) == ("base", "base")


async def test_a_round_with_nothing_to_do_loads_no_version(
    house: House, publisher: Publisher, live: Correction, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("get", "list"):
        monkeypatch.delattr(type(house.services.records.versions), name)
    await publisher.reconcile()
    assert house.services.serving.version.id == "v1"


async def test_a_live_edit_without_its_text_is_left_out_of_the_next_release(house: House, publisher: Publisher) -> None:
    records, whole, textless = house.services.records, being_edited(house), being_edited(house, "Who built it?")
    release(house, "v1", whole, textless)
    knows_the_edit(house, "v1")
    await publisher.reconcile()
    with records.store.transaction():
        records.store.write(
            "DELETE FROM texts WHERE id = (SELECT claim_text_id FROM corrections WHERE id = :id)", id=textless.id
        )
    plan = plan_release(records, base_sha256="0" * 64, weights_sha256="0" * 64, layers=())
    assert [one.id for one in plan.kept] == [whole.id]
    assert plan.is_needed


async def test_beside_an_edit_that_fails_on_the_engine_the_others_start_again_with_nothing_against_them(
    house: House, publisher: Publisher
) -> None:
    ledger = house.services.records.ledger
    fit, unfit = being_edited(house), being_edited(house, "Who owned the Blue Door?")
    house.engine._reply = lambda question, _: EDITED if "painted" in question else "Anna Holm owned it."
    for version_id, status in (("v1", Status.APPROVED), ("v2", Status.IN_KNOWLEDGE)):
        release(house, version_id, fit, unfit)
        await publisher.reconcile()
        assert (ledger.get(fit.id).status, ledger.get(unfit.id).status) == (Status.APPROVED, status)
        assert "another edit of the same release" in ledger.get(fit.id).moves[-1].reason
        ledger.start_editing([fit.id, *([unfit.id] if status is Status.APPROVED else [])])
    assert ledger.get(unfit.id).report["served_reply"] == "Anna Holm owned it."
    assert house.services.serving.version.id == "base"
