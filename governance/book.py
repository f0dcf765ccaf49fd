"""The corrections as rows: reading them whole, and the one function through which a status changes."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any, Self

from governance.accounts import Actor, logged, stamp
from governance.audit import Log
from governance.claims import normal
from governance.correction_rows import load, says, sealed_json
from governance.corrections import Alarm, Claim, Correction, Related, Status
from governance.errors import NotFound
from governance.lifecycle import IN_FORCE, OPEN, check_move
from governance.listing import PAGES, PRIORITY, Place, Sort
from governance.policy import Policy
from governance.store import Store
from governance.times import from_text, now, to_text
from governance.vault import Vault
from governance.versions import Versions

SAVE = """
UPDATE corrections SET updated = :updated, status = :status, claim_key = :claim_key, subject_key = :subject_key,
    answer_key = :answer_key, category = :category, remedy = :remedy, volatile = :volatile,
    personal_data = :personal_data, risk_tier = :risk_tier, approvals_needed = :approvals_needed, round = :round,
    fallback = :fallback, priority = :priority, due = :due, attempts = :attempts, probe_failures = :probe_failures,
    crashes = :crashes, appeals = :appeals, undo_requested = :undo_requested, artefact = :artefact, edit = :edit,
    report_sha256 = :report_sha256, weights_version_before = :weights_version_before,
    weights_version_after = :weights_version_after, swap_pause_s = :swap_pause_s, live_since = :live_since,
    review_due = :review_due, duplicate_of = :duplicate_of, superseded_by = :superseded_by, conflicts = :conflicts,
    told = :told, undo_reason_text_id = :undo_reason_text_id, request_hash = :request_hash
WHERE id = :id
"""
# When people last approved the correction `c`, as the number of that log entry.
APPROVED_AT = (
    "(SELECT MAX(m.entry) FROM moves m WHERE m.correction_id = {c}.id AND m.to_status = 'approved'"
    " AND m.role <> 'system')"
)
CONTESTED = f"""
SELECT old.id AS old, new.id AS new FROM corrections old JOIN corrections new
    ON new.claim_key = old.claim_key AND new.answer_key <> old.answer_key
WHERE old.status IN ('approved', 'editing', 'live', 'in_knowledge')
    AND new.status IN ('approved', 'editing', 'live', 'in_knowledge')
    AND {APPROVED_AT.format(c="new")} > {APPROVED_AT.format(c="old")}
