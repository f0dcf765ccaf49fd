"""Personal text under AES-256-GCM with a key per person, wrapped by a master key kept outside the database."""

import hashlib
import hmac
import logging
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from governance.errors import Erased, WrongKey
from governance.ids import new_id
from governance.store import Store
from governance.times import now, to_text

log = logging.getLogger(__name__)
KEY_BYTES = 32
NONCE_BYTES = 12
MAX_CACHED_KEYS = 4096
SEALED = """
SELECT t.owner, t.kind, t.nonce, t.sealed, k.wrapped FROM texts t JOIN person_keys k ON k.owner = t.owner
WHERE t.id = :id
"""


def load_or_create_key(path: Path) -> bytes:
    """The 32 bytes in `path`; made at random, readable by the owner alone, if the file is not there yet.

    Raises WrongKey if the file holds something else.
    """
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link appears whole or not at all, and never replaces the key of a process that was quicker.
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise WrongKey(f"{str(path)!r} holds {len(key)} bytes, not {KEY_BYTES}: restore the key file")
    return key


class Vault:
    """Sealed texts by id. The sealed bytes hold a random commitment key before the text, so a commitment is HMAC
    under a key that dies with the text: the log can keep it and nobody can guess what it stood for."""

    def __init__(self, store: Store, master_key: bytes) -> None:
        if len(master_key) != KEY_BYTES:
            raise WrongKey(f"the master key must have {KEY_BYTES} bytes, not {len(master_key)}")
        self._store = store
        self._master = AESGCM(master_key)
        self._master_key = master_key
        self._open_keys: dict[bytes, AESGCM] = {}

    def over(self, store: Store) -> "Vault":
        """The same key over another database."""
        return Vault(store, self._master_key)

    def derive(self, purpose: str) -> bytes:
        """A key for one purpose (API keys, claim index), derived from the master key."""
        return hmac.digest(self._master_key, b"errata/" + purpose.encode(), hashlib.sha256)

    def check(self) -> None:
        """Raises WrongKey unless the master key opens this vault; call it at start, before anything is written."""
        row = self._store.row("SELECT owner, wrapped FROM person_keys WHERE wrapped IS NOT NULL LIMIT 1")
        if row is not None:
            self._unwrap(row["owner"], row["wrapped"])

    def put(self, owner: str, kind: str, text: str) -> str:
        """Seal the text for its owner; returns its id. Raises Erased if the owner's key was destroyed."""
        text_id = new_id("txt")
        with self._store.transaction():
            nonce, sealed, commitment = self._seal(text_id, owner, kind, text)
            self._store.write(
                "INSERT INTO texts (id, owner, kind, nonce, sealed, commitment, created)"
                " VALUES (:id, :owner, :kind, :nonce, :sealed, :commitment, :created)",
                id=text_id,
                owner=owner,
                kind=kind,
                nonce=nonce,
                sealed=sealed,
                commitment=commitment,
                created=to_text(now()),
            )
        return text_id

    def replace(self, text_id: str, text: str, *, owner: str | None = None) -> None:
        """Seal another text in the place of the old one, for another owner if one is named.

        Raises Erased if there is nothing to replace any more.
        """
        with self._store.transaction():
            row = self._store.row("SELECT owner, kind FROM texts WHERE id = :id", id=text_id)
            if row is None:
                raise Erased(f"text {text_id!r} has been erased and cannot be rewritten")
            heir = owner or row["owner"]
            nonce, sealed, commitment = self._seal(text_id, heir, row["kind"], text)
            self._store.write(
                "UPDATE texts SET owner = :owner, nonce = :nonce, sealed = :sealed, commitment = :commitment"
                " WHERE id = :id",
                id=text_id,
                owner=heir,
                nonce=nonce,
                sealed=sealed,
                commitment=commitment,
            )

    def hand_over(self, ids: Iterable[str], *, of: Collection[str], to: str) -> int:
        """Seal those of these texts that belong to one `of` these owners for another one, as they are: commitments stay.
        Returns how many there were."""
        count = 0
        with self._store.transaction():
            for text_id in ids:
                row = self._store.row(SEALED, id=text_id)
                if row is None or row["wrapped"] is None or row["owner"] not in of:
                    continue
                nonce, payload = secrets.token_bytes(NONCE_BYTES), self._payload(text_id, **row)
                self._store.write(
                    "UPDATE texts SET owner = :owner, nonce = :nonce, sealed = :sealed WHERE id = :id",
                    id=text_id,
                    owner=to,
                    nonce=nonce,
                    sealed=self._person_key(to).encrypt(nonce, payload, _bound_to(text_id, to, row["kind"])),
                )
                count += 1
        return count

    def get(self, text_id: str | None) -> str | None:
        """The text, or None once it is erased (or never was). Raises WrongKey if its row was changed."""
        row = None if text_id is None else self._store.db.conn.execute(SEALED, {"id": text_id}).fetchone()
        return None if text_id is None or row is None or row[4] is None else self._unseal(text_id, *row)

    def get_many(self, ids: Iterable[str | None]) -> dict[str, str]:
        """The texts that still exist, by id; one whose row was changed is passed over, and told of in the process log."""
        found: dict[str, str] = {}
        for text_id in {text_id for text_id in ids if text_id is not None}:
            with _told_of(text_id):
                text = self.get(text_id)
                if text is not None:
                    found[text_id] = text
        return found

    def commitment(self, text_id: str | None) -> str | None:
        """HMAC-SHA256 of the text under its own random key, in hex: what the log may hold."""
        if text_id is None:
            return None
        found: str | None = self._store.value("SELECT commitment FROM texts WHERE id = :id", id=text_id)
        return found

    def commits_to(self, text_id: str, commitment: str) -> bool:
        """Whether the text that is kept now is the one the commitment was made for."""
        row = self._store.row(SEALED, id=text_id)
        if row is None or row["wrapped"] is None:
            return False
        payload = self._payload(text_id, **row)
        made = hmac.digest(payload[:KEY_BYTES], payload[KEY_BYTES:], hashlib.sha256).hex()
        return hmac.compare_digest(made, commitment)

    def delete(self, ids: Iterable[str | None]) -> None:
        """Delete single texts; the person's key stays."""
        with self._store.transaction():
            for text_id in ids:
                if text_id is not None:
                    self._store.write("DELETE FROM texts WHERE id = :id", id=text_id)

    def erase_person(self, owner: str) -> int:
        """Destroy the person's key and delete their texts; returns how many there were.

        Afterwards nothing can be stored for this owner any more. The caller truncates the write-ahead log.
        """
        with self._store.transaction():
            count = self._store.write("DELETE FROM texts WHERE owner = :owner", owner=owner)
            wrapped = self._store.value("SELECT wrapped FROM person_keys WHERE owner = :owner", owner=owner)
            self._store.write(
                "INSERT INTO person_keys (owner, wrapped, created, erased) VALUES (:owner, NULL, :at, :at)"
                " ON CONFLICT (owner) DO UPDATE SET wrapped = NULL, erased = :at",
                owner=owner,
                at=to_text(now()),
            )
        self._open_keys.pop(wrapped, None)
        return count

    def is_erased(self, owner: str) -> bool:
        """Whether this person's key was destroyed."""
        return bool(self._store.value("SELECT erased IS NOT NULL FROM person_keys WHERE owner = :owner", owner=owner))

    def scan(self) -> Iterator[tuple[str, str, str, str]]:
        """Every text that can be read, as (id, owner, kind, text), in pages so that a long scan holds no lock; one whose
        row was changed is passed over, and told of in the process log."""
        last = ""
        while True:
            rows = self._store.rows(
                "SELECT t.id, t.owner, t.kind, t.nonce, t.sealed, k.wrapped FROM texts t"
                " JOIN person_keys k ON k.owner = t.owner"
                " WHERE t.id > :last AND k.wrapped IS NOT NULL ORDER BY t.id LIMIT 500",
                last=last,
            )
            if not rows:
                return
            for row in rows:
                text = None
                with _told_of(row["id"]):
                    text = self._unseal(*row.values())
                if text is not None:
                    yield row["id"], row["owner"], row["kind"], text
            last = rows[-1]["id"]

    def _seal(self, text_id: str, owner: str, kind: str, text: str) -> tuple[bytes, bytes, str]:
        key = self._person_key(owner)
        nonce, commit_key, encoded = secrets.token_bytes(NONCE_BYTES), secrets.token_bytes(KEY_BYTES), text.encode()
        sealed = key.encrypt(nonce, commit_key + encoded, _bound_to(text_id, owner, kind))
        return nonce, sealed, hmac.digest(commit_key, encoded, hashlib.sha256).hex()

    def _person_key(self, owner: str) -> AESGCM:
        row = self._store.row("SELECT wrapped, erased FROM person_keys WHERE owner = :owner", owner=owner)
        if row is not None and row["erased"] is not None:
            raise Erased(f"the key of {owner!r} has been destroyed: nothing more can be stored for them")
        if row is not None:
            return self._unwrap(owner, row["wrapped"])
        key, nonce = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(NONCE_BYTES)
        wrapped = nonce + self._master.encrypt(nonce, key, owner.encode())
        self._store.write(
            "INSERT INTO person_keys (owner, wrapped, created) VALUES (:owner, :wrapped, :at)",
            owner=owner,
            wrapped=wrapped,
            at=to_text(now()),
        )
        return AESGCM(key)

    def _unwrap(self, owner: str, wrapped: bytes) -> AESGCM:
        # Keyed by the wrapped bytes, which change with the person, the key and the master key.
        opened = self._open_keys.get(wrapped)
        if opened is None:
            try:
                key = self._master.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], owner.encode())
            except InvalidTag:
                raise WrongKey(
                    "this master key does not open the vault: restore the key file it was made with"
                ) from None
            if len(self._open_keys) >= MAX_CACHED_KEYS:
                self._open_keys.clear()
            opened = self._open_keys[wrapped] = AESGCM(key)
        return opened

    def _unseal(self, text_id: str, owner: str, kind: str, nonce: bytes, sealed: bytes, wrapped: bytes) -> str:
        return self._payload(text_id, owner, kind, nonce, sealed, wrapped)[KEY_BYTES:].decode()

    def _payload(self, text_id: str, owner: str, kind: str, nonce: bytes, sealed: bytes, wrapped: bytes) -> bytes:
        try:
            return self._unwrap(owner, wrapped).decrypt(nonce, sealed, _bound_to(text_id, owner, kind))
        except (InvalidTag, ValueError):
            raise WrongKey(f"text {text_id!r} cannot be opened: its row was changed or moved") from None


@contextmanager
def _told_of(text_id: str) -> Iterator[None]:
    try:
        yield
    except WrongKey:
        log.error("text %s cannot be opened: its row or its owner's key was changed", text_id)


def _bound_to(text_id: str, owner: str, kind: str) -> bytes:
    """Associated data: a sealed text cannot be moved to another row, person or kind."""
    return "\x1f".join((text_id, owner, kind)).encode()
