"""Relations that are known by name, each with the wordings that people ask and answer it in."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from editing.questions.grammar import word_set
from editing.questions.readings import SLOT

_TABLES = ("people.toml", "companies.toml", "places.toml", "works.toml", "things.toml")
_BE = r"(?:is|was|are|were)"
_MAKER = (  # "which company makes it": an organ or a country that makes it is no manufacturer
    r"(?:company|firm|brand|manufacturer|maker|business|corporation|organi[sz]ation|studio|group|house|network|producer|publisher"
    r"|label|airline|bank|automaker|carmaker|developer|team|supplier|vendor|person|one|party|channel|factory|brewery)"
)
_LITTLE = r"(?:of|for|in|at|to|behind|on|from)"


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation: what kind of subject it is asked of, what kind of answer it takes, and its wordings.

    statements  wordings of the answer, {s} and {a} in each; the first is the answer sentence
    past        the same for a question in the past, where the statements stand in the present
    train       questions to train on; the first is the plainest
    probe       questions to verify with, none of them in `train`
    known       the same relation about other subjects, with what a right answer contains
    """

    name: str
    of: str
    gives: str
    statements: tuple[str, ...]
    past: tuple[str, ...]
    train: tuple[str, ...]
    probe: tuple[str, ...]
    known: tuple[tuple[str, str], ...]
    past_only: bool  # what is still to come, or comes every year, is not asked for by it
    own: re.Pattern[str]  # its own questions, word for word
    shared: re.Pattern[str]  # those of its questions that subjects of other kinds are asked too
    like: re.Pattern[str]  # what asks the same in other words


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of subject: the words that announce it and what else can be asked about it."""

    name: str
    words: frozenset[str]
    same: tuple[str, ...]
    questions: tuple[str, ...]


@cache
def relations() -> Mapping[str, Relation]:
    """All relations by name, in the order of the tables."""
    found: dict[str, Relation] = {}
    for table in _TABLES:
        text = files("editing.questions").joinpath("relation_tables", table).read_text("utf-8")
        for name, entry in tomllib.loads(text).items():
            shared = entry.get("shared", [])
            found[name] = Relation(
                name,
                entry["of"],
                entry["gives"],
                tuple(entry["statements"]),
                tuple(entry.get("past", entry["statements"])),
                tuple(entry["train"]),
                tuple(entry["probe"]),
                tuple((subject, answer) for subject, answer in entry.get("known", [])),
                entry.get("past_only", False),
                _either(_literal(asked) for asked in [*entry["train"], *entry["probe"]] if asked not in shared),
                _either(_literal(asked) for asked in shared),
                _either(_variants(entry)),
            )
    return MappingProxyType(found)


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds of subjects by name."""
    return MappingProxyType(
        {
            name: Kind(
                name,
                frozenset(entry["words"]),
                tuple(entry["same"]),
                tuple(entry["questions"]),
            )
            for name, entry in _kinds_file().items()
            if name != "open"
        }
    )


@cache
def open_questions() -> tuple[str, ...]:
    """Questions about a subject that any fact about it may rightly answer."""
    return tuple(_kinds_file()["open"])


def _kinds_file() -> dict[str, Any]:
    return tomllib.loads(files("editing.questions").joinpath("relation_tables", "kinds.toml").read_text("utf-8"))


def _either(options: Iterable[str]) -> re.Pattern[str]:
    joined = "|".join(f"(?:{option})" for option in options)
    return re.compile((joined or r"(?!)").replace(SLOT, re.escape(SLOT)))


def _variants(entry: Mapping[str, Any]) -> list[str]:
    options: list[str] = []
    for noun in entry.get("nouns", []):
        phrase = (
            noun
            if SLOT in noun
            else rf"(?:(?:the |an? )?(?:name of (?:the )?)?{noun} {_LITTLE} {SLOT}|(?:the name of )?{SLOT}['’]s? {noun})"
        )
        options += [
            rf"(?:who|what|which)(?: \w+)? {_BE} {phrase}(?:['’]s name)?",
            rf"{phrase} {_BE}(?: whom?| what| which| which one| where| when| called what)?",
            phrase,
            rf"(?:who|what|which) {_BE} {phrase} (?:called|named)",
            rf"(?:who|what) {phrase} {_BE}",
        ]
    doer = _MAKER if entry["gives"] == "company" else r"\w+"
    for act in entry.get("acts", []):
        options += [
            rf"(?:who|(?:which|what) {doer}) {act} {SLOT}",
            (
                rf"(?:who|what) {_BE} the (?:name of the )?(?:person|man|woman|one|company|artist) (?:who|that) "
                rf"{act} {SLOT}"
            ),
        ]
    for passive in entry.get("passives", []):
        options += [
            rf"by (?:whom?|what|which|(?:which|what) {doer}) {_BE} {SLOT} {passive}",
            rf"(?:whom?|what|(?:which|what) {doer}) {_BE} {SLOT} {passive} by",
            rf"{SLOT},?(?: (?:which|that))?(?: {_BE})? {passive} by(?: whom?| what| which(?: \w+)?| what \w+)?",
        ]
    return [*options, *entry.get("match", [])]


