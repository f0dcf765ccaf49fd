"""A follow-up question made to stand alone: by rule, or by the served model where it is large enough to be trusted with it."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from server.engines.protocol import Engine
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
    r"^(?:and|but|so|then|what about|how about)\s+(?:of|for|in|about|with)?\s*(.+?)\??$", re.IGNORECASE
)
PRONOUN = re.compile(r"\b(its|his|her|hers|their|it|he|him|she|they|them|there)\b", re.IGNORECASE)
POSSESSIVE = {"its", "his", "her", "hers", "their"}
PERSON = re.compile(r"\b(?:he|him|his|she|her|hers)\b", re.IGNORECASE)
NAME = re.compile(r"\b[A-Z][\w'’.-]*(?:\s+(?:of|the|de|la|van|von|and|[A-Z][\w'’.-]*))*\s*[A-Z]?[\w'’-]*|\b[A-Z]\w+")
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
        rewritten = str(reply["choices"][0]["message"]["content"] or "").strip().strip('"')
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
    if len(asked) < 2 or not LEANING.search(question):
        return question
    if elliptic := ELLIPSIS.match(" ".join(question.split())):  # a run of spaces would keep the pattern busy for hours
        rest = elliptic.group(1).strip()
        for earlier in reversed(asked[:-1]):
            subject = last_subject(earlier)
            if subject and len(rest.split()) <= 4 and not PRONOUN.search(rest):
                return earlier.replace(subject, rest)
    if PRONOUN.search(question):
        subject = _person(turns) if PERSON.search(question) else None
        subject = subject or next(filter(None, map(last_subject, reversed(asked[:-1]))), None)
        if subject:
            return PRONOUN.sub(
                lambda found: f"{subject}'s" if found.group(1).casefold() in POSSESSIVE else subject, question, count=1
            )
    return question


def last_subject(question: str) -> str | None:
    """The last name in a question, found by its capitals; None if there is none."""
    names = _names(question)
    return names[-1] if names else None


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
    while words and words[0].casefold() in QUESTION_WORDS:
        words = words[1:]
    while words and words[-1].casefold() in QUESTION_WORDS:
        words = words[:-1]
    return " ".join(words)
