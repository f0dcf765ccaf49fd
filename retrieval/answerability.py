"""How likely a passage answers a question: a calibrated score from meaning and shared words, and its threshold."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from retrieval.chunking import sentences, writes_without_spaces
from retrieval.documents import Passage
from retrieval.lexical import ASKING_WORDS

# Measured: docs/retrieval.md says how many questions are kept, and how many are answered by a neighbour, at each value.
ANSWERABLE_FROM = 0.5

# Enough to match 'ruled' with 'rules'.
_STEM = re.compile(r"\b(?:(\w{3,}?)(?:ingly|edly|ing|ies|ied|ed|es|s|e)?\b|(\w+))")

_HIRAGANA = re.compile(r"[\u3040-\u309f]+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """What question and passage have in common, each 0..1 but for the cosine.

    cosine    of question and passage
    coverage  share of the question's telling words that the passage holds
    missing   share of the question's names and numbers that the passage lacks
    sentence  the most of the question's words (by length) that one sentence holds
    pairs     share of the question's neighbouring word pairs that the passage holds
    """

    cosine: float
    coverage: float
    missing: float
    sentence: float
    pairs: float


@dataclass(frozen=True, slots=True)
class Scorer:
    """A logistic curve over the overlap; the weights are those of the fitted regression."""

    bias: float = -7.83
    cosine: float = 5.39
    coverage: float = 3.05
    missing: float = -1.49
    sentence: float = 3.80
    pairs: float = 2.56

    def logit(self, overlap: Overlap) -> float:
        """How well this passage answers this question, by itself."""
        return (
            self.bias
            + self.cosine * overlap.cosine
            + self.coverage * overlap.coverage
            + self.missing * overlap.missing
            + self.sentence * overlap.sentence
            + self.pairs * overlap.pairs
        )


@dataclass(frozen=True, slots=True)
class Contrast:
    """How far a passage must stand out: what one language, or one store, likes well is what another likes at best.

    Fitted like Scorer, on the same questions. A store with few passages has few to be held against; `seeds` passages that score
    `usual` are counted in.
    """

    bias: float = -4.16
    own: float = 1.08
    others: float = -0.98
    usual: float = -5.03
    seeds: int = 5
    beside: int = 19

    def scores(self, logits: Sequence[float]) -> list[float]:
        """0..1 for each: how likely it answers, seen beside the `beside` best that come after the best."""
        rest = sorted(logits, reverse=True)[1 : 1 + self.beside]
        mean = (sum(rest) + self.seeds * self.usual) / (len(rest) + self.seeds)
        return [1.0 / (1.0 + math.exp(-(self.bias + self.own * own + self.others * mean))) for own in logits]


class Question:
    """A question taken apart once, to be held against many passages."""

    def __init__(self, question: str) -> None:
        words = re.findall(r"\w+", question)
        telling = [word for word in words if word.casefold() not in ASKING_WORDS] or words
        self._terms = [term for word in telling for term in terms(word)]
        self._length = sum(map(len, self._terms))
        # The first word is capitalised in any case.
        self._names = [
            term
            for word in telling
            if word is not words[0] and (word[0].isupper() or word[0].isdigit())
            for term in terms(word)
        ]
        every = terms(question)
        self._pairs = list(pairwise(every))

    def overlap(self, text: str, *, cosine: float) -> Overlap:
        """What the passage's text (with its title) shares with the question, whose cosine to it is known."""
        if not self._terms:
            return Overlap(cosine, 0.0, 0.0, 0.0, 0.0)
        parts = [terms(sentence) for sentence in sentences(text)]
        every = [term for part in parts for term in part]
        held = set(every)
        pairs = set(pairwise(every)) if self._pairs else set()
        return Overlap(
            cosine,
            _share(term in held for term in self._terms),
            _share(term not in held for term in self._names),
            max((self._covered(set(part)) for part in parts), default=0.0),
            _share(pair in pairs for pair in self._pairs),
        )

    def _covered(self, held: set[str]) -> float:
        return sum(len(term) for term in self._terms if term in held) / self._length


def answerable(query: str, passages: Sequence[Passage]) -> bool:
    """Whether a passage is likely enough to answer the query; an expired one may, named as dated."""
    return bool(query.strip()) and any(passage.score >= ANSWERABLE_FROM for passage in passages)


def terms(text: str) -> list[str]:
    """The text's words without the commonest English endings; pairs of characters where words are not set apart.

    Of Japanese only pairs with something else than hiragana in them: those are grammar.
    """
    text = text.casefold()
    if text.isascii() or not writes_without_spaces(text):
        return [stem or word for stem, word in _STEM.findall(text)]
    found: list[str] = []
    for word in re.findall(r"\w+", text):
        if len(word) > 2 and writes_without_spaces(word):
            pairs = (word[at : at + 2] for at in range(len(word) - 1))
            found.extend(pair for pair in pairs if not _HIRAGANA.fullmatch(pair))
        else:
            found.extend(stem or whole for stem, whole in _STEM.findall(word))
    return found


def _share(holds: Iterable[bool]) -> float:
    found = list(holds)
    return sum(found) / len(found) if found else 0.0
