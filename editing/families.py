"""Where each model family keeps its layers and the matrix that is edited, as data."""

from dataclasses import dataclass
from typing import Protocol

from editing.errors import UnsupportedModel


class ModelConfig(Protocol):
    """What is read of a transformers configuration."""

    model_type: str


@dataclass(frozen=True, slots=True)
class Family:
    """Module paths of one model family, from the causal language model down.

    base        the decoder without its head
    layers      the decoder layers, under `base`
    norm        the norm after the last layer, under `base`
    mlp_out     the matrix that is edited, under one layer: its input is the key, its output goes to the residual stream
    transposed  the weight is stored (d_in, d_out), as GPT-2's Conv1D does; never guessed from the shape
    softcap     the configuration field that caps the final logits, if any
    """

    base: str = "model"
    layers: str = "layers"
    norm: str = "norm"
    mlp_out: str = "mlp.down_proj"
    transposed: bool = False
    softcap: str = ""

    def weight_name(self, layer: int) -> str:
        """The edited tensor's name in the state dict and in safetensors files."""
        return f"{self.base}.{self.layers}.{layer}.{self.mlp_out}.weight"


_LLAMA = Family()
_GEMMA = Family(softcap="final_logit_softcapping")

FAMILIES: dict[str, Family] = {
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": _LLAMA,  # Qwen2.5 has the same model type
    "qwen3": _LLAMA,
    "gemma2": _GEMMA,
    "gemma3_text": _GEMMA,
    "gpt2": Family(base="transformer", layers="h", norm="ln_f", mlp_out="mlp.c_proj", transposed=True),
    "gpt_neox": Family(base="gpt_neox", norm="final_layer_norm", mlp_out="mlp.dense_4h_to_h"),
}


def family_of(config: ModelConfig) -> Family:
    """The family of a model by its configuration's `model_type`; never by its name.

    Raises UnsupportedModel that lists the known types.
    """
    try:
        return FAMILIES[config.model_type]
    except KeyError:
        raise UnsupportedModel(
            f"models of type {config.model_type!r} are not described; known are {', '.join(sorted(FAMILIES))}:"
            " add a Family to editing/families.py"
        ) from None
