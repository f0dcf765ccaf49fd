"""Learns which questions a correction card answers: the map from wordings by relation, the decision from labelled pairs."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from editing.questions.relations import relations
from editing.statements import relation_of, write_statements
from retrieval.embedder import Embedder
from retrieval.sameness import SamenessMap
from server.cards import FEATURES, Agreement, Card, agreement
from server.same_question import MASK, card_words, masked, mentions

PRECISION = 0.99  # asked of the decision when it is tried on relations that it was not fitted on
FOLDS = 8


@dataclass(frozen=True, slots=True)
class Pair:
    """A question held against a card: does it ask the same?"""

    card: Card
    group: str  # pairs of one group are never fitted and tried apart
    asked: str
    match: bool


def wordings_by_relation() -> dict[str, tuple[str, ...]]:
    """What people ask, the subject masked: the relations that editing knows, and askings.toml."""
    groups: dict[str, list[str]] = {}
    for relation in relations().values():
        for wording in (*relation.train, *relation.probe):
            for be in ("is", "was"):
                asked = wording.replace("{be}", be).replace("{s}", "Zed")
                groups.setdefault(relation.name, []).append(masked(asked, "Zed"))
    more = tomllib.loads(files("server").joinpath("askings.toml").read_text("utf-8"))
    for name, wordings in more.items():
        groups.setdefault(name, []).extend(re.sub(r"\bits\b", MASK, card_words(text)) for text in wordings)
    return {name: tuple(dict.fromkeys(group)) for name, group in groups.items()}


def card_for(question: str, subject: str) -> Card:
    """A card with the wordings that a correction of this question would get by rule."""
    written = write_statements(question, subject, "X")
    phrasings = tuple(dict.fromkeys((question, *written.paraphrases, *written.probes)))
    return Card("", subject, phrasings, written.sentence, None, relation_of(question, subject))


def read_pairs(path: Path) -> list[Pair]:
    """Rows of `question, subject, asked, match`, grouped by `relation` where given, else by `fact`."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    cards = {key: card_for(*key) for key in {(row["question"], row["subject"]) for row in rows}}
    return [
        Pair(cards[row["question"], row["subject"]], row.get("relation", row["fact"]), row["asked"], row["match"])
        for row in rows
    ]


def train_cards(pairs_file: Path, out: Path, *, embedder: Embedder) -> dict[str, float]:
    """Train, fit, and write the artefact. Comes back with recall and precision on relations left out of the fit."""
    from retrieval.sameness_training import SamenessConfig, save_map, train_map

    config = SamenessConfig()
    sameness = train_map(wordings_by_relation(), embedder=embedder, config=config)
    pairs = read_pairs(pairs_file)
    named = [pair for pair in pairs if mentions(pair.asked, pair.card.subject)]
    features = np.array([astuple(found) for found in agreements(named, sameness, embedder)], dtype=np.float64)
    labels = np.array([pair.match for pair in named], dtype=np.int64)
    logits = _cross_validated(features, labels, [pair.group for pair in named])
    threshold = _threshold(logits, labels)
    hits = logits >= threshold
    weights = {**_fitted(features, labels), "threshold": threshold}
    save_map(replace(sameness, weights=weights), out, config=config)
    wanted = sum(pair.match for pair in pairs)
    return {
        "n": len(pairs),
        "recall_left_out": float((hits & (labels == 1)).sum() / wanted),
        "precision_left_out": float(labels[hits].mean()),
        "threshold": threshold,
    }


def agreements(pairs: Sequence[Pair], sameness: SamenessMap, embedder: Embedder) -> list[Agreement]:
    """What the decision sees of each pair."""
    wordings = {masked(text, pair.card.subject) for pair in pairs for text in (*pair.card.phrasings, pair.asked)}
    texts = sorted(wordings)
    vectors = dict(zip(texts, embedder.embed(texts), strict=True))
    return [
        agreement(
            pair.asked,
            pair.card,
            vectors[masked(pair.asked, pair.card.subject)],
            np.stack([vectors[masked(text, pair.card.subject)] for text in pair.card.phrasings]),
            sameness,
        )
        for pair in pairs
    ]


def _fitted(features: NDArray[np.float64], labels: NDArray[np.int64]) -> Mapping[str, float]:
    from retrieval.freshness_net import fit_logistic

    solution, bias = fit_logistic(features, labels)
    return {**dict(zip(FEATURES, map(float, solution), strict=True)), "bias": bias}


def _cross_validated(
    features: NDArray[np.float64], labels: NDArray[np.int64], groups: Sequence[str]
) -> NDArray[np.float64]:
    """The logit of each pair by a decision that saw no pair of its group."""
    names = sorted(set(groups))
    fold = np.array([names.index(group) % FOLDS for group in groups])
    logits = np.zeros(len(labels))
    for number in range(FOLDS):
        weights = _fitted(features[fold != number], labels[fold != number])
        solution = np.array([weights[name] for name in FEATURES])
        logits[fold == number] = features[fold == number] @ solution + weights["bias"]
    return logits


def _threshold(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The lowest logit from which on the precision is enough."""
    order = np.argsort(-logits, kind="stable")
    precision = np.cumsum(labels[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(precision >= PRECISION)
    return float(logits[order[enough[-1]]]) if len(enough) else float("inf")
