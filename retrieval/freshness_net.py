"""The learning inside the freshness head: a low-rank adapter over upper layers, and an n-gram model beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from retrieval.embedder import TransformerEmbedder
from retrieval.encoder import ADAPTED, EncoderShape, embed_tokens, pool, run_layers
from retrieval.freshness import BUCKETS, RECENCY_LABELS, grams
from retrieval.freshness_examples import Example


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


def train_net(
    examples: Sequence[Example],
    *,
    embedder: TransformerEmbedder,
    config: TrainingConfig,
    progress: Callable[[str], None],
) -> dict[str, Tensor]:
    """The adapter's factors and the head's 1 + 12 outputs, in half precision.

    Loss: binary cross entropy of evergreen where it is known, plus cross entropy of the recency label smeared one
    class to either side where that is known.
    """
    encoder = embedder.model.config
    shape = EncoderShape(
        int(encoder.num_hidden_layers), int(encoder.num_attention_heads), float(encoder.layer_norm_eps)
    )
    frozen = {name: weight.detach().float() for name, weight in embedder.model.state_dict().items()}
    generator = torch.Generator().manual_seed(config.seed)
    learnt = _initial(frozen, shape, config, generator)
    weight_decayed = [weight for name, weight in learnt.items() if not name.startswith("head.bias")]
    optimizer = torch.optim.AdamW(
        [{"params": weight_decayed, "weight_decay": 0.01}, {"params": [learnt["head.bias"]], "weight_decay": 0.0}],
        lr=config.learning_rate,
    )
    batches = _batches(examples, config.batch_size)
    lower = [
        _lower_states(embedder, frozen, [examples[row].question for row in rows], shape, config) for rows in batches
    ]
    steps = config.epochs * len(batches)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / (0.06 * steps), max(0.0, (steps - step) / (0.94 * steps)))
    )
    upper = range(config.first_layer, shape.layers)
    for epoch in range(config.epochs):
        total = 0.0
        for at in torch.randperm(len(batches), generator=generator).tolist():
            states, mask = lower[at]
            pooled = pool(run_layers({**frozen, **learnt}, states, mask, upper, shape=shape), mask)
            keep = torch.rand(pooled.shape, generator=generator) >= config.dropout
            logits = (pooled * keep / (1 - config.dropout)) @ learnt["head.weight"].T + learnt["head.bias"]
            loss = _loss(logits, [examples[row] for row in batches[at]], config)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(list(learnt.values()), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        progress(f"epoch {epoch + 1} of {config.epochs}: loss {total / len(batches):.4f}")
    return {name: weight.detach().half().contiguous() for name, weight in learnt.items()}


def train_grams(examples: Sequence[Example], *, config: TrainingConfig) -> Tensor:
    """One weight per bucket of n-grams, by logistic regression with weight decay, in half precision."""
    known = [example for example in examples if example.evergreen is not None]
    found = [torch.from_numpy(grams(example.question)) for example in known]
    labels = torch.tensor([float(example.evergreen or 0) for example in known])
    generator = torch.Generator().manual_seed(config.seed)
    weights = torch.zeros(BUCKETS, 1, requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=0.02)
    for _ in range(config.gram_epochs):
        for rows in torch.split(torch.randperm(len(known), generator=generator), 256):
            indices = [found[row] for row in rows.tolist()]
            offsets = torch.tensor([0, *[len(some) for some in indices[:-1]]]).cumsum(0)
            logits = functional.embedding_bag(torch.cat(indices), weights, offsets, mode="sum").squeeze(1)
            # Rare n-grams are pulled to zero, or they would learn the training questions by heart.
            loss = functional.binary_cross_entropy_with_logits(logits, labels[rows]) + 3e-4 * weights.square().sum()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return weights.detach().squeeze(1).half()


def fit_logistic(features: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
    """Weights and bias of a lightly damped logistic regression on a few features, by Newton's method."""
    design = np.column_stack([features, np.ones(len(features))])
    damping = np.diag([*[1e-2] * features.shape[1], 1e-6])
    solution = np.zeros(design.shape[1])
    for _ in range(50):
        probabilities = 1.0 / (1.0 + np.exp(-np.clip(design @ solution, -30, 30)))
        gradient = design.T @ (probabilities - labels) + damping @ solution
        curvature = design.T @ (design * (probabilities * (1 - probabilities))[:, None]) + damping
        step = np.linalg.solve(curvature, gradient)
        solution = solution - step
        if np.abs(step).max() < 1e-9:
            break
    return solution[:-1], float(solution[-1])


def _initial(
    frozen: dict[str, Tensor], shape: EncoderShape, config: TrainingConfig, generator: torch.Generator
) -> dict[str, Tensor]:
    learnt: dict[str, Tensor] = {}
    for layer in range(config.first_layer, shape.layers):
        for part in ADAPTED:
            name = f"encoder.layer.{layer}.{part}"
            rows, columns = frozen[f"{name}.weight"].shape
            down = torch.randn(config.rank, columns, generator=generator) / columns**0.5
            learnt[f"{name}.down"] = down.requires_grad_()
            learnt[f"{name}.up"] = torch.zeros(rows, config.rank, requires_grad=True)
    width = 2 * frozen["embeddings.word_embeddings.weight"].shape[1]
    outputs = 1 + len(RECENCY_LABELS)
    learnt["head.weight"] = (torch.randn(outputs, width, generator=generator) * 0.02).requires_grad_()
    learnt["head.bias"] = torch.zeros(outputs, requires_grad=True)
    return learnt


def _batches(examples: Sequence[Example], size: int) -> list[list[int]]:
    """Rows of like length together; which batch comes when is drawn anew each epoch."""
    order = sorted(range(len(examples)), key=lambda row: len(examples[row].question))
    return [order[start : start + size] for start in range(0, len(order), size)]


def _lower_states(
    embedder: TransformerEmbedder,
    frozen: dict[str, Tensor],
    questions: Sequence[str],
    shape: EncoderShape,
    config: TrainingConfig,
) -> tuple[Tensor, Tensor]:
    inputs = embedder.tokens(questions)
    with torch.no_grad():
        states = embed_tokens(frozen, inputs["input_ids"], shape=shape)
        mask = inputs["attention_mask"]
        return run_layers(frozen, states, mask, range(config.first_layer), shape=shape), mask


def _loss(logits: Tensor, examples: Sequence[Example], config: TrainingConfig) -> Tensor:
    known = [row for row, example in enumerate(examples) if example.evergreen is not None]
    dated = [row for row, example in enumerate(examples) if example.recency is not None]
    loss = logits.new_zeros(())
    if known:
        targets = logits.new_tensor([float(examples[row].evergreen or 0) for row in known])
        loss = loss + functional.binary_cross_entropy_with_logits(logits[known, 0], targets) * len(known) / len(
            examples
        )
    if dated:
        targets = torch.stack([_smeared(examples[row].recency or 0) for row in dated])
        loss = loss + (
            config.recency_weight * functional.cross_entropy(logits[dated, 1:], targets) * len(dated) / len(examples)
        )
    return loss


def _smeared(label: int) -> Tensor:
    """The label's class with its neighbours, summing to one."""
    target = torch.zeros(len(RECENCY_LABELS))
    target[max(0, label - 1) : label + 2] = 0.1
    target[label] = 0.8
    return target / target.sum()
