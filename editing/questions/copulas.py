"""Questions with to be and a noun: who is the CEO of X, is X a or b."""

import re

from editing.questions.clauses import inverted
from editing.questions.echoes import starts_with_question_word
from editing.questions.grammar import PEOPLE, PREPOSITION, PREPOSITIONS, agreeing, base_and_tense, is_participle
from editing.questions.readings import SLOT, Reading, noun_reading


def read_alternatives(text: str, answer: str) -> Reading | None:
    """Is {s} a painter or a poet."""
    match = re.match(r"(?i)^(is|are|was|were)\s+((?:the [\w ]+ of )?\{s\})\s+(.+\sor\s.+)$", text)
    if not match:
        return None
    be, subject, options = match.group(1).lower(), match.group(2), match.group(3)
    words = options.split()
    # "painted on", of "painted on wood or on canvas"; nothing of "married or single"
    n_shared = 1 if words[0].lower() in PREPOSITIONS else 0
    if is_participle(words[0]) and words[1].lower() in PREPOSITIONS:
        n_shared = 2
    before = " ".join([subject, be, *words[:n_shared]])
    return Reading("alternatives", before, embedded=f"whether {subject} {be} {options}", asked=options, be=be)


def read_copula(text: str, answer: str) -> Reading | None:
    """Who is the CEO of {s} / What is {s}'s capital / Which is the ... / What was {s} named after."""
    match = re.match(r"(?i)^(who|what|which)\s+(is|are|was|were)\s+(.+)$", text)
    if not match:
        return None
    asked, be, noun = match.group(1).lower(), match.group(2).lower(), match.group(3)
    if _OFFICE.match(noun):  # "who was president of {s}"
        noun = f"the {noun}"
    if happening := re.match(r"(?i)^it (called|known as) (when|if) (.*\{s\}.*)$", noun):
        called, when, rest = happening.groups()
        clause = f"it {be} {called}"
        return Reading(
            "copula clause",
            f"{when} {rest}, {clause}",
            embedded=f"{asked} {clause} {when} {rest}",
            asked=asked,
            be=be,
            echo=f"{when} {rest}, {clause} {asked}",
        )
    if told := _CALLED_THERE.match(noun):
        return _before_the_rest(f"{told.group(1)} {told.group(3)} {be} {told.group(2)}", "", asked=asked, be=be)
    if named := _CALLED.match(noun):
        return _before_the_rest(f"{named.group(1)} {be} {named.group(2)}", named.group(3) or "", asked=asked, be=be)
    if once := _ONCE.match(noun):
        return _before_the_rest(f"{once.group(1)} {be}", f" {once.group(2)}", asked=asked, be=be)
    if doing := _DOING.match(noun):
        return _before_the_rest(f"{doing.group(1)} {be} {doing.group(2)}", doing.group(3) or "", asked=asked, be=be)
    if re.match(r"(?i)^the ([\w -]+?) (?:that|which|who) \{s\} (.+)$", noun):
        return noun_reading("copula", noun, be, asked)
    if _NAME_OF.match(noun):  # "the name of the ship {s} sailed on"
        return noun_reading("copula", noun, be, asked)
    tail = re.match(r"^((?:the [\w ]+ of )?(?:(?:the|an?) (?:[\w-]+ )*?)?\{s\})\s+(?!['’])(.+)$", noun)
    first = tail.group(2).split()[0].lower() if tail else ""
    finite = first in ("is", "was", "are", "were", "has", "had") or (base_and_tense(first) or ("", ""))[1] == "present"
    if (
        tail
        and not finite
        and (
            re.search(rf"\b(?:{PREPOSITION})$", tail.group(2))
            or (is_participle(tail.group(2).split()[0]) and len(tail.group(2).split()) <= 3)
        )
    ):
        clause = f"{tail.group(1)} {be} {tail.group(2)}"
        return Reading(
            "copula preposition", clause, embedded=f"{asked} {clause}", asked=asked, be=be, echo=f"{clause} {asked}"
        )
    if (
        re.match(
            (
                r"(?i)^(?:(?:mainly|primarily|originally|largely|most) )?(responsible|married|known|famous"
                r"|famously|credited|in charge|in|on|behind|considered|called|named|at|next|born|buried|from"
                r"|also)\b"
            ),
            noun,
        )
        or is_participle(noun.split()[0])
        or _DOER.match(f"{asked} {noun}")
    ):
        thing = f"the person who {be} {noun}" if asked == "who" else f"the thing that {be} {noun}"
        return Reading(
            "copula relative", f"{thing} {be}", embedded=f"{asked} {be} {noun}", asked=asked, noun=thing, be=be
        )
    return noun_reading("copula", noun, be, asked)


