"""Questions for a number: how many, how much, how old."""

import re
from dataclasses import replace

from editing.questions.clauses import clause_of, split_others, split_subject
from editing.questions.grammar import (
    AUXILIARIES,
    AUXILIARY,
    DEGREE,
    MODALS,
    PREPOSITIONS,
    base_and_tense,
    is_base,
    is_participle,
    leading_adverbs,
    word_set,
)
from editing.questions.readings import SLOT, Reading, be_of

_NOUN_FOLLOWS = PREPOSITIONS | {"the", "a", "an"}
_OBJECT_FOLLOWS = _NOUN_FOLLOWS - {"of", "a", "an"}


def read_amount(text: str, answer: str) -> Reading | None:
    """How many moons does {s} have / How much is {s} / How old is {s}."""
    count = _count_of_subject(text) or _so_many_times(text) or _count(text)
    return _counted_once(count, answer) or _price(text) or _degree(text, answer)


_NUMBER = re.compile(
    r"(?i)(?:(?:about|around|over|under|only|exactly|up to|at (?:least|most)) )?(?:\d[\d.,]*|one|two|three|four|five|six|seven"
    r"|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|thirty|forty|fifty)(?P<unit> [a-z -]+)$"
)
_UNITS = word_set("people second minute hour day week month year time")


def _counted_once(reading: Reading | None, answer: str) -> Reading | None:
    """The answer "45 days" names itself what is counted: {s} has 45 days to return it, not 45 days days."""
    number = _NUMBER.match(answer.strip())
    if reading is None or "how many" not in reading.asked or not number:
        return reading
    words = reading.after.split()
    rest = next((index for index, word in enumerate(words) if word.lower() in PREPOSITIONS), len(words))
    counted = {word.lower().rstrip("s") for word in words[:rest]}
    same = number["unit"].split()[-1].lower().rstrip("s") in counted | _UNITS
    named = any(word == SLOT or word[0].isupper() for word in words[:rest])
    return replace(reading, after=f" {' '.join(words[rest:])}".rstrip()) if same and not named else reading


def _count_of_subject(text: str) -> Reading | None:
    """How many {s} films are there / How many people in {s} are left-handed."""
    match = re.match(
        rf"(?i)^how many\s+(.*\{{s\}}.*?)\s+(is|are|was|were|{'|'.join(sorted(MODALS))})\s+(?:there\s*(.*)|(.+))$", text
    )
    if not match or not AUXILIARIES.isdisjoint(match.group(1).lower().split()):
        return None
    counted, be, place, state = match.group(1), match.group(2).lower(), match.group(3), match.group(4)
    if be in MODALS and not (state and is_base(state.split()[0])):  # "how many {s} can guests take"
        return None
    if state is not None:
        noun = f"the number of {counted} that {be} {state}"
        embedded = f"how many {counted} {be} {state}"
        return Reading("how many", f"{noun} is", embedded=embedded, asked="how many", noun=noun)
    after = f" {counted} {place}".rstrip()
    return Reading(
        "how many",
        f"there {be}",
        after=after,
        embedded=f"how many{after} there {be}",
        asked="how many",
        noun=f"the number of{after}",
    )


def _so_many_times(text: str) -> Reading | None:
    """For how many years did {s} reign."""
    match = re.match(rf"(?i)^(for how many) (\w+) ({AUXILIARY}) (.+)$", text)
    parts = split_subject(match.group(4), match.group(3).lower()) if match else None
    if not match or parts is None:
        return None
    asked, counted, auxiliary, rest = match.group(1).lower(), match.group(2), match.group(3).lower(), match.group(4)
    clause = clause_of(parts[0], auxiliary, parts[1])
    wanted = f"{asked} {counted}"
    return Reading(
        "how many",
        f"{clause} for",
        after=f" {counted}",
        embedded=f"{wanted} {clause}",
        asked=asked,
        be=be_of(auxiliary),
        inverted=f"{counted} {auxiliary} {rest}",
        echo=f"{clause} {wanted}",
    )


