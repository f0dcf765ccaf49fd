"""Is it alive, is it ready, what version is it, what do the figures say."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version as installed_version
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from governance.versions import BASE
from server.auth import Auditor, Reader, ServicesOf
from server.progress import read_progress

router = APIRouter(tags=["operations"])


@router.get("/health")
def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/ready")
async def ready(services: ServicesOf) -> JSONResponse:
    """200 when a chat would be answered; one line per part."""
    parts = {"engine": "ok" if await services.engine.health() else "does not answer"}
    parts["weights"] = "ok" if services.serving.is_open else services.serving.why_closed
    try:
        services.records.log.size()
        parts["database"] = "ok"
    except Exception as error:
        parts["database"] = f"{type(error).__name__}: {error}"
    if services.settings.weights_are_ours:
        parts["worker"] = read_progress(services.settings.data_dir).state
    is_ready = all(parts[name] == "ok" for name in ("engine", "weights", "database"))
    return JSONResponse({"ready": is_ready, "parts": parts}, status_code=200 if is_ready else 503)


@router.get("/version")
def version(services: ServicesOf) -> dict[str, Any]:
    """Versions of Errata, the served model and the served weights."""
    served = services.records.versions.served() or services.records.versions.get(BASE)
    return {
        "errata": installed_version("errata"),
        "model": services.model_name,
        "weights_version": served.id,
        "base_sha256": served.base_sha256,
        "weights": "ours" if services.settings.weights_are_ours else "none",
    }


@router.get("/metrics")
def metrics(services: ServicesOf, _: Auditor) -> Response:
    """Prometheus text format."""
    text = services.metrics.render(
        corrections=services.records.ledger.counts(), active_edits=services.serving.version.active_edits
    )
    return Response(text, media_type="text/plain; version=0.0.4")


@router.get("/v1/worker")
def worker(services: ServicesOf, _: Reader) -> dict[str, Any]:
    """What the edit worker does now."""
    return asdict(read_progress(services.settings.data_dir))


@router.get("/v1/settings")
def settings(services: ServicesOf, _: Auditor) -> dict[str, Any]:
    """The effective settings, secrets masked."""
    return services.settings.masked()
