"""Answers and chats: kept whole, found again by their owner alone, deleted for good."""

import time

import pytest

from governance.errors import Invalid, NotFound


def record(room, question="Who?", answer="She.", **changes):
    given = {"account_id": room.user.id, "route": "retrieval", "reason": "changes", "weights_version": "v1"}
    return room.answers.record(question=question, answer=answer, **(given | changes))


def test_an_answer_keeps_how_it_came_about(room):
    passages = [{"n": 1, "id": "psg_1", "title": "News", "score": 0.8}]
    made = record(
        room, passages=passages, index_generation=3, active_edits=2, finish_reason="stop", answer_id="ans_given"
    )
    found = room.answers.get("ans_given")
    assert found == made
    assert (found.passages, found.index_generation, found.active_edits) == (tuple(passages), 3, 2)
    assert room.answers.texts(found) == ("Who?", "She.")
    with pytest.raises(NotFound):
        room.answers.get("ans_given", account_id=room.admin.id)


def test_a_chat_has_its_turns_in_order_and_its_owner_alone_sees_it(room):
    chat = room.answers.start_conversation(room.user.id, "A very long title " * 20)
    assert len(chat.title) == 80
    for number in range(3):
        record(room, f"q{number}", f"a{number}", conversation_id=chat.id)
    found = room.answers.conversation(chat.id, account_id=room.user.id)
    assert [(turn.question, turn.answer) for turn in found.turns] == [("q0", "a0"), ("q1", "a1"), ("q2", "a2")]
    for act in (
        lambda: room.answers.conversation(chat.id, account_id=room.admin.id),
        lambda: room.answers.rename(chat.id, "x", account_id=room.admin.id),
        lambda: room.answers.delete(chat.id, account_id=room.admin.id),
        lambda: room.answers.conversation("con_unknown"),
    ):
        with pytest.raises(NotFound):
            act()
    room.answers.rename(chat.id, "Renamed", account_id=room.user.id)
    assert room.answers.conversation(chat.id).title == "Renamed"
    titles = [text_id for text_id, _, kind, _ in room.vault.scan() if kind == "title"]
    assert len(titles) == 1
    room.vault.delete(titles)  # as an erasure does, of somebody whom the title names
    room.answers.rename(chat.id, "Named again", account_id=room.user.id)
    assert room.answers.conversation(chat.id).title == "Named again"


def test_reason_and_passages_are_sealed_as_they_are_written_and_go_with_the_chat(room):
    chat = room.answers.start_conversation(room.user.id, "chat")
    said = {"reason": "passage 'Zoë Zebra' answers this", "passages": [{"n": 1, "title": "Zoë Zebra"}]}
    made = record(room, conversation_id=chat.id, **said)
    assert (made.reason, made.passages) == (said["reason"], ({"n": 1, "title": "Zoë Zebra"},))
    assert sum("Zoë Zebra" in text for *_, text in room.vault.scan()) == 2
    assert room.store.value("SELECT COUNT(*) FROM answers WHERE reason LIKE '%Zebra%'") == 0
    room.answers.delete(chat.id)
    left = room.answers.get(made.id)
    assert (left.reason, left.passages) == ("", ())
    assert not any("Zoë" in text for *_, text in room.vault.scan())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("passage 'Ann Zebra' answers this (score 0.97)", "a passage of the knowledge base has a say"),
        (
            'correction cor_1 answers this question (similarity 0.91); passage "O\'Zebra" of 2026-01-02 says otherwise'
            " and gives way",
            "correction cor_1 answers this question (similarity 0.91); a passage of the knowledge base has a say",
        ),
        ("the model's own knowledge: no passage is about this", "the model's own knowledge: no passage is about this"),
    ],
)
def test_titles_leave_the_reasons_that_were_stored_in_the_clear(room, before, after):
    old = record(room).id
    with room.store.transaction() as db:
        room.store.write("UPDATE answers SET reason = :reason WHERE id = :id", reason=before, id=old)
        db["answers"].transform(drop={"reason_text_id"})
        room.store.write("DELETE FROM _sqlite_migrations WHERE name = 'm011_sealed_reasons'")
    room.store.migrate()
    assert room.answers.get(old).reason == after


