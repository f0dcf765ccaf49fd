"""What makes an edit fire: for each layer the directions of keys that its values answer to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from editing.memit.solve import Covariance, Part

# (parts, covariance, weight) -> change; MEMIT's is `solve`, other closed forms fit in its place.
ClosedForm = Callable[..., Tensor]
NO_VALUE = -1


@dataclass(frozen=True, slots=True)
class Columns:
    """What one subject puts into the systems of one place's layers.

    keys     (layers, rows, d_in)
    weights  (rows,), float64: how much each row counts
    slots    (rows,), int64: which of the subject's values a row shall get; NO_VALUE where it shall get none
    n_slots  how many values the subject has here
    """

    keys: Tensor
    weights: Tensor
    slots: Tensor
    n_slots: int = 1

    @property
    def moved(self) -> Tensor:
        """(rows,), bool: rows where a value shall be added; at the others nothing shall."""
        return self.slots != NO_VALUE

    @classmethod
    def none(cls, n_layers: int, d_in: int) -> "Columns":
        """Those of a subject that puts nothing there: no row and no value."""
        return cls(
            torch.zeros(n_layers, 0, d_in), torch.zeros(0, dtype=torch.float64), torch.zeros(0, dtype=torch.long), 0
        )

    def part(self, layer: int) -> Part:
        """The system's columns for one of the layers: residuals are each value's share of every row, (n_slots, rows)."""
        shares = self.slots == torch.arange(self.n_slots).unsqueeze(1)
        return Part(self.keys[layer].T, shares, self.weights)

    def averaged(self) -> "Columns":
        """The same with one row for each value, the weighted mean of the rows that shall get it."""
        shares = (self.slots == torch.arange(self.n_slots).unsqueeze(1)) * self.weights
        mean = torch.einsum("sr,lri->lsi", shares / shares.sum(dim=1, keepdim=True), self.keys.double())
        kept = ~self.moved
        return Columns(
            keys=torch.cat([mean.to(self.keys.dtype), self.keys[:, kept]], dim=1),
            weights=torch.cat([shares.sum(dim=1), self.weights[kept]]),
            slots=torch.cat([torch.arange(self.n_slots), self.slots[kept]]),
            n_slots=self.n_slots,
        )


def detectors(
    subjects: Sequence[Columns], layer: int, covariance: Covariance, *, weight: float, closed_form: ClosedForm
) -> Tensor:
    """One direction per value, (values of all subjects, d_in) in float64: near one times its own keys, near zero times
    all others.

    The closed form is linear in its residuals, so it is given each value's share of every column instead of vectors:
    a change is then values.T @ detectors, one rank per value.

    layer  which of the columns' layers, by its place in them
    """
    return closed_form([one.part(layer) for one in subjects], covariance, weight=weight)
