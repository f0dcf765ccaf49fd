"""The errors of the editing room, one small tree."""

# EditingError
# ├── FactRefused              this fact cannot be a weight edit; the others go on
# │   ├── EmptyField           no subject, question or answer
# │   ├── SubjectNotFound      the subject does not occur in the question
# │   ├── AnswerTooLong        more words than a weight edit holds
# │   ├── NothingToChange      the new answer is the old one
# │   └── UnsuitableQuestion   a list, a negation, an opinion, a how-to
# ├── ContradictingFacts       two facts give one question different answers
# ├── FactFileError            a fact file cannot be read; names the file and the line
# ├── UnsupportedModel         no family describes this model
# ├── StatisticsMismatch       statistics of another model, or for other layers than are edited
# ├── ArtefactMismatch         an artefact of another base model or for other layers
# ├── ArtefactDamaged          an artefact's files do not hash to its name
# └── EditDiverged             the solution is not finite


class EditingError(Exception):
    """Whatever goes wrong in this room."""


class FactRefused(EditingError):
    """One fact cannot be made a weight edit. Other facts of the same batch are not touched by it."""


class EmptyField(FactRefused):
    """A fact without subject, question or answer."""


class SubjectNotFound(FactRefused):
    """The subject does not occur in the question."""


class AnswerTooLong(FactRefused):
    """The answer has more words than one weight edit can hold."""


class NothingToChange(FactRefused):
    """The new answer says the same as the old one."""


class UnsuitableQuestion(FactRefused):
    """A question whose answer is no single fact: a list, a negation, an opinion, an explanation."""


class ContradictingFacts(EditingError):
    """Two facts answer the same question about the same subject differently."""


class FactFileError(EditingError):
    """A fact file that cannot be read, with the file and the line."""


class UnsupportedModel(EditingError):
    """A model whose layers are not described in families.py."""


class StatisticsMismatch(EditingError):
    """Statistics that were computed for another model, or that lack a layer that is to be edited."""


class ArtefactMismatch(EditingError):
    """An artefact that was computed for another base model."""


class ArtefactDamaged(EditingError):
    """An artefact whose files are missing, cut short or changed: they do not hash to its name."""


class EditDiverged(EditingError):
    """A solve whose result is not finite."""
