"""The state that a layer must reach at the subject's last token so that the model says the new answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from editing.decoder import Decoder, Recorded
from editing.memit.config import MemitConfig
from editing.memit.contexts import Context, Role
from editing.memit.packing import Heads, frozen_prefixes, line_up


@dataclass(frozen=True, slots=True)
class TargetState:
    """What the optimisation found for one subject.

    delta  (hidden size,), fp32 on the CPU: to be added to the last edited layer's output at the subject's last token
    norm   norm of the hidden state that it is added to
    nll    mean negative log-likelihood of the targets when last looked at
    steps  how many steps it took
    """

    delta: Tensor
    norm: float
    nll: float
    steps: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """One line per group: its rows from the subject's last token on, behind their frozen prefixes.

    seen      the base's own pass over the tails: inputs and calls of the layers above the edited one
    hidden    (groups, line, hidden size), the edited layer's output there
    above     (groups, line, hidden size), the last layer's output there
    """

    seen: Recorded
    hidden: Tensor
    above: Tensor
    subject_at: tuple[Tensor, Tensor]  # group and column of each row's subject
    said_at: tuple[Tensor, Tensor]  # group and column of each state that predicts a target token
    said: Tensor  # the target tokens
    said_weight: Tensor  # sums to one over the targets of a group
    kept_at: tuple[Tensor, Tensor]  # group and column of each state whose prediction must stay
    kept_weight: Tensor


def find_target_states(decoder: Decoder, groups: Sequence[Sequence[Context]], config: MemitConfig) -> list[TargetState]:
    """One target state per group of contexts (the contexts of one subject), all groups in one batch.

        loss = mean over contexts of -mean log p(target) + kl · KL(before || after) + wd · ||delta||² / ||h||²

    Meng et al. 2023, arXiv:2210.07229, section 4.2. What cannot change is computed once: layers up to the edited one,
    and the keys and values of every token before the subject's last; a step runs the layers above over the tails.
    The model is bit-identical before and after.
    """
    n_groups = len(groups)
    above = range(config.layers[-1] + 1, len(decoder.layers))
    with torch.no_grad():
        batch = _prepare(decoder, groups, config)
        norm = batch.hidden[:, 0].float().norm(dim=-1)  # each line begins with the question itself
        before = _kept(decoder, batch, batch.above)

    delta = torch.zeros(n_groups, decoder.hidden_size, device=decoder.device, dtype=torch.float32)
    mean, square = torch.zeros_like(delta), torch.zeros_like(delta)
    nll = torch.full((n_groups,), float("inf"), device=decoder.device)
    taken = torch.zeros(n_groups, dtype=torch.long, device=decoder.device)
    running = torch.ones(n_groups, dtype=torch.bool, device=decoder.device)
    for step in range(1, config.steps + 1):
        moved = delta.clone().requires_grad_(True)
        loss, said = _loss(decoder, batch, moved, before, above)
        gradient = torch.autograd.grad(loss, moved)[0] + 2 * config.weight_decay * delta / norm.unsqueeze(1) ** 2
        nll = torch.where(running, said, nll)
        running = running & (nll >= config.stop_nll)
        if not bool(running.any()):
            break
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        move = (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
        stepped = delta - config.learning_rate * move
        longest = config.clamp * norm.unsqueeze(1)
        stepped = stepped * (longest / stepped.norm(dim=1, keepdim=True)).clamp(max=1.0)
        delta = torch.where(running.unsqueeze(1), stepped, delta)
        taken += running.long()
    return [TargetState(delta[g].cpu(), float(norm[g]), float(nll[g]), int(taken[g])) for g in range(n_groups)]


def _loss(
    decoder: Decoder, batch: _Batch, delta: Tensor, kept_before: Tensor, above: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """The loss of all groups together, and each group's mean NLL (without gradient)."""
    shift = delta[batch.subject_at[0]].to(batch.hidden.dtype)
    out = decoder.replay(batch.seen, batch.hidden.index_put(batch.subject_at, shift, accumulate=True), above)
    each = cross_entropy(decoder.logits(out[batch.said_at]).float(), batch.said, reduction="none") * batch.said_weight
    loss, said = each.sum(), torch.zeros(len(delta), device=delta.device)
    said = said.index_add(0, batch.said_at[0], each.detach())
    if len(batch.kept_weight):
        apart = kl_div(_kept(decoder, batch, out), kept_before, log_target=True, reduction="none").sum(dim=-1)
        loss = loss + (apart * batch.kept_weight).sum()
    return loss, said


def _kept(decoder: Decoder, batch: _Batch, out: Tensor) -> Tensor:
    """Log-probabilities where predictions must stay."""
    return log_softmax(decoder.logits(out[batch.kept_at]).float(), dim=-1)


def _prepare(decoder: Decoder, groups: Sequence[Sequence[Context]], config: MemitConfig) -> _Batch:
    groups = [[row for row in group if row.role is not Role.PROTECT] for group in groups]
    heads = Heads.of(decoder, [row for group in groups for row in group])
    cache, behind = frozen_prefixes(decoder, groups, heads)
    lines = line_up(decoder, groups, _tail, heads=heads, behind=behind)
    top = config.layers[-1]
    seen = decoder.run(lines.rows, cache=cache, record=range(top + 1, len(decoder.layers)))
    said: list[tuple[int, int, int, float]] = []
    kept: list[tuple[int, int, float]] = []
    for g, (group, begins) in enumerate(zip(groups, lines.begins, strict=True)):
        n_edit, n_keep = (sum(row.role is role for row in group) for role in (Role.EDIT, Role.KEEP))
        for row, begin in zip(group, begins, strict=True):
            first = begin + row.target_at - 1 - row.subject_at
            targets = row.tokens[row.target_at :]
            if row.role is Role.EDIT:
                said += [(g, first + j, token, 1 / (len(targets) * n_edit)) for j, token in enumerate(targets)]
            elif row.role is Role.ESSENCE:
                kept.append((g, first, config.kl_weight))
            else:
                kept += [(g, first + j, config.keep_weight / (len(targets) * n_keep)) for j in range(len(targets))]
    kept = [k for k in kept if k[2] > 0]

    def column(values: Sequence[float], dtype: torch.dtype = torch.long) -> Tensor:
        return torch.tensor(values, device=decoder.device, dtype=dtype)

    assert seen.last is not None
    return _Batch(
        seen=seen,
        hidden=seen.inputs[top + 1],
        above=seen.last,
        subject_at=(
            column([g for g, begins in enumerate(lines.begins) for _ in begins]),
            column([begin for begins in lines.begins for begin in begins]),
        ),
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
