"""Will the answer still be true tomorrow, and for how long: a small head over the embedding model."""

import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retrieval.embedder import TransformerEmbedder, load_embedder
from retrieval.errors import FreshnessArtefactInvalid

if TYPE_CHECKING:
    from torch import Tensor

ARTEFACT = Path(__file__).parent / "models" / "freshness.safetensors"
FORMAT = "errata-freshness-1"
BUCKETS = 1 << 15
MAX_QUESTION_CHARACTERS = 2_000

# RecencyQA's twelve labels in their order: how often the answer changes.
RECENCY_LABELS = (
    "An-Hour",
    "A-Few-Hours",
    "A-Day",
    "A-Few-Days",
    "A-Week",
    "A-Few-Weeks",
    "A-Month",
    "A-Few-Months",
    "A-Year",
    "A-Few-Years",
    "Many-Years",
    "Never",
)


class Horizon(StrEnum):
    """For how long an answer holds, in the steps that people think in."""

    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"
    NEVER = "never"

    def expires_after(self, moment: datetime) -> datetime | None:
        """The default end of a knowledge entry that was true at this moment; None: it does not end."""
        days = {"hours": 0.125, "days": 2, "weeks": 14, "months": 90, "years": 730}
        return None if self is Horizon.NEVER else moment.astimezone(UTC) + timedelta(days=days[self.value])


_HORIZONS = (
    *[Horizon.HOURS] * 2,
    *[Horizon.DAYS] * 2,
    *[Horizon.WEEKS] * 2,
    *[Horizon.MONTHS] * 2,
    *[Horizon.YEARS] * 3,
    Horizon.NEVER,
)


@dataclass(frozen=True, slots=True)
class Freshness:
    """One decision.

    evergreen    whether the answer almost never changes
    probability  of being evergreen, calibrated
    horizon      for how long the answer holds; `never` exactly if evergreen
    recency      the same as one of RecencyQA's labels, judged apart from `evergreen`
    confident    False: too close to call, a person should look
    """

    evergreen: bool
    probability: float
    horizon: Horizon
    recency: str
    confident: bool


