"""The notary: signs the log's size and root within a second of every change, into files outside the database."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable

from governance.errors import GovernanceError
from server.services import Records

log = logging.getLogger(__name__)


class Notary:
    """A loop around `Checkpoints.write`. A log that contradicts what was signed is not signed again; that is an alarm,
    raised again every ten seconds. Meanwhile the folders where nothing is wrong are kept up to date."""

    def __init__(self, records: Records, *, pause_s: float = 0.5, alarm_every_s: float = 10.0) -> None:
        self._records, self._pause_s, self._alarm_every_s = records, pause_s, alarm_every_s

    async def run(self) -> None:
        quiet_until = 0.0
        while True:
            try:
                await asyncio.to_thread(self._records.checkpoints.write)
            except asyncio.CancelledError:
                raise
            except Exception:
                if time.monotonic() >= quiet_until:
                    log.exception("no checkpoint could be signed; trying again")
                    quiet_until = time.monotonic() + self._alarm_every_s
            await asyncio.sleep(self._pause_s)


def sign_now(records: Records, *, say: Callable[[str], None], since: int = -1) -> None:
    """Cover what was written since the log had `since` entries, where no notary runs. What is in the way is said, and
    undoes nothing."""
    try:
        if records.log.size() != since:
            records.checkpoints.write()
    except (GovernanceError, OSError, sqlite3.Error) as error:
        say(f"No checkpoint of the log could be signed: {error}")
