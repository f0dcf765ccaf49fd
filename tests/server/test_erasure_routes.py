"""Erasure over HTTP: six steps from receipt to certificate, and no byte of the person left in the data folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.accounts import Role
from governance.backup import Restored, backup, restore
from governance.corrections import Remedy, Status
from governance.tombstones import Tombstone
from server.erasure_files import ErasureFiles
from server.librarian import Librarian
from server.replay import replay_documents
from server.settings import Settings
from tests_support import House
from tests_support_erasure import ANN, PATH, PLANTED, filed, files_naming_her, plant, step


async def test_no_byte_of_the_person_stays_in_the_data_folder(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    await plant(house, user, admin)
    assert files_naming_her(house.services.settings.data_dir)
    id_ = await filed(admin, names=[ANN], identifiers=["Elmstreet", "quagga"], law="pdpa", statement="Remove me")
    await step(admin, id_, "verify-identity", how="passport seen")
    found = await step(admin, id_, "find", direct=["Who is the dentist?"])
    assert found["counts"] | {"text": 0} == {
        "text": 0,
        "correction": 1,
        "edit": 0,
        "document": 3,
        "cache": 1,
        "export": 1,
        "model": 1,
    }
    assert found["model_before"]["revealing"] == 1
    assert {"Staff", f"Letter of {ANN}"} <= {one["about"] for one in found["occurrences"]}
    model = [one["ref"] for one in found["occurrences"] if one["place"] == "model"]
    await step(admin, id_, "decide", reason="asked for", exceptions="none", keep=model)
    await step(admin, id_, "approve")
    house.engine._reply = lambda *_: "I do not know."
    done = await step(admin, id_, "execute")
    assert (done["status"], done["running"]) == ("verified", None)
    assert (done["residual"]["texts_left"], done["residual"]["revealing"]) == (0, 0)
    assert done["residual"]["interval"][1] > 0  # never "erased": a share, and how sure one can be
    closed = await step(admin, id_, "close", told=True, backups_until="2999-01-31")
    assert closed["names"] == []
    assert files_naming_her(house.services.settings.data_dir) == []
    assert [one.title for one in house.services.knowledge.documents()] == ["Paris"]
    assert house.services.retriever.search(ANN)[0].title == "Paris"
    certificate = await admin.get(f"{PATH}/{id_}/certificate")
    assert "attachment" in certificate.headers["content-disposition"]
    assert not any(word in certificate.content.lower() for word in PLANTED)
    assert "until 2999-01-31" in str(certificate.json()["remains"])
    assert [one["to"] for one in closed["steps"]][-3:] == ["applied", "verified", "closed"]


@pytest.mark.parametrize(
    ("body", "stated"),
    [
        (None, "not stated"),
        ({}, "not stated"),
        ({"reason": "passport seen"}, "passport seen"),
        ({"how": "called back", "by": "phone"}, "called back"),
    ],
)
async def test_how_an_identity_was_verified_is_on_record_as_it_was_stated(
    house: House, admin: httpx.AsyncClient, body: dict[str, str] | None, stated: str
) -> None:
    id_ = await filed(admin, names=[ANN])
    answer = await admin.post(f"{PATH}/{id_}/verify-identity", **({} if body is None else {"json": body}))
    assert answer.json()["status"] == "identity_verified"
    records = house.services.records
    work = records.store.value("SELECT work_text_id FROM erasure_requests WHERE id = :id", id=id_)
    assert json.loads(records.vault.get(work))["identity"] == stated


def restored(house: House, file: Path) -> Restored:
    records = house.services.records
    return restore(
        records.store,
        file,
        vault=records.vault,
        tombstones=records.tombstones,
        ledger=records.ledger,
        actor="test",
        replay=replay_documents,
    )


async def test_a_backup_from_before_brings_nothing_back(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient, tmp_path: Path
) -> None:
    await plant(house, user, admin)
    records = house.services.records
    backup(records.store, records.log, tmp_path / "backup.db", actor="test")
    assert files_naming_her(tmp_path) != []
    id_ = await filed(admin, subject=ANN, identifiers=["Elmstreet", "quagga"])
    await step(admin, id_, "verify-identity", how="passport seen")
    await step(admin, id_, "approve", reason="asked for")
    await step(admin, id_, "execute")
    closed = await step(admin, id_, "close", told=True)
    assert "1 backups made before" in str((await admin.get(f"{PATH}/{id_}/certificate")).json()["remains"])
    done = restored(house, tmp_path / "backup.db")
    assert done.replayed > 0
    records.store.truncate_wal()
    assert files_naming_her(house.services.settings.data_dir) == []
    assert [one.title for one in house.services.knowledge.documents()] == ["Paris"]
    assert closed["status"] == "closed"


async def test_the_entry_of_a_forgotten_correction_does_not_come_back(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient, tmp_path: Path
) -> None:
    await plant(house, user, admin)
    records, knowledge = house.services.records, house.services.knowledge
    (entry,) = knowledge.documents(kind="correction")
    backup(records.store, records.log, tmp_path / "backup.db", actor="test")
    records.tombstones.add([Tombstone("correction", entry.source)])
    restored(house, tmp_path / "backup.db")
    assert knowledge.documents(kind="correction") == []
    assert records.ledger.get(entry.source).status is Status.ROLLED_BACK


async def test_a_reporter_files_for_himself_and_sees_no_other_request(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    other = await filed(admin, names=[ANN])
    mine = await filed(user, statement="Please forget me")
    assert (await user.get(f"{PATH}/{mine}")).json()["statement"] == "Please forget me"
    assert [one["id"] for one in (await user.get(PATH)).json()["data"]] == [mine]
    for path in (other, f"{other}/certificate"):
        assert (await user.get(f"{PATH}/{path}")).status_code == 404
    assert (await user.post(PATH, json={"account": "admin"})).status_code == 403
    async with house.client(Role.AUDITOR) as auditor:
        shown = (await auditor.get(f"{PATH}/{other}")).json()
        assert "names" not in shown
        assert "occurrences" not in shown
        assert (await auditor.post(PATH, json={})).status_code == 403


async def test_a_user_is_erased_with_account_chats_and_reports(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    await plant(house, user, admin)
    id_ = await filed(user, names=[ANN], identifiers=["Elmstreet", "quagga"])
    await step(admin, id_, "verify-identity", how="signed in as himself")
    await step(admin, id_, "approve")
    house.engine._reply = lambda *_: "I do not know."
    assert (await step(admin, id_, "execute"))["status"] == "verified"
    assert (await user.get("/v1/me")).status_code == 401
    await step(admin, id_, "close", told=True)
    assert files_naming_her(house.services.settings.data_dir) == []


async def test_the_source_that_an_erased_reporter_gave_leaves_the_entry_of_their_fact(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    address = "https://zebra.example/ann"
    report = {"question": "Who built it?", "answer": "A plumber", "correct_answer": "a mason", "evidence": [address]}
    made = (await user.post("/v1/corrections", json=report)).json()["id"]
    knowledge = house.services.knowledge
    house.queue(made, Remedy.KNOWLEDGE, volatile=False)
    await admin.post(f"/v1/corrections/{made}/approve", json={})
    librarian = Librarian(house.services)
    librarian.reconcile()
    (before,) = knowledge.documents(kind="correction")
    assert before.uri == address
    id_ = await filed(user)
    await step(admin, id_, "verify-identity", how="signed in as himself")
    await step(admin, id_, "approve")
    await step(admin, id_, "execute")
    (after,) = knowledge.documents(kind="correction")
    assert (after.title, after.as_of, after.expires_at, after.uri) == (
        before.title,
        before.as_of,
        before.expires_at,
        "",
    )
    assert files_naming_her(house.services.settings.data_dir) == []
    librarian.reconcile()
    assert knowledge.documents(kind="correction") == [after]


async def test_what_a_killed_preview_or_restore_left_is_found_and_goes(
    house: House, admin: httpx.AsyncClient, tmp_path: Path
) -> None:
    data, previews = house.services.settings.data_dir, house.services.previews
    asked = data / "previews" / "pre_1.request"
    asked.parent.mkdir()
    asked.write_text('{"correction": "cor_1"}')
    (result,) = [found for found, _ in previews.waiting()]
    previews.answer(result, {"probes": [{"question": "Who is Zoë Zebra-Lee?", "reply": ANN}]})
    assert "Zoë" in result.read_text(encoding="utf-8")
    left = [data / f".errata.db.restoring{end}" for end in ("", "-wal", "-shm")]
    for path in left:
        path.write_bytes(b"SQLite format 3\x00" + ANN.encode())
    id_ = await filed(admin, names=["Zoë Zebra-Lee"])
    await step(admin, id_, "verify-identity", how="passport seen")
    await step(admin, id_, "approve")
    await step(admin, id_, "execute")
    assert not result.exists()
    assert not any(path.exists() for path in left)
    left[0].write_bytes(b"again")
    async with house.app.router.lifespan_context(house.app):
        assert not asked.exists()
        assert not left[0].exists()


def test_a_preview_whose_reader_is_gone_leaves_no_result(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    previews, folder = house.services.previews, house.services.settings.data_dir / "previews"
    folder.mkdir()
    (folder / "pre_1.request").write_text('{"correction": "cor_1"}')
    (result,) = [found for found, _ in previews.waiting()]

    def leaving(content: Any, **_: Any) -> str:
        previews.clear()
        return "{}"

    monkeypatch.setattr("server.previews.json.dumps", leaving)
    previews.answer(result, {})
    assert list(folder.iterdir()) == []


async def test_the_log_commits_to_a_document_by_what_goes_with_it(house: House, admin: httpx.AsyncClient) -> None:
    records = house.services.records
    added = (await admin.post("/v1/knowledge/documents", json={"title": "Staff", "text": ANN})).json()["id"]
    stored = house.services.knowledge.document(added)
    (entry,) = [one for one in records.log.entries() if one.data["kind"] == "document_added"]
    assert stored.sha256 not in entry.text
    (sealed,) = [text_id for text_id, owner, _, text in records.vault.scan() if (owner, text) == (added, stored.sha256)]
    assert records.vault.commits_to(sealed, entry.data["content"])
    await admin.delete(f"/v1/knowledge/documents/{added}")
    assert records.vault.is_erased(added)
    assert not any(owner == added for _, owner, *_ in records.vault.scan())


async def test_an_account_that_nobody_named_goes_only_once_a_person_has_looked(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    made = house.services.accounts.add("ann.zebra-lee", Role.USER).account
    id_ = await filed(admin, names=[ANN])
    await step(admin, id_, "verify-identity", how="passport seen")
    await step(admin, id_, "approve")
    assert (await step(admin, id_, "execute"))["residual"]["texts_left"] == 1
    found = await step(admin, id_, "find")
    assert "ann.zebra-lee" in {one["ref"]: one["about"] for one in found["occurrences"]}[made.id]
    await step(admin, id_, "decide", reason="it is her account")
    await step(admin, id_, "approve")
    assert (await step(admin, id_, "execute"))["residual"]["texts_left"] == 0
    assert house.services.accounts.get(made.id).disabled


async def test_a_rectification_puts_right_and_closes_nobody_s_account(
    house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    id_ = await filed(user, names=[ANN], kind="rectification")
    await step(admin, id_, "verify-identity", how="signed in as himself")
    undecided = await admin.post(f"{PATH}/{id_}/approve", json={})
    assert undecided.status_code == 409
    assert "decide with the right answers" in undecided.json()["error"]["message"]
    await step(admin, id_, "find")
    assert (await admin.post(f"{PATH}/{id_}/approve", json={})).status_code == 409
    decided = await step(admin, id_, "decide", correct=True, reason="the entry is wrong")
    assert "delete_text" not in {choice["method"] for choice in decided["choices"]}
    await step(admin, id_, "approve")
    await step(admin, id_, "execute")
    assert (await user.get("/v1/me")).status_code == 200


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("find", {}, 409),
        ("decide", {"reason": "r"}, 409),
        ("approve", {}, 409),
        ("execute", {}, 409),
        ("close", {"told": True}, 409),
        ("verify-identity", {"how": "  "}, 400),
        ("refuse", {"reason": "r"}, 400),
        ("refuse", {"reason": "kept for a claim in law", "ground": "gdpr-17-3-e"}, 200),
    ],
)
async def test_steps_follow_each_other(
    house: House, admin: httpx.AsyncClient, name: str, body: dict[str, Any], status: int
) -> None:
    id_ = await filed(admin, names=[ANN])
    answer = await admin.post(f"{PATH}/{id_}/{name}", json=body)
    assert answer.status_code == status, answer.text
    for role in (Role.USER, Role.AUDITOR, Role.REVIEWER):
        async with house.client(role) as client:
            assert (await client.post(f"{PATH}/{id_}/{name}", json=body)).status_code == 403


@pytest.mark.parametrize("checkpoints", [None, "data/notes", "data", "elsewhere", "."])
def test_a_short_name_deletes_no_signed_checkpoint_and_no_version(tmp_path: Path, checkpoints: str | None) -> None:
    """Base64 and tokenizers hold every name of three letters."""
    given = {"checkpoint_dir": tmp_path / checkpoints} if checkpoints else {}
    files = ErasureFiles(Settings(data_dir=tmp_path / "data", **given, _env_file=None))
    kept = ("checkpoints/checkpoints.jsonl", "checkpoints/before-2026/checkpoint", "versions/v1/tokenizer.json")
    notes = ("notes/checkpoints.jsonl",) if checkpoints == "data/notes" else ()
    for name in (*kept, *notes, "engine/vllm.log"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True)
        path.write_text("Qm9iLeeAbGw=")
    assert [found.path.name for found in files.naming(["Lee"])] == ["vllm.log"]


@pytest.mark.parametrize("model_dir", ["data/model", "data", ".", "model"])
def test_a_short_name_deletes_no_model_no_policy_and_no_lock(tmp_path: Path, model_dir: str) -> None:
    data = tmp_path / "data"
    given = {"model": str(data / "own" / "model"), "embedder": str(data / "minilm"), "policy": data / "rules.toml"}
    made = ("smollm2-135m-instruct/tokenizer.json", "statistics/replies.json", "hashes.json")
    kept = [tmp_path / model_dir / name for name in made]
    kept += [data / name for name in ("own/model/vocab.json", "minilm/tokenizer.json", "rules.toml", "serve.lock")]
    found = [data / name for name in ("own/letter.txt", "minilm.txt", "rules.toml.old")]
    for path in (*kept, *found):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Ann Lee")
    for more in (given, {}):
        files = ErasureFiles(Settings(data_dir=data, model_dir=tmp_path / model_dir, **more, _env_file=None))
        naming = files.naming(["Lee"])
        assert not {path.path for path in naming} & set(kept if more else kept[:3])
    files = ErasureFiles(Settings(data_dir=data, model_dir=tmp_path / model_dir, **given, _env_file=None))
    assert {path.path for path in files.naming(["Lee"])} == set(found)
    files.delete(path.ref for path in files.naming(["Lee"]))
    assert all(path.exists() for path in kept)


@pytest.mark.parametrize(
    "written", ["Jürgen Müller", "Jurgen\nMULLER", "J\\u00fcrgen M\\u00fcller", "Jürgen\u00a0Mül\u00adler"]
)
def test_a_file_is_found_however_the_name_is_written_in_it(tmp_path: Path, written: str) -> None:
    files = ErasureFiles(Settings(data_dir=tmp_path / "data", _env_file=None))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.txt").write_text(f"Of {written}.")
    (tmp_path / "data" / "other.txt").write_text("Of Jürgen.")
    assert [found.path.name for found in files.naming(["Jürgen Müller"])] == ["notes.txt"]
    assert files.naming([]) == []


@pytest.mark.parametrize("body", [{"names": ["ab"]}, {"names": ["<|im_start|>"]}, {"nobody": 1}, {"kind": "other"}])
async def test_a_request_that_cannot_be_looked_for_is_refused(admin: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await admin.post(PATH, json=body)).status_code == 400
