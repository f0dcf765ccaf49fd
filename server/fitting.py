"""Which new edits fit beside the live ones: solved together and judged together, by whole batches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.corrections import Correction
from server.edits import Edits, case_of, group, live_beside, was_heard

if TYPE_CHECKING:
    from editing.editor import Editor
    from editing.selection import Selection
    from editing.verify import FactReport, GateReport
    from server.release_gate import ReleaseGate


@dataclass(frozen=True, slots=True)
class Fit:
    """The verdict over a batch.

    chosen  what passes, each with the weight of protected keys that it passes under
    report  the gate's on these, beside the live edits; None if there are none
    aside   what does not, each with the best report that it had
    """

    chosen: Mapping[str, float]
    report: GateReport | None
    aside: Mapping[str, FactReport]


class Fitting:
    """Protected keys stop an edit from leaking to other questions, and from reaching its own in other words. What does not
    reach far enough under one weight of theirs is tried under the next."""

    def __init__(
        self, editor: Editor, gate: ReleaseGate, edits: Edits, *, say: Callable[[str, Sequence[str]], None]
    ) -> None:
        """`say` is told before each try, with the corrections that are tried."""
        self._editor, self._gate, self._edits, self._say = editor, gate, edits, say

    def of(self, kept: Sequence[Correction], new: Mapping[str, Correction]) -> Fit:
        """Which of `new` pass beside the live edits that are kept."""
        waiting = list(new)
        chosen: dict[str, float] = {}
        report: GateReport | None = None
        aside: dict[str, FactReport] = {}
        for weight in self._editor.config.protect_weights:
            selection = self._choose(kept, new, dict(chosen), waiting, weight)
            chosen |= dict.fromkeys(selection.chosen, weight)
            report = selection.report if selection.chosen else report
            aside |= {id_: better(found, aside.get(id_)) for id_, found in selection.set_aside.items()}
            waiting = [id_ for id_, found in selection.set_aside.items() if not found.reaches]
        return Fit(chosen, report, {id_: found for id_, found in aside.items() if id_ not in chosen})

    def _choose(
        self,
        kept: Sequence[Correction],
        new: Mapping[str, Correction],
        held: Mapping[str, float],
        waiting: Sequence[str],
        weight: float,
    ) -> Selection:
        """Those of `waiting` that pass under `weight`, beside the live edits and those held under their own."""

        def attempt(ids: Sequence[str], staying: Sequence[str]) -> GateReport:
            return self._try(kept, new, {id_: held.get(id_, weight) for id_ in (*staying, *ids)}, staying)

        return self._gate.choose(attempt, waiting, held=tuple(held), say=lambda text: self._say(text, waiting))

    def _try(
        self,
        kept: Sequence[Correction],
        new: Mapping[str, Correction],
        weights: Mapping[str, float],
        held: Collection[str],
    ) -> GateReport:
        """Solve the live edits and these together, and judge the model that results; those held are blamed for nothing."""
        tried = [new[id_] for id_ in weights]
        edits = self._edits.of(group((*kept, *tried)), weights)
        solution = self._editor.solve([edit.artefact for edit in edits])
        earlier = [case_of(c) for c in live_beside(edits, weights) if was_heard(c)]
        return self._gate.judge(solution, [case_of(c) for c in tried], earlier=earlier, held=held)


def better(report: FactReport, before: FactReport | None) -> FactReport:
    """Of two failed tries, the one with fewer reasons; the later one if they are equal."""
    return report if before is None or len(report.reasons) <= len(before.reasons) else before
