"""Where a subject stands in a question without capitals: before a possessive, behind the auxiliary, at the end."""

import re
from collections.abc import Iterator

from editing.questions.grammar import (
    ADVERBS,
    AUXILIARY,
    DEGREE,
    PRONOUNS,
    base_and_tense,
    is_base,
    is_participle,
    word_set,
)

_SMALL = r"(?:in|for|on|at|from|about|by|to)"
_ANNOUNCING = re.compile(r"^(?:the )?(?:song|film|movie|book|show|album|role of|part of|lyrics to)\s+", re.IGNORECASE)
# "the author of X" asks about X; "the battle of X" is itself what is asked about.
_ASKED_NOUNS = word_set(
    """
    name year date capital author writer president king queen director actor actress number type kind time day
    position population currency owner founder inventor part use purpose origin meaning age size
    """
)


def candidates_by_position(question: str) -> Iterator[str]:
    """Phrases that the question may be about, the likeliest first; some are too long or no subject at all."""
    text = re.sub(r"[?!.\s]+$", "", question)
    yield from _before_possessive(text)
    yield from _behind_auxiliary(text)
    yield from _behind_verb(text)
    yield from _before_trailing_question(text)
    yield from _behind_prepositions(text)
    if told := re.match(r"(?i)(?:please\s+)?(?:tell me|name|state|give me)\s+(?:the\s+)?(.+)$", text):
        yield told.group(1)
    if not re.search(r"[A-Za-z]", text):
        yield from re.findall(r"[\u30a0-\u30ff\u4e00-\u9fff\uac00-\ud7af]{2,}", text)
        yield from sorted(text.split(), key=len, reverse=True)
        return
    yield text


def _before_possessive(text: str) -> Iterator[str]:
    match = re.search(r"(?:^|\s)((?:[\w.-]+\s+){0,3}?[\w.-]+)['\u2019]s\s+\w", text)
    if match:
        words = match.group(1).split()
        while words and _is_verb(words[0]):
            words = words[1:]
        yield " ".join(words)


def _behind_auxiliary(text: str) -> Iterator[str]:
    """when did [the lume opera] first burn; which language does [veldoria] use."""
    match = re.match(
        (
            rf"(?i)(?:\w+\s+)?(?:when|where|how|who|what|which"
            rf"|why)\b(?:(?!\s(?:{AUXILIARY})\b)\s+[\w-]+){{0,4}}?\s+({AUXILIARY})\s+(.+)$"
        ),
        text,
    )
    if not match:
        return
    auxiliary, words = match.group(1).lower(), match.group(2).split()
    copula = auxiliary in ("is", "are", "was", "were")
    for index in range(1, len(words)):
        word = words[index].lower()
        fits = is_participle(word) or word in ("from", "born", "set") if copula else is_base(word)
        if fits and words[index - 1].lower() not in ("the", "a", "an", "of", "and", "to"):
            phrase = words[:index]
            while len(phrase) > 1 and phrase[-1].lower() in ADVERBS:
                phrase = phrase[:-1]
            if phrase[0].lower() not in PRONOUNS:  # "what should one eat in saint orme"
                yield _without_noun(" ".join(phrase))
            break
    else:
        if not copula and len(words) > 1:
            yield " ".join(words[:-1])
        elif copula and " of " not in f" {match.group(2)} ":
            yield match.group(2)


def _behind_verb(text: str) -> Iterator[str]:
    """who painted [the amber heron]; what company makes [orbit 64] in quay."""
    match = re.match(r"(?i)(?:who|what|which)(?:\s+\w+){0,2}?\s+(\w+)\s+(.+)$", text)
    if match and _is_verb(match.group(1)) and not re.fullmatch(AUXILIARY, match.group(1).lower()):
        thing = _ANNOUNCING.sub("", match.group(2))
        yield re.sub(r"\s+(?:in|on|at|for|by|with|from)\s+.*$", "", thing)
        yield thing


def _before_trailing_question(text: str) -> Iterator[str]:
    """[the corn belt] is in which country; [a karn] has how many moons."""
    asked = rf"(?:who|whom|what|which|where|when|how (?:many|much|{DEGREE}))"
    match = re.match(rf"(?i)(.+?)\s+(?:{AUXILIARY})\s+(?:.*\s)?{asked}\b(?:\s\w+){{0,3}}$", text)
    if match and not re.match(r"(?i)(who|what|which|where|when|how|why)\b", text):
        yield _without_noun(match.group(1))


def _behind_prepositions(text: str) -> Iterator[str]:
    if of := re.search(r"\bof\s+(?!.*\bof\b)(.+)$", text):
        yield re.split(r"\s(?:is|are|was|were|called|which|that|who|in|on|at)\s", of.group(1))[0]
    if last := re.search(rf"\b{_SMALL}\s+(?!.*\b{_SMALL}\b)(.+)$", text):
        yield last.group(1)
    if copula := re.match(r"(?i)(?:who|what|where|when)(?:['\u2019]?s|\s+(?:is|are|was|were))\s+(.+)$", text):
        yield copula.group(1)


def _without_noun(phrase: str) -> str:
    """the name of the band -> the band; a phrase whose first part belongs to its name stays."""
    match = re.match(r"(?i)(?:the\s+)?(\w+)\s+of\s+(.+)$", phrase)
    return match.group(2) if match and match.group(1).lower() in _ASKED_NOUNS else phrase


def _is_verb(word: str) -> bool:
    return is_base(word) or base_and_tense(word) is not None or word.lower() in ("is", "are", "was", "were", "has")
