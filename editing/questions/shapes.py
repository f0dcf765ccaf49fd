"""Which shape a question has: in its plain order, one rule after another."""

import re

from editing.questions.agents import read_agent
from editing.questions.amounts import read_amount
from editing.questions.comparisons import read_comparative, read_difference, read_one_of, read_superlative
from editing.questions.copulas import read_alternatives, read_bare_noun, read_copula, read_embedded_copula
from editing.questions.echoes import read_inner_question, read_trailing_question
from editing.questions.grammar import (
    PREPOSITION,
)
from editing.questions.objects import read_fronted_preposition, read_object, read_when_where
from editing.questions.owners import read_owner, read_whose
from editing.questions.plain_order import rearranged, strip_frame
from editing.questions.readings import Reading
from editing.questions.reasons import read_manner, read_outcome, read_reason

# What no statement says: a question word that is left, but for relative clauses; "called" with no name; a second sentence.
_STILL_ASKS = re.compile(
    r"(?i:\bcalled,|(?<=\W)(?:what|whose|how (?:many|much))\b|, (?:but |and )?(?:who|when|where)\b|\?"
    rf"|\b(?:{PREPOSITION}|has|have|had|is|was|are|were|uses?|used) which\b"
    r"(?! (?:\{s\}|(?:has|have|had|is|was|are|were|the|an?|it|he|she|they)\b)))|[a-z]{4}\. [A-Z]"
)


def read(template: str, answer: str) -> Reading | None:
    """The reading of a question with SLOT for its subject; None if no rule fits. The answer decides prepositions."""
    text = rearranged(template)
    rest = strip_frame(text)
    asks_by_verb = rest != text
    rest = rearranged(rest)
    for rule in (
        read_fronted_preposition,
        read_difference,
        read_amount,
        read_when_where,
        read_reason,
        read_manner,
        read_outcome,
        read_comparative,
        read_one_of,
        read_superlative,
        read_owner,
        read_copula,
        read_object,
        read_agent,
        read_whose,
        read_alternatives,
        read_trailing_question,
        read_inner_question,
        read_embedded_copula,
    ):
        reading = rule(rest, answer)
        if reading is not None:
            return None if _STILL_ASKS.search(f"{reading.before} {reading.after}") else reading
    if re.match(r"(?i)about\b", rest):  # "tell me about {s}": no noun is asked for
        return None
    if asks_by_verb or re.match(r"(?i)(the\s+)?[\w' -]+\s(of|in|for)\s.*\{s\}|\{s\}(['’]s?)?\s[\w ]+$", rest):
        return read_bare_noun(rest)
    return None
