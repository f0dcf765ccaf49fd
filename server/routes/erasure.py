"""Requests for erasure and rectification over HTTP: file one, and take it through its six steps to the certificate."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, model_validator

from governance.accounts import Account
from governance.claims import check_texts, normal
from governance.requests import ErasureRequest, Kind, Law, Questions, Step, Subject
from governance.residual import Probes
from server.auth import READERS, Admin, Reporter, ServicesOf, Signed
from server.body import Body, as_list, in_lower_case
from server.erasing import Erasing
from server.erasure_json import request_json
from server.errors import Missing, NotAllowed

router = APIRouter(prefix="/v1/erasure-requests", tags=["erasure"])

MAX_TEXTS, MAX_TEXT = 50, 400
Texts = Annotated[list[Annotated[str, Field(max_length=MAX_TEXT)]], Field(max_length=MAX_TEXTS)]
OneOrMore = Annotated[Texts, BeforeValidator(as_list)]


def erasing_of(request: Request) -> Erasing:
    erasing: Erasing = request.app.state.erasing
    return erasing


ErasingOf = Annotated[Erasing, Depends(erasing_of)]


class Strict(Body):
    """For steps in which a misspelt field would be one thing more that is erased, or one less that is looked for."""

    model_config = ConfigDict(extra="forbid")


class NewRequest(Body):
    """Who is to be erased, or what put right. Nothing at all: oneself."""

    model_config = ConfigDict(extra="allow")

    subject: str = Field("", max_length=200)  # one name, short for `names`; so is `name`
    name: OneOrMore = Field(default_factory=list)
    names: OneOrMore = Field(default_factory=list)
    email: OneOrMore = Field(default_factory=list)  # short for `identifiers`
    identifiers: OneOrMore = Field(default_factory=list)
    account: str | None = Field(None, max_length=100)  # by login name
    kind: Annotated[Kind, BeforeValidator(in_lower_case)] = Kind.ERASURE
    law: Annotated[Law, BeforeValidator(in_lower_case)] = Law.GDPR
    statement: str = Field("", max_length=4_000)
    reason: str = Field("", max_length=4_000)  # goes with the statement

    @property
    def all_names(self) -> list[str]:
        return [name for name in (self.subject, *self.name, *self.names) if name]

    @property
    def all_identifiers(self) -> list[str]:
        return [*self.identifiers, *self.email]

    @model_validator(mode="after")
    def _somebody_named_or_nothing_unread(self) -> NewRequest:
        """What nobody reads may be what names the person, and without it the request would be one's own."""
        if self.model_extra and not (self.all_names or self.all_identifiers or self.account):
            raise ValueError(
                f"{next(iter(self.model_extra))!r} is not read, and nobody is named: give subject, names, identifiers "
                "or account, or leave everything out to file for yourself"
            )
        return self


class Identity(Body):
    """By what it is known that the person asks. What is left out is on record as not stated."""

    how: str = Field("not stated", max_length=4_000, validation_alias=AliasChoices("how", "reason"))


class Search(Strict):
    """Probes beside the usual ones."""

    direct: Texts = Field(default_factory=list)
    paraphrased: Texts = Field(default_factory=list)
    peripheral: Texts = Field(default_factory=list)
    neighbours: Texts = Field(default_factory=list)
    secrets: Texts = Field(default_factory=list)


class Decision(Strict):
    """The three questions, the reasons, and what stays."""

    correct: bool = False
    many: bool = False
    certainty: Literal["reasonable", "highest"] = "reasonable"
    reason: str = Field(max_length=4_000)
    exceptions: str = Field("", max_length=4_000)
    keep: list[str] = Field(default_factory=list, max_length=100_000)
    right_answers: dict[str, str] = Field(default_factory=dict, max_length=50)


class Reason(Body):
    reason: str = Field("", max_length=4_000)


class Refusal(Body):
    reason: str = Field(max_length=4_000)
    ground: str = Field(max_length=80)


class Closing(Strict):
    told: bool
    backups_until: date | None = None


@router.post("", status_code=201)
def file(body: NewRequest, services: ServicesOf, erasing: ErasingOf, account: Reporter) -> dict[str, Any]:
    """File a request: for oneself, or as an admin for somebody without an account."""
    about: str | None = None
    if account.role.may_administer:
        about = services.accounts.named(body.account).id if body.account else None
        if about is None and not body.all_names and not body.all_identifiers:
            about = account.id
    else:
        _check_own(body, account)
        about = account.id
    filed = erasing.requests.file(
        account,
        subject=Subject(tuple(body.all_names), tuple(body.all_identifiers), about),
        kind=body.kind,
        law=body.law,
        statement="\n".join(said for said in (body.statement, body.reason) if said),
    )
    return request_json(erasing, filed, viewer=account)


