"""Cards: which questions a correction answers, measured over paraphrases and near misses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from governance.corrections import Status
from governance.times import to_text
from retrieval.embedder import Embedder, HashEmbedder, TransformerEmbedder, Vectors, load_embedder
from retrieval.errors import SamenessArtefactInvalid
from retrieval.sameness import ARTEFACT, SamenessMap
from retrieval.sameness_training import SamenessConfig, train_map
from server.card_training import card_for, read_pairs, wordings_by_relation
from server.cards import (
    FEATURES,
    Card,
    CardIndex,
    Matched,
    approved_at,
    asks_of_another,
    holds_until,
)
from server.same_question import asked_kinds, card_words, masked, mentions
from tests_support import House
from tests_support_release import PAINTER, approved

DATA = Path(__file__).resolve().parents[1] / "data"


def card(question: str, subject: str, id_: str = "cor_1") -> Card:
    return replace(card_for(question, subject), correction_id=id_)


def index(cards: list[Card], embedder: Embedder, sameness: SamenessMap | None = None) -> CardIndex:
    found = CardIndex(load=lambda: (), stamp=lambda: 1, embedder=embedder, make=lambda _: cards[0], sameness=sameness)
    for one in cards:
        key = card_words(one.subject)
        found._cards[key] = (*found._cards.get(key, ()), one)
    found._seen = 1
    return found


class Known:
    """An embedder that made its vectors in one batch."""

    def __init__(self, embedder: Embedder, texts: set[str]) -> None:
        self.name, self.dimension = embedder.name, embedder.dimension
        self._vectors = dict(zip(sorted(texts), embedder.embed(sorted(texts)), strict=True))

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vectors[text] for text in texts])


@pytest.mark.parametrize(
    ("text", "plain"),
    [("The  Mona Lisa's", "mona lisa"), ("Ｍona LISA", "mona lisa"), ("An Apple", "apple"), ("St. Ives’s", "st ives")],
)
def test_subjects_are_compared_without_case_width_article_and_possessive(text: str, plain: str) -> None:
    assert card_words(text) == plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C++", "C#"),
        ("C", "C#"),
        ("10/2", "10*2"),
        ("-40 degrees", "40 degrees"),
        ("A*", "A"),
        ("£5", "$5"),
        ("मोना", "मीना"),
        ("กา", "กี"),
    ],
)
def test_a_subject_with_another_symbol_or_mark_is_another_subject(one: str, other: str) -> None:
    assert card_words(one) != card_words(other)
    found = index([card(f"Who introduced {one}?", one)], HashEmbedder(256))
    assert found.match(f"Who introduced {one}?").hit is not None
    assert found.match(f"Who introduced {other}?") == Matched()
    assert not mentions(f"It was {other}, they say.", one)


@pytest.mark.parametrize(
    ("question", "subject", "same", "other"),
    [
        ("Who is the CEO of Apple?", "Apple", "Who is the Apple CEO?", "Who is the CEO of Apple Records?"),
        ("What is the capital of Guinea?", "Guinea", "What is Guinea's capital?", "What is the capital of Equatorial Guinea?"),
        ("When was Quay Mill built?", "Quay Mill", "When was the Quay Mill first built?", "When was Old Quay Mill built?"),
        ("Who won the Quay Cup in 1998?", "Quay Cup", "Who won the 1998 Quay Cup?", "Who won the Quay Cup in 1999?"),
        ("Who won the Quay Cup?", "Quay Cup", "Who was the winner of the Quay Cup?", "Who won the 2003 Quay Cup?"),
        ("Who is the queen of Velmora?", "Velmora", "Who is Velmora's queen?", "Who was the first queen of Velmora?"),
        ("When was Takeda born?", "Takeda", "When was Dr Takeda born?", "When was Ines Takeda born?"),
        ("Who is the CEO of Acme?", "Acme", "Hi! Does Acme have a CEO? In 1 line.", "Who was the CEO of Acme in 2024?"),
        ("Who is the CEO of Acme?", "Acme", "Who is the CEO of Acme Inc?", "Who is the CEO of Acme Airlines?"),
        ("Who is the CEO of Acme?", "Acme", "Who Leads Acme Today?", "Who was the 1st CEO of Acme?"),
        ("Who was the first president of Zed?", "Zed", "Who was the 1st president of Zed?", "Who was the 2nd president of Zed?"),
    ],
)  # fmt: skip
def test_another_year_or_a_longer_name_is_another_question(question: str, subject: str, same: str, other: str) -> None:
    known = card(question, subject)
    assert not asks_of_another(same, known)
    assert asks_of_another(other, known)
    assert index([known], HashEmbedder(256)).match(other).hit is None


@pytest.mark.parametrize(
    "asked",
    [
        "Who painted “the Blue Door”?",
        "who painted 'The Blue Door'",
        "Who painted the Blue-Door?!",
        "Who painted **the Blue Door**?",
        "# Who painted the *Blue Door*?",
        "Who painted the `Blue Door`?",
        "Who painted the Blue Door’s frame?",
        "- Who painted the Blue Door, (1907)?",
        "Who painted the Blue Door🙂?",
        "Who painted the Blue Door®?",
        "Who painted the Blue Door / the house?",
        "Who painted the Blue Door/Red Gate?",
        "Who painted the #Blue Door?",
        "Who painted the Blue Door~?",
        "Who painted <i>the Blue Door</i> and ~~no other~~?",
        "Who painted the \u2764\ufe0fBlue Door?",
        "|Blue Door|1907|",
    ],
)
def test_punctuation_quotes_and_emphasis_hide_no_subject(asked: str) -> None:
    assert mentions(asked, "the Blue Door")


def test_only_what_is_asked_is_left_when_the_subject_is_masked() -> None:
    assert masked("Who painted the Mona Lisa?", "the Mona Lisa") == masked("Who painted Guernica?", "Guernica")


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("When was it built?", {"time"}),
        ("Who wrote it?", {"person"}),
        ("What is it?", set()),
        ("In which city?", {"place"}),
    ],
)
def test_what_a_question_asks_for_is_told_by_its_words(question: str, kinds: set[str]) -> None:
    assert asked_kinds(question) == kinds


@pytest.fixture(scope="module")
def embedder() -> TransformerEmbedder:
    return load_embedder()


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("file", "least_recall", "least_precision"),
    [
        # 840 pairs that the decision is fitted on: 0.994 and 0.986. A third of the near misses ask for another relation of
        # the very same subject in almost the same words.
        ("cards.jsonl", 0.95, 0.98),
        # 160 pairs written apart, half of them of relations that the map has no wordings of: 0.887 and 0.973.
        ("cards_fresh.jsonl", 0.86, 0.95),
    ],
)
def test_cards_answer_their_own_fact_and_hardly_any_other(
    file: str, least_recall: float, least_precision: float, embedder: TransformerEmbedder
) -> None:
    pairs = read_pairs(DATA / file)
    sameness = SamenessMap.load()
    known = Known(embedder, {masked(text, p.card.subject) for p in pairs for text in (*p.card.phrasings, p.asked)})
    indexes = {id(pair.card): index([pair.card], known, sameness) for pair in pairs}
    hits = [(pair.match, indexes[id(pair.card)].match(pair.asked).hit is not None) for pair in pairs]
    right = sum(match and hit for match, hit in hits)
    recall = right / sum(match for match, _ in hits)
    precision = right / sum(hit for _, hit in hits)
    print(f"recall {recall:.3f} precision {precision:.3f}")
    assert recall >= least_recall
    assert precision >= least_precision


def test_an_embedder_that_no_map_was_learnt_for_is_judged_by_plain_rule() -> None:
    found = index([card("Who painted Guernica?", "Guernica")], HashEmbedder(256), SamenessMap.load())
    assert found.match("Who painted Guernica?").hit is not None
    assert found.match("When was Guernica painted?").hit is None


def test_the_shipped_map_is_small_and_says_what_it_decides_by() -> None:
    assert ARTEFACT.stat().st_size < 1_000_000
    assert set(SamenessMap.load().weights) == {*FEATURES, "bias", "threshold"}


def test_a_file_that_is_no_map_is_refused(tmp_path: Path) -> None:
    (tmp_path / "map.safetensors").write_bytes(b"no map")
    with pytest.raises(SamenessArtefactInvalid, match="train-cards"):
        SamenessMap.load(tmp_path / "map.safetensors")


def test_hardly_any_wording_stands_under_two_relations() -> None:
    groups = wordings_by_relation()
    owners: dict[str, set[str]] = {}
    for name, wordings in groups.items():
        for wording in wordings:
            owners.setdefault(wording, set()).add(name)
    assert len(groups) > 200
    assert sum(len(names) > 1 for names in owners.values()) <= 20  # where words leave it open


def test_training_draws_wordings_of_one_relation_together() -> None:
    groups = {
        "painter": ("who painted it", "it was painted by whom"),
        "year": ("when was it made", "its year of making"),
    }
    hashed = HashEmbedder(64)
    learnt = train_map(groups, embedder=hashed, config=SamenessConfig(steps=30, learning_rate=0.01, dropout=0.0))
    one, other = hashed.embed(groups["painter"])
    before, after = float(one @ other), float(np.prod(learnt.mapped(np.stack([one, other])), axis=0).sum())
    assert after > before


def test_what_a_process_takes_back_is_no_newer_for_that(house: House) -> None:
    """Of two answers the one that people approved last is said: a crash of the worker must not decide it."""
    records = house.services.records
    one = approved(records, *PAINTER)
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with records.store.transaction():
        records.store.write("UPDATE moves SET at = :at WHERE to_status = 'approved'", at=to_text(day))
    records.ledger.start_editing([one.id])
    records.ledger.requeue_interrupted()
    again = records.ledger.get(one.id)
    assert (again.status, approved_at(again)) == (Status.APPROVED, day)
    assert approved_at(replace(again, moves=())) is None


@pytest.mark.parametrize(
    ("horizon", "valid_until", "days"),
    [
        ("never", "", None),
        (None, "", None),
        ("days", "", 2),
        ("never", "2026-01-11", 10),
        ("days", "2026-01-11", 2),
        ("months", "2026-01-11", 10),
        ("months", "2026-01-11T02:00+02:00", 10),
        ("days", "until the election", 2),
        ("never", "0001-01-01T00:00+14:00", None),
    ],
)
def test_an_answer_holds_as_long_as_such_answers_do_or_to_the_day_that_was_named(
    house: House, horizon: str | None, valid_until: str, days: int | None
) -> None:
    one, day = approved(house.services.records, *PAINTER), datetime(2026, 1, 1, tzinfo=UTC)
    found = replace(
        one,
        triage={"freshness": {"horizon": horizon}} if horizon else {},
        claim=replace(one.claim, valid_until=valid_until),
    )
    assert holds_until(found, day) == (None if days is None else day + timedelta(days=days))


def test_a_correction_whose_card_is_served_is_not_taken_for_one_that_the_weights_hold(house: House) -> None:
    one = approved(house.services.records, *PAINTER)
    made = replace(card(PAINTER[0], PAINTER[1], one.id), answered=(PAINTER[0],))
    for served, is_live in (([one], False), ([], True)):
        found = CardIndex(
            load=lambda served=served: served,
            stamp=lambda: 1,
            embedder=HashEmbedder(256),
            make=lambda _: made,
            load_live=lambda: [one],
        )
        hit = found.match(PAINTER[0]).hit
        assert hit is not None
        assert hit.card.is_left_to_the_weights(PAINTER[0]) is is_live
