"""Change what a language model believes: facts, MEMIT and its kin, edit sets, verification, bench."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from editing.errors import (
    AnswerTooLong,
    ArtefactDamaged,
    ArtefactMismatch,
    ContradictingFacts,
    EditDiverged,
    EditingError,
    EmptyField,
    FactFileError,
    FactRefused,
    NothingToChange,
    StatisticsMismatch,
    SubjectNotFound,
    UnsuitableQuestion,
    UnsupportedModel,
)
from editing.facts import Fact, FactCase, Probe, check_fact, group_by_subject, without_refused
from editing.memit.config import SOLVER_VERSION, MemitConfig
from editing.refusals import refusal
from editing.statements import Statements, write_statements
from editing.subjects import canonical_question, propose_subjects

if TYPE_CHECKING:
    from editing.edit_set import Artefact, Solution, version_id, write_version
    from editing.editor import Editor
    from editing.loading import load_editor, load_model

# Names that need torch are fetched when they are asked for: `import editing` alone stays light.
_LATE = {
    "Artefact": "editing.edit_set",
    "Solution": "editing.edit_set",
    "version_id": "editing.edit_set",
    "write_version": "editing.edit_set",
    "Editor": "editing.editor",
    "load_editor": "editing.loading",
    "load_model": "editing.loading",
}

__all__ = [
    "SOLVER_VERSION",
    "AnswerTooLong",
    "Artefact",
    "ArtefactDamaged",
    "ArtefactMismatch",
    "ContradictingFacts",
    "EditDiverged",
    "EditingError",
    "Editor",
    "EmptyField",
    "Fact",
    "FactCase",
    "FactFileError",
    "FactRefused",
    "MemitConfig",
    "NothingToChange",
    "Probe",
    "Solution",
    "Statements",
    "StatisticsMismatch",
    "SubjectNotFound",
    "UnsuitableQuestion",
    "UnsupportedModel",
    "canonical_question",
    "check_fact",
    "group_by_subject",
    "load_editor",
    "load_model",
    "propose_subjects",
    "refusal",
    "version_id",
    "without_refused",
    "write_statements",
    "write_version",
]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'editing' has no attribute {name!r}")
    try:
        module = import_module(_LATE[name])
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in {"torch", "transformers", "safetensors"}:
            raise ImportError("Editing weights needs torch: pip install -e '.[cpu]'") from error
        raise
    return getattr(module, name)
