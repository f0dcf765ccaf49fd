"""EMMET: the equality-constrained twin of MEMIT, for comparison."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from editing.editor import Editor
from editing.memit.solve import Covariance, Part, solve, whole_system
from editing.methods import Edited, Groups, Written, memit
from editing.progress import Progress

# Share of the mean of kᵀC⁻¹k that is added to the diagonal, so that parallel keys do not make the system singular.
EPSILON = 1e-3


def emmet(editor: Editor, groups: Groups, written: Written, progress: Progress) -> Edited:
    """Every key's output moves by exactly its residual, with the least change to ordinary text.

    delta = R (Kᵀ C⁻¹ K + εI)⁻¹ Kᵀ C⁻¹        Gupta et al. 2024, arXiv:2403.14236

    No protected keys: exactly nothing at keys that are nearly the edit's own makes detectors that fire everywhere.
    """
    unprotected = replace(editor.config.at_subject_alone(), protect_weights=(0.0,))
    return memit(editor.under(unprotected, equality), groups, written, progress)


def equality(parts: Sequence[Part], covariance: Covariance, *, weight: float) -> Tensor:
    """MEMIT's closed form with λ -> ε: `weight` is not used, the constraint has no price."""
    keys, _residuals = whole_system(parts, covariance.device)
    scale = float((keys * covariance.whitened(keys)).sum(dim=0).mean())
    return solve(parts, covariance, weight=EPSILON * scale)
