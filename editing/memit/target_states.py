"""The state that a layer must reach at the subject's last token so that the model says the new answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from editing.decoder import Decoder, FrozenCache, Recorded
from editing.memit.config import MemitConfig
from editing.memit.contexts import Context, Role


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
    """Rows from the subject's last token on, behind their frozen prefixes.

    seen      the base's own pass over the tails: inputs and calls of the layers above the edited one
    hidden    (rows, tail, hidden size), the edited layer's output there
    above     (rows, tail, hidden size), the last layer's output there
    """

    seen: Recorded
    hidden: Tensor
    above: Tensor
    group: Tensor
    said_at: tuple[Tensor, Tensor]  # row and column of each state that predicts a target token
    said: Tensor  # the target tokens
    said_weight: Tensor  # sums to one over the targets of a group
    said_group: Tensor
    kept_at: tuple[Tensor, Tensor]  # row and column of each state whose prediction must stay
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
        norm = _norms(batch, n_groups)
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
    shift = delta[batch.group].unsqueeze(1).to(batch.hidden.dtype)
    out = decoder.replay(batch.seen, torch.cat([batch.hidden[:, :1] + shift, batch.hidden[:, 1:]], dim=1), above)
    each = cross_entropy(decoder.logits(out[batch.said_at]).float(), batch.said, reduction="none") * batch.said_weight
    loss, said = each.sum(), torch.zeros(len(delta), device=delta.device)
    said = said.index_add(0, batch.said_group, each.detach())
    if len(batch.kept_weight):
        apart = kl_div(_kept(decoder, batch, out), kept_before, log_target=True, reduction="none").sum(dim=-1)
        loss = loss + (apart * batch.kept_weight).sum()
    return loss, said


def _norms(batch: _Batch, n_groups: int) -> Tensor:
    """Norm of the hidden state at the subject in each group's first row: the question itself."""
    group = batch.group.tolist()
    norm: Tensor = batch.hidden[[group.index(g) for g in range(n_groups)], 0].float().norm(dim=-1)
    return norm


def _kept(decoder: Decoder, batch: _Batch, out: Tensor) -> Tensor:
    """Log-probabilities where predictions must stay."""
    return log_softmax(decoder.logits(out[batch.kept_at]).float(), dim=-1)


def _prepare(decoder: Decoder, groups: Sequence[Sequence[Context]], config: MemitConfig) -> _Batch:
    # One batch of all rows: short rows apart from long ones would save a third of the products and lose it again by
    # reading every weight twice (measured on two cores).
    rows = [(g, row) for g, group in enumerate(groups) for row in group if row.role is not Role.PROTECT]
    contexts = [row for _, row in rows]
    cache, before = frozen_prefixes(decoder, contexts)
    # The last target token predicts nothing that is asked for, so it is no input.
    tails = [
        row.tokens[row.subject_at : max(len(row.tokens) - (row.target_at < len(row.tokens)), row.subject_at + 1)]
        for row in contexts
    ]
    batch = decoder.rows(tails, starts=[row.subject_at for row in contexts], before=before, left=False)
    top = config.layers[-1]
    seen = decoder.run(batch, cache=cache, record=range(top + 1, len(decoder.layers)))
    hidden = seen.inputs[top + 1]
    n_edit = [max(1, sum(row.role is Role.EDIT for row in group)) for group in groups]
    n_keep = [max(1, sum(row.role is Role.KEEP for row in group)) for group in groups]
    said: list[tuple[int, int, int, float, int]] = []
    kept: list[tuple[int, int, float]] = []
    for i, (g, row) in enumerate(rows):
        first = row.target_at - 1 - row.subject_at
        n_target = len(row.tokens) - row.target_at
        if row.role is Role.EDIT:
            said += [
                (i, first + j, row.tokens[row.target_at + j], 1 / (n_target * n_edit[g]), g) for j in range(n_target)
            ]
        elif row.role is Role.ESSENCE:
            kept.append((i, first, config.kl_weight))
        else:
            kept += [(i, first + j, config.keep_weight / (n_target * n_keep[g])) for j in range(n_target)]
    kept = [k for k in kept if k[2] > 0]

    def column(values: list[float] | list[int], dtype: torch.dtype = torch.long) -> Tensor:
        return torch.tensor(values, device=decoder.device, dtype=dtype)

    assert seen.last is not None
    return _Batch(
        seen=seen,
        hidden=hidden,
        above=seen.last,
        group=column([g for g, _ in rows]),
        said_at=(column([s[0] for s in said]), column([s[1] for s in said])),
        said=column([s[2] for s in said]),
        said_weight=column([s[3] for s in said], torch.float32),
        said_group=column([s[4] for s in said]),
        kept_at=(column([k[0] for k in kept]), column([k[1] for k in kept])),
        kept_weight=column([k[2] for k in kept], torch.float32),
    )


def shared_heads(decoder: Decoder, contexts: Sequence[Context]) -> tuple[FrozenCache | None, Tensor]:
    """The chat heads of all rows side by side in one cache, and which row sees which.

    Returns the cache (None if no row has a head) and a mask (rows, length).
    """
    heads = sorted({row.tokens[: row.head] for row in contexts if row.head})
    if not heads:
        return None, torch.zeros(len(contexts), 0, dtype=torch.long)
    caches = [decoder.prefix(head).pairs() for head in heads]
    joined = [
        (torch.cat([c[layer][0] for c in caches], dim=2), torch.cat([c[layer][1] for c in caches], dim=2))
        for layer in range(len(decoder.layers))
    ]
    mask = torch.zeros(len(contexts), sum(len(head) for head in heads), dtype=torch.long)
    start = 0
    for head in heads:
        for i, row in enumerate(contexts):
            if row.tokens[: row.head] == head:
                mask[i, start : start + len(head)] = 1
        start += len(head)
    return FrozenCache(joined).for_rows(len(contexts)), mask


def frozen_prefixes(decoder: Decoder, contexts: Sequence[Context]) -> tuple[FrozenCache | None, Tensor]:
    """Keys and values of all tokens before the subject's last, of every row in one cache.

    Returns the cache (None if every subject is the first token) and a mask (rows, length).
    """
    heads, mask = shared_heads(decoder, contexts)
    between = [row.tokens[row.head : row.subject_at] for row in contexts]
    if not any(between):
        return heads, mask
    rows = decoder.rows(between, starts=[row.head for row in contexts], before=mask, left=True)
    cache = heads if heads is not None else FrozenCache.empty(len(decoder.layers))
    decoder.run(rows, cache=cache)
    return cache.grown(), rows.attended.cpu()
