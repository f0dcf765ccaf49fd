"""Built weights versions, which one is wanted and which one is served."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.accounts import Actor, logged, stamp
from governance.audit import Log
from governance.errors import MoveNotAllowed, NotFound
from governance.store import Store
from governance.times import from_text, now, optional, to_text
from governance.vault import Vault

BASE = "base"


@dataclass(frozen=True, slots=True)
class Version:
    """Base plus a set of edits, solved together. `summary` holds figures of its verification, no text."""

    id: str
    base_sha256: str
    artefacts: tuple[str, ...]
    corrections: tuple[str, ...]
    tensors_sha256: str
    created: datetime
    summary: Mapping[str, Any]
    live_since: datetime | None = None
    purged: datetime | None = None
    swap_pause_s: float | None = None  # how long answers stood still when it was served last


@dataclass(frozen=True, slots=True)
class Wanted:
    """What should be served and what is; they differ while the publisher works."""

    desired: str
    served: str | None
    kind: str
    actor: str
    reason: str
    since: datetime


class Versions:
    """The ledger of versions. Tensors lie in folders elsewhere; here are their names and hashes."""

    def __init__(self, store: Store, log: Log, vault: Vault) -> None:
        self._store = store
        self._log = log
        self._vault = vault

    def ensure_base(self, base_sha256: str) -> Version:
        """Register the unedited model as version `base` and as what should be served, at the first start.

        Raises MoveNotAllowed if this ledger belongs to another base model.
        """
        with self._store.transaction():
            known = self._store.value("SELECT base_sha256 FROM versions WHERE id = :id", id=BASE)
            if known is None:
                self._insert(Version(BASE, base_sha256, (), (), "", now(), {}))
                self._store.write(
                    "INSERT INTO serving (only, desired, served, phase, kind, actor, since)"
                    " VALUES (1, :base, NULL, 'idle', 'release', 'setup', :at)",
                    base=BASE,
                    at=to_text(now()),
                )
            elif known != base_sha256:
                raise MoveNotAllowed(
                    f"this data folder belongs to the base model {_short(known)}, not {_short(base_sha256)}: start with the"
                    " model that it was made with, or with --rebase to bind it to this one (live edits are then answered"
                    " by their cards until they are solved anew)"
                )
        return self.get(BASE)

    def rebase(self, base_sha256: str, *, actor: Actor) -> None:
        """Bind the ledger to another base model; versions of the old one stay on record, but can be served on it alone."""
        with self._store.transaction():
            self._store.write(
                "UPDATE versions SET base_sha256 = :sha, tensors_sha256 = '' WHERE id = :base",
                sha=base_sha256,
                base=BASE,
            )
            self._store.write(
                "UPDATE serving SET desired = :base, served = NULL, kind = 'release', actor = :actor,"
                " reason_text_id = NULL, since = :at",
                actor=stamp(actor).pseudonym,
                base=BASE,
                at=to_text(now()),
            )
            self._log.append("version.rebased", {"base_sha256": base_sha256, **logged(actor)})

    def measure_base(self, tensors_sha256: str) -> None:
        """The hash of the tensors that edits change, as the base has them; known once a worker has loaded it."""
        with self._store.transaction():
            if self._store.write(
                "UPDATE versions SET tensors_sha256 = :sha WHERE id = :base AND tensors_sha256 <> :sha",
                sha=tensors_sha256,
                base=BASE,
            ):
                self._log.append("version.measured", {"version": BASE, "tensors_sha256": tensors_sha256})

    def record_built(self, version: Version) -> Version:
        """A version that passed its gate and lies on disk; recording it again changes nothing."""
        with self._store.transaction():
            found = self._store.row("SELECT purged FROM versions WHERE id = :id", id=version.id)
            if found is None:
                self._insert(version)
            elif found["purged"] is not None:
                raise MoveNotAllowed(f"version {version.id!r} was purged, since an erasure took one of its edits")
        return self.get(version.id)

    def get(self, version_id: str) -> Version:
        """Raises NotFound."""
        row = self._store.row("SELECT * FROM versions WHERE id = :id", id=version_id)
        if row is None:
            raise NotFound(f"no version {version_id!r}: `GET /v1/versions` lists them")
        return self._version(row)

    def list(self) -> tuple[Version, ...]:
        """All versions, newest first."""
        return tuple(self._version(row) for row in self._store.rows("SELECT * FROM versions ORDER BY created DESC, id"))

    def holding(self, corrections: Iterable[str]) -> tuple[str, ...]:
        """The ids of the versions that hold the edit of one of these corrections, newest first."""
        rows = self._store.rows(
            "SELECT id FROM versions WHERE id IN (SELECT version_id FROM version_corrections"
            " WHERE correction_id IN (SELECT value FROM json_each(:ids))) ORDER BY created DESC, id",
            ids=json.dumps(list(corrections)),
        )
        return tuple(row["id"] for row in rows)

    def corrections(self) -> frozenset[str]:
        """The corrections whose edits are in any version."""
        rows = self._store.rows("SELECT DISTINCT correction_id FROM version_corrections")
        return frozenset(row["correction_id"] for row in rows)

    def desire(self, version_id: str, *, actor: Actor, reason: str = "", kind: str = "release") -> Wanted:
        """Say what should be served; the publisher makes it so. `kind` is release or restore.

        Raises NotFound, or MoveNotAllowed for a purged version, for one of another base model, and where a person would
        restore an edit that was never in force: nothing would probe it.
        """
        if kind not in ("release", "restore"):
            raise ValueError(f"kind {kind!r}: use 'release' or 'restore'")
        with self._store.transaction():
            version = self.get(version_id)
            if version.purged:
                raise MoveNotAllowed(f"version {version_id!r} was purged and cannot be served again")
            if version.base_sha256 != self.get(BASE).base_sha256:
                raise MoveNotAllowed(
                    f"version {version_id!r} was made for another base model and cannot be served on this one"
                )
            if kind == "restore":
                self._check_edits_were_in_force(version_id)
            by = stamp(actor)
            reason_id = self._vault.put(by.id, "reason", reason) if reason else None
            changed = self._store.write(
                "UPDATE serving SET desired = :id, kind = :kind, actor = :actor, reason_text_id = :reason, since = :at",
                id=version_id,
                kind=kind,
                actor=by.pseudonym,
                reason=reason_id,
                at=to_text(now()),
            )
            if not changed:
                raise NotFound("no base model is registered yet: call ensure_base() first")
            commitment = self._vault.commitment(reason_id)
            self._log.append(
                "version.desired", {"version": version_id, "for": kind, "reason": commitment, **logged(actor)}
            )
        return self.serving()

    def serving(self) -> Wanted:
        """The one row of what is wanted and served. Raises NotFound before `ensure_base`."""
        row = self._store.row("SELECT * FROM serving")
        if row is None:
            raise NotFound("no base model is registered yet: call ensure_base() first")
        reason = self._vault.get(row["reason_text_id"]) or ""
        return Wanted(row["desired"], row["served"], row["kind"], row["actor"], reason, from_text(row["since"]))

    def desired(self) -> Version:
        """What should be served."""
        return self.get(self.serving().desired)

    def served(self) -> Version | None:
        """What is served; None until the publisher has confirmed it once."""
        served = self._store.value("SELECT served FROM serving")
        return None if served is None else self.get(served)

    def set_served(self, version_id: str, *, swap_pause_s: float | None = None) -> None:
        """The engine answers with this version now."""
        with self._store.transaction():
            before = self._store.value("SELECT served FROM serving")
            if before != version_id:
                self._store.write("UPDATE serving SET served = :id, since = :at", id=version_id, at=to_text(now()))
                pause = None if swap_pause_s is None else round(swap_pause_s, 4)
                self._store.write(
                    "INSERT INTO served_history (at, version_id, pause_s) VALUES (:at, :id, :pause)",
                    at=to_text(now()),
                    id=version_id,
                    pause=pause,
                )
                self._log.append("version.served", {"version": version_id, "before": before, "pause_s": pause})

    def purge(self, version_id: str, *, actor: Actor) -> None:
        """Bar a version that holds an erased edit from ever being served again; the caller deletes its files."""
        with self._store.transaction():
            version = self.get(version_id)
            serving = self.serving()
            if version_id == BASE or version_id in (serving.desired, serving.served):
                raise MoveNotAllowed(f"version {version_id!r} is wanted or served: publish one without the edit first")
            if version.purged is None:
                self._store.write("UPDATE versions SET purged = :at WHERE id = :id", id=version_id, at=to_text(now()))
                self._log.append("version.purged", {"version": version_id, **logged(actor)})

    def _check_edits_were_in_force(self, version_id: str) -> None:
        """Raises MoveNotAllowed unless each edit of the version is live or was: see docs/decisions/0003."""
        found = self._store.row(
            "SELECT c.id, c.status FROM version_corrections v JOIN corrections c ON c.id = v.correction_id"
            " WHERE v.version_id = :id AND c.status NOT IN ('live', 'rolled_back', 'superseded') ORDER BY c.id",
            id=version_id,
        )
        if found is not None:
            raise MoveNotAllowed(
                f"version {version_id!r} holds the edit of correction {found['id']!r}, which is {found['status']!r}: only"
                " versions whose edits are or were live can be restored"
            )

    def _insert(self, version: Version) -> None:
        self._store.write(
            "INSERT INTO versions (id, base_sha256, artefacts, tensors_sha256, created, summary)"
            " VALUES (:id, :base, :artefacts, :tensors, :created, :summary)",
            id=version.id,
            base=version.base_sha256,
            artefacts=json.dumps(sorted(version.artefacts)),
            tensors=version.tensors_sha256,
            created=to_text(version.created),
            summary=json.dumps(dict(version.summary), sort_keys=True),
        )
        for correction_id in version.corrections:
            self._store.write(
                "INSERT INTO version_corrections (version_id, correction_id) VALUES (:version, :correction)",
                version=version.id,
                correction=correction_id,
            )
        self._log.append(
            "version.built",
            {
                "version": version.id,
                "base_sha256": version.base_sha256,
                "artefacts": sorted(version.artefacts),
                "corrections": sorted(version.corrections),
                "tensors_sha256": version.tensors_sha256,
            },
        )

    def _version(self, row: Mapping[str, Any]) -> Version:
        corrections = self._store.rows(
            "SELECT correction_id FROM version_corrections WHERE version_id = :id ORDER BY correction_id", id=row["id"]
        )
        live_since = self._store.value(
            "SELECT MAX(h.at) FROM served_history h JOIN serving s ON s.served = h.version_id WHERE h.version_id = :id",
            id=row["id"],
        )
        pause = self._store.value(
            "SELECT pause_s FROM served_history WHERE version_id = :id AND pause_s IS NOT NULL ORDER BY at DESC LIMIT 1",
            id=row["id"],
        )
        return Version(
            id=row["id"],
            base_sha256=row["base_sha256"],
            artefacts=tuple(json.loads(row["artefacts"])),
            corrections=tuple(correction["correction_id"] for correction in corrections),
            tensors_sha256=row["tensors_sha256"],
            created=from_text(row["created"]),
            summary=json.loads(row["summary"]),
            live_since=optional(live_since),
            purged=optional(row["purged"]),
            swap_pause_s=pause,
        )


def _short(base: str) -> str:
    """A hash by its beginning; the address of an engine started elsewhere whole."""
    return base if ":" in base else f"{base[:12]}…"
