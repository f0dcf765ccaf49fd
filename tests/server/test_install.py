"""`make install` over an environment whose making broke off, with stand-ins for the programs in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INPUTS = ("pyproject.toml", *(f"requirements/{name}" for name in ("choose.py", "cpu.lock", "gpu.lock")))
OVERRIDES = ("requirements/cpu.overrides", "requirements/gpu.overrides")
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> calls
case "$*" in
  "-m pip "*) test -f pip || exit 1 ;;
  "-m ensurepip"*) touch pip ;;
esac
case "$*" in
  "-m pip install --quiet uv") cp "$0" .venv/bin/uv ;;
esac
"""


def program(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(STAND_IN)
    file.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Makefile, what it depends on, and an environment with Python alone in it."""
    for name in ("Makefile", *INPUTS, *OVERRIDES):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("python", "errata"):
        program(tmp_path / ".venv" / "bin" / name)
    return tmp_path


def install(checkout: Path, *, path: str = "/usr/bin:/bin") -> list[str]:
    """What was called."""
    if shutil.which("make") is None or shutil.which("uv", path="/usr/bin:/bin"):
        pytest.skip("needs make, and a path without uv")
    environ = {"PATH": path, "HOME": os.environ["HOME"], "ERRATA_DEVICE": "cpu"}
    line = ["make", f"PYTHON={sys.executable}", "install"]
    ran = subprocess.run(line, cwd=checkout, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return (checkout / "calls").read_text().splitlines()


def test_an_environment_without_pip_gets_one(checkout: Path) -> None:
    calls = install(checkout)
    assert calls[1].startswith("python -m ensurepip")
    assert "python -m pip install --quiet uv" in calls
    assert calls[-1] == "errata model prepare"


def test_with_uv_on_the_path_no_pip_is_needed(checkout: Path) -> None:
    program(checkout / "elsewhere" / "uv")
    calls = install(checkout, path=f"{checkout / 'elsewhere'}:/usr/bin:/bin")
    assert [call for call in calls if call.startswith("python")] == []
    assert not (checkout / "pip").exists()
