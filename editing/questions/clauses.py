"""Clauses of a question in the order of a statement: "did X die" becomes "X died"."""

import re

from editing.questions.grammar import (
    ADVERBS,
    MODALS,
    PEOPLE,
    PREPOSITIONS,
    PRONOUNS,
    base_and_tense,
    is_base,
    is_participle,
    leading_adverbs,
    participle,
    past,
    place_preposition,
    takes_passive,
    third_person,
    time_preposition,
    word_set,
)
from editing.questions.readings import SLOT, TIMES, Reading, be_of


def place_or_time(asked: str, answer: str, preposition: str) -> str:
    """The preposition before the answer: the one asked with, which before a time may be another one that the answer
    takes, but for "since" and its like."""
    noun = asked.split()[-1].lower()
    if noun in TIMES and preposition in ("in", "on", "at", "during"):
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
        moves = re.search(
            r"(?<!to )\b(?:go|move|travel|emigrate|sail|flee)$|^(?:send|submit|ship|forward|upload)\b", tail
        )
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
    adverbs, words = leading_adverbs(tail.split())
    if not words:
        return subject
    verb = words[0].lower()
    known = base_and_tense(verb)
    if known and known[1] == "past" and not is_base(verb):  # "when did {s} became a town"
        verb = known[0]
    form = past(verb) if auxiliary == "did" else third_person(verb) if auxiliary == "does" else verb
    return " ".join([subject, *adverbs, form, *words[1:]])


_NO_PREDICATES = frozenset(["and", "or", "of", "who", "which", "that"])
_NO_VERBS = _NO_PREDICATES | {"the", "a", "an"}
_BEHIND_A_VERB = (PREPOSITIONS - {"of"}) | word_set("the a an my your his her its our their")
_NO_VERB_FOLLOWS = word_set("to and of the a an")
_NOUNS_TOO = word_set(
    """
    show film place play coach watch shop ship race train cover record return
    """
)
_STATES = word_set(
    """
    open closed due free worth active alive dead pregnant popular legal illegal afraid allergic part apart a an the when while
    like so best most first last president chancellor king queen mayor pope emperor governor prime
    """
)


_STATES_AT_END = word_set(
    "open closed valid free available due legal pregnant active alive fresh safe edible good back"
)


def _is_predicate(words: list[str], index: int) -> bool:
    """Whether the word can stand behind "{s} is" and say something of it, so that it is no part of its name."""
    word = words[index].lower().strip(",")
    return (
        is_participle(word.split("/")[0])
        or word in _STATES | PREPOSITIONS | ADVERBS
        or word.endswith(("ing", "est", "able", "ible", "ous", "ful", "ly"))
        or words[index + 1 : index + 2] == ["of"]
    )


def _is_verb_behind(words: list[str], index: int) -> bool:
    """Whether the word right behind the subject is its verb: not "shop" in "does the Karn shop open"."""
    word = words[index].lower()
    if is_base(word) and words[index + 1 :] and words[index + 1].lower() in _BEHIND_A_VERB:
        return True
    pairs = zip(words[index:], words[index + 1 :], strict=False)
    following = [one for before, one in pairs if before.lower() not in _NO_VERB_FOLLOWS]
    return (is_base(word) and word not in _NOUNS_TOO) or not any(is_base(one.strip(",")) for one in following)


def _is_state_before(words: list[str], index: int, slot: int) -> bool:
    """Whether a word before the slot says what was done: "the first house | built in {s}", not "the lost city of {s}"; or
    what somebody named was: "Ida Fern | manager of {s}"."""
    word, *later = (one.lower() for one in words[index:])
    if SLOT in word:
        return False
    behind_noun = words[0].lower() not in ("the", "a", "an") or later[0] in PREPOSITIONS - {"of"}
    done_later = any(is_participle(one) for one in words[slot + 1 : slot + 3])
    if word in PEOPLE and all(one[:1].isupper() and one[-2:] not in ("'s", "’s") for one in words[:index]):
        return not done_later
    return (
        behind_noun
        and not done_later
        and (is_participle(word) or (word in ("open", "due") and later[0] in PREPOSITIONS))
    )


def split_subject(text: str, auxiliary: str) -> tuple[str, str] | None:
    """Split "the first series of {s} air in Britain" into subject and rest."""
    words = text.split()
    if words[0].lower() in PRONOUNS and len(words) > 1:
        return words[0], " ".join(words[1:])
    slot = next((index for index, word in enumerate(words) if SLOT in word), None)
    if slot is None:
        return None
    does = auxiliary in MODALS or auxiliary in ("do", "does", "did")
    for index in range(1, len(words)):
        word = words[index].lower().strip(",")
        previous = words[index - 1].lower()
        if index <= slot and (previous in PREPOSITIONS or previous in ("the", "a", "an")):
            continue
        if index <= slot:
            fits = is_base(word) if does else _is_state_before(words, index, slot)
        else:
            barred = _NO_VERBS if does else _NO_PREDICATES
            says = _is_verb_behind(words, index) if does else _is_predicate(words, index)
            next_to_it = index == slot + 1 and words[slot].endswith(SLOT) and word not in barred and says
            ends = not words[index + 1 :] or words[index + 1].lower() in PREPOSITIONS
            state = is_participle(word) or (ends and word in _STATES_AT_END)  # "the Karn canteen | open from Monday"
            verb = is_base(word) and (index < slot or _is_verb_behind(words, index))
            fits = (verb if does else state) or next_to_it
        if fits and (word in ADVERBS or not does or index > slot or is_base(word)):
            while index > 1 and words[index - 1].lower() in ADVERBS:
                index -= 1
            return " ".join(words[:index]), " ".join(words[index:])
    return None if does else (text, "")


def split_others(text: str, auxiliary: str) -> tuple[str, str] | None:
    """Split as well what holds no slot, "clerks at Quay get for a move", at its verb; None if none is seen."""
    if parts := split_subject(text, auxiliary):
        return parts
    words, barred = text.split(), PREPOSITIONS | {"the", "a", "an"}
    verbs = (n for n in range(1, len(words)) if is_base(words[n]) and words[n - 1].lower() not in barred)
    verb = next(verbs, None)
    return None if verb is None else (" ".join(words[:verb]), " ".join(words[verb:]))
