"""What an erasure needs of whoever composes the rooms: places to look in, hands, and a voice to ask the model with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from governance.requests import Choice, ErasureRequest, Method, Occurrence, Outcome, Subject
from governance.residual import Ask, Probes


@dataclass(frozen=True, slots=True)
class Tools:
    """What only the composer can do.

    find      more places to look in (documents, caches, exports): each takes the subject
    probes    the questions by which the model is probed, from the subject and the corrections that name it
    apply     how each method but DELETE_TEXT, UNLEARN and RETRAIN is carried out
    ask       put questions to the served model
    discard   delete the files of a purged version
    """

    find: Sequence[Callable[[Subject], Sequence[Occurrence]]] = ()
    probes: Callable[[Subject, Sequence[str]], Probes] | None = None
    apply: Mapping[Method, Callable[[ErasureRequest, Choice], Outcome]] | None = None
    ask: Ask | None = None
    discard: Callable[[str], None] | None = None