def _count(text: str) -> Reading | None:
    """How many moons does {s} have / How many doors are there in {s}."""
    match = re.match(rf"(?i)^how (many|much)\s+(.+?)\s+({AUXILIARY})\s+(.+)$", text)
    if not match:
        return _count_of_doers(text)
    asked, counted, auxiliary, rest = f"how {match.group(1)}", match.group(2), match.group(3).lower(), match.group(4)
    quantity = "the number of" if asked == "how many" else "the amount of"
    if SLOT not in rest:
        return _count_for_others(asked, counted, auxiliary, rest, quantity) if SLOT in counted else None
    if there := re.match(r"(?i)^there\s+(.*)$", rest):
        place = there.group(1)
        holder = re.match(r"(?i)^(?:in|on|at)\s+((?:(?:the|an?)\s)?\{s\})$", place)
        return Reading(
            "how many",
            f"there {auxiliary}",
            after=f" {counted} {place}".rstrip(),
            embedded=f"{asked} {counted} there {auxiliary} {place}",
            asked=asked,
            noun=f"the number of {counted} {place}" if holder and asked == "how many" else "",
            be="is" if holder else be_of(auxiliary),
            echo=f"{holder.group(1)} has {asked} {counted}" if holder else "",
        )
    if auxiliary in ("is", "are", "was", "were") and rest.split()[0].lower() in PREPOSITIONS:
        return Reading(
            "how many",
            f"there {auxiliary}" if asked == "how many" else f"{quantity} {counted} {rest} is",
            after=f" {counted} {rest}" if asked == "how many" else "",
            embedded=f"{asked} {counted} {auxiliary} {rest}",
            asked=asked,
            noun=f"{quantity} {counted} {rest}",
        )
    parts = split_subject(rest, auxiliary)
    if parts is None:
        return None
    subject, tail = parts
    clause = clause_of(subject, auxiliary, tail)
    first = rest.split()[0]
    if be_of(auxiliary) == auxiliary and not tail and not is_participle(first):  # "how many metres high is {s}"
        return Reading(
            "how many",
            clause,
            after=f" {counted}",
            embedded=f"{asked} {counted} {clause}",
            asked=asked,
            echo=f"{clause} {asked} {counted}",
        )
    if is_participle(first) or (auxiliary in MODALS and is_base(first)):  # who is counted did it
        clause = f"{auxiliary} {rest}"
    noun = f"{quantity} {counted} that {clause}"
    adverbs, (verb, *behind) = leading_adverbs(tail.split() or [""])
    perfect = auxiliary in ("has", "have", "had") and is_participle(verb) and subject in rest.split(f" {verb}")[0]
    if asked == "how much" or (auxiliary not in ("do", "does", "did") and not perfect):
        return Reading("how many", f"{noun} is", embedded=f"{asked} {counted} {clause}", asked=asked, noun=noun)
    ends_in_preposition = len(behind) == 1 and behind[0] in PREPOSITIONS  # "pass through"
    if ends_in_preposition or counted.startswith("times"):  # nothing but the answer can follow
        verb, behind = " ".join([verb, *behind]), []
    before = clause_of(subject, auxiliary, " ".join([*adverbs, verb]))
    counted_behind = " ".join([counted, *behind])
    return Reading(
        "how many",
        before,
        after=f" {counted_behind}",
        embedded=f"{asked} {counted} {clause}",
        asked=asked,
        noun=noun,
        be="was" if auxiliary in ("did", "had") else "is",
        echo=f"{before} {asked} {counted_behind}",
    )


def _count_for_others(asked: str, counted: str, auxiliary: str, rest: str, quantity: str) -> Reading | None:
    """How much {s} do employees get for moving house: the subject is what is counted."""
    if be_of(auxiliary) == auxiliary:
        return None
    parts = split_others(rest, auxiliary)
    if parts is None:
        return None
    clause = clause_of(parts[0], auxiliary, parts[1])
    noun = f"{quantity} {counted} that {clause}"
    return Reading("how many", f"{noun} is", embedded=f"{asked} {counted} {clause}", asked=asked, noun=noun)


