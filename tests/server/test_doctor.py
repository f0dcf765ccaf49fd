"""The doctor: what it says of a machine, and that a check which breaks is a finding."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from governance.accounts import Role
from governance.policy import DEFAULT
from server.doctor import Finding, examine
from server.services import open_records
from server.settings import EngineSettings, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    engine = {"url": "http://127.0.0.1:9", "weights": "none"}
    return Settings(_env_file=None, data_dir=tmp_path / "data", port=9, engine=engine)  # type: ignore[arg-type]


def findings(settings: Settings) -> dict[str, Finding]:
    return {finding.part: finding for finding in examine(settings)}


def test_before_the_first_start_all_is_well(settings: Settings) -> None:
    found = findings(settings)
    assert [part for part, finding in found.items() if not finding.ok] == []
    assert "none yet" in found["database"].says
    assert "not running" in found["server"].says


def test_a_data_folder_is_checked_with_its_log(settings: Settings) -> None:
    open_records(settings).accounts.add("someone", Role.USER, key="a-key-of-sixteen-signs")
    found = findings(settings)
    assert found["database"].ok
    assert "1 entries verified" in found["log"].says


def test_a_log_cut_off_with_its_own_checkpoints_is_seen_by_the_second_place(settings: Settings, tmp_path: Path) -> None:
    watched = settings.model_copy(update={"checkpoint_dir": tmp_path / "second"})
    records = open_records(watched)
    records.accounts.add("someone", Role.USER, key="a-key-of-sixteen-signs")
    assert findings(watched)["log"].ok
    records.checkpoints.write()
    records.store.close()
    shutil.rmtree(watched.data_dir)
    other = open_records(settings)
    other.accounts.add("someone", Role.USER, key="a-key-of-sixteen-signs")
    other.checkpoints.write()
    other.store.close()
    assert not findings(watched)["log"].ok
    assert findings(settings)["log"].ok


def test_a_second_place_without_notes_is_one_finding_that_says_what_to_do(settings: Settings, tmp_path: Path) -> None:
    records = open_records(settings)
    records.accounts.add("someone", Role.USER, key="a-key-of-sixteen-signs")
    second = settings.model_copy(update={"checkpoint_dir": tmp_path / "second"})
    assert findings(second)["checkpoints"].ok  # nothing was signed yet, there or elsewhere
    records.checkpoints.write()
    found = findings(second)
    assert (found["log"].ok, found["checkpoints"].ok) == (True, False)
    assert f"'{tmp_path / 'second'}': mount it or bring it back" in found["checkpoints"].says
    open_records(second).checkpoints.write()
    assert findings(second)["checkpoints"].ok


def test_the_policy_in_force_is_named(settings: Settings, tmp_path: Path) -> None:
    assert findings(settings)["policy"].says.startswith(str(DEFAULT))
    own = tmp_path / "policy.toml"
    own.write_text(DEFAULT.read_text().replace("approvals = 1", "approvals = 3", 1))
    strict = settings.model_copy(update={"policy": own})
    assert findings(strict)["policy"].says == f"{own}; approvals: high needs 2, standard needs 3"
    assert open_records(strict).policy.approvals_needed("standard") == 3


def test_a_policy_that_cannot_be_read_is_a_finding_that_names_the_file(settings: Settings, tmp_path: Path) -> None:
    broken = settings.model_copy(update={"policy": tmp_path / "nowhere.toml"})
    found = findings(broken)["policy"]
    assert not found.ok
    assert "nowhere.toml" in found.says


def test_an_empty_path_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRATA_POLICY", "")
    monkeypatch.setenv("ERRATA_CHECKPOINT_DIR", "")
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert (settings.policy, settings.checkpoint_dir) == (None, None)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:9"),
        ("0.0.0.0", "http://127.0.0.1:9"),
        ("::1", "http://[::1]:9"),
        ("::", "http://[::1]:9"),
        ("errata.test", "http://errata.test:9"),
    ],
)
def test_the_server_is_asked_where_it_listens(host: str, url: str) -> None:
    found = Settings(_env_file=None, host=host, port=9).base_url  # type: ignore[call-arg]
    assert (found, httpx.URL(found).port) == (url, 9)


@pytest.mark.parametrize(
    ("part", "given", "says"),
    [
        ("embedder", {"embedder": "nope"}, "'nope' is neither"),
        ("checkpoints", {"checkpoint_dir": Path("/proc/nope")}, "nothing can be written in '/proc'"),
        ("disk", {"data_dir": Path("/proc/nope")}, "nothing can be written in '/proc'"),
        ("model", {"model_dir": Path("/proc/nope"), "engine": EngineSettings()}, "nothing can be written in '/proc'"),
        ("disk", {"data_dir": Path(__file__)}, "is a file: name a folder"),
        ("server", {"url": "http://errata.invalid"}, "http://errata.invalid does not answer"),
    ],
)
def test_a_setting_that_cannot_work_is_a_finding(
    settings: Settings, part: str, given: dict[str, object], says: str
) -> None:
    found = findings(settings.model_copy(update=given))[part]
    assert (found.ok, says in found.says) == (False, True), found.says


@pytest.mark.parametrize("body", ["<html>", "[]", '{"parts": 1}'])
def test_another_program_on_the_port_is_no_errata(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(200, text=body))
    found = findings(settings)["server"]
    assert (found.ok, "is no Errata" in found.says) == (False, True), found.says


def test_a_model_that_is_not_prepared_is_looked_for_and_not_made(settings: Settings, tmp_path: Path) -> None:
    ours = settings.model_copy(update={"engine": EngineSettings(), "model_dir": tmp_path / "model"})
    assert "not prepared yet: errata model prepare" in findings(ours)["model"].says
    assert list(tmp_path.iterdir()) == []


def test_a_misspelt_variable_is_a_finding(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRATA_CHEKPOINT_DIR", "/media/usb")
    found = findings(settings)["settings"]
    assert (found.ok, found.says) == (
        False,
        "ERRATA_CHEKPOINT_DIR is no setting and is not read: is it ERRATA_CHECKPOINT_DIR?",
    )


@pytest.mark.parametrize("name", ["ERRATA_HOME_URL", "ERRATA_SERVICE_HOST", "ERRATA_PORT_8000_TCP_ADDR"])
def test_a_variable_of_another_program_is_mentioned_and_no_fault(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "x")
    found = findings(settings)["settings"]
    assert (found.ok, found.says) == (True, f"{name} is no setting and is not read")


def test_an_address_that_is_none_is_a_finding(settings: Settings) -> None:
    found = findings(settings.model_copy(update={"webhook_url": "hooks.example"}))["settings"]
    assert (found.ok, found.says) == (
        False,
        "webhook_url (ERRATA_WEBHOOK_URL): give an address such as http://127.0.0.1:8000",
    )
