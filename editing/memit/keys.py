"""Keys at the subject's last token: what the edited matrices see there on the unedited model."""

from collections.abc import Sequence

import torch
from torch import Tensor

from editing.decoder import Decoder
from editing.memit.contexts import Context
from editing.memit.packing import Heads

ROWS_AT_ONCE = {"cpu": 64, "cuda": 512}


def keys_of(decoder: Decoder, contexts: Sequence[Context], layers: Sequence[int]) -> Tensor:
    """Inputs of the edited matrices at each row's subject, (layers, rows, d_in), float32 on the CPU.

    A key depends on nothing after the subject's last token; layers above the last edited one are not run.
    """
    at_once = ROWS_AT_ONCE.get(decoder.device.type, 64)
    parts = []
    for start in range(0, len(contexts), at_once):
        chunk = contexts[start : start + at_once]
        heads = Heads.of(decoder, chunk)
        rows = [row.key_tokens[row.head :] for row in chunk]
        batch = decoder.rows(rows, starts=[row.head for row in chunk], before=heads.mask(chunk), left=True)
        with torch.no_grad():
            seen = decoder.run(batch, cache=heads.before(len(chunk)), until=layers[-1] + 1, record=layers, keys=True)
        parts.append(torch.stack([seen.mlp_inputs[layer][:, -1].float().cpu() for layer in layers]))
    return torch.cat(parts, dim=1)
