"""Questions with an auxiliary before their subject: what does X play, where was X born, in which year did X die."""

import re

from editing.questions.clauses import clause_of, inverted, place_or_time, split_subject
from editing.questions.grammar import (
    PREPOSITIONS,
    is_base,
    is_participle,
    place_preposition,
    takes_passive,
    time_preposition,
)
from editing.questions.readings import PLACES, SLOT, TIMES, Reading, be_of, noun_reading


def read_fronted_preposition(text: str, answer: str) -> Reading | None:
    """In which city was {s} born / By whom was {s} written / At what age did {s} die."""
    match = re.match(
        r"(?i)^(in|on|at|by|for|from|to|of|with|under|during|after|into|against|through|since|until"
        r"|upon)\s+((?:which|what|whom|whose)(?:\s+(?!(?:is|are|was|were|did|does|do|has|have|had|can"
        r"|could|will|would)\b)[\w'’.,()-]+)*?)\s+"
        r"(is|are|was|were|did|does|do|has|have|had|can|could|will|would)\s+(.+)$",
        text,
    )
    if not match:
        return _fronted_without_inversion(text, answer)
    preposition, asked, auxiliary, rest = match.group(1).lower(), match.group(2), match.group(3).lower(), match.group(4)
    parts = split_subject(rest, auxiliary)
    if parts is None:
        return None
    subject, tail = parts
    clause = clause_of(subject, auxiliary, tail)
    if clause.split()[-1] in PREPOSITIONS:  # "To which work does X belong to?"
        clause = clause.rsplit(" ", 1)[0]
    little = place_or_time(asked, answer, preposition)
    return Reading(
        "fronted preposition",
        f"{clause} {little}".rstrip(),
        "",
        f"{preposition} {asked} {clause}",
        f"{preposition} {asked}",
        "",
        be_of(auxiliary),
        f"{auxiliary} {rest}",
        f"{clause} {preposition} {asked}",
    )


def _fronted_without_inversion(text: str, answer: str) -> Reading | None:
    """In which year {s} was released (the order of a statement)."""
    match = re.match(r"(?i)^(in|on|at)\s+((?:which|what)\s+[\w-]+)\s+(.*\{s\}.*)$", text)
    if not match:
        return None
    preposition, asked, clause = match.group(1).lower(), match.group(2).lower(), match.group(3)
    little = place_or_time(asked, answer, preposition)
    return Reading(
        "fronted preposition",
        f"{clause} {little}",
        "",
        f"{preposition} {asked} {clause}",
        f"{preposition} {asked}",
        echo=f"{clause} {preposition} {asked}",
    )


def read_when_where(text: str, answer: str) -> Reading | None:
    match = re.match(r"(?i)^(when|where)\s+(is|are|was|were|did|does|do|has|have|had|can|will|would)\s+(.+)$", text)
    if not match:
        return None
    asked, auxiliary, rest = match.group(1).lower(), match.group(2).lower(), match.group(3)
    parts = split_subject(rest, auxiliary)
    if parts is None:
        return None
    return inverted(asked, parts[0], auxiliary, parts[1], answer, asked)


