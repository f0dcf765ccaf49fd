"""Which shape a question has: the statement that answers it, the noun it asks for, the clause it embeds."""

import re
from dataclasses import dataclass

from editing.grammar import (
    ADVERBS,
    PREPOSITIONS,
    PRONOUNS,
    base_and_tense,
    is_base,
    is_participle,
    participle,
    past,
    place_preposition,
    takes_passive,
    third_person,
    time_preposition,
)

SLOT = "{s}"  # stands for the subject, with its article, while a question is taken apart
PLACES = frozenset("city town country state place continent county province region village district island location borough capital area neighborhood neighbourhood".split())
TIMES = frozenset("year date day month century decade time season".split())


@dataclass(frozen=True, slots=True)
class Reading:
    """A question taken apart; every text has SLOT where the subject stands.

    shape     the name of the rule that matched
    before    the statement up to the answer
    after     the statement behind the answer, without the full stop
    embedded  the question as a clause: "who wrote {s}", "where {s} was born"
    asked     the question word, standing where the answer stands in the statement: "who", "which city"
    noun      what is asked for as a noun phrase, "the capital of {s}"; empty if the question has none
    be        "is" or "was" and the like, as in the question
    inverted  the question without its question word, "did {s} die"; empty if it cannot be split so
    echo      the statement with the question word where the answer stands, "{s} died when"; empty if that reads badly
    """

    shape: str
    before: str
    after: str
    embedded: str
    asked: str
    noun: str = ""
    be: str = "is"
    inverted: str = ""
    echo: str = ""


_FRAME = re.compile(
    r"^(?:(?:ok(?:ay)?|hey|hi|hello|so|well|and|but|please|quick question|question)\s*[,:.!]?\s+)*"
    r"(?:(?:can|could|would|will) you (?:please )?(?:tell|remind|inform) me(?: please)?,?\s+|(?:please )?(?:tell|remind|give) me,?\s+|do you (?:happen to )?know\s+|i(?:'d| would) like to know\s+"
    r"|i want to know\s+|i wonder\s+|any idea\s+|(?:can|could) you (?:please )?(?:name|give me)\s+|(?:please )?(?:name|state|identify)\s+|what about\s+)?",
    re.IGNORECASE,
)
_BE = r"(?:is|are|was|were|'s|’s)"
_WH = r"(?:who|whom|what|which|where|when|whose|how)"


def read(template: str, answer: str) -> Reading | None:
    """The reading of a question whose subject is replaced by SLOT; None if no rule fits. `answer` decides prepositions."""
    text = re.sub(r"\s+", " ", template).strip().rstrip("?？؟!. ")
    text = re.sub(r"(?i)^(who|what|where|when|how)(?:'|’)?s\s+", r"\1 is ", text)
    framed = _FRAME.match(text)
    rest = text[framed.end() :] if framed else text
    asks_by_verb = rest != text
    for rule in (_fronted_preposition, _how, _when_where, _copula, _noun_with_auxiliary, _who_did_what, _whose, _trailing_question, _embedded_copula):
        reading = rule(rest, answer)
        if reading is not None:
            return reading
    if asks_by_verb or re.match(r"(?i)(the\s+)?[\w' -]+\s(of|in|for)\s.*\{s\}|\{s\}['’]s?\s", rest):
        return _bare_noun(rest, asks_by_verb)
    return None


def _noun_reading(shape: str, noun: str, be: str, asked: str) -> Reading:
    return Reading(shape, f"{noun} {be}", "", f"{asked} {noun} {be}", asked, noun, be, echo=f"{noun} {be} {asked}")


def _copula(text: str, answer: str) -> Reading | None:
    """Who is the CEO of {s} / What is {s}'s capital / Which is the ... / What was {s} named after."""
    match = re.match(rf"(?i)^(who|what|which)\s+(is|are|was|were)\s+(.+)$", text)
    if not match:
        return None
    asked, be, noun = match.group(1).lower(), match.group(2).lower(), match.group(3)
    noun = re.sub(r"(?i)^the name of (?=the |a |an |\{s\})", "", noun)
    noun = re.sub(r"(?i)^the name of (?=\w+ )", "the ", noun)
    if inner := re.match(r"(?i)^the ([\w -]+?) (?:that|which|who) \{s\} (.+)$", noun):
        return _noun_reading("copula", noun, be, asked)
    tail = re.match(r"^((?:the |an? )?\{s\})\s+(?!['’])(.+)$", noun)
    if tail and (re.search(rf"\b(?:{'|'.join(sorted(PREPOSITIONS))})$", tail.group(2)) or is_participle(tail.group(2).split()[0])):
        return Reading("copula preposition", f"{tail.group(1)} {be} {tail.group(2)}", "", f"{asked} {tail.group(1)} {be} {tail.group(2)}", asked, "", be)
    if re.match(r"(?i)^(responsible|married|known|famous|famously|credited|in charge|in|on|behind|considered|called|named|at|next|born|buried|from|also)\b", noun) or is_participle(noun.split()[0]):
        who = "person" if asked == "who" else "one"
        return _noun_reading("copula relative", f"the {who} who {be} {noun}" if asked == "who" else f"the thing that {be} {noun}", be, asked)
    return _noun_reading("copula", noun, be, asked)


