"""Load a model for editing: dtype and attention by what the machine is good at, statistics from their cache."""

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from editing.chat import chat_of
from editing.decoder import Decoder, cast
from editing.edit_set import hash_model_dir
from editing.editor import Editor
from editing.errors import StatisticsMismatch
from editing.files import write_text
from editing.generation import compose
from editing.memit.config import MemitConfig
from editing.memit.contexts import Context, lead_rows
from editing.memit.statistics import Statistics, leads_sha256, load, load_or_measure, save
from editing.progress import Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to be edited, and what names it."""

    model: Any
    tokenizer: Any
    base_sha256: str
    serving_dtype: torch.dtype


def compute_dtype(device: torch.device) -> torch.dtype:
    """What keys are read, replies written and likelihoods taken in, as the engine serves: bf16 on a GPU, fp32 on a CPU."""
    return torch.bfloat16 if device.type == "cuda" else torch.float32


def load_model(path: str | Path, *, device: str | None = None, dtype: torch.dtype | None = None) -> Loaded:
    """Load a checkpoint folder (safetensors). The stored dtype becomes the serving dtype."""
    base_sha256 = hash_model_dir(Path(path))
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    config = AutoConfig.from_pretrained(str(path))
    # On a CPU the fused attention is slower for a batch that decodes token by token; and it leaves out Gemma 2's soft cap.
    eager = place.type == "cpu" or getattr(config, "attn_logit_softcapping", None) is not None
    attention = "eager" if eager else "sdpa"
    model = AutoModelForCausalLM.from_pretrained(str(path), config=config, dtype="auto", attn_implementation=attention)
    stored: torch.dtype = next(model.parameters()).dtype
    model = cast(model, dtype or compute_dtype(place)).to(place).eval().requires_grad_(False)
    tokenizer = AutoTokenizer.from_pretrained(str(path))
    return Loaded(model, tokenizer, base_sha256, stored)


def default_config(loaded: Loaded) -> MemitConfig:
    """The recipe where no other is asked for."""
    return MemitConfig.for_depth(len(Decoder(loaded.model).layers))


def statistics_for(
    loaded: Loaded,
    config: MemitConfig,
    *,
    texts: Sequence[str] | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Statistics:
    """Statistics of a model from `texts`, else those that `use_statistics` put into `folder`, else from text that it writes
    itself, cached there.

    A model whose text is shipped (`texts/`) need not write it: that takes minutes, running it through the model one.
    Raises EditingError before that if the model is too shallow for the recipe.
    """
    decoder = Decoder(loaded.model, products=products_for(loaded))
    chat = chat_of(loaded.model, loaded.tokenizer)
    config.check_depth(len(decoder.layers))
    leads = lead_rows(chat, config)
    if texts is None and folder is not None and (known := _in_use(loaded.base_sha256, config, leads, folder)):
        return known
    corpus = (
        list(texts)
        if texts is not None
        else shipped_text(loaded.base_sha256) or _own_text(loaded, decoder, config, folder, progress)
    )
    return load_or_measure(
        decoder,
        chat,
        corpus,
        base_sha256=loaded.base_sha256,
        layers=config.layers,
        answer_layers=config.answer_layers,
        max_tokens=_tokens_for(decoder, config),
        max_felt=config.sensitivity_tokens,
        leads=leads,
        folder=folder,
        progress=progress,
    )


def use_statistics(statistics: Statistics | None, folder: Path, *, base_sha256: str) -> None:
    """From now on `statistics_for` gives these for this model, whatever text they come from; None: those of its own text
    again. Of the text itself nothing is kept. Raises OSError where `folder` cannot be written to."""
    path = _path_in_use(base_sha256, folder)
    if statistics is None:
        path.unlink(missing_ok=True)
    else:
        save(statistics, path)


def _path_in_use(base_sha256: str, folder: Path) -> Path:
    return folder / f"{hashlib.sha256(f'{base_sha256}|given'.encode()).hexdigest()[:32]}.safetensors"


def _in_use(base_sha256: str, config: MemitConfig, leads: Sequence[Context], folder: Path) -> Statistics | None:
    """None, with a warning, if they are of another recipe or damaged: then those of the model's own text are taken."""
    path = _path_in_use(base_sha256, folder)
    if not path.exists():
        return None
    try:
        known = load(path)
        known.check(base_sha256=base_sha256, layers=config.layers, answer_layers=config.answer_layers)
    except StatisticsMismatch as error:
        log.warning("statistics of a given text are not used: %s", error)
        return None
    if known.leads_sha256 == leads_sha256(leads):
        return known
    log.warning("statistics of a given text are not used: they know other well-known subjects; measure them anew")
    return None


def _tokens_for(decoder: Decoder, config: MemitConfig) -> int:
    """Ten tokens for each direction of the keys at least: from fewer a covariance says too little of what text feels."""
    return max(config.covariance_tokens, 10 * decoder.matrix(config.layers[0]).shape[1])


def shipped_text(base_sha256: str) -> list[str]:
    """Text that a known model wrote, kept in `texts/` under the model's sha256; nothing for any other model."""
    path = Path(__file__).with_name("texts") / f"{base_sha256}.txt"
    return path.read_text(encoding="utf-8").split("\0") if path.exists() else []


def _own_text(
    loaded: Loaded,
    decoder: Decoder,
    config: MemitConfig,
    folder: Path | None,
    progress: Progress | None,
) -> list[str]:
    """Text that the model writes, kept in `folder` under a name that says model, length and seed."""
    n_tokens = _tokens_for(decoder, config)
    name = hashlib.sha256(f"{loaded.base_sha256}|{n_tokens}|seed 0".encode()).hexdigest()[:32]
    path = None if folder is None else folder / f"{name}.txt"
    if path is not None and path.exists():
        return path.read_text(encoding="utf-8").split("\0")
    with decoder.quick():
        texts = compose(decoder, chat_of(loaded.model, loaded.tokenizer), n_tokens=n_tokens, progress=progress)
    texts = [re.sub(r"\r\n?", "\n", text) for text in texts]  # as they are read back
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text("\0".join(texts), path)
    return texts


def load_editor(
    path: str | Path,
    *,
    config: MemitConfig | None = None,
    device: str | None = None,
    dtype: torch.dtype | None = None,
    texts: Sequence[str] | None = None,
    folder: str | Path | None = None,
    progress: Progress | None = None,
) -> Editor:
    """From a checkpoint folder to an editor in one call; statistics are computed once and cached in `folder`."""
    loaded = load_model(path, device=device, dtype=dtype)
    recipe = config or default_config(loaded)
    kept = None if folder is None else Path(folder)
    statistics = statistics_for(loaded, recipe, texts=texts, folder=kept, progress=progress)
    return Editor(
        loaded.model,
        loaded.tokenizer,
        config=recipe,
        statistics=statistics,
        base_sha256=loaded.base_sha256,
        products=products_for(loaded),
        serving_dtype=loaded.serving_dtype,
    )


def products_for(loaded: Loaded) -> torch.dtype | None:
    """bf16 where a CPU multiplies it by itself and the checkpoint is stored in it, so that its weights lose nothing.

    Decided by what the processor says it has, never by a stopwatch: one machine always decides alike.
    """
    has = torch.cpu.get_capabilities()
    native = has.get("amx_bf16") or has.get("avx512_bf16")
    in_fp32 = loaded.model.device.type == "cpu" and loaded.model.dtype == torch.float32
    return torch.bfloat16 if native and in_fp32 and loaded.serving_dtype == torch.bfloat16 else None
