"""A BERT encoder as plain functions over its weights, so that a few layers can carry a low-rank adapter."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """What the weights alone do not say."""

    layers: int
    heads: int
    norm_eps: float


# The linear maps of one layer that an adapter may change, by their names in a BERT checkpoint.
ADAPTED = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)


def embed_tokens(weights: Mapping[str, Tensor], token_ids: Tensor, *, shape: EncoderShape) -> Tensor:
    """States before the first layer, (batch, length, width)."""
    states = weights["embeddings.word_embeddings.weight"][token_ids]
    states = states + weights["embeddings.position_embeddings.weight"][: token_ids.shape[1]]
    states = states + weights["embeddings.token_type_embeddings.weight"][0]
    return _norm(weights, "embeddings.LayerNorm", states, shape)


def run_layers(
    weights: Mapping[str, Tensor], states: Tensor, mask: Tensor, layers: range, *, shape: EncoderShape
) -> Tensor:
    """States after these layers. `mask` is (batch, length), 1 for a token and 0 for padding."""
    batch, length, width = states.shape
    allowed = mask[:, None, None, :].bool()
    for layer in layers:
        at = f"encoder.layer.{layer}."
        # (batch, heads, length, width of a head)
        query, key, value = (
            _linear(weights, f"{at}attention.self.{part}", states).view(batch, length, shape.heads, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        attended = attended.transpose(1, 2).reshape(batch, length, width)
        states = _norm(
            weights,
            f"{at}attention.output.LayerNorm",
            states + _linear(weights, f"{at}attention.output.dense", attended),
            shape,
        )
        inner = functional.gelu(_linear(weights, f"{at}intermediate.dense", states))
        states = _norm(weights, f"{at}output.LayerNorm", states + _linear(weights, f"{at}output.dense", inner), shape)
    return states


def pool(states: Tensor, mask: Tensor) -> Tensor:
    """First token and mean of the tokens side by side, (batch, 2 x width)."""
    weight = mask.unsqueeze(-1).to(states.dtype)
    return torch.cat([states[:, 0], (states * weight).sum(1) / weight.sum(1).clamp(min=1.0)], dim=1)


def _linear(weights: Mapping[str, Tensor], name: str, states: Tensor) -> Tensor:
    mapped = functional.linear(states, weights[name + ".weight"], weights[name + ".bias"])
    if name + ".down" not in weights:
        return mapped
    # In training the low-rank change stays apart: no gradient of the whole matrix is ever made.
    return mapped + functional.linear(functional.linear(states, weights[name + ".down"]), weights[name + ".up"])


def _norm(weights: Mapping[str, Tensor], name: str, states: Tensor, shape: EncoderShape) -> Tensor:
    return functional.layer_norm(
        states, (states.shape[-1],), weights[name + ".weight"], weights[name + ".bias"], shape.norm_eps
    )


class FusedEncoder:
    """The same arithmetic for one fixed set of weights: query, key and value in one product, no mask where nothing is padded.

    A question alone is so short that what surrounds the products costs as much as they do.
    """

    def __init__(self, weights: Mapping[str, Tensor], shape: EncoderShape) -> None:
        self._weights, self._shape = weights, shape
        self._layers = [_fused(weights, f"encoder.layer.{layer}.") for layer in range(shape.layers)]

    def embedded(self, token_ids: Tensor) -> Tensor:
        """States before the first layer."""
        return embed_tokens(self._weights, token_ids, shape=self._shape)

    def run(self, states: Tensor, mask: Tensor, layers: range) -> Tensor:
        """States after these layers; `mask` as in `run_layers`."""
        batch, length, width = states.shape
        heads, eps = self._shape.heads, self._shape.norm_eps
        allowed = None if bool(mask.all()) else mask[:, None, None, :].bool()
        for layer in layers:
            qkv, qkv_bias, out, out_bias, norm, norm_bias, up, up_bias, down, down_bias, last, last_bias = self._layers[
                layer
            ]
            parts = functional.linear(states, qkv, qkv_bias).view(batch, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
            attended = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=allowed)
            attended = attended.transpose(1, 2).reshape(batch, length, width)
            states = functional.layer_norm(
                states + functional.linear(attended, out, out_bias), (width,), norm, norm_bias, eps
            )
            inner = functional.gelu(functional.linear(states, up, up_bias))
            states = functional.layer_norm(
                states + functional.linear(inner, down, down_bias), (width,), last, last_bias, eps
            )
        return states


def by_input(weight: Tensor) -> Tensor:
    """The same matrix laid out input by input: a product with the few tokens of a question then takes half the time, with
    many tokens as long as before."""
    return weight.t().contiguous().t()


def _fused(weights: Mapping[str, Tensor], at: str) -> tuple[Tensor, ...]:
    def both(name: str) -> tuple[Tensor, Tensor]:
        weight = weights[f"{at}{name}.weight"]
        return by_input(weight) if weight.dim() == 2 else weight, weights[f"{at}{name}.bias"]

    parts = [both(f"attention.self.{part}") for part in ("query", "key", "value")]
    return (
        by_input(torch.cat([weight for weight, _ in parts])),
        torch.cat([bias for _, bias in parts]),
        *both("attention.output.dense"),
        *both("attention.output.LayerNorm"),
        *both("intermediate.dense"),
        *both("output.dense"),
        *both("output.LayerNorm"),
    )
