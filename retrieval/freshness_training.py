"""Train the freshness head from CSV files: the same files and seed give the same head."""

import hashlib
import json
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.embedder import TransformerEmbedder
from retrieval.freshness import BUCKETS, FORMAT, RECENCY_LABELS, FreshnessHead
from retrieval.freshness_examples import Example, labels_of, read_evergreen, read_recency
from retrieval.freshness_net import TrainingConfig, fit_logistic, train_grams, train_net

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """How well the head does on what it never saw. `chosen_on` is the set that calibrated it, the rest only report."""

    examples: int
    chosen_on: Mapping[str, float]
    held_back: Mapping[str, float]
    within_one_class: float
    unsure_within: float
    unsure_share: float
    bytes: int


def split(examples: Sequence[Example], share: float, *, seed: int) -> tuple[list[Example], list[Example]]:
    """(to train on, held back). A question falls on the same side in every run, whatever its neighbours."""
    kept: list[Example] = []
    held: list[Example] = []
    for example in examples:
        digest = hashlib.sha256(f"{seed}:{example.question.strip().casefold()}".encode()).digest()
        (held if int.from_bytes(digest[:4], "big") / 2**32 < share else kept).append(example)
    return kept, held


def train_freshness(
    evergreen: Sequence[Path],
    recency: Sequence[Path],
    choose_on: Path,
    *,
    embedder: TransformerEmbedder,
    output: Path,
    progress: Callable[[str], None] = logger.info,
) -> TrainingReport:
    """Train on a part of each set, calibrate on the rest of `choose_on`, report on what else was held back, and save.

    The head is deterministic for the same files, embedder, torch build and number of threads.
    Questions that calibrate or are held back never train.
    """
    config = TrainingConfig()
    shown, chosen = split(read_evergreen(choose_on), config.chosen_back, seed=config.seed)
    unseen = {example.question.strip().casefold() for example in chosen}
    rows = [example for path in evergreen for example in read_evergreen(path)]
    rows = [example for example in rows if example.question.strip().casefold() not in unseen]
    kept, held = split(rows, config.held_back, seed=config.seed)
    kept_recency, held_recency = split(
        [example for path in recency for example in read_recency(path)], config.held_back, seed=config.seed
    )
    training = [*kept, *shown, *[e for e in kept_recency if e.question.strip().casefold() not in unseen]]
    random.Random(config.seed).shuffle(training)

    tensors = train_net(training, embedder=embedder, config=config, progress=progress)
    tensors["grams"] = train_grams(training, config=config)
    neutral = {"net": 1.0, "grams": 0.0, "bias": 0.0, "unsure_within": 0.0}
    head = FreshnessHead(embedder, tensors, neutral)
    settings = calibrate(head, [e.question for e in chosen], labels_of(chosen))
    _save(output, tensors, settings, embedder.name, config)

    head = FreshnessHead.load(output, embedder=embedder)
    found = head.predict([e.question for e in held])
    unsure = [not decision.confident for decision in head.predict([e.question for e in chosen])]
    labels = [decision.recency for decision in head.predict([e.question for e in held_recency])]
    near = [
        abs(RECENCY_LABELS.index(label) - (e.recency or 0)) <= 1 for label, e in zip(labels, held_recency, strict=True)
    ]
    return TrainingReport(
        examples=len(training),
        chosen_on=figures(
            np.array([d.probability for d in head.predict([e.question for e in chosen])]), labels_of(chosen)
        ),
        held_back=figures(np.array([d.probability for d in found]), labels_of(held)),
        within_one_class=float(np.mean(near)) if near else 0.0,
        unsure_within=settings["unsure_within"],
        unsure_share=float(np.mean(unsure)),
        bytes=output.stat().st_size,
    )


def calibrate(head: FreshnessHead, questions: Sequence[str], labels: NDArray[np.int64]) -> dict[str, float]:
    """The weights that join net and n-grams into a probability, and how near to 0.5 is unsure."""
    features = head.logits(questions)
    weights, bias = fit_logistic(features, labels)
    probabilities = 1.0 / (1.0 + np.exp(-(features @ weights + bias)))
    return {
        "net": float(weights[0]),
        "grams": float(weights[1]),
        "bias": float(bias),
        "unsure_within": unsure_margin(probabilities, labels),
    }


def unsure_margin(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The smallest distance from 0.5 beyond which 95 % of decisions are right, flagging no more than a fifth of all."""
    margins = np.abs(probabilities - 0.5)
    right = (probabilities >= 0.5) == (labels == 1)
    for margin in np.linspace(0.0, 0.49, 50):
        sure = margins > margin
        if 1.0 - sure.mean() > 0.2:
            return float(max(margin - 0.01, 0.0))
        if right[sure].mean() >= 0.95:
            return float(margin)
    return 0.49


def figures(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, float]:
    """Weighted and macro F1, accuracy, and expected calibration error over ten bins of equal width."""
    guesses = (probabilities >= 0.5).astype(np.int64)
    per_class = [_f1(guesses == label, labels == label) for label in (0, 1)]
    shares = [float(np.mean(labels == label)) for label in (0, 1)]
    bins = np.minimum((probabilities * 10).astype(int), 9)
    ece = sum(
        float(np.mean(bins == b)) * abs(float(probabilities[bins == b].mean()) - float(labels[bins == b].mean()))
        for b in range(10)
        if np.any(bins == b)
    )
    return {
        "n": float(len(labels)),
        "weighted_f1": shares[0] * per_class[0] + shares[1] * per_class[1],
        "macro_f1": sum(per_class) / 2,
        "accuracy": float(np.mean(guesses == labels)),
        "ece": ece,
    }


def _f1(guessed: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    hits = float(np.sum(guessed & true))
    return 2 * hits / (float(np.sum(guessed)) + float(np.sum(true))) if hits else 0.0


def _save(
    output: Path, tensors: Mapping[str, object], settings: Mapping[str, float], embedder: str, config: TrainingConfig
) -> None:
    from safetensors.torch import save_file

    output.parent.mkdir(parents=True, exist_ok=True)
    aside = output.with_suffix(".part")
    metadata = {
        "format": FORMAT,
        "embedder": embedder,
        "settings": json.dumps(dict(settings), sort_keys=True),
        "training": json.dumps(asdict(config), sort_keys=True),
        "buckets": str(BUCKETS),
    }
    save_file(dict(tensors), aside, metadata=metadata)  # type: ignore[arg-type]
    aside.replace(output)
