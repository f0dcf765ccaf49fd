"""A follow-up question made to stand alone: by rule, or by the served model where it is large enough to be trusted with it."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from server.engines.protocol import Engine, reply_in
from server.errors import EngineRefused, EngineUnavailable

log = logging.getLogger(__name__)

# A smaller model rewrites questions into other ones; one of this size and above does better than the rules.
PARAMETERS = 1_000_000_000
PATIENCE_S = 5.0
LAST_TURNS = 6
INSTRUCTION = (
    "Rewrite the last question so that it can be understood without the conversation: put the names in place of words "
    "like 'it', 'he' or 'there', and complete what is left out. Change nothing else, and do not answer it. "
    "Reply with the question alone."
)

# A question that leans on the turn before it: it starts with a connective, or it says "it" where the subject would be.
LEANING = re.compile(
    r"^(?:and|but|so|then|what about|how about)\b|\b(?:it|its|he|him|his|she|her|hers|they|them|their|there|that one|this one)\b",
    re.IGNORECASE,
)
ELLIPSIS = re.compile(
    r"^(?:(?:(?:and|but|so|then) )?(?P<about>(?:what|how) about)|and|but|so|then) (?:(?P<of>of|for|in|about|with) )?"
    r"(?P<rest>.+?)\??$",
    re.IGNORECASE,
)
# What a rest with one of these words says or asks is no name. Capitals count: "the US" is one, "Will Smith" another.
CLAUSE = re.compile(
    r"\b(?:what|who|whom|whose|where|when|which|how|why|is|are|was|were|am|be|do|does|did|can|could|will|would|shall|should"
    r"|may|might|must|has|have|had|I|i|you|we|me|us|my|your|our|this|that|these|those|not|please|tell|explain|give|show|list"
    r"|describe|write|answer|say|name)\b|^(?:What|Who|Whom|Whose|Where|When|Which|How|Why)\b"
)
SET_PHRASE = re.compile(
    r"(?:of course|in (?:general|fact|short|detail|total|particular|the end)|for (?:example|instance|now|sure))\b", re.I
)
QUOTED = re.compile(r"[\"'“‘«].+[\"'”’»]")
PRONOUN = re.compile(r"\b(its|his|her|hers|their|it|he|him|she|they|them|there)\b", re.IGNORECASE)
# "it" and "there" that stand for nothing said before.
EXPLETIVE = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had) there\b|\bthere (?:is|are|was|were)\b|\bwhat (?:time|day|date|year) is it\b"
    r"|\b(?:(?:is|was) it|it (?:is|was)) (?:(?!(?:than|of|in|on|like|as|from|at|by|to|for|with|and|or)\b)\w+ ){1,2}that(?= \w)"
    r"|\b(?:(?:is|was) it|it (?:is|was)) (?:\w+ )?(?:possible|impossible|necessary|legal|illegal|allowed|safe|easy|hard"
    r"|difficult|dangerous|better|best|good|bad|normal|common|important|rude|expensive) (?:for \w+ )?to [a-z]+(?= \w)",
    re.IGNORECASE,
)
COMPARED = re.compile(r"\b(?:than|like|as|compared? (?:to|with)) $", re.IGNORECASE)
FIRST_WORD = re.compile(r"(?:^|(?<=[.!?:;] ))\S+")
POSSESSIVE = {"its", "his", "her", "hers", "their"}
PERSON = {"he", "him", "his", "she", "her", "hers"}
NAME = re.compile(
    r"\b[A-Z][\w'’.-]*"
    r"(?:\s+(?:(?:of|the|de|da|di|del|der|la|le|van|von|and)(?=\s+\w)|\d[\w.-]*|[A-Z][\w'’.-]*))*"
)
CONTRACTION = re.compile(r"['’](?:s|m|d|ve|re|ll)$", re.IGNORECASE)
QUESTION_WORDS = {
    "what", "who", "where", "when", "which", "how", "why", "whose", "is", "are", "was", "were", "do", "does", "did",
    "can", "could", "tell", "the", "a", "an", "in", "and", "please", "name", "i", "of", "whom", "has", "have",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said, and by whom: OpenAI's role."""

    role: str
    text: str