def read_object(text: str, answer: str) -> Reading | None:
    """What language does {s} speak / Which company is {s} produced by / What color is {s}."""
    match = re.match(
        (
            r"(?i)^(which|what)\s+((?:(?!(?:is|are|was|were|did|does|do|has|have|had|can|will"
            r"|would)\b)[\w'’/,-]+\s+)+?)(is|are|was|were|did|does|do|has|have|had|can|will)\s+(.+)$"
        ),
        text,
    ) or re.match(r"(?i)^(who|whom|what)()\s+(did|does|do|has|have|had|can|will)\s+(.+)$", text)
    if not match or "{s}" in match.group(2):
        return None
    asked, noun, auxiliary, rest = (
        match.group(1).lower(),
        match.group(2).strip(),
        match.group(3).lower(),
        match.group(4),
    )
    parts = split_subject(rest, auxiliary)
    if (
        parts is None
        or parts[0].lower().split()[0] in PREPOSITIONS
        or not re.match(r"(?i)^(the|an?|his|her|their|its|people|they|we|you|\{s\}|[A-Z\"'])", parts[0])
    ):
        return None
    subject, tail = parts
    if auxiliary in ("has", "have", "had") and not (
        tail and is_participle(tail.split()[0]) and not is_participle(rest.split()[0])
    ):
        return None
    if (
        noun
        and auxiliary in ("is", "are", "was", "were")
        and re.match(r"(?i)(the|an?)\s", rest)
        and noun.split()[-1].lower() not in TIMES
        and not re.search(r"(?i)headquarter|birthplace|home|seat|located", rest)
        and not (tail and tail.split()[-1].lower() in PREPOSITIONS)
        and not (tail and is_participle(tail.split()[0]))
        and SLOT not in " ".join(rest.split()[:2])
    ):
        return noun_reading("noun that is", rest, auxiliary, f"{asked} {noun}")
    clause = clause_of(subject, auxiliary, tail)
    wanted = f"{asked} {noun}".strip()
    embedded = f"{wanted} {clause}"
    head = noun.split()[-1].lower() if noun else ""
    stranded = bool(tail) and tail.split()[-1].lower() in PREPOSITIONS
    if stranded:
        return Reading(
            "object of preposition",
            clause,
            "",
            embedded,
            wanted,
            "",
            be_of(auxiliary),
            f"{auxiliary} {rest}",
            f"{clause} {wanted}",
        )
    if head in TIMES:
        return Reading(
            "time noun",
            f"{clause} {time_preposition(answer) or 'in '}".rstrip(),
            "",
            embedded,
            f"in {wanted}" if head != "time" else wanted,
            "",
            be_of(auxiliary),
            f"{auxiliary} {rest}",
            f"{clause} in {wanted}",
        )
    if head in PLACES and auxiliary in ("is", "are", "was", "were") and tail and is_participle(tail.split()[-1]):
        return Reading(
            "place noun",
            f"{clause} {place_preposition(answer)}".rstrip(),
            "",
            embedded,
            f"in {wanted}",
            "",
            be_of(auxiliary),
            f"{auxiliary} {rest}",
            f"{clause} in {wanted}",
        )
    if not tail and auxiliary in ("is", "are", "was", "were"):
        if head in PLACES:
            return Reading(
                "place noun",
                f"{subject} {auxiliary} {place_preposition(answer)}".rstrip(),
                "",
                embedded,
                f"in {wanted}",
                "",
                auxiliary,
                f"{auxiliary} {rest}",
                f"{clause} in {wanted}",
            )
        if re.match(r"(?i)(?:\w+ )?(?:type|kind|sort)s? of ", noun):
            return Reading(
                "kind of subject",
                f"{subject} {auxiliary}",
                "",
                embedded,
                wanted,
                "",
                auxiliary,
                f"{auxiliary} {rest}",
                f"{clause} {wanted}",
            )
        if re.fullmatch(r"(?i)(?:the |an? )?\{s\}(?:['’]s? [\w ]+)?", subject):
            return noun_reading("noun of subject", f"the {noun} of {subject}", auxiliary, "what")
        thing = f"the {noun} that {auxiliary} {rest}"
        return Reading(
            "noun that is", f"{thing} {auxiliary}", "", f"{wanted} {auxiliary} {rest}", wanted, thing, auxiliary
        )
    be = "was" if auxiliary in ("did", "was", "were", "had") else "is"
    if not noun:
        if auxiliary in ("did", "does", "do") and len(tail.split()) == 1 and takes_passive(tail):
            return Reading("object", clause, "", embedded, wanted, "", be, f"{auxiliary} {rest}", f"{clause} {wanted}")
        words = tail.split()
        if (
            auxiliary in ("did", "does", "do")
            and len(words) > 1
            and words[1].lower() in PREPOSITIONS
            and is_base(words[0])
            and asked == "who"
        ):
            if len(words) > 2 and words[2].lower() in PREPOSITIONS:  # "lose to in the final": the first one is stranded
                return Reading(
                    "object",
                    clause_of(subject, auxiliary, " ".join(words[:2])),
                    " " + " ".join(words[2:]),
                    embedded,
                    wanted,
                    f"the person that {clause}",
                    be,
                )
            return Reading(
                "object",
                clause_of(subject, auxiliary, words[0]),
                " " + " ".join(words[1:]),
                embedded,
                wanted,
                f"the person that {clause}",
                be,
            )
        return Reading(
            "object",
            f"{'the person' if asked.startswith('who') else 'the thing'} that {clause} {be}",
            "",
            embedded,
            wanted,
            f"the {'person' if asked.startswith('who') else 'thing'} that {clause}",
            be,
        )
    echo = f"{clause} {wanted}" if len(tail.split()) <= 1 and head not in PLACES else ""
    if tail == "belong":
        return Reading(
            "object of preposition",
            f"{clause} to",
            "",
            f"to {embedded}",
            f"to {wanted}",
            "",
            be,
            f"{auxiliary} {rest}",
            f"{clause} to {wanted}",
        )
    that = "where" if head in PLACES else "that"
    return Reading(
        "object noun",
        f"the {noun} {that} {clause} {be}",
        "",
        embedded,
        wanted,
        f"the {noun} {that} {clause}",
        be,
        f"{auxiliary} {rest}",
        echo,
    )