def _check_own(body: NewRequest, account: Account) -> None:
    """Raises NotAllowed for a request about somebody else. `names` are only what oneself is looked for by."""
    if body.account not in (None, account.name):
        raise NotAllowed("You may file for yourself; for somebody else, ask an admin.", param="account")
    if body.subject and normal(body.subject) != normal(account.name):
        raise NotAllowed(
            f"You may file for yourself, and {body.subject!r} is not what your account is called: put names of your own "
            "into names instead; for somebody else, ask an admin.",
            param="subject",
        )


@router.get("")
def listing(erasing: ErasingOf, account: Signed) -> dict[str, Any]:
    """Requests, the most urgent first; a user sees the own ones."""
    found = erasing.requests.list(account_id=None if account.role in READERS else account.id)
    return {"data": [request_json(erasing, request, viewer=account, whole=False) for request in found]}


@router.get("/{request_id}")
def show(request_id: str, erasing: ErasingOf, account: Signed) -> dict[str, Any]:
    return request_json(erasing, visible(erasing, account, request_id), viewer=account)


@router.get("/{request_id}/certificate")
def certificate(request_id: str, erasing: ErasingOf, account: Signed) -> JSONResponse:
    """Who decided what and why, what was done, and what remains. It names nobody. There once the request is closed."""
    found = visible(erasing, account, request_id)
    if not found.certificate:
        raise Missing(f"Request {request_id!r} has no certificate: it is {found.status.value}.")
    name = f'attachment; filename="certificate-{found.id}.json"'
    return JSONResponse(dict(found.certificate), headers={"Content-Disposition": name})


@router.post("/{request_id}/verify-identity")
def verify_identity(
    request_id: str, erasing: ErasingOf, account: Admin, body: Identity | None = None
) -> dict[str, Any]:
    """The request comes from the person, or from who may act for them; `how` says by what this is known."""
    how = (body or Identity()).how
    return request_json(erasing, erasing.requests.verify_identity(request_id, account, how=how), viewer=account)


@router.post("/{request_id}/find")
async def find(request_id: str, erasing: ErasingOf, account: Admin, body: Search | None = None) -> dict[str, Any]:
    """Look for the person everywhere and ask the model about them."""
    given = (body or Search()).model_dump().items()
    more: dict[str, Any] = {name: check_texts(name, texts, longest=MAX_TEXT, most=MAX_TEXTS) for name, texts in given}
    return await _shown(erasing, await erasing.find(request_id, account, more=Probes(**more)), account)


@router.post("/{request_id}/decide")
def decide(request_id: str, body: Decision, erasing: ErasingOf, account: Admin) -> dict[str, Any]:
    """Answer the three questions; the methods follow from them."""
    decided = erasing.requests.decide(
        request_id,
        account,
        questions=Questions(body.correct, body.many, body.certainty),
        reason=body.reason,
        exceptions=body.exceptions,
        keep=body.keep,
        right_answers=body.right_answers,
    )
    return request_json(erasing, decided, viewer=account)


@router.post("/{request_id}/approve")
async def approve(request_id: str, erasing: ErasingOf, account: Admin, body: Reason | None = None) -> dict[str, Any]:
    """Approve the decision. Before anybody has searched and decided, both are done in the usual way first."""
    approved = await erasing.approve(request_id, account, reason=(body or Reason()).reason)
    return await _shown(erasing, approved, account)


@router.post("/{request_id}/execute")
async def execute(request_id: str, erasing: ErasingOf, account: Admin) -> JSONResponse:
    """Carry it out and probe again: 200 once verified, 202 while it goes on in the background."""
    request = await erasing.execute(request_id, account)
    return JSONResponse(
        await _shown(erasing, request, account), status_code=200 if request.status is Step.VERIFIED else 202
    )


@router.post("/{request_id}/refuse")
def refuse(request_id: str, body: Refusal, erasing: ErasingOf, account: Admin) -> dict[str, Any]:
    """Say no, with the legal ground (a short code such as gdpr-17-3-e) and the reason given to the person."""
    refused = erasing.requests.refuse(request_id, account, reason=body.reason, ground=body.ground)
    return request_json(erasing, refused, viewer=account)


@router.post("/{request_id}/close")
def close(request_id: str, body: Closing, erasing: ErasingOf, account: Admin) -> dict[str, Any]:
    """Write the certificate and destroy the request's own key."""
    until = datetime.combine(body.backups_until, time(), UTC) if body.backups_until else None
    closed = erasing.requests.close(request_id, account, told=body.told, backups_until=until)
    return request_json(erasing, closed, viewer=account)


def visible(erasing: Erasing, account: Account, request_id: str) -> ErasureRequest:
    """The request, if this account may see it. Raises Missing (404) for another person's, as for none."""
    found = erasing.requests.get(request_id)
    if found.account_id != account.id and account.role not in READERS:
        raise Missing(f"no erasure request {request_id!r}")
    return found


async def _shown(erasing: Erasing, request: ErasureRequest, account: Account) -> dict[str, Any]:
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(request_json, erasing, request, viewer=account)
