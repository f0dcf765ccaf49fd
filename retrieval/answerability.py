"""How likely a passage answers a question: a calibrated score from cosine and covered words, and its threshold."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.documents import Passage
from retrieval.lexical import ASKING_WORDS


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a found passage before it is scored."""

    text: str
    title: str
    cosine: float
    bm25: float


@dataclass(frozen=True, slots=True)
class Scorer:
    """A logistic curve over cosine and the share of the question's words that the passage holds."""

    bias: float
    cosine: float
    coverage: float

    @classmethod
    def load(cls) -> "Scorer":
        """The one that was fitted on the development questions; docs/retrieval.md has its figures."""
        return cls(bias=-6.0, cosine=7.0, coverage=3.0)

    def score(self, question: str, evidence: Evidence) -> float:
        """0..1: does this passage answer this question?"""
        covered = coverage(question, f"{evidence.title} {evidence.text}")
        return 1.0 / (1.0 + math.exp(-(self.bias + self.cosine * evidence.cosine + self.coverage * covered)))


ANSWERABLE_FROM = 0.5


def answerable(query: str, passages: Sequence[Passage]) -> bool:
    """Whether a passage is likely enough to answer the query; an expired one may, named as dated."""
    return bool(query.strip()) and any(passage.score >= ANSWERABLE_FROM for passage in passages)


def coverage(question: str, text: str) -> float:
    """Share of the question's telling words whose stem occurs in the text, long words counting more."""
    present = {stem(word) for word in re.findall(r"\w+", text.casefold())}
    words = {stem(word) for word in re.findall(r"\w+", question.casefold()) if word not in ASKING_WORDS}
    total = sum(len(word) for word in words)
    return sum(len(word) for word in words if word in present) / total if total else 0.0


def stem(word: str) -> str:
    """A word without the commonest English endings: enough to match 'ruled' with 'rules'."""
    for ending in ("ingly", "edly", "ing", "ies", "ied", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
