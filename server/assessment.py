"""What bars a claim from the weights, read off its words: an answer that changes, and personal data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from governance.corrections import WORDINGS, Correction
from retrieval.freshness import Freshness
from server.personal_data import personal_data_in
from server.services import Services


@dataclass(frozen=True, slots=True)
class Assessment:
    """The same for a report in triage and for the words that a reviewer put in its place."""

    freshness: Freshness
    personal: tuple[str, ...]  # kinds of personal data, in plain words

    @property
    def volatile(self) -> bool | None:
        """True bars it; None: taken as lasting, though not surely, so that a person looks."""
        if not self.freshness.evergreen:
            return True
        return False if self.freshness.confident else None


def assess(services: Services, correction: Correction, *, question: str) -> Assessment:
    """Judge a correction by this form of its question and all that is said in it. Takes some milliseconds: not for the
    event loop."""
    claim = correction.claim
    wordings = [wording for name in WORDINGS for wording in getattr(correction, name)]
    return judge(services, question, (claim.question, claim.correct_answer, correction.comment, *wordings))


def judge(services: Services, question: str, said: Sequence[str]) -> Assessment:
    """Judge a question, and what else is said with it."""
    return Assessment(services.freshness.predict([question])[0], personal_data_in(" \n".join((question, *said))))
