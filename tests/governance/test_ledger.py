"""The ledger: who may do what to a correction, and that each act leaves exactly one entry."""

import threading
import time
from dataclasses import replace

import pytest

from governance.corrections import Category, Fallback, Remedy, Status
from governance.errors import (
    Forbidden,
    InvalidClaim,
    MoveNotAllowed,
    NotFound,
    TooMany,
    WeightsBarred,
)
from governance.ledger import Ledger
from governance.policy import DEFAULT, Policy
from governance.store import Store


def test_a_report_goes_all_the_way_to_live_and_back(room):
    live = room.live()
    assert live.status is Status.LIVE
    assert (live.weights_version_after, live.report) == ("v1", {"direct": 1.0})
    assert live.review_due > live.live_since
    assert room.versions.served().id == "v1"
    assert room.ledger.request_rollback(live.id, room.admin, reason="wrong after all").undo_requested
    assert room.ledger.get(live.id).status is Status.LIVE
    room.ledger.published(version_id="base", rolled_back=[live.id])
    back = room.ledger.get(live.id)
    assert (back.status, back.undo_requested) == (Status.ROLLED_BACK, False)
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
    "probe": (lambda room: room.editing(), lambda room, c: room.ledger.probe_failed([c.id], {"direct": 0.0})),
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
    with pytest.raises(Forbidden):
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


def test_an_appeal_opens_a_rejected_report_again_but_not_for_ever(room):
    correction = room.queued()
    for _ in range(2):
        room.ledger.reject(correction.id, room.admin, reason="no source")
        assert room.ledger.appeal(correction.id, room.user, reason="see page 3").status is Status.FLAGGED
        room.ledger.triaged(correction.id, Status.QUEUED, remedy=Remedy.WEIGHTS, reason="", evidence={})
    room.ledger.reject(correction.id, room.admin)
    with pytest.raises(Forbidden, match="decision stands"):
        room.ledger.appeal(correction.id, room.user)


def test_evidence_that_was_asked_for_sends_the_report_through_triage_again(room):
    correction = room.queued()
    room.ledger.ask_evidence(correction.id, room.reviewer, reason="which book?")
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


# -- intake -------------------------------------------------------------------------------------------------------


def test_the_same_idempotency_key_gives_the_same_report(room):
    first = room.flag(idempotency_key="k1")
    before = room.log.size()
    assert room.flag(idempotency_key="k1").id == first.id
    assert room.log.size() == before
    assert room.flag(room.people["other_user"], idempotency_key="k1").id != first.id
    with pytest.raises(InvalidClaim, match="used for another report"):
        room.flag(idempotency_key="k1", question="Who stole the Mona Lisa?")


def test_duplicates_and_contradictions_are_found(room):
    first = room.flag()
    same = room.flag(room.people["other_user"], question="who painted the  MONA LISA")
    other = room.flag(room.people["other_user"], correct_answer="Raphael")
    room.flag(question="Who stole the Mona Lisa?")
    related = room.ledger.related(first.id)
    assert (related.duplicates, related.conflicts) == ((same.id,), (other.id,))
    room.ledger.withdraw(same.id, room.people["other_user"])
    assert room.ledger.related(first.id).duplicates == ()


def test_a_duplicate_raises_the_priority_of_the_first_and_nothing_else(room):
    first, same = room.queued(), room.flag(room.people["other_user"])
    room.ledger.triaged(same.id, Status.CLOSED, remedy=None, reason="duplicate", evidence={}, duplicate_of=first.id)
    assert room.ledger.get(first.id).priority == first.priority + 1
    assert room.ledger.get(first.id).status is Status.QUEUED


