"""A correction as JSON: what its reporter sees, and what those who decide see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.accounts import Account
from governance.corrections import WORDINGS, Correction
from server.edits import generated
from server.services import Services

# What triage, gate and review quote of the question, its subject and the replies.
TEXTS = frozenset({"subject_candidates", "contradicted_by", "reply", "answered"})


def correction_json(
    services: Services, correction: Correction, *, viewer: Account, whole: bool = False
) -> dict[str, Any]:
    """The record. Its reporter and those who review see the texts; an auditor sees figures and reasons without them."""
    sees_texts = viewer.id == correction.reporter_id or viewer.role.may_review
    claim = correction.claim
    record: dict[str, Any] = {
        "id": correction.id,
        "created": correction.created.isoformat(),
        "status": str(correction.status),
        "remedy": str(correction.remedy) if correction.remedy else None,
        "reason": correction.reason,
        "category": str(correction.category),
        "answer_id": correction.answer_id,
        "risk_tier": correction.risk_tier,
        "priority": correction.priority,
        "due": correction.due.isoformat() if correction.due else None,
        "approvals_needed": correction.approvals_needed,
        "approvals": [
            {"actor": a.actor, "role": a.role, "at": a.at.isoformat(), "reason": a.reason} for a in correction.approvals
        ],
        "undo_requested": correction.undo_requested,
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
            "triage": dict(correction.triage) if sees_texts else _without_texts(correction.triage),
            "conflicts": list(correction.conflicts),
            "duplicate_of": correction.duplicate_of,
            "superseded_by": correction.superseded_by,
            "fallback": correction.fallback,
            "attempts": correction.attempts,
            "artefact": correction.artefact,
            "report": dict(correction.report) if sees_texts else _without_texts(correction.report),
            "weights_version_before": correction.weights_version_before,
            "weights_version_after": correction.weights_version_after,
            "review_due": correction.review_due.isoformat() if correction.review_due else None,
            "review": dict(correction.review) if sees_texts else _without_texts(correction.review),
            "history": [
                {
                    "from": m.from_status,
                    "to": m.to_status,
                    "actor": m.actor,
                    "role": m.role,
                    "at": m.at.isoformat(),
                    "reason": m.reason,
                }
                for m in correction.moves
            ],
        }
        if sees_texts:
            record |= {name: list(getattr(correction, name)) for name in WORDINGS}
            record["generated"] = generated(correction)
    return record


def _without_texts(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in TEXTS}
