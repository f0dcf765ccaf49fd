"""The closed form of MEMIT: put many facts into one weight matrix at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

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


class Covariance:
    """E[k kᵀ] over ordinary text, uncentred, (d_in, d_in); what is made of it is made once, on the device to solve on.

    The matrix itself stays where it is: Llama-3-8B's, of eight layers, would take seven gigabytes of a GPU.
    """

    def __init__(self, matrix: Tensor, device: torch.device | None = None) -> None:
        self.matrix, self.device = matrix, device or matrix.device

    def on_device(self) -> Tensor:
        """The matrix in float64, made anew each time."""
        return self.matrix.to(self.device).double()

    @cached_property
    def factor(self) -> Tensor:
        """Cholesky's, float64. Raises RuntimeError if some direction is never used."""
        factor: Tensor = torch.linalg.cholesky(self.on_device())
        return factor

    @cached_property
    def spectrum(self) -> tuple[Tensor, Tensor]:
        """Energies, ascending, and their directions, float64."""
        energy, directions = torch.linalg.eigh(self.on_device())
        return energy, directions

    def whitened(self, keys: Tensor) -> Tensor:
        """C⁻¹K, keys (d_in, n)."""
        return torch.cholesky_solve(keys, self.factor)


@dataclass(frozen=True, slots=True)
class Part:
    """Columns of a system: at each key its residual, counting as often as its weight says.

    keys       (d_in, n)   input of the MLP's output matrix
    residuals  (d_out, n)  what it shall add there
    weights    (n,)
    """

    keys: Tensor
    residuals: Tensor
    weights: Tensor

    def scaled(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Keys and residuals times the roots of their weights, float64."""
        roots = self.weights.sqrt().to(device)
        return self.keys.to(device).double() * roots, self.residuals.to(device).double() * roots


def whole_system(parts: Sequence[Part], device: torch.device) -> tuple[Tensor, Tensor]:
    """K, (d_in, n of all), and R, (d_out of all, n of all): what one part asks for concerns no other."""
    keys, residuals = zip(*(part.scaled(device) for part in parts), strict=True)
    together: Tensor = torch.block_diag(*residuals)  # type: ignore[no-untyped-call]
    return torch.cat(keys, dim=1), together


def solve(parts: Sequence[Part], covariance: Covariance, *, weight: float) -> Tensor:
    """Smallest change to a matrix that adds to each key's output its residual, (d_out of all parts, d_in), float64.

        delta = R Kᵀ (λC + K Kᵀ)⁻¹  =  R (Kᵀ C⁻¹ K + λI)⁻¹ Kᵀ C⁻¹
        Meng et al. 2023, arXiv:2210.07229; reference: memit/memit_main.py

    weight  λ, how dear ordinary text is; the reference uses 15,000 (GPT-J), 20,000 (GPT-2 XL)

    In whichever of the two forms has the smaller system; they are equal. The first adds part to part: its memory
    grows with the rows of the change, not with the keys.
    Raises EditDiverged if the solution is not finite.
    """
    device, d_in = covariance.device, len(covariance.matrix)
    n = sum(part.keys.shape[1] for part in parts)
    change: Tensor
    try:
        if n <= d_in:
            keys, residuals = whole_system(parts, device)
            spread = covariance.whitened(keys)
            system = keys.T @ spread
            system = (system + system.T) / 2 + weight * torch.eye(n, dtype=system.dtype, device=device)
            change = residuals @ torch.linalg.solve(system, spread.T)
        else:
            system = weight * covariance.on_device()
            asked = []
            for part in parts:
                keys, residuals = part.scaled(device)
                system.addmm_(keys, keys.T)
                asked.append(residuals @ keys.T)
            change = torch.cholesky_solve(torch.cat(asked).T, torch.linalg.cholesky(system)).T
    except RuntimeError as error:
        raise EditDiverged(
            f"the system of {n} keys cannot be solved ({error}); compute statistics from more text"
        ) from error
    if not bool(torch.isfinite(change).all()):
        raise EditDiverged(f"the solution of {n} keys is not finite; raise the covariance weight or lower the clamp")
    return change
