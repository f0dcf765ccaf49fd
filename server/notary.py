"""The notary: signs the log's size and root within a second of every change, into files outside the database."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from governance.checkpoints import HISTORY, LATEST
from governance.errors import GovernanceError
from server.services import Records
from server.settings import Settings

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
    except OSError as error:
        if error.filename in map(str, records.checkpoints.folders[1:]):
            say(
                f"The second checkpoint, in ERRATA_CHECKPOINT_DIR ({error.filename}), could not be written:"
                f" {error.strerror}; the one in the data folder was."
            )
        else:
            say(f"No checkpoint of the log could be written: {error}")
    except (GovernanceError, sqlite3.Error) as error:
        say(f"No checkpoint of the log could be signed: {error}")


def signed_places(settings: Settings) -> tuple[Path, ...]:
    """The folders that the log is to be held against: all that are signed into, once one of them holds a note."""
    places = settings.checkpoint_dirs
    return places if any(map(is_signed, places)) else ()


def is_signed(place: Path) -> bool:
    """Does this folder hold a note?"""
    return any((place / name).exists() for name in (LATEST, HISTORY))
