"""One of each part on a data folder, whoever started it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli import main
from server.errors import ServerError
from server.parts import PARTS, alone
from tests_support import free_port

HOLDS = "import sys, time\nfrom server.parts import alone\nfrom pathlib import Path\n"
HOLDS += "with alone(Path(sys.argv[1]), sys.argv[2]):\n    print('held', flush=True); time.sleep(300)\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(alone.__wrapped__.__kwdefaults__, "patience_s", 0.2)  # type: ignore[attr-defined]


def test_a_part_is_held_once_and_free_again_when_its_process_is_killed(tmp_path: Path) -> None:
    line = [sys.executable, "-c", HOLDS, str(tmp_path), "worker"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(ServerError, match="Another errata worker uses"), alone(tmp_path, "worker"):
        pass
    with alone(tmp_path, "gateway"):  # another part is free
        pass
    process.kill()
    with alone(tmp_path, "worker", patience_s=20):
        pass
    process.communicate()


@pytest.mark.parametrize("part", PARTS)
def test_what_runs_already_is_refused_by_name(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.commands.processes.keep_temporary_files", lambda _settings: None)
    line = [part, "--data-dir", str(tmp_path), "--port", str(free_port())]
    with alone(tmp_path, part):
        ran = CliRunner().invoke(main, line)
        if part != "serve":
            served = CliRunner().invoke(main, ["serve", *line[1:]])
            assert (served.exit_code, f"Another errata {part} uses" in served.output) == (1, True), served.output
    assert (ran.exit_code, f"Another errata {part} uses {tmp_path}" in ran.output) == (1, True), ran.output


def test_the_engine_holds_its_part_after_it_has_become_vllm(tmp_path: Path) -> None:
    code = """
import os, sys, time
from pathlib import Path
from types import SimpleNamespace
import server.prepare
from server.engines import vllm_process

server.prepare.prepare_model = lambda *_, **__: SimpleNamespace(path=Path())
talks = "import time; print('up', flush=True); time.sleep(300)"
launch = vllm_process.Launch((sys.executable, "-c", talks), os.environ, Path(sys.argv[1]), Path("s"), Path("l"))
vllm_process.launch_vllm = lambda *_, **__: launch
from server.cli import main
main(["engine", "--data-dir", sys.argv[1]])
"""
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    with pytest.raises(ServerError, match="Another errata engine"), alone(tmp_path, "engine"):
        pass
    process.kill()
    process.communicate()
