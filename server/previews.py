"""Previews: a sandboxed edit asked for by the gateway and answered by the worker, through files that live for minutes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from governance.ids import new_id
from server.errors import ServerError
from server.settings import Settings

PATIENCE_S = 300.0
LOOK_S = 0.2


class PreviewUnavailable(ServerError):
    """The worker did not answer in time."""

    status, type = 503, "worker_unavailable"


class Previews:
    """Requests in, results out; both are whole files or not there. Nothing of it survives its reader; what a killed one
    left is cleared at the next start."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.data_dir / "previews"

    def clear(self) -> None:
        """Delete everything: after a start nobody waits for it."""
        for path in self._folder.glob("*"):
            path.unlink(missing_ok=True)

    async def ask(self, correction_id: str, *, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Wait for the worker's result. Raises PreviewUnavailable."""
        name = new_id("pre")
        _write(self._folder / f"{name}.request", {"correction": correction_id})
        try:
            deadline = time.monotonic() + patience_s
            while time.monotonic() < deadline:
                if result := _read(self._folder / f"{name}.result"):
                    return result
                await asyncio.sleep(LOOK_S)  # holds up no thread: all routes share a few
        finally:
            for kind in ("request", "result"):
                (self._folder / f"{name}.{kind}").unlink(missing_ok=True)
        raise PreviewUnavailable("The edit worker is busy or not running: try the preview again later.")

    def waiting(self) -> Iterator[tuple[Path, str]]:
        """Requests without a result, oldest first: (where the result goes, correction id)."""
        for request in sorted(self._folder.glob("*.request"), key=_age):
            result = request.with_suffix(".result")
            if not result.exists() and (asked := _read(request)):
                yield result, asked["correction"]

    def answer(self, result: Path, found: dict[str, Any]) -> None:
        """Hand a result over, unless nobody waits for it any more."""
        request = result.with_suffix(".request")
        if request.exists():
            _write(result, found)
        if not request.exists():  # its reader went while it was written
            result.unlink(missing_ok=True)


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all, but not on the disk for good: the gateway would wait for that with every answer."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(f"{path.suffix}.draft")
    try:
        draft.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _age(path: Path) -> float:
    """When it was asked; 0 for one that its reader has just taken away."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    except FileNotFoundError:
        return {}
