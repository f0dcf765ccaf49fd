"""The append-only log: canonical JSON entries in a Merkle tree, with roots and proofs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from governance import merkle
from governance.errors import LogError, NotFound
from governance.notes import Signer, checkpoint_text
from governance.store import Store
from governance.times import now, to_text

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log; `text` is the canonical JSON that was hashed."""

    n: int
    text: str
    leaf_hash: bytes

    @property
    def data(self) -> dict[str, Any]:
        """The parsed entry."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed


def canonical(data: Mapping[str, Any]) -> str:
    """JSON with sorted keys, no spaces and only ASCII: one text for one value."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(data: Mapping[str, Any]) -> str:
    """The SHA-256 of that text, in hex: under which the log names a report or a certificate."""
    return hashlib.sha256(canonical(data).encode()).hexdigest()


class Log:
    """Entries are numbered from 1. They hold ids, statuses, roles, pseudonyms and commitments, never text or names."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def append(self, kind: str, data: Mapping[str, Any]) -> int:
        """Write one entry in the open transaction and return its number: no log, no change.

        Raises LogError outside a transaction or for a field named n, at or kind.
        """
        if not self._store.db.conn.in_transaction:
            raise LogError(f"entry {kind!r} outside a transaction: append it where the change is made")
        if reserved := {"n", "at", "kind"} & data.keys():
            raise LogError(f"entry {kind!r} sets the reserved fields {sorted(reserved)}: name them otherwise")
        n = self.size() + 1
        text = canonical({"n": n, "at": to_text(now()), "kind": kind, **data})
        self.insert(n, text)
        return n

    def insert(self, n: int, text: str) -> None:
        """Write a finished entry and the tree nodes it completes; for `append` and for a restore that keeps a log."""
        current = merkle.leaf_hash(text.encode())
        write = self._store.db.conn.execute
        write("INSERT INTO audit_entries (n, entry, leaf_hash) VALUES (?, ?, ?)", (n, text, current))
        for level, position in merkle.completed_by(n - 1):
            current = merkle.node_hash(self._hash((level - 1, 2 * position)), current)
            write("INSERT INTO audit_nodes (level, position, hash) VALUES (?, ?, ?)", (level, position, current))

    def size(self) -> int:
        """How many entries there are."""
        return int(self._store.value("SELECT COALESCE(MAX(n), 0) FROM audit_entries"))

    def entries(self, since: int = 0, limit: int = PAGE) -> list[Entry]:
        """The entries after number `since`, oldest first."""
        rows = self._store.rows(
            "SELECT n, entry, leaf_hash FROM audit_entries WHERE n > :since ORDER BY n LIMIT :limit",
            since=since,
            limit=limit,
        )
        return [Entry(row["n"], row["entry"], row["leaf_hash"]) for row in rows]

    def entry(self, n: int) -> Entry:
        """Entry number `n`. Raises NotFound."""
        size = self.size()
        if not 1 <= n <= size:
            raise NotFound(f"the log has no entry {n}; it ends at {size}")
        return self.entries(n - 1, 1)[0]

    def root(self, size: int | None = None) -> bytes:
        """The Merkle tree hash of the first `size` entries (all by default)."""
        with self._store.snapshot():
            return merkle.range_hash(self._hash, 0, self._checked(self.size() if size is None else size))

    def inclusion_proof(self, n: int, size: int | None = None) -> list[bytes]:
        """The audit path of entry `n` (from 1) in the tree of `size` entries, from the leaf upwards."""
        with self._store.snapshot():
            size = self._checked(self.size() if size is None else size)
            if not 1 <= n <= size:
                raise NotFound(f"entry {n} is not in a tree of {size} entries")
            ranges = merkle.inclusion_ranges(n - 1, size)
            return [merkle.range_hash(self._hash, start, end) for start, end in ranges]

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """That the tree of `old` entries is a prefix of the tree of `new` (all by default)."""
        with self._store.snapshot():
            new = self._checked(self.size() if new is None else new)
            if not 0 <= old <= new:
                raise NotFound(f"no tree of {old} entries inside one of {new}")
            ranges = merkle.consistency_ranges(old, new)
            return [merkle.range_hash(self._hash, start, end) for start, end in ranges]

    def checkpoint(self, signer: Signer, size: int | None = None) -> str:
        """The signed head of the log (C2SP tlog-checkpoint): as it is now, or as it was at `size` entries. What was signed
        before is not asked: `Checkpoints.sign` does that."""
        covered = self.size() if size is None else size
        # What is signed has to survive a power cut, or the next start would look like a truncation. No snapshot: it would
        # stand in the way of that, and the first entries never change.
        self._store.sync()
        return signer.sign(checkpoint_text(signer.name, covered, self.root(covered)))

    def _checked(self, size: int) -> int:
        if not 0 <= size <= self.size():
            raise NotFound(f"no tree of {size} entries: the log has {self.size()}")
        return size

    def _hash(self, node: merkle.Node) -> bytes:
        level, position = node
        if level == 0:
            found = self._store.value("SELECT leaf_hash FROM audit_entries WHERE n = :n", n=position + 1)
        else:
            found = self._store.value(
                "SELECT hash FROM audit_nodes WHERE level = :level AND position = :position",
                level=level,
                position=position,
            )
        if not isinstance(found, bytes):
            raise LogError(f"the tree lacks node {position} of level {level}: run `errata audit verify`")
        return found
