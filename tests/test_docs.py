"""The docs keep up with the code: computed parts are current, and every command, route, setting and status is named."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parents[1]


def commands(group: click.Group, path: str = "errata") -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for name, command in group.commands.items():
        found += (
            commands(command, f"{path} {name}") if isinstance(command, click.Group) else [(f"{path} {name}", command)]
        )
    return found


def test_every_command_says_what_it_does() -> None:
    from server.cli import main

    silent = [path for path, command in commands(main) if not (command.help or "").strip()]
    assert silent == []


def test_every_error_of_the_rooms_has_a_status_code() -> None:
    import editing.errors
    import governance.errors
    import retrieval.errors
    from server.errors import STATUS_BY_ERROR

    for module in (editing.errors, governance.errors, retrieval.errors):
        for name, kind in vars(module).items():
            if isinstance(kind, type) and issubclass(kind, Exception) and kind.__module__ == module.__name__:
                is_root = kind.__bases__ == (Exception,) and kind is not editing.errors.EditingError
                assert is_root or any(base in STATUS_BY_ERROR for base in kind.__mro__), f"{module.__name__}.{name}"


@pytest.mark.parametrize("room", ["governance", "retrieval", "ui"])
def test_the_tree_of_a_rooms_errors_is_whole(room: str) -> None:
    module = importlib.import_module(f"{room}.errors")
    own = [name for name, kind in vars(module).items() if isinstance(kind, type) and kind.__module__ == module.__name__]
    assert [name for name in own if not re.search(rf"\b{name}\b", module.__doc__ or "")] == []


def test_the_changelog_names_the_version_of_pyproject() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    heads = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heads[:2] == ["Unreleased", version]


def test_the_architecture_page_names_every_setting_and_status() -> None:
    from governance.corrections import Status
    from server.settings import Settings

    page = (ROOT / "docs" / "architecture.md").read_text()
    assert [name for name in Settings.model_fields if f"ERRATA_{name.upper()}" not in page] == []
    assert [status for status in Status if status not in page] == []


@pytest.mark.parametrize("room", ["editing", "retrieval", "governance", "ui"])
def test_a_room_is_imported_without_its_heavy_parts(room: str) -> None:
    code = f"import {room}, sys; print([m for m in ('torch', 'transformers', 'faiss', 'gradio', 'vllm') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ran.stdout.strip() == "[]"
