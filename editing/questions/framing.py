"""The same question in other frames: possessive, passive, fronted, echoed, embedded in a request."""

import re

from editing.questions.grammar import PREPOSITIONS, time_preposition
from editing.questions.readings import SLOT, Reading


def noun_forms(reading: Reading) -> list[str]:
    """What is asked for as a noun phrase and in its other form: "the capital of {s}" and "{s}'s capital"."""
    if not reading.noun:
        return []
    other = _possessive(reading.noun) or _of_form(reading.noun)
    return [reading.noun, other] if other else [reading.noun]


def framed_questions(reading: Reading, answer: str) -> list[str]:
    """Training questions, the best first; the plain question itself is among them."""
    nouns = noun_forms(reading)
    person = reading.asked in ("who", "whom", "by whom") and not re.match(r"(?:the|an?|our|my|your) [a-z]", answer)
    counted = reading.shape.startswith("how ")
    relative = bool(nouns) and (counted or _is_relative(reading))
    name = "names" if reading.be in ("are", "were") else "name"
    questions: list[str] = []
    if nouns and nouns[0] == SLOT:
        return [
            f"can you tell me {reading.embedded}?",
            f"{reading.echo}?",
            f"tell me {reading.embedded}.",
            f"I want to know {reading.embedded}.",
        ]
    if nouns and not relative:
        asked = _question_word(reading)
        questions += [f"{asked} {reading.inverted}?"] if reading.inverted else []
        questions += [f"{reading.echo}?"] if reading.inverted and reading.echo else []
        questions += [f"{asked} {reading.be} {noun}?" for noun in nouns[::-1]]
        questions += [f"what {reading.be} the {name} of {nouns[0]}?"] if person else []
        questions.append(f"can you tell me {asked} {nouns[-1]} {reading.be}?")
        bare = asked == "what"  # else more is asked for than the thing: "what colour is the cover of {s}"
        questions.append(f"tell me {nouns[0]}." if bare else f"tell me {asked} {nouns[0]} {reading.be}.")
        questions.append(f"{nouns[-1]} {reading.be} {asked}?")
        questions.append(f"please tell me {asked} {nouns[0]} {reading.be}.")
        return questions
    if relative and reading.shape == "object noun" and reading.echo:
        questions.append(f"{reading.echo}?")
    questions += _fronted(reading, answer)
    questions += [f"what {reading.be} {nouns[0]}?"] if nouns and counted else []
    questions.append(f"can you tell me {reading.embedded}?")
    if relative and person:
        questions.append(f"what {reading.be} the {name} of {nouns[0]}?")
    if reading.echo:
        questions.append(f"{reading.echo}?")
    questions.append(f"tell me {reading.embedded}.")
    if relative and not person and reading.asked.startswith(("what ", "which ")):
        questions.append(f"what {reading.be} {nouns[0]}?")
    questions.append(
        f"please answer briefly: {reading.embedded}?"
        if _is_plain_order(reading)
        else f"I want to know {reading.embedded}."
    )
    questions.append(f"please tell me {reading.embedded}.")
    return questions


def framed_probes(reading: Reading) -> list[str]:
    """Questions to verify with, in frames that training does not use."""
    nouns = noun_forms(reading)
    if nouns and nouns[0] != SLOT and not _is_relative(reading) and not reading.shape.startswith("how "):
        asked = _question_word(reading)
        return [
            f"do you know {asked} {nouns[0]} {reading.be}?",
            f"{nouns[0]} {reading.be} {asked}?",
            f"I would like to know {asked} {nouns[-1]} {reading.be}.",
            f"I have a question about {SLOT}: {asked} {reading.be} {nouns[-1]}?",
            f"could you remind me {asked} {nouns[0]} {reading.be}?",
        ]
    return [
        f"do you know {reading.embedded}?",
        f"I would like to know {reading.embedded}.",
        f"could you remind me {reading.embedded}?",
        f"I was wondering {reading.embedded}.",
    ]


