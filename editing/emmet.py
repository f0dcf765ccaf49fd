"""EMMET: the equality-constrained twin of MEMIT, for comparison."""

from dataclasses import replace

import torch
from torch import Tensor

from editing.editor import Editor
from editing.memit.solve import LowRankDelta, solve
from editing.memit.statistics import Progress
from editing.methods import Edited, Groups, Written, memit

# Share of the mean of kᵀC⁻¹k that is added to the diagonal, so that parallel keys do not make the system singular.
EPSILON = 1e-3


def emmet(editor: Editor, groups: Groups, written: Written, progress: Progress) -> Edited:
    """Every key's output moves by exactly its residual, with the least change to ordinary text.

    delta = R (Kᵀ C⁻¹ K + εI)⁻¹ Kᵀ C⁻¹        Gupta et al. 2024, arXiv:2403.14236

    No protected keys: exactly nothing at keys that are nearly the edit's own makes detectors that fire everywhere.
    """
    unprotected = replace(editor.config.at_subject_alone(), protect_weights=(0.0,))
    return memit(editor.under(unprotected, equality), groups, written, progress)


def equality(keys: Tensor, residuals: Tensor, covariance: Tensor, *, weight: float) -> LowRankDelta:
    """MEMIT's closed form with λ -> ε: `weight` is not used, the constraint has no price."""
    spread = torch.cholesky_solve(keys.double(), torch.linalg.cholesky(covariance.double()))
    scale = float((keys.double() * spread).sum(dim=0).mean())
    return solve(keys, residuals, covariance, weight=EPSILON * scale)
