"""The log as a person at the data folder sees it: what commands write is signed, exports are on record, keys are judged."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from governance.accounts import Role
from governance.audit import Log, canonical
from governance.checkpoints import Checkpoints
from governance.export import write_log
from governance.notes import Signer
from governance.store import Store
from server.cli import main
from server.engines.scripted import ScriptedEngine
from server.services import open_records
from server.settings import Settings
from tests_support import furnish, house_of


@pytest.fixture
def errata(settings: Settings) -> Callable[..., Result]:
    """`errata("audit", "export", FILE)` on the data folder of the test."""
    return lambda *line: CliRunner().invoke(main, [*line, "--data-dir", str(settings.data_dir)])


@pytest.fixture
def reported(settings: Settings, errata: Callable[..., Result]) -> str:
    """The id of a correction in a folder where no server runs."""
    assert errata("user", "add", "ann", "--role", "user").exit_code == 0
    records = open_records(settings)
    reporter = records.accounts.add("bob", Role.USER).account
    flagged = records.ledger.flag(
        reporter, question="Who painted the Blue Door?", answer="Nobody.", correct_answer="Anna Holm"
    )
    records.store.close()
    return flagged.id


def entries(settings: Settings) -> list[dict[str, Any]]:
    records = open_records(settings)
    found = [entry.data for entry in records.log.entries()]
    records.store.close()
    return found


def covered(folder: Path) -> int:
    return int((folder / "checkpoint").read_text().split("\n")[1])


def test_what_a_command_changes_is_signed_when_it_ends(
    settings: Settings, errata: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERRATA_CHECKPOINT_DIR", str(tmp_path / "second"))
    for line in (
        ("user", "add", "ann", "--role", "user"),
        ("user", "reset", "ann"),
        ("user", "disable", "ann"),
        ("backup", str(tmp_path / "backup.db")),
        ("audit", "export", str(tmp_path / "log.jsonl")),
        ("restore", str(tmp_path / "backup.db")),
    ):
        before = len(entries(settings))
        assert errata(*line).exit_code == 0
        size = len(entries(settings))
        assert size > before
        assert [covered(folder) for folder in (settings.data_dir / "checkpoints", tmp_path / "second")] == [size, size]


def test_a_command_that_changes_nothing_signs_nothing(settings: Settings, errata: Callable[..., Result]) -> None:
    open_records(settings).accounts.add("ann", Role.USER)
    assert errata("user", "list").exit_code == 0
    assert not (settings.data_dir / "checkpoints").exists()


def test_an_account_is_made_and_shown_though_a_checkpoint_folder_cannot_be_written_to(
    settings: Settings, errata: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "second").write_text("no folder")
    monkeypatch.setenv("ERRATA_CHECKPOINT_DIR", str(tmp_path / "second"))
    ran = errata("user", "add", "ann", "--role", "user", "--json")
    assert (ran.exit_code, json.loads(ran.stdout)["name"]) == (0, "ann")
    assert f"ERRATA_CHECKPOINT_DIR ({tmp_path / 'second'}), could not be written" in ran.stderr
    assert "the one in the data folder was" in ran.stderr
    assert covered(settings.data_dir / "checkpoints") == 1


@pytest.mark.parametrize(
    ("line", "record"),
    [
        (("audit", "export", "FILE"), {"what": "log", "of": None, "texts": False}),
        (("audit", "export", "FILE", "--records"), {"what": "corrections", "of": None, "texts": False}),
        (("audit", "export", "FILE", "--records", "--texts"), {"what": "corrections", "of": None, "texts": True}),
        (("audit", "report", "FILE"), {"what": "report", "of": None, "texts": False}),
        (("audit", "report", "FILE", "--correction", "ID"), {"what": "report", "of": "ID", "texts": False}),
        (("audit", "report", "FILE", "--correction", "ID", "--texts"), {"what": "report", "of": "ID", "texts": True}),
    ],
)
def test_who_takes_a_copy_out_is_on_record(
    settings: Settings,
    errata: Callable[..., Result],
    reported: str,
    tmp_path: Path,
    line: tuple[str, ...],
    record: dict[str, Any],
) -> None:
    meant = {"FILE": str(tmp_path / "out"), "ID": reported}
    before = len(entries(settings))
    assert errata(*(meant.get(part, part) for part in line)).exit_code == 0
    [made] = entries(settings)[before:]
    assert (made.pop("kind"), made.pop("n"), made.pop("role")) == ("export.made", before + 1, "system")
    assert made.pop("actor").startswith("opr_")
    assert made.pop("at")
    assert made == {key: meant.get(value, value) for key, value in record.items()}


@pytest.mark.usefixtures("reported")
def test_the_exported_log_tells_of_its_own_export_and_verifies(errata: Callable[..., Result], tmp_path: Path) -> None:
    errata("audit", "export", str(tmp_path / "log.jsonl"))
    last = (tmp_path / "log.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["kind"] == "export.made"
    found = json.loads(errata("audit", "verify", "--export", str(tmp_path / "log.jsonl"), "--json").stdout)
    assert (found["ok"], found["checkpoints"]) == (True, 1)


@pytest.mark.usefixtures("reported")
def test_an_export_is_verified_by_its_name_alone(errata: Callable[..., Result], tmp_path: Path) -> None:
    file, other = tmp_path / "log.jsonl", tmp_path / "other.jsonl"
    errata("audit", "export", str(file))
    by_option = json.loads(errata("audit", "verify", "--export", str(file), "--json").stdout)
    assert json.loads(errata("audit", "verify", str(file), "--json").stdout) == by_option
    file.write_text(file.read_text().replace('"at":"20', '"at":"19', 1))
    ran = errata("audit", "verify", str(file))
    assert (ran.exit_code, "BROKEN, first at entry 1" in ran.output) == (1, True), ran.output
    both = errata("audit", "verify", str(file), "--export", str(file))
    assert (both.exit_code, "name one file" in both.output) == (2, True)
    assert errata("audit", "verify", str(other)).exit_code == 1


@pytest.mark.usefixtures("reported")
def test_what_nobody_has_signed_is_refused_in_an_export_and_counted_in_a_folder(
    settings: Settings, errata: Callable[..., Result], tmp_path: Path
) -> None:
    line = ("audit", "verify", "--export", str(tmp_path / "log.jsonl"))
    errata("audit", "export", str(tmp_path / "log.jsonl"))
    signed = len((tmp_path / "log.jsonl").read_text().splitlines())
    forged = canonical({"n": signed + 1, "at": "2026-01-01T00:00:00.000000Z", "kind": "account.added"})
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write(f"{forged}\n")
    ran = errata(*line)
    assert (ran.exit_code, f"BROKEN, first at entry {signed + 1}" in ran.output) == (1, True)
    assert json.loads(errata(*line, "--json").stdout)["unsigned"] == 1
    assert "not signed" not in errata("audit", "verify").output
    records = open_records(settings)
    records.accounts.add("eve", Role.USER)
    records.store.close()
    live = errata("audit", "verify")
    assert (live.exit_code, "(the last 1 not signed yet)" in live.output) == (0, True)
    assert json.loads(errata("audit", "verify", "--json").stdout)["unsigned"] == 1


@pytest.mark.usefixtures("reported")
@pytest.mark.parametrize("line", [("audit", "export"), ("audit", "export", "--records"), ("audit", "report")])
def test_a_copy_that_cannot_be_written_is_not_on_record(
    settings: Settings, errata: Callable[..., Result], tmp_path: Path, line: tuple[str, ...]
) -> None:
    before = len(entries(settings))
    ran = errata(*line, str(tmp_path / "nowhere" / "out"))
    assert (ran.exit_code, "no folder" in ran.output) == (2, True)
    assert len(entries(settings)) == before


@pytest.mark.usefixtures("reported")
def test_an_export_that_brings_its_own_key_is_said_to_and_fails_against_a_trusted_one(
    errata: Callable[..., Result], tmp_path: Path
) -> None:
    forgery = Store(tmp_path / "forged.db")
    forgery.migrate()
    with forgery.transaction():
        Log(forgery).append("correction.moved", {"to": "live"})
    write_log(Log(forgery), Checkpoints(Log(forgery), Signer(b"f" * 32), []), tmp_path / "log.jsonl")
    line = ("audit", "verify", "--export", str(tmp_path / "log.jsonl"))
    assert "by a key that lay beside" in errata(*line).output
    assert json.loads(errata(*line, "--json").stdout)["trusted_key"] is False
    own = json.loads(errata("audit", "checkpoint", "--json").stdout)["key"]
    against = errata(*line, "--key", own, "--json")
    assert against.exit_code == 1
    assert json.loads(against.stdout)["trusted_key"] is True
    assert "lay beside" not in errata("audit", "verify", "--key", own).output


@pytest.mark.usefixtures("reported")
async def test_a_log_that_contradicts_its_newest_note_is_signed_for_nobody(
    settings: Settings, errata: Callable[..., Result], tmp_path: Path
) -> None:
    assert errata("user", "add", "eve", "--role", "user").exit_code == 0
    note = settings.data_dir / "checkpoints" / "checkpoint"
    head, size, _, *rest = note.read_text().split("\n")
    note.write_text("\n".join((head, size, base64.b64encode(b"f" * 32).decode(), *rest)))
    for line in (("audit", "checkpoint"), ("audit", "export", str(tmp_path / "log.jsonl"))):
        ran = errata(*line)
        assert (ran.exit_code, "it was rewritten; run `errata audit verify`" in ran.output) == (1, True), ran.output
    assert not (tmp_path / "log.jsonl").exists()
    engine = ScriptedEngine({})
    house = house_of(furnish(settings, engine), engine, with_pages=False, with_loops=False)
    async with house.client(Role.AUDITOR) as auditor:
        refused = await auditor.get("/v1/audit/checkpoint")
    assert (refused.status_code, "was rewritten" in refused.text) == (409, True)
    house.services.records.store.close()


@pytest.mark.usefixtures("reported")
def test_a_place_that_holds_no_checkpoint_is_named_once_one_was_signed(
    settings: Settings, errata: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    named = errata("audit", "verify", "--checkpoint", str(empty), "--json")
    assert (named.exit_code, json.loads(named.stdout)["checkpoints"] > 0) == (1, True)
    assert str(empty) in named.stdout
    monkeypatch.setenv("ERRATA_CHECKPOINT_DIR", str(tmp_path / "nowhere"))
    ran = errata("audit", "verify")
    assert (ran.exit_code, str(tmp_path / "nowhere") in ran.output, "None" in ran.output) == (1, True, False)
    assert ("mount it" in ran.output, "the next `errata serve`" in ran.output) == (True, True)
    for note in (settings.data_dir / "checkpoints").iterdir():
        note.unlink()
    assert errata("audit", "verify").exit_code == 0  # before the first checkpoint no place has one


def test_an_export_without_entries_is_no_good_log(errata: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    ran = errata("audit", "verify", str(tmp_path / "empty.jsonl"))
    assert (ran.exit_code, "holds no entry" in ran.output) == (1, True), ran.output


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["export", "c.csv", "--texts"], "--records"),
        (["report", "r.html", "--texts"], "--correction"),
        (["report", "r.html", "--correction", "cor_x", "--since", "2026-11-01"], "--since"),
        (["report", "r.html", "--correction", "cor_x", "--until", "2026-11-01"], "--until"),
    ],
)
def test_options_that_would_be_passed_over_are_wrong_usage(
    errata: Callable[..., Result], reported: str, tmp_path: Path, line: list[str], says: str
) -> None:
    meant = {"c.csv": str(tmp_path / "c.csv"), "r.html": str(tmp_path / "r.html"), "cor_x": reported}
    ran = errata("audit", *(meant.get(part, part) for part in line))
    assert (ran.exit_code, says in ran.output) == (2, True), ran.output
    assert list(tmp_path.glob("[cr].*")) == []


@pytest.mark.usefixtures("reported")
@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (["prove", "0"], 1, "no entry 0"),
        (["prove", "99"], 1, "no entry 99"),
        (["verify", "FOLDER"], 1, "is a directory"),
        (["verify", "FOLDER/binary"], 1, "BROKEN, first at entry 1"),
        (["verify", "--key", "nonsense"], 2, "'nonsense' is no Ed25519 verifier key"),
        (["verify", "--key", ""], 2, "is no Ed25519 verifier key"),
        (["answered", "--on", "9999-12-31"], 0, "nothing there"),
        (["report", "FOLDER/page", "--since", "2026-12-02", "--until", "2026-12-01"], 2, "later day"),
        (["export", "FOLDER/nowhere/log"], 2, "no folder"),
        (["export", ""], 2, "name is empty"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(
    errata: Callable[..., Result], tmp_path: Path, line: list[str], code: int, says: str
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\n")
    ran = errata("audit", *(part.replace("FOLDER", str(tmp_path)) for part in line))
    assert (ran.exit_code, says in ran.output) == (code, True), ran.output
    assert not (tmp_path / "page").exists()


def test_notes_of_another_key_are_counted_and_prove_nothing(
    settings: Settings, errata: Callable[..., Result], reported: str
) -> None:
    assert errata("user", "disable", "ann").exit_code == 0
    ran = errata("audit", "verify", "--key", Signer(b"f" * 32, "another").verifier_key)
    assert (ran.exit_code, ran.output.count("is not signed by another")) == (1, 2), ran.output
    assert "NOT PROVED" in ran.output
    assert "(2 times)" in ran.output
