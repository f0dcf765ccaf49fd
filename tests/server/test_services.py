"""Opening a data folder: with its key or not at all; and the two accounts of its first start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from governance.accounts import Role
from governance.errors import InvalidAccount, WrongKey
from server.cli import main
from server.services import Records, first_accounts, open_records
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


def test_a_folder_of_an_earlier_version_gets_new_claim_keys_when_it_is_opened(used: Settings) -> None:
    records = open_records(used)
    question = "Who created C#?"
    flagged = records.ledger.flag(
        records.accounts.named("ann"), question=question, answer="Nobody", correct_answer="Ann"
    )
    with records.store.transaction() as db:
        records.store.write("UPDATE corrections SET claim_key = x'00'")
        db.execute("PRAGMA user_version = 0")
    assert records.ledger.like(question) == ()
    records.store.close()
    again = open_records(used)
    assert [found.id for found in again.ledger.like(question)] == [flagged.id]
    again.store.close()


@pytest.fixture
def fresh(settings: Settings) -> Iterator[Records]:
    records = open_records(settings)
    yield records
    records.store.close()


def start(records: Records, settings: Settings, **secrets: str) -> list[str]:
    """Who is made by a start with these secrets."""
    chosen = Settings(data_dir=settings.data_dir, _env_file=None, **secrets)
    return [made.account.name for made in first_accounts(records, chosen)]


def test_only_the_first_start_makes_admin_and_user(fresh: Records, settings: Settings) -> None:
    assert start(fresh, settings) == ["admin", "user"]
    assert start(fresh, settings) == []


@pytest.mark.parametrize(
    ("secrets", "says"),
    [
        ({"user_key": "tooshort"}, "ERRATA_USER_KEY: an API key has 16"),
        ({"user_password": "p" * 300}, "ERRATA_USER_PASSWORD: a password has"),
        ({"admin_key": "the-very-same-key", "user_key": "the-very-same-key"}, "ERRATA_USER_KEY: .* is in use"),
    ],
)
def test_a_first_start_with_a_bad_secret_makes_nobody_and_the_next_one_makes_both(
    fresh: Records, settings: Settings, secrets: dict[str, str], says: str
) -> None:
    with pytest.raises(InvalidAccount, match=says):
        start(fresh, settings, **secrets)
    assert (fresh.accounts.list(), fresh.log.size()) == ([], 0)
    assert start(fresh, settings) == ["admin", "user"]


def test_a_first_start_that_was_cut_short_is_made_up_for(fresh: Records, settings: Settings) -> None:
    fresh.accounts.add("admin", Role.ADMIN)
    assert start(fresh, settings) == ["user"]


@pytest.mark.parametrize(
    ("name", "role", "made"),
    [
        ("alice", Role.USER, ["admin", "user"]),
        ("user", Role.USER, ["admin"]),
        ("root", Role.ADMIN, ["admin", "user"]),
        ("admin", Role.REVIEWER, ["user"]),
    ],
)
def test_a_first_start_adds_what_an_operator_has_not_made(
    fresh: Records, settings: Settings, name: str, role: Role, made: list[str]
) -> None:
    fresh.accounts.add(name, role, actor=fresh.accounts.operator("ann"))
    assert start(fresh, settings) == made


def test_who_was_disabled_or_erased_is_not_made_again(fresh: Records, settings: Settings) -> None:
    start(fresh, settings)
    fresh.accounts.disable("admin")
    fresh.accounts.erase(fresh.accounts.named("user").id, actor="setup")
    assert start(fresh, settings) == []
