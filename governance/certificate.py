"""The certificate of an erasure: who decided what and why, what was done, and what remains. It names nobody."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from governance.accounts import Account
from governance.requests import ErasureRequest
from governance.store import Store
from governance.times import now, to_text


def copies_made(store: Store) -> tuple[int, int]:
    """How many backups were made so far, and how many exports that hold texts or a model."""
    row = store.row(
        "SELECT COALESCE(SUM(kind = 'backup.made'), 0) AS backups, COALESCE(SUM(kind = 'export.made'), 0) AS exports"
        " FROM (SELECT json_extract(entry, '$.kind') AS kind FROM audit_entries WHERE kind = 'backup.made'"
        " OR kind = 'export.made' AND (json_extract(entry, '$.texts') OR json_extract(entry, '$.what') = 'model'))"
    )
    return (row["backups"], row["exports"]) if row else (0, 0)


def certify(
    request: ErasureRequest,
    *,
    closed_by: Account,
    told: bool,
    backups: int,
    backups_until: datetime | None,
    exports: int,
) -> dict[str, Any]:
    """What the person and the auditor are given, as plain data. `backups` and `exports` (those of texts and of models)
    were made before and may hold copies."""
    remains = [outcome.remains for outcome in request.outcomes if outcome.remains]
    if backups or backups_until is not None:
        until = f"until {backups_until:%Y-%m-%d}" if backups_until else "until they are deleted, on a date not set yet"
        remains.append(f"copies in {backups or 'earlier'} backups made before, {until}; a restore erases them again")
    if exports:
        remains.append(
            f"copies in {exports} exports made before, wherever they were taken; a restore does not reach them"
        )
    return {
        "request": request.id,
        "law": request.law.value,
        "kind": request.kind.value,
        "received": to_text(request.created),
        "due": to_text(request.due),
        "closed": to_text(now()),
        "in_time": now() <= request.due,
        "steps": [
            {
                "to": step.to_step.value,
                "actor": step.actor,
                "role": step.role,
                "at": to_text(step.at),
                "entry": step.entry,
            }
            for step in request.steps
        ],
        "methods": [
            {"method": choice.method.value, "count": len(choice.refs), "why": choice.why} for choice in request.choices
        ],
        "outcomes": [asdict(outcome) for outcome in request.outcomes],
        "model_before": dict(request.model_before),
        "residual_risk": dict(request.residual),
        "remains": remains,
        "closed_by": closed_by.pseudonym,
        "subject_told": told,
    }
