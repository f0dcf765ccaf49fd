"""Erasing whoever has an account: it is found, it goes with everything of its owner, or it is kept as decided."""

import pytest
from tests_support_requests import ANN, FEW, chat, ready

from governance.accounts import Role
from governance.backup import backup, restore
from governance.corrections import Remedy, Status
from governance.errors import Erased, Forbidden, NotFound
from governance.requests import Occurrence, Place, Questions, Step, Subject
from governance.tombstones import Tombstones
from governance.tools import Tools


def bring_back(room):
    stones = Tombstones(room.path / "erased.jsonl")
    given = {"vault": room.vault, "tombstones": stones, "ledger": room.ledger}
    restore(room.store, room.path / "backup.db", **given, actor="opr_1")


@pytest.mark.parametrize("name", ["alice.smith", "Alice Smith", "ALICE"])
def test_an_account_is_found_by_its_login_name(room, erasures, name):
    alice = room.accounts.add("alice.smith", Role.ADMIN, password="password").account
    room.accounts.add("malice", Role.USER, password="password")
    mine = chat(room, alice, "Who painted the Mona Lisa?")
    filed = erasures.file(room.admin, subject=Subject(names=(name,)))
    erasures.verify_identity(filed.id, room.admin, how="passport seen")
    found = erasures.find(filed.id, room.admin, tools=Tools())
    assert found.occurrences == (Occurrence(Place.TEXT, alice.id),)
    erasures.decide(filed.id, room.admin, questions=FEW, reason="it is her account")
    with pytest.raises(Forbidden, match="concerns you"):
        erasures.approve(filed.id, alice)
    erasures.approve(filed.id, room.admin)
    done = erasures.execute(filed.id, room.admin, tools=Tools())
    assert done.residual["texts_left"] == 0
    assert room.accounts.get(alice.id).name.startswith("erased_")
    assert room.answers.texts(room.answers.get(mine.id)) == ("", "")
    assert room.accounts.named("malice")


def test_nobody_handles_a_request_about_themselves(room, erasures):
    filed = erasures.file(room.admin, subject=Subject(("Ann Zebra-Lee",), account_id=room.admin.id))
    acts = (
        lambda who: erasures.verify_identity(filed.id, who, how="known"),
        lambda who: erasures.find(filed.id, who, tools=Tools()),
        lambda who: erasures.decide(filed.id, who, questions=FEW, reason="asked for", keep=[room.admin.id]),
        lambda who: erasures.approve(filed.id, who),
        lambda who: erasures.order_execution(filed.id, who),
        lambda who: erasures.execute(filed.id, who, tools=Tools()),
        lambda who: erasures.close(filed.id, who, told=True),
    )
    with pytest.raises(Forbidden, match="concerns you"):
        erasures.refuse(filed.id, room.admin, reason="no", ground="gdpr-12-5")
    for act in acts:
        before = (erasures.get(filed.id), room.log.size())
        with pytest.raises(Forbidden, match="concerns you"):
            act(room.admin)
        assert (erasures.get(filed.id), room.log.size()) == before
        act(room.second_admin)


def test_a_person_with_an_account_is_erased_and_others_are_not(room, erasures):
    mine = chat(room, room.user, "I am Ann Zebra-Lee, who are you?")
    theirs = chat(room, room.people["other_user"], "Who painted the Mona Lisa?")
    open_report = room.flag()
    in_force = room.live("v1", question="Who painted the Mona Lisa then?")
    request = ready(room, erasures, Subject(names=ANN.names, account_id=room.user.id))
    done = erasures.execute(request.id, room.second_admin, tools=Tools())
    assert done.status is Step.VERIFIED
    assert done.residual["texts_left"] == 0
    assert room.answers.texts(room.answers.get(mine.id)) == ("", "")
    assert room.answers.conversations(room.user.id) == ([], None)
    assert room.answers.texts(room.answers.get(theirs.id))[0] == "Who painted the Mona Lisa?"
    forgotten = room.ledger.get(open_report.id)
    assert (forgotten.status, forgotten.erased) == (Status.CLOSED, True)
    adopted = room.ledger.get(in_force.id)
    assert (adopted.status, adopted.claim.correct_answer) == (Status.LIVE, "Leonardo da Vinci")
    assert (adopted.claim.answer_old, adopted.comment) == ("", "")
    with pytest.raises(NotFound):
        room.accounts.named("user")
    with pytest.raises(Erased):
        room.vault.put(room.user.id, "question", "again")


