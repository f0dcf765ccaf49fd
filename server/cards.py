"""Correction cards: approved answers that stand in while the weights are not (or never) changed."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from editing.statements import relation_of
from governance.corrections import Correction
from retrieval.embedder import Embedder

# Cosine between question and card, subjects masked: enough where both ask for the same kind of thing, and where that is not
# clear. Measured over tests/data/cards.jsonl (tests/server/test_cards.py holds the figures): 840 pairs, close ones among them.
SIMILAR = 0.55
VERY_SIMILAR = 0.75
MASK = "it"


@dataclass(frozen=True, slots=True)
class Card:
    """What is served for a correction: its question in all known wordings, and the approved answer."""

    correction_id: str
    subject: str
    phrasings: tuple[str, ...]
    answer: str  # a full sentence
    source: str
    approved: datetime | None
    relation: str | None = None  # what it asks for, where a table knows it


@dataclass(frozen=True, slots=True)
class CardHit:
    card: Card
    similarity: float


class CardIndex:
    """The cards in force, matched by subject and by meaning.

    A card answers a question only if its subject occurs in it *and* the rest asks for the same thing: the subject alone would
    answer every question about it. Two questions of known relations match if the relation is the same, however they are
    worded; others must not ask for different kinds of thing (a person, a time, ...) and be close in meaning.
    """

    def __init__(
        self,
        load: Callable[[], Sequence[Correction]],
        stamp: Callable[[], int],
        embedder: Embedder,
        make: Callable[[Correction], Card],
    ) -> None:
        """`load` gives the corrections in force, `stamp` a number that changes whenever they may have."""
        self._load, self._stamp, self._embedder, self._make = load, stamp, embedder, make
        self._seen: int | None = None
        self._cards: dict[str, tuple[Card, ...]] = {}  # by normalised subject
        self._vectors: dict[str, np.ndarray] = {}  # masked phrasing -> vector
        self._lock = threading.Lock()

    def match(self, question: str) -> CardHit | None:
        """The card that answers `question`, or None."""
        self._refresh()
        plain = f" {normalised(question)} "
        candidates = [card for subject, cards in self._cards.items() if f" {subject} " in plain for card in cards]
        if not candidates:
            return None
        best: CardHit | None = None
        for card in candidates:
            similarity = self._similarity(question, card)
            # The newest approved answer wins among equals: cards are loaded oldest first.
            if similarity is not None and (best is None or similarity >= best.similarity):
                best = CardHit(card, similarity)
        return best

    def _similarity(self, question: str, card: Card) -> float | None:
        """How close the question is to the card's, 0..1; None if it asks for something else."""
        relation = relation_of(question, card.subject)
        if relation and card.relation:
            return 1.0 if relation == card.relation else None
        kinds, own = asked_kinds(question), asked_kinds(card.phrasings[0])
        if kinds and own and not kinds & own:
            return None
        asked = self._embed([masked(question, card.subject)])[0]
        known = self._embed([masked(phrasing, card.subject) for phrasing in card.phrasings])
        similarity = float((known @ asked).max())
        return similarity if similarity >= (SIMILAR if kinds == own else VERY_SIMILAR) else None

    def _refresh(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        with self._lock:
            cards: dict[str, list[Card]] = {}
            for correction in self._load():
                if correction.claim.subject:
                    cards.setdefault(normalised(correction.claim.subject), []).append(self._make(correction))
            self._cards = {subject: tuple(group) for subject, group in cards.items()}
            kept = {
                masked(phrasing, card.subject)
                for group in self._cards.values()
                for card in group
                for phrasing in card.phrasings
            }
            self._vectors = {text: vector for text, vector in self._vectors.items() if text in kept}
            self._seen = stamp

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        fresh = dict(zip(new, self._embedder.embed(new), strict=True)) if new else {}
        if len(texts) > 1:  # phrasings of cards are kept, questions are not
            self._vectors |= fresh
        return np.stack([self._vectors[text] if text in self._vectors else fresh[text] for text in texts])


KINDS = {
    "time": r"when|year|date|day|month|century|how old",
    "place": r"where|city|town|country|place|birthplace|nation|headquarters|seat|location|continent|village|home",
    "person": r"who|whom|whose|painter|author|writer|founder|composer|architect|director|inventor|discoverer|ceo|boss|chief"
    r"|spouse|wife|husband|creator",
    "amount": r"how (?:many|much|tall|long|high|far|wide|heavy|deep)|number of|length|height",
}


def asked_kinds(question: str) -> frozenset[str]:
    """The kinds of thing that a question may be asking for, by its words; empty if they do not tell."""
    plain = question.casefold()
    return frozenset(kind for kind, words in KINDS.items() if re.search(rf"\b(?:{words})\b", plain))


def normalised(text: str) -> str:
    """Case, accents of width, punctuation and possessives folded; a leading article dropped."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    plain = re.sub(r"'s\b", "", plain)
    plain = re.sub(r"[^\w\s]", " ", plain)
    return re.sub(r"^(?:the|a|an)\s+", "", " ".join(plain.split()))


def masked(question: str, subject: str) -> str:
    """The question with its subject, article and all, replaced by one and the same word: only what is asked is compared."""
    words = re.escape(normalised(subject))
    return re.sub(rf" (?:(?:the|a|an) )?{words} ", f" {MASK} ", f" {normalised(question)} ").strip()
