"""What the commands refuse before they do anything, in one line and with the right exit code; and how they end."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from server.cli import main
from server.serve import as_environment
from server.services import open_records
from server.settings import Settings


@pytest.mark.parametrize(
    ("line", "variables", "says"),
    [
        (["serve", "--port", "99999"], {}, "port (ERRATA_PORT): Input should be less than or equal to 65535"),
        (["settings"], {"ERRATA_PORT": "99999"}, "port (ERRATA_PORT)"),
        (["settings", "--json"], {"ERRATA_PORT": "many"}, "port (ERRATA_PORT)"),
        (
            ["user", "list"],
            {"ERRATA_ENGINE__DTYPE": "int3"},
            "engine.dtype (ERRATA_ENGINE__DTYPE): Input should be 'auto'",
        ),
        (["settings"], {"ERRATA_ENGINE": "{"}, "ERRATA_ENGINE:"),
        (["serve"], {"ERRATA_WEBHOOK_URL": "garbage"}, "webhook_url (ERRATA_WEBHOOK_URL): give an address"),
        (["queue"], {"ERRATA_URL": "127.0.0.1:8000"}, "url (ERRATA_URL): give an address"),
        (["worker"], {"ERRATA_ENGINE__URL": "http://"}, "engine.url (ERRATA_ENGINE__URL): give an address"),
        (["serve", "--engine-url", "garbage"], {}, "engine.url (ERRATA_ENGINE__URL): give an address"),
        (["doctor"], {"ERRATA_LOG_LEVEL": "loud"}, "log_level"),
        (["audit", "answered", "--on", "yesterday"], {}, "write it YYYY-MM-DD"),
        (["queue"], {"ERRATA_PORT": "0"}, "port (ERRATA_PORT)"),
    ],
)
def test_a_setting_that_cannot_be_used_is_wrong_usage_and_named(
    line: list[str], variables: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ran = CliRunner().invoke(main, line)
    assert (ran.exit_code, says in ran.output) == (2, True), ran.output


@pytest.mark.parametrize("line", [["settings"], ["user", "list"], ["doctor"]])
def test_an_address_that_a_command_does_not_use_is_shown_and_stops_nothing(
    line: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"ERRATA_WEBHOOK_URL": "hooks.example", "ERRATA_ENGINE__URL": "http://", "ERRATA_URL": "http://[::1"}
    for name, value in {**given, "ERRATA_DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    open_records(Settings()).store.close()
    ran = CliRunner().invoke(main, line)
    assert ran.exit_code == (1 if line == ["doctor"] else 0), ran.output
    shown = [name for name in given if f"({name}): give an address" in ran.output]
    assert shown == ([] if line == ["user", "list"] else [*given])


@pytest.mark.parametrize(
    "line",
    [
        ["user", "list"],
        ["user", "disable", "ann"],
        ["user", "reset", "ann"],
        ["audit", "checkpoint"],
        ["audit", "prove", "1"],
        ["audit", "verify"],
        ["audit", "answered", "--on", "2026-01-01"],
        ["audit", "export", "OUT"],
        ["audit", "report", "OUT"],
        ["backup", "OUT"],
        ["model", "export", "OUT"],
    ],
)
def test_a_mistyped_folder_is_named_and_not_made(line: list[str], tmp_path: Path) -> None:
    typo, out = tmp_path / "typo", tmp_path / "out"
    ran = CliRunner().invoke(
        main, [*(str(out) if part == "OUT" else part for part in line), "--data-dir", str(typo)], env={"COLUMNS": "300"}
    )
    assert (ran.exit_code, str(typo) in ran.output) == (1, True), ran.output
    assert not typo.exists()
    assert not out.exists()


@pytest.mark.parametrize(
    "line",
    [
        ["bench", "editing", "--facts", "IN", "--json", "OUT"],
        ["bench", "router", "--csv", "IN", "--json", "OUT"],
        ["bench", "retrieval", "--passages", "IN", "--questions", "IN", "--json", "OUT"],
        ["bench", "index", "--vectors", "10", "--json", "OUT"],
        ["router", "train-cards", "--pairs", "IN", "--out", "OUT"],
    ],
)
def test_a_long_run_into_a_missing_folder_is_refused_before_it_begins(line: list[str], tmp_path: Path) -> None:
    (tmp_path / "in").touch()
    meant = {"IN": str(tmp_path / "in"), "OUT": str(tmp_path / "nowhere" / "out")}
    ran = CliRunner().invoke(main, [meant.get(part, part) for part in line], env={"COLUMNS": "300"})
    assert (ran.exit_code, "there is no folder" in ran.output) == (2, True), ran.output


def test_a_report_is_printed_or_written_or_refused_as_json(tmp_path: Path) -> None:
    line = ["bench", "index", "--vectors", "2000", "--dimension", "8", "--queries", "3"]
    plain = CliRunner().invoke(main, line)
    printed = CliRunner().invoke(main, [*line[:2], "--json", *line[2:]])
    written = CliRunner().invoke(main, [*line, "--json", str(tmp_path / "report.json")])
    for ran in (plain, printed, written):
        assert ran.exit_code == 0, ran.output
    assert plain.stdout.splitlines()[0].split() == ["n", "2000"]
    assert json.loads(printed.stdout)["n"] == 2000
    assert json.loads((tmp_path / "report.json").read_text())["n"] == 2000
    (tmp_path / "no.csv").write_text("other,columns\n1,2\n")
    refused = CliRunner().invoke(main, ["bench", "router", "--csv", str(tmp_path / "no.csv"), "--json"])
    assert (refused.exit_code, list(json.loads(refused.stdout))) == (1, ["error"])


def test_a_client_says_as_json_why_it_was_refused() -> None:
    environ = {"ERRATA_API_KEY": "a-key-of-sixteen-or-more", "ERRATA_URL": "http://127.0.0.1:9"}
    ran = CliRunner().invoke(main, ["show", "cor_x", "--json"], env=environ)
    assert ran.exit_code == 1
    assert "http://127.0.0.1:9 does not answer" in json.loads(ran.stdout)["error"]["message"]


def test_a_client_of_another_server_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    page = httpx.Response(200, text="<html>", request=httpx.Request("GET", "http://other.example"))
    monkeypatch.setattr(httpx.Client, "request", lambda *_, **__: page)
    environ = {"ERRATA_API_KEY": "a-key-of-sixteen-or-more", "ERRATA_URL": "http://other.example"}
    ran = CliRunner().invoke(main, ["show", "cor_x", "--json"], env=environ)
    assert "http://other.example is no Errata" in json.loads(ran.stdout)["error"]["message"]


@pytest.mark.parametrize("line", [["show", "cor_x"], ["doctor"]])
def test_no_proxy_is_asked_for_a_server_on_this_machine(
    line: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "nonsense://")  # whoever reads it fails
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    environ = {"ERRATA_API_KEY": "a-key-of-sixteen-or-more", "ERRATA_PORT": "9", "ERRATA_DATA_DIR": str(tmp_path)}
    ran = CliRunner().invoke(main, line, env={**environ, "ERRATA_ENGINE__URL": "http://127.0.0.1:9"})
    assert "nonsense" not in f"{ran.output}{ran.exception}"
    assert "http://127.0.0.1:9 does not answer" in ran.output or "not running at http://127.0.0.1:9" in ran.output


@pytest.mark.parametrize(
    "line",
    [
        ["bench", "editing", "--facts", "none.jsonl"],
        ["restore", "none.db"],
        ["model", "stats", "--text", "none.txt"],
        ["knowledge", "sync", "none"],
        ["audit", "verify", "--export", "none.jsonl"],
    ],
)
def test_a_file_that_is_not_there_is_not_found_rather_than_misused(line: list[str]) -> None:
    ran = CliRunner().invoke(main, line)
    assert ran.exit_code == 1, ran.output
    assert "does not exist" in ran.output


def test_the_key_and_address_of_a_client_may_stand_in_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ERRATA_API_KEY", raising=False)
    assert CliRunner().invoke(main, ["queue"]).exit_code == 2
    (tmp_path / ".env").write_text("ERRATA_API_KEY=a-key-of-sixteen-or-more\nERRATA_URL=http://127.0.0.1:9\n")
    ran = CliRunner().invoke(main, ["queue"])
    assert (ran.exit_code, "http://127.0.0.1:9 does not answer" in ran.output) == (1, True), ran.output
    shown = CliRunner().invoke(main, ["settings"]).output
    assert "127.0.0.1:9" in shown
    assert "a-key-of" not in shown
    assert not {"ERRATA_API_KEY", "ERRATA_URL"} & as_environment(Settings()).keys()


def test_a_talk_ends_quietly_with_ctrl_d() -> None:
    terminal, theirs = pty.openpty()
    environ = {**os.environ, "ERRATA_API_KEY": "a-key-of-sixteen-or-more"}
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "chat"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    )
    os.write(terminal, b"\x04")
    shown, told = process.communicate(timeout=60)
    os.close(terminal)
    os.close(theirs)
    assert (process.returncode, told) == (0, b"")
    assert shown == b"you: \n"