def test_a_user_of_the_operating_system_is_found_by_name_and_forgotten_also_after_a_restore(room, erasures):
    pseudonym, other = room.accounts.operator("ann.zebra"), room.accounts.operator("root")
    backup(room.store, room.log, room.path / "backup.db", actor=pseudonym)
    request = ready(room, erasures, Subject(names=("Ann Zebra",)))
    assert request.occurrences == (Occurrence(Place.TEXT, pseudonym),)
    assert erasures.execute(request.id, room.admin, tools=Tools()).residual["texts_left"] == 0
    tombstones = Tombstones(room.path / "erased.jsonl")
    for _ in range(2):
        names = {row["name"] for row in room.store.rows("SELECT name FROM operators")}
        assert names == {"root", f"erased_{pseudonym}"}
        given = {"vault": room.vault, "tombstones": tombstones, "ledger": room.ledger}
        restore(room.store, room.path / "backup.db", **given, actor=other)
    assert room.accounts.operator("root") == other


def test_an_account_that_is_kept_is_not_touched(room, erasures):
    mine = chat(room, room.user, "Who painted the Mona Lisa?")
    filed = erasures.file(room.admin, subject=Subject(ANN.names, account_id=room.user.id))
    erasures.verify_identity(filed.id, room.admin, how="passport seen")
    erasures.find(filed.id, room.admin, tools=Tools())
    erasures.decide(filed.id, room.admin, questions=FEW, reason="a contract needs it", keep=[room.user.id])
    erasures.approve(filed.id, room.admin)
    done = erasures.execute(filed.id, room.admin, tools=Tools())
    assert room.accounts.named("user") == room.user
    assert room.answers.texts(room.answers.get(mine.id))[0] == "Who painted the Mona Lisa?"
    assert done.residual["texts_left"] == 1


def test_what_is_put_right_closes_no_account(room, erasures):
    about = room.queued(room.people["other_user"], question="Who is Ann Zebra-Lee?", correct_answer="A dentist")
    right = Questions(correct=True, many=False)
    request = ready(room, erasures, Subject(ANN.names, account_id=room.user.id), questions=right)
    erasures.execute(request.id, room.admin, tools=Tools())
    assert room.ledger.get(about.id).erased
    assert room.accounts.named("user") == room.user


def test_versions_with_a_forgotten_edit_of_an_erased_account_are_purged(room, erasures):
    old = room.live("v1")
    new = room.editing(reporter=room.people["other_user"], correct_answer="Leonardo da Vinci, about 1503")
    room.build("v2", new.id)
    room.versions.desire("v2", actor="worker")
    room.ledger.published(version_id="v2", live=[new.id], superseded={old.id: new.id})
    discarded = []
    request = ready(room, erasures, Subject((), account_id=room.user.id))
    erasures.execute(request.id, room.admin, tools=Tools(discard=discarded.append))
    assert room.ledger.get(old.id).erased
    assert discarded == ["v1"]
    assert room.versions.get("v1").purged


def test_what_the_decider_keeps_outlives_the_account_also_after_a_restore(room, erasures):
    mine = chat(room, room.user, "I am Ann Zebra-Lee: where is my order?")
    report = room.flag(question="Who is Ann Zebra-Lee?", comment="a word of Ann Zebra-Lee")
    room.ledger.reject(report.id, room.admin, reason="no source")
    filed = erasures.file(room.admin, subject=Subject(ANN.names, account_id=room.user.id))
    erasures.verify_identity(filed.id, room.admin, how="passport seen")
    erasures.find(filed.id, room.admin, tools=Tools())
    keep = [mine.question_text_id, report.id]
    erasures.decide(filed.id, room.admin, questions=FEW, reason="the law wants them kept", keep=keep)
    erasures.approve(filed.id, room.admin)
    backup(room.store, room.log, room.path / "backup.db", actor="opr_1")
    erasures.execute(filed.id, room.admin, tools=Tools())
    for _ in range(2):
        assert room.answers.texts(room.answers.get(mine.id)) == ("I am Ann Zebra-Lee: where is my order?", "")
        kept = room.ledger.get(report.id)
        assert (kept.claim, kept.comment) == (report.claim, "a word of Ann Zebra-Lee")
        assert (kept.status, kept.moves[-1].reason) == (Status.REJECTED, "no source")
        assert kept.claim_commitment == report.claim_commitment
        assert room.texts_of(room.user.id) == []
        bring_back(room)


