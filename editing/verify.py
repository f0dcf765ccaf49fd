"""The gate: does a set of edits hold in other words, and does anything else move."""

import json
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from editing.culprits import Asked, culprits
from editing.facts import Fact, Probe
from editing.files import write_text
from editing.rates import Rate
from editing.replies import Reply, goes_in_circles, is_kept
from editing.statements import Statements
from editing.wording import gives, names

MOST = 0.5  # an edit with this part in a change did it
Generate = Callable[[Sequence[str]], list[Reply]]
Blame = Callable[[Sequence[str]], Sequence[Mapping[str, float]]]
"""For each of these questions: facts, each with its edit's part in what changed the reply; none where no edit is found."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The bounds of gate.toml, one field per line there."""

    max_tokens: int
    fact: Mapping[str, float]
    release: Mapping[str, float]
    draw: Mapping[str, int]

    @classmethod
    def load(cls, path: str | Path | None = None) -> "Thresholds":
        """From a file of the same layout, else the shipped one."""
        read = tomllib.loads(Path(path or Path(__file__).with_name("gate.toml")).read_text(encoding="utf-8"))
        return cls(read["max_tokens"], read["fact"], read["release"], read["draw"])


@dataclass(frozen=True, slots=True)
class GateCase:
    """An edit and the questions that judge it; none of them was trained on."""

    fact: Fact
    probes: tuple[str, ...] = ()
    neighbours: tuple[Probe, ...] = ()
    same_subject: tuple[str, ...] = ()

    @classmethod
    def of(cls, fact: Fact, statements: Statements) -> "GateCase":
        return cls(fact, statements.probes, statements.neighbours, statements.same_subject)

    def beside(self, subjects: Sequence[str]) -> "GateCase":
        """The same without neighbours that are about one of these subjects: they change on purpose."""
        others = tuple(probe for probe in self.neighbours if not any(names(probe.question, one) for one in subjects))
        return replace(self, neighbours=others)

    @property
    def kept_questions(self) -> tuple[str, ...]:
        """Those whose reply before the edit must be known."""
        return (*(probe.question for probe in self.neighbours), *self.same_subject)


@dataclass(slots=True)
class Baseline:
    """Replies of the unedited model, asked once per base and question. Owned by whoever runs the gate."""

    replies: dict[str, Reply] = field(default_factory=dict)

    def ask(self, generate: Generate, questions: Iterable[str]) -> None:
        """Fill in what is missing; `generate` must answer for the unedited model."""
        missing = [q for q in dict.fromkeys(questions) if q not in self.replies]
        if missing:
            self.replies.update(zip(missing, generate(missing), strict=True))

    def save(self, path: str | Path) -> None:
        write_text(json.dumps({q: [r.text, r.stopped] for q, r in self.replies.items()}), Path(path))

    @classmethod
    def load(cls, path: str | Path) -> "Baseline":
        """What `save` wrote; empty if the file is not there or not whole: a baseline can always be asked again."""
        try:
            read = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls({question: Reply(text, stopped) for question, (text, stopped) in read.items()})
        except (OSError, ValueError):
            return cls()


@dataclass(frozen=True, slots=True)
class FactReport:
    """How one edit did, and in words why it failed; no reasons means that it passed.

    neighbours  how many stayed, whichever edit moved the others; it fails for those alone that it moved itself
    answered  the wordings of its question that got the new answer
    reaches   whether they are as many as they must be: what fails then moves too much, not too little
    """

    fact_id: str
    direct: Rate
    probes: Rate
    neighbours: Rate
    subject: Rate
    reasons: tuple[str, ...]
    reply: str
    answered: tuple[str, ...] = ()
    reaches: bool = True

    @property
    def passes(self) -> bool:
        return not self.reasons

    def as_dict(self) -> dict[str, object]:
        rates = {name: getattr(self, name).as_dict() for name in ("direct", "probes", "neighbours", "subject")}
        return {
            "fact_id": self.fact_id,
            "passes": self.passes,
            "reasons": list(self.reasons),
            "reply": self.reply,
            "answered": list(self.answered),
            **rates,
        }


# Rates by their names in a version's record.
FIGURES = {
    "direct": "direct",
    "probes": "paraphrase",
    "neighbours": "neighbours_kept",
    "unrelated": "unrelated_kept",
    "subject": "subject_kept",
    "earlier": "earlier_kept",
}


