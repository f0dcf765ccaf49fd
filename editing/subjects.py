"""What a question is about: subject candidates by rule."""

import re
from collections.abc import Iterator

from editing.questions.grammar import ADVERBS, PREPOSITIONS, base_and_tense, is_base, is_participle, word_set
from editing.questions.plain_order import rearranged, strip_frame
from editing.questions.positions import candidates_by_position
from editing.questions.relations import subjects_asked
from editing.refusals import MAX_QUESTION_CHARACTERS
from editing.wording import contains, normalise

LONGEST_TEXT = 1000
_WH = ["who", "whom", "whose", "what", "which", "when", "where", "why", "how"]
_AUXILIARY = word_set(
    """
    is are was were be been being do does did has have had can could will would shall should may might must
    """
)
_LITTLE = (
    frozenset(_WH)
    | _AUXILIARY
    | word_set(
        """
    the a an of in on at by for from to with and or as into about after before during between under over than
    that this these those there it its his her their our your my i me you he she they we us them not no please
    tell name give say state know so some any all much many
    """
    )
)
_WORD = re.compile(r"[^\s?!,;:()\"\u201c\u201d]+")
_QUOTED = re.compile(
    r"\"([^\"]{2,})\"|\u201c([^\u201d]{2,})\u201d|(?<!\w)'([^']{2,}(?:'[a-z][^']*)*)'(?!\w)"
    r"|\u00ab([^\u00bb]{2,})\u00bb|\u300c([^\u300d]+)\u300d"
)
_JOINERS = word_set(
    """
    of the and de la le du des von van der den da di del y e al el in for to on & - a an at
    """
)
_GENERIC = word_set(
    """
    name year date country city town state place language capital author writer person people man woman
    company color colour president king queen director film movie book song album team artist actor actress
    number type kind sort time day month position occupation job profession population currency owner founder
    inventor birthplace nationality religion instrument genre
    """
)


def canonical_question(question: str) -> str:
    """The question as it is stored: single spaces, plain quotes around it gone, a capital first, "what's" for
    "whats", "I" for "i" behind a verb, one question mark."""
    text = re.sub(r"(?i)^(what|who|where|when|how)s\b", r"\1's", " ".join(question.split()))
    text = _SMALL_I.sub(r"\1I", text)
    while len(text) > 2 and text[0] in '"\u201c' and text[-1] in '"\u201d' and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:] if text[0].islower() and not _is_name_like(text.split()[0]) else text
    if text[-1] in "?\uff1f\u061f":
        return text.rstrip("?\uff1f\u061f ") + text[-1]
    first = normalise(text.split()[0])
    asks = (
        first in _WH
        or first in _AUXILIARY
        or first.split("'")[0] in _WH
        or re.match(r"(in|on|at|by|for|from|to|of|with|under) (which|what|whom|whose)\b", normalise(text))
    )
    return _without_stop(text) + "?" if asks else text


_SMALL_I = re.compile(r"(?i)\b((?:do|did|am|was|have|can|could|must|may|should|will|would|who|what|where|when|if) )i\b")


def _without_stop(text: str) -> str:
    """The text without a final stop, unless the stop belongs to an abbreviation."""
    return text if re.search(r"\b(?:[A-Z]|Inc|Co|Corp|Ltd|Jr|Sr|St|Bros|etc)\.$", text) else text.rstrip(" .")


def _is_name_like(word: str) -> bool:
    return any(character.isupper() for character in word[1:])


def propose_subjects(question: str, answer: str = "") -> tuple[str, ...]:
    """What the question may be about, best first; each candidate occurs literally in it.

    Quoted titles come first, then what a relation that the tables know is asked of, then names in capitals, then noun
    phrases found by position (after "of", before a possessive, after the verb). Never a question word, never the answer.
    Nothing for a page of text.
    """
    if len(question) > LONGEST_TEXT:
        return ()
    found: dict[str, str] = {}
    for source in (_quoted, _asked_of, _names, candidates_by_position):
        for candidate in source(question):
            cleaned = _clean(candidate if source is _quoted else _without_little_words(candidate))
            if _is_subject(cleaned, answer) and cleaned in question:
                found.setdefault(normalise(cleaned), cleaned)
    return tuple(found.values())


def _is_subject(candidate: str, answer: str) -> bool:
    words = normalise(candidate).split()
    if not words or len(candidate) < 2 or all(word.strip(".'-") in _LITTLE for word in words):
        return False
    if words[0] in _WH or (candidate[0].islower() and base_and_tense(words[0]) is not None):
        return False
    if len(words) == 1 and words[0] in _GENERIC and not candidate[0].isupper():
        return False
    return not (answer and (normalise(candidate) == normalise(answer) or contains(answer, candidate)))