class FreshnessHead:
    """An adapter over the embedding model's upper layers and an n-gram model, joined and calibrated.

    Safe to call from several threads. Knows the embedded MiniLM only: retrieval may use another embedder beside it.
    """

    def __init__(self, embedder: TransformerEmbedder, tensors: "dict[str, Tensor]", settings: dict[str, float]) -> None:
        from retrieval.encoder import EncoderShape, FusedEncoder

        config = embedder.model.config
        self._embedder = embedder
        self._shape = EncoderShape(
            int(config.num_hidden_layers), int(config.num_attention_heads), float(config.layer_norm_eps)
        )
        self._settings = settings
        self._grams = tensors["grams"].float().numpy()
        self._weights = merged(dict(embedder.model.state_dict()), tensors)
        self._encoder = FusedEncoder(self._weights, self._shape)
        changed = [int(name.split(".")[2]) for name in tensors if name.startswith("encoder.layer.")]
        self._first = min(changed, default=self._shape.layers)  # below it the layers are the embedding model's own

    @classmethod
    def load(cls, path: Path | None = None, *, embedder: TransformerEmbedder | None = None) -> "FreshnessHead":
        """The shipped head, or the one in this file. Raises FreshnessArtefactInvalid."""
        from safetensors import SafetensorError, safe_open

        path = path or ARTEFACT
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        except (OSError, SafetensorError) as error:
            raise FreshnessArtefactInvalid(
                f"cannot read the freshness head {path.name!r} ({error}): train one with 'errata router train'"
            ) from error
        if metadata.get("format") != FORMAT:
            raise FreshnessArtefactInvalid(
                f"{path.name!r} has format {metadata.get('format')!r}, expected {FORMAT!r}: train it anew"
            )
        if embedder is None or embedder.name != metadata["embedder"]:
            embedder = load_embedder()
        if embedder.name != metadata["embedder"]:
            raise FreshnessArtefactInvalid(
                f"{path.name!r} was trained over {metadata['embedder']!r}, not {embedder.name!r}: train it anew"
            )
        return cls(embedder, tensors, json.loads(metadata["settings"]))

    def predict(self, questions: Sequence[str]) -> list[Freshness]:
        """One decision per question. An unsure one is flagged, never left out."""
        cut = [question[:MAX_QUESTION_CHARACTERS] for question in questions]
        decisions: list[Freshness | None] = [None] * len(cut)
        order = sorted(range(len(cut)), key=lambda row: len(cut[row]))
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            for row, decision in zip(rows, self._decide([cut[row] for row in rows]), strict=True):
                decisions[row] = decision
        return [decision for decision in decisions if decision is not None]

    def logits(self, questions: Sequence[str]) -> NDArray[np.float64]:
        """What net and n-grams say of evergreen before they are joined, (n, 2)."""
        parts = [self._forward(questions[start : start + 64]) for start in range(0, len(questions), 64)]
        return np.column_stack(
            [np.concatenate([net[:, 0] for net, _ in parts]), np.concatenate([found for _, found in parts])]
        )

    def _decide(self, questions: Sequence[str]) -> list[Freshness]:
        net, gram_logits = self._forward(questions)
        exps = np.exp(net[:, 1:] - net[:, 1:].max(axis=1, keepdims=True))
        recency = exps / exps.sum(axis=1, keepdims=True)
        combined = self._settings["net"] * net[:, 0] + self._settings["grams"] * gram_logits + self._settings["bias"]
        return [
            decide(float(1.0 / (1.0 + np.exp(-logit))), row, unsure_within=self._settings["unsure_within"])
            for logit, row in zip(combined, recency, strict=True)
        ]

    def _forward(self, questions: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The net's 1 + 12 outputs, (n, 13), and the n-grams' one, (n,)."""
        import torch

        from retrieval.encoder import pool

        with torch.inference_mode():
            shared = self._embedder.lower(questions, self._first)
            inputs = shared[0] if shared else self._embedder.tokens(questions)
            states = shared[1] if shared else self._encoder.embedded(inputs["input_ids"])
            above = range(self._first if shared else 0, self._shape.layers)
            states = self._encoder.run(states, inputs["attention_mask"], above)
            pooled = pool(states, inputs["attention_mask"])
            logits = pooled @ self._weights["head.weight"].T + self._weights["head.bias"]
        gram_logits = np.array([float(self._grams[grams(question)].sum()) for question in questions])
        return logits.double().numpy(), gram_logits


def merged(weights: "dict[str, Tensor]", tensors: "dict[str, Tensor]") -> "dict[str, Tensor]":
    """The encoder's weights with the low-rank changes added, and the head; the inputs are left as they are."""
    from retrieval.encoder import ADAPTED

    result = {name: weight.float().cpu() for name, weight in weights.items()}
    for name in tensors:
        if not name.endswith(".down"):
            continue
        target = name.removesuffix(".down")
        if not target.endswith(ADAPTED):
            raise FreshnessArtefactInvalid(f"the adapter names {target!r}, which is no linear map of the encoder")
        change = tensors[f"{target}.up"].float() @ tensors[name].float()
        result[f"{target}.weight"] = result[f"{target}.weight"] + change
    result["head.weight"] = tensors["head.weight"].float()
    result["head.bias"] = tensors["head.bias"].float()
    return result


def decide(probability: float, recency: NDArray[np.float64], *, unsure_within: float) -> Freshness:
    """One decision from the probability of evergreen and the twelve of recency."""
    evergreen = probability >= 0.5
    label = best_label(recency)
    changing = recency[:-1]
    horizon = Horizon.NEVER if evergreen else _HORIZONS[best_label(changing)]
    return Freshness(evergreen, probability, horizon, RECENCY_LABELS[label], abs(probability - 0.5) > unsure_within)


def best_label(probabilities: NDArray[np.float64]) -> int:
    """The label whose neighbourhood of one class either side is likeliest to hold the truth, then the likeliest."""
    padded = np.concatenate([[0.0], probabilities, [0.0]])
    around = padded[:-2] + padded[1:-1] + padded[2:]
    return int(np.argmax(around + 1e-3 * probabilities))


def grams(question: str) -> NDArray[np.int64]:
    """Buckets of the question's one to three neighbouring words, its start marked, digits levelled."""
    words = ["^", *re.findall(r"[^\W\d]+|\d+|[^\w\s]", question.casefold()), "$"]
    words = [("#" * len(word)) if word.isdigit() else word for word in words]
    found = {
        zlib.crc32(" ".join(words[start : start + size]).encode()) % BUCKETS
        for size in (1, 2, 3)
        for start in range(len(words) - size + 1)
    }
    return np.array(sorted(found), dtype=np.int64)
