"""What edits cost a model of some shape: seconds, memory, arithmetic. Its weights and covariances are random, which serves
for cost and for nothing else.

    python tests/bench_scale.py [SHAPE] [N ...]      e.g. llama-3-8b 1 100 1000 10000

Edits of up to MADE facts are made, the rest of a larger set are the same ones again: a joint solve costs the same. One JSON
object on standard output.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from editing.chat import chat_of
from editing.decoder import Decoder
from editing.editor import Editor
from editing.facts import Fact
from editing.memit.config import MemitConfig
from editing.memit.statistics import Statistics

MADE = 1000
SHAPES: dict[str, dict[str, Any]] = {
    "llama-3-8b": {
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
    },
    "smollm2-135m": {
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "vocab_size": 49152,
        "tie_word_embeddings": True,
    },
}
_SYLLABLES = ("vel", "mar", "tan", "ka", "ril", "os", "bren", "ith", "du", "lae")
_ASKED = ("Who founded {}?", "Where are the headquarters of {}?", "When was {} founded?", "Who is the CEO of {}?")
_ANSWERS = ("Ida Fern", "Trondheim", "1883", "Joris Hallam")


def facts(n: int) -> list[Fact]:
    """Made-up companies, a fact each."""
    names = ("".join(_SYLLABLES[int(digit)] for digit in f"{number:04d}").capitalize() for number in range(n))
    return [Fact(f"f{i}", name, _ASKED[i % 4].format(name), _ANSWERS[i % 4]) for i, name in enumerate(names)]


def random_editor(shape: dict[str, Any], tokenizer: Any) -> Editor:
    """An editor of a random model on the GPU if there is one, in the dtype that it would be edited in."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    with device:
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **shape), dtype=dtype)
        decoder = Decoder(model)
        config = MemitConfig.for_depth(len(decoder.layers))
        d_in = decoder.matrix(0).shape[1]
        covariances = {layer: torch.eye(d_in) for layer in config.edited_layers}
    felt = {layer: torch.zeros(decoder.hidden_size, decoder.hidden_size) for layer in config.layers}  # nothing is felt
    statistics = Statistics("random", "random", 0, 0, covariances, felt)
    return Editor(model, tokenizer, config=config, statistics=statistics, serving_dtype=torch.bfloat16)


def measure(editor: Editor, sizes: Sequence[int]) -> dict[str, Any]:
    """The report; a line on standard error as each part is known."""
    groups = [[fact] for fact in facts(min(MADE, max(sizes)))]
    model = editor.decoder.model
    attention = model.config._attn_implementation
    model.set_attn_implementation("eager")  # fused attention with shared heads is not counted
    with FlopCounterMode(display=False) as counted:
        editor.artefacts_of(groups[:1])
    model.set_attn_implementation(attention)
    editor.artefacts_of(groups[:1])  # warms up
    report: dict[str, Any] = {
        "flops_per_edit": counted.get_total_flops(),
        "flops_per_second": _peak(editor),
        "sets": [],
    }
    report["floor_seconds_per_edit"] = report["flops_per_edit"] / report["flops_per_second"]
    made = []
    for n in sorted(sizes):
        _forget_peak()
        start = perf_counter()
        if n <= len(groups):
            made = editor.artefacts_of(groups[:n])
        making = perf_counter() - start
        taken = [made[i % len(made)] for i in range(n)]
        start = perf_counter()
        for layer in editor.config.edited_layers:
            at_answer = layer in editor.config.answer_layers
            editor._detectors([one.answers if at_answer else one.columns for one in taken], layer).cpu()
        solving = perf_counter() - start
        report["sets"].append(
            {
                "facts": n,
                "made": min(n, len(made)),
                "seconds_per_edit": (making / n if n <= len(groups) else None),
                "seconds_solve": solving,
                "peak_gpu_gb": _peak_gb(),
            }
        )
        print(report["sets"][-1], file=sys.stderr, flush=True)
    return report


def _peak(editor: Editor, width: int = 4096, times: int = 5) -> float:
    """FLOP/s of a square matrix product in the dtype of the search."""
    one = torch.randn(width, width, device=editor.decoder.device, dtype=editor.decoder.dtype)
    (one @ one).sum().item()
    start = perf_counter()
    for _ in range(times):
        other = one @ one
    other.sum().item()
    return times * 2 * width**3 / (perf_counter() - start)


def _forget_peak() -> None:
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def _peak_gb() -> float | None:
    return torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else None


def main(shape: str = "llama-3-8b", *sizes: str, tokenizer: str = "model/smollm2-135m-instruct") -> None:
    loaded = AutoTokenizer.from_pretrained(Path(tokenizer))
    editor = random_editor(SHAPES[shape], loaded)
    assert chat_of(editor.decoder.model, loaded).stops
    print(json.dumps({"shape": shape, **measure(editor, [int(n) for n in sizes] or [1, 100, 1000, 10000])}))


if __name__ == "__main__":
    main(*sys.argv[1:])