def _without_little_words(candidate: str) -> str:
    """The candidate without question words, auxiliaries and prepositions in front; an article stays."""
    match = re.match(rf"(?:(?:{'|'.join(sorted(_LITTLE - {'the', 'a', 'an'}))})\s+)+(?=\S)", candidate)
    return candidate[match.end() :] if match else candidate


def _clean(candidate: str) -> str:
    text = candidate.strip(" ?!,;:\u3002\uff1f\u061f")
    text = re.sub(
        r"\s+(?:first|originally|last|also|to be|mostly|originate|come|and|or|of|in|the|take|usually)$", "", text
    )
    text = re.sub(r"^(?:the|a|an)\s+(?=\S)", "", text, flags=re.IGNORECASE) if not text.startswith("The ") else text
    return _without_stop(text)


def _quoted(question: str) -> Iterator[str]:
    for match in _QUOTED.finditer(question):
        yield next(group for group in match.groups() if group)


def _asked_of(question: str) -> Iterator[str]:
    """What a known relation is asked of, unless it is more than a name or a noun."""
    if len(question) > MAX_QUESTION_CHARACTERS:  # no edit holds it, and the patterns take their time
        return
    folded = question.casefold()
    for asked in (*subjects_asked(question), *subjects_asked(rearranged(strip_frame(question)))):
        at = folded.find(asked)
        if at < 0 or len(folded) != len(question):
            continue
        found = re.sub(r"['\u2019]$", "", question[at : at + len(asked)])
        if question[at + len(found) :].startswith(".?"):  # "Sun Co.?"
            found += "."
        if _is_a_name(found):
            yield found


def _is_a_name(phrase: str) -> bool:
    """Whether a phrase is one name or one noun and brings no verb, preposition or remark with it."""
    words = phrase.split()
    capitals = [index for index, word in enumerate(words) if _capital(word)]
    if re.search(r"['\u2019]s? [a-z]|, [a-z]|/", phrase):
        return False
    if capitals:
        before, within = words[: capitals[0]], words[capitals[0] : capitals[-1]]
        if any(word.lower() not in ("the", "a", "an") and not word[0].isdigit() for word in before):
            return False
        if any(_is_verbal(word) or is_base(word) for word in within if not _capital(word)):
            return False
    behind = [word.lower() for word in words[(capitals[-1] if capitals else 0) + 1 :]]
    if any(word in (PREPOSITIONS | ADVERBS | _LITTLE) - {"of"} for word in behind):
        return False
    return not any(_is_verbal(word) or is_base(word) for word in (behind[-1:] if capitals else behind))


def _is_verbal(word: str) -> bool:
    return is_participle(word) or base_and_tense(word) is not None or word in _WH


def _names(question: str) -> list[str]:
    """Runs of capitalised words, small joining words inside allowed; longest first."""
    words = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(question)]
    spans: list[str] = []
    index = 0
    while index < len(words):
        if not _starts_name(words[index][0], first=index == 0):
            index += 1
            continue
        last = index
        probe = index + 1
        while probe < len(words) and not _breaks(question, words[probe - 1][2], words[probe][1]):
            if words[probe - 1][0].endswith(("'s", "\u2019s")) and probe - 1 == last:
                break
            if _capital(words[probe][0]) or (words[probe][0][0].isdigit() and probe == last + 1):
                last = probe
            elif words[probe][0].lower() not in _JOINERS or probe - last > 2:
                break
            probe += 1
        begin = words[index][1]
        if index and words[index - 1][0].isdigit() and not _breaks(question, words[index - 1][2], begin):
            begin = words[index - 1][1]  # "2014 Winter Games", "529 Preziosa"
        end = words[last][2]
        if number := re.match(r" \(\d+\)", question[end:]):
            end += number.end()  # "USS Clover (1863)"
        spans.append(re.sub(r"['\u2019]s$", "", question[begin:end]))
        index = last + 1
    offices = [match.group(1) for span in spans if (match := _OFFICE.match(span))]
    return offices + sorted(spans, key=len, reverse=True)


_OFFICE = re.compile(
    r"(?:[\w-]+ )?(?:CEO|CFO|CTO|COO|President|Prime Minister|Chancellor|King|Queen|Emperor|Mayor"
    r"|Governor|Minister|Capital|Director|Chairman|Head|Founder|Secretary|Captain|Leader) of (?:the "
    r")?(.+)$"
)


def _starts_name(word: str, *, first: bool) -> bool:
    """Whether a name may start with the word; the first word of a question has a capital whatever it is."""
    bare = re.sub(r"['\u2019](s|re|ll|d)$", "", normalise(word))
    return _capital(word) and not (first and bare in _LITTLE)


def _capital(word: str) -> bool:
    return word[:1].isupper() or (word[:1].isdigit() and any(c.isupper() for c in word)) or _is_name_like(word)


def _breaks(question: str, end: int, start: int) -> bool:
    return bool(question[end:start].strip(" "))
