"""Which shape a question has: requests and adjuncts moved out of the way, then one rule after another."""

import re

from editing.questions.agents import read_agent
from editing.questions.amounts import read_amount
from editing.questions.comparisons import read_comparative, read_difference, read_one_of, read_superlative
from editing.questions.copulas import read_alternatives, read_bare_noun, read_copula, read_embedded_copula
from editing.questions.echoes import TRAILING, read_inner_question, read_trailing_question
from editing.questions.grammar import (
    ADVERBS,
    AUXILIARIES,
    AUXILIARY,
    DEGREE,
    DEGREES,
    MODALS,
    PREPOSITION,
    PREPOSITIONS,
    base_and_tense,
    is_base,
    is_participle,
    lower_first,
)
from editing.questions.objects import read_fronted_preposition, read_object, read_when_where
from editing.questions.owners import read_owner, read_whose
from editing.questions.readings import SLOT, Reading
from editing.questions.reasons import read_manner, read_outcome, read_reason

_FRAME = re.compile(
    r"^(?:(?:ok(?:ay)?|hey|hi|hello|so|well|and|but|please|sorry to bother you|sorry|just checking"
    r"|u[hm]+|quick (?:question|one)|question)\s*[,:.!]?\s+)*"
    r"(?:(?:can|could|would|will) (?:you|u) (?:please )?(?:tell|remind|inform) me(?: please)?,?\s+"
    r"|(?:please )?(?:tell|remind|give) me,?\s+|do (?:you|we) (?:happen to )?know\s+|i(?:'d| would) like to "
    r"know\s+"
    r"|i (?:want|need) to know\s+|(?:i (?:wonder|was (?:just )?wondering)|just wondering)\s+|any idea\s+"
    r"|i(?:'m| am) (?:just )?(?:trying to find out|wondering)\s+|(?:may|can|could) i ask,?\s+"
    r"|(?:can|could) you (?:please )?(?:name|give me)\s+"
    r"|(?:please )?(?:name|state|identify)\s+|what about\s+)?",
    re.IGNORECASE,
)


