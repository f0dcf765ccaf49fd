"""Which role may use which route, read from the routes themselves: the table of the docs and of its test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from governance.accounts import Role
from server import auth
from server.routes import ROUTERS

COLUMNS = (None, Role.USER, Role.AUDITOR, Role.REVIEWER, Role.ADMIN)  # None: anyone, not signed in


@dataclass(frozen=True, slots=True)
class Row:
    """One route; `may` follows COLUMNS."""

    method: str
    path: str
    may: tuple[bool, ...]

    def allows(self, role: Role | None) -> bool:
        return self.may[COLUMNS.index(role)]


def route_table() -> list[Row]:
    """Every route of the API with the roles that pass its door. What a role sees behind the door is the route's matter."""
    app = FastAPI()
    for router in ROUTERS:
        app.include_router(router)
    rows = []
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            allowed = _allowed(route.dependant)
            for method in sorted(route.methods):
                rows.append(Row(method, route.path, tuple(allowed is None or role in allowed for role in COLUMNS)))
    return sorted(rows, key=lambda row: (row.path, row.method))


def _allowed(dependant: Dependant) -> frozenset[Role] | None:
    """The roles that all dependencies let pass; None for a public route."""
    allowed: frozenset[Role] | None = None
    for call in _calls(dependant):
        roles = frozenset(Role) if call is auth.principal else getattr(call, "roles", None)
        if roles is not None:
            allowed = frozenset(roles) if allowed is None else allowed & frozenset(roles)
    return allowed


def _calls(dependant: Dependant) -> Iterator[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)
