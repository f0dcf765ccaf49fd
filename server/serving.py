"""Which weights answer right now, and whether the engine may take traffic: written by the publisher, read by chat."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from governance.versions import BASE
from server.errors import EngineUnavailable


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """The weights behind an answer."""

    id: str
    active_edits: int


class Serving:
    """The gate between chat and engine.

    Closed until the publisher has seen the engine carry the version that the database says is served; an engine that comes
    back from a crash carries the base weights, and no question must reach it before it is brought up to date.
    """

    def __init__(self, *, patience_s: float = 5.0) -> None:
        self._version = ServedVersion(BASE, 0)
        self._open = asyncio.Event()
        self.swaps = 0  # so that an answer can tell whether other weights came in between, even if they are gone again
        self._patience_s = patience_s
        self.why_closed = "the engine is starting"

    @property
    def version(self) -> ServedVersion:
        return self._version

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    async def ready(self) -> None:
        """Return once questions may be asked; wait a little. Raises EngineUnavailable with the reason."""
        try:
            await asyncio.wait_for(self._open.wait(), self._patience_s)
        except TimeoutError:
            raise EngineUnavailable(f"The model cannot answer now: {self.why_closed}. Try again shortly.") from None

    def open(self, version: ServedVersion) -> None:
        self.swaps += version.id != self._version.id
        self._version = version
        self._open.set()

    def close(self, why: str) -> None:
        self.why_closed = why
        self._open.clear()
