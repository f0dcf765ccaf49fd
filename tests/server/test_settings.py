"""An empty variable sets nothing: the default holds, as the descriptions say."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli import main
from server.commands.inputs import effective
from server.serve import as_environment
from server.settings import EngineSettings, Settings, WorkerSettings

NAMES = [
    *(f"ERRATA_{name}" for name in Settings.model_fields if name not in ("engine", "worker")),
    *(f"ERRATA_ENGINE__{name}" for name in EngineSettings.model_fields),
    *(f"ERRATA_WORKER__{name}" for name in WorkerSettings.model_fields),
]


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_variable_sets_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = Settings(_env_file=None)  # type: ignore[call-arg]
    monkeypatch.setenv(name.upper(), "")
    assert Settings(_env_file=None) == defaults  # type: ignore[call-arg]


def test_an_empty_engine_url_means_our_own_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRATA_ENGINE__URL", "")
    assert Settings(_env_file=None).weights_are_ours  # type: ignore[call-arg]


def test_an_empty_flag_means_our_own_engine_over_a_variable_and_in_every_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ERRATA_ENGINE__URL", "http://engine.example")
    settings = effective(engine_url="")
    assert settings.engine.url is None
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings(_env_file=None).weights_are_ours  # type: ignore[call-arg]


def test_the_environment_of_a_process_says_what_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRATA_WEBHOOK_URL", "http://hook.example")
    settings = Settings(_env_file=None, webhook_url=None)  # type: ignore[call-arg]
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings(_env_file=None) == settings  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("url", "near"),
    [
        (None, True),
        ("http://localhost:8000", True),
        ("http://127.0.0.2:8000", True),
        ("http://[::1]:8000", True),
        ("https://errata.example", False),
        ("http://10.0.0.7:8000", False),
    ],
)
def test_no_proxy_stands_before_this_machine(url: str | None, near: bool) -> None:
    assert Settings(_env_file=None, host="0.0.0.0", url=url).is_near is near  # type: ignore[call-arg]


def test_an_empty_line_of_the_file_sets_nothing_either(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ERRATA_ENGINE__URL=\nERRATA_WEBHOOK_URL=\nERRATA_ADMIN_KEY=\nERRATA_DATA_DIR=\n")
    made = Settings(_env_file=tmp_path / ".env")  # type: ignore[call-arg]
    assert (made.engine.url, made.webhook_url, made.admin_key) == (None, None, None)
    assert made.data_dir.name == "data"


def test_a_misspelt_variable_is_named_with_what_may_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("ERRATA_NONSENSE", "ERRATA_ENGINE_URL", "ERRATA_DEVICE", "ERRATA_AUDITOR_KEY", "errata_port")
    for name in (*names, "ERRATA_WORKER__BOGUS", "ERRATA_ENGINE__APIKEY", "ERRATA_ENGINE__THE_KEY"):
        monkeypatch.setenv(name, "1")
    (tmp_path / ".env").write_text("ERRATA_PRT=9\nERRATA_HOST=127.0.0.1\nPATH=x\n")
    ran = CliRunner().invoke(main, ["settings"])
    assert ran.exit_code == 0
    told = [line.split() for line in ran.stderr.splitlines()]
    assert {line[0]: line[-1] for line in told} == {
        "ERRATA_ENGINE_URL": "ERRATA_ENGINE__URL?",
        "ERRATA_ENGINE__APIKEY": "ERRATA_ENGINE__API_KEY?",
        "ERRATA_ENGINE__THE_KEY": "ERRATA_ENGINE__API_KEY?",
        "ERRATA_NONSENSE": "read",
        "ERRATA_PRT": "ERRATA_PORT?",
        "ERRATA_WORKER__BOGUS": "read",
    }


def test_settings_are_shown_as_the_variables_that_set_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRATA_ADMIN_KEY", "a-key-of-sixteen-or-more")
    monkeypatch.setenv("ERRATA_DATA_DIR", "/tmp/a b;c")
    shown = CliRunner().invoke(main, ["settings"]).stdout.splitlines()
    assert {
        "ERRATA_DATA_DIR='/tmp/a b;c'",
        "ERRATA_ENGINE__MAX_MODEL_LEN=4096",
        "ERRATA_REBASE=false",
        "ERRATA_POLICY=",
        "ERRATA_ADMIN_KEY='**********'",
    } <= {*shown}


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123"),
        ("0.0.0.0", "http://127.0.0.1:8123"),
        ("::", "http://[::1]:8123"),
        ("fd00::7", "http://[fd00::7]:8123"),
        ("errata.example", "http://errata.example:8123"),
    ],
)
def test_commands_find_the_server_that_listens_everywhere(host: str, url: str) -> None:
    assert Settings(_env_file=None, host=host, port=8123).base_url == url  # type: ignore[call-arg]
