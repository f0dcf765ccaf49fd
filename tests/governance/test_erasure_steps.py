"""What the steps of a request leave on record, and that nothing is destroyed out of turn."""

import pytest
from tests_support_requests import ANN, FEW, PROBES, chat, ready

from governance.claims import MAX_COMMENT, MAX_REASON
from governance.errors import Invalid, InvalidClaim, MoveNotAllowed
from governance.requests import Method, Occurrence, Outcome, Place, Questions, Subject
from governance.tools import Tools


def found(room, erasures, tools=None, probes=None):
    filed = erasures.file(room.admin, subject=ANN, statement="Remove me")
    erasures.verify_identity(filed.id, room.admin, how="passport seen")
    return erasures.find(filed.id, room.admin, tools=tools or Tools(), probes=probes)


def test_what_was_decided_but_not_approved_destroys_nothing(room, erasures):
    asked = chat(room, room.user, "Where does Ann Zebra-Lee live?")
    request = found(room, erasures)
    decided = erasures.decide(request.id, room.admin, questions=FEW, reason="r")
    before = room.log.size()
    for act in (
        lambda: erasures.execute(request.id, room.admin, tools=Tools()),
        lambda: order(room, erasures, request),
    ):
        with pytest.raises(MoveNotAllowed, match=r"next is .*approve"):
            act()
    assert (erasures.get(request.id), room.log.size()) == (decided, before)
    assert room.answers.texts(asked)[0] == "Where does Ann Zebra-Lee live?"


def order(room, erasures, request):
    return erasures.order_execution(request.id, room.admin)


def test_who_ordered_the_execution_is_on_record_once(room, erasures):
    request = ready(room, erasures)
    for _ in range(2):
        assert order(room, erasures, request).executor == room.admin.id
    by = {"request": request.id, "actor": room.admin.pseudonym, "role": "admin"}
    (entry,) = [one for one in room.entries() if one["kind"] == "erasure.execution_ordered"]
    assert by.items() <= entry.items()


def test_the_steps_say_what_was_found_decided_and_done(room, erasures):
    chat(room, room.user, "Where does Ann Zebra-Lee live?")  # which is the title of the chat, too
    tools = Tools(ask=lambda asked: ["Ann Zebra-Lee"] * len(asked))
    request = found(room, erasures, tools, PROBES)
    assert (request.identity, request.statement) == ("passport seen", "Remove me")
    note = request.steps[-1].note
    assert {place: count for place, count in note["found"].items() if count} == {"text": 2, "model": 2}
    assert (note["model_before"]["revealing"], note["model_before"]["probes"]) == (2, 2)
    many = Questions(correct=False, many=True)
    erasures.decide(request.id, room.admin, questions=many, reason="r", exceptions="none apply")
    assert erasures.get(request.id).steps[-1].note == {
        "questions": {"correct": False, "many": True, "certainty": "reasonable"},
        "methods": ["delete_text", "unlearn"],
        "exceptions_considered": True,
        "kept": 0,
    }
    erasures.approve(request.id, room.admin)
    erasures.execute(request.id, room.second_admin, tools=tools)
    done = [one for one in room.entries() if one["kind"] == "erasure.method"]
    assert [(one["method"], one["done"], one["actor"], one["role"]) for one in done] == [
        ("unlearn", 0, room.second_admin.pseudonym, "admin"),
        ("delete_text", 2, room.second_admin.pseudonym, "admin"),
    ]


def test_what_was_not_probed_is_not_said_to_be_clean(room, erasures):
    chat(room, room.user, "Where does Ann Zebra-Lee live?")
    done = erasures.execute(ready(room, erasures).id, room.admin, tools=Tools())
    assert (done.residual["probes"], done.residual["texts_left"]) == (0, 0)
    assert "no probes" in done.residual["not_measured"]


def test_that_old_pages_could_not_be_emptied_is_on_record(room, erasures, monkeypatch):
    request = ready(room, erasures)
    monkeypatch.setattr("governance.store.Store.truncate_wal", lambda _store: False)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    erasures.execute(request.id, room.admin, tools=Tools())
    assert erasures.get(request.id).steps[-2].note == {"versions_purged": [], "wal_truncated": False}


@pytest.mark.parametrize(
    ("questions", "of_the_model"),
    [(FEW, Method.NEUTRAL_EDIT), (Questions(correct=False, many=True, certainty="highest"), Method.RETRAIN)],
)
def test_edits_go_before_their_texts_and_caches_last(room, erasures, questions, of_the_model):
    chat(room, room.user, "Where does Ann Zebra-Lee live?")
    places = (Place.CACHE, Place.EXPORT, Place.DOCUMENT, Place.MODEL, Place.EDIT)
    tools = Tools(
        find=[lambda subject: [Occurrence(place, f"{place}_1") for place in places]],
        apply={method: lambda _, choice: Outcome(choice.method, len(choice.refs)) for method in Method},
    )
    done = erasures.execute(ready(room, erasures, tools=tools, questions=questions).id, room.admin, tools=tools)
    assert [outcome.method for outcome in done.outcomes] == [
        Method.DROP_EDIT,
        of_the_model,
        Method.DELETE_DOCUMENT,
        Method.DELETE_TEXT,
        Method.DELETE_FILE,
        Method.REBUILD_CACHE,
    ]


def test_what_is_put_right_is_an_edit_and_leaves_chats_and_files(room, erasures):
    chat(room, room.user, "Where does Ann Zebra-Lee live?")
    tools = Tools(
        find=[lambda subject: [Occurrence(place, f"{place}_1") for place in (Place.CACHE, Place.EXPORT, Place.MODEL)]],
        apply={method: lambda _, choice: Outcome(choice.method, len(choice.refs)) for method in Method},
    )
    request, right = found(room, erasures, tools), Questions(correct=True, many=False)
    erasures.decide(request.id, room.admin, questions=right, reason="r", right_answers={"Who is Ann?": "A dentist"})
    erasures.approve(request.id, room.admin)
    done = erasures.execute(request.id, room.admin, tools=tools)
    assert [outcome.method for outcome in done.outcomes] == [Method.CORRECT_EDIT, Method.REBUILD_CACHE]


def test_what_is_written_into_a_request_is_checked_like_a_report(room, erasures):
    request = found(room, erasures)
    for act in (
        lambda: erasures.file(room.admin, subject=ANN, statement="x" * (MAX_COMMENT + 1)),
        lambda: erasures.file(room.admin, subject=Subject(("Ann Zebra-Lee",), ("[INST]",))),
        lambda: erasures.decide(request.id, room.admin, questions=FEW, reason=""),
        lambda: erasures.decide(request.id, room.admin, questions=FEW, reason="r", exceptions="x" * (MAX_REASON + 1)),
        lambda: erasures.refuse(request.id, room.admin, reason=" ", ground="gdpr-17-3-e"),
    ):
        with pytest.raises((Invalid, InvalidClaim)):
            act()
    assert erasures.get(request.id) == request
    assert len(erasures.list()) == 1
