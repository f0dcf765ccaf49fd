"""The notary: signs the log's size and root within a second of every change, into files outside the database."""

from __future__ import annotations

import asyncio
import logging

from server.services import Records

log = logging.getLogger(__name__)


class Notary:
    """A loop around `Checkpoints.write`. A log that contradicts what was signed is not signed again; that is an alarm."""

    def __init__(self, records: Records, *, pause_s: float = 0.5, after_error_s: float = 10.0) -> None:
        self._records, self._pause_s, self._after_error_s = records, pause_s, after_error_s

    async def run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._records.checkpoints.write)
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("no checkpoint could be signed; trying again")
                await asyncio.sleep(self._after_error_s)
            await asyncio.sleep(self._pause_s)
