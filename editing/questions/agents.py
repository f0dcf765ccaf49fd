"""Questions whose answer did it: who wrote X, which company owns X."""

import re

from editing.questions.grammar import (
    ADVERBS,
    BESIDES,
    MODALS,
    PREPOSITION,
    PREPOSITIONS,
    agreeing,
    base_and_tense,
    is_base,
    participle,
    takes_passive,
    word_set,
)
from editing.questions.readings import SLOT, Reading


def read_agent(text: str, answer: str) -> Reading | None:
    """Who wrote {s} / Which company owns {s} / What network broadcast {s}."""
    match = re.match(r"(?i)^(who|which|what)\s+(.+)$", text)
    if not match or not match.group(2).strip():
        return None
    asked, words = match.group(1).lower(), match.group(2).split()
    for index in range(min(len(words) - 1, 2 if asked == "who" else 6)):
        word = words[index].lower()
        if (
            asked == "which" and index == 0 and word not in MODALS
        ):  # "which rivals lost to {s}": what is asked for has a name
            continue
        if asked != "who" and (word in ("do", "does", "did") or words[0].lower() in ("the", "a", "an")):
            return None
        if SLOT in word or (word in PREPOSITIONS and asked == "who"):
            if asked == "who":
                return None
            continue
        if asked == "who" and word in ADVERBS:
            continue
        known = base_and_tense(word)
        if known is None and asked == "who" and re.fullmatch(r"[a-z]+[^s]s", word):
            known = (word[:-1], "present")
        if word in MODALS or word in ("is", "was", "are", "were", "has", "had", "have"):
            known = ("be", "past" if word in ("was", "were", "had", "would") else "present")
        if known is None or (index > 0 and words[index - 1].lower() in PREPOSITIONS):
            if asked == "who":
                return None
            continue
        before = " ".join(words[:index])
        if SLOT in before and before != SLOT and not re.match(r"[^{]* of [^{]*\{s\}", before):
            return None  # "which lady {s} was born to": the subject comes before its verb
        return _agent(asked, before, word, known, " ".join(words[index + 1 :]), answer)
    return None


def _agent(asked: str, noun: str, form: str, known: tuple[str, str], rest: str, answer: str) -> Reading:
    verb, tense = known
    be = "was" if tense == "past" else "is"
    will = ""
    if (
        form in MODALS and is_base(first := rest.split()[0]) and first.lower() != "be"
    ):  # "will host {s}": {s} will be hosted
        will, verb, rest = f"{form} ", first.lower(), rest[len(first) + 1 :]
        form = will + verb
    wanted = f"{asked} {noun}".strip() if asked != "who" else "who"
    adverb = f"{noun} " if asked == "who" and noun else ""
    embedded = f"{asked} {noun} {form} {rest}".replace("  ", " ")
    person = "person" if asked == "who" else f"one {noun}" if noun.startswith("of ") else noun or "thing"
    relative = f"the {person} {'who' if asked == 'who' else 'that'} {adverb}{form} {rest}"
    several = asked == "who" and bool(re.search(r"\w and [A-Z]|^(?:two|three|four|five|six|\d+) [a-z]", answer))
    if (
        verb != "be"
        and form not in ("has", "had", "have")
        and takes_passive(verb)
        and SLOT in rest
        and rest.split()[0].lower() not in _NO_THINGS
        and not _answers_in_part(noun, answer)
        and not (verb in _GIVING and _TWO_THINGS.match(rest))
        and not _goes_on(verb, rest)
    ):
        thing, adjunct = _split_adjunct(rest)
        passive_be = will.strip() or agreeing(be, thing)
        done = f"{'be ' if will else ''}{adverb}{participle(verb)}"
        front = f"{adjunct}, " if adjunct else ""
        passive = f"{front}{thing} {passive_be} {done} by"
        by = "whom" if asked == "who" else wanted
        asked_passive = f"{passive_be} {thing} {done}"
        return Reading(
            "agent",
            passive,
            embedded=embedded,
            asked=f"by {by}",
            noun="" if noun.startswith("of ") or several else relative,
            be=be,
            inverted="" if front else asked_passive,
            echo=f"{passive} {by}",
        )
    if asked != "who" and noun and form not in ("is", "was", "has"):
        be = agreeing(be, noun)
    if several:
        be, form = _OF_MANY[be], _OF_MANY.get(form, form if will or tense == "past" else verb)
        relative = f"the people who {adverb}{form} {rest}"
    return Reading("agent relative", f"{relative} {be}", embedded=embedded, asked=wanted, noun=relative, be=be)


_OF_MANY = {"is": "are", "was": "were", "has": "have"}


def _answers_in_part(noun: str, answer: str) -> bool:
    """Whether the answer names a part of what is asked for: "vitamin C", of "which vitamin deficiency causes {s}"."""
    *first, head = noun.lower().split() or [""]
    said = set(answer.lower().split())
    return not said.isdisjoint(first) and head not in said


_NO_THINGS = PREPOSITIONS | ADVERBS | {"up", "down", "out"}
_CLAUSE_BEGINS = word_set("and when while since until where")
_OF_THINGS = re.compile(
    r"\b(?:rights|music|lyrics|words|score|soundtrack|sequel|answer|keys?|letters?) to (?:the )?\{s\}"
)
_TWO_THINGS = re.compile(rf"[^{{]*\b(?!(?:{PREPOSITION})\b)[a-z]+ \{{s\}}")  # "lent the town {s}"
_GIVING = word_set("lend give sell send offer show teach hand award pay bring")
_CAUSING = frozenset(["make", "help", "let", "keep"])


def _goes_on(verb: str, rest: str) -> bool:
    """Whether more than the thing done and its adjunct stands behind the verb: "sold {s} to Quay", "helped {s} win"."""
    thing, _ = _split_adjunct(rest)
    behind = re.search(r"\{s\}\W?\s+(\w+)", thing)
    goes_on = behind and (
        verb in _CAUSING or behind.group(1).lower() in _NO_THINGS | _CLAUSE_BEGINS or is_base(behind.group(1))
    )
    before = (
        r"\s(?:from|into|before|after|as)\s" if _OF_THINGS.search(rest) else r"\s(?:to|from|into|before|after|as)\s"
    )
    return bool(goes_on or re.search(before + r".*\{s\}", rest))


_LATELY = "these days|nowadays|right now|(?:last|this) (?:night|week|month|season|year)"


def _split_adjunct(rest: str) -> tuple[str, str]:
    match = re.match(rf"^(.*\{{s\}}(?:['’]s [\w ]+)?)\s+((?:in|on|at|during|for|{BESIDES})\s+.+|{_LATELY})$", rest)
    return (match.group(1), match.group(2)) if match else (rest, "")
