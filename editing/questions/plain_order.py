"""A question in its plain order: requests and asides taken off, what stands in front or behind put in its place."""

import re
from collections.abc import Callable

from editing.questions.echoes import TRAILING
from editing.questions.grammar import (
    ADVERBS,
    AUXILIARIES,
    AUXILIARY,
    BESIDES,
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
from editing.questions.readings import SLOT
from editing.questions.templates import SENTENCE_END

# What may stand in front of a question, and what asks for it in so many words.
_ASIDES = (
    "ok(?:ay)?|(?:hey|hi|hello)(?: there)?|so|well|and|but|please|sorry(?: to bother you)?|just checking|u[hm]+"
    "|quick (?:question|one)|question"
)
_REQUESTS = "|".join(
    (
        r"(?:can|could|would|will) (?:you|u) (?:please )?(?:tell|remind|inform) me(?: please)?,?",
        r"(?:please )?(?:tell|remind|give) me(?: again)?,?",
        r"(?:can|could) you (?:please )?(?:name|give me)",
        r"(?:please )?(?:name|state|identify)",
        r"do (?:you|we) (?:happen to )?know",
        r"(?:does )?any(?:one|body)(?: here)? know,?",
        r"any chance (?:that )?(?:you|someone) knows?",
        r"would you (?:happen to )?know",
        r"i(?:'d| would) like to know",
        r"i (?:want|need) to know",
        r"i wonder",
        r"(?:i was )?(?:just )?wondering",
        r"i(?:'m| am) (?:just )?(?:trying to find out|wondering)",
        r"(?:may|can|could) i ask,?",
        r"any idea",
        r"what about",
    )
)
_FRAME = re.compile(rf"(?i)^(?:(?:{_ASIDES})\s*[,:.!]?\s+)*(?:(?:{_REQUESTS})\s+)?")
# A question's begin: "who", "in which".
_ASKED = r"(?:(?:in|on|at|for|to|of|from|by|with|under|until|since) )?(?:who|whom|whose|what|which|when|where|how)\b"
# What people say of themselves before they ask: "i forgot, what ...", "sorry if this was asked before but who ...".
_ASIDE = re.compile(
    r"(?i)^(?:i|i['’](?:m|ve)|we|we['’](?:re|ve)|you|tbh|sorry|just|need|hi|hey|hello|ok|okay|so|well|u[hm]+|quick|please|thanks|btw"
    rf"|anyway|how come|no idea|not sure|hmm|oh)\b[^{{}}?]*?(?:[,:;]| but| -)\s*(?:but |so |and )?(?={_ASKED})"
)


def without_aside(text: str) -> str:
    """i can never remember this, how many moons are there? -> how many moons are there?"""
    aside = _ASIDE.match(text)
    return text[aside.end() :] if aside and asks_in_order(text[aside.end() :]) else text


def strip_frame(text: str) -> str:
    """The question without "Can you tell me" and its like in front; a clause behind them about SLOT becomes a question."""
    text = without_aside(text)
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


def _naming(asked: re.Match[str]) -> str:
    """What do you call {s} -> what is {s} called."""
    return f"what {'was' if asked.group(1).lower() == 'did' else 'is'} {asked.group(2)} called"


_IF_SO = r"if so,?"
_WORDED_PLAINLY: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(pattern), wording)
    for pattern, wording in (
        (r"(?i)(?:, (?:by the way|please|thanks|roughly|approximately|exactly|anyway|again)| again)$", ""),
        (r"(?i)^what (do|did) (?:you|we|they|people) call ((?!.* (?:who|that|which) ).*\{s\}\S*)$", _naming),
        (r"(?i)^(what|who) else (is|was|are|were) (.*\{s\}\S*) (?=called|known|named)", r"\1 \2 \3 also "),
        (rf"^([Ww]ho) (?:else )?({BESIDES} .+?) (?=(?:{AUXILIARY}|[a-z]+s|[a-z]+ed) )(.+)$", r"\1 \3 \2"),
        (rf"(?i)^who else (?!{AUXILIARY}\b)", "who also "),
        (r"(?i)^for (?=how long\b)", ""),
        (r"(?i)^(?:roughly|approximately|about|exactly) (?=how (?:many|much|long)\b)", ""),
        (
            rf"(?i)^is there an? (.*\{{s\}}.*?),? and,? {_IF_SO} (what|who) (is|was) (?:it|he|she|that)$",
            r"\2 \3 the \1",
        ),
        (rf"(?i)^is it known (who\b.*\{{s\}}.*?),? and,? {_IF_SO} who (?:is|was) (?:it|he|she|that)$", r"\1"),
        (r"(?<=\w)\(e?s\)", ""),  # "instrument(s)"
        (r"(?i)^(who|what)['’]s got\b", r"\1 has"),
        (rf"(?i)^(who|what|where|when|how(?: (?:{DEGREE}))?)['’]s\s+", r"\1 is "),
        (r"(?i)^(who|what|where|when|how)s\s+", r"\1 is "),
        (r"(?i)^(who|what|where|when|how)['’]d\s+", r"\1 did "),
        (r"(?i)^(who|what|where|when|how)['’]ll\s+", r"\1 will "),
        (r"(?i)^((?:what|which) (?:time|day|date|floor|room|size|number))['’]s ", r"\1 is "),
        (r"(?i)^((?:what|which) \w+)['’]s (?=\S+ (?:in|on|at|from|for|to)$)", r"\1 is "),
        (r"(?i)^(where .*\{s\}.*?), (?:in )?(?:which|what) \w+$", r"\1"),
        (r"(?i)^(how many) (are|were) (?!there\b)", r"\1 people \2 "),
        (rf"(?i)^where in (?!\{{s\}})(.+?) ({AUXILIARY}) (?=.*\{{s\}})", r"in which part of \1 \2 "),
    )
]


