"""`serve`, `engine`, `gateway` and `worker` as commands: what they say, and --json, which every command takes."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from server.cli import main
from server.commands import processes


def leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for part in command.commands.values():
            yield from leaves(part, f"{name} {part.name}")
    else:
        yield name, command


@pytest.mark.parametrize(("name", "command"), list(leaves(main, "errata")))
def test_every_command_takes_json(name: str, command: click.Command) -> None:
    assert any("--json" in parameter.opts for parameter in command.params)


def test_a_refusal_is_one_line_or_one_json_value(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        line = ["serve", "--data-dir", str(tmp_path / "data"), "--port", str(taken.getsockname()[1])]
        plain, as_json = CliRunner().invoke(main, line), CliRunner().invoke(main, [*line, "--json"])
    assert plain.exit_code == as_json.exit_code == 1
    assert plain.output.startswith("Error: ")
    error = json.loads(as_json.output)["error"]
    assert error["type"] == "ServerError"
    assert plain.output == f"Error: {error['message']}\n"


@pytest.mark.parametrize("name", ["gateway", "worker"])
def test_temporary_files_lie_under_the_data_folder(name: str, tmp_path: Path) -> None:
    asked = f"""
import sys, tempfile, types

def run(settings, *, say):
    from gradio.routes import DEFAULT_TEMP_DIR
    print(tempfile.gettempdir(), DEFAULT_TEMP_DIR, sep="\\n")

sys.modules["server.{name}"] = types.SimpleNamespace(run=run)
from server.cli import main
main(["{name}", "--data-dir", {str(tmp_path / "data")!r}])
"""
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)
    assert ran.stdout.split() == [str(tmp_path / "data" / "tmp")] * 2, ran.stderr


def test_what_a_process_says_is_a_line_or_a_json_object_each(capsys: pytest.CaptureFixture[str]) -> None:
    processes.saying(False)("  waiting for the café")
    processes.saying(True)("  waiting for the café")
    plain, as_json = capsys.readouterr().out.splitlines()
    assert plain == "  waiting for the café"
    assert json.loads(as_json) == {"message": "waiting for the café"}
