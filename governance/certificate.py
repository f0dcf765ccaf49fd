"""The certificate of an erasure: who decided what and why, what was done, and what remains. It names nobody."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from governance.accounts import Account
from governance.requests import ErasureRequest
from governance.times import now, to_text


def certify(
    request: ErasureRequest, *, closed_by: Account, told: bool, backups: int, backups_until: datetime | None
) -> dict[str, Any]:
    """What the person and the auditor are given, as plain data. `backups` were made before and may hold copies."""
    remains = [outcome.remains for outcome in request.outcomes if outcome.remains]
    if backups or backups_until is not None:
        until = f"until {backups_until:%Y-%m-%d}" if backups_until else "until they are deleted, on a date not set yet"
        remains.append(f"copies in {backups or 'earlier'} backups made before, {until}; a restore erases them again")
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