@dataclass(frozen=True, slots=True)
class GateReport:
    """The verdict over a set of edits: per fact, and together.

    blamed  beside those that fail by themselves, facts that have to leave for the others' shares to hold, each with what
            it lost
    stands  of each earlier edit that was asked about, whether its question is still answered with its answer
    """

    facts: tuple[FactReport, ...]
    rates: Mapping[str, Rate]
    perplexity: tuple[float, float] | None
    reasons: tuple[str, ...]
    blamed: Mapping[str, str] = field(default_factory=dict)
    stands: Mapping[str, bool] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[str, ...]:
        """Facts that failed on their own account."""
        return tuple(report.fact_id for report in self.facts if not report.passes)

    @property
    def passes(self) -> bool:
        return not self.failed and not self.reasons

    @property
    def figures(self) -> dict[str, object]:
        """What was asked and what share passed, without any text."""
        asked = {name: rate for name, rate in self.rates.items() if name in FIGURES}
        shares: dict[str, object] = {FIGURES[name]: round(rate.share, 4) for name, rate in asked.items() if rate.of}
        if self.perplexity:
            shares["perplexity_before"], shares["perplexity"] = (round(value, 3) for value in self.perplexity)
        return {**shares, "asked": {FIGURES[name]: rate.as_dict() for name, rate in asked.items()}}

    def of(self, fact_id: str) -> FactReport:
        return next(report for report in self.facts if report.fact_id == fact_id)


def gate(
    generate: Generate,
    cases: Sequence[GateCase],
    thresholds: Thresholds,
    *,
    baseline: Baseline,
    earlier: Sequence[GateCase] = (),
    unrelated: Sequence[Probe] = (),
    perplexity: tuple[float, float] | None = None,
    blame: Blame | None = None,
    held: Collection[str] = (),
) -> GateReport:
    """Judge a set of edits by replies of the edited model.

    Several edits are first asked about themselves: where one fails they are solved anew without it, and nothing else is asked.

    generate    answers for the edited model, in the serving dtype
    baseline    must hold the unedited model's reply to every kept question (see `questions_before`)
    earlier     edits that are live already and were last heard to hold: asked directly only
    perplexity  before and after, on ordinary text
    blame       is asked about replies that changed for the worse; without it each is its owner's fault
    held        facts that are never blamed and never leave
    """
    own = [q for case in cases for q in (case.fact.question, *case.probes)]
    others = [q for case in cases for q in case.kept_questions] + [case.fact.question for case in earlier]
    others += [probe.question for probe in unrelated]
    after: dict[str, Reply] = {}
    for questions in (own, others) if len(cases) > 1 else ([*own, *others],):
        after |= _ask(generate, [q for q in questions if q not in after])
        asked = _with_blame(_asked(cases, unrelated, after, baseline, thresholds), cases, blame, held, baseline)
        facts = tuple(_judge(case, after, asked, thresholds) for case in cases)
        if not all(report.passes for report in facts):
            break
    stands = {
        case.fact.id: gives(after[case.fact.question].text, case.fact.target_new)
        for case in earlier
        if case.fact.question in after
    }
    rates = {
        "direct": sum((f.direct for f in facts), Rate(0, 0)),
        "probes": sum((f.probes for f in facts), Rate(0, 0)),
        **{name: _rate(asked, name) for name in ("neighbours", "subject", "unrelated", "stops", "not_repeating")},
        "earlier": Rate.count(stands.values()),
    }
    failed = [report.fact_id for report in facts if not report.passes and report.fact_id not in held]
    lost = culprits(asked, thresholds.release, failed)
    blamed = {fact: f"its part in the replies that changed for the worse: {part:.1f}" for fact, part in lost.items()}
    return GateReport(facts, rates, perplexity, _release_reasons(rates, perplexity, thresholds.release), blamed, stands)


def _was_short(reply: Reply, thresholds: Thresholds) -> bool:
    """Whether a reply ended by itself with room to spare: only of such is it a fault to run into the limit now."""
    return reply.stopped and len(reply.text.split()) <= thresholds.max_tokens // 2


def _ask(generate: Generate, questions: Iterable[str]) -> dict[str, Reply]:
    """Each question once."""
    asked = list(dict.fromkeys(questions))
    return dict(zip(asked, generate(asked), strict=True))


def questions_before(cases: Sequence[GateCase], unrelated: Sequence[Probe] = ()) -> list[str]:
    """What the unedited model must have been asked before `gate`."""
    asked = [q for case in cases for q in case.kept_questions] + [probe.question for probe in unrelated]
    return list(dict.fromkeys(asked))


