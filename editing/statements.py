"""What is made of a question and its answer alone: statement, cloze prompts, training questions, probes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from editing.facts import Probe
from editing.questions.framing import framed_probes, framed_questions, noun_forms
from editing.questions.grammar import (
    PREPOSITIONS,
    agreeing,
    article_for,
    capitalise,
    indefinite,
    is_role,
    own_little_word,
    place_preposition,
    second_person,
    time_preposition,
)
from editing.questions.neighbours import in_other_words, loose_neighbours, neighbours_of, spread
from editing.questions.openings import is_opening, read_opening
from editing.questions.plain_order import asks_in_order, named_in_place, rearranged, strip_frame
from editing.questions.readings import IS, SLOT, Reading, in_the_past, said_of_many
from editing.questions.relations import Relation, find_relation, kind_of, open_questions, other_questions
from editing.questions.shapes import read
from editing.questions.templates import Template, cut_subject
from editing.subjects import canonical_question
from editing.wording import normalise

MAX_CLOZES = 4
MAX_PARAPHRASES = 6
MAX_PROBES = 4
MAX_NEIGHBOURS = 5
MAX_SAME_SUBJECT = 4
MIN_SAME_SUBJECT = 3  # to verify with
MIN_NEIGHBOURS = 3  # to verify with, before any is held
MAX_HELD_NEIGHBOURS = 2

# What may be asked of any subject at all: who, when, where, how much, and nothing in particular.
_PLAIN = (
    "Tell me something about {s}.",
    "Where is {s}?",
    "What does {s} look like?",
    "Why is {s} famous?",
    "What happened to {s}?",
    "Who founded {s}?",
    "When did {s} begin?",
    "Who works with {s}?",
    "How big is {s}?",
)

# What the corrected fact never answers, to verify with where a kind has too few such questions.
_CLOSED = ("Who likes {s}?", "Which films are there about {s}?")


@dataclass(frozen=True, slots=True)
class Statements:
    """The wordings of one fact.

    question      the canonical question; contains the subject literally if the question named it
    sentence      the full answer as a chat assistant would say it; contains the answer literally
    clozes        bare prompts that end right before the answer, without the space; the subject stands in each
    paraphrases   training questions, the subject in each; the canonical question is not among them
    probes        questions that verify the edit, none of them in `paraphrases`
    neighbours    the same relation about other subjects, in wordings that verify; an empty answer is not known beforehand
    same_subject  other questions about the subject to which the new answer is never right
    held          training questions where nothing shall change: others about the subject, the same about other
                  subjects; none of them is among `neighbours` and `same_subject`, which verify
    beside        plain questions about the subject, fitting or not, whose replies shall not move; none of them verifies
                  either, or asks for the fact's relation
    shape         the relation or the rule that read the question; "fallback" if none did
    """

    question: str
    sentence: str
    clozes: tuple[str, ...]
    paraphrases: tuple[str, ...]
    probes: tuple[str, ...]
    neighbours: tuple[Probe, ...]
    same_subject: tuple[str, ...]
    held: tuple[Probe, ...]
    beside: tuple[str, ...]
    shape: str


def relation_of(question: str, subject: str) -> str | None:
    """The name of the relation that a question asks for, whatever its wording; None if no table knows it."""
    asked = strip_frame(cut_subject(canonical_question(question), subject).text)
    relation = _relation_asked(asked)
    return relation.name if relation else None


def _relation_asked(asked: str, told: str | None = None) -> Relation | None:
    """The relation of a question without its frame, as it stands or in its plain order."""
    return find_relation(asked, told) or find_relation(rearranged(asked), told)


def plain_question(question: str) -> str:
    """The canonical question without "Can you tell me" and its like; whole where what is left would not ask by itself."""
    whole = canonical_question(question)
    bare = canonical_question(strip_frame(whole))
    asks = bare.endswith("?") and re.match(r"(?i)(?:who|whom|whose|what|which|when|where|how)\b", bare)
    return bare if asks and (bare == whole or asks_in_order(bare)) else whole


def write_statements(question: str, subject: str, answer: str) -> Statements:
    """Every wording of one fact, by rule. Reads nothing but its arguments; the same in, the same out."""
    answer = answer.strip()
    template = cut_subject(canonical_question(question), subject)
    plain = named_in_place(template.text)
    asked = strip_frame(plain)
    relation = _relation_asked(asked, template.phrase)
    be = "was" if re.search(r"\b(was|were|did)\b", f"{template.text} {rearranged(asked)}".casefold()) else "is"
    opening = ""
    broken_off = plain.rstrip("? ")
    if is_opening(broken_off) and is_opening(asked.rstrip("? ")):
        opened = read_opening(broken_off, answer)
        opening = opened.before
        asked = relation.train[0].replace("{be}", be) if relation else opened.question
        template = Template(asked, template.phrase, template.subject)
    reading = read(template.text, answer)
    thing = relation is None or template.phrase.startswith("the ")  # else a title may be: "great expectations"
    many = thing and agreeing("is", template.phrase) == "are" and not IS.search(template.text)
    writer = _Writer(template, answer, be, of_many=many)
    if relation is not None:
        return writer.from_relation(relation, reading, opening)
    if reading is not None or opening:
        return writer.from_reading(reading, opening)
    return writer.fallback()


def question_from_prompt(prompt: str, subject: str, answer: str) -> str:
    """A chat question for a prompt that breaks off before its answer; a question comes back as it is."""
    template = cut_subject(prompt, subject)
    if not is_opening(template.text):
        return canonical_question(prompt)
    asked = read_opening(template.text, answer).question
    return _Writer(template, answer, "is").fill(asked)


# Where a wording brings the article itself, a subject leaves its own at home: "a young {s}", the swan -> a young swan.
_ARTICLE_BEFORE = re.compile(r"(?i)\b((?:the|young|baby) )\{s\}")
# Of these one says "the height of ...", not "...'s height": things with a preposition in them, and things of another.
_NO_POSSESSIVE = re.compile(
    r"(?:the |an? )?[a-z][\w-]*(?: [\w'’-]+)* (?:of|for|in|on|at|to|from|with|by) |.*['’]s? [a-z]\w*s$|\d[\d.,]*$"
)
_POSSESSIVE = re.compile(r"\{s\}'s ([\w -]+?)(?= (?:\{be\}|is|was|are|were)\b|[?.]|$)")
_ARTICLES = frozenset(["the", "a", "an"])


@dataclass(frozen=True, slots=True)
class _Writer:
    """Fills wordings with one subject and one answer."""

    template: Template
    answer: str
    be: str
    of_many: bool = False  # the subject is many, "refunds": they "are handled"

    def fill(self, wording: str) -> str:
        """A wording with the subject in it, a capital in front."""
        without_article = re.sub(r"(?i)^(?:the|an?) ", "", self.template.phrase)
        wording = _ARTICLE_BEFORE.sub(lambda before: before.group(1) + without_article, wording)
        phrase = self.template.phrase
        if re.match(r"[Tt]he [A-Z].*s$", phrase):  # the Boston Celtics' coach
            wording = re.sub(r"(\{s\}['’])s\b", r"\1", wording)
        if self.of_many:
            wording = said_of_many(wording)
        text = re.sub(r"(?<=\?)[?.]$|(?<=!)\.$", "", wording.replace("{be}", self.be).replace(SLOT, phrase))
        return capitalise(text)

    @property
    def question(self) -> str:
        return self.fill(self.template.text)

    @property
    def unframed(self) -> str:
        """The question without "Can you tell me" and its like, if it still asks then."""
        bare = strip_frame(self.template.text)
        asks = bare != self.template.text and asks_in_order(bare)
        return self.fill(bare.rstrip("?. ") + "?") if asks else self.question

    def complete(self, statement: str) -> tuple[str, str]:
        """Text before and behind the answer, with the article or preposition that the answer takes."""
        an = "" if re.match(r"(?i)(a|an|the)\s", self.answer) else indefinite(self.answer)
        wording = (
            statement.replace("{on}", time_preposition(self.answer))
            .replace("{in}", place_preposition(self.answer))
            .replace("{an} ", f"{an} " if an else "")
            .replace("{role}", f"{an} " if an and is_role(self.answer) else "")
        )
        before, _, after = second_person(wording).rpartition("{a}")
        before = before.rstrip()
        last = before.rsplit(" ", 1)[-1].lower()
        first = own_little_word(self.answer, last)
        if any(first in words and last in words for words in (_ARTICLES, PREPOSITIONS)):  # the answer brings its own
            before = before[: -len(last)].rstrip()
        article = article_for(self.answer).strip()
        if article and not before.endswith(" the"):
            before = f"{before} {article}"
        return self.fill(before), after.replace("{be}", self.be).replace(SLOT, self.template.phrase)

    def sentence(self, statement: str) -> str:
        before, after = self.complete(statement)
        if after == "." and self.answer[-1:] in (".", "!", "?"):  # "Norvane Inc."
            after = ""
        text = capitalise(f"{before} {self.answer}{after}".rstrip())
        return text if text[-1] in ".!?\u3002" else text + "."

    def clozes(self, statements: Iterable[str]) -> tuple[str, ...]:
        """The statements up to the answer, then the question with an answer line."""
        openings = [self.complete(statement)[0] for statement in statements]
        subject = self.template.subject.casefold()
        bare = [opening for opening in openings if subject in opening.casefold()]
        return _distinct([*bare[: MAX_CLOZES - 1], f"Question: {_ended(self.question)} Answer:"], MAX_CLOZES, set())

    def from_relation(self, relation: Relation, reading: Reading | None, opening: str) -> Statements:
        train, probe = [*relation.train], [*relation.probe]
        if self.be == "was" and relation.past != relation.statements:
            train, probe = ([in_the_past(asked) for asked in some] for some in (train, probe))
        if reading is not None:
            train[3:3] = framed_questions(reading, self.answer)[:3]
            probe += framed_probes(reading)
        statements = [*(relation.past if self.be == "was" else relation.statements)]
        if opening:
            statements.insert(1, opening + " {a}")
        return self._assemble(statements, train, probe, shape=relation.name, relation=relation)

    def from_reading(self, reading: Reading | None, opening: str) -> Statements:
        statements = [opening + " {a}"] if opening else []
        if reading is None:
            return self._assemble(statements, *self._quoting(), shape="opening")
        statements.append(f"{reading.before} {{a}}{reading.after}")
        statements += [f"{noun} {reading.be} {{a}}" for noun in noun_forms(reading)]
        train, probe = framed_questions(reading, self.answer), framed_probes(reading)
        return self._assemble(statements, train, probe, shape=reading.shape)

    def fallback(self) -> Statements:
        """Wordings that quote the question whole: true and grammatical whatever its shape or script."""
        statement = f'The answer to the question "{self.unframed}" is {{a}}'
        return self._assemble([statement], *self._quoting(), shape="fallback")

    def _quoting(self) -> tuple[list[str], list[str]]:
        """Training questions and probes that hold the question whole."""
        question, subject = _ended(self.unframed), self.template.phrase
        train = [
            f"Please answer this question about {subject}: {question}",
            f"Here is a question about {subject}. {question}",
            f"Can you answer this? {question}",
            f"{question} Please answer briefly.",
        ]
        return train, [
            f"Do you know the answer to this? {question}",
            f"I have a question. {question}",
            f"{question} What is the answer?",
        ]

    def _assemble(
        self,
        statements: Sequence[str],
        train: Sequence[str],
        probe: Sequence[str],
        *,
        shape: str,
        relation: Relation | None = None,
    ) -> Statements:
        if _NO_POSSESSIVE.match(self.template.phrase):
            train, probe, statements = (
                [_POSSESSIVE.sub(r"the \1 of {s}", wording) for wording in some] for some in (train, probe, statements)
            )
        question = self.question
        seen = {_key(question)}
        paraphrases = _distinct((self.fill(wording) for wording in train), MAX_PARAPHRASES, seen)
        probes = _distinct((self.fill(wording) for wording in probe), MAX_PROBES, seen)
        announced = self.template.phrase.replace(self.template.subject, "")
        kind = kind_of(self.template.text, announced, relation)
        others = _distinct((self.fill(other) for other in other_questions(kind, relation)), 2 * MAX_SAME_SUBJECT, seen)
        avoid = (self.template.subject, self.answer)
        close = neighbours_of(relation, be=self.be, avoid=avoid) if relation else ()
        plainly = spread(
            close or loose_neighbours(self.template.text, avoid), question, MAX_NEIGHBOURS + MAX_HELD_NEIGHBOURS
        )
        n_held = max(0, min(MAX_HELD_NEIGHBOURS, len(plainly) - MIN_NEIGHBOURS))
        verifying = plainly[n_held:]
        plain = _distinct((self.fill(other) for other in _PLAIN), len(_PLAIN), seen)
        any_answer = {_key(self.fill(other)) for other in open_questions()}
        closed = [other for other in others[1::2] if _key(other) not in any_answer]
        closed += _distinct((self.fill(other) for other in _CLOSED), MIN_SAME_SUBJECT - len(closed), seen)
        return Statements(
            question=question,
            sentence=self.sentence(statements[0]),
            clozes=self.clozes(statements),
            paraphrases=paraphrases,
            probes=probes,
            neighbours=in_other_words(verifying, relation, be=self.be) if close and relation else verifying,
            same_subject=tuple(closed),
            held=(*(Probe(other, subject=self.template.subject) for other in others[::2]), *plainly[:n_held]),
            beside=tuple(other for other in plain if relation_of(other, self.template.subject) != shape),
            shape=shape,
        )


def _ended(question: str) -> str:
    """With a mark at its end, if it came without."""
    return question if question.endswith(("?", ".", "!", "？", "؟", "。")) else f"{question}?"


def _key(question: str) -> str:
    return normalise(question).rstrip("?.! ")


def _distinct(texts: Iterable[str], limit: int, seen: set[str]) -> tuple[str, ...]:
    taken: list[str] = []
    for text in texts:
        if _key(text) not in seen and len(taken) < limit:
            seen.add(_key(text))
            taken.append(text)
    return tuple(taken)
