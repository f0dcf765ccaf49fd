"""Run a decoder in pieces: frozen prefixes, recorded layer calls, replay of the upper layers from a changed state."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from editing.families import Family, family_of


class FrozenLayer(DynamicLayer):  # type: ignore[misc]
    """One layer's keys and values of a prefix; what comes after is attended to and not added."""

    def __init__(self, keys: Tensor | None, values: Tensor | None) -> None:
        super().__init__()
        self.latest: tuple[Tensor, Tensor] | None = None
        if keys is not None and values is not None:
            self.lazy_initialization(keys, values)
            self.keys, self.values = keys, values

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        if not torch.is_grad_enabled():
            self.latest = (key_states, value_states)
        if not self.is_initialized:
            return key_states, value_states
        return torch.cat([self.keys, key_states], dim=-2), torch.cat([self.values, value_states], dim=-2)


class FrozenCache(DynamicCache):  # type: ignore[misc]
    """Keys and values of a prefix that any number of passes may read and none changes."""

    def __init__(self, layers: Sequence[tuple[Tensor, Tensor]]) -> None:
        super().__init__()
        self.layers = [FrozenLayer(keys, values) for keys, values in layers]

    @classmethod
    def empty(cls, n_layers: int) -> "FrozenCache":
        """No prefix at all, yet able to grow."""
        cache = cls([])
        cache.layers = [FrozenLayer(None, None) for _ in range(n_layers)]
        return cache

    def for_rows(self, n_rows: int) -> "FrozenCache":
        """The same prefix before each of `n_rows` rows; no memory is copied."""
        return FrozenCache([(k.expand(n_rows, -1, -1, -1), v.expand(n_rows, -1, -1, -1)) for k, v in self.pairs()])

    def grown(self) -> "FrozenCache":
        """A cache that ends with the rows of the latest pass."""
        grown: list[tuple[Tensor, Tensor]] = []
        for layer in self.layers:
            assert layer.latest is not None
            keys, values = layer.latest
            if layer.is_initialized:
                keys, values = torch.cat([layer.keys, keys], dim=-2), torch.cat([layer.values, values], dim=-2)
            grown.append((keys, values))
        return FrozenCache(grown)

    def pairs(self) -> list[tuple[Tensor, Tensor]]:
        """(keys, values) of every layer, each (rows, heads, length, head size)."""
        return [(layer.keys, layer.values) for layer in self.layers]


@dataclass(frozen=True, slots=True)
class Rows:
    """Token rows of different length as one batch, with what the model needs to place them.

    tokens     (rows, length), padded
    attended   (rows, prefix + length), 1 where a token or a prefix position counts; or (rows, 1, length, prefix + length),
               what is added to the scores of attention
    positions  (rows, length), each token's index in its own row
    """

    tokens: Tensor
    attended: Tensor
    positions: Tensor


@dataclass(slots=True)
class Recorded:
    """What a pass went through: each layer's input, the arguments it was called with, the last output, the keys."""

    inputs: dict[int, Tensor] = field(default_factory=dict)
    calls: dict[int, tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)
    mlp_inputs: dict[int, Tensor] = field(default_factory=dict)
    last: Tensor | None = None


def cast(model: Any, dtype: torch.dtype) -> Any:
    """The model with its parameters in another dtype, in place. Its buffers stay: rotary frequencies in bf16 turn far
    positions by a third of a radian too much, and are computed in fp32 where the model is served."""
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype)
    return model


