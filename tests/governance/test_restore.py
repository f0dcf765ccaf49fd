"""Restores that keep the log, replay erasures, let nobody back in, and overwrite nothing that is not theirs."""

import sqlite3

import pytest

from governance.accounts import Role
from governance.audit import Log
from governance.audit_verify import verify
from governance.backup import backup, discard_unfinished, is_damage, restore, set_damaged_aside
from governance.checkpoints import Checkpoints
from governance.corrections import Status
from governance.erasure import Erasures
from governance.errors import LogError, WrongKey
from governance.notes import Signer
from governance.requests import Questions, Step, Subject
from governance.store import Store
from governance.tombstones import Tombstone, Tombstones
from governance.tools import Tools

SIGNER = Signer(b"k" * 32)


@pytest.fixture
def tombstones(room):
    return Tombstones(room.path / "erased.jsonl")


def erasures_of(room, tombstones):
    return Erasures(room.store, room.vault, room.log, accounts=room.accounts, ledger=room.ledger, tombstones=tombstones)


def erase(room, tombstones, account):
    erasures = erasures_of(room, tombstones)
    return carry_out(room, erasures, erasures.file(room.admin, subject=Subject((), (), account.id)))


def carry_out(room, erasures, request):
    erasures.verify_identity(request.id, room.admin, how="known")
    erasures.find(request.id, room.admin, tools=Tools())
    erasures.decide(request.id, room.admin, questions=Questions(correct=False, many=False), reason="asked for")
    erasures.approve(request.id, room.admin)
    return erasures.execute(request.id, room.admin, tools=Tools())


def bring_back(room, source, tombstones, *, into=None, **more):
    return restore(
        into or room.store,
        source,
        vault=room.vault,
        tombstones=tombstones,
        ledger=room.ledger,
        actor="operator",
        **more,
    )


def test_a_restore_brings_the_state_back_and_keeps_the_log(room, tombstones):
    kept = room.queued()
    checkpoints = Checkpoints(room.log, SIGNER, [room.path / "checkpoints"])
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    room.ledger.reject(kept.id, room.admin)
    later = room.flag(question="Who painted The Scream?")
    checkpoints.write()
    before = room.log.size()
    done = bring_back(room, room.path / "backup.db", tombstones)
    assert not done.lost_log
    assert done.kept_entries == 2
    assert room.ledger.get(kept.id).status is Status.QUEUED
    assert later.id not in [correction.id for correction in room.ledger.list()[0]]
    assert room.log.size() == before + 1
    assert room.entries()[-1]["kind"] == "backup.restored"
    # The checkpoint signed before the restore is still true, and the log goes on from it.
    checkpoints.write()
    report = verify(database=room.store.path, checkpoints=[room.path / "checkpoints"], key=SIGNER.verifier_key)
    assert report.ok
    assert report.newest_head == report.size
    assert room.ledger.approve(kept.id, room.admin).status is Status.APPROVED


def test_erasures_are_replayed_after_a_restore(room, tombstones):
    report = room.flag(comment="zebra")
    chat = room.answers.record(
        account_id=room.user.id, question="zebra?", answer="zebra!", route="model", reason="", weights_version="base"
    )
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    erase(room, tombstones, room.user)
    done = bring_back(room, room.path / "backup.db", tombstones)
    assert done.replayed > 0
    assert room.ledger.get(report.id).erased
    assert room.answers.texts(room.answers.get(chat.id)) == ("", "")
    assert room.vault.is_erased(room.user.id)
    assert room.accounts.get(room.user.id).disabled
    assert room.accounts.get(room.user.id).name.startswith("erased_")


def test_a_fact_in_force_outlives_its_erased_reporter_after_a_restore_too(room, tombstones):
    live = room.live("v1", comment="zebra")
    queued = room.queued(question="Who painted The Scream?")
    conversation = room.answers.start_conversation(room.user.id, "zebra")
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    erase(room, tombstones, room.user)
    adopted = room.ledger.get(live.id)
    bring_back(room, room.path / "backup.db", tombstones)
    again = room.ledger.get(live.id)
    assert (again.status, again.claim, again.comment) == (Status.LIVE, adopted.claim, "")
    assert again.claim.correct_answer == "Leonardo da Vinci"
    forgotten = room.ledger.get(queued.id)
    assert (forgotten.status, forgotten.erased) == (Status.CLOSED, True)
    assert not room.store.value("SELECT COUNT(*) FROM conversations WHERE id = :id", id=conversation.id)
    # A second restore finds it adopted already.
    backup(room.store, room.log, room.path / "again.db", actor="operator")
    size = room.log.size()
    bring_back(room, room.path / "again.db", tombstones)
    assert room.ledger.get(live.id).claim == adopted.claim
    assert room.log.size() == size + 1


