"""How close edits are to one another in key: which to warn about, which to ask again first."""

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


def nearest_first(new: Sequence[Artefact], others: Sequence[Artefact]) -> list[Artefact]:
    """The others by their nearest key among the new ones', so that those which may be disturbed most come first."""
    if not new or not others:
        return list(others)
    nearest = cosines(new, others).max(dim=0).values.tolist()
    return [others[i] for i in sorted(range(len(others)), key=lambda i: (-nearest[i], others[i].id))]


def _directions(artefacts: Sequence[Artefact]) -> Tensor:
    keys = torch.stack([artefact.direction for artefact in artefacts])
    lengths: Tensor = keys.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return keys / lengths
