"""Accounts and proofs as JSON: the same over HTTP and from a command on the data folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from governance.accounts import Account, NewAccount
from governance.audit import Entry


def account_json(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "role": str(account.role),
        "disabled": account.disabled,
        "created": account.created.isoformat(),
    }


def made_json(made: NewAccount) -> dict[str, Any]:
    return {**account_json(made.account), "password": made.password, "key": made.key}


def proof_json(entry: Entry, *, size: int, root: bytes, hashes: Sequence[bytes]) -> dict[str, Any]:
    return {
        "entry": entry.n,
        "size": size,
        "leaf_hash": entry.leaf_hash.hex(),
        "root": root.hex(),
        "hashes": [node.hex() for node in hashes],
    }