def test_a_report_of_somebody_else_is_kept_after_a_restore_until_they_are_erased_themselves(room, erasures):
    asked = chat(room, room.user, "Ann Zebra-Lee asks: who painted the Mona Lisa?")
    given = {"answer_id": asked.id, "comment": "a note on Ann Zebra-Lee", "evidence": ["a book"]}
    report = room.ledger.flag(room.reviewer, correct_answer="Leonardo da Vinci", **given)
    room.ledger.triaged(report.id, remedy=Remedy.KNOWLEDGE, reason="r", evidence={})
    before = room.ledger.approve(report.id, room.admin)
    backup(room.store, room.log, room.path / "backup.db", actor="opr_1")

    def erase(account, *names, **decided):
        filed = erasures.file(room.admin, subject=Subject(names, account_id=account.id))
        erasures.verify_identity(filed.id, room.admin, how="passport seen")
        erasures.find(filed.id, room.admin, tools=Tools())
        erasures.decide(filed.id, room.admin, questions=FEW, reason="r", **decided)
        erasures.approve(filed.id, room.admin)
        erasures.execute(filed.id, room.admin, tools=Tools())

    def restored():
        bring_back(room)
        return room.ledger.get(report.id)

    erase(room.user, *ANN.names, keep=[report.id])
    for kept in (room.ledger.get(report.id), restored()):
        assert (kept.claim, kept.comment, kept.evidence) == (before.claim, before.comment, ("a book",))
    erase(room.reviewer)
    for adopted in (room.ledger.get(report.id), restored()):
        assert adopted.claim.correct_answer == "Leonardo da Vinci"
        assert (adopted.claim.answer_old, adopted.comment) == ("", "")


def test_what_a_person_asked_goes_from_the_reports_of_others_on_it_too(room, erasures):
    asked = chat(room, room.user, "My father has syphilis, who painted the Mona Lisa?")
    given = {"answer_id": asked.id, "correct_answer": "Leonardo da Vinci"}
    report = room.ledger.flag(room.reviewer, **given)
    standing = room.ledger.flag(room.reviewer, question="Who painted the Mona Lisa?", **given)
    room.ledger.triaged(standing.id, remedy=Remedy.KNOWLEDGE, reason="r", evidence={})
    room.ledger.approve(standing.id, room.admin)
    backup(room.store, room.log, room.path / "backup.db", actor="opr_1")
    request = ready(room, erasures, Subject((), account_id=room.user.id))
    erasures.execute(request.id, room.admin, tools=Tools())
    for _ in range(2):
        assert not any("syphilis" in text for *_, text in room.vault.scan())
        forgotten, adopted = room.ledger.get(report.id), room.ledger.get(standing.id)
        assert (forgotten.status, forgotten.erased) == (Status.CLOSED, True)
        assert (adopted.status, adopted.claim.question) == (Status.APPROVED, "Who painted the Mona Lisa?")
        bring_back(room)


def test_a_fact_that_outlives_its_reporter_keeps_its_dates_and_what_others_said_of_it(room):
    flagged = room.flag(valid_from="2026-01-01", valid_until="2027-01-01", language="en", comment="mine")
    freshness = {"horizon": "days"}
    room.ledger.triaged(
        flagged.id,
        remedy=Remedy.KNOWLEDGE,
        reason="it changes",
        evidence={"freshness": freshness, "wrong": "said so"},
    )
    room.ledger.approve(flagged.id, room.admin, reason="seen in the register")
    before = room.ledger.get(flagged.id)
    room.ledger.adopt(flagged.id, actor=room.admin)
    room.vault.erase_person(room.user.id)
    after = room.ledger.get(flagged.id)
    assert (after.claim.valid_from, after.claim.valid_until, after.claim.language) == ("2026-01-01", "2027-01-01", "en")
    assert after.triage == {"freshness": freshness}
    assert [move.reason for move in after.moves] == ["", "", "seen in the register"]
    assert after.approvals == before.approvals
    commitment = room.vault.commitment(
        room.store.value("SELECT reason_text_id FROM moves WHERE correction_id = :id AND ordinal = 3", id=flagged.id)
    )
    assert room.entries()[after.moves[-1].entry - 1]["reason"] == commitment


@pytest.mark.parametrize(("reporter", "reasons"), [("user", ["wrong after all"]), ("admin", [])])
def test_the_reason_of_an_undo_that_waits_is_kept_unless_the_reporter_gave_it(room, reporter, reasons):
    who = room.people[reporter]
    live = room.ledger.flag(who, question="Who is it?", answer="Ann", correct_answer="Bob")
    room.ledger.triaged(live.id, remedy=Remedy.WEIGHTS, reason="r", evidence={})
    room.ledger.approve(live.id, room.second_admin)
    room.ledger.start_editing([live.id])
    room.build("v1", live.id)
    room.versions.desire("v1", actor="worker")
    room.ledger.published(version_id="v1", live=[live.id])
    room.ledger.request_rollback(live.id, room.admin, reason="wrong after all")
    room.ledger.adopt(live.id, actor=room.second_admin)
    room.vault.erase_person(who.id)
    assert [text for _, owner, kind, text in room.vault.scan() if (owner, kind) == (live.id, "reason")] == reasons
    room.ledger.published(version_id="base", rolled_back=[live.id])
    assert room.ledger.get(live.id).moves[-1].reason == "".join(reasons)