def _count_of_doers(text: str) -> Reading | None:
    """How many people live in {s} / How many episodes of {s} aired / How much sugar goes into {s}."""
    match = re.match(r"(?i)^(how many|how much)\s+(.*\{s\}.*)$", text)
    if match is None:
        return None
    asked, rest = match.group(1).lower(), match.group(2)
    split = _split_doers(rest.split()) if asked == "how many" else _split_amount(rest)
    if split is None:
        return None
    counted, act = split
    noun = f"the {'number' if asked == 'how many' else 'amount'} of {counted} that {act}"
    return Reading("how many", f"{noun} is", embedded=f"{asked} {counted} {act}", asked=asked, noun=noun)


def _split_amount(text: str) -> tuple[str, str] | None:
    """Split "sugar goes into {s}" into what is measured and what it does."""
    match = re.match(r"^((?:[\w-]+ )?[\w-]+) (\w+s) (.*\{s\}.*)$", text)
    known = match and base_and_tense(match.group(2))
    return (match.group(1), f"{match.group(2)} {match.group(3)}") if match and known and known[1] == "present" else None


def _split_doers(words: list[str]) -> tuple[str, str] | None:
    """Split "red boats dock in {s}" into who is counted and what they do; None where no verb is seen.

    The verb is the first word behind the noun that is a known one, else the word before "in", "the" or the slot.
    """
    lowered = [word.lower() for word in words]
    if not AUXILIARIES.isdisjoint(lowered):
        return None
    behind_noun = range(1, len(words))
    known = (
        index for index in behind_noun if lowered[index - 1] not in _NOUN_FOLLOWS and _is_plural_verb(lowered[index])
    )
    before_its_object = (
        index - 1
        for index in behind_noun
        if index > 1
        and (SLOT in lowered[index] or lowered[index] in _OBJECT_FOLLOWS)
        and SLOT not in lowered[index - 1]
    )
    verb = next(known, None) or next(before_its_object, None)
    return (" ".join(words[:verb]), " ".join(words[verb:])) if verb else None


def _is_plural_verb(word: str) -> bool:
    """Whether "the people" can go on with the word: a base form or a past."""
    form = base_and_tense(word)
    return is_base(word) or (form is not None and form[1] == "past")


_IS_PRICE = re.compile(r"(?:the |an? )?(?:[\w-]+ )?(?:price|cost|fee|fine|fare|rent|deposit|charge|salary)\b")


def _price(text: str) -> Reading | None:
    """How much is {s} / How much does {s} weigh."""
    match = re.match(r"(?i)^how much\s+(is|are|was|were|did|does|do)\s+(.+)$", text)
    parts = split_subject(match.group(2), match.group(1).lower()) if match else None
    if not match or parts is None:
        return None
    auxiliary, (subject, tail) = match.group(1).lower(), parts
    if worth := re.match(r"^(.+) worth$", match.group(2)):
        subject, tail = worth.group(1), "worth"
    if auxiliary in ("is", "are", "was", "were"):
        clause = clause_of(subject, auxiliary, tail)
        price = clause if tail or _IS_PRICE.match(subject) else f"the price of {clause}"
        return Reading("how much", price, embedded=f"how much {clause}", asked="how much", be=auxiliary)
    adverbs, (verb, *behind) = leading_adverbs(tail.split())
    before, after = clause_of(subject, auxiliary, " ".join([*adverbs, verb])), f" {' '.join(behind)}".rstrip()
    return Reading(
        "how much",
        before,
        after=after,
        embedded=f"how much {before}{after}",
        asked="how much",
        be=be_of(auxiliary),
        echo=f"{before} how much{after}",
    )


