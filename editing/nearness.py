"""How close edits are to one another in key: which to warn about, which to ask again."""

import random
from collections.abc import Sequence

import torch
from torch import Tensor

from editing.edit_set import Artefact

# Above this the keys of two edits are so alike that one may speak for the other (NAMET).
WARN_COSINE = 0.3


def cosines(new: Sequence[Artefact], others: Sequence[Artefact]) -> Tensor:
    """Cosine of the keys at the first edited layer, (new, others)."""
    first, second = (_directions(artefacts) for artefacts in (new, others))
    product: Tensor = first @ second.T
    return product


def too_close(new: Artefact, others: Sequence[Artefact], *, limit: float = WARN_COSINE) -> list[tuple[Artefact, float]]:
    """Others whose key is nearly parallel to the new one's, nearest first."""
    if not others:
        return []
    values = cosines([new], others)[0].tolist()
    close = [(other, value) for other, value in zip(others, values, strict=True) if value > limit]
    return sorted(close, key=lambda pair: (-pair[1], pair[0].id))


def draw_earlier(
    new: Sequence[Artefact], earlier: Sequence[Artefact], *, at_most: int = 64, seed: int = 0
) -> list[Artefact]:
    """Which live edits to ask again beside new ones: half of them the nearest in key, the rest at random."""
    if len(earlier) <= at_most:
        return list(earlier)
    ordered = sorted(earlier, key=lambda artefact: artefact.id)
    nearest = cosines(new, ordered).max(dim=0).values.tolist() if new else []
    chosen = sorted(range(len(nearest)), key=lambda i: -nearest[i])[: at_most // 2]
    rest = [i for i in range(len(ordered)) if i not in set(chosen)]
    chosen += random.Random(seed).sample(rest, at_most - len(chosen))
    return [ordered[i] for i in sorted(chosen)]


def _directions(artefacts: Sequence[Artefact]) -> Tensor:
    keys = torch.stack([artefact.direction for artefact in artefacts])
    lengths: Tensor = keys.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return keys / lengths
