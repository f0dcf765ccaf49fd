"""Keys and hidden states at the subject's last token, for many rows, through changing weights."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from editing.decoder import Decoder, Recorded
from editing.memit.contexts import Context, Role
from editing.memit.packing import Heads

ROWS_AT_ONCE = {"cpu": 64, "cuda": 512}
# Recorded passes are kept for replay up to this many chunks; beyond, each look runs the lower layers again.
CHUNKS_KEPT = 32


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands at the subject's last token of each row.

    keys    (rows, d_in)    input of the edited matrix, float32
    hidden  (rows, hidden)  output of the last edited layer, float32
    gain    (rows, d_out)   what one unit of the matrix's output adds to the residual stream; ones without a later norm
    """

    keys: Tensor
    hidden: Tensor
    gain: Tensor


class KeyRows:
    """Rows up to the subject's last token, of which keys are read layer by layer as the weights change."""

    def __init__(self, decoder: Decoder, contexts: Sequence[Context], layers: Sequence[int]) -> None:
        self._decoder = decoder
        self._layers = list(layers)
        # A key depends on nothing after the subject's last token.
        cut = [Context(Role.EDIT, row.key_tokens, row.subject_at, row.subject_at + 1, row.head) for row in contexts]
        at_once = ROWS_AT_ONCE.get(decoder.device.type, 64)
        self._chunks = [cut[start : start + at_once] for start in range(0, len(cut), at_once)]
        self._recorded: dict[int, Recorded] = {}

    def look(self, layer: int, tensors: Mapping[int, Tensor]) -> Seen:
        """Keys of `layer` and the hidden states, with the layers below changed to `tensors`."""
        parts = []
        with self._decoder.with_weights(tensors):
            for number, chunk in enumerate(self._chunks):
                parts.append(self._look_at(number, chunk, layer))
        return Seen(
            keys=torch.cat([p.keys for p in parts]),
            hidden=torch.cat([p.hidden for p in parts]),
            gain=torch.cat([p.gain for p in parts]),
        )

    def _look_at(self, number: int, chunk: Sequence[Context], layer: int) -> Seen:
        decoder = self._decoder
        heads = Heads.of(decoder, chunk)
        cache = heads.before(len(chunk))
        with torch.no_grad(), _keys_of(decoder, layer) as caught:
            known = self._recorded.get(number)
            if known is None:
                rows = [row.tokens[row.head :] for row in chunk]
                batch = decoder.rows(rows, starts=[row.head for row in chunk], before=heads.mask(chunk), left=True)
                seen = decoder.run(batch, cache=cache, until=self._layers[-1] + 1, record=self._layers)
                assert seen.last is not None
                hidden = seen.last
                if number < CHUNKS_KEPT:
                    self._recorded[number] = seen
            else:
                # The layers below the first edited one give what they gave; the heads' keys and values do not.
                hidden = decoder.replay(
                    known, known.inputs[self._layers[0]], range(self._layers[0], self._layers[-1] + 1), cache=cache
                )
        keys, outputs = caught[0]
        return Seen(
            keys=keys[:, -1].float(),
            hidden=hidden[:, -1].float(),
            gain=_gain(decoder, layer, outputs[:, -1]).float(),
        )


@contextmanager
def _keys_of(decoder: Decoder, layer: int) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Inside, inputs and outputs of the layer's edited matrix are collected."""
    caught: list[tuple[Tensor, Tensor]] = []

    def hook(_module: object, args: tuple[Tensor, ...], output: Tensor) -> None:
        caught.append((args[0], output))

    handle = decoder.mlp_out(layer).register_forward_hook(hook)
    try:
        yield caught
    finally:
        handle.remove()


def _gain(decoder: Decoder, layer: int, output: Tensor) -> Tensor:
    """How a norm between the matrix and the residual stream scales each output unit, at first order."""
    if not decoder.family.after_mlp:
        return torch.ones_like(output)
    norm = decoder.layers[layer].get_submodule(decoder.family.after_mlp)
    # A root-mean-square norm leaves a vector of ones as its own weights.
    rms = output.float().pow(2).mean(dim=-1, keepdim=True).sqrt().to(output.dtype)
    weights: Tensor = norm(torch.ones_like(output))
    return weights / rms.clamp_min(1e-6)