@pytest.mark.parametrize("field", ["question", "answer", "correct_answer", "comment", "subject"])
@pytest.mark.parametrize("text", ["<|im_start|>system", "[INST]", "<start_of_turn>", "a\x00b", "x" * 100_000])
def test_control_tokens_and_huge_texts_are_refused_in_every_field(room, field, text):
    before = room.log.size()
    with pytest.raises(InvalidClaim) as caught:
        room.flag(**{field: text})
    assert caught.value.param == field
    assert room.log.size() == before


@pytest.mark.parametrize("field", ["question", "answer", "correct_answer"])
def test_empty_texts_are_refused(room, field):
    with pytest.raises(InvalidClaim, match="is empty"):
        room.flag(**{field: "  "})


def test_other_peoples_texts_are_checked_too(room):
    correction = room.queued()
    for act in (
        lambda: room.ledger.approve(correction.id, room.admin, reason="[INST]"),
        lambda: room.ledger.reject(correction.id, room.admin, reason="<|x|>"),
        lambda: room.ledger.revise(correction.id, room.admin, paraphrases=["</s>"]),
        lambda: room.ledger.revise(correction.id, room.admin, probes=["x"] * 65),
        lambda: room.ledger.add_evidence(correction.id, room.user, evidence=["<|x|>"]),
        lambda: room.ledger.revise(correction.id, room.admin),
        lambda: room.flag(evidence=["[INST]"]),
        lambda: room.flag(correct_answer="ARTEMISIA Gentileschi  painted it."),
    ):
        with pytest.raises(InvalidClaim):
            act()
    assert room.ledger.get(correction.id) == correction


def test_a_subject_that_is_not_in_the_question_is_refused(room):
    with pytest.raises(InvalidClaim, match="does not occur"):
        room.ledger.revise(room.queued().id, room.admin, subject="Eiffel Tower")


def with_limits(room, tmp_path, **limits):
    text = DEFAULT.read_text()
    for name, value in limits.items():
        line = next(line for line in text.splitlines() if line.startswith(name))
        text = text.replace(line, f"{name} = {value}")
    (tmp_path / "policy.toml").write_text(text)
    return Ledger(room.store, room.vault, room.log, Policy.load(tmp_path / "policy.toml"))


def test_one_person_is_limited_and_others_are_not(room, tmp_path):
    ledger = with_limits(room, tmp_path, reports_per_person_hour=2)
    claim = {"question": "Who painted it?", "answer": "A", "correct_answer": "B"}
    for _ in range(2):
        ledger.flag(room.user, **claim)
    with pytest.raises(TooMany) as caught:
        ledger.flag(room.user, **claim)
    assert caught.value.retry_after_s > 0
    ledger.flag(room.people["other_user"], **claim)


def test_one_subject_is_limited(room, tmp_path):
    ledger = with_limits(room, tmp_path, reports_per_subject_day=2)
    claim = {"question": "Who painted it?", "answer": "A", "correct_answer": "B", "subject": "Mona Lisa"}
    ledger.flag(room.user, **claim)
    ledger.flag(room.people["other_user"], **claim)
    with pytest.raises(TooMany, match="this subject"):
        ledger.flag(room.reviewer, **claim)
    ledger.flag(room.user, **(claim | {"subject": "The Scream"}))


def test_weight_edits_are_limited_per_day_and_subject(room, tmp_path):
    by_day = with_limits(room, tmp_path, weight_edits_per_day=1)
    by_subject = with_limits(room, tmp_path, weight_edits_per_subject=1)
    first, second = room.queued(), room.queued(room.people["other_user"])
    by_day.approve(first.id, room.admin)
    for ledger in (by_day, by_subject):
        with pytest.raises(TooMany):
            ledger.approve(second.id, room.admin)
    by_day.reroute(second.id, room.admin, remedy=Remedy.KNOWLEDGE)
    assert by_day.approve(second.id, room.admin).status is Status.APPROVED


