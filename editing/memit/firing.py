"""Values that fire: what an edit adds to its matrices' outputs while it is not yet in the weights."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from editing.decoder import Decoder


@contextmanager
def firing(decoder: Decoder, detectors: Mapping[int, Tensor], values: Mapping[int, Tensor]) -> Iterator[None]:
    """Inside, each edited matrix gives every token of a line the line's values, each as much as its detector finds in the
    token's key: what `values.T @ detectors` does once it is added to the weights.

    detectors  layer -> (lines, values, d_in)
    values     layer -> (lines, values, d_out)
    """

    def hook(detector: Tensor, given: Tensor) -> object:
        def add(_module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
            # A detector is small between keys that are large: it is read in fp32 whatever the matrices are multiplied in.
            with torch.autocast(output.device.type, enabled=False):
                fired = torch.einsum("gti,gvi->gtv", args[0].float(), detector.float())
                return (output + torch.einsum("gtv,gvo->gto", fired, given.float())).to(decoder.dtype)

        return add

    handles = [
        decoder.mlp_out(layer).register_forward_hook(hook(detector, values[layer]))  # type: ignore[arg-type]
        for layer, detector in detectors.items()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
