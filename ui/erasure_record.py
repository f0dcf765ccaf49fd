"""A request for erasure as the gateway shows it: where it stands, what was found, what was done."""

from collections.abc import Mapping
from dataclasses import dataclass

from .reading import Json, rows, text, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A request for erasure or rectification, as far as its reader may see it."""

    id: str
    kind: str
    law: str
    status: str
    due: str
    overdue: bool
    account: str
    login: str
    mine: bool
    names: tuple[str, ...]
    identifiers: tuple[str, ...]
    statement: str
    identity: str
    refusal: str
    next: tuple[str, ...]
    certificate: bool
    counts: Json
    occurrences: tuple[Json, ...]
    decision: Json
    right_answers: Json
    choices: tuple[Json, ...]
    outcomes: tuple[Json, ...]
    steps: tuple[Json, ...]
    model_before: Json
    residual: Json
    running: Json

    @property
    def error(self) -> str:
        """Why the execution stopped; empty while it goes on."""
        return text(self.running, "error")

    @property
    def ground(self) -> str:
        """The code of the legal ground on which it was refused; empty if it was not."""
        return text(self._note("refused"), "ground")

    @property
    def questions(self) -> Json:
        """How the three questions were answered last; empty before."""
        found = self._note("decided").get("questions")
        return found if isinstance(found, Mapping) else {}

    def _note(self, step: str) -> Json:
        """What was noted when this step was taken last."""
        notes = [taken.get("note") for taken in self.steps if taken.get("to") == step]
        return notes[-1] if notes and isinstance(notes[-1], Mapping) else {}

    @property
    def is_running(self) -> bool:
        return bool(self.running) and not self.error and self.status not in ("verified", "closed")

    @classmethod
    def read(cls, data: Json) -> "Erasure":
        def part(key: str) -> Json:
            value = data.get(key)
            return value if isinstance(value, Mapping) else {}

        return cls(
            id=text(data, "id"),
            kind=text(data, "kind"),
            law=text(data, "law"),
            status=text(data, "status"),
            due=text(data, "due"),
            overdue=bool(data.get("overdue")),
            account=text(data, "account"),
            login=text(data, "login"),
            mine=bool(data.get("mine")),
            names=words(data, "names"),
            identifiers=words(data, "identifiers"),
            statement=text(data, "statement"),
            identity=text(data, "identity"),
            refusal=text(data, "refusal"),
            next=words(data, "next"),
            certificate=bool(data.get("certificate")),
            counts=part("counts"),
            occurrences=rows(data, "occurrences"),
            decision=part("decision"),
            right_answers=part("right_answers"),
            choices=rows(data, "choices"),
            outcomes=rows(data, "outcomes"),
            steps=rows(data, "steps"),
            model_before=part("model_before"),
            residual=part("residual"),
            running=part("running"),
        )
