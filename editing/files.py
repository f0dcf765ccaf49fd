"""Files and folders that are there whole or not at all, whatever ends the process or the power."""

from __future__ import annotations

import glob
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def write_tensors(tensors: Mapping[str, Tensor], path: Path, about: Mapping[str, str] | None = None) -> None:
    """A safetensors file with `about` as its metadata. Raises OSError if it cannot be written, on a full disk too."""
    from safetensors import SafetensorError  # with torch behind it, which who writes a text does without
    from safetensors.torch import save_file

    with _whole_file(path) as unfinished:
        try:
            whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
            save_file(whole, unfinished, metadata={"format": "pt", **(about or {})})
        except SafetensorError as error:  # how the library reports a full disk
            raise OSError(f"cannot write {path.name}: {error}") from error


def write_text(text: str, path: Path) -> None:
    """A text file in UTF-8, line ends as they are."""
    with _whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="")


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    """A name to write to, which no other writer has. The file takes the place of `path` once it is on the disk: else a name
    may outlive a power failure and its content not."""
    unfinished = path.with_name(f"{path.name}.{token_hex(4)}.unfinished")
    try:
        yield unfinished
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which takes the place of `folder` once the block ends well. What stood there goes aside first:
    never is there a part of it. What processes that were killed left beside it is removed, and comes back if it is all."""
    folder = folder.absolute()  # the name of "." is empty
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.*"):
        found = re.fullmatch(r"(\d+)\.[0-9a-f]+\.(unfinished|aside)", left.name.removeprefix(f".{folder.name}."))
        if found is None or Path("/proc", found[1]).exists():
            continue
        if found[2] == "aside" and not folder.exists():
            left.rename(folder)
        else:
            shutil.rmtree(left, ignore_errors=True)
    name = f".{folder.name}.{os.getpid()}.{token_hex(4)}"
    unfinished, aside = (folder.with_name(f"{name}.{what}") for what in ("unfinished", "aside"))
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        if folder.exists():
            folder.rename(aside)
        unfinished.rename(folder)
    finally:
        if aside.exists() and not folder.exists():
            aside.rename(folder)
        for left in (unfinished, aside):
            shutil.rmtree(left, ignore_errors=True)
