"""Signing in and out: the page, the cookie, and the mark that browsers ask for."""

from __future__ import annotations

import html
import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from server.auth import COOKIE, address_of, same_origin, services_of
from server.errors import NotAllowed
from server.throttle import SignInThrottle

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
