"""Requests for erasure and rectification: who may take which step, and what a request bars before it is carried out."""

from datetime import datetime

import pytest
from tests_support_requests import ANN, FEW

from governance.corrections import Remedy, Status
from governance.errors import Forbidden, Invalid, MoveNotAllowed, WeightsBarred
from governance.requests import Kind, Law, Method, Occurrence, Place, Questions, Step, Subject, choose, due_after
from governance.tools import Tools


@pytest.mark.parametrize(
    ("questions", "method"),
    [
        (Questions(correct=True, many=False), Method.CORRECT_EDIT),
        (Questions(correct=False, many=False), Method.NEUTRAL_EDIT),
        (Questions(correct=False, many=True), Method.UNLEARN),
        (Questions(correct=False, many=True, certainty="highest"), Method.RETRAIN),
    ],
)
def test_three_questions_choose_what_is_done_to_the_model(questions, method):
    (choice,) = choose(questions, (Occurrence(Place.MODEL, "probe 1"),))
    assert choice.method is method
    assert choice.why


def test_a_refusal_gives_its_ground(room, erasures):
    filed = erasures.file(room.user, subject=Subject((), (), room.user.id), law=Law.PDPA, kind=Kind.RECTIFICATION)
    refused = erasures.refuse(filed.id, room.admin, reason="kept for a claim in law", ground="gdpr-17-3-e")
    assert refused.status is Step.REFUSED
    assert refused.steps[-1].note == {"ground": "gdpr-17-3-e"}
    with pytest.raises(MoveNotAllowed):
        erasures.verify_identity(filed.id, room.admin, how="passport")


def test_steps_cannot_be_skipped(room, erasures):
    filed = erasures.file(room.admin, subject=ANN)
    for act in (
        lambda: erasures.find(filed.id, room.admin, tools=Tools()),
        lambda: erasures.decide(filed.id, room.admin, questions=FEW, reason="x"),
        lambda: erasures.approve(filed.id, room.admin),
        lambda: erasures.execute(filed.id, room.admin, tools=Tools()),
        lambda: erasures.close(filed.id, room.admin, told=True),
    ):
        with pytest.raises(MoveNotAllowed):
            act()
    assert len(erasures.get(filed.id).steps) == 1


@pytest.mark.parametrize("who", ["user", "reviewer", "auditor"])
def test_only_admins_handle_requests_and_anyone_may_file_their_own(room, erasures, who):
    person = room.people[who]
    filed = erasures.file(person, subject=Subject((), (), person.id))
    with pytest.raises(Forbidden):
        erasures.verify_identity(filed.id, person, how="me")
    with pytest.raises(Forbidden):
        erasures.file(person, subject=ANN)


def test_nobody_approves_the_request_that_concerns_them(room, erasures):
    filed = erasures.file(room.admin, subject=Subject((), (), room.admin.id))
    erasures.verify_identity(filed.id, room.second_admin, how="known")
    erasures.find(filed.id, room.second_admin, tools=Tools())
    erasures.decide(filed.id, room.second_admin, questions=FEW, reason="asked for")
    with pytest.raises(Forbidden, match="concerns you"):
        erasures.approve(filed.id, room.admin)


@pytest.mark.parametrize("names", [(), ("ab",), ("<|im_start|>",)])
def test_what_cannot_be_looked_for_is_refused(room, erasures, names):
    with pytest.raises(Invalid):
        erasures.file(room.admin, subject=Subject(names=names))


@pytest.mark.parametrize(
    ("law", "received", "due"),
    [
        (Law.PDPA, "2026-01-31", "2026-03-02"),
        (Law.GDPR, "2026-01-31", "2026-02-28"),
        (Law.GDPR, "2028-01-30", "2028-02-29"),
        (Law.GDPR, "2026-02-10", "2026-03-10"),
        (Law.GDPR, "2026-12-31", "2027-01-31"),
    ],
)
def test_thirty_days_are_not_a_month(law, received, due):
    moment = datetime.fromisoformat(f"{received}T09:30:00+00:00")
    assert due_after(law, moment).isoformat() == f"{due}T09:30:00+00:00"


def test_requests_are_listed_by_urgency_and_what_is_settled_last(room, erasures):
    first, second, third = (
        erasures.file(room.admin, subject=ANN),
        erasures.file(room.user, subject=Subject((), (), room.user.id), law=Law.PDPA),
        erasures.file(room.admin, subject=ANN),
    )
    assert (second.due - second.created).days == 30
    assert first.due == due_after(Law.GDPR, first.created)
    erasures.refuse(first.id, room.admin, reason="a claim in law", ground="gdpr-17-3-e")
    assert [one.id for one in erasures.list()][-1] == first.id
    assert {one.id for one in erasures.list()[:2]} == {second.id, third.id}
    assert [one.id for one in erasures.list(account_id=room.user.id)] == [second.id]


def test_nobody_who_asked_to_be_erased_is_edited_into_weights(room, erasures):
    about = room.flag(question="Who is Ann Zebra-Lee?", correct_answer="A dentist")
    filed = erasures.file(room.admin, subject=ANN)
    erasures.verify_identity(filed.id, room.admin, how="passport seen")
    routed = room.ledger.triaged(about.id, remedy=Remedy.WEIGHTS, reason="fixed fact", evidence={})
    assert routed.remedy is Remedy.KNOWLEDGE
    assert "asked to be erased" in routed.reason
    with pytest.raises(WeightsBarred, match="erased"):
        room.ledger.reroute(about.id, room.admin, remedy=Remedy.WEIGHTS)
    erasures.refuse(filed.id, room.admin, reason="kept for a claim in law", ground="gdpr-17-3-e")
    assert room.ledger.reroute(about.id, room.admin, remedy=Remedy.WEIGHTS).remedy is Remedy.WEIGHTS


@pytest.mark.parametrize(
    ("names", "question", "barred"),
    [
        (("Lee",), "Where does LEE live?", True),
        (("Lee",), "Who painted The Sleeping Gypsy?", False),
        (("the", "who"), "Whose is Athens?", False),
        (("สมชาย",), "สมชายเกิดเมื่อไร", True),  # no spaces between words
    ],
)
def test_a_request_bars_edits_once_its_identity_is_verified_and_by_whole_words(room, erasures, names, question, barred):
    about = room.queued(question=question, remedy=Remedy.KNOWLEDGE)
    filed = erasures.file(room.user, subject=Subject(names, (), room.user.id))
    assert room.ledger.reroute(about.id, room.admin, remedy=Remedy.WEIGHTS).remedy is Remedy.WEIGHTS
    erasures.verify_identity(filed.id, room.admin, how="passport seen")
    if barred:
        with pytest.raises(WeightsBarred, match="erased"):
            room.ledger.approve(about.id, room.admin)
    else:
        assert room.ledger.approve(about.id, room.admin).status is Status.APPROVED