def _embedded_copula(text: str, answer: str) -> Reading | None:
    """who the CEO of {s} is (after "tell me")."""
    match = re.match(r"(?i)^(who|what|where|when|which \w+|what \w+)\s+(.+?)\s+(is|are|was|were)(?:\s+(.+))?$", text)
    if not match:
        return None
    asked, noun, be, tail = match.group(1).lower(), match.group(2), match.group(3).lower(), match.group(4)
    if asked in ("who", "what") and tail is None:
        return _noun_reading("copula", noun, be, asked)
    if tail is None and asked not in ("where", "when"):
        return None
    return _inverted(f"embedded {asked.split()[0]}", noun, be, tail or "", answer, asked)


def _fronted_preposition(text: str, answer: str) -> Reading | None:
    """In which city was {s} born / By whom was {s} written / At what age did {s} die."""
    match = re.match(
        r"(?i)^(in|on|at|by|for|from|to|of|with|under|during|after|into|against|through)\s+((?:which|what|whom|whose)(?:\s+(?!(?:is|are|was|were|did|does|do|has|have|had|can|will)\b)[\w'’-]+)*?)\s+"
        r"(is|are|was|were|did|does|do|has|have|had|can|will)\s+(.+)$",
        text,
    )
    if not match:
        return None
    preposition, asked, auxiliary, rest = match.group(1).lower(), match.group(2), match.group(3).lower(), match.group(4)
    parts = _subject_and_rest(rest, auxiliary)
    if parts is None:
        return None
    subject, tail = parts
    clause = _clause(subject, auxiliary, tail)
    little = _place_or_time(asked, answer, preposition)
    return Reading("fronted preposition", f"{clause} {little}".rstrip(), "", f"{preposition} {asked} {clause}", f"{preposition} {asked}", "", _be_of(auxiliary), f"{auxiliary} {rest}", f"{clause} {preposition} {asked}")


def _place_or_time(asked: str, answer: str, preposition: str) -> str:
    noun = asked.split()[-1].lower()
    if noun in TIMES:
        return time_preposition(answer).strip() or preposition
    return preposition


def _when_where(text: str, answer: str) -> Reading | None:
    match = re.match(r"(?i)^(when|where)\s+(is|are|was|were|did|does|do|has|have|had|can|will|would)\s+(.+)$", text)
    if not match:
        return None
    asked, auxiliary, rest = match.group(1).lower(), match.group(2).lower(), match.group(3)
    parts = _subject_and_rest(rest, auxiliary)
    if parts is None:
        return None
    return _inverted(asked, parts[0], auxiliary, parts[1], answer, asked)


def _inverted(shape: str, subject: str, auxiliary: str, tail: str, answer: str, asked: str) -> Reading:
    clause = _clause(subject, auxiliary, tail)
    word = asked.split()[0]
    if word == "when":
        little = time_preposition(answer)
    elif word == "where":
        stranded = tail.split()[-1:] and tail.split()[-1].lower() in ("from", "in", "at", "to", "on")
        little = "" if stranded else ("to " if re.search(r"\b(go|move|travel|emigrate|sail|flee)$", tail) else place_preposition(answer))
    else:
        little = ""
    if word == "where" and re.search(r"\blocated$", tail) is None and not tail and "headquarter" in subject:
        little = place_preposition(answer)
    return Reading(shape, f"{clause} {little}".rstrip(), "", f"{asked} {clause}", asked, "", _be_of(auxiliary), f"{auxiliary} {subject} {tail}".rstrip(), f"{clause} {asked}")


