"""The log over HTTP: entries, the signed checkpoint, proofs, and the public key."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from governance.audit import PAGE
from server.auth import Reader, ServicesOf
from server.body import Parameters
from server.herald import WebhookKey
from server.records_json import proof_json

router = APIRouter(prefix="/v1/audit", tags=["audit"])

Number = Annotated[int, Query(ge=1, le=2**62)]  # SQLite's integers end at 2**63


class Wanted(Parameters):
    """Which entries: those after number `since`."""

    since: int = Field(0, ge=0, le=2**62)
    limit: int = Field(PAGE, ge=1, description=f"How many; {PAGE} at most.")


@router.get("/entries")
def entries(services: ServicesOf, _: Reader, wanted: Annotated[Wanted, Query()]) -> dict[str, Any]:
    """Entries after number `since`, as they stand in the log; `text` is what was hashed, and `next_since` where the next
    page starts, null on the last one."""
    size = services.records.log.size()
    found = services.records.log.entries(since=wanted.since, limit=min(wanted.limit, PAGE))
    return {
        "data": [{"n": e.n, "entry": e.data, "text": e.text, "leaf_hash": e.leaf_hash.hex()} for e in found],
        "size": size,
        "next_since": found[-1].n if found and found[-1].n < size else None,
    }


@router.get("/checkpoint")
def checkpoint(services: ServicesOf, _: Reader) -> dict[str, str]:
    """The signed size and root hash of the log (C2SP tlog-checkpoint); 409 for a log that contradicts what was signed."""
    return {"checkpoint": services.records.checkpoints.sign()}


@router.get("/proof")
def proof(services: ServicesOf, _: Reader, entry: Number, size: Number) -> dict[str, Any]:
    """That entry number `entry` is in the log of the first `size` entries (RFC 6962)."""
    log = services.records.log
    hashes = log.inclusion_proof(entry, size)
    return proof_json(log.entry(entry), size=size, root=log.root(size), hashes=hashes)


@router.get("/consistency")
def consistency(
    services: ServicesOf, _: Reader, from_: Annotated[int, Query(alias="from", ge=1, le=2**62)], to: Number
) -> dict[str, Any]:
    """That the log of `to` entries begins with the log of `from` entries (RFC 6962)."""
    log = services.records.log
    return {
        "from": from_,
        "to": to,
        "from_root": log.root(from_).hex(),
        "to_root": log.root(to).hex(),
        "hashes": [node.hex() for node in log.consistency_proof(from_, to)],
    }


@router.get("/key")
def key(services: ServicesOf, _: Reader) -> dict[str, str | None]:
    """The public key that checkpoints are signed with; and that of the webhook, where there is one."""
    webhook = WebhookKey(services.settings).public if services.settings.webhook_url else None
    return {"key": services.records.signer.verifier_key, "webhook_key": webhook}
