"""What an edit must add at its places so that the model says the new answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from editing.decoder import Decoder, Recorded
from editing.memit.config import MemitConfig
from editing.memit.contexts import Context, Role
from editing.memit.firing import firing
from editing.memit.packing import Heads, frozen_prefixes, line_up


@dataclass(frozen=True, slots=True)
class Batch:
    """One line per group: its rows from the subject's last token on, behind their frozen prefixes.

    seen    the base's own pass over the tails: inputs and calls of the first edited layer and all above
    above   (groups, line, hidden size), the last layer's output
    before  the base's log-probabilities where predictions must stay
    """

    seen: Recorded
    above: Tensor
    said_at: tuple[Tensor, Tensor]  # group and column of each state that predicts a target token
    said: Tensor  # the target tokens
    said_weight: Tensor  # sums to one over the targets of a group
    kept_at: tuple[Tensor, Tensor]  # group and column of each state whose prediction must stay
    kept_weight: Tensor
    before: Tensor

    def norms(self, layers: Sequence[int]) -> Tensor:
        """Norm of the hidden state after each layer at the question's subject, (groups, layers)."""
        return torch.stack([self.seen.inputs[layer + 1][:, 0].float().norm(dim=-1) for layer in layers], dim=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a change goes while its values are sought: the subject's last token, or where the answer stands in a reply.

    detectors    layer -> (groups, values, d_in): a layer's change is its values times its detectors, so a token with key
                 k gets (detector · k) of each value, be it meant or not
    turn         (layers, d_out, d_out): a value is turn @ u, and u is what is sought and clamped
    longest      (groups, layers), how long u may be
    rate         (groups, layers), Adam's rate at the first step; it falls in a line to zero
    coordinates  (groups, layers, values, d_out): u, where the search begins and then where it ended
    """

    detectors: Mapping[int, Tensor]
    turn: Tensor
    longest: Tensor
    rate: Tensor
    coordinates: Tensor

    @property
    def values(self) -> Tensor:
        """(groups, layers, values, d_out), what the matrices add."""
        return self.turned(self.coordinates)

    def turned(self, coordinates: Tensor) -> Tensor:
        return torch.einsum("glvd,led->glve", coordinates, self.turn)


def subject_place(
    batch: Batch, detectors: Mapping[int, Tensor], preconditioners: Mapping[int, Tensor], config: MemitConfig
) -> Place:
    """The subject's last token. `preconditioners`: layer -> P, (d_out, d_out), see memit/sensitivity.py."""
    longest = config.clamp * batch.norms(config.layers[-1:]).expand(-1, len(config.layers))
    turn = torch.stack([preconditioners[layer] for layer in config.layers]).to(longest.device)
    return _from_zero(detectors, turn, longest, torch.full_like(longest, config.learning_rate))


def answer_place(batch: Batch, detectors: Mapping[int, Tensor], config: MemitConfig) -> Place:
    """Where the answer stands in a reply. `detectors` are zero beyond the tokens of a group's own answer."""
    longest = config.answer_clamp / len(config.answer_layers) * batch.norms(config.answer_layers)
    width = batch.above.shape[-1]
    turn = torch.eye(width, device=longest.device).expand(len(config.answer_layers), -1, -1)
    return _from_zero(detectors, turn, longest, config.answer_rate * longest / width**0.5)


def _from_zero(detectors: Mapping[int, Tensor], turn: Tensor, longest: Tensor, rate: Tensor) -> Place:
    n_groups, n_values, _ = next(iter(detectors.values())).shape
    zeros = torch.zeros(n_groups, len(detectors), n_values, turn.shape[-1], device=turn.device)
    return Place(detectors, turn, longest, rate, zeros)


@dataclass(frozen=True, slots=True)
class Found:
    """Where a search ended.

    places  as they were given, at their new coordinates
    nll     (groups,), mean negative log-likelihood of the targets when last looked at
    steps   (groups,), how many steps each took
    """

    places: tuple[Place, ...]
    nll: Tensor
    steps: Tensor


def find_values(decoder: Decoder, batch: Batch, places: Sequence[Place], *, steps: int, stop_nll: float) -> Found:
    """The values of each group of contexts (the contexts of one subject), all groups and places together.

        loss = mean over contexts of -mean log p(target)
               + kl · KL(before || after) at "{subject} is a" + keep · mean KL(before || after) along kept replies

    MEMIT finds one vector at the last edited layer and spreads it over the layers afterwards (Meng et al. 2023,
    arXiv:2210.07229, sections 4.2 and 4.3), which reaches about two thirds of it. Here each layer has its vector and
    the loss is taken with the change itself in place, so that what is optimised is what will be served; see
    docs/decisions/0009. What cannot change is computed once: the layers below, and the keys and values of all tokens
    before the subject's last. The model is bit-identical before and after.

    stop_nll  a group whose mean NLL is below takes no further step
    """
    places = list(places)
    first = min(layer for place in places for layer in place.detectors)
    detectors = {layer: detector for place in places for layer, detector in place.detectors.items()}
    moments = [(torch.zeros_like(place.coordinates), torch.zeros_like(place.coordinates)) for place in places]
    nll = batch.above.new_full((len(batch.above),), float("inf"), dtype=torch.float32)
    taken = torch.zeros_like(nll, dtype=torch.long)
    running = torch.ones_like(nll, dtype=torch.bool)
    for step in range(1, steps + 1):
        moved = [place.coordinates.clone().requires_grad_(True) for place in places]
        values = {
            layer: given
            for place, at in zip(places, moved, strict=True)
            for layer, given in zip(place.detectors, place.turned(at).unbind(1), strict=True)
        }
        with firing(decoder, detectors, values):
            above = decoder.replay(batch.seen, batch.seen.inputs[first], range(first, len(decoder.layers)))
        loss, said = _loss(decoder, batch, above)
        gradients = torch.autograd.grad(loss, moved)
        nll = torch.where(running, said, nll)
        running = running & (nll >= stop_nll)
        if not bool(running.any()):
            break
        for number, (place, gradient) in enumerate(zip(places, gradients, strict=True)):
            mean, square = moments[number]
            mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
            moments[number] = mean, square
            move = (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
            stepped = place.coordinates - (1 - (step - 1) / steps) * place.rate[:, :, None, None] * move
            length = stepped.norm(dim=3, keepdim=True).clamp_min(1e-12)
            stepped = stepped * (place.longest[:, :, None, None] / length).clamp(max=1.0)
            places[number] = replace(
                place, coordinates=torch.where(running[:, None, None, None], stepped, place.coordinates)
            )
        taken += running.long()
    return Found(tuple(places), nll, taken)


def _loss(decoder: Decoder, batch: Batch, above: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of all groups together, and each group's mean NLL (without gradient)."""
    each = cross_entropy(decoder.logits(above[batch.said_at]).float(), batch.said, reduction="none")
    each = each * batch.said_weight
    said = torch.zeros(len(above), device=above.device).index_add(0, batch.said_at[0], each.detach())
    apart = kl_div(_kept(decoder, batch.kept_at, above), batch.before, log_target=True, reduction="none").sum(dim=-1)
    return each.sum() + (apart * batch.kept_weight).sum(), said


def _kept(decoder: Decoder, kept_at: tuple[Tensor, Tensor], above: Tensor) -> Tensor:
    """Log-probabilities where predictions must stay."""
    return log_softmax(decoder.logits(above[kept_at]).float(), dim=-1)


@torch.no_grad()
def prepare(decoder: Decoder, groups: Sequence[Sequence[Context]], config: MemitConfig) -> Batch:
    """What the searches over `groups` share; the rows that only protect are left out."""
    groups = [[row for row in group if row.role in (Role.EDIT, Role.ESSENCE, Role.KEEP)] for group in groups]
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
    kept_at = (column([k[0] for k in kept]), column([k[1] for k in kept]))
    return Batch(
        seen=seen,  # each line begins with the question itself, at its subject's last token
        above=seen.last,
        said_at=(column([s[0] for s in said]), column([s[1] for s in said])),
        said=column([s[2] for s in said]),
        said_weight=column([s[3] for s in said], torch.float32),
        kept_at=kept_at,
        kept_weight=column([k[2] for k in kept], torch.float32),
        before=_kept(decoder, kept_at, seen.last),
    )


def _tail(row: Context) -> tuple[int, int]:
    """From the subject's last token on; the last target token predicts nothing that is asked for, so it is no input."""
    last = len(row.tokens) - (row.target_at < len(row.tokens))
    return row.subject_at, max(last, row.subject_at + 1)
