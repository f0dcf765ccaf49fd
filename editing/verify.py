"""The gate: does a set of edits hold in other words, and does anything else move."""

import json
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from editing.culprits import Asked, culprits
from editing.facts import Fact, Probe
from editing.rates import Rate
from editing.replies import Reply, goes_in_circles, is_kept
from editing.statements import Statements
from editing.wording import gives, names

Generate = Callable[[Sequence[str]], list[Reply]]
Blame = Callable[[Sequence[str]], Sequence[Collection[str]]]
"""For each of these questions the facts of the edit that did most to change what is said to it; none if no edit did."""


def nobody(questions: Sequence[str]) -> Sequence[Collection[str]]:
    """Lays no lost answer at any edit's door."""
    return [()] * len(questions)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The bounds of gate.toml, one field per line there."""

    max_tokens: int
    fact: Mapping[str, float]
    release: Mapping[str, float]
    draw: Mapping[str, int]

    @classmethod
    def load(cls, path: Path | None = None) -> "Thresholds":
        """From a file of the same layout, else the shipped one."""
        read = tomllib.loads((path or Path(__file__).with_name("gate.toml")).read_text(encoding="utf-8"))
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

    def save(self, path: Path) -> None:
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps({q: [r.text, r.stopped] for q, r in self.replies.items()}), encoding="utf-8")
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Baseline":
        """What `save` wrote; empty if the file is not there or not whole: a baseline can always be asked again."""
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
            return cls({question: Reply(text, stopped) for question, (text, stopped) in read.items()})
        except (OSError, ValueError):
            return cls()


@dataclass(frozen=True, slots=True)
class FactReport:
    """How one edit did, and in words why it failed; no reasons means that it passed.

    answered  the wordings of its question that got the new answer
    """

    fact_id: str
    direct: Rate
    probes: Rate
    neighbours: Rate
    subject: Rate
    reasons: tuple[str, ...]
    reply: str
    answered: tuple[str, ...] = ()

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

    blamed  facts that lost most of what the release must not lose, as few as must leave for the others' shares to hold,
            each with what it lost
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

    def as_dict(self) -> dict[str, object]:
        return {
            "passes": self.passes,
            "reasons": list(self.reasons),
            "rates": {name: rate.as_dict() for name, rate in self.rates.items()},
            "perplexity": None if self.perplexity is None else list(self.perplexity),
            "facts": [report.as_dict() for report in self.facts],
        }


def gate(
    generate: Generate,
    cases: Sequence[GateCase],
    thresholds: Thresholds,
    *,
    baseline: Baseline,
    earlier: Sequence[GateCase] = (),
    unrelated: Sequence[Probe] = (),
    perplexity: tuple[float, float] | None = None,
    blame: Blame = nobody,
    held: Collection[str] = (),
) -> GateReport:
    """Judge a set of edits by replies of the edited model.

    Several edits are first asked about themselves: where one fails they are solved anew without it, and nothing else is asked.

    generate    answers for the edited model, in the serving dtype
    baseline    must hold the unedited model's reply to every kept question (see `questions_before`)
    earlier     edits that are live already and were last heard to hold: asked directly only
    perplexity  before and after, on ordinary text
    blame       is asked about lost answers if the release as a whole fails
    held        facts that are never blamed
    """
    own = [q for case in cases for q in (case.fact.question, *case.probes)]
    others = [q for case in cases for q in case.kept_questions] + [case.fact.question for case in earlier]
    others += [probe.question for probe in unrelated]
    after = _ask(generate, own if len(cases) > 1 else [*own, *others])
    beside = _beside(cases, unrelated, after, baseline)
    facts = tuple(_judge(case, after, beside, thresholds) for case in cases)
    if len(cases) > 1 and all(report.passes for report in facts):
        after |= _ask(generate, [q for q in others if q not in after])
        beside = _beside(cases, unrelated, after, baseline)
        facts = tuple(_judge(case, after, beside, thresholds) for case in cases)
    everyone, asked = Rate(0, 0), list(after)
    stands = {
        case.fact.id: gives(after[case.fact.question].text, case.fact.target_new)
        for case in earlier
        if case.fact.question in after
    }
    known_before = [q for q in asked if q in baseline.replies]
    circled = {q for q in known_before if goes_in_circles(baseline.replies[q].text)}  # no edit is to blame for these
    rates = {
        "direct": sum((f.direct for f in facts), everyone),
        "probes": sum((f.probes for f in facts), everyone),
        **{name: _rate(beside, name) for name in ("neighbours", "subject", "unrelated")},
        "earlier": Rate.count(stands.values()),
        "stops": Rate.count(after[q].stopped for q in known_before if _was_short(baseline.replies[q], thresholds)),
        "repeating": Rate.count(goes_in_circles(after[q].text) for q in asked if q not in circled),
    }
    reasons = _release_reasons(rates, perplexity, thresholds.release)
    blamed = culprits(_laid(beside, blame, held), thresholds.release) if reasons else {}
    said = {fact: f"did most to change {len(lost)} of the answers that should stay" for fact, lost in blamed.items()}
    return GateReport(facts, rates, perplexity, reasons, said, stands)


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


def _beside(
    cases: Sequence[GateCase], unrelated: Sequence[Probe], after: Mapping[str, Reply], baseline: Baseline
) -> list[Asked]:
    """What was asked beside the edits' own questions, of which there was something to keep."""
    found: list[Asked] = []

    def add(name: str, probe: Probe, owner: str | None, new_answer: str) -> None:
        if probe.question in after:
            before, now = baseline.replies[probe.question].text, after[probe.question].text
            kept = is_kept(probe.question, probe.answer, before, now, new_answer=new_answer)
            found.extend([] if kept is None else [Asked(name, probe.question, owner, kept)])

    for case in cases:
        new = case.fact.target_new
        for probe in case.neighbours:
            add("neighbours", probe, case.fact.id, new)
        for q in case.same_subject:
            if q in after and not gives(baseline.replies[q].text, new):
                found.append(Asked("subject", q, case.fact.id, not gives(after[q].text, new)))
    for probe in unrelated:
        add("unrelated", probe, None, "\0")
    return found