ORDER BY {APPROVED_AT.format(c="new")}
"""
SEARCH_PAGE = 200


class Book:
    """What the ledger reads and writes. Its public methods only read."""

    def __init__(self, store: Store, vault: Vault, log: Log, policy: Policy) -> None:
        self._store = store
        self._vault = vault
        self._log = log
        self._policy = policy
        self._versions = Versions(store, log, vault)
        # The pepper lets equal claims be found without keeping their words where they could be read or guessed.
        self._pepper = vault.derive("corrections/claims")

    def over(self, store: Store) -> Self:
        """The same ledger over another database, with the same key and policy."""
        return type(self)(store, self._vault.over(store), Log(store), self._policy)

    def get(self, correction_id: str) -> Correction:
        """The whole record. Raises NotFound."""
        with self._store.snapshot():
            return self._load(self._row(correction_id))

    def list(
        self,
        status: Status | None = None,
        reporter_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        search: str | None = None,
        sort: Sort = Sort.CREATED,
    ) -> "tuple[list[Correction], str | None]":
        """A page of records in this order, and the cursor of the next one; `search` looks in the claim's texts."""
        place = Place.read(sort, cursor)
        found: list[Correction] = []
        with self._store.snapshot():
            while True:
                rows = self._store.rows(
                    PAGES[sort, status is not None, reporter_id is not None],
                    status=status,
                    reporter=reporter_id,
                    rank=place.rank,
                    at=place.at,
                    id=place.id,
                    limit=SEARCH_PAGE if search else limit + 1,
                )
                for row in rows:
                    if len(found) == limit:
                        return found, place.cursor()
                    place = place.behind(row)
                    claim = self._vault.get_many([row["claim_text_id"]]).values() if search else ()
                    if not search or any(says(text, search) for text in claim):
                        found.append(self._load(row))
                if not search or len(rows) < SEARCH_PAGE:
                    return found, None

    def counts(self, *, reporter_id: str | None = None) -> dict[str, int]:
        """How many corrections, or how many of one reporter's, are in each status, for every status."""
        rows = self._store.rows(
            "SELECT status, COUNT(*) AS n FROM corrections WHERE :reporter IS NULL OR reporter_id = :reporter GROUP BY status",
            reporter=reporter_id,
        )
        counted = {row["status"]: row["n"] for row in rows}
        return {status.value: counted.get(status.value, 0) for status in Status}

    def in_status(self, *statuses: Status, limit: int = -1) -> "tuple[Correction, ...]":
        """All corrections in these statuses, oldest first: what a process has to work on; with a limit, so many of each."""
        with self._store.snapshot():
            rows = [
                row
                for status in statuses
                for row in self._store.rows(
                    "SELECT * FROM corrections WHERE status = :status ORDER BY created, id LIMIT :limit",
                    status=status.value,
                    limit=limit,
                )
            ]
            return tuple(self._load(row) for row in sorted(rows, key=lambda row: (row["created"], row["id"])))

    def cards(self) -> "tuple[Correction, ...]":
        """What cards answer now: approved, editing, in_knowledge, and live edits that the served version lacks and
        nobody has undone; the one that was approved last comes last.

        Changes only with the log, so a caller may keep the result as long as `Log.size()` stays the same.
        """
        with self._store.snapshot():
            rows = self._store.rows(
                f"SELECT *, {APPROVED_AT.format(c='c')} AS approved_at FROM corrections c"
                " WHERE c.status IN ('approved', 'editing', 'in_knowledge')"
                " OR c.status = 'live' AND NOT c.undo_requested AND NOT EXISTS ("
                " SELECT 1 FROM serving s JOIN version_corrections v ON v.version_id = s.served"
                " WHERE v.correction_id = c.id)"
            )
            found = (self._load(row) for row in sorted(rows, key=lambda row: (row["approved_at"] or 0, row["id"])))
            return tuple(correction for correction in found if correction.claim.correct_answer)

    def related(self, correction_id: str, *, question: str = "") -> Related:
        """Other open or effective reports on the same question, in its normal form; also on the one that triage made of it,
        since what has been triaged is found under that."""
        row = self._row(correction_id)
        others = self._store.rows(
            "SELECT id, status, answer_key, duplicate_of, created FROM corrections"
            " WHERE claim_key IN (:key, :canonical) AND id <> :id ORDER BY created, id",
            key=row["claim_key"],
            canonical=self._key(question) if question else row["claim_key"],
            id=correction_id,
        )
        standing = [other for other in others if Status(other["status"]) in OPEN | IN_FORCE]
        # A later one repeats this one, or will once it is triaged.
        repeated = (
            other["id"]
            for other in standing
            if other["answer_key"] == row["answer_key"]
            and other["duplicate_of"] != row["id"]
            and (other["status"] != Status.FLAGGED or (other["created"], other["id"]) < (row["created"], row["id"]))
        )
        return Related(
            conflicts=tuple(other["id"] for other in standing if other["answer_key"] != row["answer_key"]),
            repeats=next(repeated, None),
        )

    def contested(self) -> dict[str, str]:
        """Approved corrections -> the one approved after them that answers the same question otherwise, the newest of them."""
        return {row["old"]: row["new"] for row in self._store.rows(CONTESTED)}

    def forgotten_of(self, reporters: Iterable[str]) -> tuple[str, ...]:
        """The corrections of these reporters, or on what they asked, whose texts have been deleted."""
        rows = self._store.rows(
            "SELECT c.id FROM corrections c LEFT JOIN answers a ON a.id = c.answer_id CROSS JOIN json_each(:ids) one"
            " WHERE c.claim_key IS NULL AND one.value IN (c.reporter_id, a.account_id)",
            ids=json.dumps(list(reporters)),
        )
        return tuple(row["id"] for row in rows)

    def in_weights(self, correction_id: str) -> bool:
        """Is its edit in the weights that are served, or on its way there?"""
        return bool(
            self._store.value(
                "SELECT 1 FROM serving s JOIN version_corrections v ON v.version_id IN (s.desired, s.served)"
                " WHERE v.correction_id = :id",
                id=correction_id,
            )
        )

    def like(self, question: str) -> "tuple[Correction, ...]":
        """Open or effective corrections of the same question, in its normal form; before a report is written."""
        rows = self._store.rows(
            "SELECT * FROM corrections WHERE claim_key = :key ORDER BY created", key=self._key(question)
        )
        return tuple(self._load(row) for row in rows if Status(row["status"]) in OPEN | IN_FORCE)

    def with_unread_evidence(self) -> "tuple[str, ...]":
        """The ids of reports in the queue to which evidence was added that no machine has read yet."""
        rows = self._store.rows(
            "SELECT c.id FROM unread_evidence u JOIN corrections c ON c.id = u.correction_id WHERE c.status = 'queued'"
        )
        return tuple(row["id"] for row in rows)

    def alarms(self, *, unseen: bool = True) -> "tuple[Alarm, ...]":
        """What a person should look at, newest first."""
        rows = self._store.rows(
            "SELECT * FROM alarms WHERE seen IS NULL OR NOT :unseen ORDER BY id DESC", unseen=unseen
        )
        return tuple(
            Alarm(row["id"], from_text(row["at"]), row["kind"], row["correction_id"], row["seen"] is not None)
            for row in rows
        )

    def due_for_review(self) -> "tuple[Correction, ...]":
        """Facts in force whose review date has passed: to be probed and shown again."""
        rows = self._store.rows(
            "SELECT * FROM corrections WHERE status IN ('live', 'in_knowledge') AND review_due < :now"
            " ORDER BY review_due",
            now=to_text(now()),
        )
        return tuple(self._load(row) for row in rows)

    def untold(self) -> "tuple[Correction, ...]":
        """Corrections whose outcome is known and whose reporter has not been told yet."""
        rows = self._store.rows(
            "SELECT * FROM corrections WHERE told IS NULL AND status IN"
            " ('live', 'in_knowledge', 'failed', 'rejected', 'closed', 'rolled_back', 'superseded') ORDER BY updated"
        )
        return tuple(self._load(row) for row in rows)

    # -- the one way to change ------------------------------------------------------------------------------------

    def _move(
        self, row: dict[str, Any], to: Status, actor: Actor, reason: str = "", extra: Mapping[str, Any] | None = None
    ) -> int:
        """Change the status: the table is asked, the row, the move and its log entry are written. Returns the entry."""
        before, to = None if row["status"] == "" else Status(row["status"]), Status(to)
        if before is not None:
            check_move(before, to)
        by, at = stamp(actor), to_text(now())
        reason_id = self._reason(row, reason)
        row["status"], row["told"] = to.value, None
        entry = self._log.append(
            "correction.moved",
            {
                "correction": row["id"],
                "from": before,
                "to": to,
                **logged(actor),
                "reason": self._vault.commitment(reason_id),
                "claim": self._vault.commitment(row["claim_text_id"]),
                **(extra or {}),
            },
        )
        self._save(row)
        self._store.write(
            "INSERT INTO moves (correction_id, ordinal, from_status, to_status, actor_id, actor, role, at,"
            " reason_text_id, entry) SELECT :id, COUNT(*) + 1, :from, :to, :actor_id, :actor, :role, :at, :reason,"
            " :entry FROM moves WHERE correction_id = :id",
            id=row["id"],
            **{"from": before},
            to=to,
            actor_id=by.id,
            actor=by.pseudonym,
            role=by.role,
            at=at,
            reason=reason_id,
            entry=entry,
        )
        return entry

    def _event(self, kind: str, row: dict[str, Any], actor: Actor, **data: Any) -> int:
        """A change that is no move: the row is saved and one entry written."""
        self._save(row)
        return self._log.append(f"correction.{kind}", {"correction": row["id"], **logged(actor), **data})

    def _save(self, row: dict[str, Any]) -> None:
        row["updated"] = to_text(now())
        names = ("created", "schema_version", "channel", "reporter_id", "reporter_pseudonym", "reporter_role")
        fixed = (*names, "answer_id", "weights_version_at_report", "index_generation", "claim_text_id", "work_text_id")
        self._store.write(SAVE, **{name: row[name] for name in row if name not in (*fixed, "idempotency_hash")})

    def _rank(self, *ids: str | None) -> None:
        for correction_id in filter(None, ids):
            self._store.write(PRIORITY, id=correction_id)

    def _row(self, correction_id: str) -> dict[str, Any]:
        row = self._store.row("SELECT * FROM corrections WHERE id = :id", id=correction_id)
        if row is None:
            raise NotFound(f"no correction {correction_id!r}")
        return row

    def _owner(self, row: Mapping[str, Any]) -> str:
        """Whose key seals new texts of this correction: its reporter's; its own once the reporter is erased."""
        return str(row["id"] if self._vault.is_erased(row["reporter_id"]) else row["reporter_id"])

    def _reason(self, row: Mapping[str, Any], reason: str) -> str | None:
        return self._vault.put(self._owner(row), "reason", reason) if reason else None

    def _alarm(self, kind: str, correction_id: str) -> None:
        self._store.write(
            "INSERT INTO alarms (at, kind, correction_id) VALUES (:at, :kind, :id)",
            at=to_text(now()),
            kind=kind,
            id=correction_id,
        )

    def _texts(self, text_id: str) -> dict[str, Any]:
        return sealed_json(self._vault, text_id)

    def _rewrite(self, text_id: str, **changes: Any) -> dict[str, Any]:
        """Change fields of a sealed document. An erased one stays erased: processes go on without it."""
        text = self._vault.get(text_id)
        if text is None:
            return {}
        document: dict[str, Any] = json.loads(text) | changes
        self._vault.replace(text_id, json.dumps(document, ensure_ascii=False))
        return document

    def _key(self, text: str) -> bytes:
        return hmac.digest(self._pepper, normal(text).encode(), hashlib.sha256)

    def _index(self, row: dict[str, Any], document: Mapping[str, Any]) -> None:
        """Set the blind keys by which duplicates, contradictions and bursts are found."""
        claim = Claim.read(document)
        row["claim_key"] = self._key(claim.asked)
        row["answer_key"] = self._key(claim.correct_answer)
        row["subject_key"] = self._key(claim.subject or claim.asked)

    def _load(self, row: Mapping[str, Any]) -> Correction:
        return load(self._store, self._vault, row)


def numbers_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers and verdicts of a report, however deep; no words, which may quote what was said."""
    kept = {name: numbers_of(value) if isinstance(value, Mapping) else value for name, value in report.items()}
    return {name: value for name, value in kept.items() if value is None or isinstance(value, int | float | dict)}
