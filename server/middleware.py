"""ASGI middleware around the routes: one log line a request, and a limit on the size of its body."""

from __future__ import annotations

import logging
import time
from urllib.parse import quote

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.errors import TooLarge, error_body

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