# What no statement says: a question word that is left, but for relative clauses; a second sentence.
_STILL_ASKS = re.compile(
    r"(?i:(?<=\W)(?:what|whose|how (?:many|much))\b|, (?:but |and )?(?:who|when|where)\b|\?"
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
        return read_bare_noun(rest, asks_by_verb)
    return None


def strip_frame(text: str) -> str:
    """The question without "Can you tell me" and its like in front; a clause behind them about SLOT becomes a question."""
    framed = _FRAME.match(text)
    return _clause_as_question(text[framed.end() :]) if framed and framed.end() else text


def asks_in_order(question: str) -> bool:
    """Whether a question stands in the order of a question: "who wrote it", not "when it opened"."""
    word, *words = question.rstrip("?").split()
    first = word.split("'")[0].lower()
    if not words:
        return False
    if "'" in word or words[0].lower() in AUXILIARIES:
        return True
    if first == "how" and words[0].lower() not in DEGREES | {"many", "much"}:
        return False
    if first == "who":
        return any(
            base_and_tense(one) or one.lower() in AUXILIARIES for one in words[: 2 if words[0] in ADVERBS else 1]
        )
    for index, one in enumerate(words[1:6] if first in ("what", "which", "whose", "how") else (), start=1):
        of_people = one == "people" and words[0] != "many"  # "what language people speak", "how many people live"
        if one[:1].isupper() or of_people or one in ("the", "a", "an", "it", "he", "she", "they"):
            return False
        known = base_and_tense(one)
        if known or one in AUXILIARIES or is_base(one):
            return index < len(words) - 1 or (known is not None and known[1] == "past")
    return bool(first in ("what", "which") and base_and_tense(words[0]) and len(words) > 1)


def rearranged(text: str) -> str:
    """The question in its plain order: no contractions, no final mark, adjuncts last, relative clauses as questions."""
    plain = named_in_place(re.sub(r"\s+", " ", text).strip()).rstrip("?？؟!. ")
    plain = re.sub(r"(?i)(?:, (?:by the way|please|thanks)| again)$", "", plain)
    plain = re.sub(
        r"(?i)^(what|who) else (is|was|are|were) (.*\{s\}\S*) (?=called|known|named)", r"\1 \2 \3 also ", plain
    )
    plain = re.sub(r"(?<=\w)\(e?s\)", "", plain)  # "instrument(s)"
    plain = re.sub(r"(?i)^(who|what)(?:'|’)s got\b", r"\1 has", plain)
    plain = re.sub(r"(?i)^(who|what|where|when|how)(?:'|’)s\s+", r"\1 is ", plain)
    plain = re.sub(r"(?i)^((?:what|which) \w+)(?:'|’)s (?=\S+ (?:in|on|at|from|for|to)$)", r"\1 is ", plain)
    if once := re.match(r"(?i)^(when|where) (?:is|was) it that (.*)$", plain):
        plain = _clause_as_question(f"{once.group(1)} {once.group(2)}")
    plain = re.sub(r"(?i)^(where .*\{s\}.*?), (?:in )?(?:which|what) \w+$", r"\1", plain)
    plain = re.sub(r"(?i)^(how many) (are|were) (?!there\b)", r"\1 people \2 ", plain)
    plain = re.sub(rf"(?i)^where in (?!\{{s\}})(.+?) ({AUXILIARY}) (?=.*\{{s\}})", r"in which part of \1 \2 ", plain)
    return _adjunct_last(
        _having_as_question(
            _trailing_as_question(_relative_as_question(_doer_as_question(_fronted_as_question(lower_first(plain)))))
        )
    )


def named_in_place(question: str) -> str:
    """{s}, who founded it? -> who founded {s}?; regarding {s}, who is the CEO? -> who is the CEO of {s}?"""
    match = re.match(
        r"(?i)^(?:(?:regarding|concerning|about|as for|speaking of) )?((?:the )?\{s\})(?:[,:]| [-–—]) "
        r"((?:(?:by|in|on|at|for|to|of|from) )?(?:who|whom|what|which|when|where|how)\b[^,]+)\?\s*$",
        question,
    )
    if not match:
        return question
    subject, asked = match.group(1).replace("The ", "the "), match.group(2)
    possessive = rf"(?i)\b(?:its|his|their|her(?= (?!(?:{PREPOSITION})\b)))\b"
    named = re.sub(possessive, f"{subject}'s", asked, count=1)
    if named == asked:
        named = re.sub(r"(?i)\b(?:it|him|her|them|he|she|they)\b", subject, asked, count=1)
    if named == asked and re.match(r"(?i)(?:who|what) (?:is|was|are|were) the [\w ]+$", asked):
        named = f"{asked} of {subject}"
    return question if named == asked else f"{named}?"


def _having_as_question(text: str) -> str:
    """{s} has which city as its capital -> which city is the capital of {s}."""
    match = re.match(
        r"(?i)^((?:the )?\{s\}) (has|have|had|uses?|used) (who|what|(?:which|what) [\w -]+?) as (?:its|his|her|their) ([\w -]+)$",
        text,
    )
    if not match:
        return text
    subject, verb, asked, noun = match.groups()
    return f"{asked} {'was' if verb.lower() in ('had', 'used') else 'is'} the {noun} of {subject}"


def _adjunct_last(text: str) -> str:
    """In the film {s}, who was the star -> who was the star in the film {s}."""
    match = re.match(
        r"(?i)^((?:in|on|at|during|according to|for|of)\s(?!which|what|whom|whose)[^,]*\{s\}(?:\s\w+)?),?\s+"
        r"((?:who|what|which|when|where|how)\s.+)$",
        text,
    ) or re.match(
        r"(?i)^((?:in|on|at|during|when|if|once|after|before|while|out of|of all)\s(?!which|what|whom|whose)[^,]+),\s+"
        r"((?:who|what|which|when|where|how)\s.+)$",
        text,
    )
    if not match or text.count(SLOT) > 1:
        return text
    return f"{match.group(2)} {match.group(1)[0].lower()}{match.group(1)[1:]}"


def _fronted_as_question(text: str) -> str:
    """the street on which {s} is located -> on which street is {s} located."""
    match = re.match(rf"(?i)^the ([\w -]+?) (?!of\b)({PREPOSITION}) which ((?:the )?\{{s\}}) (\w+)(.*)$", text)
    if not match:
        return text
    noun, preposition, subject, form, rest = match.groups()
    if form in ("is", "was", "are", "were"):
        return f"{preposition} which {noun} {form} {subject}{rest}"
    known = base_and_tense(form)
    return (
        f"{preposition} which {noun} {'did' if known[1] == 'past' else 'does'} {subject} {known[0]}{rest}"
        if known
        else text
    )


def _doer_as_question(text: str) -> str:
    """who was it that designed {s} -> who designed {s}; what is it that {s} makes -> what does {s} make; the man who
    designed {s} -> which man designed {s}."""
    if bare := re.match(r"(?i)^the ([\w -]+?) who (\w+) (.*\{s\}.*)$", text):
        return f"which {bare.group(1)} {bare.group(2)} {bare.group(3)}" if base_and_tense(bare.group(2)) else text
    match = re.match(
        r"(?i)^(?:who|what) (?:is|was) (?:it|(?:the name of )?the (?:person|man|woman|one)) (?:who|that) ((\w+) .+)$",
        text,
    )
    if sought := re.match(r"(?i)^(who|what) (?:is|was) it that ((?:the )?\{s\} .+)$", text):
        return _clause_as_question(f"{sought.group(1)} {sought.group(2)}")
    return (
        f"who {match.group(1)}" if match and (base_and_tense(match.group(2)) or match.group(2).endswith("s")) else text
    )


def _relative_as_question(text: str) -> str:
    """what is the constellation that {s} belongs to -> which constellation does {s} belong to."""
    match = re.match(
        (
            r"(?i)^(?:what|which)\s+(?:is|was|are|were)\s+(?:the name of )?the\s+([\w ]+?)\s+(?:that |which "
            r"|where |in which |to which )?\{s\}\s+(?!['’])(\w+)\b\s*(.*)$"
        ),
        text,
    )
    if not match or match.group(1).lower().split()[-1] in PREPOSITIONS or _ONE_OF_A_KIND.search(match.group(1)):
        return text
    noun, form, tail = match.group(1), match.group(2).lower(), match.group(3)
    if form in ("is", "was", "are", "were"):
        return f"which {noun} {form} {SLOT} {tail}".rstrip()
    known = base_and_tense(form)
    return (
        f"which {noun} {'did' if known[1] == 'past' else 'does'} {SLOT} {known[0]} {tail}".rstrip() if known else text
    )


_ONE_OF_A_KIND = re.compile(r"(?i)^(?:first|second|third|next|last|only|same|most|least|best|\w+est)\b| of ")
_CLAUSE_OF_MINE = re.compile(
    rf"(?i)^(when|where|whom?|what|how (?:much|{DEGREE})|(?:which|what|how many|how much) (?:[\w-]+ ){{0,2}}[\w-]+)"
    r" (I|we|you) (\w+)( .*\{s\}.*)$"
)
_CLAUSE = re.compile(
    rf"(?i)^(when|where|why|what|whom?|how (?:much|{DEGREE})|(?:which|what|how many|how much) ((?:[\w-]+ ){{0,2}}[\w-]+)) "
    r"((?:the )?\{s\}) (\w+)(.*)$"
)


def _clause_as_question(text: str) -> str:
    """when {s} opened (after "tell me") -> when did {s} open; how old {s} is -> how old is {s}."""
    if called := re.match(r"(?i)^(what|who) ((?:the )?\{s\}) (is|was|are|were) (called|named|known as)$", text):
        return f"{called.group(1)} {called.group(3)} {called.group(2)} {called.group(4)}"
    if mine := _CLAUSE_OF_MINE.match(text):
        asked, who, form, rest = mine.groups()
        order = f"{form} {who}" if form.lower() in MODALS else f"do {who} {form}" if is_base(form) else ""
        return f"{asked} {order}{rest}" if order else text
    match = _CLAUSE.match(text)
    if not match or re.search(r",|\b(?:is|was|are|were|has|had)\b", match.group(5)):
        return text
    asked, noun, subject, form, rest = match.groups()
    form = form.lower()
    known = _HAVING.get(form) or base_and_tense(form)
    if noun and not AUXILIARIES.isdisjoint(noun.lower().split()):
        return text
    moved = form in ("was", "were") or (form in ("is", "are") and asked.lower().startswith("how "))
    if moved or (form in _HAVING and rest and is_participle(rest.split()[0])):
        return f"{asked} {form} {subject}{rest}"
    if known is None:
        return f"{asked} do {subject} {form}{rest}" if is_base(form) else text
    return f"{asked} {'did' if known[1] == 'past' else 'does'} {subject} {known[0]}{rest}"


_HAVING = {"has": ("have", "present"), "have": ("have", "present"), "had": ("have", "past")}


def _trailing_as_question(text: str) -> str:
    """{s} first flew in what year -> in what year did {s} first fly; what is no plain clause stays."""
    if there := re.match(rf"(?i)^((?:in|on|at)\s.*\{{s\}}\S*?),? there (is|are|was|were) ({TRAILING})$", text):
        place, be, asked = there.groups()
        return f"{asked} {be} there {place[0].lower()}{place[1:]}"
    match = re.match(rf"(?i)^((?:(?:the|an?)\s(?:[\w-]+\s){{0,3}})?\{{s\}})\s+(.+?)\s+({TRAILING})$", text)
    if not match:
        return text
    subject, words, asked = match.group(1), match.group(2).split(), match.group(3)
    counts = asked.lower().startswith("how ")
    adverbs = []
    while words and words[0].lower() in ADVERBS:
        adverbs.append(words.pop(0))
    stranded = len(words) > 1 and words[-1].lower() in PREPOSITIONS
    # Statements as they stand: "is home to how many people", "is known as what".
    if stranded and (counts or words[-2] == "known"):
        return text
    front = [words.pop()] if stranded else []
    verb, rest = (words[0].lower(), words[1:]) if words else ("", [])
    if verb in ("is", "are", "was", "were"):
        return " ".join([*front, asked, verb, subject, *adverbs, *rest]) if rest or counts else text
    known = base_and_tense(verb) or (_HAVING.get(verb) if counts else None)
    if known is None or "?" in text:
        return text
    return " ".join([*front, asked, "did" if known[1] == "past" else "does", subject, *adverbs, known[0], *rest])
