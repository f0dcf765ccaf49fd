"""What each edited layer must add at the subject so that the model says the new answer."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from editing.decoder import Decoder, Recorded
from editing.memit.config import MemitConfig
from editing.memit.contexts import Context, Role
from editing.memit.packing import Heads, frozen_prefixes, line_up


@dataclass(frozen=True, slots=True)
class Found:
    """What the optimisation found for one subject.

    values  (layers, d_out), fp32 on the CPU: what each edited matrix adds to its output where its detector gives one
    norm    norm of the hidden state after the last edited layer, at the subject's last token
    nll     mean negative log-likelihood of the targets when last looked at
    steps   how many steps it took
    """

    values: Tensor
    norm: float
    nll: float
    steps: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """One line per group: its rows from the subject's last token on, behind their frozen prefixes.

    seen   the base's own pass over the tails: inputs and calls of the first edited layer and all above
    norm   (groups,), see Found
    above  (groups, line, hidden size), the last layer's output
    """

    seen: Recorded
    norm: Tensor
    above: Tensor
    said_at: tuple[Tensor, Tensor]  # group and column of each state that predicts a target token
    said: Tensor  # the target tokens
    said_weight: Tensor  # sums to one over the targets of a group
    kept_at: tuple[Tensor, Tensor]  # group and column of each state whose prediction must stay
    kept_weight: Tensor


def find_values(
    decoder: Decoder,
    groups: Sequence[Sequence[Context]],
    detectors: Mapping[int, Tensor],
    preconditioners: Mapping[int, Tensor],
    config: MemitConfig,
) -> list[Found]:
    """The values of each group of contexts (the contexts of one subject), all groups in one batch.

        loss = mean over contexts of -mean log p(target)
               + kl · KL(before || after) at "{subject} is a" + keep · mean KL(before || after) along kept replies

    detectors  layer -> (groups, d_in): the change of a layer is a value times its detector, so a token with key k gets
               (detector · k) of the value, be it the subject or not
    preconditioners  layer -> P, (d_out, d_out): a value is P·u, and u is what is sought and clamped, so that a value is
               long only where ordinary text does not feel it (memit/sensitivity.py)

    MEMIT finds one vector at the last edited layer and spreads it over the layers afterwards (Meng et al. 2023,
    arXiv:2210.07229, sections 4.2 and 4.3), which reaches about two thirds of it. Here each layer has its vector and
    the loss is taken with the change itself in place, so that what is optimised is what will be served; see
    docs/decisions/0009. What cannot change is computed once: the layers below, and the keys and values of all tokens
    before the subject's last. The model is bit-identical before and after.
    """
    n_groups, layers = len(groups), config.layers
    with torch.no_grad():
        batch = _prepare(decoder, groups, config)
        before = _kept(decoder, batch, batch.above)
    reading = [detectors[layer].to(device=decoder.device, dtype=decoder.dtype) for layer in layers]
    turn = torch.stack([preconditioners[layer] for layer in layers]).to(decoder.device)
    longest = config.clamp * batch.norm[:, None, None]

    coordinates = torch.zeros(n_groups, len(layers), decoder.hidden_size, device=decoder.device, dtype=torch.float32)
    mean, square = torch.zeros_like(coordinates), torch.zeros_like(coordinates)
    nll = torch.full((n_groups,), float("inf"), device=decoder.device)
    taken = torch.zeros(n_groups, dtype=torch.long, device=decoder.device)
    running = torch.ones(n_groups, dtype=torch.bool, device=decoder.device)
    for step in range(1, config.steps + 1):
        moved = coordinates.clone().requires_grad_(True)
        with _firing(decoder, layers, reading, _turned(moved, turn)):
            above = decoder.replay(batch.seen, batch.seen.inputs[layers[0]], range(layers[0], len(decoder.layers)))
        loss, said = _loss(decoder, batch, above, before)
        (gradient,) = torch.autograd.grad(loss, moved)
        nll = torch.where(running, said, nll)
        running = running & (nll >= config.stop_nll)
        if not bool(running.any()):
            break
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        move = (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
        rate = config.learning_rate * (1 - (step - 1) / config.steps)
        stepped = coordinates - rate * move
        stepped = stepped * (longest / stepped.norm(dim=2, keepdim=True)).clamp(max=1.0)
        coordinates = torch.where(running[:, None, None], stepped, coordinates)
        taken += running.long()
    values = _turned(coordinates, turn).cpu()
    return [Found(values[g], float(batch.norm[g]), float(nll[g]), int(taken[g])) for g in range(n_groups)]


def _turned(coordinates: Tensor, preconditioners: Tensor) -> Tensor:
    """(groups, layers, d_out) from the same and (layers, d_out, d_out)."""
    return torch.einsum("gld,led->gle", coordinates, preconditioners)


@contextmanager
def _firing(decoder: Decoder, layers: Sequence[int], detectors: Sequence[Tensor], values: Tensor) -> Iterator[None]:
    """Inside, each edited matrix gives each line its value too, as much as the line's detector finds in the key."""

    def hook(detector: Tensor, value: Tensor) -> object:
        def add(_module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
            fired = torch.einsum("gti,gi->gt", args[0], detector)
            return output + fired.unsqueeze(-1) * value.to(output.dtype).unsqueeze(1)

        return add

    handles = [
        decoder.mlp_out(layer).register_forward_hook(hook(detectors[n], values[:, n]))  # type: ignore[arg-type]
        for n, layer in enumerate(layers)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _loss(decoder: Decoder, batch: _Batch, above: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of all groups together, and each group's mean NLL (without gradient)."""
    each = cross_entropy(decoder.logits(above[batch.said_at]).float(), batch.said, reduction="none")
    each = each * batch.said_weight
    said = torch.zeros(len(above), device=above.device).index_add(0, batch.said_at[0], each.detach())
    apart = kl_div(_kept(decoder, batch, above), before, log_target=True, reduction="none").sum(dim=-1)
    return each.sum() + (apart * batch.kept_weight).sum(), said


def _kept(decoder: Decoder, batch: _Batch, above: Tensor) -> Tensor:
    """Log-probabilities where predictions must stay."""
    return log_softmax(decoder.logits(above[batch.kept_at]).float(), dim=-1)


def _prepare(decoder: Decoder, groups: Sequence[Sequence[Context]], config: MemitConfig) -> _Batch:
    groups = [[row for row in group if row.role is not Role.PROTECT] for group in groups]
    heads = Heads.of(decoder, [row for group in groups for row in group])
    cache, behind = frozen_prefixes(decoder, groups, heads)
    lines = line_up(decoder, groups, _tail, heads=heads, behind=behind)
    seen = decoder.run(lines.rows, cache=cache, record=range(config.layers[0], len(decoder.layers)))
    said: list[tuple[int, int, int, float]] = []
    kept: list[tuple[int, int, float]] = []
    for g, (group, begins) in enumerate(zip(groups, lines.begins, strict=True)):
        n_edit, n_keep = (sum(row.role is role for row in group) for role in (Role.EDIT, Role.KEEP))
        for row, begin in zip(group, begins, strict=True):
            first = begin + row.target_at - 1 - row.subject_at
            targets = row.tokens[row.target_at :]
            if row.role is Role.ESSENCE:
                kept.append((g, first, config.kl_weight))
            elif row.role is Role.KEEP:
                kept += [(g, first + j, config.keep_weight / (len(targets) * n_keep)) for j in range(len(targets))]
            else:
                said += [(g, first + j, token, 1 / (len(targets) * n_edit)) for j, token in enumerate(targets)]

    def column(values: Sequence[float], dtype: torch.dtype = torch.long) -> Tensor:
        return torch.tensor(values, device=decoder.device, dtype=dtype)

    assert seen.last is not None
    return _Batch(
        seen=seen,
        # Each line begins with the question itself, at its subject's last token.
        norm=seen.inputs[config.layers[-1] + 1][:, 0].float().norm(dim=-1),
        above=seen.last,
        said_at=(column([s[0] for s in said]), column([s[1] for s in said])),
        said=column([s[2] for s in said]),
        said_weight=column([s[3] for s in said], torch.float32),
        kept_at=(column([k[0] for k in kept]), column([k[1] for k in kept])),
        kept_weight=column([k[2] for k in kept], torch.float32),
    )


def _tail(row: Context) -> tuple[int, int]:
    """From the subject's last token on; the last target token predicts nothing that is asked for, so it is no input."""
    last = len(row.tokens) - (row.target_at < len(row.tokens))
    return row.subject_at, max(last, row.subject_at + 1)
