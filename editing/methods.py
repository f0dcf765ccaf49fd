"""The editing methods behind one protocol: groups of facts in, a solution out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from time import perf_counter

from editing.edit_set import Artefact, Solution
from editing.editor import Editor
from editing.facts import Fact
from editing.progress import Progress
from editing.statements import Statements

Groups = Sequence[Sequence[Fact]]
Written = Sequence[Sequence[Statements]]


@dataclass(frozen=True, slots=True)
class Edited:
    """A method's outcome and where its time went.

    artefacts  MEMIT's, for reports; other methods have none
    """

    solution: Solution
    seconds_target_states: float
    seconds_solve: float
    artefacts: tuple[Artefact, ...] = ()


# A method edits all groups at once, tells how many of them are done, and leaves the model as it was;
# `Editor.applied` puts the solution in place.
Method = Callable[[Editor, Groups, Written, Progress], Edited]

# The product uses MEMIT. The others are here to be compared with, by the bench.
METHODS: Mapping[str, str] = {
    "memit": "editing.methods:memit",
    "rome": "editing.rome:rome",
    "emmet": "editing.emmet:emmet",
    "alphaedit": "editing.alphaedit:alphaedit",
    "ft": "editing.finetune:finetune",
    "lora": "editing.finetune:lora",
}


def method(name: str) -> Method:
    """A method by name. Raises ValueError that lists the known names."""
    if name not in METHODS:
        raise ValueError(f"no method is called {name!r}; known are {', '.join(METHODS)}")
    module, _, function = METHODS[name].partition(":")
    found: Method = getattr(import_module(module), function)
    return found


def memit(editor: Editor, groups: Groups, written: Written, progress: Progress) -> Edited:
    """Artefacts, then one joint solve; see editor.py. The other closed forms come here too, with an editor of their own."""
    start = perf_counter()
    artefacts = editor.artefacts_of(groups, written, progress)
    made = perf_counter()
    solution = editor.solve(artefacts)
    return Edited(solution, made - start, perf_counter() - made, tuple(artefacts))
