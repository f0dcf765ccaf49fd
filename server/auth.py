"""Who is asking, by API key or session cookie, and which roles a route is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from governance.accounts import Account, Role
from server.errors import NotAllowed, NotSignedIn, TooManyWrongKeys
from server.services import Services
from server.throttle import Throttle

COOKIE = "errata_session"
READ_METHODS = {"GET", "HEAD", "OPTIONS"}


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def principal(request: Request) -> Account:
    """The account behind a request. Raises NotSignedIn (401), TooManyWrongKeys (429), or NotAllowed (403) for a cookie
    write from elsewhere.

    Only `Authorization: Bearer` and the session cookie count; no other header is looked at.
    """
    accounts = services_of(request).accounts
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, key = header.partition(" ")
        tried = key.strip() if scheme.casefold() == "bearer" else ""
        account = accounts.by_key(tried) if tried else None
        if account is None:
            if tried:
                _count_wrong_key(request)
            raise NotSignedIn("The API key is not known or no longer valid: pass it as 'Authorization: Bearer KEY'.")
        return account
    token = request.cookies.get(COOKIE)
    account = accounts.by_session(token) if token else None
    if account is None:
        raise NotSignedIn("Sign in at /login, or pass an API key as 'Authorization: Bearer KEY'.")
    if request.method not in READ_METHODS and not same_origin(request):
        raise NotAllowed(
            "A write with a session cookie must come from this site: the Origin header differs from the host."
        )
    return account


def _count_wrong_key(request: Request) -> None:
    """Raises TooManyWrongKeys. Only wrong keys come here: whoever has a right one is heard whatever their address did."""
    throttle: Throttle = request.app.state.wrong_keys
    address = address_of(request)
    if wait_s := throttle.wait_s(address):
        raise TooManyWrongKeys(wait_s)
    refusal = throttle.failed(address)
    if refusal.wait_s:
        services_of(request).accounts.record_key_guessing(wrong=refusal.wrong, wait_s=refusal.wait_s)
        raise TooManyWrongKeys(refusal.wait_s)


def address_of(request: Request) -> str:
    """Who is connected; behind a proxy on this machine, whom the proxy names."""
    return request.client.host if request.client else ""


def same_origin(request: Request) -> bool:
    """True if Origin (or, without one, Referer) names the host that was asked; a scheme's own port need not be said."""
    source = request.headers.get("origin") or request.headers.get("referer") or ""
    try:
        came, asked = urlsplit(source), urlsplit(f"//{request.headers.get('host', '')}")
        usual = {"http": 80, "https": 443}.get(came.scheme)
        return bool(came.hostname) and (came.hostname, came.port or usual) == (asked.hostname, asked.port or usual)
    except ValueError:  # no address at all
        return False


Signed = Annotated[Account, Depends(principal)]
ServicesOf = Annotated[Services, Depends(services_of)]


def requires(*roles: Role) -> Callable[[Account], Account]:
    """A dependency that lets only these roles pass. Raises NotAllowed (403)."""

    def check(account: Signed) -> Account:
        if account.role not in roles:
            wanted = " or ".join(roles)
            raise NotAllowed(f"This needs the role {wanted}; {account.name!r} has the role {account.role}.")
        return account

    check.roles = roles  # type: ignore[attr-defined]  # server/roles.py reads it
    return check


READERS = (Role.AUDITOR, Role.REVIEWER, Role.ADMIN)  # see everything that is not in the vault

Reader = Annotated[Account, Depends(requires(*READERS))]
Reporter = Annotated[Account, Depends(requires(*(role for role in Role if role.may_report)))]
Reviewer = Annotated[Account, Depends(requires(*(role for role in Role if role.may_review)))]
Auditor = Annotated[Account, Depends(requires(Role.AUDITOR, Role.ADMIN))]
Admin = Annotated[Account, Depends(requires(*(role for role in Role if role.may_administer)))]
