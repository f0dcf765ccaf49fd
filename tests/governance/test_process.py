"""What triage, worker and publisher write into the ledger."""

import pytest

from governance.audit import digest
from governance.claims import MAX_COMMENT
from governance.corrections import Fallback, Remedy, Status
from governance.errors import Forbidden, InvalidClaim, MoveNotAllowed
from governance.requests import Subject
from governance.traces import Traces


def test_what_triage_found_on_another_claim_is_refused(room):
    flagged = room.flag()
    room.ledger.revise(flagged.id, room.reviewer, canonical_question="Whose work is the Mona Lisa?")
    revised = room.ledger.get(flagged.id)
    found = {"remedy": Remedy.KNOWLEDGE, "reason": "r", "evidence": {}, "canonical_question": flagged.claim.question}
    with pytest.raises(MoveNotAllowed, match="another claim"):
        room.ledger.triaged(flagged.id, claim=flagged.claim_commitment, **found)
    assert room.ledger.get(flagged.id) == revised
    assert room.ledger.triaged(flagged.id, claim=revised.claim_commitment, **found).remedy


def test_the_log_says_what_triage_found(room):
    other = room.queued(correct_answer="Raphael")
    flagged = room.flag(question="What is the dose of paracetamol?", correct_answer="3 g")
    found = {"conflicts": [other.id], "duplicate_of": other.id, "evidence": {}}
    room.ledger.triaged(flagged.id, remedy=Remedy.WEIGHTS, reason="r", **found, volatile=True)
    told = {"remedy": "knowledge", "tier": "high", "conflicts": [other.id], "duplicate_of": other.id, "alarms": []}
    assert told.items() <= room.entries()[-1].items()
    assert room.ledger.get(other.id).conflicts == (flagged.id,)


def test_what_was_read_before_triage_or_before_new_evidence_is_not_approved(room):
    read = room.flag()
    queued = room.ledger.triaged(read.id, remedy=Remedy.WEIGHTS, reason="r", evidence={})
    with pytest.raises(MoveNotAllowed, match="has changed since"):
        room.ledger.approve(read.id, room.admin, read_round=read.round)
    shown = room.ledger.add_evidence(read.id, room.user, evidence=["https://louvre.example"])
    with pytest.raises(MoveNotAllowed, match="has changed since"):
        room.ledger.approve(read.id, room.admin, read_round=queued.round)
    # A word to the reviewer changes nothing that is approved.
    assert room.ledger.add_evidence(read.id, room.user, reason="please hurry").round == shown.round
    assert room.ledger.approve(read.id, room.admin, read_round=shown.round).status is Status.APPROVED


def test_an_approval_lapses_when_evidence_comes_in_before_the_second_one(room):
    queued = room.queued(question="What is the dose of paracetamol?")
    room.ledger.approve(queued.id, room.admin)
    assert room.ledger.add_evidence(queued.id, room.user, evidence=["a leaflet"]).approvals == ()
    assert room.ledger.approve(queued.id, room.second_admin).status is Status.QUEUED


def test_evidence_that_comes_after_triage_waits_to_be_read_once(room):
    queued, flagged = room.queued(), room.flag(question="Who painted The Scream?")
    for one in (queued, flagged):
        room.ledger.add_evidence(one.id, room.user, evidence=["a book"])
    assert room.ledger.with_unread_evidence() == (queued.id,)  # triage will read that of the other one
    before = room.ledger.get(queued.id)
    room.ledger.evidence_read(queued.id, [{"holds_answer": True}], reason="the evidence holds the answer", count=1)
    after = room.ledger.get(queued.id)
    assert (after.reason, after.triage) == (
        "the evidence holds the answer",
        {"share": 1.0, "evidence": [{"holds_answer": True}]},
    )
    assert (after.round, room.entries()[-1]["kind"]) == (before.round, "correction.evidence_read")
    assert room.ledger.with_unread_evidence() == ()
    room.ledger.add_evidence(queued.id, room.user, evidence=["another"])
    room.ledger.evidence_read(queued.id, [], reason="", count=1)  # of an earlier look: the newer piece waits still
    assert room.ledger.with_unread_evidence() == (queued.id,)
    room.ledger.reject(queued.id, room.admin)
    assert room.ledger.with_unread_evidence() == ()


