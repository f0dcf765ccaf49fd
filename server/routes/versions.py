"""Versions of the weights: what was built, what is served, and going back to any of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from governance.claims import check_text
from governance.versions import BASE, Version
from server.auth import Admin, ServicesOf, Signed
from server.body import Body
from server.errors import Missing, NotAllowed
from server.services import Services

router = APIRouter(prefix="/v1/versions", tags=["versions"])


MAX_REASON = 2_000


class Restore(Body):
    reason: str = Field("", max_length=MAX_REASON)


@router.get("")
def listing(services: ServicesOf, _: Signed) -> dict[str, Any]:
    """All versions, newest first; `base` is the model as it came."""
    versions = services.records.versions
    served = versions.serving().served
    return {"data": [version_json(version, served=served) for version in versions.list()], "current": served}


@router.get("/current")
def current(services: ServicesOf, _: Signed) -> dict[str, Any]:
    """The version that answers now."""
    versions = services.records.versions
    return version_json(versions.served() or versions.get(BASE), served=versions.serving().served)


@router.get("/{version_id}")
def show(version_id: str, services: ServicesOf, _: Signed) -> dict[str, Any]:
    versions = services.records.versions
    return version_json(versions.get(version_id), served=versions.serving().served)


@router.post("/{version_id}/restore", status_code=202)
def restore(version_id: str, services: ServicesOf, account: Admin, body: Restore | None = None) -> dict[str, Any]:
    """Serve this version again; `base` is the kill switch. The corrections it lacks are rolled back once it is served."""
    check_weights_are_ours(services)
    versions = services.records.versions
    version = versions.get(version_id)
    if version.purged:
        raise Missing(f"Version {version_id!r} was purged by an erasure and cannot come back.")
    reason = check_text("reason", (body or Restore()).reason, longest=MAX_REASON, required=False)
    versions.desire(version_id, actor=account, reason=reason, kind="restore")
    return version_json(version, served=versions.serving().served)


def check_weights_are_ours(services: Services) -> None:
    """Raises NotAllowed."""
    if not services.settings.weights_are_ours:
        raise NotAllowed("This engine's weights are not Errata's to change (--engine-weights none).")


def version_json(version: Version, *, served: str | None) -> dict[str, Any]:
    return {
        "id": version.id,
        "base": version.base_sha256,
        "artefacts": list(version.artefacts),
        "corrections": list(version.corrections),
        "tensors_sha256": version.tensors_sha256,
        "created": version.created.isoformat(),
        "verification": dict(version.summary),
        "swap_pause_s": version.swap_pause_s,
        "live_since": version.live_since.isoformat() if version.live_since else None,
        "served": version.id == served,
        "purged": version.purged is not None,
    }
