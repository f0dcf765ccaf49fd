"""The closed form of MEMIT: put many facts into one weight matrix at once."""

from dataclasses import dataclass

import torch
from torch import Tensor

from editing.errors import EditDiverged


@dataclass(frozen=True, slots=True)
class LowRankDelta:
    """A change to one matrix as two thin factors: delta = left @ right, float64.

    left   (d_out, rank)
    right  (rank, d_in)
    """

    left: Tensor
    right: Tensor

    @property
    def rank(self) -> int:
        return int(self.left.shape[1])

    def matrix(self) -> Tensor:
        """The change itself, (d_out, d_in)."""
        return self.left @ self.right

    def norm(self) -> float:
        """Frobenius norm, from the factors' Gram matrices."""
        gram = (self.left.T @ self.left) * (self.right @ self.right.T)
        return float(gram.sum().clamp_min(0).sqrt())


def solve(keys: Tensor, residuals: Tensor, covariance: Tensor, *, weight: float) -> LowRankDelta:
    """Smallest change to W that moves each key's output by its residual.

        delta = R Kᵀ (λC + K Kᵀ)⁻¹  =  R (Kᵀ C⁻¹ K + λI)⁻¹ Kᵀ C⁻¹
        Meng et al. 2023, arXiv:2210.07229; reference: memit/memit_main.py

    keys        K, (d_in, n)    input of the MLP's output matrix where it shall move
    residuals   R, (d_out, n)   what is still missing at this layer, in the matrix's output units
    covariance  C, (d_in, d_in) E[k kᵀ] over ordinary text, uncentred
    weight      λ               how dear ordinary text is; the reference uses 15,000 (GPT-J), 20,000 (GPT-2 XL)

    A column scaled in both K and R by the root of w counts w times. Solved in float64, in whichever of the two forms
    has the smaller system; they are equal.
    Raises EditDiverged if the solution is not finite.
    """
    keys, residuals, covariance = keys.double(), residuals.double(), covariance.double()
    d_in, n = keys.shape
    try:
        if n <= d_in:
            spread = torch.cholesky_solve(keys, torch.linalg.cholesky(covariance))  # C⁻¹K
            system = keys.T @ spread
            system = (system + system.T) / 2 + weight * torch.eye(n, dtype=system.dtype, device=system.device)
            right = torch.linalg.solve(system, spread.T)
        else:
            system = weight * covariance + keys @ keys.T
            right = torch.cholesky_solve(keys, torch.linalg.cholesky(system)).T
    except RuntimeError as error:
        raise EditDiverged(
            f"the system of {n} keys cannot be solved ({error}); compute statistics from more text"
        ) from error
    if not bool(torch.isfinite(right).all()) or not bool(torch.isfinite(residuals).all()):
        raise EditDiverged(f"the solution of {n} keys is not finite; raise the covariance weight or lower the clamp")
    return LowRankDelta(left=residuals, right=right)