def rearranged(text: str) -> str:
    """The question in its plain order: no contractions, no final mark, adjuncts last, relative clauses as questions."""
    plain = named_in_place(re.sub(r"\s+", " ", text).strip()).rstrip("?？؟!. ")
    for pattern, wording in _WORDED_PLAINLY:
        plain = pattern.sub(wording, plain)
    if once := re.match(r"(?i)^(when|where) (?:is|was) it that (.*)$", plain):
        plain = _clause_as_question(f"{once.group(1)} {once.group(2)}")
    return _adjunct_last(
        _having_as_question(
            _trailing_as_question(_relative_as_question(_doer_as_question(_fronted_as_question(lower_first(plain)))))
        )
    )


_QUESTION = re.compile(f"(?i){_ASKED}")
_WHO_IS_IT = re.compile(r"(?i)\b(?:is|was|are|were) (?:it|he|she|they)\W*$|\b(?:he|him|she|her|they|them)\b.*\bits\b")


def _last_sentence(question: str) -> str:
    """You know {s}? Who runs it? -> who runs {s}?; I am trying to get in. Who has the key to {s}? -> the second alone."""
    *told, last = SENTENCE_END.split(question.strip())
    if not told or _QUESTION.match(told[0]) or not _QUESTION.match(strip_frame(last)):
        return question
    if SLOT in last:
        return last
    others = any(re.search(r"(?<!^)(?<![.?!] )\b(?!I\b)[A-Z]", one) for one in told)  # he may be another one
    if others or SLOT not in " ".join(told) or _WHO_IS_IT.search(last):
        return question
    named = re.sub(r"(?i)\bthere(?=\W*$)", f"in {SLOT}", last, count=1)
    named = named if named != last else _with_name(last, SLOT)
    return question if named == last else named


def _with_name(asked: str, subject: str) -> str:
    """The question with the subject's name for the first pronoun that can stand for it; as it is if there is none."""
    possessive = rf"(?i)\b(?:its|his|their|her(?= (?!(?:{PREPOSITION})\b)))\b"
    named = re.sub(possessive, f"{subject}'s", asked, count=1)
    return named if named != asked else re.sub(r"(?i)\b(?:it|him|her|them|he|she|they)\b", subject, asked, count=1)


