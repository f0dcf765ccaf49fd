"""Train the freshness head from CSV files: the same files and seed give the same head."""

import csv
import hashlib
import json
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.embedder import TransformerEmbedder
from retrieval.errors import BenchInputInvalid
from retrieval.freshness import BUCKETS, FORMAT, RECENCY_LABELS, FreshnessHead

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Example:
    """A question with what is known of it: evergreen or not, how often it changes, or both."""

    question: str
    evergreen: int | None = None
    recency: int | None = None


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What the head depends on beside the data."""

    seed: int = 7
    first_layer: int = 3  # layers below stay as they are, and are computed once
    rank: int = 16
    epochs: int = 4
    batch_size: int = 32
    learning_rate: float = 1.5e-3
    gram_epochs: int = 10
    held_back: float = 0.12
    chosen_back: float = 0.35  # of the set that calibrates; its rest trains, being most like what people ask
    recency_weight: float = 0.5
    dropout: float = 0.1


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


def read_evergreen(path: Path) -> list[Example]:
    """Rows of a CSV with the columns `question,is_evergreen`. Raises BenchInputInvalid."""
    reader = csv.DictReader(StringIO(read_text(path), newline=""))
    try:
        if not {"question", "is_evergreen"} <= set(reader.fieldnames or ()):
            raise BenchInputInvalid(
                f"{path.name!r} has the columns {reader.fieldnames}: question,is_evergreen are needed"
            )
        examples = [_labelled(row, f"line {reader.line_num} of {path.name!r}") for row in reader]
    except csv.Error as error:
        raise BenchInputInvalid(f"line {reader.line_num} of {path.name!r} is no CSV ({error}): save it anew") from error
    return _some(examples, path)


def _labelled(row: Mapping[str, str | None], place: str) -> Example:
    question, label = row["question"], row["is_evergreen"]
    if not question or not question.strip():
        raise BenchInputInvalid(f"{place} has no question: every row needs one")
    if label is None or label.strip() not in ("0", "1"):
        found = "no label" if label is None else f"the label {label!r}"
        raise BenchInputInvalid(f"{place} has {found}: is_evergreen is 1 if the answer almost never changes, else 0")
    return Example(question, evergreen=int(label))


def read_recency(path: Path) -> list[Example]:
    """Rows of a JSON Lines file with `question, recency`. Raises BenchInputInvalid."""
    examples = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            label = RECENCY_LABELS.index(row["recency"])
            examples.append(Example(str(row["question"]), evergreen=_evergreen(label), recency=label))
        except (ValueError, KeyError, TypeError) as error:
            raise BenchInputInvalid(
                f"line {number} of {path.name!r} is no row of question and recency ({error}): "
                f"recency is one of {', '.join(RECENCY_LABELS)}"
            ) from error
    return _some(examples, path)


def read_text(path: Path) -> str:
    """The text of a file, without the mark that some editors put before it. Raises BenchInputInvalid."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BenchInputInvalid(
            f"{path.name!r} is no UTF-8 text ({error.reason} at byte {error.start}): save it as UTF-8"
        ) from None


def _some(examples: list[Example], path: Path) -> list[Example]:
    if not examples:
        raise BenchInputInvalid(f"{path.name!r} holds no questions: give one a line")
    return examples


def _evergreen(label: int) -> int | None:
    """Never is evergreen, up to a few years is not; many years can be read either way."""
    return {len(RECENCY_LABELS) - 1: 1, len(RECENCY_LABELS) - 2: None}.get(label, 0)


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
    config: TrainingConfig | None = None,
    progress: Callable[[str], None] = logger.info,
) -> TrainingReport:
    """Train on a part of each set, calibrate on the rest of `choose_on`, report on what else was held back, and save.

    The head is deterministic for the same files, config, embedder, torch build and number of threads.
    Questions that calibrate or are held back never train.
    """
    from retrieval.freshness_net import train_grams, train_net

    config = config or TrainingConfig()
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


def labels_of(examples: Sequence[Example]) -> NDArray[np.int64]:
    """1 for evergreen, 0 for not; an example without the label counts as not."""
    return np.array([example.evergreen or 0 for example in examples], dtype=np.int64)


def calibrate(head: FreshnessHead, questions: Sequence[str], labels: NDArray[np.int64]) -> dict[str, float]:
    """The weights that join net and n-grams into a probability, and how near to 0.5 is unsure."""
    from retrieval.freshness_net import fit_logistic

    features = head.logits(questions)
    weights, bias = fit_logistic(features, labels)
    probabilities = 1.0 / (1.0 + np.exp(-(features @ weights + bias)))
    return {
        "net": float(weights[0]),
        "grams": float(weights[1]),
        "bias": float(bias),
        "unsure_within": unsure_margin(probabilities, labels),
    }


def unsure_margin(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], *, accuracy: float = 0.95, most: float = 0.2
) -> float:
    """The smallest distance from 0.5 beyond which decisions are this accurate, flagging no more than this share."""
    margins = np.abs(probabilities - 0.5)
    right = (probabilities >= 0.5) == (labels == 1)
    for margin in np.linspace(0.0, 0.49, 50):
        sure = margins > margin
        if 1.0 - sure.mean() > most:
            return float(max(margin - 0.01, 0.0))
        if right[sure].mean() >= accuracy:
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
