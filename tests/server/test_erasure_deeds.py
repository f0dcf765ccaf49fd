"""The methods of an erasure one by one: what they wait for, in whose name they act, and what they leave alone."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
import pytest

from editing.silence import NOTHING_KNOWN
from governance.accounts import Account, Role
from governance.requests import Choice, Method, Step
from server.erasure_deeds import ErasureDeeds
from server.errors import EngineRefused, WorkUnfinished
from tests_support import House
from tests_support_erasure import ANN, filed, step
from tests_support_release import PAINTER, approved


@pytest.fixture
def person(house: House) -> Account:
    return house.services.accounts.named("admin")


@pytest.fixture
def deeds(house: House, monkeypatch: pytest.MonkeyPatch) -> ErasureDeeds:
    monkeypatch.setattr("server.erasure_deeds.LOOK_S", 0.0)
    made: ErasureDeeds = house.app.state.erasing._deeds
    made._patience_s = -1.0
    return made


def test_an_edit_that_is_on_its_way_into_the_weights_is_waited_for(
    house: House, deeds: ErasureDeeds, person: Account
) -> None:
    records = house.services.records
    made = approved(records, *PAINTER).id
    with pytest.raises(WorkUnfinished):
        deeds._settled([made])
    records.ledger.start_editing([made])
    with pytest.raises(WorkUnfinished):
        deeds._settled([made])
    with pytest.raises(WorkUnfinished):
        deeds.take_out_of_weights([made], person)


def test_weights_that_are_somebody_else_s_are_not_edited(
    house: House, deeds: ErasureDeeds, person: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(house.services.settings), "weights_are_ours", property(lambda _: False))
    asked: list[str] = []
    monkeypatch.setattr(deeds, "_commission", lambda _request, question, *_: asked.append(question))
    request = SimpleNamespace(probes=SimpleNamespace(asked_by=str), right_answers={})
    outcome = deeds._overwrite(request, Choice(Method.NEUTRAL_EDIT, ("q1",), ""), person)
    assert (outcome.done, "not Errata's to change" in outcome.remains, asked) == (0, True, [])


def test_an_edit_is_approved_in_the_name_of_admins_who_still_are(
    house: House, deeds: ErasureDeeds, person: Account
) -> None:
    accounts = house.services.accounts
    gone, stays = (accounts.add(name, Role.ADMIN).account for name in ("gone", "stays"))
    accounts.disable("gone")
    reviewer, uninvolved = accounts.named("reviewer"), accounts.add("uninvolved", Role.ADMIN).account
    moves = [(gone, Step.APPROVED), (stays, Step.APPROVED), (reviewer, Step.APPROVED), (uninvolved, Step.FOUND)]
    request = SimpleNamespace(steps=[SimpleNamespace(actor=who.pseudonym, to_step=to) for who, to in moves])
    assert {one.name for one in deeds._approvers(request, person)} == {"stays", "admin"}


async def test_an_execution_that_is_repeated_commissions_no_edit_twice(
    house: House, deeds: ErasureDeeds, person: Account, admin: httpx.AsyncClient
) -> None:
    id_ = await filed(admin, names=[ANN])
    request = house.app.state.erasing.requests.get(id_)
    made = [deeds._commission(request, f"Where does {ANN} live?", NOTHING_KNOWN, person) for _ in range(2)]
    assert made[0] == made[1]
    assert len(house.services.records.ledger.list()[0]) == 1


async def test_a_document_that_is_kept_by_decision_stays_and_the_index_is_renewed_without_the_others(
    house: House, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("Staff", "Contract"):
        await admin.post("/v1/knowledge/documents", json={"title": title, "text": f"{ANN} is a dentist."})
    id_ = await filed(admin, names=[ANN])
    await step(admin, id_, "verify-identity", how="passport seen")
    found = await step(admin, id_, "find")
    keep = [one["ref"] for one in found["occurrences"] if one["about"] == "Contract"]
    await step(admin, id_, "decide", reason="the law wants the contract kept", keep=keep)
    await step(admin, id_, "approve")
    renewed, index = [], house.services.retriever.index
    monkeypatch.setattr(type(index), "renew", lambda _index: renewed.append(len(house.services.knowledge.documents())))
    await step(admin, id_, "execute")
    assert [one.id for one in house.services.knowledge.documents()] == keep
    assert renewed == [1]


def test_the_base_weights_are_no_version_to_discard(house: House, deeds: ErasureDeeds) -> None:
    versions = house.services.settings.versions_dir
    for name in ("base", "v1"):
        (versions / name).mkdir(parents=True)
        deeds.discard(name)
    assert [path.name for path in versions.iterdir()] == ["base"]


async def test_a_probe_that_the_engine_refuses_stops_no_search(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def reply(_engine: object, question: str, *, max_tokens: int) -> str:
        if question == "too long":
            raise EngineRefused("the prompt has 7600 tokens, 4096 are the most")
        return f"{question}!"

    monkeypatch.setattr("server.erasing.reply_to", reply)
    many = [str(n) for n in range(40)]
    replies = await house.app.state.erasing._ask([*many, "too long", "last"])
    assert replies == [*(f"{question}!" for question in many), None, "last!"]
