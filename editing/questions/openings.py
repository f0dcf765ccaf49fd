"""Openings of statements ("The mother tongue of X is") completed and turned into questions."""

import re
from dataclasses import dataclass

from editing.questions.echoes import TRAILING
from editing.questions.grammar import (
    MODALS,
    PREPOSITION,
    PREPOSITIONS,
    base_and_tense,
    indefinite,
    is_participle,
    time_preposition,
)
from editing.questions.readings import SLOT

_BE = r"(?:is|are|was|were)"
_ASKS = re.compile(
    r"(?i)^(who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|has|have|can"
    r"|could|will|would|should|tell|name|please|give|list|state)\b"
)
_ASKS_INSIDE = re.compile(
    rf"(?i)\b(?:{PREPOSITION}|since|until|is|was|as|has|had|have) (?:which|what|whom?|whose|where|when|how)\b"
    rf"|(?<!,)\s(?:{TRAILING})$|(?<=\w )what\b"
)
_ASKS_LATER = re.compile(
    r"(?i)(?:(?<!\{s\})[,:] *|^(?:in|on|at|of|for|from|during|under|by|according to|if|when|once|after|before|while"
    r"|out of) .*[,:] *|^(?:so|and|but|well|also|ok|okay|hi|hey|for|by) )"
    r"(?:who|whom|whose|what|which|when|where|why|how)\b"
)
_SENTENCE_END = re.compile(r"(?<!\b[A-Z]\.)(?<!\b[DMS][rt]\.)(?<!\bMrs\.)(?<=[.?!])\s+")
_PRONOUN = re.compile(r"(?i)^(it|they|he|she)\b")
_HANGING = frozenset(
    PREPOSITIONS
    | {"is", "are", "was", "were", "the", "a", "an", "as", "language", "instrument", "religion", "position", "that"}
)


@dataclass(frozen=True, slots=True)
class Opening:
    """A statement that stops before its answer, SLOT for the subject, and the question that it answers."""

    before: str
    question: str


def is_opening(template: str) -> bool:
    """Whether the text is a statement that breaks off where the answer belongs."""
    text = template.strip()
    if SLOT not in text or text.endswith(("?", ".", "!")):
        return False
    last = _SENTENCE_END.split(text)[-1]
    if SLOT not in last and not _PRONOUN.match(last):
        return False
    if _ASKS.match(last) and not last.startswith(SLOT):
        return False
    if _ASKS_LATER.search(last):  # "In Hamlet, who is {s}": "{s}, who is" breaks off
        return False
    if _ASKS_INSIDE.search(last):
        return False  # the question word stands where the answer belongs
    words = re.findall(r"[\w'{}-]+|,", last)
    if not words:
        return False
    if words[-1].lower() in _HANGING or words[-1] == ",":
        return True
    return any(base_and_tense(word) or word.lower() in {"is", "are", "was", "were"} for word in words[1:]) or bool(
        re.fullmatch(r"\{s\},? \w+", last)
    )


def read_opening(template: str, answer: str) -> Opening:
    """The opening as a grammatical statement and a chat question for it, whatever its form."""
    sentences = _SENTENCE_END.split(template.strip())
    last = sentences[-1]
    if SLOT not in last:  # "Where is {s}? It is located in"
        before = _PRONOUN.sub(SLOT, last)
        naming = [sentence for sentence in sentences if SLOT in sentence][-1]
        return Opening(before, naming if naming.endswith("?") else _ask(before, answer))
    before = re.sub(r"\b(a|an)$", indefinite(answer), _completed(last))
    return Opening(before, _ask(before, answer))


