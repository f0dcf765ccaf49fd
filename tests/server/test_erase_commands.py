"""`errata erase`: every step over the same HTTP as everybody else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from server.cli import main
from server.commands import remote

REQUEST = {
    "id": "era_1",
    "status": "found",
    "due": "2026-12-22T00:00:00Z",
    "next": ["decide"],
    "counts": {"document": 2, "text": 0},
    "choices": [],
    "outcomes": [],
    "residual": {"revealing": 0, "probes": 3, "interval": [0.0, 0.56]},
}


@pytest.mark.parametrize(
    ("line", "method", "path", "body"),
    [
        (
            ["file", "--name", "Ann Zebra", "--law", "pdpa"],
            "POST",
            "",
            {"names": ["Ann Zebra"], "identifiers": [], "kind": "erasure", "law": "pdpa", "statement": ""},
        ),
        (["verify-identity", "era_1", "--how", "passport"], "POST", "/era_1/verify-identity", {"how": "passport"}),
        (["find", "era_1", "--probe", "Who?"], "POST", "/era_1/find", {"direct": ["Who?"], "secrets": []}),
        (["approve", "era_1"], "POST", "/era_1/approve", {"reason": ""}),
        (["execute", "era_1"], "POST", "/era_1/execute", {}),
        (
            ["refuse", "era_1", "--reason", "r", "--ground", "gdpr-17-3-e"],
            "POST",
            "/era_1/refuse",
            {"reason": "r", "ground": "gdpr-17-3-e"},
        ),
        (
            ["close", "era_1", "--backups-until", "2027-01-31"],
            "POST",
            "/era_1/close",
            {"told": True, "backups_until": "2027-01-31"},
        ),
    ],
)
def test_a_command_is_one_call(
    monkeypatch: pytest.MonkeyPatch, line: list[str], method: str, path: str, body: dict[str, Any]
) -> None:
    calls: list[tuple[str, str, Any]] = []

    def call(self: remote.Remote, method: str, path: str, **options: Any) -> Any:
        calls.append((method, path, options.get("json")))
        return REQUEST

    monkeypatch.setenv("ERRATA_API_KEY", "a-key-of-sixteen-or-more")
    monkeypatch.setattr(remote.Remote, "call", call)
    ran = CliRunner().invoke(main, ["erase", *line])
    assert ran.exit_code == 0, ran.output
    assert calls == [(method, f"/v1/erasure-requests{path}", body)]
    assert "2 document" in ran.output
    assert json.loads(CliRunner().invoke(main, ["erase", *line, "--json"]).output) == REQUEST


@pytest.mark.parametrize(
    "line",
    [
        ["verify-identity", "era_1", "--how", ""],
        ["find", "era_1", "--probe", ""],
        ["find", "era_1", "--secret", " "],
        ["decide", "era_1", "--reason", ""],
        ["refuse", "era_1", "--reason", "", "--ground", "gdpr-17-3-e"],
        ["refuse", "era_1", "--reason", "r", "--ground", ""],
    ],
)
def test_words_that_are_asked_for_are_not_empty(line: list[str]) -> None:
    ran = CliRunner().invoke(main, ["erase", *line])
    assert (ran.exit_code, "give a few words" in ran.output) == (2, True), ran.output
