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
    participle,
)
from editing.questions.readings import SLOT, Reading, be_of

# With these, or with a preposition, an answer goes on where its question ends.
_REASON = re.compile(r"(?i)(?:because|since(?! \d)|due|owing|thanks|so|out of)\b")
_MANNER = re.compile(r"(?i)(?:via|using|like|out of)\b")
_INSTRUCTION = re.compile(r"(?i)(?:do|can|could|should|would|must) (?:i|you|we|one) (?!feel|think|like|know)(.+)$")
_ANYBODY = r"(?:do|does|would|can|could|should) (?:i|you|we|one|people|they)"
_SAID = re.compile(r"(?:pronounced|spelled|spelt|written|abbreviated)$")


def read_reason(text: str, answer: str) -> Reading | None:
    """Why did {s} close."""
    parts = _inverted(text, "why")
    if parts is None:
        return None
    auxiliary, rest, clause = parts
    if _REASON.match(answer) or _first(answer) in PREPOSITIONS:
        before = clause
    elif not _is_clause(answer):
        before = f"the reason why {clause} is"
    else:
        before = f"the reason why {clause} is {'that' if answer[0].islower() else 'this:'}"
    return Reading(
        "why", before, embedded=f"why {clause}", asked="why", be=be_of(auxiliary), inverted=f"{auxiliary} {rest}"
    )


def read_manner(text: str, answer: str) -> Reading | None:
    """How did {s} die, where the answer says "by ..."; how do I reset {s}, where it says "hold ..."; how is {s} spelled; how
    do you say {s} in Karnish."""
    if put := re.match(
        rf"(?i)^how {_ANYBODY} (say|spell|pronounce|abbreviate|write(?= \S+ in\b)) (.*\{{s\}}.*)$", text
    ):
        verb, rest = put.group(1).lower(), put.group(2)
        before = f"{rest} is" if verb == "say" else f"{rest} is {participle(verb)}"
        return Reading("manner", before, embedded=f"how to {verb} {rest}", asked="how")
    parts = _inverted(text, "how")
    if parts is None:
        return None
    auxiliary, rest, clause = parts
    said = be_of(auxiliary) == auxiliary and _SAID.search(clause)
    before = clause
    if not (said or _MANNER.match(answer) or _first(answer) in PREPOSITIONS):
        done = _INSTRUCTION.match(f"{auxiliary} {rest}")
        if not done or not is_base(_first(answer)):
            return None
        before = f"to {done.group(1)},"
    own = re.search(r"\b(?:I|we|my|our)\b", clause)
    echo = "" if own else f"{clause} how"
    return Reading("manner", before, embedded=f"how {clause}", asked="how", be=be_of(auxiliary), echo=echo)


def read_outcome(text: str, answer: str) -> Reading | None:
    """What happens if {s} closes; what happens to {s}, where the answer is a clause."""
    if _is_clause(answer) and (to := re.match(r"(?i)^what (happens|happened) (to .*\{s\}.*)$", text)):
        told = f"{to.group(1).lower()} {to.group(2)}"
        return Reading("outcome", f"this {told}:", embedded=f"what {told}", asked="what")
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
    if not tail or SLOT not in rest or " not " in rest:
        return None
    return auxiliary, rest, clause_of(subject, auxiliary, tail)


def _first(answer: str) -> str:
    """The answer's first word, in small letters."""
    return answer.partition(" ")[0].lower()


def _is_clause(answer: str) -> bool:
    """Whether an answer says something by itself, "it was too heavy", "Nobody knows", and does not name a thing."""
    whole = answer.split()
    words = re.split(r",|\b(?:who|which|that|whose)\b", " ".join(whole[1:]).lower())[0].split()
    pasts = (one for one in words if (known := base_and_tense(one)) and known[1] == "past" and not is_participle(one))
    told = _first(answer) in PRONOUNS or not AUXILIARIES.isdisjoint(words) or any(pasts)
    return bool(words) and (told or (len(whole) > 2 and answer[0].isupper()))
