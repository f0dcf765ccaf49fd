"""Correction cards: approved answers that stand in while the weights are not (or never) changed."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from governance.corrections import Correction
from retrieval.embedder import Embedder

# Cosine between question and card, subjects masked. Measured by tests/server/test_cards.py over paraphrases of corrected
# questions and their neighbours: the lowest threshold with precision 0.99 or more.
SIMILARITY = 0.60
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


@dataclass(frozen=True, slots=True)
class CardHit:
    card: Card
    similarity: float


class CardIndex:
    """The cards in force, matched by subject and by meaning.

    A card answers a question only if its subject occurs in it *and* the rest of the question means the same: the subject
    alone would answer every question about it, the meaning alone every question of that kind.
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
            asked = self._embed([masked(question, card.subject)])[0]
            known = self._embed([masked(phrasing, card.subject) for phrasing in card.phrasings])
            similarity = float((known @ asked).max())
            # The newest approved answer wins among equals: cards are loaded oldest first.
            if similarity >= SIMILARITY and (best is None or similarity >= best.similarity):
                best = CardHit(card, similarity)
        return best

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


def normalised(text: str) -> str:
    """Case, accents of width, punctuation and possessives folded; a leading article dropped."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    plain = re.sub(r"'s\b", "", plain)
    plain = re.sub(r"[^\w\s]", " ", plain)
    return re.sub(r"^(?:the|a|an)\s+", "", " ".join(plain.split()))


def masked(question: str, subject: str) -> str:
    """The question with its subject replaced by one and the same word, so that only what is asked is compared."""
    return f" {normalised(question)} ".replace(f" {normalised(subject)} ", f" {MASK} ").strip()
