"""What wants a person's attention: alarms, and facts in force whose review date has passed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from server.auth import Reader, Reviewer, ServicesOf
from server.corrections_json import correction_json

router = APIRouter(prefix="/v1", tags=["attention"])


@router.get("/alarms")
def alarms(services: ServicesOf, _: Reader, seen: Annotated[bool, Query()] = False) -> dict[str, Any]:
    """Bursts on one subject, approvals within seconds, facts to look at again; with `seen` also those settled."""
    found = services.records.ledger.alarms(unseen=not seen)
    return {
        "data": [
            {
                "id": alarm.id,
                "at": alarm.at.isoformat(),
                "kind": alarm.kind,
                "correction_id": alarm.correction_id,
                "seen": alarm.seen,
            }
            for alarm in found
        ]
    }


@router.post("/alarms/{alarm_id}/seen")
def see(alarm_id: Annotated[int, Path(ge=1, le=2**62)], services: ServicesOf, account: Reviewer) -> dict[str, Any]:
    """A person has looked at it."""
    services.records.ledger.see_alarm(alarm_id, account)
    return {"id": alarm_id, "seen": True}


@router.get("/corrections/due-for-review")
def due(services: ServicesOf, account: Reader) -> dict[str, Any]:
    """Facts in force whose review date has passed, the oldest date first, with what the probe found."""
    found = services.records.ledger.due_for_review()
    return {"data": [correction_json(services, one, viewer=account, whole=True) for one in found]}


@router.post("/corrections/{correction_id}/reviewed")
def reviewed(correction_id: str, services: ServicesOf, account: Reviewer) -> dict[str, Any]:
    """A person has looked at the fact and it stands: its next review date is set. One that does not is rolled back."""
    ledger = services.records.ledger
    ledger.reviewed(correction_id, account)
    return correction_json(services, ledger.get(correction_id), viewer=account, whole=True)
