"""Questions with an auxiliary before their subject: what does X play, where was X born, in which year did X die."""

import re
from dataclasses import dataclass

from editing.questions.clauses import clause_of, inverted, place_or_time, split_others, split_subject
from editing.questions.grammar import (
    AUXILIARY,
    MODALS,
    PREPOSITIONS,
    PRONOUNS,
    agreeing,
    is_base,
    is_participle,
    leading_adverbs,
    place_preposition,
    takes_passive,
    time_preposition,
)
from editing.questions.readings import PLACES, SLOT, TIMES, Reading, be_of, noun_reading

_WITHOUT_ARTICLE = frozenset(["honour", "honor", "memory"])
_PARTICLES = frozenset(["off", "over", "through", "about"])  # "on what date did {s} take off"
# "to whom should {s} be handed in"
_WITH_PARTICLE = re.compile(r"\b(?:hand|turn|sign|check|log)(?:ed)? in$|\bsent? in$")


def read_fronted_preposition(text: str, answer: str) -> Reading | None:
    """In which city was {s} born / By whom was {s} written / At what age did {s} die."""
    match = re.match(
        r"(?i)^(in|on|at|by|for|from|to|of|with|under|during|after|into|against|through|since|until"
        r"|upon|between)\s+((?:which|what|whom|whose|when)"
        rf"(?:\s+(?!(?:{AUXILIARY})\b)[\w'’.,()-]+)*?)\s+({AUXILIARY})\s+(.+)$",
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
    last = clause.split()[-1]
    # "to which work does X belong to", "to which film does X appear in"
    if last in PREPOSITIONS - _PARTICLES and tail and not _WITH_PARTICLE.search(clause):
        clause, rest = clause[: -len(last) - 1], rest[: -len(last) - 1]
        preposition = preposition if tail.startswith("belong ") else last
    named = re.search(r"(?i)\b((?:[\w-]+ )?(?:name|nickname|title|brand|pseudonym))$", asked.partition(" ")[2])
    little = f"{preposition} the {named.group(1)}" if named else place_or_time(asked, answer, preposition)
    if asked.lower().startswith("whose"):  # "in whose honour was {s} named", "under whose direction was {s} made"
        noun = asked.partition(" ")[2]
        if not noun or re.search(r"['’]s?$", answer):
            return None
        little = f"{preposition} {noun if noun in _WITHOUT_ARTICLE else f'the {noun}'} of"
    return Reading(
        "fronted preposition",
        f"{clause} {little}",
        embedded=f"{preposition} {asked} {clause}",
        asked=f"{preposition} {asked}",
        be=be_of(auxiliary),
        inverted=f"{auxiliary} {rest}",
        echo=f"{clause} {preposition} {asked}",
    )


def _fronted_without_inversion(text: str, answer: str) -> Reading | None:
    """In which year {s} was released (the order of a statement)."""
    match = re.match(r"(?i)^(in|on|at)\s+((?:which|what)\s+[\w-]+)\s+(.*\{s\}.*)$", text)
    if not match or match.group(3).split()[0].lower() in PREPOSITIONS:
        return None
    preposition, asked, clause = match.group(1).lower(), match.group(2).lower(), match.group(3)
    return Reading(
        "fronted preposition",
        f"{clause} {place_or_time(asked, answer, preposition)}",
        embedded=f"{preposition} {asked} {clause}",
        asked=f"{preposition} {asked}",
        echo=f"{clause} {preposition} {asked}",
    )


def read_when_where(text: str, answer: str) -> Reading | None:
    """When did {s} die / Where was {s} born."""
    match = re.match(rf"(?i)^(when|where)\s+({AUXILIARY})\s+(.+)$", text)
    if not match:
        return None
    asked, auxiliary, rest = match.group(1).lower(), match.group(2).lower(), match.group(3)
    if asked == "when" and re.match(r"(?i)the \w+ time\s", rest):  # "the last time {s} burned"
        return Reading(
            asked,
            f"{rest} {auxiliary} {time_preposition(answer)}".rstrip(),
            embedded=f"when {rest} {auxiliary}",
            asked=asked,
        )
    parts = split_subject(rest, auxiliary)
    if parts is None:
        return None
    subject, tail = parts
    return inverted(asked, subject, auxiliary, tail, asked=asked, answer=answer)


def read_object(text: str, answer: str) -> Reading | None:
    """What language does {s} speak / Which company is {s} produced by / What color is {s}."""
    question = _object_question(text)
    if question is None:
        return None
    return (
        _stranded_object(question)
        or _described_object(question)
        or _place_or_time_object(question, answer)
        or _copular_object(question)
        or _bare_object(question)
        or _noun_object(question)
    )


@dataclass(frozen=True, slots=True)
class _ObjectQuestion:
    """A question for an object in its parts: "which language does {s} speak".

    asked      "which"
    noun       "language"; empty in "what did {s} invent"
    auxiliary  "does"
    rest       "{s} speak"
    subject    "{s}"
    tail       "speak"; empty where a form of be stands alone, "what color is {s}"
    """

    asked: str
    noun: str
    auxiliary: str
    rest: str
    subject: str
    tail: str

    @property
    def head(self) -> str:
        """The noun's last word, in small letters."""
        return self.noun.split()[-1].lower() if self.noun else ""

    @property
    def copular(self) -> bool:
        return self.auxiliary in ("is", "are", "was", "were")

    @property
    def stranded(self) -> bool:
        """Whether the question ends in the preposition of its answer: "which river does {s} flow into"."""
        return bool(self.tail) and self.tail.split()[-1].lower() in PREPOSITIONS

    @property
    def wanted(self) -> str:
        """What is asked for, with its question word: "which language"."""
        return f"{self.asked} {self.noun}".strip()

    @property
    def clause(self) -> str:
        """The question in the order of a statement: "{s} speaks"."""
        return clause_of(self.subject, self.auxiliary, self.tail)

    @property
    def embedded(self) -> str:
        return f"{self.wanted} {self.clause}"

    @property
    def inverted(self) -> str:
        return f"{self.auxiliary} {self.rest}"


_KIND_OF_SUBJECT = re.compile(  # "which version of {s} are we supposed to use"
    rf"(?i)^(which|what)\s+([\w -]+ of (?:the )?\{{s\}}\s+)({AUXILIARY})\s+((?:{'|'.join(sorted(PRONOUNS))}|the|our)\s.+)$"
)


def _object_question(text: str) -> _ObjectQuestion | None:
    match = (
        _KIND_OF_SUBJECT.match(text)
        or re.match(rf"(?i)^(which|what)\s+((?:(?!(?:{AUXILIARY})\b)[\w'’/,-]+\s+)+?)({AUXILIARY})\s+(.+)$", text)
        or re.match(rf"(?i)^(who|whom|what)()\s+((?!(?:is|are|was|were)\b)(?:{AUXILIARY}))\s+(.+)$", text)
    )
    if not match or match.group(2).lower().startswith("of "):
        return None
    asked, noun, auxiliary, rest = match.groups()
    auxiliary = auxiliary.lower()
    made = re.search(r"\{s\} (\w+)$", rest)
    if auxiliary == "had" and asked.lower() == "who" and made and is_participle(made.group(1)):  # "who had {s} built"
        return None
    parts = (split_others if SLOT in noun else split_subject)(rest, auxiliary)
    if parts is None:
        return None
    subject, tail = parts
    if subject.lower().split()[0] in PREPOSITIONS or not re.match(r"(?i)\{s\}|[a-z\"']", subject):
        return None
    first = rest.split()[0]
    if auxiliary in MODALS and is_base(first):  # "who should be called": who is asked for does it
        return None
    # "which king was beheaded", "which nurse is covering for {s}"
    acts = is_participle(first) or re.match(r"[a-z]{2,}ing$", first)
    if be_of(auxiliary) == auxiliary and noun and acts and SLOT not in first:
        return _ObjectQuestion(asked.lower(), noun.strip(), auxiliary, rest, rest, "")
    if auxiliary in ("has", "have", "had") and not (
        tail and is_participle(tail.split()[0]) and not is_participle(rest.split()[0])
    ):
        return None
    return _ObjectQuestion(asked.lower(), noun.strip(), auxiliary, rest, subject, tail)


def _right_behind_clause(shape: str, question: _ObjectQuestion) -> Reading:
    """The answer follows on the clause as it stands: "{s} flows into ..."."""
    return Reading(
        shape,
        question.clause,
        embedded=question.embedded,
        asked=question.wanted,
        be=be_of(question.auxiliary),
        inverted=question.inverted,
        echo=f"{question.clause} {question.wanted}",
    )


def _stranded_object(question: _ObjectQuestion) -> Reading | None:
    """Which river does {s} flow into."""
    return _right_behind_clause("object of preposition", question) if question.stranded else None


def _described_object(question: _ObjectQuestion) -> Reading | None:
    """Which film was the first success of {s}: what stands behind the form of be describes the answer."""
    rest, tail = question.rest, question.tail
    if (
        not question.copular
        or not re.match(r"(?i)(the|an?)\s", rest)
        or question.head in TIMES
        or re.search(r"(?i)headquarter|birthplace|home|seat|located", rest)
        or (tail and is_participle(tail.split()[0]))
        or SLOT in " ".join(rest.split()[:2])
    ):
        return None
    return noun_reading("noun that is", rest, question.auxiliary, question.wanted)


def _place_or_time_object(question: _ObjectQuestion, answer: str) -> Reading | None:
    """What year did {s} open / Which city is {s} located."""
    head, tail = question.head, question.tail
    if question.copular and not tail and is_participle(question.rest.split()[0]):
        return None
    if head in TIMES:
        shape, little = "time noun", time_preposition(answer) or "in "
    elif head in PLACES and question.copular and (not tail or is_participle(tail.split()[-1])):
        shape, little = "place noun", place_preposition(answer)
    else:
        return None
    on = {"time": "at", "day": "on", "date": "on"}.get(head, "in")
    return Reading(
        shape,
        f"{question.clause} {little}".rstrip(),
        embedded=f"{on} {question.embedded}" if shape == "place noun" else question.embedded,
        asked=f"{on} {question.wanted}",
        be=be_of(question.auxiliary),
        inverted=question.inverted,
        echo=f"{question.clause} {on} {question.wanted}",
    )


def _copular_object(question: _ObjectQuestion) -> Reading | None:
    """What type of ship is {s} / What color is {s} / Which album is part of {s}."""
    noun, be, subject = question.noun, question.auxiliary, question.subject
    if question.tail:
        return None
    if re.match(r"(?i)(?:\w+ )?(?:type|kind|sort)s? of ", noun) and not is_participle(subject.split()[0]):
        return _right_behind_clause("kind of subject", question)
    behind = subject.split()[-1].lower()
    if (
        re.fullmatch(r"(?i)(?:the |an? )?\{s\}(?:(?:['’]s?)? [\w ]+)?", subject)
        and behind not in PREPOSITIONS
        and " of " not in noun
    ):
        singular = {"are": "is", "were": "was"}.get(be, be)
        be = agreeing(singular, question.noun)
        return noun_reading("noun of subject", f"the {noun} of {subject}", be, "what")
    thing = f"the {noun} that {question.inverted}"  # "the share of the air that is {s}"
    return Reading(
        "noun that is",
        f"{thing} {be}",
        embedded=f"{question.wanted} {question.inverted}",
        asked=question.wanted,
        noun=thing,
        be=be,
    )


_CONTESTS = frozenset(["beat", "defeat", "face", "lose"])


def _bare_object(question: _ObjectQuestion) -> Reading | None:
    """Who did {s} marry / Who did {s} lose to in the final / What can {s} do."""
    if question.noun:
        return None
    adverbs, (verb, *behind) = leading_adverbs(question.tail.split())
    does = question.auxiliary in ("do", "does", "did")
    if question.tail == "do":  # the answer says what is done: "what {s} does is grow roses"
        be = be_of(question.auxiliary)
        return Reading("object", f"{question.embedded} {be}", embedded=question.embedded, asked=question.wanted, be=be)
    if does and not behind and (takes_passive(verb) or verb == "cost"):
        return _right_behind_clause("object", question)
    if does and verb == "mean" and (not behind or behind[0].lower() in ("in", "on", "at")):
        where = f"{' '.join(behind)}, " if behind else ""  # "in Karnish, {s} means"
        before = where + clause_of(question.subject, question.auxiliary, verb)
        return Reading("object", before, embedded=question.embedded, asked=question.wanted)
    if question.tail in ("be", "have to be"):
        return _right_behind_clause("object", question)
    somebody = "opponent" if verb in _CONTESTS else "person"
    thing = f"the {somebody if question.asked.startswith('who') else 'thing'} that {question.clause}"
    be = be_of(question.auxiliary)
    before, after = f"{thing} {be}", ""
    acts = (does or question.auxiliary in MODALS) and is_base(verb) and verb not in ("do", "have")
    if acts and behind and behind[0].lower() in PREPOSITIONS and (question.asked == "who" or takes_passive(verb)):
        # "lose to in the final": the first of two prepositions stays with its verb
        stays = 1 if len(behind) > 1 and behind[1].lower() in PREPOSITIONS | {"if", "when"} else 0
        before = clause_of(question.subject, question.auxiliary, " ".join([*adverbs, verb, *behind[:stays]]))
        after = f" {' '.join(behind[stays:])}"
    return Reading("object", before, after=after, embedded=question.embedded, asked=question.wanted, noun=thing, be=be)


def _noun_object(question: _ObjectQuestion) -> Reading:
    """Which mountain did {s} climb."""
    clause, wanted = question.clause, question.wanted
    be = "was" if question.auxiliary in ("did", "was", "were", "had") else "is"
    if question.tail == "belong":
        return Reading(
            "object of preposition",
            f"{clause} to",
            embedded=f"to {question.embedded}",
            asked=f"to {wanted}",
            be=be,
            inverted=question.inverted,
            echo=f"{clause} to {wanted}",
        )
    in_place = question.head in PLACES and not takes_passive(question.tail.split()[0].lower())
    be = agreeing(be, question.noun)
    thing = f"the {question.noun} {'where' if in_place else 'that'} {clause}"
    return Reading(
        "object noun",
        f"{thing} {be}",
        embedded=question.embedded,
        asked=wanted,
        noun=thing,
        be=be,
        inverted=question.inverted,
        echo=f"{clause} {wanted}" if len(question.tail.split()) == 1 and not in_place else "",
    )
