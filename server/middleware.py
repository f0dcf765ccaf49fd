"""ASGI middleware around the routes: one log line a request, a limit on its body, the guard of the browser pages."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from governance.accounts import Account
from server.auth import COOKIE, READ_METHODS, READERS, principal, same_origin
from server.errors import NotSignedIn, TooLarge, TooManyWrongKeys, error_body
from server.headers import is_own
from server.services import Services

log = logging.getLogger(__name__)


class RequestLog:
    """One line a request: never a text, never a query string. Plain ASGI, since a streamed answer passes in many pieces."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            return await self._app(scope, receive, send)
        started = time.monotonic()

        async def logged(message: Message) -> None:
            if message["type"] == "http.response.start":
                took_ms = 1e3 * (time.monotonic() - started)
                path = quote(scope["path"])  # it came decoded, and a line break in it would begin a line of its own
                log.info("%s %s %d %.0f ms", scope["method"], path, message["status"], took_ms)
            await send(message)

        return await self._app(scope, receive, logged)


class BodyLimit:
    """Refuses a body that says it is too large, and stops reading one that turns out to be."""

    def __init__(self, app: ASGIApp, *, max_mb: float) -> None:
        self._app, self._limit = app, int(max_mb * 1_000_000)
        self._refusal = TooLarge(f"The request is larger than {max_mb:g} MB (ERRATA_MAX_REQUEST_MB).")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > self._limit:
            refusal = JSONResponse(error_body(str(self._refusal), self._refusal.type), self._refusal.status)
            return await refusal(scope, receive, send)
        left = self._limit

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(self._refusal.status, str(self._refusal))
            return message

        return await self._app(scope, counted, send)


class PageGuard:
    """ASGI guard around the Gradio pages: nobody anonymous, and under /admin only roles that review or audit.

    Gradio checks some of its own paths and leaves others open, so every path is checked here, before Gradio sees it.
    What is ours guards itself and is let through.
    """

    # What a page of Gradio's asks for by itself: a script wants to be told, not led to a form.
    PARTS = re.compile(
        r"^/+(?:admin/+)?(?:gradio_api|config|monitoring|assets|static|svelte|theme\.css|manifest\.json)\b"
    )

    def __init__(self, app: ASGIApp, *, services: Callable[[], Services]) -> None:
        self._app, self._services = app, services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or is_own(scope["path"]):
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
