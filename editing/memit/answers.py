"""Keys where the answer stands in a reply, read with the subject's values in place: they know whom and what."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from editing.decoder import Decoder
from editing.memit.config import MemitConfig
from editing.memit.contexts import Context, Role
from editing.memit.detectors import NO_VALUE, Columns
from editing.memit.firing import firing
from editing.memit.packing import Heads
from editing.memit.values import Place

ROWS_AT_ONCE = {"cpu": 32, "cuda": 256}


def answer_columns(
    decoder: Decoder, groups: Sequence[Sequence[Context]], subject: Place, config: MemitConfig
) -> list[Columns]:
    """What each group puts into the systems of the answer layers.

    groups   edited rows, of which those count that know their answer's place, and the base's replies that are protected
    subject  what the group adds at the subject, one line each

    A value for each token of each answer: its rows are the states that predict the token, one a context. Every state
    along a protected reply gets none; of these the main directions are kept, which is all that a system sees of them.
    """
    read = _read(decoder, groups, subject, config.answer_layers)
    width = decoder.matrix(config.answer_layers[0]).shape[1]
    columns = []
    for group in groups:
        answers: dict[tuple[int, ...], list[Tensor]] = {}
        kept: list[Tensor] = []
        for row in group:
            keys = next(read)
            if row.role is Role.EDIT:
                answers.setdefault(row.tokens[slice(*row.answer_at)], []).append(keys)
            else:
                kept.append(keys)
        columns.append(_columns(list(answers.values()), kept, config, width))
    return columns


def side_by_side(found: Sequence[Tensor]) -> Tensor:
    """Each group's detectors (values, d_in) as one tensor, zero beyond a group's own."""
    return torch.nn.utils.rnn.pad_sequence(list(found), batch_first=True)


def _columns(answers: Sequence[Sequence[Tensor]], kept: Sequence[Tensor], config: MemitConfig, width: int) -> Columns:
    """From the keys of each answer's rows, (layers, tokens, d_in) each, and those of the protected replies."""
    keys: list[Tensor] = []
    weights: list[float] = []
    slots: list[int] = []
    first = 0
    for rows in answers:
        n_tokens = rows[0].shape[1]
        keys += rows
        weights += [1 / len(rows)] * n_tokens * len(rows)
        slots += [*range(first, first + n_tokens)] * len(rows)
        first += n_tokens
    if kept and config.answer_protection > 0:
        together = torch.cat(list(kept), dim=1)
        keys.append(_main_directions(together, config.answer_columns))
        n_main = keys[-1].shape[1]
        weights += [config.answer_protection / together.shape[1]] * n_main
        slots += [NO_VALUE] * n_main
    if not keys:
        return Columns.none(len(config.answer_layers), width)
    return Columns(torch.cat(keys, dim=1).cpu(), torch.tensor(weights, dtype=torch.float64), torch.tensor(slots), first)


def _main_directions(keys: Tensor, n: int) -> Tensor:
    """The n principal directions of keys (layers, rows, d_in), each as long as it is used, (layers, n, d_in): of all sets
    of n their Gram matrix is nearest to that of the keys. All that there are if these are fewer."""
    rows = keys.double()
    _energies, turns = torch.linalg.eigh(rows @ rows.mT)  # ascending
    main: Tensor = turns.flip(-1)[..., : min(n, keys.shape[-1])].mT @ rows
    return main.float()


def _read(
    decoder: Decoder, groups: Sequence[Sequence[Context]], subject: Place, layers: Sequence[int]
) -> Iterator[Tensor]:
    """For each row the inputs of the matrices at the states that predict its answer or reply, (layers, tokens, d_in)."""
    at_once = ROWS_AT_ONCE.get(decoder.device.type, 32)
    rows = [(row, line) for line, group in enumerate(groups) for row in group]
    values = dict(zip(subject.detectors, subject.values.unbind(1), strict=True))
    for start in range(0, len(rows), at_once):
        chunk = [row for row, _ in rows[start : start + at_once]]
        lines = torch.tensor([line for _, line in rows[start : start + at_once]], device=decoder.device)
        heads = Heads.of(decoder, chunk)
        batch = decoder.rows(
            [row.tokens[row.head : -1] for row in chunk],
            starts=[row.head for row in chunk],
            before=heads.mask(chunk),
        )
        with (
            torch.no_grad(),
            firing(
                decoder,
                {layer: detector[lines] for layer, detector in subject.detectors.items()},
                {layer: given[lines] for layer, given in values.items()},
            ),
        ):
            seen = decoder.run(batch, cache=heads.before(len(chunk)), until=layers[-1] + 1, record=layers, keys=True)
        for number, row in enumerate(chunk):
            first, end = row.answer_at if row.role is Role.EDIT else (row.target_at, len(row.tokens))
            here = slice(first - 1 - row.head, end - 1 - row.head)
            yield torch.stack([seen.mlp_inputs[layer][number, here].float() for layer in layers])
