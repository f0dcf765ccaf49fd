"""ROME: one fact after the other into one layer, for comparison."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from editing.editor import Editor
from editing.memit.solve import Covariance, Part, whole_system
from editing.methods import Edited, Groups, Written, memit
from editing.progress import Progress


def rome(editor: Editor, groups: Groups, written: Written, progress: Progress) -> Edited:
    """Rank-one updates in sequence to the last of the editor's layers. Meng et al. 2022, arXiv:2202.05262.

    No protected keys: where a constraint has no price they would hold the edit itself at zero, being nearly its own.
    """
    one_layer = replace(
        editor.config.at_subject_alone(),
        layers=editor.config.layers[-1:],
        per_context=False,
        protect_weights=(0.0,),
    )
    return memit(editor.under(one_layer, one_by_one), groups, written, progress)


def one_by_one(parts: Sequence[Part], covariance: Covariance, *, weight: float) -> Tensor:
    """Each key gets exactly its value, in turn: delta_i = (r_i - change so far · k_i)(C⁻¹k_i)ᵀ / (k_iᵀC⁻¹k_i).

    The keys are the same everywhere (r-ROME, arXiv:2403.07175: two definitions of one key disable the model).
    `weight` is not used: the constraint has no price.
    """
    keys, residuals = whole_system(parts, covariance.device)
    spread = covariance.whitened(keys)
    right = (spread / (keys * spread).sum(dim=0)).T
    left = torch.zeros_like(residuals)
    for i in range(keys.shape[1]):
        left[:, i] = residuals[:, i] - left @ (right @ keys[:, i])
    return left @ right
