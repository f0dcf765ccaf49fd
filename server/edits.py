"""The edits of a release: corrections grouped by subject, each group with its artefact, stored or computed."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from editing.errors import ArtefactDamaged, EditingError, FactRefused
from editing.facts import Fact, Probe, check_fact
from editing.silence import NOTHING_KNOWN, write_silence
from editing.statements import Statements, write_statements
from editing.verify import GateCase
from governance.corrections import Correction
from server.same_question import card_words

if TYPE_CHECKING:
    from editing.edit_set import Artefact
    from editing.editor import Editor

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Group:
    """The corrections of one subject, which share one artefact: one key can hold one value only."""

    corrections: tuple[Correction, ...]

    @property
    def facts(self) -> list[Fact]:
        return [fact_of(c) for c in self.corrections]

    @property
    def statements(self) -> list[Statements]:
        return [statements_of(c) for c in self.corrections]

    @property
    def ids(self) -> list[str]:
        return [c.id for c in self.corrections]

    def without(self, ids: set[str]) -> Group:
        return Group(tuple(c for c in self.corrections if c.id not in ids))


@dataclass(frozen=True, slots=True)
class Edit:
    """A group with its artefact.

    protections  correction -> the weight of protected keys that it needs itself; the artefact has the least of its group
    """

    group: Group
    artefact: Artefact
    protections: Mapping[str, float] = field(default_factory=dict)

    def about(self, correction_id: str) -> dict[str, Any]:
        """For the record: method, settings, hashes, the code (its gate's bounds with it); how the optimisation ended."""
        artefact = self.artefact
        return {
            "method": "memit",
            "layers": [*artefact.layers, *artefact.answer_layers],
            "base_sha256": artefact.base_sha256,
            "statistics_sha256": artefact.statistics_sha256,
            "settings_sha256": artefact.config_sha256,
            "code_version": installed_version("errata"),
            "strength": round(artefact.strength, 3),
            "protection": self.protections.get(correction_id, round(artefact.protection, 3)),
            "steps": artefact.steps,
            "nll": round(artefact.nll, 4),
        }


class Edits:
    """Artefacts of groups: what the record names is read, what was computed before is found, the rest is computed.

    say      told before each edit is worked out: its number, of how many, and the corrections of the group
    refused  told of each correction that the editor cannot edit, with the error that says why
    """

    def __init__(
        self,
        editor: Editor,
        folder: Path,
        *,
        say: Callable[[int, int, Sequence[str]], None],
        refused: Callable[[str, EditingError], None],
    ) -> None:
        self._editor, self._folder, self._say, self._refused = editor, folder, say, refused

    def of(self, groups: Sequence[Group], new: Mapping[str, float]) -> list[Edit]:
        """Each group with its artefact. One whose edits stay as they are keeps it; without one that has left it gets back
        the one it had before.

        new   corrections that are not live yet, each with the weight of its protected keys; what is refused of them is
              left out of its group
        """
        edits = []
        groups = [fit for group_ in groups if (fit := self._without_unfit(group_, new)).corrections]
        todo = [group_ for group_ in groups if self._stored(group_) is None]
        for group_ in groups:
            artefact = self._stored(group_)
            if artefact is None:
                self._say(todo.index(group_) + 1, len(todo), group_.ids)
                try:
                    artefact = self._editor.artefact(group_.facts, group_.statements)
                except EditingError as error:
                    if not new.keys() & set(group_.ids):
                        raise
                    for id_ in (id_ for id_ in group_.ids if id_ in new):
                        self._refused(id_, error)
                    standing = group_.without(set(new))
                    edits += self.of([standing], {}) if standing.corrections else []
                    continue
                artefact.save(self._folder)
                self._remember(group_, artefact)
            known = {c.id: c.edit["protection"] for c in group_.corrections if "protection" in c.edit}
            protections = known | {id_: new[id_] for id_ in group_.ids if id_ in new}
            if protections and artefact.id not in {c.artefact for c in group_.corrections if c.id not in new}:
                artefact = artefact.protecting(min(protections.values()))
                artefact.save(self._folder)
            edits.append(Edit(group_, artefact, protections))
        return edits

    def _without_unfit(self, group_: Group, new: Collection[str]) -> Group:
        """The group without the new corrections that no edit can hold, each of which is refused for what is wrong with it."""
        unfit: set[str] = set()
        for fact in group_.facts:
            if fact.id not in new:
                continue
            try:
                check_fact(fact)
            except FactRefused as error:
                self._refused(fact.id, error)
                unfit.add(fact.id)
        return group_.without(unfit)

    def clear_unfinished(self) -> None:
        """Delete what a kill left of an artefact that was being saved: it holds a report's wordings, and no record names it."""
        unnamed = (path for path in self._folder.glob("*.safetensors") if not path.with_suffix(".json").exists())
        for path in (*self._folder.glob("*.unfinished"), *unnamed):
            path.unlink(missing_ok=True)

    def _stored(self, group_: Group) -> Artefact | None:
        """The artefact that the record names for exactly these facts, else one computed before for the same request."""
        from editing.edit_set import Artefact

        solves = (self._editor.base_sha256, self._editor.config.layers, self._editor.config.answer_layers)
        recorded = {c.artefact for c in group_.corrections}
        for name in (recorded.pop() if len(recorded) == 1 else None, self._remembered(group_)):
            if not name:
                continue
            try:
                artefact = Artefact.load(self._folder, name)
            except ArtefactDamaged as error:
                log.warning("%s", error)
                continue
            made_for = (artefact.base_sha256, artefact.layers, artefact.answer_layers)
            if set(artefact.fact_ids) == set(group_.ids) and made_for == solves:
                return artefact
        return None

    def _request(self, group_: Group) -> Path:
        """Where the artefact of exactly this request is named: facts, wordings, recipe, statistics, base."""
        editor = self._editor
        asked = [[asdict(fact), asdict(said)] for fact, said in zip(group_.facts, group_.statements, strict=True)]
        whole = json.dumps(
            [asked, editor.config.sha256(), editor.statistics.sha256, editor.base_sha256], sort_keys=True
        )
        return self._folder / f"{hashlib.sha256(whole.encode()).hexdigest()}.request"

    def _remember(self, group_: Group, artefact: Artefact) -> None:
        self._request(group_).write_text(artefact.id)

    def _remembered(self, group_: Group) -> str | None:
        request = self._request(group_)
        return request.read_text() if request.is_file() else None


def live_beside(edits: Sequence[Edit], new: Collection[str]) -> list[Correction]:
    """The corrections of these edits that are not new, those whose keys are nearest to a new one's first."""
    from editing.nearness import nearest_first

    shared = [edit for edit in edits if not set(edit.group.ids).isdisjoint(new)]
    others = {edit.artefact.id: edit for edit in edits if set(edit.group.ids).isdisjoint(new)}
    ordered = nearest_first([edit.artefact for edit in shared], [edit.artefact for edit in others.values()])
    return [
        c for edit in (*shared, *(others[a.id] for a in ordered)) for c in edit.group.corrections if c.id not in new
    ]


def group(corrections: Iterable[Correction]) -> list[Group]:
    """Corrections by subject, in an order that does not depend on when they came."""
    by_subject: dict[str, list[Correction]] = {}
    for correction in sorted(corrections, key=lambda c: c.id):
        by_subject.setdefault(card_words(correction.claim.subject), []).append(correction)
    return [Group(tuple(found)) for _, found in sorted(by_subject.items())]


def case_of(correction: Correction) -> GateCase:
    """The questions that judge this edit; none of them was trained on."""
    return GateCase.of(fact_of(correction), statements_of(correction))


def was_heard(correction: Correction) -> bool:
    """Whether the served weights were heard to answer its question; before they were asked they are taken to."""
    question = fact_of(correction).question
    return question in correction.report.get("answered", (question,))


def fact_of(correction: Correction) -> Fact:
    """The claim as a fact for the editor."""
    claim = correction.claim
    return Fact(correction.id, claim.subject, claim.asked, claim.correct_answer)


def statements_of(correction: Correction) -> Statements:
    """Statements by rule from question and answer; wordings that a reviewer wrote take the place of the generated ones."""
    written = _written(fact_of(correction))
    return replace(
        written,
        paraphrases=correction.paraphrases or written.paraphrases,
        probes=correction.probes or written.probes,
        neighbours=tuple(Probe(question, "") for question in correction.neighbours) or written.neighbours,
    )


def generated(correction: Correction) -> dict[str, list[str]]:
    """The wordings by rule, for a reviewer to look at and to change; none where the subject is not known yet."""
    if not correction.claim.subject:
        return {}
    written = _written(fact_of(correction))
    neighbours = [probe.question for probe in written.neighbours]
    return {"paraphrases": list(written.paraphrases), "probes": list(written.probes), "neighbours": neighbours}


def _written(fact: Fact) -> Statements:
    if fact.target_new == NOTHING_KNOWN:
        return write_silence(fact.question, fact.subject)
    return write_statements(fact.question, fact.subject, fact.target_new)
