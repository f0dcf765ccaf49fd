"""The notary: signs the log's size and root within a second of every change, into files outside the database."""

from __future__ import annotations

import asyncio
import logging

from governance.errors import LogError
from server.services import Records

log = logging.getLogger(__name__)


class Notary:
    """A loop around `Checkpoints.write`. A log that contradicts what was signed is not signed again; that is an alarm."""

    def __init__(self, records: Records, *, pause_s: float = 0.5) -> None:
        self._records, self._pause_s = records, pause_s

    async def run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._records.checkpoints.write)
            except asyncio.CancelledError:
                raise
            except (LogError, OSError) as error:
                log.error("no checkpoint could be signed: %s", error)
                await asyncio.sleep(10)
            await asyncio.sleep(self._pause_s)
