"""Correction cards: approved answers that stand in where the weights are not changed, or were not heard to hold."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from editing.statements import relation_of, write_statements
from editing.wording import same_answer
from governance.corrections import Correction, Status
from retrieval.embedder import Embedder, Vectors
from retrieval.freshness import Horizon
from retrieval.sameness import SamenessMap
from server.same_question import ask_different_kinds, asked_kinds, card_words, masked, names_beside, numbers

# For an embedder that no map was learnt for. Cosine between question and card, subjects masked: enough where both ask for the
# same kind of thing, and where that is not clear. Chosen with the embedded one: recall 0.88 at precision 0.96.
SIMILAR = 0.55
VERY_SIMILAR = 0.75
ABOUT_EQUAL = 0.1
# Log odds below the threshold of an answer at which a correction's entry may still be shown as a passage: on the 200 facts of our
# own it then speaks to every wording of its question and to .06 of the other questions about its subject.
NEARLY = 2.0


@dataclass(frozen=True, slots=True)
class Card:
    """What is served for a correction: its question in all known wordings, and the approved answer."""

    correction_id: str
    subject: str
    phrasings: tuple[str, ...]
    answer: str  # a full sentence
    approved: datetime | None
    relation: str | None = None  # what it asks for, where a table knows it
    claim: str = ""  # the answer alone, as it was approved
    live: bool = False  # the served weights hold it
    answered: tuple[str, ...] = ()  # wordings in which the gate heard the answer from these weights
    holds_until: datetime | None = None  # what is said later than this is said with its date

    def is_left_to_the_weights(self, question: str) -> bool:
        """Whether the served weights hold the correction and were heard to give its answer in these very words."""
        return self.live and card_words(question) in map(card_words, self.answered)

    def said(self, at: datetime) -> Card:
        """The card as it answers then: with the date of its approval once such answers have often changed."""
        if self.holds_until is None or at < self.holds_until or self.approved is None:
            return self
        day = self.approved.astimezone(UTC).date().isoformat()
        return replace(self, answer=f"{self.answer} (As of {day}; this may have changed since.)")


def approved_at(correction: Correction) -> datetime | None:
    """When people approved it last: what a process takes back and starts again is no newer for that."""
    moves = (move for move in correction.moves if move.to_status is Status.APPROVED and move.role != "system")
    return max((move.at for move in moves), default=None)


def holds_until(correction: Correction, at: datetime) -> datetime | None:
    """Until when an answer that was right then counts as right: as long as triage says that such answers do, or until the day
    that its reporter named, if that is earlier."""
    horizon = correction.triage.get("freshness", {}).get("horizon")
    predicted = Horizon(horizon).expires_after(at) if horizon else None
    return min((end for end in (predicted, _moment(correction.claim.valid_until)) if end is not None), default=None)


def _moment(text: str) -> datetime | None:
    """A moment or the start of a day, UTC where no zone is given; None for what is neither: reporters write what they like."""
    try:
        named = datetime.fromisoformat(text)
        return (named if named.tzinfo else named.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def card_of(correction: Correction) -> Card:
    """The card of a correction: its wordings, reported and generated, and the full sentence that answers them."""
    claim = correction.claim
    question = claim.asked
    written = write_statements(question, claim.subject, claim.correct_answer)
    approved = approved_at(correction)
    phrasings = (
        question,
        claim.question,
        *correction.paraphrases,
        *correction.probes,
        *written.paraphrases,
        *written.probes,
    )
    return Card(
        correction_id=correction.id,
        subject=claim.subject,
        phrasings=tuple(dict.fromkeys(phrasings)),
        answer=written.sentence,
        approved=approved,
        relation=relation_of(question, claim.subject),
        claim=claim.correct_answer,
        answered=tuple(correction.report.get("answered", (question,))),
        holds_until=holds_until(correction, approved) if approved else None,
    )


@dataclass(frozen=True, slots=True)
class CardHit:
    card: Card
    similarity: float  # 0..1: how likely both ask the same
    over: tuple[Card, ...] = ()  # cards that answer the question otherwise, and were approved before this one


@dataclass(frozen=True, slots=True)
class Matched:
    """What the cards say to a question.

    hit   the card that answers it
    near  corrections that answer it, or might: their entries may be shown as passages
    """

    hit: CardHit | None = None
    near: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Agreement:
    """What speaks for and against a question asking the same as a card, subjects masked in both.

    close, plain, margin  of the wordings (`retrieval.sameness.Likeness`)
    same, other           both ask for a relation that the tables know by name: for the same one, for another one
    other_kind            their words ask for different kinds of thing (a person, a time, ...)
    """

    close: float
    plain: float
    margin: float
    same: bool
    other: bool
    other_kind: bool

    def logit(self, weights: Mapping[str, float]) -> float:
        """The log odds that both ask the same."""
        return weights["bias"] + sum(weights[name] * float(getattr(self, name)) for name in FEATURES)


FEATURES = ("close", "plain", "margin", "same", "other", "other_kind")


def agreement(question: str, card: Card, asked: Vectors, known: Vectors, sameness: SamenessMap) -> Agreement:
    """`asked` and `known` are the vectors of the masked question and of the card's masked wordings."""
    found = sameness.likeness(asked, known)
    relation = relation_of(question, card.subject)
    both = bool(relation and card.relation)
    return Agreement(
        found.close,
        found.plain,
        found.margin,
        same=both and relation == card.relation,
        other=both and relation != card.relation,
        other_kind=ask_different_kinds(question, card.phrasings[0]),
    )