def _completed(text: str) -> str:
    """Appositions become main clauses: "{s}, a citizen of" -> "{s} is a citizen of"."""
    rules = (
        (r"^(\{s\}['’]s? [\w ]+),$", r"\1 is"),
        (r"^\{s\}, whose (.+)$", r"{s}'s \1"),
        (r"^\{s\}, (?:who|which|that) (.+)$", r"{s} \1"),
        (rf"^\{{s\}}, ({_BE} .+)$", r"{s} \1"),
        (r"^\{s\} (?:that|which|who) (.+)$", r"{s} \1"),
        (r"^\{s\},? a native$", r"{s} is a native speaker of"),
        (r"^\{s\},? ((?:a|an|the)(?: .+)?)$", r"{s} is \1"),
        (r"^\{s\},? (speaker of)$", r"{s} is a \1"),
        (r"^\{s\},? (located .+|based .+|situated .+)$", r"{s} is \1"),
        (r"^\{s\},? (in|of|by|from|at|for)$", r"{s} is \1"),
        (r"^\{s\},? (\w+ing .+)$", r"{s} is \1"),
        (r"^\{s\} (owner|capital|author|director|creator|founder)$", r"The \1 of {s} is"),
    )
    for pattern, form in rules:
        if re.match(pattern, text):
            return re.sub(pattern, form, text)
    if apposed := re.match(r"^\{s\}, (\w+)( .+)$", text):
        was = "was " if is_participle(apposed.group(1)) else ""
        return f"{SLOT} {was}{apposed.group(1)}{apposed.group(2)}"
    return text


def _ask(before: str, answer: str) -> str:
    text = before.strip().rstrip(",")
    if inside := re.match(rf"^In \{{s\}},? (.+?) ({_BE})$", text):
        return f"What {inside.group(2)} {inside.group(1)} in {SLOT}?"
    if inside := re.match(r"^In \{s\},? (they|people) (\w+)$", text):
        return f"What do {inside.group(1)} {inside.group(2)} in {SLOT}?"
    if noun := re.match(rf"^(.*\{{s\}}.*?) ({_BE})(?: (?:a|an|the))?$", text):
        thing = noun.group(1)
        return f"What {noun.group(2)} {'the ' + thing[4:] if thing.startswith('The ') else thing}?"
    verb = re.match(r"^(.*?\{s\}(?:['’]s [\w ]+?)?) (\w+)(?: (.+))?$", text)
    if verb is None:
        return f"{text} what?"
    subject, form, rest = verb.group(1), verb.group(2).lower(), verb.group(3) or ""
    if subject.startswith("The "):
        subject = "the " + subject[4:]
    if form in MODALS or form in ("is", "are", "was", "were", "has", "had"):
        auxiliary, body = form, rest
        if form in ("has", "had") and not (rest and is_participle(rest.split()[0])):
            auxiliary, body = ("does" if form == "has" else "did"), f"have {rest}".strip()
    else:
        known = base_and_tense(form)
        if known is None:
            return f"{text} what?"
        auxiliary, body = ("did" if known[1] == "past" else "does"), f"{known[0]} {rest}".strip()
    return _place_question_word(subject, auxiliary, body, answer)


def _place_question_word(subject: str, auxiliary: str, body: str, answer: str) -> str:
    """The question whose answer follows on `body`: "belong to the continent of" -> "To which continent ..."."""
    if fronted := re.match(r"^(.*?)\s*\b(in|on|to|at|with|for|as|of) the (\w+)(?: of)?$", body):
        middle, preposition, noun = fronted.groups()
        return f"{preposition.capitalize()} which {noun} {auxiliary} {subject} {middle}".rstrip() + "?"
    if direct := re.match(r"^(\w+) the (\w+)(?: of)?$", body):
        return f"Which {direct.group(2)} {auxiliary} {subject} {direct.group(1)}?"
    words = body.split()
    if words and words[-1] in ("the", "a", "an"):
        words = words[:-1]
    last = words[-1].lower() if words else ""
    middle = " ".join(words[:-1])
    if last in ("in", "at"):
        asked = "When" if time_preposition(answer) else "Where"
        return f"{asked} {auxiliary} {subject} {middle}".rstrip() + "?"
    if last == "from":
        return f"Where {auxiliary} {subject} {' '.join(words)}?"
    if last == "for" and middle.startswith("work"):
        return f"Who {auxiliary} {subject} {' '.join(words)}?"
    if last == "by":
        return f"Who {auxiliary} {subject} {middle} by?"
    return f"What {auxiliary} {subject} {' '.join(words)}".rstrip() + "?"