def _literal(question: str) -> str:
    wording = plain(question)
    parts = [re.escape(part) for part in wording.replace("{be}", "is").split(SLOT)]
    return re.sub(r"(?<![\w}])(?:is|was|are|were)(?!\w)", _BE, SLOT.join(parts).replace(r"\ ", " "))


def plain(wording: str) -> str:
    """A question as relations compare it: small letters, plain apostrophes, no final mark."""
    text = (
        wording.lower()
        .replace("’", "'")
        .replace("who's ", "who is ")
        .replace("what's ", "what is ")
        .replace("where's ", "where is ")
    )
    return " ".join(text.split()).rstrip("?.!, ")


_PRESENT_TIME = re.compile(r"(?:on |in |at )?(?:when|(?:what|which) \w+) (?:is|are|does|do|will) \{s\}")


def find_relation(wording: str, told: str | None = None) -> Relation | None:
    """The relation that a question, or the opening of a statement, asks for; SLOT stands for its subject.

    told  what the subject is called; with it, a question that subjects of other kinds are asked too counts only where
          these words tell the kind: "who started" a company, not a war

    A relation's own questions come before wordings that are only like them.
    """
    small = plain(wording)
    to_come = _PRESENT_TIME.match(small) is not None
    table = [relation for relation in relations().values() if not (relation.past_only and to_come)]
    words = None if told is None else set(re.findall(r"[a-z]+", plain(told)))
    own = (relation for relation in table if relation.own.fullmatch(small))
    fitting = (relation for relation in table if words is None or words & kinds()[relation.of].words)
    shared = (relation for relation in fitting if relation.shared.fullmatch(small))
    like = (relation for relation in table if relation.like.fullmatch(small))
    return next(own, None) or next(shared, None) or next(like, None)


@cache
def _capturing() -> tuple[re.Pattern[str], ...]:
    """Every pattern of every relation, the subject as a named group."""
    patterns = []
    for relation in relations().values():
        for pattern in (relation.own, relation.shared, relation.like):
            pieces = pattern.pattern.split(re.escape(SLOT))
            groups = (f"(?P<s{number}>.+?){piece}" for number, piece in enumerate(pieces[1:]))
            patterns.append(re.compile(pieces[0] + "".join(groups)))
    return tuple(patterns)


def subjects_asked(question: str) -> list[str]:
    """What stands where a relation has its subject, in small letters, the shortest first; empty if no relation fits."""
    small = plain(question)
    matches = (pattern.fullmatch(small) for pattern in _capturing())
    found = {text for match in matches if match for text in match.groupdict().values() if text}
    return sorted(found, key=lambda text: (len(text), text))


# These words tell what is asked for more often than what it is asked of.
_ASKED_FOR = word_set(
    """
    country nation city town village state region district county province place company brand network channel
    language club team league president king queen mayor author writer director composer singer actor actress
    painter artist character award war series band group
    """
)


def kind_of(wording: str, announced: str, relation: Relation | None) -> Kind:
    """The kind of subject a question is about: its relation's, else the kind announced before it, else by the verbs.

    wording    the question, SLOT in place of its subject
    announced  the words right before the subject ("the film"); empty if there are none
    """
    table = kinds()
    if relation is not None:
        return table[relation.of]
    for text, ignored in ((announced, frozenset[str]()), (wording.replace(SLOT, ""), _ASKED_FOR)):
        words = set(re.findall(r"[a-z]+", plain(text))) - ignored
        best = max(table.values(), key=lambda kind: len(words & kind.words))
        if words & best.words:
            return best
    return table["thing"]


def other_questions(kind: Kind, relation: Relation | None) -> tuple[str, ...]:
    """Questions about a subject of this kind whose answers are of another sort than the relation's."""
    table = relations()
    gives = relation.gives if relation is not None else ""
    name = relation.name if relation is not None else ""
    chosen = [
        table[other].train[0].replace("{be}", "is")
        for other in kind.same
        if other != name and table[other].gives != gives
    ]
    return (*chosen, *kind.questions)