def _how(text: str, answer: str) -> Reading | None:
    many = re.match(r"(?i)^how (many|much)\s+(.+?)\s+(is|are|was|were|did|does|do|has|have|had|can|will)\s+(.+)$", text)
    if many and "{s}" in many.group(4):
        counted, auxiliary, rest = many.group(2), many.group(3).lower(), many.group(4)
        if there := re.match(r"(?i)^there\s+(.*)$", rest):
            return Reading("how many", f"there {auxiliary}", f" {counted} {there.group(1)}".rstrip(), f"how {many.group(1)} {counted} there {auxiliary} {there.group(1)}", f"how {many.group(1)}", "", _be_of(auxiliary))
        if auxiliary in ("is", "are", "was", "were") and rest.split()[0].lower() in PREPOSITIONS:
            return Reading("how many", f"there {auxiliary}", f" {counted} {rest}", f"how {many.group(1)} {counted} {auxiliary} {rest}", f"how {many.group(1)}", f"the number of {counted} {rest}", _be_of(auxiliary))
        parts = _subject_and_rest(rest, auxiliary)
        if parts is not None:
            subject, tail = parts
            clause = _clause(subject, auxiliary, "" if auxiliary in ("do", "does", "did") else tail)
            if auxiliary in ("do", "does", "did"):
                words = tail.split()
                if not words:
                    return None
                clause = _clause(subject, auxiliary, words[0])
                return Reading("how many", clause, f" {counted} {' '.join(words[1:])}".rstrip(), f"how {many.group(1)} {counted} {_clause(subject, auxiliary, tail)}", f"how {many.group(1)}", f"the number of {counted} that {_clause(subject, auxiliary, tail)}", "is", echo=f"{clause} how {many.group(1)} {counted} {' '.join(words[1:])}".rstrip())
            return _noun_reading("how many", f"the number of {counted} that {_clause(subject, auxiliary, tail)}", "is", f"how {many.group(1)}")
    if many is None and (who := re.match(r"(?i)^how many\s+(\w+(?:\s\w+)?)\s+(\w+\s+.*\{s\}.*)$", text)):
        return Reading("how many", f"the number of {who.group(1)} that {who.group(2)} is", "", f"how many {who.group(1)} {who.group(2)}", "how many", f"the number of {who.group(1)} that {who.group(2)}", "is")
    if much := re.match(r"(?i)^how much\s+(is|are|was|were|did|does|do)\s+(.+?)(?:\s+(cost|worth|weigh))?$", text):
        auxiliary, subject, verb = much.group(1).lower(), much.group(2), (much.group(3) or "").lower()
        clause = _clause(subject, auxiliary, verb) if verb else f"the price of {subject} {auxiliary}"
        return Reading("how much", clause, "", f"how much {clause}", "how much", "", _be_of(auxiliary))
    if degree := re.match(r"(?i)^how (old|tall|long|high|deep|far|big|large|heavy|wide|fast|hot|cold|often|late|early)\s+(is|are|was|were|did|does|do|can|will)\s+(.+)$", text):
        adjective, auxiliary, rest = degree.group(1).lower(), degree.group(2).lower(), degree.group(3)
        parts = _subject_and_rest(rest, auxiliary)
        if parts is None:
            return None
        clause = _clause(parts[0], auxiliary, parts[1])
        after = ""
        if not parts[1] and adjective in ("old", "tall", "long", "high", "deep", "wide") and re.search(r"\d", answer) and adjective not in answer.lower():
            after = (" years" if adjective == "old" and re.fullmatch(r"\d+", answer.strip()) else "") + f" {adjective}"
        return Reading("how " + adjective, clause, after, f"how {adjective} {clause}", f"how {adjective}", "", _be_of(auxiliary), echo=f"{clause} how {adjective}")
    return None


