"""Which lock fits this machine, and the installer's flags for it. Runs before anything is installed: stdlib alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

DEVICES = ("cpu", "gpu")


def choose_device(environ: Mapping[str, str], *, has_nvidia: bool) -> str:
    """`cpu` or `gpu`: what ERRATA_DEVICE says, else whether there is an NVIDIA GPU. Raises ValueError."""
    said = environ.get("ERRATA_DEVICE", "")
    if said and said not in DEVICES:
        raise ValueError(f"ERRATA_DEVICE is {said!r}; it may be {' or '.join(DEVICES)}, or unset.")
    return said or ("gpu" if has_nvidia else "cpu")


def installer_flags(environ: Mapping[str, str], device: str) -> list[str]:
    """Flags for `uv pip install`: where torch and everything else comes from.

    uv does not read pip's variables, so a machine that reaches its packages through them is translated. A folder of
    PIP_FIND_LINKS with a torch wheel wins; else uv finds PyTorch's own index by itself.
    """
    folders = [word for word in environ.get("PIP_FIND_LINKS", "").split() if word]
    flags = [flag for folder in folders for flag in ("--find-links", folder)]
    if environ.get("PIP_INDEX_URL"):
        flags += ["--default-index", environ["PIP_INDEX_URL"]]
    for url in environ.get("PIP_EXTRA_INDEX_URL", "").split():
        flags += ["--index", url]
    has_torch = any(True for folder in folders if Path(folder).is_dir() for _ in Path(folder).glob("torch-*.whl"))
    if not (has_torch and device == "cpu"):
        flags.append(f"--torch-backend={'cpu' if device == 'cpu' else 'auto'}")
    return flags


def has_nvidia_gpu() -> bool:
    """Does the NVIDIA driver list a GPU?"""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and "GPU " in listed.stdout


def main(arguments: list[str]) -> int:
    """`device` prints cpu or gpu; `flags` prints the installer's flags."""
    try:
        device = choose_device(os.environ, has_nvidia=has_nvidia_gpu())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    match arguments:
        case ["device"]:
            print(device)
        case ["flags"]:
            print(" ".join(installer_flags(os.environ, device)))
        case _:
            print("usage: choose.py device|flags", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
