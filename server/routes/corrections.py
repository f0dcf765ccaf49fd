"""Corrections over HTTP: report, read, revise, and every move a person may ask for."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BeforeValidator, ConfigDict, Field

from governance.accounts import Account
from governance.corrections import Category, Correction, Fallback, Remedy, Status
from governance.listing import Sort
from server.assessment import assess
from server.auth import READERS, Admin, Reporter, Reviewer, ServicesOf, Signed
from server.body import Body, Parameters, as_list
from server.corrections_json import correction_json
from server.errors import BadRequest, Missing, NotAllowed
from server.routes.versions import check_weights_are_ours
from server.services import Services

router = APIRouter(prefix="/v1/corrections", tags=["corrections"])

MAX_TEXT = 20_000  # the ledger has the real limits; this only keeps absurd bodies away from it
MOST_ON_A_PAGE = 200

Sources = Annotated[list[str], BeforeValidator(as_list), Field(max_length=20)]

Round = Annotated[
    int | None, Field(ge=1, description="The `round` that was read; 409 if words, remedy or evidence changed since.")
]


class Report(Body):
    """A wrong answer and the right one."""

    model_config = ConfigDict(extra="forbid")

    answer_id: str | None = None
    question: str | None = Field(None, max_length=MAX_TEXT)
    answer: str | None = Field(None, max_length=MAX_TEXT)
    correct_answer: str = Field(max_length=MAX_TEXT)
    evidence: Sources = Field(default_factory=list)
    category: Category = Category.WRONG
    comment: str = Field("", max_length=MAX_TEXT)
    subject: str = Field("", max_length=MAX_TEXT)
    valid_from: str = Field("", max_length=40)
    valid_until: str = Field("", max_length=40)
    language: str = Field("", max_length=40)


class Revision(Body):
    """What a reviewer may put right before approval."""

    model_config = ConfigDict(extra="forbid")

    canonical_question: str | None = None
    subject: str | None = None
    correct_answer: str | None = None
    paraphrases: list[str] | None = Field(None, max_length=20)
    probes: list[str] | None = Field(None, max_length=20)
    neighbours: list[str] | None = Field(None, max_length=20)
    round: Round = None


class Reason(Body):
    reason: str = Field("", max_length=2_000)


def _reason_of(body: Reason | None = None) -> str:
    return (body or Reason()).reason


Why = Annotated[str, Depends(_reason_of)]  # from a body that may be left out


class Approval(Reason):
    fallback: Fallback = Fallback.KNOWLEDGE
    round: Round = None


class Reroute(Reason):
    remedy: Remedy
    round: Round = None


class Evidence(Reason):
    evidence: Sources = Field(default_factory=list)


class Wanted(Parameters):
    """Which corrections, and in what order."""

    status: Status | None = None
    mine: bool = False
    search: str | None = Field(None, max_length=200)
    sort: Sort = Sort.CREATED
    limit: int = Field(50, ge=1, description=f"How many; {MOST_ON_A_PAGE} at most.")
    cursor: str | None = None


@router.post("", status_code=201)
def report(
    body: Report,
    services: ServicesOf,
    account: Reporter,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> dict[str, Any]:
    """Flag a wrong answer: one's own, or any for those who review. With both, `question` is the reporter's wording of
    what the answer was asked. The same Idempotency-Key gives the same correction again."""
    if not body.answer_id and (not body.question or body.answer is None):
        raise BadRequest(
            "A report needs an answer_id, or a question and the answer that was given to it.", param="answer_id"
        )
    flagged = services.records.ledger.flag(
        account,
        question=body.question or "",
        answer=body.answer or "",
        correct_answer=body.correct_answer,
        answer_id=body.answer_id or None,
        evidence=tuple(body.evidence),
        category=body.category,
        comment=body.comment,
        subject=body.subject,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        language=body.language,
        idempotency_key=idempotency_key,
    )
    return correction_json(services, flagged, viewer=account)


@router.get("")
def listing(services: ServicesOf, account: Signed, wanted: Annotated[Wanted, Query()]) -> dict[str, Any]:
    """Corrections, newest first or in the order of `sort`; a user sees the own ones."""
    reporter = account.id if wanted.mine or account.role not in READERS else None
    if wanted.search and reporter is None and not account.role.may_review:
        raise NotAllowed("Only those who review search what was reported: an auditor reads no texts.")
    found, next_cursor = services.records.ledger.list(
        status=wanted.status,
        reporter_id=reporter,
        search=wanted.search,
        sort=wanted.sort,
        limit=min(wanted.limit, MOST_ON_A_PAGE),
        cursor=wanted.cursor,
    )
    return {
        "data": [correction_json(services, correction, viewer=account) for correction in found],
        "next_cursor": next_cursor,
    }


@router.get("/counts")
def counts(services: ServicesOf, account: Signed, mine: bool = False) -> dict[str, int]:
    """How many corrections stand in each status; a user counts the own ones."""
    reporter = account.id if mine or account.role not in READERS else None
    return services.records.ledger.counts(reporter_id=reporter)


@router.get("/similar")
def similar(services: ServicesOf, _: Reporter, question: Annotated[str, Query(max_length=2_000)]) -> dict[str, Any]:
    """Open or live corrections about the same question, so that a report need not be written twice. Texts of others stay out."""
    found = services.records.ledger.like(question)
    return {"data": [{"id": c.id, "status": str(c.status), "question": question} for c in found]}


@router.get("/{correction_id}")
def show(correction_id: str, services: ServicesOf, account: Signed) -> dict[str, Any]:
    """The whole record."""
    return correction_json(services, visible(services, account, correction_id), viewer=account, whole=True)


@router.patch("/{correction_id}")
def revise(correction_id: str, body: Revision, services: ServicesOf, account: Reviewer) -> dict[str, Any]:
    """Edit what will be corrected, before approval."""
    revised = services.records.ledger.revise(
        correction_id,
        account,
        **body.model_dump(exclude_none=True, exclude={"round"}),
        judge=lambda new: _bars(services, new),
        read_round=body.round,
    )
    return correction_json(services, revised, viewer=account, whole=True)


@router.post("/{correction_id}/approve")
def approve(correction_id: str, services: ServicesOf, account: Admin, body: Approval | None = None) -> dict[str, Any]:
    body = body or Approval()
    approved = services.records.ledger.approve(
        correction_id, account, reason=body.reason, fallback=body.fallback, read_round=body.round
    )
    return _moved(services, account, approved)


@router.post("/{correction_id}/reject")
def reject(correction_id: str, services: ServicesOf, account: Reviewer, reason: Why) -> dict[str, Any]:
    return _moved(services, account, services.records.ledger.reject(correction_id, account, reason=reason))


@router.post("/{correction_id}/reroute")
def reroute(correction_id: str, body: Reroute, services: ServicesOf, account: Reviewer) -> dict[str, Any]:
    if body.remedy is Remedy.WEIGHTS:
        check_weights_are_ours(services)
    moved = services.records.ledger.reroute(
        correction_id, account, remedy=body.remedy, reason=body.reason, read_round=body.round
    )
    return _moved(services, account, moved)


@router.post("/{correction_id}/requeue")
def requeue(correction_id: str, services: ServicesOf, account: Admin, reason: Why) -> dict[str, Any]:
    """Take an approved or failed correction back to the queue; it needs new approvals."""
    return _moved(services, account, services.records.ledger.requeue(correction_id, account, reason=reason))


@router.post("/{correction_id}/ask-evidence")
def ask_evidence(correction_id: str, services: ServicesOf, account: Reviewer, reason: Why) -> dict[str, Any]:
    return _moved(services, account, services.records.ledger.ask_evidence(correction_id, account, reason=reason))


@router.post("/{correction_id}/evidence")
def evidence(correction_id: str, body: Evidence, services: ServicesOf, account: Reporter) -> dict[str, Any]:
    visible(services, account, correction_id)
    moved = services.records.ledger.add_evidence(
        correction_id, account, evidence=tuple(body.evidence), reason=body.reason
    )
    return _moved(services, account, moved)


@router.post("/{correction_id}/withdraw")
def withdraw(correction_id: str, services: ServicesOf, account: Reporter, reason: Why) -> dict[str, Any]:
    visible(services, account, correction_id)
    return _moved(services, account, services.records.ledger.withdraw(correction_id, account, reason=reason))


@router.post("/{correction_id}/appeal")
def appeal(correction_id: str, services: ServicesOf, account: Reporter, reason: Why) -> dict[str, Any]:
    visible(services, account, correction_id)
    return _moved(services, account, services.records.ledger.appeal(correction_id, account, reason=reason))


@router.post("/{correction_id}/rollback", status_code=202)
def rollback(correction_id: str, services: ServicesOf, account: Admin, reason: Why) -> dict[str, Any]:
    """Undo a correction. For one in the weights the status changes once the served set lacks it."""
    return _moved(services, account, services.records.ledger.request_rollback(correction_id, account, reason=reason))


@router.post("/{correction_id}/preview")
async def preview(correction_id: str, services: ServicesOf, _: Reviewer, body: Reason | None = None) -> dict[str, Any]:
    """Solve in a sandbox and compare replies before and after; nothing that is served changes. Takes a minute or two."""
    await asyncio.to_thread(services.records.ledger.get, correction_id)
    check_weights_are_ours(services)
    return await services.previews.ask(correction_id)


def visible(services: Services, account: Account, correction_id: str) -> Correction:
    """The correction, if this account may see it. Raises Missing (404) for another person's, as for none."""
    found = services.records.ledger.get(correction_id)
    if found.reporter_id != account.id and account.role not in READERS:
        raise Missing(f"No correction {correction_id!r}.")
    return found


def _bars(services: Services, correction: Correction) -> tuple[bool, bool | None]:
    found = assess(services, correction, question=correction.claim.canonical_question)
    return bool(found.personal), found.volatile


def _moved(services: Services, account: Account, correction: Correction) -> dict[str, Any]:
    return correction_json(services, correction, viewer=account, whole=True)