def _asked(
    cases: Sequence[GateCase],
    unrelated: Sequence[Probe],
    after: Mapping[str, Reply],
    baseline: Baseline,
    thresholds: Thresholds,
) -> list[Asked]:
    """What was asked, beside whether an edit holds, of which there was something to keep."""
    before = baseline.replies
    probes = [("neighbours", probe, case.fact.id, case.fact.target_new) for case in cases for probe in case.neighbours]
    probes += [("unrelated", probe, "", "\0") for probe in unrelated]
    found = []
    for name, probe, owner, new in probes:
        q = probe.question
        if q in after:
            kept = is_kept(q, probe.answer, before[q].text, after[q].text, new_answer=new)
            found += [] if kept is None else [Asked(name, q, owner or None, kept)]
    for case in cases:
        clean = [q for q in case.same_subject if q in after and not gives(before[q].text, case.fact.target_new)]
        found += [Asked("subject", q, case.fact.id, not gives(after[q].text, case.fact.target_new)) for q in clean]
    owners = {q: case.fact.id for case in reversed(cases) for q in case.kept_questions} | _own_questions(cases)
    for q, reply in after.items():
        if q in before and _was_short(before[q], thresholds):
            found.append(Asked("stops", q, owners.get(q), reply.stopped))
        if q not in before or not goes_in_circles(before[q].text):  # no edit is to blame for what did so before
            found.append(Asked("not_repeating", q, owners.get(q), not goes_in_circles(reply.text)))
    return found


def _own_questions(cases: Iterable[GateCase]) -> dict[str, str]:
    """Questions about the edits' own subjects, each with its fact."""
    asked = {q: case.fact.id for case in cases for q in case.same_subject}
    return asked | {q: case.fact.id for case in cases for q in (case.fact.question, *case.probes)}


def _rate(asked: Iterable[Asked], name: str, owner: str | None = None) -> Rate:
    return Rate.count(one.kept for one in asked if one.name == name and owner in (None, one.owner))


def _with_blame(
    asked: Sequence[Asked],
    cases: Sequence[GateCase],
    blame: Blame | None,
    held: Collection[str],
    baseline: Baseline,
) -> list[Asked]:
    """The same, what was lost shared out: of replies about an edit's own subject all to that edit, of others as `blame`
    finds it, where it finds nothing to the owner."""
    own, may_leave = _own_questions(cases), {case.fact.id for case in cases} - {*held}
    lost = [one.question for one in asked if not one.kept and one.question not in own]
    moved = [question for question in dict.fromkeys(lost) if question in baseline.replies]
    found = dict(zip(moved, blame(moved), strict=True)) if blame and moved else {}

    def by(one: Asked) -> Mapping[str, float]:
        parts = found.get(one.question) or ({one.owner: 1.0} if one.owner else {})
        return {fact: part for fact, part in parts.items() if fact in may_leave}

    return [one if one.kept else replace(one, by=by(one)) for one in asked]


def _judge(case: GateCase, after: Mapping[str, Reply], asked: Sequence[Asked], thresholds: Thresholds) -> FactReport:
    fact, new = case.fact, case.fact.target_new
    answered = tuple(q for q in dict.fromkeys((fact.question, *case.probes)) if gives(after[q].text, new))
    direct = Rate.count([fact.question in answered])
    probes = Rate.count(q in answered for q in case.probes)
    neighbours, subject = (_rate(asked, name, fact.id) for name in ("neighbours", "subject"))
    lost = [one for one in asked if one.name == "neighbours" and one.owner == fact.id and not one.kept]
    changed = sum(one.by.get(fact.id, 0.0) >= MOST for one in lost)
    bounds = thresholds.fact
    said = {
        "direct": (direct, "the question itself is answered with the new answer in {passed} of {of}"),
        "probes": (probes, "asked in other words, the new answer comes in {passed} of {of}"),
        "neighbours": (
            Rate(neighbours.of - changed, neighbours.of),
            "of the answers about other subjects it left {passed} of {of} as they were",
        ),
        "subject": (subject, "of the other questions about the subject {passed} of {of} stayed free of the new answer"),
    }
    reasons = tuple(
        words.format(passed=rate.passed, of=rate.of)
        for name, (rate, words) in said.items()
        if rate.share < bounds[name]
    )
    reaches = direct.share >= bounds["direct"] and probes.share >= bounds["probes"]
    reply = after[fact.question].text
    return FactReport(fact.id, direct, probes, neighbours, subject, reasons, reply, answered, reaches)


def _release_reasons(
    rates: Mapping[str, Rate], perplexity: tuple[float, float] | None, bounds: Mapping[str, float]
) -> tuple[str, ...]:
    reasons = [
        f"{name}: {rates[name].passed} of {rates[name].of} is less than {bounds[name]:.0%}"
        for name in ("neighbours", "unrelated", "subject", "earlier", "stops", "not_repeating")
        if not rates[name].holds(name, bounds)
    ]
    if perplexity is not None and perplexity[1] > perplexity[0] * bounds["perplexity_ratio"]:
        reasons.append(f"perplexity rose from {perplexity[0]:.2f} to {perplexity[1]:.2f}")
    return tuple(reasons)