@pytest.mark.parametrize(
    ("flags", "reason"),
    [({"volatile": True}, "changes with time"), ({"personal_data": True}, "personal data")],
)
def test_what_is_barred_from_weights_becomes_knowledge_and_cannot_be_rerouted_back(room, flags, reason):
    flagged = room.flag()
    queued = room.ledger.triaged(
        flagged.id, Status.QUEUED, remedy=Remedy.WEIGHTS, reason="persistent", evidence={}, **flags
    )
    assert queued.remedy is Remedy.KNOWLEDGE
    assert reason in queued.reason
    with pytest.raises(WeightsBarred, match=reason):
        room.ledger.reroute(queued.id, room.admin, remedy=Remedy.WEIGHTS)


def test_a_personal_correction_is_never_edited_into_weights(room):
    queued = room.queued(category=Category.PERSONAL)
    assert (queued.remedy, queued.approvals_needed) == (Remedy.KNOWLEDGE, 2)


def test_alarms_are_raised_by_bursts_and_hasty_approvals(room):
    assert room.ledger.alarms() == ()
    correction = room.queued()
    room.ledger.approve(correction.id, room.admin)
    (hasty,) = room.ledger.alarms()
    assert (hasty.kind, hasty.correction_id) == ("fast_approval", correction.id)
    room.ledger.see_alarm(hasty.id, room.admin)
    for _ in range(8):
        room.flag(subject="The Scream")
    assert [alarm.kind for alarm in room.ledger.alarms()] == ["burst"]


# -- what processes do ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fallback", "status"), [(Fallback.KNOWLEDGE, Status.IN_KNOWLEDGE), (Fallback.NONE, Status.FAILED)]
)
def test_a_refused_edit_goes_where_its_approver_said(room, fallback, status):
    queued = room.queued()
    room.ledger.approve(queued.id, room.admin, fallback=fallback)
    room.ledger.start_editing([queued.id])
    done = room.ledger.gate_failed(queued.id, {"direct": 0.2})
    assert (done.status, done.report) == (status, {"direct": 0.2})
    assert room.entries()[-1]["report"] == done.report_sha256


def test_a_failed_probe_gives_one_more_try(room):
    correction = room.editing()
    room.ledger.probe_failed([correction.id], {"direct": 0.0})
    assert room.ledger.get(correction.id).status is Status.APPROVED
    room.ledger.start_editing([correction.id])
    room.ledger.probe_failed([correction.id], {"direct": 0.0})
    assert room.ledger.get(correction.id).status is Status.IN_KNOWLEDGE


def test_an_interrupted_edit_starts_again_unless_its_version_was_built(room):
    interrupted, built = room.editing(), room.editing(question="Who painted The Scream?")
    room.build("v1", built.id)
    assert room.ledger.requeue_interrupted() == (interrupted.id,)
    assert room.ledger.get(built.id).status is Status.EDITING


def test_an_edit_that_keeps_crashing_the_worker_is_set_aside(room):
    correction = room.approved()
    for _ in range(5):
        room.ledger.start_editing([correction.id])
        room.ledger.requeue_interrupted()
    done = room.ledger.get(correction.id)
    assert (done.status, done.crashes) == (Status.IN_KNOWLEDGE, 5)


def test_cards_answer_from_approval_until_the_edit_is_served(room):
    def cards():
        return [card.id for card in room.ledger.cards()]

    assert cards() == []
    correction = room.editing()
    assert cards() == [correction.id]
    room.build("v1", correction.id)
    room.ledger.published(version_id="v1", live=[correction.id])
    assert cards() == []
    # After a rebase nothing is served yet, so the card answers again.
    room.versions.rebase("other" * 12, actor="setup")
    assert cards() == [correction.id]


def test_a_new_correction_supersedes_an_old_one(room):
    old = room.live("v1")
    new = room.editing(correct_answer="Leonardo da Vinci, about 1503")
    room.build("v2", new.id)
    room.ledger.published(version_id="v2", live=[new.id], superseded={old.id: new.id})
    assert room.ledger.get(old.id).superseded_by == new.id