@pytest.mark.parametrize(
    ("fallback", "status"), [(Fallback.KNOWLEDGE, Status.IN_KNOWLEDGE), (Fallback.NONE, Status.FAILED)]
)
def test_a_refused_edit_goes_where_its_approver_said(room, fallback, status):
    queued = room.queued()
    room.ledger.approve(queued.id, room.admin, fallback=fallback)
    room.ledger.start_editing([queued.id])
    done = room.ledger.gate_failed(queued.id, {"direct": 0.2})
    assert (done.status, done.report) == (status, {"direct": 0.2})
    assert room.entries()[-1]["report"] == done.report_sha256 == digest({"direct": 0.2})


def test_a_failed_probe_gives_one_more_try(room):
    correction = room.editing()
    room.ledger.probe_failed(correction.id, {"direct": 0.0})
    assert room.ledger.get(correction.id).status is Status.APPROVED
    room.ledger.start_editing([correction.id])
    room.ledger.probe_failed(correction.id, {"direct": 0.0})
    assert room.ledger.get(correction.id).status is Status.IN_KNOWLEDGE


def test_an_interrupted_edit_starts_again_unless_its_version_waits_to_be_served(room):
    interrupted, built = room.editing(), room.editing(question="Who painted The Scream?")
    room.build("v1", built.id)
    room.versions.desire("v1", actor="worker")
    assert room.ledger.requeue_interrupted() == (interrupted.id,)
    assert room.ledger.get(built.id).status is Status.EDITING
    room.versions.desire("base", actor=room.admin, kind="restore")
    assert room.ledger.requeue_interrupted() == (built.id,)


def test_an_edit_that_is_served_but_was_never_published_starts_again(room):
    editing = room.editing()
    room.build("v1", editing.id)
    room.versions.desire("v1", actor="worker")
    room.versions.set_served("v1")
    assert room.ledger.requeue_interrupted() == (editing.id,)


def test_an_edit_whose_release_was_taken_back_has_its_second_try_still(room):
    editing = room.editing()
    room.ledger.taken_back([editing.id], reason="another one was wanted")
    taken = room.ledger.get(editing.id)
    assert (taken.status, taken.moves[-1].reason) == (Status.APPROVED, "another one was wanted")
    room.ledger.start_editing([editing.id])
    room.ledger.probe_failed(editing.id, {})
    assert room.ledger.get(editing.id).status is Status.APPROVED


def test_an_undo_that_was_asked_for_is_done_where_a_restore_or_another_base_took_the_edit_out(room):
    live = room.live()
    room.ledger.request_rollback(live.id, room.admin)
    room.ledger.finish_undos()
    assert room.ledger.get(live.id).status is Status.LIVE
    room.versions.rebase("beef" * 16, actor="x")
    assert room.ledger.cards() == ()
    room.versions.set_served("base")
    room.ledger.finish_undos()
    undone = room.ledger.get(live.id)
    assert (undone.status, undone.undo_requested) == (Status.ROLLED_BACK, False)
    size = room.log.size()
    room.ledger.finish_undos()
    assert room.log.size() == size


def test_undos_are_finished_by_what_is_served_now_and_left_to_the_publisher_while_it_changes(room):
    live = room.live()
    room.ledger.request_rollback(live.id, room.admin, reason="it was wrong")
    room.build("v2")
    room.versions.desire("v2", actor=room.admin, kind="restore")
    size = room.log.size()
    room.ledger.finish_undos()
    assert room.log.size() == size
    room.versions.set_served("v2")
    served = room.versions.serving()
    room.ledger.finish_undos()
    assert room.versions.serving() == served
    assert [entry["version"] for entry in room.entries() if entry["kind"] == "version.served"] == ["v1", "v2"]
    undone = room.ledger.get(live.id)
    assert (undone.status, undone.moves[-1].actor, undone.moves[-1].reason) == ("rolled_back", "worker", "it was wrong")