def test_what_was_forgotten_is_in_force_no_longer_after_a_restore(room, tombstones):
    live = room.live("v1")
    editing = room.editing(question="Who painted The Scream?")
    in_knowledge = room.editing(question="Who painted The Kiss?")
    room.ledger.gate_failed(in_knowledge.id, {})
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    tombstones.add(Tombstone("correction", one.id) for one in (live, editing, in_knowledge))
    done = bring_back(room, room.path / "backup.db", tombstones)
    after = [room.ledger.get(one.id) for one in (live, editing, in_knowledge)]
    assert [one.status for one in after] == [Status.ROLLED_BACK, Status.CLOSED, Status.ROLLED_BACK]
    assert all(one.erased for one in after)
    assert done.replayed == 3
    assert verify(database=room.store.path).ok


def test_a_chat_that_was_deleted_stays_deleted_after_a_restore(room, tombstones):
    answers = type(room.answers)(room.store, room.vault, tombstones=tombstones)
    conversation = answers.start_conversation(room.user.id, "zebra")
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    answers.delete(conversation.id)
    bring_back(room, room.path / "backup.db", tombstones)
    assert answers.conversations(room.user.id) == ([], None)
    assert room.entries()[-2]["kind"] == "conversation.deleted"


def test_what_a_killed_restore_left_is_discarded_and_one_under_way_goes_on(room, tombstones):
    kept = room.queued()
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    room.ledger.reject(kept.id, room.admin)
    scratch = room.path / ".errata.db.restoring"

    def replay(store, _stones):
        assert scratch.exists()
        discard_unfinished(room.store.path)
        assert not scratch.exists()
        return 0

    bring_back(room, room.path / "backup.db", tombstones, replay=replay)
    assert room.ledger.get(kept.id).status is Status.QUEUED
    assert verify(database=room.store.path).ok
    assert not list(room.path.glob(".errata.db.restoring*"))


def test_claims_of_a_backup_from_before_a_change_of_normal_form_are_found_at_once(room, tombstones, monkeypatch):
    with monkeypatch.context() as former:
        former.setattr("governance.book.normal", lambda text: text)
        one = room.flag(question="Who painted the Mona Lisa?")
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    room.ledger.renew_keys()
    bring_back(room, room.path / "backup.db", tombstones)
    assert [found.id for found in room.ledger.like("who painted  the MONA LISA")] == [one.id]


def test_a_lost_database_is_restored_and_the_loss_is_said(room, tombstones):
    kept = room.flag()
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    fresh = Store(room.path / "elsewhere" / "errata.db")
    done = bring_back(room, room.path / "backup.db", tombstones, into=fresh)
    assert done.lost_log
    assert Log(fresh).size() == done.backup_entries + 1
    assert fresh.value("SELECT COUNT(*) FROM corrections WHERE id = :id", id=kept.id) == 1
    fresh.close()


def test_checkpoints_of_a_lost_log_are_set_aside_as_evidence(room, tombstones):
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    room.flag()
    room.flag(question="Who painted The Scream?")
    Checkpoints(room.log, SIGNER, [room.path / "checkpoints"]).write()
    fresh = Store(room.path / "elsewhere" / "errata.db")
    bring_back(room, room.path / "backup.db", tombstones, into=fresh)
    again = Checkpoints(Log(fresh), SIGNER, [room.path / "checkpoints"])
    with pytest.raises(LogError, match="lost"):
        again.write()
    (aside,) = again.set_aside()
    assert (aside / "checkpoint").exists()
    again.write()
    assert verify(database=fresh.path, checkpoints=[room.path / "checkpoints"]).ok
    fresh.close()


def test_a_changed_backup_is_not_restored(room, tombstones):
    path = room.path / "backup.db"
    backup(room.store, room.log, path, actor="operator")
    broken = Store(path)
    broken.db.conn.execute("DROP TRIGGER audit_entries_no_update")
    broken.db.conn.execute("UPDATE audit_entries SET entry = '{}' WHERE n = 2")
    broken.truncate_wal()
    broken.close()
    before = room.log.size()
    with pytest.raises(LogError, match="entry 2 was changed"):
        bring_back(room, path, tombstones)
    assert room.log.size() == before


def rewrite_last(room, entry):
    """As somebody does who has the file in their hands: another text in the log, the stored hash as it was."""
    with room.store.transaction() as db:
        db.conn.execute("DROP TRIGGER audit_entries_no_update")
        db.conn.execute("UPDATE audit_entries SET entry = CAST(? AS TEXT) WHERE n = ?", (entry, room.log.size()))


def test_a_backup_that_the_key_does_not_open_is_refused_and_nothing_is_touched(room, room_maker, tombstones, tmp_path):
    (tmp_path / "other").mkdir()
    other = room_maker(tmp_path / "other")
    other.flag()
    backup(other.store, other.log, room.path / "backup.db", actor="operator")
    other.store.close()
    kept = room.flag()
    before = room.log.size()
    with pytest.raises(WrongKey, match=r"backup.db' is not restored.*--data-dir"):
        bring_back(room, room.path / "backup.db", tombstones)
    with pytest.raises(WrongKey, match="not restored"):
        set_damaged_aside(room.store.path, room.path / "backup.db", vault=room.vault)
    assert room.log.size() == before
    assert room.ledger.get(kept.id).claim == kept.claim
    assert not list(room.path.glob("*.damaged-*"))
    assert not list(room.path.glob(".errata.db.restoring*"))


