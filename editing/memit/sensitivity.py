"""Where ordinary text feels a change: E[g gᵀ] per layer, g the gradient of a text's likelihood at a matrix's output."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from editing.decoder import Decoder


def sensitivities(
    decoder: Decoder,
    rows: Sequence[Sequence[int]],
    layers: Sequence[int],
    *,
    rows_at_once: int = 4,
    progress: Callable[[int], None] | None = None,
) -> dict[int, Tensor]:
    """layer -> S, (d_out, d_out), fp32: the Fisher information of the edited matrix's output over token rows.

    A small change v at the output of a token moves what is said after it by about vᵀSv / 2 (in nats, to second order), if
    the rows are text that the model wrote. This is the output's half of K-FAC (Martens and Grosse 2015,
    arXiv:1503.05671); the keys' covariance is the other half.

    progress  told how many tokens were read
    """
    sums = {layer: torch.zeros(decoder.hidden_size, decoder.hidden_size, dtype=torch.float64) for layer in layers}
    counted = 0
    for start in range(0, len(rows), rows_at_once):
        taken = [row for row in rows[start : start + rows_at_once] if len(row) > 1]
        if not taken:
            continue
        batch = decoder.rows(taken)
        real = batch.attended.bool()
        with torch.enable_grad(), decoder.watched(layers) as seen:
            states = decoder.states(batch)
            said = real[:, 1:]
            loss = cross_entropy(decoder.head(states[:, :-1][said]).float(), batch.tokens[:, 1:][said], reduction="sum")
            gradients = torch.autograd.grad(loss, [seen[layer][1] for layer in layers])
        for layer, gradient in zip(layers, gradients, strict=True):
            felt = gradient[real].float()
            sums[layer] += (felt.T @ felt).double().cpu()
        counted += int(real.sum())
        if progress is not None:
            progress(counted)
    # Symmetric to the bit, as it is read back: another process must find the same values.
    return {layer: ((total + total.T) / (2 * max(1, counted))).float() for layer, total in sums.items()}


def preconditioner(sensitivity: Tensor, floor: float) -> Tensor:
    """P, (d_out, d_out), symmetric, fp32: P·u is long where ordinary text feels little and short where it feels much.

        P = c · (S / mean eigenvalue of S + floor · I)^-½,  c so that P·u is on average as long as u

    sensitivity  S, (d_out, d_out); the identity is given where it is zero or not a number
    floor        what a direction counts that is not felt at all, where the mean direction counts one; above zero
    """
    felt = sensitivity.double()
    mean = felt.diagonal().mean()
    if not mean > 0:
        return torch.eye(len(felt))
    eigenvalues, directions = torch.linalg.eigh(felt / mean)
    scale = (eigenvalues.clamp_min(0) + floor) ** -0.5
    scale = scale / scale.square().mean().sqrt()
    turn: Tensor = (directions * scale) @ directions.T
    return turn.float()
