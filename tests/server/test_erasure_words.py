"""Erasure, what people decide: of words that only hold a name inside, and why a request was refused."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from governance.accounts import Role
from governance.requests import Subject
from server.erasure_files import ErasureFiles
from server.settings import Settings
from tests_support import House
from tests_support_erasure import PATH, filed, step

LEE = "Lee"


async def planted(house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    """Lee, and what is not about Lee, each in a chat, a document and a file."""
    for question in ("How long do cats sleep?", "Is that Lee's house?"):
        asked = {"messages": [{"role": "user", "content": question}], "errata_store": True}
        assert (await user.post("/v1/chat/completions", json=asked)).status_code == 200
    for title, text in (("Wool", "A fleece is warm."), ("Staff", "Our dentist is Lee."), ("List", "Lee, Ann")):
        await admin.post("/v1/knowledge/documents", json={"title": title, "text": text})
    for name, text in (("pets.txt", "They sleep."), ("staff.txt", "Lee is a dentist.")):
        (house.services.settings.data_dir / name).write_text(text)


def left(house: House) -> set[str]:
    """What is still there."""
    records, data = house.services.records, house.services.settings.data_dir
    questions = {text for *_, kind, text in records.vault.scan() if kind == "question"}
    titles = {document.title for document in house.services.knowledge.documents()}
    return questions | titles | {path.name for path in data.glob("*.txt")}


async def test_what_holds_the_name_only_inside_a_longer_word_stays_where_nobody_has_looked(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    await planted(house, user, admin)
    operator = house.services.accounts.operator("lee")  # may be somebody else
    house.engine._reply = lambda *_: "I sleep."
    id_ = await filed(admin, names=[LEE, "Ann Lee"])
    await step(admin, id_, "verify-identity", how="passport seen")
    shown = await step(admin, id_, "approve")
    assert {one["about"]: one["within_a_word"] for one in shown["occurrences"] if one["place"] == "document"} == {
        "Wool": True,
        "Staff": False,
        "List": False,
    }
    files = {Path(one["about"]).name: one["within_a_word"] for one in shown["occurrences"] if one["place"] == "export"}
    assert files == {"pets.txt": True, "staff.txt": False}
    assert "neutral_edit" not in {choice["method"] for choice in shown["choices"]}
    # What comes between decision and execution is not about Lee either.
    await admin.post("/v1/knowledge/documents", json={"title": "Beds", "text": "To sleep in."})
    done = await step(admin, id_, "execute")
    assert left(house) == {"How long do cats sleep?", "Wool", "Beds", "pets.txt"}
    assert house.services.accounts.operator("lee") == operator
    # Question and answer of the chat, and the operator.
    assert [done["residual"][name] for name in ("texts_left", "texts_left_within_a_word")] == [3, 2]
    closed = await step(admin, id_, "close", told=True)
    assert closed["certificate"]
    remains = (await admin.get(f"/v1/erasure-requests/{id_}/certificate")).json()["remains"]
    assert any("kept by decision: " in one and "1 document" in one for one in remains)


async def test_a_person_who_has_looked_may_delete_it_as_well(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    await planted(house, user, admin)
    id_ = await filed(admin, names=[LEE])
    await step(admin, id_, "verify-identity", how="passport seen")
    await step(admin, id_, "find")
    await step(admin, id_, "decide", reason="all of it is about Lee")
    await step(admin, id_, "approve")
    await step(admin, id_, "execute")
    assert left(house) & {"How long do cats sleep?", "Wool", "pets.txt"} == set()


async def test_an_admin_whom_a_request_concerns_does_not_search_and_decide_by_approving_it(
    house: House, admin: httpx.AsyncClient
) -> None:
    id_ = await filed(admin)  # nobody is named: oneself
    house.services.accounts.add("second", Role.ADMIN, key="second-admin-key-of-sixteen")
    async with house.client(Role.ADMIN, Authorization="Bearer second-admin-key-of-sixteen") as second:
        before = await step(second, id_, "verify-identity", how="passport seen")
        refused = await admin.post(f"{PATH}/{id_}/approve", json={})
        assert (refused.status_code, "concerns you" in refused.text) == (403, True)
        assert (await admin.get(f"{PATH}/{id_}")).json()["steps"] == before["steps"]
        assert (await step(second, id_, "approve"))["status"] == "approved"


async def test_who_was_refused_reads_why_and_so_do_admins_and_nobody_else(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    id_ = await filed(user, names=["Ann Zebra-Lee"])
    assert (await admin.get(f"{PATH}/{id_}")).json()["refusal"] == ""
    await step(admin, id_, "refuse", reason="we need it in court", ground="gdpr-17-3-e")
    for client in (user, admin):
        shown = (await client.get(f"{PATH}/{id_}")).json()
        assert (shown["refusal"], shown["names"]) == ("we need it in court", [])
        assert [one["refusal"] for one in (await client.get(PATH)).json()["data"]] == ["we need it in court"]
    for role in (Role.AUDITOR, Role.REVIEWER):
        async with house.client(role) as other:
            assert "in court" not in (await other.get(f"{PATH}/{id_}")).text


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ("a fleece", True),
        ("a fleece of Lee", False),
        ("fleece of ann@example.org", False),
        ("Lee", False),
        ("." * 30 + "Lee" + "." * 30, False),
        ("." * 30 + "flee" + "." * 30, True),
        ("flee " * 40, True),
        ("leek " * 40, True),
        ("flee " * 40 + "Lee " * 2, False),
    ],
)
@pytest.mark.parametrize("block", [16, 61, 1_000])
def test_a_file_is_judged_by_whole_words_wherever_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, within: bool, block: int
) -> None:
    monkeypatch.setattr("server.erasure_files.BLOCK", block)
    files = ErasureFiles(Settings(data_dir=tmp_path, _env_file=None))
    (tmp_path / "notes.txt").write_text(text)
    subject = Subject(names=(LEE,), identifiers=("ann@example.org",))
    (found,) = files.naming(subject.needles)
    assert files.is_within_a_word(found, subject) is within
