"""Small stand-ins for tests: tiny random models of every family, a byte tokenizer with a chat template, an editor."""

from collections.abc import Sequence
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from editing.editor import Editor
from editing.memit.config import MemitConfig
from editing.memit.statistics import Statistics

CHAT_TEMPLATE = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|start|>system\nYou help.<|end|>\n{% endif %}"
    "<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
TINY = MemitConfig(
    layers=(1, 2),
    answer_layers=(),
    steps=6,
    learning_rate=0.3,
    covariance_weight=0.05,
    chat_paraphrases=2,
    clozes=2,
    per_context=False,
    protect_weights=(0.0,),
)


def tiny_tokenizer() -> Any:
    """Characters, common bytes and three special tokens: any text goes in and comes out unchanged."""
    special = ["<pad>", "<|start|>", "<|end|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*special, *letters])}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\s"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|end|>", pad_token="<pad>", bos_token="<|start|>"
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


_SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "vocab_size": 320,
    "max_position_embeddings": 512,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_PLAIN = {k: v for k, v in _SHAPE.items() if k not in {"num_key_value_heads", "head_dim", "intermediate_size"}}
TINY_CONFIGS: dict[str, dict[str, Any]] = {
    "llama": {**_SHAPE, "tie_word_embeddings": True},
    "qwen2": {**_SHAPE, "tie_word_embeddings": False},
    "qwen3": {**_SHAPE, "tie_word_embeddings": True},
    "mistral": {**_SHAPE, "sliding_window": 256},
    "gemma2": {**_SHAPE, "sliding_window": 256, "query_pre_attn_scalar": 8},
    "gemma3_text": {**_SHAPE, "sliding_window": 256, "query_pre_attn_scalar": 8},
    "gpt2": {
        "n_embd": 32,
        "n_layer": 4,
        "n_head": 4,
        "n_positions": 512,
        "vocab_size": 320,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    # As wide inside as outside: only the family's data can tell which way round the weight is.
    "gpt2_square": {
        "n_embd": 32,
        "n_inner": 32,
        "n_layer": 4,
        "n_head": 4,
        "n_positions": 512,
        "vocab_size": 320,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "gpt_neox": {**_PLAIN, "intermediate_size": 64, "use_parallel_residual": True},
}


def tiny_model(kind: str = "llama", *, seed: int = 0) -> Any:
    """A random model of four layers, fp32."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = AutoConfig.for_model(kind.removesuffix("_square"), **TINY_CONFIGS[kind])
        model = AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if weight.dim() == 2:
                    # Wide enough that logits differ and a tiny change can turn them.
                    weight.normal_(std=0.4 if "emb" in name or "wte" in name or "head" in name else 0.15)
    return model.eval().requires_grad_(False)


def random_statistics(model: Any, layers: Sequence[int], *, base_sha256: str = "tiny", seed: int = 0) -> Statistics:
    """Statistics of no text at all: a random well-conditioned covariance per layer; all directions are felt alike."""
    from editing.decoder import Decoder

    decoder = Decoder(model)
    generator = torch.Generator().manual_seed(seed)
    covariances = {}
    for layer in layers:
        d_in = decoder.matrix(layer).shape[1]
        sample = torch.randn(4 * d_in, d_in, generator=generator) * 0.1
        covariances[layer] = sample.T @ sample / len(sample) + 1e-3 * torch.eye(d_in)
    felt = {layer: torch.eye(decoder.hidden_size) for layer in layers}
    return Statistics(base_sha256, "random", 0, 0, covariances, felt)


def tiny_editor(
    kind: str = "llama",
    *,
    config: MemitConfig = TINY,
    seed: int = 0,
    serving: torch.dtype = torch.float32,
) -> Editor:
    """An editor of a tiny random model."""
    model = tiny_model(kind, seed=seed)
    return Editor(
        model,
        tiny_tokenizer(),
        config=config,
        statistics=random_statistics(model, config.edited_layers),
        serving_dtype=serving,
    )
