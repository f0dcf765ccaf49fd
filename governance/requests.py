"""A request for erasure or rectification as data: who, under which law, where it stands, and how it is met."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from governance.errors import MoveNotAllowed
from governance.residual import Probes


class Law(StrEnum):
    """Under which law the person asks."""

    GDPR = "gdpr"
    PDPA = "pdpa"


def due_after(law: Law, received: datetime) -> datetime:
    """When a request has to be met: PDPA, in 30 days; GDPR 12(3), in a month, on the same day or the last of the next."""
    if law is Law.PDPA:
        return received + timedelta(days=30)
    years, month = divmod(received.month, 12)
    year, month = received.year + years, month + 1
    return received.replace(year=year, month=month, day=min(received.day, monthrange(year, month)[1]))


class Kind(StrEnum):
    """What the person asks for."""

    ERASURE = "erasure"
    RECTIFICATION = "rectification"


class Step(StrEnum):
    """The six steps, with refusal as a way out that has to give its reason."""

    RECEIVED = "received"
    IDENTITY_VERIFIED = "identity_verified"
    FOUND = "found"
    DECIDED = "decided"
    APPROVED = "approved"
    APPLIED = "applied"
    VERIFIED = "verified"
    CLOSED = "closed"
    REFUSED = "refused"


STEPS: Mapping[Step, frozenset[Step]] = MappingProxyType(
    {
        Step.RECEIVED: frozenset({Step.IDENTITY_VERIFIED, Step.REFUSED}),
        Step.IDENTITY_VERIFIED: frozenset({Step.FOUND, Step.REFUSED}),
        # A search may be repeated, and a decision taken anew, until the decision is approved.
        Step.FOUND: frozenset({Step.FOUND, Step.DECIDED, Step.REFUSED}),
        Step.DECIDED: frozenset({Step.FOUND, Step.DECIDED, Step.APPROVED, Step.REFUSED}),
        Step.APPROVED: frozenset({Step.APPLIED}),
        Step.APPLIED: frozenset({Step.VERIFIED}),
        Step.VERIFIED: frozenset({Step.CLOSED, Step.FOUND}),
        Step.CLOSED: frozenset(),
        Step.REFUSED: frozenset(),
    }
)


# The name of the act that takes a request to each step, the same for the command and the route.
ACTS: Mapping[Step, str] = MappingProxyType(
    {
        Step.IDENTITY_VERIFIED: "verify-identity",
        Step.FOUND: "find",
        Step.DECIDED: "decide",
        Step.APPROVED: "approve",
        Step.APPLIED: "execute",
        Step.VERIFIED: "execute",
        Step.CLOSED: "close",
        Step.REFUSED: "refuse",
    }
)


def acts_after(step: Step) -> list[str]:
    """What may be done next with a request, in the order of the steps."""
    return list(dict.fromkeys(ACTS[to] for to in Step if to in STEPS[step]))


def check_step(before: Step, to: Step) -> None:
    """Raises MoveNotAllowed unless the request may go on to this step."""
    if to not in STEPS[before]:
        acts = " or ".join(acts_after(before))
        then = f"next is {acts}" if acts else "it has ended, file another one"
        raise MoveNotAllowed(f"a request that is {before.value!r} cannot become {to.value!r}: {then}")


class Method(StrEnum):
    """How one kind of occurrence is dealt with."""

    DELETE_TEXT = "delete_text"
    DELETE_DOCUMENT = "delete_document"
    DELETE_FILE = "delete_file"
    REBUILD_CACHE = "rebuild_cache"
    DROP_EDIT = "drop_edit"
    NEUTRAL_EDIT = "neutral_edit"
    CORRECT_EDIT = "correct_edit"
    UNLEARN = "unlearn"
    RETRAIN = "retrain"


class Place(StrEnum):
    """Where a person may occur."""

    TEXT = "text"
    CORRECTION = "correction"
    EDIT = "edit"
    DOCUMENT = "document"
    CACHE = "cache"
    EXPORT = "export"  # any file outside the database
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Subject:
    """The person: names and other strings that identify them, and their account if they have one."""

    names: tuple[str, ...]
    identifiers: tuple[str, ...] = ()
    account_id: str | None = None

    @property
    def needles(self) -> tuple[str, ...]:
        """What to look for."""
        return (*self.names, *self.identifiers)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place the person occurs in: `ref` is the id of the text, correction, document or version.

    within_a_word  a name stands there only inside longer words, as Lee does in "sleep": likely nobody is meant
    """

    place: Place
    ref: str
    within_a_word: bool = False