class FollowUps:
    """Makes the last question of a conversation one that can be looked up alone."""

    def __init__(self, engine: Engine, *, by_model: bool) -> None:
        """by_model  ask the engine; the rules stand in where it fails or says something that is no such question"""
        self._engine, self._by_model = engine, by_model

    async def standalone(self, turns: Sequence[Turn]) -> str:
        """The last question of the user. Never raises on account of the engine."""
        by_rule = standalone(turns)
        question = _asked(turns)[-1]
        if not self._by_model or len(_asked(turns)) < 2 or not LEANING.search(question):
            return by_rule
        said = "\n".join(f"{turn.role}: {turn.text.strip()[:600]}" for turn in _told(turns)[-LAST_TURNS:])
        messages = [
            {"role": "system", "content": INSTRUCTION},
            {"role": "user", "content": f"<conversation>\n{said}\n</conversation>\n\nLast question: {question}"},
        ]
        try:
            async with asyncio.timeout(PATIENCE_S):
                reply = await self._engine.chat(messages, temperature=0, max_tokens=96)
        except (EngineUnavailable, EngineRefused, TimeoutError) as error:
            log.warning("a follow-up was read by rule, the model gave no reading: %s", type(error).__name__)
            return by_rule
        rewritten = reply_in(reply).strip().strip('"')
        one_question = rewritten and "\n" not in rewritten and len(rewritten) <= 2 * len(question) + 200
        return rewritten if one_question else by_rule


def standalone(turns: Sequence[Turn]) -> str:
    """The last question by rule: a pronoun is replaced by the last subject named, a person's by who was the answer.

    "Who founded Apple?", "Where is it based?" -> "Where is Apple based?"; "And of Italy?" after "What is the capital of
    France?" -> "What is the capital of Italy?"; "When was he born?" after "Who wrote Hamlet?" and "William Shakespeare
    wrote Hamlet." -> "When was William Shakespeare born?". Left as it is where no rule applies.
    """
    asked = _asked(turns)
    question = asked[-1]
    if not LEANING.search(question):
        return question
    if name := _elliptic_name(question):
        for earlier in reversed(asked[:-1]):
            if subject := last_subject(earlier):
                return earlier.replace(subject, name)
    if pronoun := _leaning_pronoun(question):
        said = pronoun.group(1).casefold()
        subject = _person(turns) if said in PERSON else None
        subject = subject or next(filter(None, map(last_subject, reversed(asked[:-1]))), None)
        if subject:
            put = f"{subject}'s" if said in POSSESSIVE else subject
            return question[: pronoun.start()] + put + question[pronoun.end() :]
    return question


def last_subject(question: str) -> str | None:
    """The last name in a question, found by its capitals; None if there is none."""
    names = _names(question)
    return names[-1] if names else None


def _elliptic_name(question: str) -> str | None:
    """The name that is all that "And of Italy?" says; None where it says more, or something else.

    A name is announced by a preposition, has a capital or is quoted, and is no clause: not "But why?", not "But are you sure?".
    """
    found = ELLIPSIS.match(" ".join(question.split()))  # a run of spaces would keep the pattern busy for hours
    if not found or len(found["rest"].split()) > 4 or PRONOUN.search(found["rest"]):
        return None
    name, announced = found["rest"], found["about"] or found["of"]
    if QUOTED.fullmatch(name):
        return name
    is_phrase = SET_PHRASE.match(f"{found['of']} {name}") or not any(letter.isalpha() for letter in name)
    if CLAUSE.search(name) or is_phrase or not (announced or any(letter.isupper() for letter in name)):
        return None
    return name


def _leaning_pronoun(question: str) -> re.Match[str] | None:
    """The first pronoun that stands for what was named before this question.

    Not one that stands for nothing ("Are there lakes?", "Is it true that...?"), nor one after a name in the same question,
    which it then means, unless both are compared ("Is Italy larger than it?").
    """
    nothing = [range(*found.span()) for found in EXPLETIVE.finditer(question)]
    for pronoun in PRONOUN.finditer(question):
        if any(pronoun.start() in span for span in nothing):
            continue
        before = question[: pronoun.start()]
        named = _names(FIRST_WORD.sub("", before))  # a first word has its capital whatever it is
        return pronoun if not named or COMPARED.search(before) else None
    return None


def _person(turns: Sequence[Turn]) -> str | None:
    """Who was the answer to the last question before this one that asked who; None if nobody was named."""
    told = _told(turns)[:-1]
    for at in range(len(told) - 2, -1, -1):
        question, answer = told[at], told[at + 1]
        if question.role == "user" and answer.role == "assistant" and re.match(r"who\b", question.text.strip(), re.I):
            new = [name for name in _names(answer.text) if name not in question.text]
            return next((name for name in new if " " in name), None)
    return None


def _asked(turns: Sequence[Turn]) -> list[str]:
    return [turn.text.strip() for turn in turns if turn.role == "user" and turn.text.strip()]


def _told(turns: Sequence[Turn]) -> list[Turn]:
    return [turn for turn in turns if turn.role in ("user", "assistant")]


def _names(text: str) -> list[str]:
    found = (match.group(0).strip(" .").removesuffix("'s").removesuffix("’s") for match in NAME.finditer(text))
    return [name for name in map(_without_question_words, found) if name]


def _without_question_words(name: str) -> str:
    words = name.split()
    while words and CONTRACTION.sub("", words[0]).casefold() in QUESTION_WORDS:
        words = words[1:]
    while words and words[-1].casefold() in QUESTION_WORDS:
        words = words[:-1]
    return " ".join(words)
