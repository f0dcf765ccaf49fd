"""People: their roles, keys, passwords and sessions, and the random pseudonyms the log knows them by."""

import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

import argon2

from governance.audit import Log
from governance.errors import Erased, InvalidAccount, NotFound
from governance.ids import new_id
from governance.store import Store
from governance.times import from_text, now, to_text
from governance.vault import Vault

KEY_LENGTH = (16, 200)
NAME_LENGTH = (1, 64)
NAME_CHARACTERS = frozenset(string.ascii_letters + string.digits + "._-@+")
SESSION_LASTS = timedelta(hours=12)

# OWASP's second choice for argon2id (19 MiB, 2 passes): a sign-in costs about 30 ms and little memory.
HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class Role(StrEnum):
    """What a person may do; each of the three questions is answered here and nowhere else."""

    USER = "user"
    AUDITOR = "auditor"
    REVIEWER = "reviewer"
    ADMIN = "admin"

    @property
    def with_article(self) -> str:
        """As a sentence names it: "an admin", "a user"."""
        return f"{'an' if self.value.startswith('a') else 'a'} {self.value}"

    @property
    def may_report(self) -> bool:
        """Chat and report; an auditor changes nothing."""
        return self is not Role.AUDITOR

    @property
    def may_review(self) -> bool:
        """See all reports, edit their claim, reroute, reject, ask for evidence."""
        return self in (Role.REVIEWER, Role.ADMIN)

    @property
    def may_administer(self) -> bool:
        """Approve, roll back, restore, manage knowledge, erasures and people."""
        return self is Role.ADMIN


@dataclass(frozen=True, slots=True)
class Account:
    """One person. `pseudonym` is random and all that the log ever holds of them."""

    id: str
    name: str
    role: Role
    pseudonym: str
    disabled: bool
    created: datetime


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account with the secrets that are shown once and then known only as hashes."""

    account: Account
    password: str
    key: str


Actor: TypeAlias = Account | str
"""A person, or the name of one of our own processes ("triage", "worker", "publisher")."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who acted, as records and the log keep it."""

    id: str
    pseudonym: str
    role: str


def stamp(actor: Actor) -> Stamp:
    """The mark an actor leaves: a person's pseudonym and role, or a process under its own name."""
    if isinstance(actor, Account):
        return Stamp(actor.id, actor.pseudonym, actor.role.value)
    return Stamp(actor, actor, "system")


def logged(actor: Actor) -> dict[str, str]:
    """The same as fields of an entry in the log."""
    by = stamp(actor)
    return {"actor": by.pseudonym, "role": by.role}