@dataclass(frozen=True, slots=True)
class Questions:
    """The three questions by which a method is chosen, as the decider answered them.

    correct    the person wants something put right, not removed
    many       more than a few facts or records are concerned
    certainty  "reasonable", or "highest" where only retraining without the data would do
    """

    correct: bool
    many: bool
    certainty: str = "reasonable"


@dataclass(frozen=True, slots=True)
class Choice:
    """A method for some occurrences, and why."""

    method: Method
    refs: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What applying a method came to. `remains` says what is left and until when, if anything is."""

    method: Method
    done: int
    remains: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The decider's own words: why, which exceptions were considered, and the occurrences that stay."""

    reason: str = ""
    exceptions: str = ""
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One recorded step; `note` holds counts and codes, no personal text."""

    from_step: Step | None
    to_step: Step
    actor: str
    role: str
    at: datetime
    note: Mapping[str, Any]
    entry: int


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """A request, whole. Subject, statement, identity, decision, occurrences and probes are empty once the request is closed.

    `identity` says by what it is known that the person asks; `executor` is the account of the admin who ordered the
    execution; `refusal` is the reason given to the person, empty unless the request was refused, and once an erasure has
    taken it.
    """

    id: str
    created: datetime
    due: datetime
    law: Law
    kind: Kind
    status: Step
    account_id: str | None
    filed_by: str
    subject: Subject
    statement: str
    identity: str
    refusal: str
    decision: Decision
    occurrences: tuple[Occurrence, ...]
    probes: Probes | None
    model_before: Mapping[str, Any]
    right_answers: Mapping[str, str]
    executor: str | None
    choices: tuple[Choice, ...]
    outcomes: tuple[Outcome, ...]
    residual: Mapping[str, Any]
    certificate: Mapping[str, Any]
    told: datetime | None
    steps: tuple[StepTaken, ...]

    @property
    def corrections(self) -> frozenset[str]:
        """The corrections that are chosen, whatever is done to them."""
        return frozenset(ref for choice in self.choices for ref in choice.refs if ref.startswith("cor_"))

    @property
    def accounts(self) -> frozenset[str]:
        """The accounts that are to be erased. A rectification closes nobody's account."""
        deleted = [choice for choice in self.choices if choice.method is Method.DELETE_TEXT]
        refs = {ref for choice in deleted for ref in choice.refs if ref.startswith("acc_")}
        return frozenset(refs if self.kind is Kind.ERASURE else ())


def choose(questions: Questions, occurrences: tuple[Occurrence, ...]) -> tuple[Choice, ...]:
    """The methods that follow from the three questions and from where the person occurs.

    Records are deleted whatever the answers; an edit is dropped, which is exact, since the weights are solved from the
    base without it. What the model itself says depends on the questions. Where something is to be put right, chats and
    files stay: they are a record of what was said, and claim nothing any more.
    """
    by_place: dict[Place, list[str]] = {}
    for occurrence in occurrences:
        by_place.setdefault(occurrence.place, []).append(occurrence.ref)
    fixed = (
        (Place.EDIT, Method.DROP_EDIT, "the edit is left out and the weights are solved again from the base: exact"),
        (Place.TEXT, Method.DELETE_TEXT, "personal text is deleted and its key destroyed"),
        (Place.CORRECTION, Method.DELETE_TEXT, "the texts of the correction are deleted; its row keeps ids alone"),
        (Place.EXPORT, Method.DELETE_FILE, "the file is deleted"),
        (Place.DOCUMENT, Method.DELETE_DOCUMENT, "the document is removed and the index rebuilt without it"),
        (Place.CACHE, Method.REBUILD_CACHE, "the cache is emptied and rebuilt"),
    )
    stay = {Place.TEXT, Place.EXPORT} if questions.correct else set()
    choices = [
        Choice(method, tuple(by_place[place]), why)
        for place, method, why in fixed
        if place in by_place and place not in stay
    ]
    if Place.MODEL in by_place:
        method, why = _for_the_model(questions)
        choices.append(Choice(method, tuple(by_place[Place.MODEL]), why))
    return tuple(choices)


def _for_the_model(questions: Questions) -> tuple[Method, str]:
    if questions.certainty == "highest":
        return Method.RETRAIN, "only training without the data gives this certainty; it happens outside Errata"
    if questions.correct:
        return Method.CORRECT_EDIT, "what the model says is to be put right: an edit with the right answer"
    if questions.many:
        return Method.UNLEARN, "many facts are concerned: approximate unlearning, with its residual risk stated"
    return Method.NEUTRAL_EDIT, "few facts are concerned: an edit overwrites them with a neutral answer"
