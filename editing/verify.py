"""The gate: does a set of edits hold in other words, and does anything else move."""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from pathlib import Path

from editing.facts import Fact, Probe
from editing.replies import Reply, goes_in_circles, is_kept
from editing.statements import Statements
from editing.wording import gives, names

Generate = Callable[[Sequence[str]], list[Reply]]


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
class Rate:
    """A share with its 95 % Wilson interval."""

    passed: int
    of: int

    @property
    def share(self) -> float:
        return self.passed / self.of if self.of else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson 1927; (0, 1) where nothing was asked."""
        if not self.of:
            return (0.0, 1.0)
        z, n, p = 1.96, self.of, self.share
        centre, spread = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (max(0.0, (centre - spread) / (1 + z * z / n)), min(1.0, (centre + spread) / (1 + z * z / n)))

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.passed + other.passed, self.of + other.of)

    @classmethod
    def count(cls, outcomes: Iterable[bool | None]) -> "Rate":
        """Of the outcomes that are not None."""
        known = [outcome for outcome in outcomes if outcome is not None]
        return cls(sum(known), len(known))

    def as_dict(self) -> dict[str, float | int]:
        low, high = self.interval
        return {
            "passed": self.passed,
            "of": self.of,
            "share": round(self.share, 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }


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

    blamed  the edits that cost most neighbours or leak most, as many as must leave for the others' sums to hold
    stands  of each earlier edit that was asked about, whether its question is still answered with its answer
    """

    facts: tuple[FactReport, ...]
    rates: Mapping[str, Rate]
    perplexity: tuple[float, float] | None
    reasons: tuple[str, ...]
    blamed: tuple[str, ...] = ()
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
) -> GateReport:
    """Judge a set of edits by replies of the edited model.

    Several edits are first asked about themselves: where one fails they are solved anew without it, and nothing else is asked.

    generate    answers for the edited model, in the serving dtype
    baseline    must hold the unedited model's reply to every kept question (see `questions_before`)
    earlier     edits that are live already and were last heard to hold: asked directly only
    perplexity  before and after, on ordinary text
    """
    own = [q for case in cases for q in (case.fact.question, *case.probes)]
    others = [q for case in cases for q in case.kept_questions] + [case.fact.question for case in earlier]
    others += [probe.question for probe in unrelated]
    after = _ask(generate, own if len(cases) > 1 else [*own, *others])
    facts = tuple(_judge(case, after, baseline, thresholds) for case in cases)
    if len(cases) > 1 and all(report.passes for report in facts):
        after |= _ask(generate, [q for q in others if q not in after])
        facts = tuple(_judge(case, after, baseline, thresholds) for case in cases)
    everyone, asked = Rate(0, 0), list(after)
    unrelated = [probe for probe in unrelated if probe.question in after]
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
        "neighbours": sum((f.neighbours for f in facts), everyone),
        "subject": sum((f.subject for f in facts), everyone),
        "unrelated": Rate.count(_kept(probe, after, baseline, "") for probe in unrelated),
        "earlier": Rate.count(stands.values()),
        "stops": Rate.count(after[q].stopped for q in known_before if _was_short(baseline.replies[q], thresholds)),
        "repeating": Rate.count(goes_in_circles(after[q].text) for q in asked if q not in circled),
    }
    reasons = _release_reasons(rates, perplexity, thresholds.release)
    return GateReport(facts, rates, perplexity, reasons, _blamed(facts, thresholds.release), stands)


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


def _kept(probe: Probe, after: Mapping[str, Reply], baseline: Baseline, new_answer: str) -> bool | None:
    before = baseline.replies[probe.question].text
    return is_kept(probe.question, probe.answer, before, after[probe.question].text, new_answer=new_answer or "\0")


def _judge(case: GateCase, after: Mapping[str, Reply], baseline: Baseline, thresholds: Thresholds) -> FactReport:
    fact, new = case.fact, case.fact.target_new
    answered = tuple(q for q in dict.fromkeys((fact.question, *case.probes)) if gives(after[q].text, new))
    direct = Rate.count([fact.question in answered])
    probes = Rate.count(q in answered for q in case.probes)
    neighbours = Rate.count(_kept(probe, after, baseline, new) for probe in case.neighbours if probe.question in after)
    clean = [q for q in case.same_subject if q in after and not gives(baseline.replies[q].text, new)]
    subject = Rate.count(not gives(after[q].text, new) for q in clean)
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
        if not _holds(name, rates[name], bounds)
    ]
    if rates["repeating"].of and rates["repeating"].interval[0] > bounds["repeating"]:
        reasons.append(f"{rates['repeating'].passed} of {rates['repeating'].of} replies go round in circles")
    if perplexity is not None and perplexity[1] > perplexity[0] * bounds["perplexity_ratio"]:
        reasons.append(f"perplexity rose from {perplexity[0]:.2f} to {perplexity[1]:.2f}")
    return tuple(reasons)


def _holds(name: str, rate: Rate, bounds: Mapping[str, float]) -> bool:
    """A handful of probes cannot tell .80 from .75: there a release fails where even the interval's upper end is too low."""
    by_share = name in ("neighbours", "unrelated") and rate.of >= bounds["enough"]
    return (rate.share if by_share else rate.interval[1]) >= bounds[name]


def _blamed(facts: Sequence[FactReport], bounds: Mapping[str, float]) -> tuple[str, ...]:
    """Those that cost most, until the others' sums hold; nobody if all sums do."""
    kept = _affordable(_affordable(facts, "neighbours", bounds), "subject", bounds)
    return tuple(fact.fact_id for fact in facts if fact not in kept)


def _affordable(facts: Sequence[FactReport], name: str, bounds: Mapping[str, float]) -> list[FactReport]:
    """Without those that lie farthest below the bound, until the others together hold it."""

    def rate(fact: FactReport) -> Rate:
        return getattr(fact, name)  # type: ignore[no-any-return]

    kept = sorted(facts, key=lambda fact: rate(fact).passed - bounds[name] * rate(fact).of, reverse=True)
    while not _holds(name, sum(map(rate, kept), Rate(0, 0)), bounds):
        kept.pop()
    return kept
