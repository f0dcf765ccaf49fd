"""The base model that a data folder is bound to: another one is refused, or with `--rebase` takes its place."""

from __future__ import annotations

import getpass
import logging

from governance.errors import MoveNotAllowed
from server.services import Records
from server.settings import Settings
from server.version_files import VersionFiles

log = logging.getLogger(__name__)


def bind_base(settings: Settings, records: Records, base_sha256: str) -> None:
    """Register the base at the first start, check it at each later one.

    Raises MoveNotAllowed for another base without `rebase`. With it versions of the old one are served no more, and live
    corrections are answered by their cards until the worker has solved them anew.
    """
    try:
        records.versions.ensure_base(base_sha256)
    except MoveNotAllowed:
        if not settings.rebase:
            raise
        # First the tensors, those of the old base among them: no process may find them under the new one.
        VersionFiles(settings).clear(())
        records.versions.rebase(base_sha256, actor=records.accounts.operator(getpass.getuser()))
        name = base_sha256 if ":" in base_sha256 else base_sha256[:12]  # an engine's address is told whole
        log.warning("this data folder is bound to the base model %s from now on", name)


def foreign_base(settings: Settings) -> str:
    """The name of a base that is somebody else's: the engine started elsewhere."""
    return f"elsewhere: {settings.engine.url}"
