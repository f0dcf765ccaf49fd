"""Questions for a reason, a manner or an outcome: why did X close, how is X pronounced, what happens if X closes."""

import re

from editing.questions.clauses import clause_of, split_subject
from editing.questions.grammar import (
    AUXILIARIES,
    AUXILIARY,
    PREPOSITIONS,
    PRONOUNS,
    base_and_tense,
    is_base,
    is_participle,
)
from editing.questions.readings import SLOT, Reading, be_of

_REASON = re.compile(r"(?i)(?:because|since|due|owing|thanks|as|so|out of)\b")
_MANNER = re.compile(r"(?i)(?:via|using|as|like|out of)\b")
_INSTRUCTION = re.compile(r"(?i)(?:do|can|could|should|would|must) (?:i|you|we|one|people) (.+)$")
_SAID = re.compile(r"(?:pronounced|spelled|spelt|written|abbreviated)$")


def read_reason(text: str, answer: str) -> Reading | None:
    """Why did {s} close."""
    parts = _inverted(text, "why")
    if parts is None:
        return None
    auxiliary, rest, clause = parts
    before = clause
    if not (_REASON.match(answer) or _begins_with_preposition(answer)):
        told = ("" if not _is_clause(answer) else " that") if answer[:1].islower() else " this:" * _is_clause(answer)
        before = f"the reason why {clause} is{told}"
    return Reading(
        "why", before, embedded=f"why {clause}", asked="why", be=be_of(auxiliary), inverted=f"{auxiliary} {rest}"
    )


def read_manner(text: str, answer: str) -> Reading | None:
    """How did {s} die, where the answer says "by ..."; how do I reset {s}, where it says "hold ..."; how is {s} spelled."""
    parts = _inverted(text, "how")
    if parts is None:
        return None
    auxiliary, rest, clause = parts
    done = _INSTRUCTION.match(f"{auxiliary} {rest}")
    if done and is_base(answer.split()[0].lower()):
        return Reading("manner", f"to {done.group(1)},", embedded=f"how {clause}", asked="how")
    said = be_of(auxiliary) == auxiliary and _SAID.search(clause)
    if not (said or _MANNER.match(answer) or _begins_with_preposition(answer)):
        return None
    return Reading("manner", clause, embedded=f"how {clause}", asked="how", be=be_of(auxiliary), echo=f"{clause} how")


def read_outcome(text: str, answer: str) -> Reading | None:
    """What happens if {s} closes."""
    match = re.match(r"(?i)^what (happens|happened) ((?:if|when|after|once|before|unless|as soon as) .*\{s\}.*)$", text)
    if not match:
        return None
    happens, condition = match.group(1).lower(), match.group(2)
    return Reading("outcome", f"{condition}, this {happens}:", embedded=f"what {happens} {condition}", asked="what")


def _inverted(text: str, word: str) -> tuple[str, str, str] | None:
    """Auxiliary, what stands behind it, and both in the order of a statement."""
    match = re.match(rf"(?i)^{word} ({AUXILIARY}) (.+)$", text)
    if not match:
        return None
    auxiliary, rest = match.group(1).lower(), match.group(2)
    subject, tail = split_subject(rest, auxiliary) or (rest, "")
    if not tail and be_of(auxiliary) == auxiliary and (state := re.match(r"((?:(?:the|an?) )?\{s\}) (.+)$", rest)):
        subject, tail = state.groups()  # "why is {s} red"
    if not tail or SLOT not in rest:
        return None
    return auxiliary, rest, clause_of(subject, auxiliary, tail)


def _begins_with_preposition(answer: str) -> bool:
    return answer.split()[0].lower() in PREPOSITIONS


def _is_clause(answer: str) -> bool:
    """Whether an answer says something by itself, "it was too heavy", and does not name a thing."""
    first, *words = (word.strip(",.").lower() for word in answer.split())
    pasts = (
        word for word in words if (known := base_and_tense(word)) and known[1] == "past" and not is_participle(word)
    )
    return bool(words) and (first in PRONOUNS or not AUXILIARIES.isdisjoint(words) or any(pasts))
