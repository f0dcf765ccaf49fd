"""What an erasure does to our own records: texts and keys destroyed, accounts forgotten, versions purged."""

import json
from collections.abc import Collection

from governance.accounts import Account, Accounts, Actor
from governance.corrections import Status
from governance.forgetting import FORGOTTEN_BY
from governance.ledger import Ledger
from governance.requests import Choice, ErasureRequest, Method, Outcome
from governance.store import Store
from governance.times import now, to_text
from governance.tombstones import Tombstone, Tombstones
from governance.vault import Vault
from governance.versions import Versions

STANDING = frozenset({Status.APPROVED, Status.EDITING, Status.LIVE, Status.IN_KNOWLEDGE, Status.ROLLED_BACK})
"""A fact in one of these statuses outlives its reporter, in its canonical form."""


class Deeds:
    """The destroying hand of the erasures. Ids are written to the tombstones before each commit: after a restore from
    an older backup the same is erased again."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        *,
        accounts: Accounts,
        ledger: Ledger,
        versions: Versions,
        tombstones: Tombstones,
    ) -> None:
        self._store, self._vault = store, vault
        self._accounts, self._ledger, self._versions = accounts, ledger, versions
        self._tombstones = tombstones

    def delete_texts(self, request: ErasureRequest, choice: Choice, actor: Account) -> Outcome:
        """Texts, corrections, accounts and users of the operating system by id."""
        with self._store.transaction():
            stones = [Tombstone("text", ref) for ref in choice.refs if ref.startswith("txt_")]
            self._vault.delete(stone.id for stone in stones)
            for ref in choice.refs:
                if ref.startswith("opr_"):
                    stones.append(Tombstone("operator", ref))
                    _forget_operator(self._store, ref)
                if ref.startswith("cor_"):
                    stones += [Tombstone("correction", ref), *self._forget(ref, actor)]
            count = len(stones)
            for account_id in sorted(request.accounts):
                count += self._erase_account(account_id, actor, stones, keep=request.decision.keep)
            self._tombstones.add(stones)
        return Outcome(Method.DELETE_TEXT, count)

    def purge_versions(self, request: ErasureRequest, actor: Account) -> tuple[str, ...]:
        """Every version that holds an erased edit, barred, so that it cannot be restored; those that an interrupted
        execution has barred before as well."""
        with self._store.transaction():
            purged = self._versions.holding(request.corrections.union(self._ledger.forgotten_of(request.accounts)))
            for version_id in purged:
                self._versions.purge(version_id, actor=actor)
            self._tombstones.add(Tombstone("version", version_id) for version_id in purged)
        return purged

    def _forget(self, correction_id: str, actor: Account) -> list[Tombstone]:
        return [Tombstone("text", text_id) for text_id in self._ledger.forget(correction_id, actor=actor)]

    def _erase_account(self, account_id: str, actor: Account, stones: list[Tombstone], *, keep: Collection[str]) -> int:
        """The person's chats, reports and secrets, and what others reported of their chats. A fact in force stays, in its
        canonical form; what is to `keep` stays as it is."""
        rows = self._store.rows(
            "SELECT c.id, c.status FROM corrections c LEFT JOIN answers a ON a.id = c.answer_id"
            " WHERE c.claim_key IS NOT NULL AND :id IN (c.reporter_id, a.account_id)",
            id=account_id,
        )
        concerned = {row["id"] for row in rows}
        for ref in keep:
            if ref.startswith(("txt_", "cor_")) and (self._ledger.keep(ref, of=[account_id]) or ref in concerned):
                stones.append(Tombstone("kept", f"{ref} {account_id}"))
        for row in rows:
            if row["id"] in keep:
                continue
            if row["status"] in STANDING:
                self._ledger.adopt(row["id"], actor=actor)
            else:
                stones += [Tombstone("correction", row["id"]), *self._forget(row["id"], actor)]
        count = self._vault.erase_person(account_id)
        _forget_chats(self._store, account_id)
        self._accounts.erase(account_id, actor=actor)
        stones += [Tombstone("owner", account_id), Tombstone("account", account_id)]
        return count


def bury(store: Store, ledger: Ledger, stones: Collection[Tombstone], *, actor: Actor) -> int:
    """Erase again, in the state of a backup, what the tombstones name; returns how much had come back.

    As at the erasure itself, a fact in force outlives its reporter: it is adopted while its texts can still be read. What
    has no text afterwards is in force no longer.
    """
    gone, erased, kept = (
        {stone.id for stone in stones if stone.kind == kind} for kind in ("correction", "owner", "kept")
    )
    for row in store.rows(
        "SELECT c.id, c.status, c.reporter_id, a.account_id FROM corrections c JOIN texts t ON t.id = c.claim_text_id"
        " LEFT JOIN answers a ON a.id = c.answer_id WHERE t.owner = c.reporter_id"
    ):
        of = erased.intersection((row["reporter_id"], row["account_id"]))
        is_kept = all(f"{row['id']} {one}" in kept for one in of)
        if row["status"] in STANDING and row["id"] not in gone and not is_kept:
            ledger.adopt(row["id"], actor=actor)
    for stone_id in kept:
        ref, _, owner = stone_id.partition(" ")
        ledger.keep(ref, of=[owner])
    back = sum(_bury(store, stone) for stone in stones)
    for row in store.rows(
        "SELECT c.id FROM corrections c LEFT JOIN texts t ON t.id = c.claim_text_id WHERE t.id IS NULL"
        " AND (c.claim_key IS NOT NULL OR c.status IN (SELECT value FROM json_each(:standing)))",
        standing=json.dumps(list(FORGOTTEN_BY)),
    ):
        ledger.forget(row["id"], actor=actor, is_restored=True)
    return back


def _bury(store: Store, stone: Tombstone) -> int:
    at = to_text(now())
    if stone.kind == "owner":
        touched = store.write("DELETE FROM texts WHERE owner = :id", id=stone.id)
        store.write(
            "INSERT INTO person_keys (owner, wrapped, created, erased) VALUES (:id, NULL, :at, :at)"
            " ON CONFLICT (owner) DO UPDATE SET wrapped = NULL, erased = COALESCE(erased, :at)",
            id=stone.id,
            at=at,
        )
        # The key of a request is destroyed as it is closed, and no other step can be taken without it.
        store.write("UPDATE erasure_requests SET status = 'closed' WHERE id = :id", id=stone.id)
    elif stone.kind == "text":
        touched = store.write("DELETE FROM texts WHERE id = :id", id=stone.id)
        # That of a request goes alone where the request is refused.
        store.write("UPDATE erasure_requests SET status = 'refused' WHERE work_text_id = :id", id=stone.id)
    elif stone.kind == "account":
        store.write("DELETE FROM sessions WHERE account_id = :id", id=stone.id)
        _forget_chats(store, stone.id)
        touched = store.write(
            "UPDATE accounts SET name = 'erased_' || pseudonym, password_hash = NULL, key_hash = NULL, disabled = 1"
            " WHERE id = :id AND name <> 'erased_' || pseudonym",
            id=stone.id,
        )
    elif stone.kind == "version":
        touched = store.write("UPDATE versions SET purged = :at WHERE id = :id AND purged IS NULL", id=stone.id, at=at)
    elif stone.kind == "operator":
        touched = _forget_operator(store, stone.id)
    elif stone.kind == "conversation":
        touched = store.write("DELETE FROM conversations WHERE id = :id", id=stone.id)
    elif stone.kind == "correction":
        touched = store.write(
            "DELETE FROM texts WHERE id IN (SELECT claim_text_id FROM corrections WHERE id = :id)", id=stone.id
        )
    else:
        touched = 0  # documents are the caller's
    return int(touched > 0)


def _forget_operator(store: Store, pseudonym: str) -> int:
    return store.write(
        "UPDATE operators SET name = 'erased_' || pseudonym WHERE pseudonym = :id AND name <> 'erased_' || pseudonym",
        id=pseudonym,
    )


def _forget_chats(store: Store, account_id: str) -> None:
    """Answers name the texts that are left, if any."""
    store.write(
        "UPDATE answers SET question_text_id = (SELECT id FROM texts WHERE id = question_text_id),"
        " answer_text_id = (SELECT id FROM texts WHERE id = answer_text_id),"
        " passages_text_id = (SELECT id FROM texts WHERE id = passages_text_id),"
        " reason_text_id = (SELECT id FROM texts WHERE id = reason_text_id), conversation_id = NULL WHERE account_id = :id",
        id=account_id,
    )
    store.write("DELETE FROM conversations WHERE account_id = :id", id=account_id)


def done_outside(method: Method) -> Outcome:
    """Retraining, and unlearning many facts: nothing is done here, and what remains is said."""
    how = "trained again without the data" if method is Method.RETRAIN else "unlearnt by training against them"
    remains = f"what the base model learned in its training, until it is {how}, outside Errata"
    return Outcome(method, 0, remains)