def test_an_edit_that_keeps_crashing_the_worker_is_set_aside(room):
    correction = room.approved()
    for _ in range(5):
        room.ledger.start_editing([correction.id])
        room.ledger.requeue_interrupted()
    done = room.ledger.get(correction.id)
    assert (done.status, done.crashes) == (Status.IN_KNOWLEDGE, 5)


def test_what_an_admin_takes_back_to_the_queue_starts_with_a_clean_slate(room):
    correction = room.approved()
    for _ in range(4):
        room.ledger.start_editing([correction.id])
        room.ledger.requeue_interrupted()
    room.ledger.start_editing([correction.id])
    room.ledger.probe_failed(correction.id, {})
    room.ledger.set_artefact(correction.id, "a1", edit={"method": "memit"})
    taken_back = room.ledger.requeue(correction.id, room.admin)
    assert (taken_back.artefact, taken_back.edit) == (None, {})
    room.ledger.approve(correction.id, room.admin)
    room.ledger.start_editing([correction.id])
    assert room.ledger.requeue_interrupted() == (correction.id,)
    room.ledger.start_editing([correction.id])
    room.ledger.probe_failed(correction.id, {})
    assert room.ledger.get(correction.id).status is Status.APPROVED


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


def test_a_live_edit_is_superseded_by_itself_only_where_its_card_answers(room):
    old, new = room.live("v1"), room.approved(correct_answer="Leonardo")
    with pytest.raises(MoveNotAllowed, match="published"):
        room.ledger.supersede(old.id, new.id, actor="worker")
    assert room.ledger.get(old.id) == old
    room.versions.rebase("0ther" * 12, actor="setup")
    done = room.ledger.supersede(old.id, new.id, actor="worker")
    assert (done.status, done.superseded_by) == (Status.SUPERSEDED, new.id)


def test_a_live_edit_that_is_unfit_for_a_new_base_stays_in_force_with_the_report_that_says_so(room):
    live = room.live()
    room.ledger.unfit(live.id, "beef" * 16, {"direct": 0.1})
    unfit = room.ledger.get(live.id)
    assert (unfit.status, unfit.report, unfit.edit["unfit_for"]) == (Status.LIVE, {"direct": 0.1}, "beef" * 16)
    assert room.entries()[-1]["report"] == unfit.report_sha256 == digest({"direct": 0.1})
    with pytest.raises(MoveNotAllowed, match="find unfit"):
        room.ledger.unfit(room.queued().id, "beef" * 16, {})


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
    room.ledger.mark_told(live.id, moves=len(live.moves) - 1)
    assert [correction.id for correction in room.ledger.untold()] == [live.id]  # it has moved on since it was told
    room.ledger.mark_told(live.id, moves=len(live.moves))
    assert room.ledger.untold() == ()
    room.ledger.published(version_id="base", rolled_back=[live.id])
    assert [correction.id for correction in room.ledger.untold()] == [live.id]


def test_a_live_fact_is_due_for_review_in_time(room):
    live = room.live()
    assert room.ledger.due_for_review() == ()
    with room.store.transaction():
        room.store.write("UPDATE corrections SET review_due = '2020-01-01T00:00:00.000000Z'")
    assert [correction.id for correction in room.ledger.due_for_review()] == [live.id]
    room.ledger.reviewed(live.id, room.admin)
    assert room.ledger.due_for_review() == ()


def test_what_went_back_to_the_queue_before_its_edit_was_forgotten_names_none_any_more(room):
    waiting, live = room.queued(), room.live(question="Who painted The Scream?")
    for correction in (waiting, live):
        room.ledger.set_artefact(correction.id, "a1", edit={"method": "memit"})
    with room.store.transaction():
        room.store.write("DELETE FROM _sqlite_migrations WHERE name = 'm012_stale_edits'")
    room.store.migrate()
    assert [room.ledger.get(c.id).artefact for c in (waiting, live)] == [None, "a1"]
    assert room.ledger.get(waiting.id).edit == {}


