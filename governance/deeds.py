"""What an erasure does to our own records: texts and keys destroyed, accounts forgotten, versions purged."""

from collections.abc import Sequence

from governance.accounts import Account, Accounts
from governance.ledger import Ledger
from governance.requests import Choice, ErasureRequest, Kind, Method, Outcome
from governance.store import Store
from governance.tombstones import Tombstone, Tombstones
from governance.vault import Vault
from governance.versions import BASE, Versions

STANDING = ("approved", "editing", "live", "in_knowledge", "rolled_back")
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
        """Texts and corrections by id; for an erasure also the account. A rectification closes nobody's account."""
        with self._store.transaction():
            stones = [Tombstone("text", ref) for ref in choice.refs if ref.startswith("txt_")]
            self._vault.delete(stone.id for stone in stones)
            for ref in choice.refs:
                if ref.startswith("cor_"):
                    stones += [Tombstone("correction", ref), *self._forget(ref, actor)]
            count = len(stones)
            if request.account_id is not None and request.kind is Kind.ERASURE:
                count += self._erase_account(request.account_id, actor, stones)
            self._tombstones.add(stones)
        return Outcome(Method.DELETE_TEXT, count)

    def purge_versions(self, corrections: Sequence[str], actor: Account) -> tuple[str, ...]:
        """Every version that holds an erased edit: barred, so that it cannot be restored."""
        purged: dict[str, None] = {}
        with self._store.transaction():
            for correction_id in corrections:
                for version in self._versions.containing(correction_id):
                    if version.id != BASE and version.purged is None:
                        self._versions.purge(version.id, actor=actor)
                        purged[version.id] = None
            self._tombstones.add(Tombstone("version", version_id) for version_id in purged)
        return tuple(purged)

    def _forget(self, correction_id: str, actor: Account) -> list[Tombstone]:
        return [Tombstone("text", text_id) for text_id in self._ledger.forget(correction_id, actor=actor)]

    def _erase_account(self, account_id: str, actor: Account, stones: list[Tombstone]) -> int:
        """The person's chats, reports and secrets. A fact in force that they reported stays, in its canonical form."""
        rows = self._store.rows("SELECT id, status FROM corrections WHERE reporter_id = :id", id=account_id)
        for row in rows:
            if row["status"] in STANDING:
                self._ledger.adopt(row["id"], actor=actor)
            else:
                stones += [Tombstone("correction", row["id"]), *self._forget(row["id"], actor)]
        self._store.write(
            "UPDATE answers SET question_text_id = NULL, answer_text_id = NULL, passages_text_id = NULL,"
            " reason_text_id = NULL, conversation_id = NULL WHERE account_id = :id",
            id=account_id,
        )
        self._store.write("DELETE FROM conversations WHERE account_id = :id", id=account_id)
        count = self._vault.erase_person(account_id)
        self._accounts.erase(account_id, actor=actor)
        stones += [Tombstone("owner", account_id), Tombstone("account", account_id)]
        return count


def done_outside(method: Method) -> Outcome:
    """Retraining, and unlearning many facts: nothing is done here, and what remains is said."""
    how = "trained again without the data" if method is Method.RETRAIN else "unlearnt by training against them"
    remains = f"what the base model learned in its training, until it is {how}, outside Errata"
    return Outcome(method, 0, remains)