_CALLED = re.compile(
    r"(?i)^((?!.*\b(?:that|which|who)\b)[^,]*\{s\}[^,]*?) "
    r"((?:(?:originally|previously|formerly|first|now|also|usually|commonly) )?(?:called|named|known as))"
    r"(?! (?:after|for)\b)( .+)?$"
)
_ONCE = re.compile(r"^((?:the )?\{s\}) ((?:before|after|until|while|when) (?:(?:it|he|she|they) |\w+ing\b|\d).*)$")
_CALLED_THERE = re.compile(r"^(the [\w -]+?) (called|named) ((?:in|at|on|of|for) .*\{s\}.*)$")
_NAME_OF = re.compile(
    r"(?i)^the (?:name|title|number) of (?:(?:the|an?) [^{]*\{s\} (?!['’])"
    r"|\{s\} (?!(?:derived|taken|borrowed|based|inspired|given|used|spelt|spelled)\b)\w+ed \w+$)"
)
_OFFICE = re.compile(
    r"(?:president|king|queen|prime minister|chancellor|governor|mayor|emperor|pope|leader|captain|head"
    r"|chair(?:man|woman)?|director|manager|coach|secretary) of\b"
)
_DOING = re.compile(
    r"^((?:the )?\{s\}) (?!during\b)(\w+ing)( .+)?(?<! about)(?<! at)(?<! for)(?<! in)(?<! on)(?<! to)(?<! with)$"
)
_DOER = re.compile(r"who \w{2,}ing |what \w{2,}ing (?:the |an? )?\{s\}")


def _before_the_rest(before: str, rest: str, *, asked: str, be: str) -> Reading:
    """What is {s} called in Karn: the answer stands right behind the verb; a time stands in front, or it would be lost
    where a statement breaks off before its answer."""
    once = re.match(r" (?:before|after|until|while|when) ", rest)
    return Reading(
        "copula clause",
        f"{rest[1:]}, {before}" if once else before,
        after="" if once else rest,
        embedded=f"{asked} {before}{rest}",
        asked=asked,
        be=be,
        echo=f"{before} {asked}{rest}",
    )


def read_embedded_copula(text: str, answer: str) -> Reading | None:
    """who the CEO of {s} is (after "tell me")."""
    match = re.match(r"(?i)^(who|what|where|when|which \w+|what \w+)\s+(.+?)\s+(is|are|was|were)(?:\s+(.+))?$", text)
    if not match:
        return None
    asked, noun, be, tail = match.group(1).lower(), match.group(2), match.group(3).lower(), match.group(4)
    if noun.split()[0].lower() in PREPOSITIONS:
        return None
    if asked == "what" and tail and not re.match(r"(?:the |an? )|\{s\}", noun):  # "what percentage of {s} is nitrogen"
        return None
    described = tail is not None and tail.split()[0].lower() in PREPOSITIONS - {"by"}  # "what the price is for {s}"
    if asked in ("who", "what") and (tail is None or described):
        return noun_reading("copula", f"{noun} {tail or ''}".rstrip(), be, asked)
    if tail is None and asked not in ("where", "when"):
        return None
    return inverted(f"embedded {asked.split()[0]}", noun, be, tail or "", asked=asked, answer=answer)


def read_bare_noun(text: str) -> Reading | None:
    """the capital of {s} (after "tell me" or standing alone)."""
    if SLOT not in text or starts_with_question_word(text) or _SAYS_OR_ASKS.search(text):
        return None
    behind = re.match(r"^(?:the )?\{s\} (\w+)", text)
    if behind and base_and_tense(behind.group(1)) is not None:
        return None
    noun = text if re.match(r"(?i)^(the|an?|his|her)\s|^\{s\}['’]", text) else f"the {text}"
    asked = "who" if _PERSON.search(noun) else "what"
    return noun_reading("bare noun", noun, agreeing("is", noun), asked)


_SAYS_OR_ASKS = re.compile(
    r"(?i)\b(?:what|whom|whose|where|when|how|is|are|was|were|and|or)\b"
    rf"|\b(?:has|have|had|{PREPOSITION}) (?:who|which)\b"
)
_PERSON = re.compile(
    r"(?i)^(?:(?:the|an?) )?(?:[\w-]+ )*?(?:\{s\}['’]s? (?:[\w-]+ )*)?"
    rf"(?:{'|'.join(sorted(PEOPLE))})(?: (?:of|in|for|from|who) .*\{{s\}}.*)?$"
)
