"""Printable pages: who may print what, what is in it, and that nothing quoted in it can act."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from governance.accounts import Role
from governance.times import now
from server.cli import main
from tests_support import House

REPORT = {
    "question": "Who painted the Blue Door?",
    "answer": "<img src=x onerror=alert(1)>",
    "correct_answer": "=Piet Aldering",
    "subject": "the Blue Door",
}


async def reported(user: httpx.AsyncClient) -> str:
    return (await user.post("/v1/corrections", json=REPORT)).json()["id"]


@pytest.mark.parametrize(
    ("role", "status", "texts"),
    [
        (Role.USER, 200, True),
        (Role.AUDITOR, 200, False),
        (Role.REVIEWER, 200, True),
        (Role.ADMIN, 200, True),
    ],
)
async def test_a_correction_is_printed_with_its_texts_for_those_who_may_read_them(
    house: House, user: httpx.AsyncClient, role: Role, status: int, texts: bool
) -> None:
    made = await reported(user)
    async with house.client(role) as client:
        page = await client.get(f"/v1/corrections/{made}/report")
    assert page.status_code == status
    assert ("Blue Door" in page.text) is texts
    assert "<img" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_another_s_report_is_not_there(house: House, user: httpx.AsyncClient) -> None:
    made = await reported(user)
    house.services.accounts.add("other", Role.USER, key="another-key-of-sixteen")
    async with house.client(Role.USER) as other:
        other.headers["Authorization"] = "Bearer another-key-of-sixteen"
        assert (await other.get(f"/v1/corrections/{made}/report")).status_code == 404


async def test_the_figures_of_a_period_are_for_auditors_and_admins(house: House, user: httpx.AsyncClient) -> None:
    await reported(user)
    for role, status in ((Role.USER, 403), (Role.REVIEWER, 403), (Role.AUDITOR, 200), (Role.ADMIN, 200)):
        async with house.client(role) as client:
            page = await client.get("/v1/reports")
            assert page.status_code == status
            if status == 200:
                assert "1 reports from 1 people" in page.text
                none = await client.get("/v1/reports", params={"since": "2020-01-01", "until": "2020-02-01"})
                assert "0 reports from 0 people" in none.text
                backwards = {"since": "2020-02-01", "until": "2020-01-01"}
                assert (await client.get("/v1/reports", params=backwards)).status_code == 400


async def test_one_command_says_what_was_answered_and_another_prints(
    house: House, user: httpx.AsyncClient, tmp_path: Path
) -> None:
    made = await reported(user)
    day = f"{now():%Y-%m-%d}"
    await user.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": REPORT["question"]}]})
    folder = ["--data-dir", str(house.services.settings.data_dir)]

    def run(*line: str) -> str:
        ran = CliRunner().invoke(main, ["audit", *line, *folder])
        assert ran.exit_code == 0, ran.output
        return ran.output

    (answer,) = json.loads(run("answered", "--on", day, "--json"))
    assert (answer["weights_version"], answer["route"], answer["edits"]) == ("base", "model", [])
    run("report", str(tmp_path / "one.html"), "--correction", made)
    assert "Blue Door" not in (tmp_path / "one.html").read_text()
    run("report", str(tmp_path / "month.html"))
    assert "1 reports" in (tmp_path / "month.html").read_text()
    run("export", str(tmp_path / "all.csv"), "--records", "--texts")
    with (tmp_path / "all.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["claim.correct_answer"] == "'=Piet Aldering"  # a spreadsheet shows it and computes nothing
    run("export", str(tmp_path / "log.jsonl"))
    assert "Blue Door" not in (tmp_path / "log.jsonl").read_text()
    assert json.loads(run("verify", "--export", str(tmp_path / "log.jsonl"), "--json").splitlines()[-1])["ok"]


async def test_an_export_is_held_against_the_checkpoint_beside_it(
    house: House, user: httpx.AsyncClient, tmp_path: Path
) -> None:
    await reported(user)
    file = tmp_path / "log.jsonl"
    CliRunner().invoke(main, ["audit", "export", str(file), "--data-dir", str(house.services.settings.data_dir)])
    entries = file.read_text()
    file.write_text(entries.replace('"at":"20', '"at":"19', 1))
    ran = CliRunner().invoke(main, ["audit", "verify", "--export", str(file)])
    assert (ran.exit_code, "BROKEN, first at entry" in ran.output) == (1, True), ran.output
    (tmp_path / "log.jsonl.checkpoint").unlink()
    alone = CliRunner().invoke(main, ["audit", "verify", "--export", str(file)])
    assert "held against no signed checkpoint" in alone.output


@pytest.mark.parametrize(
    "path",
    ["entries?since=9223372036854775808", "proof?entry=9223372036854775808&size=1", "consistency?from=1&to=99999"],
)
async def test_numbers_that_no_log_has_are_refused(admin: httpx.AsyncClient, path: str) -> None:
    refused = await admin.get(f"/v1/audit/{path}")
    assert refused.status_code in (400, 404)
    assert refused.json()["error"]["message"]
