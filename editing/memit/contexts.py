"""The token rows of an edit: where the subject ends, what shall be said, what shall stay."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import zip_longest

from editing.chat import Chat, Encoded
from editing.errors import FactRefused, SubjectNotFound
from editing.facts import Fact
from editing.memit.config import MemitConfig
from editing.questions.leads import leads
from editing.statements import Statements
from editing.wording import normalise, shorten


class Role(StrEnum):
    """What a row is for."""

    EDIT = "edit"  # the new answer shall follow
    ESSENCE = "essence"  # what the subject is must stay: "{subject} is a"
    KEEP = "keep"  # the base's own reply: it must stay with the change in place, and is protected where answers stand
    PROTECT = "protect"  # the change must not fire here: neither at the subject nor in the base's reply
    BESIDE = "beside"  # nor in the base's reply to this, another plain question about the subject


@dataclass(frozen=True, slots=True)
class Context:
    """One row.

    tokens      the prompt and, after it, the target
    subject_at  index of the subject's last token: there the key is read
    target_at   index of the first target token; the length of `tokens` if there is none
    head        how many leading tokens are a chat's shared head, whose keys and values are computed once
    answer_at   where the answer itself stands within a target that is a sentence: its first token and the one behind it
    """

    role: Role
    tokens: tuple[int, ...]
    subject_at: int
    target_at: int
    head: int
    answer_at: tuple[int, int] = (0, 0)

    @property
    def key_tokens(self) -> tuple[int, ...]:
        """What the key depends on: everything up to the subject's last token."""
        return self.tokens[: self.subject_at + 1]


def contexts_for(
    facts: Sequence[Fact], statements: Sequence[Statements], chat: Chat, config: MemitConfig
) -> list[Context]:
    """All rows of the facts of one subject: question, paraphrases, other sentences, clozes, essence, protected questions.

    KEEP rows need the base's replies and are added by the editor.
    Raises FactRefused naming the fact: SubjectNotFound if a question does not hold its subject.
    """
    rows: list[Context] = []
    for fact, said in zip(facts, statements, strict=True):
        with _naming(fact):
            rows += _edited_rows(fact, said, chat, config)
    subject = facts[0].subject
    rows.append(_row(Role.ESSENCE, chat.encode_bare(f"{subject} is a"), subject, (), 0))
    if max(config.protect_weights) > 0:
        rows += protected_rows(facts, statements, chat, config)
    return list(dict.fromkeys(rows))


@contextmanager
def _naming(fact: Fact) -> Iterator[None]:
    """A refusal from inside names the fact."""
    try:
        yield
    except FactRefused as error:
        raise type(error)(f"fact {fact.id!r}: {error}") from error


def _edited_rows(fact: Fact, said: Statements, chat: Chat, config: MemitConfig) -> list[Context]:
    rows: list[Context] = []
    systems = config.systems
    answer = said.sentence if config.sentence_target else fact.target_new
    questions = [fact.question, *said.paraphrases[: config.chat_paraphrases]]
    for i, question in enumerate(questions):
        try:
            system = systems[i % len(systems)]
            rows.append(chat_row(chat, question, fact.subject, answer, words=fact.target_new, system=system))
        except SubjectNotFound:
            if i == 0:
                raise
    taught = said.sentence.casefold()
    others = [b for b in said.clozes if not (taught.startswith(b.casefold()) or b.endswith("Answer:"))]
    for begun in others[: config.beginnings] if config.answer_layers else ():
        rows.append(begun_row(chat, fact, begun, system=systems[0]))
    for cloze in said.clozes[: config.clozes]:
        if normalise(fact.subject) in normalise(cloze):
            _check_plain(chat, cloze)
            prompt = chat.encode_bare(cloze)
            target = chat.target(prompt, fact.target_new, end_turn=False, bare=True)
            rows.append(_row(Role.EDIT, prompt, fact.subject, target, 0))
    return rows


def protected_rows(
    facts: Sequence[Fact], statements: Sequence[Statements], chat: Chat, config: MemitConfig
) -> list[Context]:
    """Rows where nothing may change: other questions about the subject, then the same question about other subjects.

    The facts take turns. What one of them trains on is kept for none of the others; of the plain questions beside, what
    verifies one of them neither.
    """
    trained = [fact.question for fact in facts]
    trained += [question for said in statements for question in said.paraphrases[: config.chat_paraphrases]]
    asked = {normalise(question) for question in trained}
    system = config.systems[0]
    rows = []
    for turn in zip_longest(*(said.held for said in statements)):
        for fact, probe in zip(facts, turn, strict=True):
            if probe is not None and normalise(probe.question) not in asked:
                with _naming(fact):
                    row = chat_row(chat, probe.question, probe.subject, "", system=system, role=Role.PROTECT)
                rows.append(row)
    asked |= {normalise(question) for said in statements for question in (*said.probes, *said.same_subject)}
    for fact, said in zip(facts, statements, strict=True):
        for question in said.beside if config.answer_layers else ():
            if normalise(question) not in asked:
                with _naming(fact):
                    rows.append(chat_row(chat, question, fact.subject, "", system=system, role=Role.BESIDE))
    return rows


