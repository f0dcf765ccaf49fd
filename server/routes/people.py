"""Accounts, for admins: add, list, disable, reset. Auditors may read the list."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from governance.accounts import Role
from server.auth import Admin, Auditor, ServicesOf
from server.body import Body
from server.records_json import account_json, made_json

router = APIRouter(prefix="/v1/people", tags=["people"])


class NewPerson(Body):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    role: Role
    key: str | None = None
    password: str | None = None


@router.get("")
def listing(services: ServicesOf, _: Auditor) -> dict[str, Any]:
    return {"data": [account_json(account) for account in services.accounts.list()]}


@router.post("", status_code=201)
def add(body: NewPerson, services: ServicesOf, account: Admin) -> dict[str, Any]:
    """Create an account; its password and key are in this answer and nowhere else."""
    made = services.accounts.add(body.name, body.role, key=body.key, password=body.password, actor=account)
    return made_json(made)


@router.post("/{name}/disable")
def disable(name: str, services: ServicesOf, account: Admin) -> dict[str, Any]:
    """Close an account: its key and sessions end now."""
    return account_json(services.accounts.disable(name, actor=account))


@router.post("/{name}/reset")
def reset(name: str, services: ServicesOf, account: Admin) -> dict[str, Any]:
    """A new password and a new key; the old ones end now."""
    return made_json(services.accounts.reset(name, actor=account))