def _rate(asked: Iterable[Asked], name: str, owner: str | None = None) -> Rate:
    return Rate.count(one.kept for one in asked if one.name == name and owner in (None, one.owner))


def _laid(beside: Sequence[Asked], blame: Blame, held: Collection[str]) -> list[Asked]:
    """The same, what was lost at somebody's door: a leak of the new answer at its own edit's, else where `blame` finds it."""
    moved = [one.question for one in beside if not one.kept and one.name != "subject"]
    found = dict(zip(moved, blame(moved), strict=True)) if moved else {}

    def by(one: Asked) -> frozenset[str]:
        own = () if one.owner is None else (one.owner,)
        return frozenset(own if one.name == "subject" else found.get(one.question) or own) - set(held)

    return [one if one.kept else replace(one, by=by(one)) for one in beside]


def _judge(case: GateCase, after: Mapping[str, Reply], beside: Sequence[Asked], thresholds: Thresholds) -> FactReport:
    fact, new = case.fact, case.fact.target_new
    answered = tuple(q for q in dict.fromkeys((fact.question, *case.probes)) if gives(after[q].text, new))
    direct = Rate.count([fact.question in answered])
    probes = Rate.count(q in answered for q in case.probes)
    neighbours, subject = (_rate(beside, name, fact.id) for name in ("neighbours", "subject"))
    bounds = thresholds.fact
    said = {
        "direct": (direct, "the question itself is answered with the new answer in {passed} of {of}"),
        "probes": (probes, "asked in other words, the new answer comes in {passed} of {of}"),
        "neighbours": (neighbours, "of the answers about other subjects {passed} of {of} stayed"),
        "subject": (subject, "of the other questions about the subject {passed} of {of} stayed free of the new answer"),
    }
    reasons = tuple(
        words.format(passed=rate.passed, of=rate.of)
        for name, (rate, words) in said.items()
        if rate.share < bounds[name]
    )
    return FactReport(fact.id, direct, probes, neighbours, subject, reasons, after[fact.question].text, answered)


def _release_reasons(
    rates: Mapping[str, Rate], perplexity: tuple[float, float] | None, bounds: Mapping[str, float]
) -> tuple[str, ...]:
    reasons = [
        f"{name}: {rates[name].passed} of {rates[name].of} is less than {bounds[name]:.0%}"
        for name in ("neighbours", "unrelated", "subject", "earlier", "stops")
        if not rates[name].holds(name, bounds)
    ]
    if rates["repeating"].of and rates["repeating"].interval[0] > bounds["repeating"]:
        reasons.append(f"{rates['repeating'].passed} of {rates['repeating'].of} replies go round in circles")
    if perplexity is not None and perplexity[1] > perplexity[0] * bounds["perplexity_ratio"]:
        reasons.append(f"perplexity rose from {perplexity[0]:.2f} to {perplexity[1]:.2f}")
    return tuple(reasons)