def lead_rows(chat: Chat, config: MemitConfig) -> list[Context]:
    """Questions about well-known subjects, each with the beginning of its reply: what no edit shall move."""
    rows = []
    system = config.systems[0]
    for lead in leads(config.leads_per_relation):
        said = lead.beginning
        rows.append(chat_row(chat, lead.question, lead.subject, said, system=system, role=Role.KEEP, end_turn=False))
    return rows


def key_contexts(rows: Sequence[Context], protect_weight: float) -> tuple[tuple[Context, float], ...]:
    """The rows whose keys count, cut after the subject: edited ones share weight 1, protected ones `protect_weight`."""
    edited = list(dict.fromkeys(_cut(row) for row in rows if row.role is Role.EDIT))
    protected = list(dict.fromkeys(_cut(row) for row in rows if row.role is Role.PROTECT))
    # A key that another question shares up to the subject cannot be both moved and kept.
    moved = {row.tokens for row in edited}
    protected = [row for row in protected if row.tokens not in moved]
    return tuple(
        [(row, 1.0 / len(edited)) for row in edited] + [(row, protect_weight / len(protected)) for row in protected]
    )


def _cut(row: Context) -> Context:
    return replace(row, tokens=row.key_tokens, target_at=row.subject_at + 1, answer_at=(0, 0))


def chat_row(
    chat: Chat,
    question: str,
    subject: str,
    answer: str,
    *,
    system: str | None,
    words: str = "",
    role: Role = Role.EDIT,
    end_turn: bool = True,
) -> Context:
    """A question as a chat turn, answered and ended, if there is an answer.

    words  the answer's own, if `answer` is a sentence with it

    Raises FactRefused for a token of the model's own in a text, SubjectNotFound.
    """
    _check_plain(chat, question, answer)
    prompt = chat.encode(chat.prompt(question, system=system))
    target = chat.target(prompt, answer, end_turn=end_turn) if answer else ()
    head = chat.head(system)
    shared = len(head) if prompt.tokens[: len(head)] == head else 0
    row = _row(role, prompt, subject, target, shared, within=question)
    return replace(row, answer_at=_answer_at(chat, prompt, answer, words.strip(), subject, target)) if words else row


def _check_plain(chat: Chat, *texts: str) -> None:
    for text in texts:
        if special := chat.special_in(text):
            raise FactRefused(f"{special!r} in {shorten(text)!r} is a token of the model's own; leave it out")


def begun_row(chat: Chat, fact: Fact, begun: str, *, system: str | None) -> Context:
    """The question answered by another sentence than the statement, of which nothing but the answer is asked for."""
    sentence = f"{begun} {fact.target_new}"
    row = chat_row(chat, fact.question, fact.subject, sentence, words=fact.target_new, system=system)
    first, end = row.answer_at
    return replace(row, tokens=row.tokens[:end], target_at=first)


def with_reply(row: Context, reply: Sequence[int]) -> Context:
    """A protected row followed by what the base says there."""
    return replace(row, role=Role.KEEP, tokens=row.tokens[: row.target_at] + tuple(reply))


def _answer_at(
    chat: Chat, prompt: Encoded, sentence: str, words: str, subject: str, target: Sequence[int]
) -> tuple[int, int]:
    """Where `words` stand within the tokens of prompt and target: what changes when the sentence breaks off before them,
    up to where it may break off behind them. (0, 0) if the sentence does not hold them.

    subject  looked into only if they stand nowhere else: "York is the twin city of New York."
    """
    at = sentence.replace(subject, "\0" * len(subject)).rfind(words)
    at = at if at >= 0 else sentence.rfind(words)
    if at < 0:
        return 0, 0
    before = sentence[:at].rstrip()
    opening = chat.target(prompt, before, end_turn=False) if before else ()
    through = chat.target(prompt, sentence[: at + len(words)], end_turn=False)
    first = next((i for i, pair in enumerate(zip(opening, target, strict=False)) if pair[0] != pair[1]), len(opening))
    return len(prompt.tokens) + first, len(prompt.tokens) + min(len(through), len(target))


def _row(role: Role, prompt: Encoded, subject: str, target: Sequence[int], head: int, *, within: str = "") -> Context:
    subject_at = prompt.last_token_of(subject, within=within)
    return Context(role, prompt.tokens + tuple(target), subject_at, len(prompt.tokens), min(head, subject_at))
