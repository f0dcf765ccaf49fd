"""The ledger: who may do what to a correction, and that each act leaves exactly one entry."""

import threading
from dataclasses import replace

import pytest

from governance.corrections import Remedy, Status
from governance.errors import (
    Forbidden,
    MoveNotAllowed,
    NotFound,
)
from governance.ledger import Ledger
from governance.policy import Policy
from governance.store import Store


def test_a_report_goes_all_the_way_to_live_and_back(room):
    live = room.live()
    assert live.status is Status.LIVE
    assert (live.weights_version_after, live.report["passes"]) == ("v1", True)
    assert live.review_due > live.live_since
    assert room.versions.served().id == "v1"
    assert room.ledger.request_rollback(live.id, room.admin, reason="wrong after all").undo_requested
    assert room.ledger.get(live.id).status is Status.LIVE
    room.ledger.published(version_id="base", rolled_back=[live.id])
    back = room.ledger.get(live.id)
    assert (back.status, back.undo_requested) == (Status.ROLLED_BACK, False)
    assert back.moves[-1].reason == "wrong after all"
    assert [move.to_status for move in back.moves] == [
        Status.FLAGGED,
        Status.QUEUED,
        Status.APPROVED,
        Status.EDITING,
        Status.LIVE,
        Status.ROLLED_BACK,
    ]


def test_a_restored_version_brings_its_edit_back(room):
    live = room.live()
    room.ledger.published(version_id="base", rolled_back=[live.id])
    room.ledger.published(version_id="v1", relived=[live.id])
    assert room.ledger.get(live.id).status is Status.LIVE


def test_knowledge_is_rolled_back_at_once(room):
    correction = room.approved(remedy=Remedy.KNOWLEDGE)
    room.ledger.to_knowledge(correction.id)
    assert room.ledger.request_rollback(correction.id, room.admin).status is Status.ROLLED_BACK


def test_a_report_on_a_recorded_answer_takes_question_and_text_from_it(room):
    answer = room.answers.record(
        account_id=room.user.id,
        question="Who painted it?",
        answer="<|im_start|> Artemisia",  # what the model wrote is not checked
        route="model",
        reason="",
        weights_version="base",
        index_generation=4,
    )
    flagged = room.ledger.flag(room.user, answer_id=answer.id, correct_answer="Leonardo")
    assert flagged.claim.question == "Who painted it?"
    assert (flagged.weights_version_at_report, flagged.index_generation) == ("base", 4)
    assert room.entries()[-1]["answer_id"] == answer.id
    with pytest.raises(NotFound):
        room.ledger.flag(room.people["other_user"], answer_id=answer.id, correct_answer="Leonardo")


# -- one act, one entry -------------------------------------------------------------------------------------------

ACTS = {
    "flag": (lambda room: None, lambda room, _: room.flag()),
    "revise": (lambda room: room.queued(), lambda room, c: room.ledger.revise(c.id, room.admin, subject="Mona Lisa")),
    "approve": (lambda room: room.queued(), lambda room, c: room.ledger.approve(c.id, room.admin)),
    "reject": (lambda room: room.queued(), lambda room, c: room.ledger.reject(c.id, room.reviewer, reason="no")),
    "reroute": (
        lambda room: room.queued(),
        lambda room, c: room.ledger.reroute(c.id, room.reviewer, remedy=Remedy.KNOWLEDGE),
    ),
    "ask": (lambda room: room.queued(), lambda room, c: room.ledger.ask_evidence(c.id, room.reviewer)),
    "withdraw": (lambda room: room.queued(), lambda room, c: room.ledger.withdraw(c.id, room.user)),
    "edit": (lambda room: room.approved(), lambda room, c: room.ledger.start_editing([c.id])),
    "gate": (lambda room: room.editing(), lambda room, c: room.ledger.gate_failed(c.id, {"direct": 0.0})),
    "probe": (lambda room: room.editing(), lambda room, c: room.ledger.probe_failed(c.id, {"direct": 0.0})),
    "undo": (lambda room: room.live(), lambda room, c: room.ledger.request_rollback(c.id, room.admin)),
    "knowledge": (lambda room: room.approved(), lambda room, c: room.ledger.to_knowledge(c.id)),
    "crash": (lambda room: room.editing(), lambda room, c: room.ledger.requeue_interrupted()),
}


@pytest.mark.parametrize("act", ACTS)
def test_each_act_writes_exactly_one_entry(room, act):
    prepare, do = ACTS[act]
    correction = prepare(room)
    before = room.log.size()
    do(room, correction)
    assert room.log.size() == before + 1


