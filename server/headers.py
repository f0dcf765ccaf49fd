"""What browsers are told on every answer: where scripts may come from, who may frame a page, what is kept or passed on."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio writes inline scripts and makes functions from text; everything still comes from this site and goes to it alone.
PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# Our own HTML (signing in, printed reports) and JSON need no script at all.
PLAIN_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": a form would then be sent with the origin "null", and signing in checks the origin.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
OWN_PATHS = ("/health", "/ready", "/version", "/metrics", "/login", "/logout", "/favicon.ico", "/openapi.json")


def is_own(path: str) -> bool:
    """True for what is no page of Gradio's: the API and signing in, which guard themselves and need no script."""
    return path.startswith("/v1/") or path in OWN_PATHS


class SafeHeaders:
    """ASGI middleware around everything else, refusals and errors included."""

    def __init__(self, app: ASGIApp, *, https: bool = False) -> None:
        self._app, self._https = app, https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        plain = is_own(scope["path"])

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(FIXED)
                headers["Content-Security-Policy"] = PLAIN_POLICY if plain else PAGE_POLICY
                if self._https:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
                if plain:
                    headers.setdefault("Cache-Control", "no-store")  # other people use the same browser
            await send(message)

        return await self._app(scope, receive, with_headers)