def _noun_with_auxiliary(text: str, answer: str) -> Reading | None:
    """What language does {s} speak / Which company is {s} produced by / What year was {s} founded / What color is {s}."""
    match = re.match(
        r"(?i)^(which|what)\s+((?:(?!(?:is|are|was|were|did|does|do|has|have|had|can|will|would)\b)[\w'’/-]+\s+)+?)(is|are|was|were|did|does|do|has|have|had|can|will)\s+(.+)$", text
    ) or re.match(r"(?i)^(who|whom|what)()\s+(did|does|do|has|have|had|can|will)\s+(.+)$", text)
    if not match or "{s}" in match.group(2):
        return None
    asked, noun, auxiliary, rest = match.group(1).lower(), match.group(2).strip(), match.group(3).lower(), match.group(4)
    parts = _subject_and_rest(rest, auxiliary)
    if parts is None or parts[0].lower().split()[0] in PREPOSITIONS or not re.match(r"(?i)^(the|an?|his|her|their|its|people|they|we|you|\{s\}|[A-Z\"'])", parts[0]):
        return None
    subject, tail = parts
    clause = _clause(subject, auxiliary, tail)
    wanted = f"{asked} {noun}".strip()
    embedded = f"{wanted} {clause}"
    head = noun.split()[-1].lower() if noun else ""
    stranded = bool(tail) and tail.split()[-1].lower() in PREPOSITIONS
    if stranded:
        return Reading("object of preposition", clause, "", embedded, wanted, "", _be_of(auxiliary), f"{auxiliary} {rest}", f"{clause} {wanted}")
    if head in TIMES:
        return Reading("time noun", f"{clause} {time_preposition(answer) or 'in '}".rstrip(), "", embedded, f"in {wanted}" if head != "time" else wanted, "", _be_of(auxiliary), f"{auxiliary} {rest}", f"{clause} in {wanted}")
    if head in PLACES and auxiliary in ("is", "are", "was", "were") and tail and is_participle(tail.split()[-1]):
        return Reading("place noun", f"{clause} {place_preposition(answer)}".rstrip(), "", embedded, f"in {wanted}", "", _be_of(auxiliary), f"{auxiliary} {rest}", f"{clause} in {wanted}")
    if not tail and auxiliary in ("is", "are", "was", "were"):
        if head in PLACES:
            return Reading("place noun", f"{subject} {auxiliary} {place_preposition(answer)}".rstrip(), "", embedded, f"in {wanted}", "", auxiliary, f"{auxiliary} {rest}", f"{clause} in {wanted}")
        return _noun_reading("noun of subject", f"the {noun} of {subject}", auxiliary, "what")
    be = "was" if auxiliary in ("did", "was", "were", "had") else "is"
    if not noun:
        if auxiliary in ("did", "does", "do") and len(tail.split()) == 1 and takes_passive(tail):
            return Reading("object", clause, "", embedded, wanted, "", be, f"{auxiliary} {rest}", f"{clause} {wanted}")
        words = tail.split()
        if auxiliary in ("did", "does", "do") and len(words) > 1 and words[1].lower() in PREPOSITIONS and is_base(words[0]) and asked == "who":
            return Reading("object", _clause(subject, auxiliary, words[0]), " " + " ".join(words[1:]), embedded, wanted, f"the person that {clause}", be)
        return Reading("object", f"{'the person' if asked.startswith('who') else 'the thing'} that {clause} {be}", "", embedded, wanted, f"the {'person' if asked.startswith('who') else 'thing'} that {clause}", be)
    echo = f"{clause} {wanted}" if len(tail.split()) <= 1 else ""
    return Reading("object noun", f"the {noun} that {clause} {be}", "", embedded, wanted, f"the {noun} that {clause}", be, f"{auxiliary} {rest}", echo)


def _who_did_what(text: str, answer: str) -> Reading | None:
    """Who wrote {s} / Which company owns {s} / What network broadcast {s}."""
    match = re.match(r"(?i)^(who|which|what)\s+(.+)$", text)
    if not match or not match.group(2).strip():
        return None
    asked, words = match.group(1).lower(), match.group(2).split()
    start = 0 if asked == "who" else 1
    for index in range(start, min(len(words) - 1, start + (2 if asked == "who" else 6))):
        word = words[index].lower()
        if SLOT in word or (word in PREPOSITIONS and asked == "who"):
            return None
        if asked == "who" and word in ADVERBS:
            continue
        known = base_and_tense(word) or ((word, "present") if word in ("host", "star", "cast") else None)
        if word in ("is", "was", "are", "were", "has", "had", "have", "can", "will", "would"):
            known = ("be", "past" if word in ("was", "were", "had", "would") else "present")
        if known is None or (index > 0 and words[index - 1].lower() in PREPOSITIONS):
            if asked == "who":
                return None
            continue
        return _agent(asked, " ".join(words[:index]), word, known, " ".join(words[index + 1 :]))
    return None