def named_in_place(question: str) -> str:
    """{s}, who founded it? -> who founded {s}?; regarding {s}, who is the CEO? -> who is the CEO of {s}?"""
    question = _last_sentence(question)
    match = re.match(
        rf"(?i)^(?:(?:{_ASIDES}),? )*(?:(?:regarding|concerning|about|as for|speaking of) )?"
        r"(?:(?:our|my) [\w -]+, )?((?:the (?:[\w -]+ )?)?\{s\})(?:, (?:the|our|my|an?) [^,{}]+)?(?:[,:]| [-–—]) "
        rf"({_ASKED}[^,]+?)\??\s*$",
        question,
    )
    if not match:
        return question
    subject, asked = match.group(1).replace("The ", "the "), match.group(2)
    if " " in subject and (of := re.match(r"(?i)(what)(['’]s| is| are) (?:its|their) ([\w -]+)$", asked)):
        return f"{of.group(1)}{of.group(2)} the {of.group(3)} of {subject}?"
    named = _with_name(asked, subject)
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
    return f"{preposition} which {noun} {_asked_of(subject, known)}{rest}" if known else text


def _asked_of(subject: str, known: tuple[str, str]) -> str:
    """A verb with its subject in the order of a question: {s}, (open, past) -> did {s} open."""
    base, tense = known
    return f"{'did' if tense == 'past' else 'does'} {subject} {base}"


def _doer_as_question(text: str) -> str:
    """who was it that designed {s} -> who designed {s}; what is it that {s} makes -> what does {s} make; the man who
    designed {s} -> which man designed {s}."""
    if bare := re.match(r"(?i)^the ([\w -]+?) who (\w+) (.*\{s\}.*)$", text):
        return f"which {bare.group(1)} {bare.group(2)} {bare.group(3)}" if base_and_tense(bare.group(2)) else text
    if sought := re.match(r"(?i)^(who|what) (?:is|was) it that ((?:the )?\{s\} .+)$", text):
        return _clause_as_question(f"{sought.group(1)} {sought.group(2)}")
    match = re.match(
        r"(?i)^(?:who|what) (?:is|was) (?:it|(?:the name of )?the (?:person|man|woman|one)) (?:who|that) ((\w+) .+)$",
        text,
    )
    acts = match and (base_and_tense(match.group(2)) or match.group(2).endswith("s"))
    return f"who {match.group(1)}" if match and acts else text


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
    return f"which {noun} {_asked_of(SLOT, known)} {tail}".rstrip() if known else text


_ONE_OF_A_KIND = re.compile(r"(?i)^(?:first|second|third|next|last|only|same|most|least|best|\w+est)\b| of ")
_CLAUSE_OF_MINE = re.compile(
    rf"(?i)^(when|where|whom?|what|how (?:much|{DEGREE})|(?:which|what|how many|how much) (?:[\w-]+ ){{0,2}}[\w-]+)"
    r" (I|we|you) (\w+)( .*\{s\}.*)$"
)
_CLAUSE = re.compile(
    rf"(?i)^(when|where|why|what|whom?|how (?:much|{DEGREE})|(?:which|what|how many|how much) ((?:[\w-]+ ){{0,2}}[\w-]+)) "
    r"((?:the [\w' -]+? (?:of|on|for|in|at|to|from) )?(?:(?:the|an?) )?\{s\}) (\w+)(.*)$"
)


def _clause_as_question(text: str) -> str:
    """when {s} opened (after "tell me") -> when did {s} open; how old {s} is -> how old is {s}."""
    if called := re.match(r"(?i)^(what|who) ((?:the )?\{s\}) (is|was|are|were) (called|named|known as)$", text):
        return f"{called.group(1)} {called.group(3)} {called.group(2)} {called.group(4)}"
    if mine := _CLAUSE_OF_MINE.match(text):
        asked, who, form, rest = mine.groups()
        order = f"{form} {who}" if form.lower() in MODALS else f"do {who} {form}" if is_base(form) else ""
        return f"{asked} {order}{rest}" if order else text
    if must := _TO_BE.match(text):
        asked, noun, modal, have = must.groups()
        inverted = f"{modal} {noun} be" if modal else f"{'does' if have == 'has' else 'do'} {noun} have to be"
        return f"{asked} {inverted}"
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
    return f"{asked} {_asked_of(subject, known)}{rest}"


# "what the limit on {s} has to be"
_TO_BE = re.compile(
    rf"(?i)^(what|how \w+) ((?:the .*)?\{{s\}}\S*) (?:({'|'.join(sorted(MODALS))}) be|(has|have) to be)$"
)
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