@pytest.mark.parametrize("act", ACTS)
def test_an_act_that_dies_in_the_middle_leaves_neither_change_nor_entry(room, act, monkeypatch):
    prepare, do = ACTS[act]
    correction = prepare(room)
    before = room.log.size(), room.ledger.counts(), correction and room.ledger.get(correction.id)
    write, calls = Store.write, []

    def dying(self, sql, **params):
        done = write(self, sql, **params)
        calls.append(sql)
        if sql.lstrip().startswith(("UPDATE corrections", "INSERT INTO moves")):
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(Store, "write", dying)
    with pytest.raises(KeyboardInterrupt):
        do(room, correction)
    monkeypatch.undo()
    assert (room.log.size(), room.ledger.counts(), correction and room.ledger.get(correction.id)) == before
    do(room, correction)
    assert room.log.size() == before[0] + 1


def test_a_move_and_its_entry_say_the_same(room):
    correction = room.approved()
    last = correction.moves[-1]
    entry = room.entries()[last.entry - 1]
    assert (entry["from"], entry["to"], entry["actor"], entry["role"]) == (
        "queued",
        "approved",
        room.admin.pseudonym,
        "admin",
    )
    assert entry["claim"] == correction.claim_commitment
    assert last.reason == "checked"


def test_no_text_and_no_name_gets_into_the_log(room):
    room.live(
        question="Who is zebraquestion?",
        answer="zebraanswer",
        correct_answer="zebracorrect",
        comment="zebracomment",
        evidence=["https://zebra.example"],
    )
    log = "".join(entry.text for entry in room.log.entries())
    assert "zebra" not in log
    for account in room.people.values():
        assert account.name not in [value for entry in room.entries() for value in entry.values()] or account.name in (
            "admin",  # also the name of a role
            "user",
            "auditor",
            "reviewer",
        )
        assert account.id not in log


# -- people -------------------------------------------------------------------------------------------------------

FORBIDDEN = [
    ("auditor", lambda room, c, who: room.flag(who)),
    ("user", lambda room, c, who: room.ledger.approve(c.id, who)),
    ("reviewer", lambda room, c, who: room.ledger.approve(c.id, who)),
    ("auditor", lambda room, c, who: room.ledger.approve(c.id, who)),
    ("user", lambda room, c, who: room.ledger.reject(c.id, who)),
    ("auditor", lambda room, c, who: room.ledger.reject(c.id, who)),
    ("user", lambda room, c, who: room.ledger.reroute(c.id, who, remedy=Remedy.KNOWLEDGE)),
    ("user", lambda room, c, who: room.ledger.ask_evidence(c.id, who)),
    ("user", lambda room, c, who: room.ledger.revise(c.id, who, subject="Mona Lisa")),
    ("auditor", lambda room, c, who: room.ledger.revise(c.id, who, subject="Mona Lisa")),
    ("reviewer", lambda room, c, who: room.ledger.request_rollback(c.id, who)),
    ("user", lambda room, c, who: room.ledger.requeue(c.id, who)),
]


@pytest.mark.parametrize(("who", "act"), FORBIDDEN)
def test_what_roles_may_not_do(room, who, act):
    correction = room.queued()
    with pytest.raises(Forbidden, match=f"^{'an' if who == 'auditor' else 'a'} {who} "):
        act(room, correction, room.people[who])
    assert room.ledger.get(correction.id) == correction


@pytest.mark.parametrize("who", ["other_user", "auditor"])
def test_another_persons_report_does_not_exist_for_them(room, who):
    correction = room.queued()
    for act in (room.ledger.withdraw, room.ledger.appeal):
        with pytest.raises(NotFound):
            act(correction.id, room.people[who])
    with pytest.raises(NotFound):
        room.ledger.add_evidence(correction.id, room.people[who], evidence=["x"])


def test_the_reporter_does_not_approve(room):
    correction = room.queued(room.admin)
    with pytest.raises(Forbidden, match="you reported"):
        room.ledger.approve(correction.id, room.admin)
    assert room.ledger.approve(correction.id, room.second_admin).status is Status.APPROVED


def test_a_strict_policy_bars_who_rewrote_the_answer_from_approving_it(room):
    strict = replace(Policy.load(), editor_may_approve=False)
    ledger = Ledger(room.store, room.vault, room.log, strict)
    correction = room.queued()
    ledger.revise(correction.id, room.admin, correct_answer="Leonardo")
    with pytest.raises(Forbidden, match="you rewrote"):
        ledger.approve(correction.id, room.admin)
    assert ledger.approve(correction.id, room.second_admin).status is Status.APPROVED


def test_who_set_only_the_subject_may_approve(room):
    correction = room.queued()
    room.ledger.revise(correction.id, room.admin, subject="Mona Lisa", canonical_question="Who painted the Mona Lisa?")
    assert room.ledger.approve(correction.id, room.admin).status is Status.APPROVED


