"""Questions whose question word stands where the answer would: X was created in what year."""

import re

from editing.questions.grammar import AUXILIARY, DEGREE, PREPOSITIONS, place_preposition, time_preposition
from editing.questions.readings import Reading, noun_reading

_ENDING = "|".join(sorted(PREPOSITIONS - {"of"} | {"now", "then", "today", "currently"}))
TRAILING = (
    rf"how (?:{DEGREE})|how (?:many|much)(?:\s+(?!(?:{AUXILIARY})\b)[\w-]+){{0,3}}|in what year|in which year|what year"
    rf"|(?:which|what)(?:\s+(?!(?:{_ENDING})\b)[\w-]+){{1,3}}|who|whom|what|where|when|which"
)


def starts_with_question_word(text: str) -> bool:
    """Whether the question word stands in front: "who wrote {s}"."""
    return bool(re.match(r"(?i)(?:who|whom|what|which|where|when|whose|why|how)\b", text))


def read_inner_question(text: str, answer: str) -> Reading | None:
    """{s} was leader at which club in the 1990s."""
    match = re.match(
        (
            r"(?i)^(.*\{s\}.*?\s(?:in|on|at|by|for|from|to|of|with|as|under|against))\s+((?:which"
            r"|what)(?:\s(?!in\b|on\b|at\b|for\b|by\b|of\b|the\b|to\b|during\b)[\w'’-]+){1,3}(?=$)|(?:which"
            r"|what)\s[\w-]+|whom?)(\s.+)?$"
        ),
        text,
    )
    if not match or starts_with_question_word(text):
        return None
    before, asked, after = match.group(1), match.group(2).lower(), match.group(3) or ""
    clause, _, preposition = before.rpartition(" ")
    return Reading(
        "inner question",
        before,
        after=after,
        embedded=f"{preposition} {asked} {clause}{after}",
        asked=asked,
        echo=f"{before} {asked}{after}",
    )


def read_trailing_question(text: str, answer: str) -> Reading | None:
    """{s} was created in what year / The gender of {s} is what."""
    text = re.sub(r"(?i)\bwhich one$", "what", text)
    match = re.match(rf"(?i)^(.*\{{s\}}.*?)\s+({TRAILING})$", text)
    if not match or starts_with_question_word(text):
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
            return Reading(
                "trailing question",
                before,
                embedded=f"{asked} {noun.group(1)} {noun.group(2)}",
                asked=asked,
                noun=f"the {inner.group(2)} of {noun.group(1)}",
                be=noun.group(2).lower(),
            )
        return noun_reading("trailing question", noun.group(1), noun.group(2).lower(), asked)
    last = before.split()[-1].lower()
    fronted = last in PREPOSITIONS - {"as"}  # "what {s} is known as"
    clause = before[: -len(last) - 1] if fronted else before
    front = f"{last} {asked}" if fronted else asked
    counted = re.match(r"how (?:many|much)(.*)", asked)
    return Reading(
        "trailing question",
        f"{before} {little}".rstrip(),
        after=counted.group(1) if counted else "",
        embedded=f"{front} {clause}",
        asked=asked,
    )