def test_a_turn_asked_again_stands_where_the_old_one_stood_and_the_old_one_stays_on_record(room):
    chat = room.answers.start_conversation(room.user.id, "chat")
    turns = [record(room, f"q{n}", f"a{n}", conversation_id=chat.id) for n in range(3)]
    again = record(room, "q1, put better", "b1", conversation_id=chat.id, replaces=turns[1].id)
    once_more = record(room, "q1, best", "zebra", conversation_id=chat.id, replaces=again.id)
    shown = room.answers.conversation(chat.id).turns
    assert [(turn.question, turn.record.id) for turn in shown] == [
        ("q0", turns[0].id),
        ("q1, best", once_more.id),
        ("q2", turns[2].id),
    ]
    assert room.answers.texts(room.answers.get(turns[1].id)) == ("q1", "a1")
    assert room.answers.conversations(room.user.id, search="better")[0] == []
    room.answers.delete(chat.id, account_id=room.user.id)
    assert room.answers.texts(room.answers.get(turns[1].id)) == ("", "")
    deleted = room.entries()[-1]
    assert (deleted["kind"], deleted["actor"], deleted["role"]) == (
        "conversation.deleted",
        room.user.pseudonym,
        "user",
    )


def test_chats_are_paged_by_last_use_and_searched(room):
    chats = [room.answers.start_conversation(room.user.id, f"chat {number}") for number in range(5)]
    record(room, "about zebras", conversation_id=chats[1].id)
    page, cursor = room.answers.conversations(room.user.id, limit=3)
    assert [chat.title for chat in page] == ["chat 1", "chat 4", "chat 3"]
    rest, end = room.answers.conversations(room.user.id, limit=3, cursor=cursor)
    for invented in ("", "42", cursor.split("|")[0], "|con_1"):
        with pytest.raises(Invalid, match="not one that this list returned"):
            room.answers.conversations(room.user.id, cursor=invented)
    assert ([chat.title for chat in rest], end) == (["chat 2", "chat 0"], None)
    assert [chat.id for chat in room.answers.conversations(room.user.id, search="ZEBRA")[0]] == [chats[1].id]
    assert room.answers.conversations(room.admin.id) == ([], None)


def test_a_deleted_chat_leaves_its_answers_without_text(room):
    chat = room.answers.start_conversation(room.user.id, "zebra")
    answer = record(room, "zebra?", "zebra!", conversation_id=chat.id)
    texts = room.store.value("SELECT COUNT(*) FROM texts")
    room.answers.delete(chat.id, account_id=room.user.id)
    left = room.answers.get(answer.id)
    assert (left.question_text_id, left.conversation_id, left.route) == (None, None, "retrieval")
    assert room.answers.texts(left) == ("", "")
    assert room.store.value("SELECT COUNT(*) FROM texts") == texts - 4
    assert room.entries()[-1]["kind"] == "conversation.deleted"


def test_a_turn_that_ends_after_its_chat_was_deleted_leaves_a_row_without_text(room):
    chat = room.answers.start_conversation(room.user.id, "zebra")
    asked = record(room, "zebra?", "zebra!", conversation_id=chat.id)
    room.answers.delete(chat.id, account_id=room.user.id)
    texts = room.store.value("SELECT COUNT(*) FROM texts")
    late = record(room, "zebra?", "zebra!", conversation_id=chat.id, replaces=asked.id, passages=[{"title": "zebra"}])
    assert (late.conversation_id, late.reason, late.passages) == (None, "", ())
    assert room.answers.texts(late) == ("", "")
    assert (late.route, late.weights_version) == ("retrieval", "v1")
    assert room.store.value("SELECT COUNT(*) FROM texts") == texts


def test_recording_an_answer_is_cheap(room):
    record(room)
    start = time.perf_counter()
    for _ in range(50):
        record(room)
    assert (time.perf_counter() - start) / 50 < 0.02
