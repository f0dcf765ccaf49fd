"""Intake: what a report must be, and what is found beside it before anybody decides."""

import hashlib
import hmac
import re
from contextlib import nullcontext
from datetime import timedelta

import pytest
from tests_support_requests import chat

from governance.claims import MAX_ANSWER_OLD
from governance.corrections import Category, Related, Remedy, Status
from governance.errors import (
    InvalidClaim,
    TooMany,
    WeightsBarred,
)
from governance.ledger import Ledger
from governance.policy import DEFAULT, Policy
from governance.times import now, to_text


def test_the_same_idempotency_key_gives_the_same_report(room):
    first = room.flag(idempotency_key="k1")
    before = room.log.size()
    assert room.flag(idempotency_key="k1").id == first.id
    assert room.log.size() == before
    assert room.flag(room.people["other_user"], idempotency_key="k1").id != first.id
    with pytest.raises(InvalidClaim, match="used for another report"):
        room.flag(idempotency_key="k1", question="Who stole the Mona Lisa?")
    with pytest.raises(InvalidClaim, match="used for another report"):
        room.flag(idempotency_key="k1", correct_answer="Raphael")
    room.ledger.revise(first.id, room.reviewer, correct_answer="Leonardo")
    assert room.flag(idempotency_key="k1").id == first.id


def test_an_idempotency_key_of_an_earlier_build_is_known_and_spaces_at_the_ends_do_not_count(room):
    first = room.flag(idempotency_key="k1")
    spaced = {"question": " Who painted the Mona Lisa? ", "correct_answer": "Leonardo da Vinci\n"}
    assert room.flag(idempotency_key="k1", **spaced).id == first.id
    made = hmac.digest(room.vault.derive("corrections/claims"), b"idempotency k1", hashlib.sha256)
    assert room.store.value("SELECT idempotency_hash FROM corrections WHERE id = :id", id=first.id) == made
    with room.store.transaction():
        room.store.write("UPDATE corrections SET request_hash = NULL WHERE id = :id", id=first.id)
    assert room.flag(idempotency_key="k1").id == first.id


def test_a_report_sent_again_is_the_first_one_also_once_its_chat_is_deleted(room):
    asked = chat(room, room.user, "Who painted the Mona Lisa?")
    sent = {"answer_id": asked.id, "correct_answer": "Leonardo da Vinci", "idempotency_key": "k1"}
    first = room.ledger.flag(room.user, **sent)
    room.answers.delete(asked.conversation_id)
    assert room.ledger.flag(room.user, **sent).id == first.id
    with pytest.raises(InvalidClaim, match="used for another report"):
        room.ledger.flag(room.user, **(sent | {"correct_answer": "Raphael"}))
    room.ledger.forget(first.id, actor=room.admin)
    assert room.store.value("SELECT request_hash FROM corrections WHERE id = :id", id=first.id) is None
    assert room.ledger.flag(room.user, **sent).id == first.id


def test_a_report_on_a_long_answer_keeps_its_beginning(room):
    asked = chat(room, room.user, "Who painted the Mona Lisa?", "a" * (MAX_ANSWER_OLD + 1))
    flagged = room.ledger.flag(room.user, answer_id=asked.id, correct_answer="Leonardo da Vinci")
    assert flagged.claim.answer_old == "a" * MAX_ANSWER_OLD


def test_duplicates_and_contradictions_are_found(room):
    first = room.flag()
    same = room.flag(room.people["other_user"], question="who painted the  MONA LISA")
    other = room.flag(room.people["other_user"], correct_answer="Raphael")
    room.flag(question="Who stole the Mona Lisa?")
    assert room.ledger.related(first.id) == Related(conflicts=(other.id,), repeats=None)
    assert room.ledger.related(same.id) == Related(conflicts=(other.id,), repeats=first.id)
    room.ledger.withdraw(first.id, room.user)
    assert room.ledger.related(same.id).repeats is None


