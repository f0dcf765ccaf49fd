"""What makes an edit fire: for each layer and subject the direction of keys that its value answers to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from editing.memit.solve import LowRankDelta

# (keys, residuals, covariance, weight) -> change; MEMIT's is `solve`, other closed forms fit in its place.
ClosedForm = Callable[..., LowRankDelta]


@dataclass(frozen=True, slots=True)
class Columns:
    """What one subject puts into the systems of all layers.

    keys     (layers, rows, d_in)
    weights  (rows,), float64: how much each row counts
    moved    (rows,), bool: rows where the value shall be added; at the others nothing shall
    """

    keys: Tensor
    weights: Tensor
    moved: Tensor

    def averaged(self) -> "Columns":
        """The same with one row, the weighted mean, for all that are moved."""
        share = self.weights[self.moved] / self.weights[self.moved].sum()
        mean = torch.einsum("r,lri->li", share, self.keys[:, self.moved].double()).to(self.keys.dtype)
        return Columns(
            keys=torch.cat([mean.unsqueeze(1), self.keys[:, ~self.moved]], dim=1),
            weights=torch.cat([self.weights[self.moved].sum().reshape(1), self.weights[~self.moved]]),
            moved=torch.tensor([True] + [False] * int((~self.moved).sum())),
        )


def detectors(
    subjects: Sequence[Columns], layer: int, covariance: Tensor, *, weight: float, closed_form: ClosedForm
) -> Tensor:
    """One direction per subject, (subjects, d_in) in float64: near one times its own keys, near zero times all others'.

    The closed form is linear in its residuals, so it is given each subject's share of every column instead of vectors:
    a change is then values.T @ detectors, one rank per subject.

    layer  which of the columns' layers, by its place in them
    """
    device = covariance.device
    roots = torch.cat([one.weights.sqrt() for one in subjects]).to(device)
    keys = torch.cat([one.keys[layer] for one in subjects]).to(device).double() * roots.unsqueeze(1)
    owner = torch.repeat_interleave(torch.tensor([len(one.weights) for one in subjects]))
    moved = torch.cat([one.moved for one in subjects])
    shares = ((owner == torch.arange(len(subjects)).unsqueeze(1)) & moved).to(device) * roots
    return closed_form(keys.T, shares, covariance, weight=weight).matrix()
