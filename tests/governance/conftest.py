"""A governance room on a fresh database: what most tests of it start from."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import argon2
import pytest

from editing.rates import Rate
from editing.verify import FactReport
from governance.accounts import Account, Accounts, Role
from governance.answers import Answers
from governance.audit import Log
from governance.corrections import Correction, Remedy
from governance.erasure import Erasures
from governance.ledger import Ledger
from governance.policy import Policy
from governance.store import Store
from governance.tombstones import Tombstones
from governance.vault import Vault, load_or_create_key
from governance.versions import Version, Versions

BASE_SHA = "ba5e" * 16
REPORT = FactReport(
    "fact", Rate(1, 1), Rate(3, 4), Rate(5, 6), Rate(2, 2), (), "The door was painted by her."
).as_dict()


@dataclass
class Room:
    """All parts wired together, with one account per role and a second admin."""

    path: Path
    store: Store
    log: Log
    vault: Vault
    accounts: Accounts
    answers: Answers
    versions: Versions
    ledger: Ledger
    people: dict[str, Account]

    @property
    def user(self) -> Account:
        return self.people["user"]

    @property
    def admin(self) -> Account:
        return self.people["admin"]

    @property
    def second_admin(self) -> Account:
        return self.people["second_admin"]

    @property
    def reviewer(self) -> Account:
        return self.people["reviewer"]

    @property
    def auditor(self) -> Account:
        return self.people["auditor"]

    def flag(self, reporter: Account | None = None, **changes: Any) -> Correction:
        claim = {
            "question": "Who painted the Mona Lisa?",
            "answer": "Artemisia Gentileschi painted it.",
            "correct_answer": "Leonardo da Vinci",
        }
        return self.ledger.flag(reporter or self.user, **(claim | changes))

    def queued(self, reporter: Account | None = None, *, remedy: Remedy = Remedy.WEIGHTS, **changes: Any) -> Correction:
        flagged = self.flag(reporter, **changes)
        subject = "Mona Lisa" if "Mona Lisa" in flagged.claim.question else ""
        return self.ledger.triaged(
            flagged.id, remedy=remedy, reason="persistent", evidence={"share": 1.0}, subject=subject
        )

    def approved(self, **changes: Any) -> Correction:
        return self.ledger.approve(self.queued(**changes).id, self.admin, reason="checked")

    def editing(self, **changes: Any) -> Correction:
        approved = self.approved(**changes)
        self.ledger.start_editing([approved.id])
        return self.ledger.get(approved.id)

    def build(self, version_id: str, *corrections: str) -> Version:
        return self.versions.record_built(
            Version(version_id, BASE_SHA, (), corrections, "7e50" * 16, datetime.now(UTC), {"direct": 1.0})
        )

    def live(self, version_id: str = "v1", **changes: Any) -> Correction:
        editing = self.editing(**changes)
        self.build(version_id, editing.id)
        self.versions.desire(version_id, actor="worker")
        self.ledger.published(version_id=version_id, live=[editing.id], reports={editing.id: REPORT})
        return self.ledger.get(editing.id)

    def texts_of(self, owner: str) -> list[str]:
        return [text for _, of, _, text in self.vault.scan() if of == owner]

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(entry.text) for entry in self.log.entries(limit=1_000_000)]


def make_room(path: Path) -> Room:
    store = Store(path / "errata.db")
    store.migrate()
    log = Log(store)
    vault = Vault(store, load_or_create_key(path / "master.key"))
    accounts = Accounts(store, log, vault, hasher=argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    versions = Versions(store, log, vault)
    versions.ensure_base(BASE_SHA)
    names = {
        "user": Role.USER,
        "other_user": Role.USER,
        "auditor": Role.AUDITOR,
        "reviewer": Role.REVIEWER,
        "admin": Role.ADMIN,
        "second_admin": Role.ADMIN,
        "third_admin": Role.ADMIN,
    }
    people = {name: accounts.add(name, role, password="password").account for name, role in names.items()}
    ledger = Ledger(store, vault, log, Policy.load())
    return Room(path, store, log, vault, accounts, Answers(store, vault), versions, ledger, people)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = make_room(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def room_maker() -> Callable[[Path], Room]:
    return make_room


@pytest.fixture
def erasures(room: Room) -> Erasures:
    """Requests, with their tombstones beside the database."""
    return Erasures(
        room.store,
        room.vault,
        room.log,
        accounts=room.accounts,
        ledger=room.ledger,
        tombstones=Tombstones(room.path / "erased.jsonl"),
    )
