"""AlphaEdit: MEMIT confined to directions that ordinary text hardly uses, for comparison."""

from collections.abc import Sequence

import torch
from torch import Tensor

from editing.editor import Editor
from editing.memit.solve import Covariance, Part, whole_system
from editing.methods import Edited, Groups, Written, memit
from editing.progress import Progress

# Directions of least energy that together hold this share of the covariance's trace are free to be written to.
# The published cut is an absolute eigenvalue (2e-2), which depends on the model's scale.
TRACE_SHARE = 0.1


def alphaedit(editor: Editor, groups: Groups, written: Written, progress: Progress) -> Edited:
    """Joint solve of all facts in the null space of ordinary text. Fang et al. 2024, arXiv:2410.02355."""
    return memit(editor.under(editor.config.at_subject_alone(), in_null_space), groups, written, progress)


def in_null_space(parts: Sequence[Part], covariance: Covariance, *, weight: float) -> Tensor:
    """delta = R Kᵀ P (K Kᵀ P + μI)⁻¹, equal to R (Kᵀ P K + μI)⁻¹ Kᵀ P with P the projection on the free directions.

    weight  as MEMIT's λ, times the free directions' mean energy: the same price per direction
    """
    keys, residuals = whole_system(parts, covariance.device)
    energy, directions = covariance.spectrum
    free = energy.cumsum(0) <= TRACE_SHARE * energy.sum()
    free[0] = True
    basis = directions[:, free]
    projected = basis @ (basis.T @ keys)
    price = weight * float(energy[free].mean().clamp_min(0)) + 1e-12
    system = projected.T @ projected
    system = (system + system.T) / 2 + price * torch.eye(keys.shape[1], dtype=system.dtype, device=system.device)
    change: Tensor = residuals @ torch.linalg.solve(system, projected.T)
    return change