@pytest.mark.parametrize("status", [Status.LIVE, Status.QUEUED])
def test_no_reason_outlives_the_correction_that_it_was_given_for(room, status):
    if status is Status.LIVE:
        one = room.live()
        room.ledger.request_rollback(one.id, room.admin, reason="Bob Zebra said so")
    else:
        one = room.queued()
        room.ledger.reroute(one.id, room.reviewer, remedy=Remedy.KNOWLEDGE, reason="Bob Zebra said so")
    traces = Traces(room.store, room.vault, ledger=room.ledger, versions=room.versions)
    found = traces.of(Subject(names=("Bob Zebra",)))
    assert {found.ref for found in found} == {one.id}
    room.ledger.forget(one.id, actor=room.admin, is_restored=True)
    assert not any("Zebra" in text for *_, text in room.vault.scan())


def test_a_restored_version_undoes_without_the_reason_of_an_earlier_undo(room):
    live = room.live()
    room.ledger.request_rollback(live.id, room.admin, reason="wrong after all")
    room.ledger.published(version_id="base", rolled_back=[live.id])
    room.ledger.published(version_id="v1", relived=[live.id])
    room.ledger.published(version_id="base", rolled_back=[live.id])
    assert [move.reason for move in room.ledger.get(live.id).moves[-3:]] == ["wrong after all", "", ""]


def test_a_word_that_comes_with_evidence_or_alone_is_kept(room):
    queued = room.queued(comment="look again")
    room.ledger.add_evidence(queued.id, room.user, reason="please hurry")
    added = room.ledger.add_evidence(queued.id, room.user, evidence=["a book"], reason="page 3")
    assert (added.comment, added.evidence) == ("look again\nplease hurry\npage 3", ("a book",))


def test_nobodys_words_become_the_comment_of_the_reporter_and_none_are_lost(room):
    for queued in (room.queued(comment="look again"), room.flag(comment="look again")):
        with pytest.raises(Forbidden, match="without a reason"):
            room.ledger.add_evidence(queued.id, room.reviewer, evidence=["a book"], reason="I do not believe it")
        assert room.ledger.get(queued.id) == queued
        added = room.ledger.add_evidence(queued.id, room.reviewer, evidence=["a book"])
        assert (added.comment, added.evidence) == ("look again", ("a book",))
    full = room.flag(comment="c" * MAX_COMMENT)
    with pytest.raises(InvalidClaim, match="no room left"):
        room.ledger.add_evidence(full.id, room.user, evidence=["a book"], reason="page 3")
    assert room.ledger.get(full.id) == full
    room.ledger.ask_evidence(full.id, room.reviewer)
    asked = room.ledger.add_evidence(full.id, room.reviewer, evidence=["a book"], reason="page 3")
    assert (asked.moves[-1].actor_id, asked.moves[-1].reason) == (room.reviewer.id, "page 3")


def test_a_report_has_the_priority_of_as_many_people_as_report_the_same(room):
    first, same = room.queued(), room.flag()
    other = room.flag(room.people["other_user"])
    found = {"remedy": Remedy.KNOWLEDGE, "reason": "r", "evidence": {}, "duplicate_of": first.id}
    for n in range(3):
        for one in (same, other):
            room.ledger.triaged(one.id, **found)
            room.ledger.ask_evidence(one.id, room.reviewer)
            room.ledger.add_evidence(one.id, room.reviewer, evidence=[f"book {n}"])
    assert room.ledger.get(first.id).priority == 2
    revised = room.ledger.revise(other.id, room.reviewer, canonical_question="Who painted The Scream?")
    assert (revised.duplicate_of, room.ledger.get(first.id).priority) == (None, 1)
    revised = room.ledger.revise(other.id, room.reviewer, canonical_question=first.claim.canonical_question)
    assert (revised.duplicate_of, room.ledger.get(first.id).priority) == (first.id, 2)
