"""Opening a data folder: with its key or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from governance.accounts import Role
from governance.errors import WrongKey
from server.cli import main
from server.services import open_records
from server.settings import Settings


@pytest.fixture
def used(settings: Settings) -> Settings:
    """A data folder with an account and a sealed text."""
    records = open_records(settings)
    account = records.accounts.add("ann", Role.USER).account
    records.vault.put(account.id, "question", "Who?")
    records.store.close()
    return settings


def key_of(settings: Settings) -> Path:
    return settings.keys_dir / "master.key"


def test_a_folder_opens_again_with_its_key(used: Settings) -> None:
    records = open_records(used)
    assert records.accounts.named("ann")
    records.store.close()


def test_a_missing_key_is_said_and_no_other_is_made_in_its_place(used: Settings) -> None:
    key_of(used).rename(used.keys_dir / "elsewhere")
    with pytest.raises(WrongKey, match="key is missing"):
        open_records(used)
    assert not key_of(used).exists()
    (used.keys_dir / "elsewhere").rename(key_of(used))
    open_records(used).store.close()


@pytest.mark.parametrize("content", [b"x" * 32, b"short"])
def test_a_wrong_key_is_said_and_nothing_is_served(used: Settings, content: bytes) -> None:
    key_of(used).write_bytes(content)
    with pytest.raises(WrongKey):
        open_records(used)
    ran = CliRunner().invoke(main, ["serve", "--data-dir", str(used.data_dir), "--port", "18731"])
    assert ran.exit_code == 1
    assert "Error:" in ran.output
    assert "Traceback" not in ran.output
    assert "master.key" in ran.output