class Accounts:
    """The people of this installation. Every change is logged in the same transaction."""

    def __init__(self, store: Store, log: Log, vault: Vault, *, hasher: argon2.PasswordHasher = HASHER) -> None:
        self._store = store
        self._log = log
        self._vault = vault
        self._hasher = hasher
        self._hash_of_nothing = hasher.hash(secrets.token_urlsafe(16))
        # A key chosen by a person may be short: without the pepper the database alone does not let anyone try guesses.
        self._pepper = vault.derive("accounts/keys")

    def add(
        self,
        name: str,
        role: Role,
        *,
        password: str | None = None,
        key: str | None = None,
        actor: Actor = "setup",
    ) -> NewAccount:
        """Make an account; a password or key that is not given is made at random.

        Raises InvalidAccount for a name or key that is taken or cannot be used.
        """
        check_name(name)
        password, key = checked_secrets(password, key)
        account = Account(new_id("acc"), name, Role(role), new_id("psn"), disabled=False, created=now())
        with self._store.transaction():
            if self._store.value("SELECT 1 FROM accounts WHERE name = :name", name=name):
                raise InvalidAccount(f"the name {name!r} is taken: choose another", "name")
            self._refuse_known_key(key, None)
            self._store.write(
                "INSERT INTO accounts (id, name, role, pseudonym, created, password_hash, key_hash)"
                " VALUES (:id, :name, :role, :pseudonym, :created, :password_hash, :key_hash)",
                id=account.id,
                name=name,
                role=account.role.value,
                pseudonym=account.pseudonym,
                created=to_text(account.created),
                password_hash=self._hasher.hash(password),
                key_hash=self._key_hash(key),
            )
            self._record("account.added", account, actor)
        return NewAccount(account, password, key)

    def by_key(self, key: str) -> Account | None:
        """Whose API key this is; None for an unknown key or a disabled account."""
        row = self._store.row(
            "SELECT id, name, role, pseudonym, disabled, created FROM accounts WHERE key_hash = :hash AND disabled = 0",
            hash=self._key_hash(key),
        )
        return None if row is None else _account(row)

    def sign_in(self, name: str, password: str) -> str | None:
        """The token of a new session for who has this name and password; None as well if the account got another password,
        or was closed, while this one was being verified. Takes the same time whether or not the name exists."""
        row = self._verified(name, password)
        if row is None:
            return None
        with self._store.transaction():
            now_stored = self._store.value(
                "SELECT password_hash FROM accounts WHERE id = :id AND disabled = 0", id=row["id"]
            )
            return self.start_session(row["id"]) if now_stored == row["password_hash"] else None

    def get(self, account_id: str) -> Account:
        """Raises NotFound."""
        row = self._store.row(
            "SELECT id, name, role, pseudonym, disabled, created FROM accounts WHERE id = :id", id=account_id
        )
        if row is None:
            raise NotFound(f"no account {account_id!r}")
        return _account(row)

    def named(self, name: str) -> Account:
        """Raises NotFound."""
        row = self._store.row(
            "SELECT id, name, role, pseudonym, disabled, created FROM accounts WHERE name = :name", name=name
        )
        if row is None:
            raise NotFound(f"nobody is called {name!r}: `errata user list` shows the names")
        return _account(row)

    def list(self) -> list[Account]:
        """Everybody, by name."""
        rows = self._store.rows("SELECT id, name, role, pseudonym, disabled, created FROM accounts ORDER BY name")
        return [_account(row) for row in rows]

    def disable(self, name: str, *, actor: Actor = "setup") -> Account:
        """Close an account: its key and sessions stop working at once."""
        with self._store.transaction():
            account = self.named(name)
            self._store.write("UPDATE accounts SET disabled = 1 WHERE id = :id", id=account.id)
            self._store.write("DELETE FROM sessions WHERE account_id = :id", id=account.id)
            self._record("account.disabled", account, actor)
            return self.get(account.id)

    def reset(
        self, name: str, *, password: str | None = None, key: str | None = None, actor: Actor = "setup"
    ) -> NewAccount:
        """New secrets (random unless given) for an account, enabled again; old ones and sessions stop working.

        Raises Erased for one whose person was erased: nothing more can be stored for them.
        """
        password, key = checked_secrets(password, key)
        with self._store.transaction():
            account = self.named(name)
            if self._vault.is_erased(account.id):
                raise Erased(f"the account {name!r} was erased: make a new one")
            self._refuse_known_key(key, account.id)
            self._store.write(
                "UPDATE accounts SET password_hash = :password_hash, key_hash = :key_hash, disabled = 0 WHERE id = :id",
                id=account.id,
                password_hash=self._hasher.hash(password),
                key_hash=self._key_hash(key),
            )
            self._store.write("DELETE FROM sessions WHERE account_id = :id", id=account.id)
            self._record("account.reset", account, actor)
            return NewAccount(self.get(account.id), password, key)

    def erase(self, account_id: str, *, actor: Actor) -> None:
        """Forget the name and secrets; the row stays under its pseudonym so that records keep their author."""
        with self._store.transaction():
            account = self.get(account_id)
            self._store.write(
                "UPDATE accounts SET name = :name, password_hash = NULL, key_hash = NULL, disabled = 1 WHERE id = :id",
                id=account_id,
                name=f"erased_{account.pseudonym}",
            )
            self._store.write("DELETE FROM sessions WHERE account_id = :id", id=account_id)
            self._record("account.erased", account, actor)

    def operator(self, name: str) -> str:
        """The pseudonym of a user of the operating system, for commands run on the data folder itself."""
        with self._store.transaction():
            found = self._store.value("SELECT pseudonym FROM operators WHERE name = :name", name=name)
            if found is None:
                found = new_id("opr")
                self._store.write("INSERT INTO operators VALUES (:name, :pseudonym)", name=name, pseudonym=found)
        return str(found)

    def start_session(self, account_id: str) -> str:
        """A token for the browser's cookie, good for twelve hours or until `end_session`."""
        token = secrets.token_urlsafe(32)
        with self._store.transaction():
            self._store.write("DELETE FROM sessions WHERE expires < :now", now=to_text(now()))
            self._store.write(
                "INSERT INTO sessions (token_hash, account_id, created, expires)"
                " VALUES (:hash, :account_id, :created, :expires)",
                hash=_token_hash(token),
                account_id=self.get(account_id).id,
                created=to_text(now()),
                expires=to_text(now() + SESSION_LASTS),
            )
        return token

    def by_session(self, token: str) -> Account | None:
        """Whose session this is; None if it has ended or the account is disabled."""
        row = self._store.row(
            "SELECT a.id, a.name, a.role, a.pseudonym, a.disabled, a.created FROM sessions s"
            " JOIN accounts a ON a.id = s.account_id"
            " WHERE s.token_hash = :hash AND s.expires > :now AND a.disabled = 0",
            hash=_token_hash(token),
            now=to_text(now()),
        )
        return None if row is None else _account(row)

    def end_session(self, token: str) -> None:
        """Sign out: the token is worthless from now on."""
        with self._store.transaction():
            self._store.write("DELETE FROM sessions WHERE token_hash = :hash", hash=_token_hash(token))

    def record_guessing(self, name: str, *, wrong: int, wait_s: int) -> None:
        """Wrong passwords in a row were met with a pause. The log holds the account's pseudonym, or that there is none;
        never the name that was tried, which may be a password typed into the wrong field."""
        with self._store.transaction():
            pseudonym = self._store.value("SELECT pseudonym FROM accounts WHERE name = :name", name=name)
            self._log.append("account.guessing", {"account": pseudonym, "wrong": wrong, "wait_s": wait_s})

    def record_key_guessing(self, *, wrong: int, wait_s: int) -> None:
        """Unknown API keys in a row from one address were met with a pause. Neither key nor address is kept."""
        with self._store.transaction():
            self._log.append("key.guessing", {"wrong": wrong, "wait_s": wait_s})

    def _verified(self, name: str, password: str) -> dict[str, Any] | None:
        row = self._store.row("SELECT * FROM accounts WHERE name = :name AND disabled = 0", name=name)
        known = row["password_hash"] if row and row["password_hash"] else self._hash_of_nothing
        try:
            self._hasher.verify(known, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError, UnicodeEncodeError):
            return None
        return row if row and row["password_hash"] else None

    def _key_hash(self, key: str) -> bytes:
        return hmac.digest(self._pepper, key.encode(errors="surrogatepass"), hashlib.sha256)

    def _refuse_known_key(self, key: str, owner: str | None) -> None:
        found = self._store.value("SELECT id FROM accounts WHERE key_hash = :hash", hash=self._key_hash(key))
        if found is not None and found != owner:
            raise InvalidAccount("this API key is in use: choose another", "key")

    def _record(self, kind: str, account: Account, actor: Actor) -> None:
        by = stamp(actor)
        self._log.append(
            kind,
            {"account": account.pseudonym, "role": account.role.value, "actor": by.pseudonym, "actor_role": by.role},
        )


