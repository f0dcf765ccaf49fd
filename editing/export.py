"""Take an edited model elsewhere: a whole checkpoint, or a LoRA adapter with nothing but the change."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from editing.edit_set import Solution, copy_small_files
from editing.errors import ArtefactMismatch
from editing.files import whole_folder, write_tensors, write_text


def export_hf(folder: str | Path, solution: Solution, model_dir: str | Path) -> Path:
    """A checkpoint that transformers and vLLM load: the base's files with the changed tensors in place.

    Shards stay as they are cut. Tied weights are stored once, as in the base. A tensor is found without the name of the
    part it lies in, too: GPT-2's files leave "transformer." out.
    Raises FileExistsError if `folder` is there and not empty, ArtefactMismatch if the base lacks a changed tensor or is another
    than was edited.
    """
    place, model_dir = _free(folder), Path(model_dir)
    changed = solution.tensors()
    base = {solution.names[layer]: tensor for layer, tensor in solution.base.items()}
    index = model_dir / "model.safetensors.index.json"
    with whole_folder(place) as unfinished:
        if index.exists():
            shutil.copyfile(index, unfinished / index.name)
        for path in sorted(model_dir.glob("*.safetensors")):
            with safe_open(path, framework="pt") as file:
                whole = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                for name in whole:
                    if full := _full_name(name, changed):
                        if not torch.equal(whole[name].to(base[full].dtype), base[full]):
                            raise ArtefactMismatch(f"the tensor {name!r} of the base is not the one that was edited")
                        whole[name] = changed.pop(full)
                write_tensors(whole, unfinished / path.name, file.metadata())
        if changed:
            raise ArtefactMismatch(f"the base has no tensors {sorted(changed)!r}: it is another model than was edited")
        copy_small_files(model_dir, unfinished)
    return place


def export_peft(folder: str | Path, solution: Solution, *, base_model: str) -> Path:
    """A LoRA adapter: the change is a product of thin factors already, one column per subject or token of an answer.

    base_model  id or folder of the base, written into the adapter's configuration

    Merged by PEFT it gives the edited weights up to rounding of one matrix product in fp32. An adapter cannot hold more
    columns than its server's greatest rank (vLLM: 512).
    Raises FileExistsError if `folder` is there and not empty.
    """
    place = _free(folder)
    tensors: dict[str, Tensor] = {}
    rank = max(1, *(delta.rank for delta in solution.deltas.values()))
    for layer, delta in solution.deltas.items():
        module = solution.names[layer].removesuffix(".weight")
        up = torch.zeros(delta.left.shape[0], rank)
        down = torch.zeros(rank, delta.right.shape[1])
        up[:, : delta.rank], down[: delta.rank] = _balanced(delta.left, delta.right)
        tensors[f"base_model.model.{module}.lora_A.weight"] = down
        tensors[f"base_model.model.{module}.lora_B.weight"] = up
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_model,
        "r": rank,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": solution.transposed,
        "inference_mode": True,
        "target_modules": [name.removesuffix(".weight") for name in solution.names.values()],
    }
    with whole_folder(place) as unfinished:
        write_tensors(tensors, unfinished / "adapter_model.safetensors")
        write_text(json.dumps(config, indent=1), unfinished / "adapter_config.json")
    return place


def _full_name(name: str, changed: Mapping[str, Tensor]) -> str | None:
    """Which changed tensor a stored one is, if any."""
    return next((full for full in changed if full == name or full.partition(".")[2] == name), None)


def _balanced(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """The same product, each column pair scaled to equal norms so that neither factor loses digits in fp32."""
    if not left.shape[1]:
        return left.float(), right.float()
    ratio = (right.norm(dim=1) / left.norm(dim=0).clamp_min(1e-300)).clamp_min(1e-300).sqrt()
    return (left * ratio).float(), (right / ratio.unsqueeze(1)).float()


def _free(folder: str | Path) -> Path:
    place = Path(folder).absolute()
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise FileExistsError(f"{str(place)!r} exists and is not empty: name a new folder")
    return place
