"""What the worker does now, as a small file that the gateway reads: advice for people, never state."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

FILE = "worker.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """One line about the worker: its state, the step of how many, and the corrections in hand."""

    state: str  # starting | idle | waiting | solving | gating | writing | previewing | ahead | not running
    step: int = 0
    of: int = 0
    message: str = ""
    correction_ids: tuple[str, ...] = ()
    since: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    pid: int = field(default_factory=os.getpid)


def write_progress(data_dir: Path, progress: Progress) -> None:
    """Replace the file in one step; a full disk must not stop an edit for want of a status line."""
    target, draft = data_dir / FILE, data_dir / f".{FILE}.{os.getpid()}"
    try:
        draft.write_text(json.dumps(asdict(progress)))
        draft.replace(target)
    except OSError:
        draft.unlink(missing_ok=True)


def read_progress(data_dir: Path) -> Progress:
    """The last line written; `not running` if its process is gone."""
    try:
        fields = json.loads((data_dir / FILE).read_text())
        os.kill(fields["pid"], 0)
        return Progress(**{**fields, "correction_ids": tuple(fields["correction_ids"])})
    except (OSError, ValueError, KeyError, TypeError):
        return Progress("not running", message="the edit worker is not running", pid=0)
