"""Working ahead: the edits of reports that wait for review are worked out while the worker has nothing else to do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
IN_HAND = "ahead.txt"  # the report in hand, after those that were in hand when a worker died


class Ahead:
    """One report at a time. It decides nothing: an artefact is named by what it is made of, and whoever needs it later, a
    preview or a release, finds it computed. A report that took the worker down twice is left to its release, which counts."""

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
        self._in_hand = settings.data_dir / IN_HAND
        # A kill from outside is nobody's fault: only who was in hand at two deaths is left alone.
        self._died = tuple(self._in_hand.read_text().split()) if self._in_hand.is_file() else ()
        self._fatal = tuple(sorted(id_ for id_ in set(self._died) if self._died.count(id_) > 1))
        if self._fatal:
            ids = ", ".join(self._fatal)
            log.error(
                "a worker died twice of %s while it worked ahead: left to releases, until %s goes", ids, self._in_hand
            )
        self._is_warm = False
        self._seen: set[tuple[tuple[str, datetime], ...]] = set()  # what was worked out, or cannot be

    def step(self, kept: Sequence[Correction]) -> bool:
        """Work out one edit beside the live ones `kept`; was there anything to do? First what every verdict needs."""
        if not self._is_warm:
            self._is_warm = True
            with _forgiven("what every verdict needs"):
                self._gate.ask_before()
            return True
        queued, _ = self._records.ledger.list(status=Status.QUEUED, sort=Sort.PRIORITY, limit=REPORTS)
        for correction in queued:
            if correction.remedy is not Remedy.WEIGHTS or correction.duplicate_of or correction.id in self._fatal:
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
        self._in_hand.write_text("\n".join((*self._died, correction.id)))
        with _forgiven(correction.id):
            self._edits.of([wanted], {correction.id: self._weight})
            self._gate.ask_before(case_of(correction))
        self._died = tuple(id_ for id_ in self._died if id_ != correction.id)
        self.leave()
        self.discard_erased(correction.id)

    def leave(self) -> None:
        """Whatever ends the worker now, the report in hand has not done it."""
        if self._died:
            self._in_hand.write_text("\n".join(self._died))
        else:
            self._in_hand.unlink(missing_ok=True)

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


@contextmanager
def _forgiven(what: str) -> Iterator[None]:
    """What cannot be done ahead is told by the release that needs it."""
    try:
        yield
    except EditingError as error:  # its words may be those of a report
        log.info("nothing could be worked out ahead for %s: %s", what, type(error).__name__)
    except RuntimeError as error:  # torch's, of memory most likely: it names sizes
        log.warning("working ahead for %s failed: %s", what, error)


def _refused(correction_id: str, error: EditingError) -> None:
    log.info("correction %s is not fit for an edit: %s", correction_id, type(error).__name__)
