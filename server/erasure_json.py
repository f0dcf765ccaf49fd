"""An erasure request as JSON: what the person sees, what those who read see, and what an admin needs to decide."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from governance.accounts import Account
from governance.requests import ErasureRequest, Place, Step, acts_after
from governance.times import now
from server.erasing import Erasing


def request_json(erasing: Erasing, request: ErasureRequest, *, viewer: Account, whole: bool = True) -> dict[str, Any]:
    """Names and the reason of a refusal are shown to the person and to admins; where the person occurs, how they were
    identified and what was decided why, to admins alone, and not in a list."""
    mine = request.account_id == viewer.id
    underway = erasing.underway(request.id)
    record: dict[str, Any] = {
        "id": request.id,
        "created": request.created.isoformat(),
        "due": request.due.isoformat(),
        "overdue": now() > request.due and request.status not in (Step.CLOSED, Step.REFUSED),
        "law": str(request.law),
        "kind": str(request.kind),
        "status": str(request.status),
        "next": acts_after(request.status),
        "account": request.account_id,
        "filed_by": request.filed_by,
        "mine": mine,
        "counts": {
            place.value: sum(occurrence.place is place for occurrence in request.occurrences) for place in Place
        },
        "model_before": dict(request.model_before),
        "choices": [
            {"method": str(choice.method), "count": len(choice.refs), "why": choice.why} for choice in request.choices
        ],
        "outcomes": [
            {"method": str(outcome.method), "done": outcome.done, "remains": outcome.remains}
            for outcome in request.outcomes
        ],
        "residual": dict(request.residual),
        "running": underway and {"since": underway.since.isoformat(), "error": underway.error},
        "certificate": bool(request.certificate),
        "told": request.told.isoformat() if request.told else None,
        "steps": [
            {
                "from": step.from_step,
                "to": step.to_step,
                "actor": step.actor,
                "role": step.role,
                "at": step.at.isoformat(),
                "note": dict(step.note),
                "entry": step.entry,
            }
            for step in request.steps
        ],
    }
    if mine or viewer.role.may_administer:
        record |= {
            "names": list(request.subject.names),
            "identifiers": list(request.subject.identifiers),
            "statement": request.statement,
            "refusal": request.refusal,
            "login": erasing.login_of(request),
        }
    if whole and viewer.role.may_administer:
        record |= {
            "occurrences": [
                {
                    "place": str(one.place),
                    "ref": one.ref,
                    "about": erasing.about(one, request),
                    "within_a_word": one.within_a_word,
                }
                for one in request.occurrences
            ],
            "probes": asdict(request.probes) if request.probes else {},
            "right_answers": dict(request.right_answers),
            "identity": request.identity,
            "decision": asdict(request.decision),
        }
        for shown, choice in zip(record["choices"], request.choices, strict=True):
            shown["refs"] = list(choice.refs)
    return record
