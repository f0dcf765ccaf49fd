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


@pytest.mark.parametrize(("flags", "policy"), [(["--model", "nope"], ""), ([], "/nope/policy.toml")])
def test_what_cannot_be_served_leaves_no_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str], policy: str
) -> None:
    monkeypatch.setenv("ERRATA_POLICY", policy)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    ran = CliRunner().invoke(main, ["serve", "--data-dir", str(tmp_path / "data"), "--port", port, *flags])
    assert (ran.exit_code, "nope" in ran.output) == (1, True), ran.output
    assert not (tmp_path / "data").exists()


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


@pytest.mark.parametrize("host", ["nosuch.invalid", "203.0.113.5"])
def test_a_host_that_is_not_this_machine_is_named_not_the_port(tmp_path: Path, host: str) -> None:
    ran = CliRunner().invoke(main, ["serve", "--data-dir", str(tmp_path / "data"), "--host", host])
    assert (ran.exit_code, "--host" in ran.output, "--port" in ran.output) == (1, True, False), ran.output


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = CliRunner().invoke(main, ["worker", "--data-dir", str(tmp_path / "file" / "data")])
    assert (ran.exit_code, ran.output) == (1, f"Error: '{tmp_path}/file/data/tmp' cannot be used: Not a directory\n")
