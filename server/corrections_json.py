"""A correction as JSON: what its reporter sees, and what those who decide see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from governance.accounts import Account
from governance.book import numbers_of
from governance.corrections import WORDINGS, Correction, Move
from governance.errors import Forbidden
from server.edits import generated
from server.services import Services


def correction_json(
    services: Services, correction: Correction, *, viewer: Account, whole: bool = False
) -> dict[str, Any]:
    """The record. Its reporter and those who review see the texts; an auditor sees who did what when, and the figures."""
    sees_texts = viewer.id == correction.reporter_id or viewer.role.may_review
    found = dict if sees_texts else numbers_of

    def words(reason: str) -> str:
        return reason if sees_texts else ""

    claim = correction.claim
    record: dict[str, Any] = {
        "id": correction.id,
        "created": correction.created.isoformat(),
        "status": str(correction.status),
        "remedy": str(correction.remedy) if correction.remedy else None,
        "reason": words(correction.reason),
        "category": str(correction.category),
        "answer_id": correction.answer_id,
        "risk_tier": correction.risk_tier,
        "priority": correction.priority,
        "due": correction.due.isoformat() if correction.due else None,
        "round": correction.round,
        "approvals_needed": correction.approvals_needed,
        "approvals": [
            {"actor": a.actor, "role": a.role, "at": a.at.isoformat(), "reason": words(a.reason)}
            for a in correction.approvals
        ],
        "undo_requested": correction.undo_requested,
        "last_move": _move(correction.moves[-1], words) if correction.moves else None,
        "mine": viewer.id == correction.reporter_id,
    }
    if sees_texts:
        record |= {
            "question": claim.question,
            "canonical_question": claim.canonical_question,
            "subject": claim.subject,
            "answer": claim.answer_old,
            "correct_answer": claim.correct_answer,
            "evidence": list(correction.evidence),
            "comment": correction.comment,
        }
    if whole:
        record |= {
            "channel": correction.channel,
            "router": {"route": correction.route, "reason": words(correction.route_reason)},
            "triage": found(correction.triage),
            "conflicts": list(correction.conflicts),
            "duplicate_of": correction.duplicate_of,
            "superseded_by": correction.superseded_by,
            "fallback": correction.fallback,
            "attempts": correction.attempts,
            "artefact": correction.artefact,
            "edit": dict(correction.edit),
            "report": found(correction.report),
            "weights_version_before": correction.weights_version_before,
            "weights_version_after": correction.weights_version_after,
            "review_due": correction.review_due.isoformat() if correction.review_due else None,
            "review": found(correction.review),
            "approval_barred": _approval_barred(services, correction, viewer),
            "history": [_move(move, words) for move in correction.moves],
        }
        if sees_texts:
            record |= {name: list(getattr(correction, name)) for name in WORDINGS}
            record["generated"] = generated(correction)
    return record


def _approval_barred(services: Services, correction: Correction, viewer: Account) -> str | None:
    """Why the viewer may not approve it, whatever its status; None if nothing stands against it."""
    try:
        services.records.policy.check_approval(correction, viewer)
    except Forbidden as error:
        return str(error)
    return None


def _move(move: Move, words: Callable[[str], str]) -> dict[str, Any]:
    return {
        "from": move.from_status,
        "to": move.to_status,
        "actor": move.actor,
        "role": move.role,
        "at": move.at.isoformat(),
        "reason": words(move.reason),
    }
