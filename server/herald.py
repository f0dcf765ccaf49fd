"""The herald: tells a webhook the outcome of each correction, in ids and statuses, signed, until it has been taken."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from governance.corrections import Correction
from governance.times import to_text
from governance.vault import load_or_create_key
from server.services import Services
from server.settings import Settings

log = logging.getLogger(__name__)

AT_ONCE = 50
TIMEOUT_S = 10.0
LONGEST_PAUSE_S = 300.0


class WebhookKey:
    """Signs deliveries as Standard Webhooks (v1a) has it: Ed25519 over `id.timestamp.body`. A key of its own, so that
    nothing sent to a webhook could ever pass for a checkpoint of the log."""

    def __init__(self, settings: Settings) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(load_or_create_key(settings.keys_dir / "webhook.key"))

    @property
    def public(self) -> str:
        """What the receiver verifies with."""
        return "whpk_" + base64.b64encode(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    def headers(self, message_id: str, moment: int, body: bytes) -> dict[str, str]:
        signature = base64.b64encode(self._key.sign(b".".join((message_id.encode(), str(moment).encode(), body))))
        return {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(moment),
            "webhook-signature": f"v1a,{signature.decode()}",
        }


class Herald:
    """A loop beside the moves, never in them: what is not told yet is read from the ledger, so nothing is lost by a
    receiver that is down, or by a restart. The same outcome may arrive twice, under the same webhook-id."""

    def __init__(
        self, services: Services, *, pause_s: float = 1.0, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._services, self._pause_s, self._transport = services, pause_s, transport
        self._seen = -1
        self._failures = 0

    async def run(self) -> None:
        if not self._services.settings.webhook_url:
            return
        while True:
            try:
                await self.tell()
                self._failures = 0
            except httpx.HTTPError as error:
                self._failures += 1
                log.warning("the webhook took no outcome (%s); trying again in %.0f s", error, self.pause_s)
            except Exception:
                self._failures += 1
                log.exception("outcomes could not be told; trying again in %.0f s", self.pause_s)
            await asyncio.sleep(self.pause_s)

    @property
    def pause_s(self) -> float:
        """Twice as long after each failure in a row, up to five minutes."""
        return min(LONGEST_PAUSE_S, self._pause_s * 2.0 ** min(self._failures, 20))

    async def tell(self) -> int:
        """Deliver what is untold, oldest first; returns how many. Raises httpx.HTTPError at the first that is not taken."""
        ledger, url = self._services.records.ledger, self._services.settings.webhook_url
        size = await asyncio.to_thread(self._services.records.log.size)
        if url is None or size == self._seen:
            return 0
        untold = (await asyncio.to_thread(ledger.untold))[:AT_ONCE]
        key = WebhookKey(self._services.settings)
        async with httpx.AsyncClient(timeout=TIMEOUT_S, transport=self._transport) as client:
            for correction in untold:
                body = json.dumps(outcome_of(correction), sort_keys=True).encode()
                message_id = f"{correction.id}.{len(correction.moves)}"
                answer = await client.post(url, content=body, headers=key.headers(message_id, int(time.time()), body))
                if not answer.is_success:
                    raise httpx.HTTPError(f"it answered {answer.status_code}")
                await asyncio.to_thread(ledger.mark_told, correction.id, moves=len(correction.moves))
        if not untold:
            self._seen = size
        return len(untold)


def outcome_of(correction: Correction) -> dict[str, str | None]:
    """Ids and statuses; no text and no name."""
    return {
        "type": "correction.outcome",
        "correction": correction.id,
        "status": correction.status.value,
        "remedy": correction.remedy.value if correction.remedy else None,
        "reporter": correction.reporter_pseudonym,
        "weights_version": correction.weights_version_after,
        "at": to_text(correction.moves[-1].at),
    }