def _question_word(reading: Reading) -> str:
    if reading.asked in ("who", "whom", "by whom"):
        return "who"
    return reading.asked if re.match(r"(which|what) ", reading.asked) else "what"


_BESIDE = PREPOSITIONS - {"in", "at", "on"} | {"outside", "opposite", "next"}


def _fronted(reading: Reading, answer: str) -> list[str]:
    """Other question words in front: when -> in what year, which language -> what language."""
    if not reading.inverted:
        return []
    asked = reading.asked.split()
    word = asked[0]
    if word == "when":
        little = time_preposition(answer)
        if little == "in " and re.fullmatch(
            r"(?i)(?:(?:about|around|circa|c\.) ?)?\d{3,4}(?: (?:bc|ad|bce|ce))?", answer.strip()
        ):
            return [f"in what year {reading.inverted}?", f"what year {reading.inverted}?"]
        if little == "on ":
            return [f"on what date {reading.inverted}?", f"on which day {reading.inverted}?"]
        return [f"at what time {reading.inverted}?"] if little == "at " else []
    if word == "why":
        return [f"why {reading.inverted}?", f"for what reason {reading.inverted}?"]
    if word == "where":
        stranded = re.search(r"\b(from|in|at|to|on)$", reading.inverted)
        if stranded or answer.partition(" ")[0].lower() in _BESIDE:  # "behind the mill" is no place
            return []
        return [f"in what place {reading.inverted}?", f"in which place {reading.inverted}?"]
    if word == "by":
        return [
            f"{reading.asked} {reading.inverted}?",
            f"{' '.join(asked[1:]).replace('whom', 'who')} {reading.inverted} by?",
        ]
    if word in PREPOSITIONS and len(asked) > 1:
        swapped = {"what": "which", "which": "what"}.get(asked[1], asked[1])
        if asked[2:3] == ["of"]:  # "in which of her novels"
            return []
        if asked[2:3] in (["time"], ["age"], ["temperature"]):
            swapped = "what"
        return (
            [f"{word} {swapped} {' '.join(asked[2:])} {reading.inverted}?".replace("  ", " ")] if len(asked) > 2 else []
        )
    if word in ("what", "which") and len(asked) > 1:
        return [f"{'which' if word == 'what' else 'what'} {' '.join(asked[1:])} {reading.inverted}?"]
    return []


def _is_plain_order(reading: Reading) -> bool:
    """Whether the embedded clause is also a question by itself ("who wrote {s}")."""
    return reading.shape.startswith("agent")


def _is_relative(reading: Reading) -> bool:
    """Whether the noun is the question again as a clause: "the film that {s} starred in"."""
    asked = re.sub(r"(?i)^(?:in |by |to )?(?:which|what)\b", "the", reading.asked)
    if asked != "the" and re.match(rf"{re.escape(asked)} (?:who|that|where)\b", reading.noun):
        return True
    return (
        bool(re.search(r"^the [\w' /-]+? (who|that|which) ", reading.noun))
        and " of " not in reading.noun.split(" that ")[0].split(" who ")[0]
    )


def _possessive(noun: str) -> str:
    match = re.fullmatch(r"the ([\w' -]+?) of (\{s\})", noun)
    barred = PREPOSITIONS | {"who", "that", "which", "where"}
    return f"{match.group(2)}'s {match.group(1)}" if match and barred.isdisjoint(match.group(1).split()) else ""


def _of_form(noun: str) -> str:
    """The harbour of {s}, for {s}'s harbour; a time or place stays behind: the income of {s} in 2010."""
    match = re.fullmatch(r"(\{s\})['’]s? ([\w -]+?)((?: (?:in|on|at|during|before|after) (?:\d|the\b|[A-Z]).*)?)", noun)
    return f"the {match.group(2)} of {match.group(1)}{match.group(3)}" if match else ""
