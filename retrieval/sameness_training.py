"""Train the map of `sameness` from groups of questions that ask the same, their subject masked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from retrieval.embedder import Embedder
from retrieval.sameness import FORMAT, SamenessMap, unit


@dataclass(frozen=True, slots=True)
class SamenessConfig:
    """Chosen on half of the card pairs (docs/router.md)."""

    steps: int = 500
    groups_per_step: int = 96
    wordings_per_group: int = 4
    temperature: float = 0.07
    learning_rate: float = 1e-3
    weight_decay: float = 1.0
    dropout: float = 0.1
    seed: int = 7


def train_map(groups: Mapping[str, Sequence[str]], *, embedder: Embedder, config: SamenessConfig) -> SamenessMap:
    """The map under which wordings of a group lie close and those of different groups apart. Weights are left empty.

    Supervised contrastive loss over a square change of frozen embeddings, decayed towards no change.
    """
    wordings = sorted({wording for group in groups.values() for wording in group})
    vectors = dict(zip(wordings, embedder.embed(wordings), strict=True))
    chance = np.random.default_rng(config.seed)
    torch.manual_seed(config.seed)
    several = [sorted(set(group)) for group in groups.values() if len(set(group)) > 1]
    change = torch.zeros(embedder.dimension, embedder.dimension, requires_grad=True)
    optimizer = torch.optim.AdamW([change], lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    for _ in range(config.steps):
        rows, labels = [], []
        for label in chance.choice(len(several), min(config.groups_per_step, len(several)), replace=False):
            group = several[label]
            for at in chance.choice(len(group), min(config.wordings_per_group, len(group)), replace=False):
                rows.append(vectors[group[at]])
                labels.append(label)
        states = functional.dropout(torch.from_numpy(np.stack(rows)), config.dropout)
        loss = _contrastive(functional.normalize(states + states @ change, dim=1), labels, config.temperature)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    learnt = change.detach().half().float().numpy()
    bare = SamenessMap(embedder.name, learnt, np.empty((0, embedder.dimension), dtype=np.float32), {})
    centres = [bare.mapped(np.stack([vectors[text] for text in group])).mean(axis=0) for group in groups.values()]
    return SamenessMap(embedder.name, learnt, unit(np.stack(centres)).astype(np.float16).astype(np.float32), {})


def save_map(found: SamenessMap, path: Path, *, config: SamenessConfig) -> None:
    """Write the artefact: map and centres in half precision, weights and configuration beside them."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    metadata = {
        "format": FORMAT,
        "embedder": found.embedder,
        "weights": json.dumps(dict(found.weights), sort_keys=True),
        "training": json.dumps(asdict(config), sort_keys=True),
    }
    save_file(
        {"change": found.change.astype(np.float16), "centres": found.centres.astype(np.float16)},
        aside,
        metadata=metadata,
    )
    aside.replace(path)


def _contrastive(states: torch.Tensor, labels: Sequence[int], temperature: float) -> torch.Tensor:
    """The mean over wordings of how unlikely the others of their group are among all others."""
    known = torch.tensor(labels)
    itself = torch.eye(len(labels), dtype=torch.bool)
    same = (known[:, None] == known) & ~itself
    scores = (states @ states.T / temperature).masked_fill(itself, -1e9)
    likely = scores - scores.logsumexp(1, keepdim=True)
    return -(likely.masked_fill(~same, 0.0).sum(1) / same.sum(1).clamp(min=1)).mean()
