"""From rows to records: a correction with its sealed texts, approvals and moves."""

import json
from collections.abc import Mapping
from typing import Any

from governance.corrections import Approval, Category, Claim, Correction, Fallback, Move, Remedy, Status
from governance.store import Store
from governance.times import from_text, optional
from governance.vault import Vault

TEXTS_OF_CORRECTIONS = """
SELECT claim_text_id AS text, id FROM corrections UNION ALL SELECT work_text_id, id FROM corrections
UNION ALL SELECT undo_reason_text_id, id FROM corrections WHERE undo_reason_text_id IS NOT NULL
UNION ALL SELECT reason_text_id, correction_id FROM moves WHERE reason_text_id IS NOT NULL
UNION ALL SELECT reason_text_id, correction_id FROM approvals WHERE reason_text_id IS NOT NULL
"""


def sealed_json(vault: Vault, text_id: str) -> dict[str, Any]:
    """A sealed JSON document; empty once erased."""
    return _document(vault.get(text_id))


def says(document: str, search: str) -> bool:
    """Whether a text of a sealed document holds what is searched; its names and escapes do not count."""
    texts = (one for value in json.loads(document).values() for one in ([value] if isinstance(value, str) else value))
    return any(search.casefold() in one.casefold() for one in texts)


def _document(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


def load(store: Store, vault: Vault, row: Mapping[str, Any]) -> Correction:
    """The whole record of a row: its texts out of the vault, its approvals and moves. What cannot be opened is empty."""
    answer = store.row("SELECT route, reason_text_id FROM answers WHERE id = :id", id=row["answer_id"]) or {}
    texts = vault.get_many((row["claim_text_id"], row["work_text_id"], answer.get("reason_text_id")))
    claim, work = _document(texts.get(row["claim_text_id"])), _document(texts.get(row["work_text_id"]))
    return Correction(
        id=row["id"],
        created=from_text(row["created"]),
        updated=from_text(row["updated"]),
        channel=row["channel"],
        status=Status(row["status"]),
        reporter_id=row["reporter_id"],
        reporter_pseudonym=row["reporter_pseudonym"],
        reporter_role=row["reporter_role"],
        answer_id=row["answer_id"],
        route=answer.get("route", ""),
        route_reason=texts.get(answer.get("reason_text_id", ""), ""),
        claim=Claim.read(claim),
        category=Category(row["category"]),
        comment=claim.get("comment", ""),
        evidence=tuple(claim.get("evidence", ())),
        remedy=Remedy(row["remedy"]) if row["remedy"] else None,
        reason=work.get("reason", ""),
        volatile=None if row["volatile"] is None else bool(row["volatile"]),
        personal_data=bool(row["personal_data"]),
        triage=work.get("triage", {}),
        approvals=_approvals(store, vault, row),
        round=row["round"],
        approvals_needed=row["approvals_needed"],
        authors=tuple(
            author["actor_id"]
            for author in store.rows("SELECT actor_id FROM claim_authors WHERE correction_id = :id", id=row["id"])
        ),
        risk_tier=row["risk_tier"],
        fallback=Fallback(row["fallback"]),
        priority=row["priority"],
        due=from_text(row["due"]),
        attempts=row["attempts"],
        probe_failures=row["probe_failures"],
        crashes=row["crashes"],
        appeals=row["appeals"],
        undo_requested=bool(row["undo_requested"]),
        report=work.get("report", {}),
        report_sha256=row["report_sha256"],
        paraphrases=tuple(work.get("paraphrases", ())),
        probes=tuple(work.get("probes", ())),
        neighbours=tuple(work.get("neighbours", ())),
        artefact=row["artefact"],
        edit=json.loads(row["edit"]),
        weights_version_at_report=row["weights_version_at_report"],
        index_generation=row["index_generation"],
        weights_version_before=row["weights_version_before"],
        weights_version_after=row["weights_version_after"],
        swap_pause_s=row["swap_pause_s"],
        live_since=optional(row["live_since"]),
        review_due=optional(row["review_due"]),
        duplicate_of=row["duplicate_of"],
        superseded_by=row["superseded_by"],
        conflicts=tuple(json.loads(row["conflicts"])),
        told=optional(row["told"]),
        erased=not claim,
        claim_commitment=vault.commitment(row["claim_text_id"]),
        moves=_moves(store, vault, row["id"]),
        review=work.get("review", {}),
        schema_version=row["schema_version"],
    )


def _approvals(store: Store, vault: Vault, row: Mapping[str, Any]) -> tuple[Approval, ...]:
    rows = store.rows(
        "SELECT * FROM approvals WHERE correction_id = :id AND round = :round ORDER BY at",
        id=row["id"],
        round=row["round"],
    )
    reasons = vault.get_many(found["reason_text_id"] for found in rows)
    return tuple(
        Approval(
            found["actor_id"],
            found["actor"],
            found["role"],
            from_text(found["at"]),
            reasons.get(found["reason_text_id"], ""),
        )
        for found in rows
    )


def _moves(store: Store, vault: Vault, correction_id: str) -> tuple[Move, ...]:
    rows = store.rows("SELECT * FROM moves WHERE correction_id = :id ORDER BY ordinal", id=correction_id)
    reasons = vault.get_many(row["reason_text_id"] for row in rows)
    return tuple(
        Move(
            None if row["from_status"] is None else Status(row["from_status"]),
            Status(row["to_status"]),
            row["actor_id"],
            row["actor"],
            row["role"],
            from_text(row["at"]),
            reasons.get(row["reason_text_id"], ""),
            row["entry"],
        )
        for row in rows
    )