def test_a_risky_claim_needs_two_people(room):
    correction = room.queued(question="What is the dose of paracetamol?", subject="paracetamol")
    assert (correction.risk_tier, correction.approvals_needed) == ("high", 2)
    once = room.ledger.approve(correction.id, room.admin, reason="first")
    assert (once.status, len(once.approvals)) == (Status.QUEUED, 1)
    with pytest.raises(Forbidden, match="already"):
        room.ledger.approve(correction.id, room.admin)
    twice = room.ledger.approve(correction.id, room.second_admin)
    assert twice.status is Status.APPROVED
    assert [approval.reason for approval in twice.approvals] == ["first", ""]


@pytest.mark.parametrize(
    "change",
    [
        lambda room, c: room.ledger.revise(c.id, room.reviewer, correct_answer="3 g"),
        lambda room, c: room.ledger.reroute(c.id, room.reviewer, remedy=Remedy.KNOWLEDGE),
    ],
)
def test_approvals_lapse_when_what_was_approved_changes(room, change):
    correction = room.queued(question="What is the dose of paracetamol?")
    room.ledger.approve(correction.id, room.admin)
    change(room, correction)
    assert room.ledger.get(correction.id).approvals == ()
    assert room.ledger.approve(correction.id, room.admin).status is Status.QUEUED


@pytest.mark.parametrize(
    "act",
    [
        lambda room, c, **seen: room.ledger.approve(c.id, room.admin, **seen),
        lambda room, c, **seen: room.ledger.revise(c.id, room.admin, correct_answer="2 g", **seen),
        lambda room, c, **seen: room.ledger.reroute(c.id, room.admin, remedy=Remedy.WEIGHTS, **seen),
    ],
)
def test_nobody_decides_on_words_that_have_changed_since_they_read_them(room, act):
    read = room.queued()
    room.ledger.revise(read.id, room.reviewer, correct_answer="3 g")
    before, now = room.log.size(), room.ledger.get(read.id)
    with pytest.raises(MoveNotAllowed, match="has changed since"):
        act(room, read, read_round=read.round)
    assert (room.log.size(), room.ledger.get(read.id)) == (before, now)
    act(room, read, read_round=now.round)


def test_an_appeal_opens_a_rejected_report_again_but_not_for_ever(room):
    correction = room.queued(question="What is the dose of paracetamol?")
    for _ in range(2):
        room.ledger.approve(correction.id, room.admin)
        room.ledger.reject(correction.id, room.admin, reason="no source")
        appealed = room.ledger.appeal(correction.id, room.user, reason="see page 3")
        assert (appealed.status, appealed.approvals) == (Status.FLAGGED, ())
        room.ledger.triaged(correction.id, remedy=Remedy.WEIGHTS, reason="", evidence={})
    room.ledger.reject(correction.id, room.admin)
    with pytest.raises(Forbidden, match="decision stands"):
        room.ledger.appeal(correction.id, room.user)


def test_evidence_that_was_asked_for_sends_the_report_through_triage_again(room):
    correction = room.queued(question="What is the dose of paracetamol?")
    room.ledger.approve(correction.id, room.admin)
    assert room.ledger.ask_evidence(correction.id, room.reviewer, reason="which book?").approvals == ()
    again = room.ledger.add_evidence(correction.id, room.user, evidence=["https://louvre.example"])
    assert (again.status, again.evidence) == (Status.FLAGGED, ("https://louvre.example",))


# -- two at once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_admins_at_once_one_wins_and_the_other_is_told(room, attempt):
    correction = room.queued()
    barrier, results = threading.Barrier(2), {}

    def act(name, deed):
        barrier.wait()
        try:
            results[name] = deed()
        except MoveNotAllowed as error:
            results[name] = error

    before = room.log.size()
    threads = [
        threading.Thread(target=act, args=("approve", lambda: room.ledger.approve(correction.id, room.admin))),
        threading.Thread(target=act, args=("reject", lambda: room.ledger.reject(correction.id, room.second_admin))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [name for name, result in results.items() if isinstance(result, MoveNotAllowed)]
    assert len(refused) == 1
    assert room.log.size() == before + 1
    expected = Status.REJECTED if refused == ["approve"] else Status.APPROVED
    assert room.ledger.get(correction.id).status is expected


def test_many_threads_write_without_losing_an_entry(room):
    before = room.log.size()
    errors = []

    def report(number):
        try:
            for turn in range(5):
                room.flag(question=f"Who painted picture {number} {turn}?")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=report, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert room.log.size() == before + 40
    assert [entry["n"] for entry in room.entries()] == list(range(1, before + 41))


# -- lists --------------------------------------------------------------------------------------------------------


def test_unknown_ids_are_not_found(room):
    for act in (room.ledger.get, room.ledger.related):
        with pytest.raises(NotFound):
            act("cor_unknown")
    with pytest.raises(NotFound):
        room.ledger.approve("cor_unknown", room.admin)