def test_a_duplicate_raises_the_priority_of_the_first_and_nothing_else(room):
    first, same = room.queued(), room.flag(room.people["other_user"])
    room.ledger.triaged(same.id, remedy=Remedy.KNOWLEDGE, reason="duplicate", evidence={}, duplicate_of=first.id)
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
    ("limit", "window"),
    [("reports_per_person_hour", timedelta(hours=1)), ("reports_per_subject_day", timedelta(days=1))],
)
def test_a_limit_on_reports_counts_its_own_hour_or_day(room, tmp_path, limit, window):
    ledger = with_limits(room, tmp_path, **{limit: 1})
    claim = {"question": "Who painted it?", "answer": "A", "correct_answer": "B"}
    first = ledger.flag(room.user, **claim)
    for ago, is_counted in ((window - timedelta(minutes=1), True), (window, False)):
        with room.store.transaction():
            created = to_text(now() - ago)
            room.store.write("UPDATE corrections SET created = :at WHERE id = :id", at=created, id=first.id)
        with pytest.raises(TooMany) if is_counted else nullcontext():
            ledger.flag(room.user, **claim)


def test_limits_on_weight_edits_count_those_of_a_day_and_those_in_force(room, tmp_path, monkeypatch):
    by_day, by_subject = (with_limits(room, tmp_path, **{f"weight_edits_per_{name}": 1}) for name in ("day", "subject"))
    first, second, third = (room.queued(correct_answer=answer) for answer in ("A", "B", "C"))
    by_day.approve(room.queued(remedy=Remedy.KNOWLEDGE, correct_answer="D").id, room.admin)
    by_day.approve(first.id, room.admin)
    with monkeypatch.context() as tomorrow:
        tomorrow.setattr("governance.ledger.now", lambda: now() + timedelta(days=1))
        assert by_day.approve(second.id, room.admin).status is Status.APPROVED
    for one in (first, second):
        room.ledger.start_editing([one.id])
        with pytest.raises(TooMany, match="edits on this subject"):
            by_subject.approve(third.id, room.admin)
        room.ledger.gate_failed(one.id, {})
    assert by_subject.approve(third.id, room.admin).status is Status.APPROVED


def test_an_edit_that_starts_again_is_one_edit_of_its_day(room, tmp_path):
    by_day = with_limits(room, tmp_path, weight_edits_per_day=2)
    first, second = (room.queued(correct_answer=answer) for answer in ("A", "B"))
    by_day.approve(first.id, room.admin)
    for _ in range(2):
        by_day.start_editing([first.id])
        by_day.taken_back([first.id], reason="another one was wanted")
    assert by_day.approve(second.id, room.admin).status is Status.APPROVED


@pytest.mark.parametrize(
    ("flags", "reason"),
    [({"volatile": True}, "changes with time"), ({"personal_data": True}, "personal data")],
)
def test_what_is_barred_from_weights_becomes_knowledge_and_cannot_be_rerouted_back(room, flags, reason):
    flagged = room.flag()
    queued = room.ledger.triaged(flagged.id, remedy=Remedy.WEIGHTS, reason="persistent", evidence={}, **flags)
    assert queued.remedy is Remedy.KNOWLEDGE
    assert reason in queued.reason
    with pytest.raises(WeightsBarred, match=reason):
        room.ledger.reroute(queued.id, room.admin, remedy=Remedy.WEIGHTS)
    assert room.ledger.reroute(queued.id, room.admin, remedy=Remedy.KNOWLEDGE).remedy is Remedy.KNOWLEDGE


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
    assert [(alarm.kind, alarm.seen) for alarm in room.ledger.alarms(unseen=False)] == [("fast_approval", True)]
    room.ledger.approve(room.queued(channel="erasure").id, room.admin)  # it was weighed with its request
    for _ in range(8):
        room.flag(subject="The Scream")
    assert [alarm.kind for alarm in room.ledger.alarms()] == ["burst"]


def found_by_triage(room, subject, *questions):
    """Reports that name no subject, of which triage finds this one."""
    for question in questions:
        one = room.flag(room.people["other_user"], question=question)
        room.ledger.triaged(one.id, remedy=Remedy.KNOWLEDGE, reason="r", evidence={}, subject=subject)
    return room.ledger.get(one.id)


