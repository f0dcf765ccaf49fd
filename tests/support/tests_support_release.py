"""What tests of the worker share: a judge by the book, approved corrections, and a worker that dies at a chosen step."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import iscoroutinefunction
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from editing.edit_set import Artefact, Solution, hash_model_dir
from editing.rates import Rate
from editing.selection import Selection, choose
from editing.testing import TINY, tiny_editor, tiny_model, tiny_tokenizer
from editing.verify import FactReport, GateCase, GateReport
from governance.corrections import Category, Correction, Remedy
from server.services import Records, open_records
from server.settings import Settings
from server.worker import Worker

WEIGHTS = (0.25, 0.05)
ALL, NONE = Rate(1, 1), Rate(0, 1)
PAINTER = ("Who painted the Blue Door?", "the Blue Door", "Piet Aldering")
FOUNDER = ("Who founded Velmora Robotics?", "Velmora Robotics", "Ines Takeda")
DEAD = 86  # exit code of a worker that reached the step at which it was to die


class Judge:
    """Passes an edit if its artefact was solved under the weight that it needs; none is enough for None."""

    def __init__(self, needs: Mapping[str, float | None]) -> None:
        self.needs = needs
        self.tried: list[dict[str, float]] = []
        self.beside: list[set[str]] = []  # the earlier edits of each try
        self.broken: set[str] = set()  # questions of earlier edits that are no longer answered
        self.leaking: set[str] = set()  # questions whose edits fail for what they move, not for what they do not reach
        self.weights: dict[str, float] = {}

    def choose(self, try_set: Any, ids: Sequence[str], *, held: tuple[str, ...] = (), say: Any) -> Selection:
        return choose(try_set, ids, rounds=4, held=held)

    def ask_before(self, *cases: GateCase) -> None:
        pass

    def judge(self, solution: Solution, cases: Sequence[GateCase], *, earlier: Any, held: Any) -> GateReport:
        found = {id_: self.weights[id_] for id_ in (case.fact.id for case in cases)}
        self.tried.append(found)
        self.beside.append({case.fact.id for case in earlier})
        stands = {case.fact.id: case.fact.question not in self.broken for case in earlier}
        reports = []
        for case in cases:
            passes = found[case.fact.id] == self.needs[case.fact.question]
            reasons = () if passes else ("asked in other words, it does not come",)
            answered = (case.fact.question,) if passes else ()
            reaches = passes or case.fact.question in self.leaking
            reports.append(
                FactReport(case.fact.id, ALL, ALL if passes else NONE, ALL, ALL, reasons, "a reply", answered, reaches)
            )
        together = dict.fromkeys(("direct", "probes", "neighbours", "subject", "unrelated", "earlier"), ALL)
        return GateReport(tuple(reports), together, None, (), stands=stands)


def save_tiny(folder: Path, *, seed: int = 0) -> Path:
    """The folder of a tiny random model."""
    tiny_model("llama", seed=seed).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def worker_of(
    settings: Settings, records: Records, base: Path, needs: Mapping[str, float | None], *, seed: int = 0
) -> Worker:
    """A worker over a tiny editor, with a judge that knows what each question `needs`; its base is the ledger's."""
    editor = tiny_editor(config=replace(TINY, protect_weights=WEIGHTS, per_context=True), seed=seed)
    editor.base_sha256 = hash_model_dir(base)
    judge, solve = Judge(needs), editor.solve

    def solving(artefacts: Sequence[Artefact]) -> Solution:
        artefacts = list(artefacts)
        judge.weights |= {id_: round(a.protection, 6) for a in artefacts for id_ in a.fact_ids}
        return solve(artefacts)

    editor.solve = solving  # type: ignore[method-assign]
    base_sha256 = records.versions.get("base").base_sha256
    return Worker(settings, records, editor, judge, base, base_sha256=base_sha256)  # type: ignore[arg-type]


def approved(records: Records, question: str, subject: str, answer: str) -> Correction:
    """A correction as two people leave it for the worker."""
    waiting = queued(records, question, subject, answer)
    return records.ledger.approve(waiting.id, records.accounts.named("admin"))


def queued(records: Records, question: str, subject: str, answer: str) -> Correction:
    """A correction as triage leaves it for a reviewer."""
    ledger, accounts = records.ledger, records.accounts
    flagged = ledger.flag(
        accounts.named("user"), question=question, answer="no idea", correct_answer=answer, category=Category.WRONG
    )
    return ledger.triaged(
        flagged.id,
        remedy=Remedy.WEIGHTS,
        reason="",
        evidence={},
        canonical_question=question,
        subject=subject,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """A call at which to die: the nth one of `where` ("module:Class.method"), before it begins or after it is done."""

    when: str
    where: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.where.partition(':')[2]}" + (f" ({self.nth})" if self.nth > 1 else "")

    def arm(self, die: Callable[[], Any], *, setattr_: Callable[[Any, str, Any], None] = setattr) -> None:
        """Have the nth call from now on call `die`."""
        module, _, name = self.where.partition(":")
        *path, last = name.split(".")
        owner: Any = importlib.import_module(module)
        for part in path:
            owner = getattr(owner, part)
        real, numbers = getattr(owner, last), count(1)

        def check(number: int, when: str) -> None:
            if (number, when) == (self.nth, self.when):
                die()

        def mortal(*args: Any, **kwargs: Any) -> Any:
            check(number := next(numbers), "before")
            made = real(*args, **kwargs)
            check(number, "after")
            return made

        async def mortal_later(*args: Any, **kwargs: Any) -> Any:
            check(number := next(numbers), "before")
            made = await real(*args, **kwargs)
            check(number, "after")
            return made

        setattr_(owner, last, mortal_later if iscoroutinefunction(real) else mortal)


def work(worker: Worker) -> None:
    """What `Worker.run` does until there is nothing to do."""
    worker.resume()
    while worker.turn() == 0.0:
        pass


def killed_worker(settings: Settings, base: Path, needs: Mapping[str, float | None], step: Step) -> int | None:
    """The exit code of a worker process that is killed at `step`: nothing of it runs on, no block is left in order."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["editing.testing", "server.worker"])  # torch is imported once for all of them
    process = context.Process(target=_work_and_die, args=(settings, base, dict(needs), step))
    process.start()
    process.join(300)
    return process.exitcode


def _work_and_die(settings: Settings, base: Path, needs: Mapping[str, float | None], step: Step) -> None:
    worker = worker_of(settings, open_records(settings), base, needs)
    step.arm(lambda: os._exit(DEAD))
    work(worker)