def _agent(asked: str, noun: str, form: str, known: tuple[str, str], rest: str) -> Reading:
    verb, tense = known
    be = "was" if tense == "past" else "is"
    wanted = f"{asked} {noun}".strip() if asked != "who" else "who"
    adverb = noun if asked == "who" and noun else ""
    embedded = f"{asked} {noun} {form} {rest}".replace("  ", " ")
    person = "person" if asked == "who" else noun
    relative = f"the {person} {'who' if asked == 'who' else 'that'} {adverb + ' ' if adverb else ''}{form} {rest}"
    starts_with_object = not rest or rest.split()[0].lower() not in PREPOSITIONS | ADVERBS
    if verb != "be" and form not in ("has", "had", "have") and takes_passive(verb) and starts_with_object and SLOT in rest:
        thing, adjunct = _split_adjunct(rest)
        front = f"{adjunct}, " if adjunct else ""
        passive = f"{front}{thing} {be} {adverb + ' ' if adverb else ''}{participle(verb)} by"
        by = "whom" if asked == "who" else wanted
        asked_passive = f"{be} {thing} {adverb + ' ' if adverb else ''}{participle(verb)}"
        return Reading("agent", passive, "", embedded, f"by {by}", relative, be, "" if front else asked_passive, f"{passive} {by}")
    return Reading("agent relative", f"{relative} {be}", "", embedded, wanted, relative, be)


def _split_adjunct(rest: str) -> tuple[str, str]:
    match = re.match(r"^(.*\{s\}(?:['’]s [\w ]+)?)\s+((?:in|on|at|during|for)\s+.+)$", rest)
    return (match.group(1), match.group(2)) if match else (rest, "")


def _whose(text: str, answer: str) -> Reading | None:
    match = re.match(r"(?i)^whose\s+([\w -]+?)\s+(is|are|was|were)\s+(.+)$", text)
    if not match:
        return None
    noun, be, subject = match.group(1), match.group(2).lower(), match.group(3)
    return Reading("whose", f"{subject} {be} the {noun} of", "", f"whose {noun} {subject} {be}", "whom", "", be, echo=f"{subject} {be} whose {noun}")


def _trailing_question(text: str, answer: str) -> Reading | None:
    """{s} was created in what year / The gender of {s} is what."""
    match = re.match(r"(?i)^(.*\{s\}.*?)\s+(in what year|in which year|what year|(?:which|what)(?:\s+[\w-]+){1,3}|who|whom|what|where|when|which)$", text)
    if not match or re.match(rf"(?i)^{_WH}\b", text):
        return None
    before, asked = match.group(1), match.group(2).lower()
    little = ""
    if asked in ("in what year", "in which year", "what year"):
        little = time_preposition(answer) or "in "
        before = re.sub(r"\s+in$", "", before)
    elif asked == "when":
        little = time_preposition(answer)
    elif asked == "where":
        little = place_preposition(answer)
    noun = re.match(r"(?i)^(.*\{s\}.*?)\s+(is|are|was|were)$", before)
    if noun and not little:
        if inner := re.match(r"(?i)^(what|which)\s+(.+)$", asked):
            return Reading("trailing question", before, "", f"{asked} {noun.group(1)} {noun.group(2)}", asked, f"the {inner.group(2)} of {noun.group(1)}", noun.group(2).lower())
        return _noun_reading("trailing question", noun.group(1), noun.group(2).lower(), asked)
    last = before.split()[-1].lower()
    clause = before[: -len(last) - 1] if last in PREPOSITIONS else before
    front = f"{last} {asked}" if last in PREPOSITIONS else asked
    return Reading("trailing question", f"{before} {little}".rstrip(), "", f"{front} {clause}", asked, "", "is")


def _bare_noun(text: str, asked_for: bool) -> Reading | None:
    """the capital of {s} (after "tell me" or standing alone)."""
    if SLOT not in text or re.match(rf"(?i)^{_WH}\b", text) or re.search(r"\b(is|are|was|were|and|or)\b", text):
        return None
    noun = text if re.match(r"(?i)^(the|an?|his|her)\s|^\{s\}['’]", text) else f"the {text}"
    return _noun_reading("bare noun", noun, "is", "what")


def _be_of(auxiliary: str) -> str:
    return auxiliary if auxiliary in ("is", "are", "was", "were") else ("was" if auxiliary in ("did", "had") else "is")


def _clause(subject: str, auxiliary: str, tail: str) -> str:
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


def _subject_and_rest(text: str, auxiliary: str) -> tuple[str, str] | None:
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
            fits = is_base(word) if does else (is_participle(word) and words[0].lower() not in ("the", "a", "an") and SLOT not in word)
        else:
            fits = (is_base(word) if does else is_participle(word)) or (index == slot + 1 and not words[slot].endswith(("'s", "’s")) and word not in ("and", "or", "of"))
        if fits:
            if word in ADVERBS or not does or index > slot or is_base(word):
                while index > 1 and words[index - 1].lower() in ADVERBS:
                    index -= 1
                return " ".join(words[:index]), " ".join(words[index:])
    return None if does else (text, "")
