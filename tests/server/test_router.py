"""Where a question is answered from, and who wins when two sources disagree."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import sqlite_utils

from retrieval.documents import Document
from retrieval.embedder import HashEmbedder
from retrieval.retriever import HybridRetriever
from retrieval.store import KnowledgeStore
from server.cards import Card, CardIndex
from server.router import Route, Router
from server.same_question import card_words

QUESTION = "Who is the CEO of Velmora?"
APPROVED = datetime(2026, 6, 1, 12, tzinfo=UTC)


def card(answer: str = "Ines Takeda", *, id_: str = "cor_1", live: bool = False, approved: datetime = APPROVED) -> Card:
    sentence = f"The CEO of Velmora is {answer}."
    return Card(id_, "Velmora", (QUESTION,), sentence, approved, "ceo", claim=answer, live=live, answered=(QUESTION,))


def router(cards: list[Card], *documents: Document) -> Router:
    db = sqlite_utils.Database(memory=True)
    store = KnowledgeStore(lambda: db, HashEmbedder(256))
    store.migrate()
    for document in documents:
        store.add(document)
    index = CardIndex(load=lambda: (), stamp=lambda: 1, embedder=store.embedder, make=lambda _: cards[0])
    for one in cards:
        key = card_words(one.subject)
        index._cards[key] = (*index._cards.get(key, ()), one)
    index._seen = 1
    return Router(index, HybridRetriever.over(store))


def passage(name: str, day: date | None) -> Document:
    return Document("Velmora", f"The CEO of Velmora is {name}.", as_of=day)


OLD, NEW = date(2026, 1, 1), date(2026, 9, 1)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize(
    ("name", "day", "route"),
    [
        ("Tomas Lind", OLD, Route.CORRECTION),
        ("Tomas Lind", date(2026, 6, 1), Route.CORRECTION),  # on the same day the approval is about this very question
        ("Tomas Lind", NEW, Route.RETRIEVAL),
    ],
)
def test_the_newest_approved_answer_wins_and_both_are_named(name: str, day: date, route: Route, live: bool) -> None:
    decision = router([card(live=live)], passage(name, day)).decide(QUESTION)
    assert decision.route is route
    assert "cor_1" in decision.reason
    assert "'Velmora'" in decision.reason
    assert day.isoformat() in decision.reason


def test_an_undated_passage_counts_from_the_day_it_was_added() -> None:
    assert router([card()], passage("Tomas Lind", None)).decide(QUESTION).route is Route.RETRIEVAL


@pytest.mark.parametrize(("live", "route"), [(False, Route.CORRECTION), (True, Route.MODEL)])
def test_an_expired_passage_overrules_nothing(live: bool, route: Route) -> None:
    past = Document("Velmora", "The CEO of Velmora is Tomas Lind.", as_of=NEW, expires_at=date(2026, 10, 1))
    decision = router([card(live=live)], past).decide(QUESTION)
    assert (decision.route, "otherwise" in decision.reason) == (route, False)


@pytest.mark.parametrize(
    ("until", "dated"), [(None, False), (datetime(2999, 1, 1, tzinfo=UTC), False), (APPROVED, True)]
)
def test_a_card_whose_answer_may_have_changed_says_its_date(until: datetime | None, dated: bool) -> None:
    decision = router([replace(card(), holds_until=until)]).decide(QUESTION)
    assert decision.card is not None
    assert decision.card.answer.startswith("The CEO of Velmora is Ines Takeda.")
    assert ("As of 2026-06-01" in decision.card.answer) is dated


def test_a_newer_passage_about_something_else_overrules_nothing() -> None:
    other = Document("Velmora", "Velmora opened an office in Lisbon.", as_of=NEW)
    assert router([card()], other).decide(QUESTION).route is Route.CORRECTION


def starry(subject: str = "The Starry Night", relation: str | None = None) -> tuple[Card, Document]:
    asked, answer = f"Who painted {subject}?", f"{subject} was painted by Vincent van Gogh."
    known = Card("cor_2", subject, (asked,), answer, APPROVED, relation, claim="Vincent van Gogh")
    return known, Document(subject, f"{asked}\n{answer}", kind="correction", source="cor_2")


def test_the_entry_of_a_correction_answers_no_question_about_another_subject() -> None:
    known, entry = starry(relation="painter")
    assert router([known], entry).decide("Who painted The Night Ferry?").route is Route.MODEL


@pytest.mark.parametrize(
    ("asked", "route"),
    [
        ("Who painted The Starry Night?", Route.CORRECTION),
        ("What hand painted The Starry Night?", Route.RETRIEVAL),  # its card is not sure
        ("When was The Starry Night painted?", Route.MODEL),
        ("What did The Starry Night cost?", Route.MODEL),
    ],
)
def test_the_entry_of_a_correction_speaks_where_its_card_nearly_matched_and_to_nothing_else(
    asked: str, route: Route
) -> None:
    known, entry = starry()
    assert router([known], entry).decide(asked).route is route


def test_an_entry_whose_subject_stands_among_letters_without_spaces_may_speak() -> None:
    known, _ = starry("日本")
    entry = Document("日本", "日本の首都はどこですか\n日本の首都は京都です", kind="correction", source="cor_2")
    assert router([known], entry).decide("日本の首都はどこですか").route is Route.RETRIEVAL


def test_a_passage_that_agrees_with_a_live_edit_is_cited() -> None:
    decision = router([card(live=True)], passage("Ines Takeda", OLD)).decide(QUESTION)
    assert (decision.route, "otherwise" in decision.reason) == (Route.RETRIEVAL, False)


@pytest.mark.parametrize("asked", [QUESTION, "who is the CEO of Velmora"])
def test_a_live_edit_is_left_to_the_weights_as_the_gate_heard_them(asked: str) -> None:
    decision = router([card(live=True)]).decide(asked)
    assert decision.route is Route.MODEL
    assert "cor_1" in decision.reason


def test_the_card_of_a_live_edit_answers_in_words_that_the_gate_did_not_hear() -> None:
    decision = router([card(live=True)]).decide("Tell me who the CEO of Velmora is.")
    assert decision.route is Route.CORRECTION
    assert "not heard to give it in these words" in decision.reason


@pytest.mark.parametrize("live", [False, True])
def test_of_two_corrections_the_one_approved_last_answers_and_the_other_is_named(live: bool) -> None:
    older = card("Tomas Lind", id_="cor_0", approved=datetime(2026, 1, 1, tzinfo=UTC), live=not live)
    decision = router([card(live=live), older]).decide(QUESTION)
    assert decision.route is (Route.MODEL if live else Route.CORRECTION)
    assert decision.card is None if live else decision.card.correction_id == "cor_1"  # type: ignore[union-attr]
    assert "cor_0 says otherwise" in decision.reason


@pytest.mark.parametrize(
    ("forced", "documents", "route", "reason"),
    [
        ("model", 1, Route.MODEL, "asked for the model alone"),
        ("retrieval", 1, Route.RETRIEVAL, "asked for retrieval"),
        ("retrieval", 0, Route.MODEL, "the knowledge base holds nothing"),
    ],
)
def test_a_request_that_names_its_route_gets_it_whatever_the_cards_say(
    forced: str, documents: int, route: Route, reason: str
) -> None:
    decision = router([card()], *[passage("Tomas Lind", OLD)] * documents).decide(QUESTION, forced=forced)
    assert (decision.route, decision.card, len(decision.passages)) == (route, None, int(route is Route.RETRIEVAL))
    assert reason in decision.reason


def test_without_a_card_an_expired_passage_answers_and_the_reason_says_that_it_has_expired() -> None:
    past = Document("Velmora", "The CEO of Velmora is Tomas Lind.", as_of=OLD, expires_at=date(2026, 2, 1))
    decision = router([], past).decide(QUESTION)
    assert (decision.route, decision.passages[0].expired) == (Route.RETRIEVAL, True)
    assert "expired: shown as dated" in decision.reason
    assert "expired" not in router([], passage("Tomas Lind", OLD)).decide(QUESTION).reason


@pytest.mark.parametrize(("title", "route"), [(QUESTION, Route.RETRIEVAL), ("Velmora", Route.MODEL)])
def test_the_entry_of_a_correction_without_a_subject_has_no_card_and_speaks_by_itself(title: str, route: Route) -> None:
    entry = Document(title, "The CEO of Velmora is Ines Takeda.", kind="correction", source="cor_9")
    assert router([], entry).decide(QUESTION).route is route


def test_the_entry_of_a_correction_gives_way_to_no_card() -> None:
    """Entry and card are one approval: it is no newer document that says otherwise."""
    entry = Document(
        "Who leads Velmora?", "The CEO of Velmora is Tomas Lind.", as_of=NEW, kind="correction", source="c"
    )
    assert router([card()], entry).decide(QUESTION).route is Route.CORRECTION


def test_of_two_corrections_that_say_the_same_none_is_said_to_say_otherwise() -> None:
    older = card("ines takeda", id_="cor_0", approved=datetime(2026, 1, 1, tzinfo=UTC))
    decision = router([card(), older]).decide(QUESTION)
    assert decision.card is not None
    assert (decision.card.correction_id, "otherwise" in decision.reason) == ("cor_1", False)