def test_publishing_is_all_or_nothing(room):
    good, bad = room.editing(), room.queued(question="Who painted The Scream?")
    room.build("v1", good.id)
    before = room.log.size()
    with pytest.raises(MoveNotAllowed):
        room.ledger.published(version_id="v1", live=[good.id, bad.id])
    assert room.ledger.get(good.id).status is Status.EDITING
    assert room.versions.served() is None
    assert room.log.size() == before


def test_a_reporter_is_told_once_per_outcome(room):
    live = room.live()
    assert [correction.id for correction in room.ledger.untold()] == [live.id]
    room.ledger.mark_told([live.id])
    assert room.ledger.untold() == ()
    room.ledger.published(version_id="base", rolled_back=[live.id])
    assert [correction.id for correction in room.ledger.untold()] == [live.id]


def test_a_live_fact_is_due_for_review_in_time(room):
    live = room.live()
    assert room.ledger.due_for_review() == ()
    with room.store.transaction():
        room.store.write("UPDATE corrections SET review_due = '2020-01-01T00:00:00.000000Z'")
    assert [correction.id for correction in room.ledger.due_for_review()] == [live.id]
    room.ledger.reviewed(live.id, actor=room.admin)
    assert room.ledger.due_for_review() == ()


# -- lists --------------------------------------------------------------------------------------------------------


def test_pages_hold_every_report_once_newest_first(room):
    ids = [room.flag(question=f"Who painted picture {number}?").id for number in range(7)]
    found, cursor = [], None
    while True:
        page, cursor = room.ledger.list(limit=3, cursor=cursor)
        found += [correction.id for correction in page]
        if cursor is None:
            break
    assert found == ids[::-1]


def test_lists_filter_and_search(room):
    mine, theirs = room.flag(), room.queued(room.people["other_user"], question="Who painted The Scream?")
    assert [c.id for c in room.ledger.list(reporter_id=room.user.id)[0]] == [mine.id]
    assert [c.id for c in room.ledger.list(Status.QUEUED)[0]] == [theirs.id]
    assert [c.id for c in room.ledger.list(Status.QUEUED, reporter_id=room.user.id)[0]] == []
    assert [c.id for c in room.ledger.list(search="scream")[0]] == [theirs.id]
    assert room.ledger.counts()["queued"] == 1
    assert [c.id for c in room.ledger.in_status(Status.QUEUED, Status.FLAGGED)] == [mine.id, theirs.id]


def test_a_made_up_cursor_is_refused(room):
    with pytest.raises(InvalidClaim, match="cursor"):
        room.ledger.list(cursor="nonsense")


def test_unknown_ids_are_not_found(room):
    for act in (room.ledger.get, room.ledger.related):
        with pytest.raises(NotFound):
            act("cor_unknown")
    with pytest.raises(NotFound):
        room.ledger.approve("cor_unknown", room.admin)


def test_a_page_of_ten_thousand_reports_is_quick(room):
    first = room.queued()
    with room.store.transaction():
        columns = [row["name"] for row in room.store.rows("SELECT name FROM pragma_table_info('corrections')")]
        rest = ", ".join(column for column in columns if column not in ("id", "created", "idempotency_hash"))
        room.store.write(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
            f" INSERT INTO corrections (id, created, {rest}) SELECT 'cor_' || i,"
            f" printf('2026-01-%02dT%05d', 1 + i % 28, i) || 'Z', {rest} FROM n, corrections WHERE id = :id",
            id=first.id,
        )
        room.store.write("UPDATE corrections SET created = '2026-01-01T00:00:00.000000Z' WHERE id <> :id", id=first.id)
    start = time.perf_counter()
    page, cursor = room.ledger.list(Status.QUEUED, limit=50)
    elapsed = time.perf_counter() - start
    assert (len(page), cursor is not None) == (50, True)
    assert elapsed < 0.2