class Decoder:
    """A causal language model taken apart by its family.

    products    what matrices are multiplied in within `quick`; None is the model's dtype
    is_changed  whether it is within `with_weights`

    Invariant: no method changes a weight; `with_weights`, `quick` and `only` put back what they exchange.
    """

    def __init__(self, model: Any, *, products: torch.dtype | None = None) -> None:
        self.model, self.products = model, products
        self.family: Family = family_of(model.config)
        self.base: nn.Module = model.get_submodule(self.family.base)
        self.layers: list[nn.Module] = list(self.base.get_submodule(self.family.layers).children())
        self.norm: nn.Module = self.base.get_submodule(self.family.norm)
        self.is_changed = False
        self._prefixes: dict[tuple[int, ...], FrozenCache] = {}

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device  # type: ignore[no-any-return]

    @property
    def dtype(self) -> torch.dtype:
        return next(self.model.parameters()).dtype  # type: ignore[no-any-return]

    @property
    def hidden_size(self) -> int:
        return int(self.model.config.hidden_size)

    def mlp_out(self, layer: int) -> nn.Module:
        """The module whose weight is edited; its input is the key."""
        return self.layers[layer].get_submodule(self.family.mlp_out)

    def weight(self, layer: int) -> nn.Parameter:
        weight = self.mlp_out(layer).weight
        assert isinstance(weight, nn.Parameter)
        return weight

    def matrix(self, layer: int) -> Tensor:
        """The edited weight as (d_out, d_in), whatever way round it is stored."""
        weight = self.weight(layer).detach()
        return weight.T if self.family.transposed else weight

    def logits(self, hidden: Tensor) -> Tensor:
        """The model's prediction from the last layer's states."""
        return self.head(self.norm(hidden))

    def head(self, normed: Tensor) -> Tensor:
        """The model's own head on normed states; tied or not, capped or not."""
        with torch.autocast(self.device.type, enabled=False):
            logits: Tensor = self.model.get_output_embeddings()(normed)
        cap = getattr(self.model.config, self.family.softcap, None) if self.family.softcap else None
        return logits if cap is None else torch.tanh(logits / cap) * cap

    @contextmanager
    def only(self, n_layers: int) -> Iterator[None]:
        """Inside, the model has its first `n_layers` layers only: a pass stops there."""
        parent_path, _, name = self.family.layers.rpartition(".")
        parent = self.base.get_submodule(parent_path)
        whole = getattr(parent, name)
        setattr(parent, name, nn.ModuleList(self.layers[:n_layers]))
        try:
            yield
        finally:
            setattr(parent, name, whole)

    @contextmanager
    def with_weights(self, tensors: Mapping[int, Tensor]) -> Iterator[None]:
        """Inside, the layers' edited weights are `tensors` (as stored); after, the very same storage as before."""
        saved, was_changed = {layer: self.weight(layer).data for layer in tensors}, self.is_changed
        try:
            self.is_changed = True
            for layer, tensor in tensors.items():
                self.weight(layer).data = tensor.to(device=saved[layer].device, dtype=saved[layer].dtype)
            self._prefixes.clear()  # keys and values of a prefix depend on the weights
            yield
        finally:
            for layer, data in saved.items():
                self.weight(layer).data = data
            self._prefixes.clear()
            self.is_changed = was_changed

    @contextmanager
    def quick(self) -> Iterator[None]:
        """Inside, the layers' matrices are multiplied in `products`, copied into it once; what layers hand on, norms and the
        head stay in the model's dtype. Gradients are taken inside, too. After, the very same storage as before."""
        if self.products is None:
            yield
            return
        matrices = [one for layer in self.layers for one in layer.parameters() if one.dim() == 2]
        saved = [one.data for one in matrices]
        self._prefixes.clear()
        try:
            for one in matrices:
                one.data = one.data.to(self.products)
            with torch.autocast(self.device.type, dtype=self.products):
                yield
        finally:
            for one, data in zip(matrices, saved, strict=True):
                one.data = data
            self._prefixes.clear()

    @contextmanager
    def watched(self, layers: Sequence[int]) -> Iterator[dict[int, tuple[Tensor, Tensor]]]:
        """Inside, a pass leaves the edited matrices' inputs and outputs here; gradients begin at the first of them."""
        seen: dict[int, tuple[Tensor, Tensor]] = {}

        def hook(layer: int) -> Callable[..., Tensor]:
            def keep(_module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
                output = output if output.requires_grad else output.requires_grad_()
                seen[layer] = (args[0].detach(), output)
                return output

            return keep

        handles = [self.mlp_out(layer).register_forward_hook(hook(layer)) for layer in layers]
        try:
            yield seen
        finally:
            for handle in handles:
                handle.remove()

    def prefix(self, tokens: Sequence[int]) -> FrozenCache:
        """Keys and values of a prefix that many rows share, such as a system prompt; remembered per weights."""
        key = tuple(tokens)
        if key not in self._prefixes:
            if len(self._prefixes) > 8:
                self._prefixes.clear()
            cache = DynamicCache()
            with torch.no_grad():
                self.base(input_ids=torch.tensor([key], device=self.device), past_key_values=cache, use_cache=True)
            self._prefixes[key] = FrozenCache([(layer.keys, layer.values) for layer in cache.layers])
        return self._prefixes[key]

    def rows(
        self,
        rows: Sequence[Sequence[int]],
        *,
        starts: Sequence[int] | None = None,
        before: Tensor | None = None,
        left: bool = False,
    ) -> Rows:
        """Pad `rows` to one batch, behind a prefix if there is one.

        starts   index of each row's first token in its own text; 0 for all if None
        before   (rows, prefix length), 1 where the row has the prefix position
        left     pad on the left, so that all rows end together
        """
        starts = [0] * len(rows) if starts is None else starts
        width = max(1, max(len(row) for row in rows))
        tokens = torch.zeros(len(rows), width, dtype=torch.long)
        here = torch.zeros(len(rows), width, dtype=torch.long)
        positions = torch.zeros(len(rows), width, dtype=torch.long)
        for i, (row, start) in enumerate(zip(rows, starts, strict=True)):
            at = slice(width - len(row), width) if left else slice(0, len(row))
            tokens[i, at] = torch.tensor(list(row), dtype=torch.long)
            here[i, at] = 1
            positions[i, at] = torch.arange(start, start + len(row))
        attended = here if before is None else torch.cat([before.cpu().long(), here], dim=1)
        return Rows(tokens.to(self.device), attended.to(self.device), positions.to(self.device))

    def states(self, rows: Rows) -> Tensor:
        """What the head reads, (rows, length, hidden size): the whole model's normed states."""
        states: Tensor = self.base(
            input_ids=rows.tokens, attention_mask=rows.attended, position_ids=rows.positions, use_cache=False
        ).last_hidden_state
        return states

    def run(
        self, rows: Rows, *, cache: Any = None, until: int | None = None, record: Sequence[int] = (), keys: bool = False
    ) -> Recorded:
        """Pass `rows` through the first `until` layers (all, if None) and say what was seen.

        record  layers whose input and call are kept, for `replay`
        keys    keep the edited matrices' inputs of the recorded layers too
        """
        seen = Recorded()
        n_layers = len(self.layers) if until is None else until
        hooks = []
        try:
            for layer in record:
                hooks.append(self.layers[layer].register_forward_pre_hook(_keep_call(seen, layer), with_kwargs=True))
                if keys:
                    hooks.append(self.mlp_out(layer).register_forward_hook(_keep_key(seen, layer)))
            hooks.append(self.layers[n_layers - 1].register_forward_hook(_keep_last(seen)))
            with self.only(n_layers):
                self.base(
                    input_ids=rows.tokens,
                    attention_mask=rows.attended,
                    position_ids=rows.positions,
                    past_key_values=cache,
                    use_cache=cache is not None,
                )
        finally:
            for hook in hooks:
                hook.remove()
        return seen

    def replay(self, seen: Recorded, hidden: Tensor, layers: Sequence[int]) -> Tensor:
        """Send `hidden` through `layers` with the arguments that they were called with when they were recorded."""
        for layer in layers:
            args, kwargs = seen.calls[layer]
            hidden = _first(self.layers[layer](hidden, *args, **kwargs))
        return hidden


def _first(output: Any) -> Tensor:
    """The hidden state of a layer's output; some families return a tuple."""
    state: Tensor = output[0] if isinstance(output, tuple) else output
    return state


def _keep_call(seen: Recorded, layer: int) -> Callable[..., None]:
    def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if args:
            seen.inputs[layer], rest = args[0], args[1:]
            seen.calls[layer] = (rest, kwargs)
        else:
            seen.inputs[layer] = kwargs["hidden_states"]
            seen.calls[layer] = ((), {name: value for name, value in kwargs.items() if name != "hidden_states"})

    return hook


def _keep_key(seen: Recorded, layer: int) -> Callable[..., None]:
    def hook(_module: nn.Module, args: tuple[Any, ...], _output: Tensor) -> None:
        seen.mlp_inputs[layer] = args[0]

    return hook


def _keep_last(seen: Recorded) -> Callable[..., None]:
    def hook(_module: nn.Module, _args: tuple[Any, ...], output: Any) -> None:
        seen.last = _first(output)

    return hook