def test_a_database_with_another_log_is_moved_aside_and_not_overwritten(room, tombstones):
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    other = Store(room.path / "other" / "errata.db")
    other.path.parent.mkdir()
    other.migrate()
    with other.transaction():
        Log(other).append("test", {"value": 1})
    done = bring_back(room, room.path / "backup.db", tombstones, into=other)
    assert done.lost_log
    assert Log(other).size() == done.backup_entries + 1
    other.close()
    aside = Store(done.set_aside)
    assert aside.path.parent == other.path.parent
    assert [entry.data["kind"] for entry in Log(aside).entries()] == ["test"]
    aside.close()


def test_a_database_that_is_only_locked_is_not_moved_aside(room, tombstones, monkeypatch):
    def locked(*_args):
        raise sqlite3.OperationalError("database is locked")

    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    monkeypatch.setattr("governance.backup._entries_after", locked)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        bring_back(room, room.path / "backup.db", tombstones)
    assert not list(room.path.glob("*.damaged-*"))


def test_a_change_in_the_log_is_not_hashed_anew(room, tombstones):
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    room.flag()
    rewrite_last(room, room.log.entry(room.log.size()).text.replace('"kind":"', '"kind":"x.'))
    done = bring_back(room, room.path / "backup.db", tombstones)
    assert (done.lost_log, done.kept_entries) == (True, 0)
    assert not verify(database=done.set_aside).ok
    assert verify(database=room.store.path).ok


def test_bytes_that_are_no_text_are_damage_and_not_a_lock(room, tombstones):
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    room.flag()
    rewrite_last(room, b"\xffA")
    assert verify(database=room.store.path).first_bad == room.log.size()
    with pytest.raises(sqlite3.DatabaseError) as caught:
        room.entries()
    assert is_damage(caught.value)
    assert not is_damage(sqlite3.OperationalError("database is locked"))
    done = bring_back(room, room.path / "backup.db", tombstones)
    assert (done.lost_log, done.set_aside.exists()) == (True, True)


def test_who_was_shut_out_after_the_backup_stays_out(room, tombstones):
    names = ("user", "other_user", "reviewer", "third_admin", "auditor")
    keys = {name: f"the-key-of-{name}-as-it-was" for name in names}
    for name, key in keys.items():
        room.accounts.reset(name, password="password", key=key)
    session = room.accounts.start_session(room.people["auditor"].id)
    room.accounts.disable("third_admin")
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    room.accounts.disable("user")
    room.accounts.reset("other_user")
    room.accounts.disable("reviewer")
    for name in ("reviewer", "third_admin"):
        room.accounts.reset(name)
    room.accounts.add("newcomer", Role.USER)
    room.accounts.disable("newcomer")
    done = bring_back(room, room.path / "backup.db", tombstones)
    assert (done.disabled, done.to_reset) == (("user",), ("other_user", "reviewer", "third_admin"))
    assert room.entries()[-1]["accounts_shut_out"] == 4
    for name in (*done.disabled, *done.to_reset):
        assert room.accounts.named(name).disabled
        assert room.accounts.by_key(keys[name]) is None
        assert room.accounts.sign_in(name, "password") is None
    assert room.accounts.by_session(session) is None
    assert room.accounts.by_key(keys["auditor"]) == room.people["auditor"]
    fresh = room.accounts.reset("other_user")
    assert room.accounts.by_key(fresh.key) is not None


def test_a_request_that_was_closed_after_the_backup_is_closed_again(room, tombstones):
    erasures = erasures_of(room, tombstones)
    early = erasures.file(room.admin, subject=Subject(("Ann Holm",), (), None))
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    carry_out(room, erasures, early)
    erasures.close(early.id, room.admin, told=True)
    bring_back(room, room.path / "backup.db", tombstones)
    again = erasures.get(early.id)
    assert (again.status, again.subject.names) == (Step.CLOSED, ())


def test_a_request_that_was_refused_after_the_backup_names_nobody_again(room, tombstones):
    erasures = erasures_of(room, tombstones)
    filed = erasures.file(room.admin, subject=Subject(("Ann Holm",), (), None))
    backup(room.store, room.log, room.path / "backup.db", actor="operator")
    erasures.refuse(filed.id, room.admin, reason="a claim in law", ground="gdpr-17-3-e")
    backup(room.store, room.log, room.path / "later.db", actor="operator")
    bring_back(room, room.path / "backup.db", tombstones)
    again = erasures.get(filed.id)
    assert (again.status, again.subject.names) == (Step.REFUSED, ())
    assert room.texts_of(filed.id) == []
    bring_back(room, room.path / "later.db", tombstones)
    assert erasures.get(filed.id).refusal == "a claim in law"