def test_a_burst_on_a_subject_that_triage_finds_raises_one_alarm(room):
    questions = [f"Who {verb} The Scream?" for verb in ("drew", "stole", "sold", "bought", "hid", "found", "lost")]
    found_by_triage(room, "The Scream", *questions)
    assert room.ledger.alarms() == ()
    eighth = found_by_triage(room, "The Scream", "Who painted The Scream?")
    assert [(alarm.kind, alarm.correction_id) for alarm in room.ledger.alarms()] == [("burst", eighth.id)]
    assert room.entries()[-1]["alarms"] == ["burst"]
    found_by_triage(room, "The Scream", "Who saw The Scream?", "Who likes The Scream?")
    room.flag(subject="The Scream")
    assert len(room.ledger.alarms()) == 1


def test_a_burst_that_was_alarmed_at_intake_is_not_alarmed_again_by_triage(room):
    for n in range(9):
        room.flag(subject="The Scream", question=f"Who saw The Scream in {1900 + n}?")
    assert len(room.ledger.alarms()) == 1
    for one in room.ledger.in_status(Status.FLAGGED):
        room.ledger.triaged(one.id, remedy=Remedy.KNOWLEDGE, reason="r", evidence={})
    assert len(room.ledger.alarms()) == 1


def test_reports_that_triage_looks_at_late_are_a_burst_still_and_slow_ones_are_none(room):
    slow = [room.flag(question=f"Who saw The Scream in {1900 + n}?") for n in range(8)]
    quick = [room.flag(question=f"Who saw The Kiss in {1900 + n}?") for n in range(8)]
    with room.store.transaction():
        for n, one in enumerate((*slow, *quick)):
            minute = f"2026-01-01T{n // 6:02}:{n % 6}0:00.000000Z" if one in slow else "2026-01-01T12:00:00.000000Z"
            room.store.write("UPDATE corrections SET created = :at WHERE id = :id", at=minute, id=one.id)
    for subject, reports in (("The Scream", slow), ("The Kiss", quick)):
        for one in reversed(reports):
            room.ledger.triaged(one.id, remedy=Remedy.KNOWLEDGE, reason="r", evidence={}, subject=subject)
    assert [alarm.correction_id for alarm in room.ledger.alarms()] == [quick[0].id]


def test_one_subject_that_triage_finds_is_limited_too(room, tmp_path):
    ledger = with_limits(room, tmp_path, reports_per_subject_day=2)
    found_by_triage(room, "The Scream", "Who painted The Scream?", "Who stole The Scream?")
    claim = {"answer": "A", "correct_answer": "B"}
    for more in ({"question": "Who sold it?", "subject": "The Scream"}, {"question": "who stole The Scream"}):
        with pytest.raises(TooMany, match="this subject"):
            ledger.flag(room.user, **claim, **more)
    ledger.flag(room.user, **claim, question="Who sold The Kiss?")


def test_claims_that_were_stored_under_a_former_normal_form_get_new_keys_once(room, monkeypatch):
    with monkeypatch.context() as former:
        former.setattr("governance.book.normal", lambda text: re.sub(r"[^\w\s]", "", text).casefold())
        sharp = room.flag(question="Who created C#?", subject="C#", correct_answer="Anders Hejlsberg")
        plain = room.flag(question="Who created C?", subject="C", correct_answer="Dennis Ritchie")
        assert room.ledger.related(plain.id).conflicts == (sharp.id,)
    damaged = room.flag(question="Who created F#?")
    with room.store.transaction():
        room.store.write(
            "UPDATE texts SET sealed = zeroblob(64) WHERE id = (SELECT claim_text_id FROM corrections WHERE id = :id)",
            id=damaged.id,
        )
    before = room.log.size()
    for _ in range(2):
        room.ledger.renew_keys()
        assert room.ledger.related(plain.id).conflicts == ()
        assert room.ledger.related(sharp.id).conflicts == ()
        assert [found.id for found in room.ledger.like("who created C#")] == [sharp.id]
    assert room.log.size() == before
    monkeypatch.setattr("governance.book.normal", lambda _: "all the same")
    room.ledger.renew_keys()
    assert room.ledger.related(plain.id).conflicts == ()
