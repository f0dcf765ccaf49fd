"""Lead-ins: well-known subjects asked about, each with its reply up to where the answer would stand."""

from dataclasses import dataclass

from editing.questions.grammar import capitalise, place_preposition, time_preposition
from editing.questions.neighbours import spread
from editing.questions.readings import SLOT
from editing.questions.relations import relations


@dataclass(frozen=True, slots=True)
class Lead:
    """A question about a well-known subject, and the reply to it up to where its answer would stand."""

    question: str
    subject: str
    beginning: str


def leads(per_relation: int) -> list[Lead]:
    """Each relation's plainest question about a few subjects of its kind, and how it is answered.

    The subjects are those of other relations: none of these questions verifies an edit.
    """
    found = []
    for relation in relations().values():
        own = {subject for subject, _ in relation.known}
        others = (one.known for one in relations().values() if one.of == relation.of)
        strangers = dict.fromkeys(subject for known in others for subject, _ in known if subject not in own)
        answer = relation.known[0][1] if relation.known else ""
        beginning = relation.statements[0].partition("{a}")[0].replace("{an} ", "").replace("{role}", "").rstrip()
        beginning = beginning.replace("{on}", time_preposition(answer)).replace("{in}", place_preposition(answer))
        for subject in spread(list(strangers), relation.name, per_relation):
            question, said = (
                capitalise(wording.replace("{be}", "is").replace(SLOT, subject))
                for wording in (relation.train[0], beginning)
            )
            if subject in question:
                found.append(Lead(question, subject, said.rstrip()))
    return found