class CardIndex:
    """The cards in force, matched by subject and by meaning.

    A card answers a question only if its subject occurs in it *and* the rest asks for the same thing: the subject alone would
    answer every question about it. Whether it does is a logistic decision over `Agreement`; docs/router.md has its figures.
    """

    def __init__(
        self,
        load: Callable[[], Sequence[Correction]],
        stamp: Callable[[], int],
        embedder: Embedder,
        make: Callable[[Correction], Card],
        sameness: SamenessMap | None = None,
        load_live: Callable[[], Sequence[Correction]] = tuple,
    ) -> None:
        """`load` gives what cards answer, `load_live` what the weights hold, oldest approval first; `stamp` is a number that
        changes whenever they may have."""
        self._load_live = load_live
        self._made: dict[str, tuple[Correction, Card]] = {}
        self._sameness = sameness if sameness is not None and sameness.embedder == embedder.name else None
        self._load, self._stamp, self._embedder, self._make = load, stamp, embedder, make
        self._seen: int | None = None
        self._cards: dict[str, tuple[Card, ...]] = {}  # by the words of their subject
        self._vectors: dict[str, np.ndarray] = {}  # masked phrasing -> vector
        self._lock = threading.Lock()

    def match(self, question: str) -> Matched:
        """The card that answers `question`, if one does, and which might."""
        self._refresh()
        plain = f" {card_words(question)} "
        groups = [cards for subject, cards in self._cards.items() if f" {subject} " in plain]
        candidates = [card for cards in groups for card in cards]
        # Where words have no spaces between them no card is weighed, but its subject can be seen.
        seen = [
            c for subject, cards in self._cards.items() if not subject.isascii() and subject in plain for c in cards
        ]
        weighed = [weight for cards in groups for weight in self._weigh(question, cards)]
        nearly = [card for card, _, margin in weighed if margin >= -NEARLY]
        near = frozenset(card.correction_id for card in (*nearly, *(c for c in seen if c not in candidates)))
        hits = [
            CardHit(card, similarity)
            for card, similarity, margin in weighed
            if margin >= 0 and not asks_of_another(question, card)
        ]
        if not hits:
            return Matched(None, near)
        # Among those that fit about equally well the newest approved answer wins.
        best = max(hit.similarity for hit in hits)
        fitting = sorted((hit for hit in hits if hit.similarity >= best - ABOUT_EQUAL), key=lambda hit: _age(hit.card))
        newest = fitting[-1]
        others = (hit.card for hit in fitting[:-1] if not same_answer(hit.card.claim, newest.card.claim))
        return Matched(replace(newest, over=tuple(others)), near)

    def _weigh(self, question: str, cards: Sequence[Card]) -> Iterator[tuple[Card, float, float]]:
        """Each card of one subject with how likely the question asks the same, 0..1, and by how much that is enough: log odds
        with a map."""
        asked = self._embed([masked(question, cards[0].subject)])[0]
        for card in cards:
            yield card, *self._likeness(question, card, asked)

    def _likeness(self, question: str, card: Card, asked: np.ndarray) -> tuple[float, float]:
        known = self._embed([masked(phrasing, card.subject) for phrasing in card.phrasings])
        if self._sameness is not None:
            weights = self._sameness.weights
            logit = agreement(question, card, asked, known, self._sameness).logit(weights)
            return 1 / (1 + math.exp(-logit)), logit - weights["threshold"]
        relation = relation_of(question, card.subject)
        if relation and card.relation:
            return (1.0, 0.0) if relation == card.relation else (0.0, -math.inf)
        similarity = float((known @ asked).max())
        if similarity < SIMILAR or ask_different_kinds(question, card.phrasings[0]):
            return similarity, -math.inf
        alike = asked_kinds(question) == asked_kinds(card.phrasings[0])
        return similarity, 0.0 if alike or similarity >= VERY_SIMILAR else -NEARLY

    def _refresh(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        with self._lock:
            if stamp == self._seen:  # another thread has just done it
                return
            cards: dict[str, list[Card]] = {}
            served = self._load()
            ids = {correction.id for correction in served}
            both = (*self._load_live(), *served)
            self._made = {correction.id: (correction, self._card(correction)) for correction in both}
            for correction, card in self._made.values():
                if card.subject:
                    found = replace(card, live=correction.id not in ids)
                    cards.setdefault(card_words(card.subject), []).append(found)
            self._cards = {subject: tuple(group) for subject, group in cards.items()}
            kept = {
                masked(phrasing, card.subject)
                for group in self._cards.values()
                for card in group
                for phrasing in card.phrasings
            }
            self._vectors = {text: vector for text, vector in self._vectors.items() if text in kept}
            self._seen = stamp

    def _card(self, correction: Correction) -> Card:
        """Writing a card's wordings takes a while: one that did not change is kept."""
        known = self._made.get(correction.id)
        return known[1] if known is not None and known[0] == correction else self._make(correction)

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        known = self._vectors  # replaced, never changed: other threads read it
        new = [text for text in dict.fromkeys(texts) if text not in known]
        vectors = known | dict(zip(new, self._embedder.embed(new), strict=True)) if new else known
        if len(texts) > 1:  # phrasings of cards are kept, questions are not
            self._vectors = vectors
        return np.stack([vectors[text] for text in texts])


def _age(card: Card) -> float:
    return card.approved.timestamp() if card.approved else 0.0


def asks_of_another(question: str, card: Card) -> bool:
    """Whether the question asks for another year or ordinal than every wording of the card, or the subject stands in it as a part
    of a longer name: the meaning of the words hardly tells these."""
    wordings = [masked(wording, card.subject) for wording in card.phrasings]
    if numbers(masked(question, card.subject)) not in map(numbers, wordings):
        return True
    known = {word for wording in card.phrasings for word in card_words(wording).split()}
    return any(word not in known for word in map(card_words, names_beside(question, card.subject)))
