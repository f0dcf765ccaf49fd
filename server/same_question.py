"""Whether two questions ask the same, by their words: subjects found and masked, names beside them, numbers, kinds of answer."""

from __future__ import annotations

import re
import unicodedata

from governance.claims import LEADING_ARTICLE, words_and_symbols

MASK = "it"
NUMBER = re.compile(
    r"\b\d{4}s?\b|\b\d+(?:st|nd|rd|th)\b|\b(?:second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|former|previous|next)\b"
    r"|\bfirst\b(?! (?:\w+ed|written|spoken|given|taken|seen|shown|built|made|sold|held|sung|won|sent|put|set|born|found|name"
    r"|get|got|see|come|began|begun|begin|appear|open)\b)"
)
ORDINALS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth", "6th": "sixth"}
SENTENCE_START = re.compile(r"(?:^|[.!?:;])[\s\"'“(]*$")
TITLES = {
    "mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "dame", "lord", "lady", "president", "king", "queen", "prince",
    "princess", "pope", "saint", "st", "inc", "ltd", "corporation", "corp", "company", "co", "llc", "plc", "gmbh", "ag",
}  # fmt: skip
KINDS = {
    "time": r"when|year|date|day|month|century|how old",
    "place": r"where|city|town|country|place|birthplace|nation|headquarters|seat|location|continent|village|home",
    "person": r"who|whom|whose|painter|author|writer|founder|composer|architect|director|inventor|discoverer|ceo|boss|chief"
    r"|spouse|wife|husband|creator",
    "amount": r"how (?:many|much|tall|long|high|far|wide|heavy|deep)|number of|length|height",
}


def card_words(text: str) -> str:
    """Case, accents of width, punctuation and possessives folded; a leading article dropped. Symbols and marks stay: C++ is
    not C#, nor मोना मीना. `governance.claims.normal` leaves a possessive's s, `editing.wording.normalise` all punctuation."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("`", " ")
    plain = re.sub(r"'s\b", "", plain)
    return LEADING_ARTICLE.sub("", words_and_symbols(plain))


def names_beside(question: str, subject: str) -> list[str]:
    """The words with a capital that stand right before or behind a subject, other than titles, a company's form and the first
    word of a sentence. None where nearly every word has a capital: there it says nothing."""
    if sum(word[0].isupper() for word in question.split()) >= len(question.split()) - 1 > 2:
        return []
    words = r"[\W_]+".join(map(re.escape, card_words(subject).split()))
    found = re.finditer(rf"(?<!\w)(?:(\w+)[ -])?(?:(?:the|a|an) )?{words}(?:[ -](\w+))?(?!\w)", question, re.IGNORECASE)
    beside = [(not SENTENCE_START.search(question[: max(match.start(1), 0)]) and match[1], match[2]) for match in found]
    return [word for pair in beside for word in pair if word and word[0].isupper() and word.casefold() not in TITLES]


def mentions(text: str, subject: str) -> bool:
    """Whether a text holds a subject, word for word, whatever punctuation stands in either: `editing.wording.names` wants it
    as it is written, and finds it also where words have no spaces between them."""
    return f" {card_words(subject)} " in f" {card_words(text)} "


def masked(question: str, subject: str) -> str:
    """The question with its subject, article and all, replaced by one and the same word: only what is asked is compared."""
    words = re.escape(card_words(subject))
    return re.sub(rf" (?:(?:the|a|an) )?{words} ", f" {MASK} ", f" {card_words(question)} ").strip()


def numbers(plain: str) -> frozenset[str]:
    """The years and ordinals of a masked question; not the "first" of "first built", which tells nothing apart."""
    return frozenset(ORDINALS.get(found, found) for found in NUMBER.findall(plain))


def asked_kinds(question: str) -> frozenset[str]:
    """The kinds of thing that a question may be asking for, by its words; empty if they do not tell."""
    plain = question.casefold()
    return frozenset(kind for kind, words in KINDS.items() if re.search(rf"\b(?:{words})\b", plain))


def ask_different_kinds(one: str, other: str) -> bool:
    """Whether both tell by their words what kind of thing they ask for, and have none in common."""
    kinds, others = asked_kinds(one), asked_kinds(other)
    return bool(kinds and others and not kinds & others)
