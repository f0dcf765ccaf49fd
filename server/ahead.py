"""Working ahead: the edits of reports that wait for review are worked out while the worker has nothing else to do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from editing.errors import EditingError
from governance.corrections import Correction, Remedy, Status
from governance.errors import NotFound
from governance.listing import Sort
from server.edits import Edits, Group, case_of, group
from server.erasure_files import ErasureFiles
from server.services import Records
from server.settings import Settings

if TYPE_CHECKING:
    from editing.editor import Editor
    from server.release_gate import ReleaseGate

log = logging.getLogger(__name__)
REPORTS = 20  # the first of the queue, as reviewers see it


class Ahead:
    """One report at a time. It decides nothing: an artefact is named by what it is made of, and whoever needs it later, a
    preview or a release, finds it computed."""

    def __init__(
        self,
        settings: Settings,
        records: Records,
        editor: Editor,
        gate: ReleaseGate,
        *,
        say: Callable[[Sequence[str]], None],
    ) -> None:
        """`say` is told before each report which corrections are in hand."""
        self._records, self._gate = records, gate
        self._edits = Edits(editor, settings.artefacts_dir, say=lambda _n, _of, ids: say(ids), refused=_refused)
        self._files, self._weight = ErasureFiles(settings), editor.config.protect_weights[0]
        self._is_warm = False
        self._seen: set[tuple[tuple[str, datetime], ...]] = set()  # what was worked out, or cannot be

    def step(self, kept: Sequence[Correction]) -> bool:
        """Work out one edit beside the live ones `kept`; was there anything to do? First what every verdict needs."""
        if not self._is_warm:
            self._is_warm = True
            self._gate.ask_before()
            return True
        queued, _ = self._records.ledger.list(status=Status.QUEUED, sort=Sort.PRIORITY, limit=REPORTS)
        for correction in queued:
            if correction.remedy is not Remedy.WEIGHTS or correction.duplicate_of:
                continue
            wanted = group_of(correction, kept)
            state = tuple((one.id, one.updated) for one in wanted.corrections)
            if state in self._seen:
                continue
            self._seen.add(state)
            self._work_out(correction, wanted)
            return True
        return False

    def _work_out(self, correction: Correction, wanted: Group) -> None:
        try:
            self._edits.of([wanted], {correction.id: self._weight})
            self._gate.ask_before(case_of(correction))
        except EditingError as error:
            log.info("nothing could be worked out ahead for %s: %s", correction.id, type(error).__name__)
        self.discard_erased(correction.id)

    def discard_erased(self, correction_id: str) -> bool:
        """Delete what was worked out for a report that was erased since that work began; was it?"""
        try:
            if not self._records.ledger.get(correction_id).erased:
                return False
        except NotFound:  # a backup was brought back
            pass
        self._files.delete_artefacts([correction_id])
        return True


def group_of(correction: Correction, kept: Sequence[Correction]) -> Group:
    """The group in which a release would edit this correction: with the live ones on its subject that it does not replace."""
    beside = [one for one in kept if one.id not in correction.conflicts]
    return next(found for found in group((*beside, correction)) if correction.id in found.ids)


def _refused(correction_id: str, error: EditingError) -> None:
    log.info("correction %s is not fit for an edit: %s", correction_id, type(error).__name__)