def check_name(name: str) -> None:
    """Raises InvalidAccount unless the name is 1 to 64 plain characters."""
    if not NAME_LENGTH[0] <= len(name) <= NAME_LENGTH[1] or not set(name) <= NAME_CHARACTERS:
        raise InvalidAccount(f"the name {name!r} cannot be used: take 1 to 64 letters, digits or . _ - @ +", "name")


def checked_secrets(password: str | None, key: str | None) -> tuple[str, str]:
    """The given secrets, or random ones. Raises InvalidAccount for an empty password or an unusable key."""
    if password is not None and (not password or len(password) > KEY_LENGTH[1]):
        raise InvalidAccount("a password has 1 to 200 characters", "password")
    if key is not None and (
        not KEY_LENGTH[0] <= len(key) <= KEY_LENGTH[1]
        or not key.isascii()
        or not key.isprintable()
        or key != key.strip()
    ):
        raise InvalidAccount("an API key has 16 to 200 printable ASCII characters, with no space at its ends", "key")
    return password or secrets.token_urlsafe(12), key or f"sk-errata-{secrets.token_urlsafe(32)}"


def _token_hash(token: str) -> bytes:
    # 256 random bits need no slow hash.
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _account(row: dict[str, Any]) -> Account:
    return Account(
        row["id"], row["name"], Role(row["role"]), row["pseudonym"], bool(row["disabled"]), from_text(row["created"])
    )
