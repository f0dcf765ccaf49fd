"""The gate as the worker uses it: the editor's own replies before and after, earlier edits drawn, culprits found."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from editing.facts import Probe
from editing.replies import is_kept
from editing.scoring import perplexity
from editing.selection import Selection, TrySet, choose
from editing.unrelated import load_controls
from editing.verify import Baseline, GateCase, GateReport, Thresholds, gate, questions_before
from editing.wording import contains, names

if TYPE_CHECKING:
    from editing.edit_set import Solution
    from editing.editor import Editor
    from editing.replies import Reply

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """One probe of a preview."""

    kind: str  # direct | paraphrase | neighbour | same subject | unrelated
    question: str
    before: str
    after: str
    ok: bool | None  # None: the unedited model did not know it, so nothing can be kept


class ReleaseGate:
    """Judges solutions by free generation of the editor's model, which is bit-identical before and after each call."""

    def __init__(self, editor: Editor, *, baseline_path: Path, thresholds: Thresholds | None = None) -> None:
        self._editor, self._path = editor, baseline_path
        self._thresholds = thresholds or Thresholds.load()
        self._baseline = Baseline.load(baseline_path)
        self._controls = load_controls()
        self._quiet: float | None = None

    def choose(
        self, try_set: TrySet, ids: Sequence[str], *, held: tuple[str, ...] = (), say: Callable[[str], None]
    ) -> Selection:
        """The largest part of `ids` that passes beside `held`; `try_set` solves and judges a part."""
        tries = 0

        def told(part: Sequence[str], staying: Sequence[str]) -> GateReport:
            nonlocal tries
            tries += 1
            say(f"asking the edited model about {len(part) + len(staying)} new edits (try {tries})")
            report = try_set(part, staying)
            log.info(
                "try %d, %d new edits and %d held: %d fail by themselves, %d for all%s",
                tries,
                len(part),
                len(staying),
                len(report.failed),
                len(report.blamed),
                "".join(f"; {reason}" for reason in report.reasons),
            )
            return report

        return choose(told, ids, rounds=self._thresholds.draw["rounds"], held=held)

    def ask_before(self, *cases: GateCase) -> None:
        """Ask the unedited model what must be known of it to judge these cases, or any."""
        before = len(self._controlled().replies)
        self._baseline.ask(self._generate, questions_before(cases, self._controls.probes))
        if len(self._controlled().replies) > before:
            self._controlled().save(self._path)
        if self._quiet is None:
            self._quiet = self._perplexity()

    def judge(
        self,
        solution: Solution,
        cases: Sequence[GateCase],
        *,
        earlier: Sequence[GateCase],
        held: Collection[str] = (),
    ) -> GateReport:
        """The verdict over new edits `cases` beside `earlier` ones, the nearest first, all of them in `solution`.

        held  the new ones that have passed and stay
        """
        edited = [case.fact.subject for case in (*cases, *earlier)]
        cases = [case.beside(edited) for case in cases]
        self.ask_before(*cases)
        assert self._quiet is not None
        with self._editor.applied(solution):
            after = self._perplexity()
            return gate(
                self._generate,
                cases,
                self._thresholds,
                baseline=self._baseline,
                earlier=self._drawn(earlier),
                unrelated=self._standing(edited),
                perplexity=(self._quiet, after),
                blame=lambda questions: self._parts(solution, questions),
                held=held,
            )

    def _parts(self, solution: Solution, questions: Sequence[str]) -> list[dict[str, float]]:
        """For each question every fact of the solution, with its edit's part in what made the unedited reply less likely."""
        nats = self._editor.blame(solution, [(question, self._baseline.replies[question]) for question in questions])
        worse = nats.clamp(min=0.0)
        parts = worse / worse.sum(dim=1, keepdim=True).clamp(min=1e-12)
        return [
            {fact: part for part, ids in zip(row, solution.fact_ids, strict=True) if part > 0 for fact in ids}
            for row in parts.tolist()
        ]

    def compare(self, solution: Solution, case: GateCase) -> list[BeforeAfter]:
        """What the model says to a fact's probes without and with the solution."""
        asked = [("direct", case.fact.question), *(("paraphrase", q) for q in case.probes)]
        asked += [("neighbour", probe.question) for probe in case.neighbours]
        asked += [("same subject", q) for q in case.same_subject]
        asked += [("unrelated", probe.question) for probe in self._controls.probes[:3]]
        questions = [question for _, question in asked]
        before = self._generate(questions)
        with self._editor.applied(solution):
            after = self._generate(questions)
        known = {probe.question: probe.answer for probe in (*case.neighbours, *self._controls.probes)}
        target = case.fact.target_new
        compared = []
        for (kind, question), old, new in zip(asked, before, after, strict=True):
            ok: bool | None = contains(new.text, target) is (kind in ("direct", "paraphrase"))
            if question in known:
                ok = is_kept(question, known[question], old.text, new.text, new_answer=target)
            compared.append(BeforeAfter(kind, question, old.text, new.text, ok))
        return compared

    def _standing(self, edited: Sequence[str]) -> list[Probe]:
        """The shipped questions that the unedited model answers right and that are about none of these subjects."""
        before = self._baseline.replies
        return [
            probe
            for probe in self._controls.probes
            if contains(before[probe.question].text, probe.answer)
            and not any(names(probe.question, subject) for subject in edited)
        ]

    def _controlled(self) -> Baseline:
        """The replies to the shipped questions: only they are kept on disk, since those about reported facts may name
        people, and an erasure could not find them there."""
        ours = {probe.question for probe in self._controls.probes}
        return Baseline({question: reply for question, reply in self._baseline.replies.items() if question in ours})

    def _drawn(self, earlier: Sequence[GateCase]) -> Sequence[GateCase]:
        """At most so many earlier edits as the thresholds say: half of them the nearest, the others by lot."""
        most = self._thresholds.draw["earlier"]
        near, rest = earlier[: most // 2], earlier[most // 2 :]
        return earlier if len(earlier) <= most else [*near, *random.Random(0).sample(rest, most - len(near))]

    def _generate(self, prompts: Sequence[str]) -> list[Reply]:
        return self._editor.generate(list(prompts), max_tokens=self._thresholds.max_tokens)

    def _perplexity(self) -> float:
        return perplexity(self._editor.decoder, self._editor.chat, self._controls.texts)
