"""`errata model export`: never other tensors than those of the version that it names."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from server.cli import main
from tests_support import House


def test_a_version_that_this_build_solves_otherwise_is_not_exported_under_its_name(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = SimpleNamespace(solve=lambda _artefacts: SimpleNamespace(version_id="of another solver"))
    monkeypatch.setattr("server.prepare.prepare_model", lambda *_args, **_options: SimpleNamespace(path=tmp_path))
    monkeypatch.setattr("editing.loading.load_editor", lambda *_args, **_options: editor)
    out, data_dir = tmp_path / "out", house.services.settings.data_dir
    ran = CliRunner().invoke(main, ["model", "export", str(out), "--data-dir", str(data_dir)])
    assert (ran.exit_code, "another build" in ran.output, out.exists()) == (1, True, False), ran.output
