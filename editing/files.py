"""Files that are there whole or not at all, whatever ends the process or the power."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def write_tensors(tensors: Mapping[str, Tensor], path: Path, about: Mapping[str, str] | None = None) -> None:
    """A safetensors file with `about` as its metadata. Raises OSError if it cannot be written, on a full disk too."""
    from safetensors import SafetensorError  # with torch behind it, which who writes a text does without
    from safetensors.torch import save_file

    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
        save_file(whole, unfinished, metadata={"format": "pt", **(about or {})})
    except SafetensorError as error:  # how the library reports a full disk
        unfinished.unlink(missing_ok=True)
        raise OSError(f"cannot write {path.name}: {error}") from error
    _put(unfinished, path)


def write_text(text: str, path: Path) -> None:
    """A text file in UTF-8, line ends as they are."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8", newline="")
    _put(unfinished, path)


def _put(unfinished: Path, path: Path) -> None:
    """In the other's place once it is on the disk: else a name may outlive a power failure and its content not."""
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)