# Behind these the length itself stands, and the rest of the clause behind it: "it takes | two days | to dry".
_BEFORE_LENGTH = re.compile(
    r"(have to be|have(?= to (?:return|pay|claim|cancel|apply|appeal|repay|complete|register|renew|submit|reply|respond)\b)"
    r"|be(?= to )|take(?: (?!to\b|for\b|at\b|in\b)[^{}]+?)?(?= (?:to|for|at|in)\b)|get|spend|need) "
)


# Behind other verbs than these a time or a speed takes a preposition: "{s} was open for two days", "{s} runs at 9 km/h".
_TAKES_LENGTH = re.compile(
    r"\b(?:takes?|took|lasts?|lasted|spends?|spent|needs?|needed)\b|\b(?:get|have|be|serve)(?:s|d)?$|\b(?:got|had)$"
)
_A_TIME = re.compile(
    r"(?i)(?:(?:about|around|over|under|only|exactly|up to|at least|at most|almost|nearly|roughly|less than|more than) )?"
    r"(?:half )?(?:an?|\d[\d.,]*|[a-z]+(?:[- ](?:one|two|three|four|five|six|seven|eight|nine|hundred|thousand|and a half))?) "
    r"(?:[a-z]+ )?(?:second|minute|hour|day|night|week|month|year|decade|centur)(?:s|y|ies)?\b"
)
_A_SPEED = re.compile(
    r"(?i)(?:about |around |up to |over )?\d[\d.,]* ?(?:\w+ )?(?:per|an|a) \w|.*\d ?(?:km/h|mph|m/s|knots)\b"
)
# What is done for so long, before what for or when: "you boil {s} | ten minutes | to make it soft".
_DONE_FOR = re.compile(r"^(.*\{s\}) ((?:for (?:it|them) )?to \w+ .+)$|^(.*\{s\} .*?) ((?:before|after) .+)$")


def _degree(text: str, answer: str) -> Reading | None:
    """How old is {s} / How far does {s} reach."""
    match = re.match(rf"(?i)^how ({DEGREE})\s+({AUXILIARY})\s+(.+)$", text)
    if not match:
        return None
    adjective, auxiliary, rest = match.group(1).lower(), match.group(2).lower(), match.group(3)
    parts = split_subject(rest, auxiliary)
    if parts is None:
        return None
    subject, tail = parts
    clause = clause_of(subject, auxiliary, tail)
    if adjective == "fast" and not tail:
        speed = f"the speed of {subject}"
        return Reading(
            "how fast",
            f"{speed} {auxiliary}",
            embedded=f"how fast {clause}",
            asked="how fast",
            noun=speed,
            be=auxiliary,
        )
    before, after, behind = clause, "", ""
    if be_of(auxiliary) == auxiliary and re.match(r"(?:when|from|at|to)\b", tail):
        before, behind, tail = f"{subject} {auxiliary}", f" {tail}", ""
    elif (verb := _BEFORE_LENGTH.match(tail)) and (verb.group(1) != "have" or adjective == "long"):
        before, behind = clause_of(subject, auxiliary, verb.group(1)), f" {tail[verb.end() :]}"
    if (
        not tail
        and adjective in ("old", "tall", "long", "high", "deep", "wide")
        and re.search(r"\d", answer)
        and adjective not in answer.lower()
    ):
        years = " years" if adjective == "old" and re.fullmatch(r"\d+", answer.strip()) else ""
        after = f"{years} {adjective}"
    if adjective == "long" and tail and not behind and _A_TIME.match(answer):
        if purpose := _DONE_FOR.match(before):
            before, rest = (one for one in purpose.groups() if one)
            behind = f" {rest}"
        before += "" if _TAKES_LENGTH.search(before) else " for"
    little = " at" if adjective == "fast" and tail and _A_SPEED.match(answer) else ""
    return Reading(
        f"how {adjective}",
        before + little,
        after=after + behind,
        embedded=f"how {adjective} {clause}",
        asked=f"how {adjective}",
        be=be_of(auxiliary),
        echo=f"{before} how {adjective}{behind}",
    )
