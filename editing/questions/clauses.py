"""Clauses of a question in the order of a statement: "did X die" becomes "X died"."""

import re

from editing.questions.grammar import (
    ADVERBS,
    PREPOSITIONS,
    PRONOUNS,
    is_base,
    is_participle,
    participle,
    past,
    place_preposition,
    takes_passive,
    third_person,
    time_preposition,
)
from editing.questions.readings import SLOT, TIMES, Reading, be_of


def place_or_time(asked: str, answer: str, preposition: str) -> str:
    """The preposition before the answer: the one asked with, before a time the one that the answer takes."""
    noun = asked.split()[-1].lower()
    if noun in TIMES:
        return time_preposition(answer).strip() or preposition
    return preposition


def inverted(shape: str, subject: str, auxiliary: str, tail: str, *, asked: str, answer: str) -> Reading:
    """The reading of a question with its auxiliary before its subject: when | did | {s} | die."""
    words = tail.split()
    if (  # "where do people play {s}" is "where is {s} played"
        subject.lower() in ("they", "people", "someone", "you", "we")
        and auxiliary in ("do", "did")
        and len(words) > 1
        and takes_passive(words[0].lower())
        and (words[1] == SLOT or words[1].lower() in ("the", "a", "an"))
        and tail.endswith(SLOT)
    ):
        verb, thing = words[0], tail[len(words[0]) + 1 :]
        return inverted(shape, thing, be_of(auxiliary), participle(verb.lower()), asked=asked, answer=answer)
    clause = clause_of(subject, auxiliary, tail)
    word = asked.split()[0]
    stranded = bool(words) and words[-1].lower() in ("from", "in", "at", "to", "on")
    little = ""
    if word == "when":
        little = time_preposition(answer)
    elif word == "where" and not stranded:
        moves = re.search(r"(?<!to )\b(go|move|travel|emigrate|sail|flee)$", tail)
        little = "to " if moves else place_preposition(answer)
    return Reading(
        shape,
        f"{clause} {little}".rstrip(),
        embedded=f"{asked} {clause}",
        asked=asked,
        be=be_of(auxiliary),
        inverted=f"{auxiliary} {subject} {tail}".rstrip(),
        echo=f"{clause} {asked}",
    )


def clause_of(subject: str, auxiliary: str, tail: str) -> str:
    """Subject, finite verb and the rest in the order of a statement: did, die -> {s} died."""
    if auxiliary not in ("do", "does", "did"):
        return f"{subject} {auxiliary} {tail}".rstrip()
    words = tail.split()
    adverbs = []
    while words and words[0].lower() in ADVERBS and len(words) > 1:
        adverbs.append(words.pop(0))
    if not words:
        return subject
    verb = words[0].lower()
    form = past(verb) if auxiliary == "did" else third_person(verb) if auxiliary == "does" else verb
    return " ".join([subject, *adverbs, form, *words[1:]])


_NO_PREDICATES = frozenset(["and", "or", "of", "who", "which", "that"])
_NO_VERBS = _NO_PREDICATES | {"the", "a", "an"}


def split_subject(text: str, auxiliary: str) -> tuple[str, str] | None:
    """Split "the first series of {s} air in Britain" into subject and rest."""
    words = text.split()
    if words[0].lower() in PRONOUNS and len(words) > 1:
        return words[0], " ".join(words[1:])
    slot = next((index for index, word in enumerate(words) if SLOT in word), None)
    if slot is None:
        return None
    does = auxiliary in ("do", "does", "did", "can", "will", "would")
    for index in range(1, len(words)):
        word = words[index].lower().strip(",")
        previous = words[index - 1].lower()
        if index <= slot and (previous in PREPOSITIONS or previous in ("the", "a", "an")):
            continue
        if index <= slot:
            fits = (
                is_base(word)
                if does
                else (is_participle(word) and words[0].lower() not in ("the", "a", "an") and SLOT not in word)
            )
        else:
            barred = _NO_VERBS if does else _NO_PREDICATES
            next_to_it = index == slot + 1 and words[slot].endswith(SLOT) and word not in barred
            fits = (is_base(word) if does else is_participle(word)) or next_to_it
        if fits and (word in ADVERBS or not does or index > slot or is_base(word)):
            while index > 1 and words[index - 1].lower() in ADVERBS:
                index -= 1
            return " ".join(words[:index]), " ".join(words[index:])
    return None if does else (text, "")
