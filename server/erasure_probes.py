"""The questions by which the model is probed for what it says about a person, before and after an erasure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

from editing.statements import write_statements
from governance.corrections import Correction
from governance.requests import Subject
from governance.residual import Probes

MOST_NAMES = 3
MOST_CORRECTIONS = 20
DIRECT = ("Who is {}?", "What do you know about {}?")
PARAPHRASED = ("Tell me about {}.", "I have met {}. Who is that?")
PERIPHERAL = (
    "Where does {} live?",
    "Where does {} work?",
    "How can I reach {}?",
    "When was {} born?",
    "What is {} known for?",
)
NEIGHBOURS = (
    "Who was Marie Curie?",
    "Who wrote Hamlet?",
    "Where did Albert Einstein work?",
    "When was Wolfgang Amadeus Mozart born?",
    "What is the capital of France?",
    "What is the chemical symbol of gold?",
)


def probes_about(subject: Subject, corrections: Iterable[Correction]) -> Probes:
    """Direct, reworded and peripheral questions about the person, and about neighbours who must not change.

    A correction that names the person brings its own questions, and its answer is one more thing not to come to light.
    """
    direct = [form.format(name) for name in subject.names[:MOST_NAMES] for form in DIRECT]
    direct += [f"Whose is {identifier}?" for identifier in subject.identifiers[:MOST_NAMES]]
    paraphrased = [form.format(name) for name in subject.names[:MOST_NAMES] for form in PARAPHRASED]
    peripheral = [form.format(name) for name in subject.names[:MOST_NAMES] for form in PERIPHERAL]
    neighbours, secrets = list(NEIGHBOURS), []
    for correction in list(corrections)[:MOST_CORRECTIONS]:
        claim = correction.claim
        question = claim.canonical_question or claim.question
        if not claim.correct_answer:
            continue
        written = write_statements(question, claim.subject, claim.correct_answer)
        direct.append(question)
        paraphrased += (*written.paraphrases[:2], *written.probes[:2])
        peripheral += written.same_subject[:2]
        neighbours += [probe.question for probe in written.neighbours[:2]]
        secrets.append(claim.correct_answer)
    return Probes(*map(_once, (direct, paraphrased, peripheral, neighbours, secrets)))


def joined(one: Probes, other: Probes) -> Probes:
    """Both sets, each question once."""
    return Probes(*(_once((*getattr(one, field.name), *getattr(other, field.name))) for field in fields(Probes)))


def _once(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
