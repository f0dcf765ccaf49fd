"""The gateway: routes, errors, request log, the two pages, and the loops that run beside them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

import ui
from editing.errors import EditingError
from governance.backup import discard_unfinished
from governance.errors import GovernanceError
from retrieval.errors import RetrievalError
from server.erasing import Erasing
from server.errors import UNFORESEEN, ServerError, error_body, status_of
from server.headers import OWN_PATHS, SafeHeaders
from server.herald import Herald
from server.librarian import Librarian
from server.middleware import BodyLimit, PageGuard, RequestLog
from server.notary import Notary, sign_now
from server.publisher import Publisher
from server.review import Review
from server.routes import ROUTERS
from server.services import Services
from server.throttle import FREE_BY_ADDRESS, SignInThrottle, Throttle
from server.triage import Triage

log = logging.getLogger(__name__)


def create_app(services: Services, *, with_pages: bool = True, with_loops: bool = True) -> FastAPI:
    """The ASGI app over these services. Tests leave pages or loops out."""
    publisher = Publisher(services)
    triage = Triage(services)
    librarian, notary, erasing = Librarian(services), Notary(services.records), Erasing(services)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.previews.clear()
        discard_unfinished(services.settings.database_path)
        beside = (publisher, triage, librarian, notary, erasing, Herald(services), Review(services))
        loops = [asyncio.create_task(loop.run()) for loop in beside] if with_loops else []
        try:
            yield
        finally:
            for task in loops:
                task.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await asyncio.to_thread(sign_now, services.records, say=log.error)
            await services.engine.close()

    app = FastAPI(title="Errata", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.services = services
    app.state.publisher, app.state.triage, app.state.erasing = publisher, triage, erasing
    app.state.sign_ins, app.state.wrong_keys = SignInThrottle(), Throttle(free=FREE_BY_ADDRESS)
    for router in ROUTERS:
        app.include_router(router)
    _answer_errors(app)
    app.add_middleware(RequestLog)
    app.add_middleware(BodyLimit, max_mb=services.settings.max_request_mb)
    _answer_unknown_paths(app)
    if with_pages:
        app = ui.mount(app, api_url=services.settings.base_url)
    app.add_middleware(PageGuard, services=lambda: app.state.services)
    app.add_middleware(SafeHeaders, https=services.settings.secure_cookie)
    return app


def _answer_unknown_paths(app: FastAPI) -> None:
    """Paths and methods of the API that no route has: 404 and 405 in its shape, before the page at "/" takes them for its
    own."""
    routes = list(app.router.routes)

    async def unknown(request: Request) -> NoReturn:
        partly = [route for route in routes if route.matches(request.scope)[0] is Match.PARTIAL]
        if not partly:
            raise HTTPException(404, f"There is nothing at {request.url.path}.")
        allowed = sorted({method for route in partly for method in getattr(route, "methods", None) or ()})
        raise HTTPException(405, headers={"Allow": ", ".join(allowed)})

    for path in ("/v1/{rest:path}", *OWN_PATHS):
        app.add_route(path, unknown, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])


def _answer_errors(app: FastAPI) -> None:
    """Every error leaves in OpenAI's shape; a room's error has its status in STATUS_BY_ERROR."""

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        first: dict[str, Any] = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:]) or "body"
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "json_invalid":  # its place is one in the text
            field, message = "body", f"no JSON, at character {field}: {first['ctx']['error']}"
        return JSONResponse(error_body(f"{field}: {message}", "invalid_request_error", param=field), 400)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        kind = "not_found_error" if error.status_code == 404 else "invalid_request_error"
        return JSONResponse(error_body(str(error.detail), kind), error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def refused(request: Request, error: Exception) -> JSONResponse:
        status, kind = status_of(error)
        if status == 500:
            log.exception("unexpected error on %s %s", request.method, quote(request.url.path), exc_info=error)
            return JSONResponse(error_body(UNFORESEEN, kind), 500)
        body = error_body(str(error), kind, param=getattr(error, "param", None), code=getattr(error, "code", None))
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        if hasattr(error, "retry_after_s"):
            headers["Retry-After"] = str(error.retry_after_s)
        return JSONResponse(body, status, headers)

    # Starlette answers and re-raises what only `Exception` catches, so the roots of the rooms are named.
    for root in (ServerError, GovernanceError, EditingError, RetrievalError):
        app.add_exception_handler(root, refused)
