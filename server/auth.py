"""Who is asking: API key or session cookie, the sign-in page, and the guard in front of every browser page."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from governance.accounts import Account, Role
from server.errors import NotAllowed, NotSignedIn, TooManyWrongKeys
from server.services import Services
from server.throttle import SignInThrottle, Throttle

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
REPORTERS = (Role.USER, Role.REVIEWER, Role.ADMIN)  # chat and report
REVIEWERS = (Role.REVIEWER, Role.ADMIN)

Reader = Annotated[Account, Depends(requires(*READERS))]
Reporter = Annotated[Account, Depends(requires(*REPORTERS))]
Reviewer = Annotated[Account, Depends(requires(*REVIEWERS))]
Auditor = Annotated[Account, Depends(requires(Role.AUDITOR, Role.ADMIN))]
Admin = Annotated[Account, Depends(requires(Role.ADMIN))]

router = APIRouter(include_in_schema=False)


@router.get("/login")
def sign_in_page(request: Request) -> HTMLResponse:
    return HTMLResponse(_page(next_=request.query_params.get("next", "/")))


@router.post("/login")
def sign_in(
    request: Request,
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    services = services_of(request)
    _check_origin(request)
    throttle: SignInThrottle = request.app.state.sign_ins
    address = address_of(request)
    refusal = throttle.begun(username, address)
    if not refusal.is_heard:
        return _later(next, refusal.wait_s)
    session = services.accounts.sign_in(username, password)
    if session is None:
        if refusal.wait_s:
            services.accounts.record_guessing(username, wrong=refusal.wrong, wait_s=refusal.wait_s)
            return _later(next, refusal.wait_s)
        return HTMLResponse(_page(next_=next, error="Name or password is wrong."), status_code=401)
    throttle.succeeded(username, address)
    answer = RedirectResponse(_local(next), status_code=303)
    answer.set_cookie(
        COOKIE,
        session,
        httponly=True,
        samesite="Strict",  # type: ignore[arg-type]  # browsers take any case, readers of headers may not
        secure=services.settings.secure_cookie,
        path="/",
    )
    return answer


@router.get("/favicon.ico")
def icon() -> Response:
    """A small mark, so that browsers stop asking."""
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2456c7"/>'
        '<path d="M9 9h14M9 16h9M9 23h14" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>'
    )
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})


@router.post("/logout")
def sign_out(request: Request) -> Response:
    _check_origin(request)
    if token := request.cookies.get(COOKIE):
        services_of(request).accounts.end_session(token)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def _check_origin(request: Request) -> None:
    """Raises NotAllowed for a form that a browser sends from elsewhere; what is no browser may leave the header out."""
    if request.headers.get("origin") and not same_origin(request):
        raise NotAllowed("Sign in and out from this site: the Origin header differs from the host.")


def _later(next_: str, wait_s: int) -> HTMLResponse:
    error = f"Too many wrong attempts. Try again in {wait_s} seconds."
    return HTMLResponse(_page(next_=next_, error=error), status_code=429, headers={"Retry-After": str(wait_s)})


class PageGuard:
    """ASGI guard around the Gradio pages: nobody anonymous, and under /admin only roles that review or audit.

    Gradio checks some of its own paths and leaves others open, so every path is checked here, before Gradio sees it.
    The API guards itself and is let through.
    """

    OPEN = re.compile(r"^/(?:v1/|favicon\.ico$|login$|logout$|health$|ready$|version$|metrics$|openapi\.json$)")

    # What a page of Gradio's asks for by itself: a script wants to be told, not led to a form.
    PARTS = re.compile(
        r"^/+(?:admin/+)?(?:gradio_api|config|monitoring|assets|static|svelte|theme\.css|manifest\.json)\b"
    )

    def __init__(self, app: ASGIApp, *, services: Callable[[], Services]) -> None:
        self._app, self._services = app, services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self.OPEN.match(scope["path"]):
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        request = Request(scope)
        try:
            account = await run_in_threadpool(self._visitor, request)
        except TooManyWrongKeys as error:
            return await Response(str(error), status_code=error.status)(scope, receive, send)
        if account is None:
            is_page = "text/html" in request.headers.get("accept", "text/html") or not self.PARTS.match(scope["path"])
            refusal: Response = (
                RedirectResponse(f"/login?next={scope['path']}", status_code=303)
                if request.method in READ_METHODS and is_page
                else Response("Sign in first.", status_code=401)
            )
            return await refusal(scope, receive, send)
        path = re.sub(r"/+", "/", scope["path"])
        if (path == "/admin" or path.startswith("/admin/")) and account.role not in READERS:
            return await Response("This page is for reviewers, auditors and admins.", status_code=403)(
                scope, receive, send
            )
        if request.method not in READ_METHODS and not same_origin(request):
            return await Response("Writes must come from this site.", status_code=403)(scope, receive, send)
        return await self._app(scope, receive, send)

    def _visitor(self, request: Request) -> Account | None:
        """Who is signed in; without a session, whose key it is: a script may look at the pages too."""
        if token := request.cookies.get(COOKIE):
            return self._services().accounts.by_session(token)
        try:
            return principal(request)
        except NotSignedIn:
            return None


def _local(target: str) -> str:
    """Only paths of this site: an address elsewhere would make the sign-in page an open redirect."""
    return target if re.match(r"^/(?![/\\])[\w/.-]*$", target) else "/"


def _page(*, next_: str, error: str = "") -> str:
    alert = f'<p role="alert">{html.escape(error)}</p>' if error else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Errata</title>
<style>
 :root {{ color-scheme: light dark; }}
 body {{ font: 16px/1.5 system-ui, sans-serif; min-height: 100vh; margin: 0; display: grid; place-items: center;
   background: light-dark(#f6f7f9, #14161a); color: light-dark(#1b1f27, #e8eaee); }}
 form {{ width: min(22rem, 88vw); padding: 2rem; border-radius: 14px; background: light-dark(#fff, #1d2026);
   box-shadow: 0 1px 3px #0002, 0 8px 30px #0001; }}
 h1 {{ font-size: 1.35rem; margin: 0 0 .25rem; }} p {{ margin: 0 0 1rem; color: light-dark(#555d6b, #a9b0bd); }}
 label {{ display: block; margin: .9rem 0 .25rem; font-weight: 600; }}
 input {{ width: 100%; box-sizing: border-box; padding: .6rem .7rem; font: inherit; border-radius: 8px;
   border: 1px solid light-dark(#8a92a0, #5b6270); background: transparent; color: inherit; }}
 button {{ margin-top: 1.4rem; width: 100%; padding: .65rem; font: inherit; font-weight: 600; border: 0; border-radius: 8px;
   background: #2456c7; color: #fff; cursor: pointer; }}
 button:focus-visible, input:focus-visible {{ outline: 3px solid #6b9bff; outline-offset: 2px; }}
 [role=alert] {{ color: light-dark(#a11, #ff9a9a); font-weight: 600; }}
</style></head><body><main><form method="post" action="/login">
<h1>Errata</h1><p>The assistant that takes corrections.</p>{alert}
<input type="hidden" name="next" value="{html.escape(_local(next_), quote=True)}">
<label for="username">Name</label><input id="username" name="username" autocomplete="username" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Sign in</button></form></main></body></html>"""
