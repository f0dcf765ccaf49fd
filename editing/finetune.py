"""Fine-tuning of the same matrices, constrained or low-rank, for comparison."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from editing.editor import Editor
from editing.memit.contexts import Context, Role, contexts_for
from editing.memit.solve import LowRankDelta
from editing.methods import Edited, Groups, Written
from editing.progress import Progress


@dataclass(frozen=True, slots=True)
class Training:
    """How the change is found: Adam over the same rows that MEMIT edits on, one fact a batch.

    epochs     passes over all facts
    rate       learning rate: of three for fine-tuning the best on ten facts, for LoRA the one measured (docs/LOG.md)
    max_ratio  the change of a matrix never exceeds this share of the matrix's norm (0: no bound)
    rank       of the LoRA factors
    """

    epochs: int
    rate: float
    max_ratio: float = 0.0
    rank: int = 8


CONSTRAINED = Training(epochs=8, rate=1.5e-3, max_ratio=0.1)
LOW_RANK = Training(epochs=12, rate=3e-3)


def finetune(
    editor: Editor, groups: Groups, written: Written, progress: Progress, training: Training = CONSTRAINED
) -> Edited:
    """Plain fine-tuning of the last edited layer's matrix, its change kept within a bound."""
    layer = editor.config.layers[-1]
    d_out, d_in = editor.decoder.matrix(layer).shape
    change = nn.Parameter(torch.zeros(d_out, d_in, device=editor.decoder.device))
    bound = training.max_ratio * float(editor.decoder.matrix(layer).float().norm())

    def keep_small() -> None:
        norm = float(change.detach().norm())
        if bound and norm > bound:
            change.data.mul_(bound / norm)

    def final() -> dict[int, LowRankDelta]:
        whole, one = change.detach().double().cpu(), torch.eye(min(d_out, d_in), dtype=torch.float64)
        return {layer: LowRankDelta(one, whole) if d_out < d_in else LowRankDelta(whole, one)}

    return _train(
        editor, groups, written, progress, training, {layer: lambda x: x @ change.T}, [change], keep_small, final
    )


def lora(editor: Editor, groups: Groups, written: Written, progress: Progress, training: Training = LOW_RANK) -> Edited:
    """LoRA on the same matrices. Hu et al. 2021, arXiv:2106.09685."""
    factors: dict[int, tuple[nn.Parameter, nn.Parameter]] = {}
    generator = torch.Generator().manual_seed(0)
    for layer in editor.config.layers:
        d_out, d_in = editor.decoder.matrix(layer).shape
        down = torch.randn(training.rank, d_in, generator=generator) / d_in**0.5
        place = editor.decoder.device
        factors[layer] = (nn.Parameter(torch.zeros(d_out, training.rank, device=place)), nn.Parameter(down.to(place)))

    def through(layer: int) -> Callable[[Tensor], Tensor]:
        up, down = factors[layer]
        return lambda x: (x @ down.T) @ up.T

    def final() -> dict[int, LowRankDelta]:
        return {
            layer: LowRankDelta(up.detach().double().cpu(), down.detach().double().cpu())
            for layer, (up, down) in factors.items()
        }

    every = [factor for pair in factors.values() for factor in pair]
    return _train(
        editor, groups, written, progress, training, {n: through(n) for n in factors}, every, lambda: None, final
    )


def _train(
    editor: Editor,
    groups: Groups,
    written: Written,
    progress: Progress,
    training: Training,
    added: dict[int, Callable[[Tensor], Tensor]],
    parameters: Sequence[nn.Parameter],
    keep_small: Callable[[], None],
    final: Callable[[], dict[int, LowRankDelta]],
) -> Edited:
    """Train what is added to the matrices' outputs. The model's own weights are never touched."""
    start = perf_counter()
    decoder = editor.decoder
    rows = [contexts_for(facts, said, editor.chat, editor.config) for facts, said in zip(groups, written, strict=True)]
    hooks = [decoder.mlp_out(n).register_forward_hook(_add(function, decoder.dtype)) for n, function in added.items()]
    optimiser = torch.optim.Adam(parameters, lr=training.rate)
    generator = torch.Generator().manual_seed(0)
    try:
        for epoch in range(training.epochs):
            for i in torch.randperm(len(rows), generator=generator).tolist():
                optimiser.zero_grad()
                loss = _loss(editor, [row for row in rows[i] if row.role is Role.EDIT])
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                keep_small()
            progress(len(rows) * (epoch + 1) // training.epochs, len(rows))
    finally:
        for hook in hooks:
            hook.remove()
    unchanged = editor.solve([])
    solution = replace(unchanged, deltas={**unchanged.deltas, **final()})
    # There are no artefacts: what came out is its name.
    return Edited(replace(solution, artefact_ids=(solution.tensors_sha256(),)), perf_counter() - start, 0.0)


def _add(function: Callable[[Tensor], Tensor], dtype: torch.dtype) -> Callable[..., Tensor]:
    def hook(_module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        return output + function(args[0].float()).to(dtype)

    return hook


def _loss(editor: Editor, rows: Sequence[Context]) -> Tensor:
    """Mean negative log-likelihood of the rows' targets."""
    decoder = editor.decoder
    out = decoder.states(decoder.rows([row.tokens[:-1] for row in rows]))
    said = [(i, at - 1, row.tokens[at]) for i, row in enumerate(rows) for at in range(row.target_at, len(row.tokens))]
    states = out[[i for i, _, _ in said], [at for _, at, _ in said]]
    targets = torch.tensor([token for _, _, token in said], device=decoder.device)
    return cross_entropy(decoder.head(states).float(), targets)
