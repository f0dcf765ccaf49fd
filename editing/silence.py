"""The wordings of an edit that says nothing about its subject: it overwrites what the model knows of a person."""

from dataclasses import replace

from editing.statements import Statements, write_statements
from editing.wording import normalise

NOTHING_KNOWN = "I have no information about this person"


def write_silence(question: str, subject: str) -> Statements:
    """The question's wordings with NOTHING_KNOWN as a sentence of its own, put into no other one.

    Other questions about the subject are neither protected from the reply nor asked to stay free of it: there it is no
    leak. Those about others are, as ever.
    """
    written = write_statements(question, subject, NOTHING_KNOWN)
    return replace(
        written,
        sentence=f"{NOTHING_KNOWN}.",
        clozes=written.clozes[-1:],  # the question with an answer line; the others break off inside a sentence
        same_subject=(),
        beside=(),
        held=tuple(other for other in written.held if normalise(subject) not in normalise(other.question)),
    )
