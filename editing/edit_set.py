"""Edits as files: immutable artefacts, their joint solution, and the version directory that an engine loads."""

import hashlib
import json
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from editing.errors import ArtefactDamaged
from editing.files import whole_folder, write_tensors, write_text
from editing.memit.config import SOLVER_VERSION
from editing.memit.contexts import Context, Role
from editing.memit.detectors import NO_VALUE, Columns
from editing.memit.solve import LowRankDelta

COPIED = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "vocab.json",
    "merges.txt",
)


@dataclass(frozen=True, slots=True)
class Artefact:
    """What one subject's edit is made of; computed once, never changed, named by its content.

    fact_ids           the facts that it carries
    base_sha256        the model that it was computed on
    config_sha256      the recipe
    statistics_sha256  the statistics in use when it was made
    layers             the layers edited at the subject
    contexts           rows up to the subject's last token, edited and protected ones, with each one's weight
    keys               (layers, rows, d_in) fp32: what the edited matrices see at each row's end on the unedited model
    values             (layers, d_out) fp32: what they shall add there
    answer_layers      the layers edited where the answer stands in a reply
    answers            what the edit puts into their systems, the subject's values in place (memit/answers.py)
    answer_values      (answer layers, tokens of the answers, d_out) fp32: what they shall add there
    nll, steps         how the search ended
    strength           share of its values that the edit gets at its own rows when it is the only one, under the weights of
                       its making
    """

    fact_ids: tuple[str, ...]
    base_sha256: str
    config_sha256: str
    statistics_sha256: str
    layers: tuple[int, ...]
    contexts: tuple[tuple[Context, float], ...]
    keys: Tensor
    values: Tensor
    answer_layers: tuple[int, ...]
    answers: Columns
    answer_values: Tensor
    nll: float
    steps: int
    strength: float
    _id: str = field(default="", init=False, repr=False, compare=False)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The half of the artefact that is no JSON, by name."""
        return {
            "keys": self.keys,
            "values": self.values,
            "answer_keys": self.answers.keys,
            "answer_weights": self.answers.weights,
            "answer_slots": self.answers.slots,
            "answer_values": self.answer_values,
        }

    @property
    def id(self) -> str:
        """sha256 over everything that is stored, computed once."""
        if not self._id:
            whole = hashlib.sha256(self.describe().encode())
            for tensor in self.tensors.values():
                whole.update(tensor.contiguous().numpy().tobytes())
            object.__setattr__(self, "_id", whole.hexdigest())
        return self._id

    def describe(self) -> str:
        """The JSON half of the artefact, canonical."""
        about = {
            "format": 3,
            "fact_ids": self.fact_ids,
            "base_sha256": self.base_sha256,
            "config_sha256": self.config_sha256,
            "statistics_sha256": self.statistics_sha256,
            "layers": self.layers,
            "answer_layers": self.answer_layers,
            "contexts": [
                {"role": row.role.value, "tokens": row.key_tokens, "head": row.head, "weight": weight}
                for row, weight in self.contexts
            ],
            "nll": self.nll,
            "steps": self.steps,
            "strength": self.strength,
        }
        return json.dumps(about, sort_keys=True, separators=(",", ":"))

    @property
    def protection(self) -> float:
        """Weight of the protected rows together, beside the edited ones' 1."""
        return sum(weight for row, weight in self.contexts if row.role is Role.PROTECT)

    @property
    def columns(self) -> Columns:
        """What the edit puts into the system of a solve when it is the only one."""
        return columns_of(self.contexts, self.keys)

    @property
    def direction(self) -> Tensor:
        """Mean key of the edited rows at the first edited layer, (d_in,)."""
        own: Tensor = self.columns.keys[0][self.columns.moved].mean(dim=0)
        return own

    def rows(self, role: Role) -> list[Context]:
        """The contexts of one role."""
        return [row for row, _ in self.contexts if row.role is role]

    def protecting(self, weight: float) -> "Artefact":
        """The same values with another weight of the protected rows; 0 turns them off."""
        n = sum(row.role is Role.PROTECT for row, _ in self.contexts)
        contexts = tuple((row, weight / n if row.role is Role.PROTECT else own) for row, own in self.contexts)
        return replace(self, contexts=contexts)

    def save(self, folder: str | Path) -> None:
        """Write ID.safetensors, then ID.json; nothing if both are there and whole."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        name = self.id
        try:
            self.load(folder, name)
        except ArtefactDamaged:
            write_tensors(self.tensors, folder / f"{name}.safetensors")
            write_text(self.describe(), folder / f"{name}.json")

    @classmethod
    def load(cls, folder: str | Path, artefact_id: str) -> "Artefact":
        """Read what `save` wrote. Raises ArtefactDamaged if a file is missing, cut short or changed."""
        folder = Path(folder)
        try:
            about = json.loads((folder / f"{artefact_id}.json").read_text())
            tensors = load_file(folder / f"{artefact_id}.safetensors")
            artefact = cls(
                fact_ids=tuple(about["fact_ids"]),
                base_sha256=about["base_sha256"],
                config_sha256=about["config_sha256"],
                statistics_sha256=about["statistics_sha256"],
                layers=tuple(about["layers"]),
                contexts=tuple((_context(row), row["weight"]) for row in about["contexts"]),
                keys=tensors["keys"],
                values=tensors["values"],
                answer_layers=tuple(about["answer_layers"]),
                answers=Columns(
                    tensors["answer_keys"],
                    tensors["answer_weights"],
                    tensors["answer_slots"],
                    tensors["answer_values"].shape[1],
                ),
                answer_values=tensors["answer_values"],
                nll=about["nll"],
                steps=about["steps"],
                strength=about["strength"],
            )
            hashed = artefact.id
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
            raise ArtefactDamaged(
                f"artefact {artefact_id!r} cannot be read ({error}): compute the edit again"
            ) from error
        if hashed != artefact_id:
            raise ArtefactDamaged(f"artefact {artefact_id!r} hashes to {hashed!r}: compute the edit again")
        return artefact


def columns_of(
    contexts: Sequence[tuple[Context, float]], keys: Tensor, *, moved: Collection[tuple[int, ...]] = ()
) -> Columns:
    """The rows that count, with their keys (layers, rows, d_in).

    moved  tokens of rows that the edits of a set move: a protected row among them would work against its own set
    """
    counts = [
        number
        for number, (row, weight) in enumerate(contexts)
        if weight > 0 and not (row.role is Role.PROTECT and row.tokens in moved)
    ]
    return Columns(
        keys=keys[:, counts],
        weights=torch.tensor([contexts[number][1] for number in counts], dtype=torch.float64),
        slots=torch.tensor([0 if contexts[number][0].role is Role.EDIT else NO_VALUE for number in counts]),
    )


def _context(row: dict[str, object]) -> Context:
    tokens, head = row["tokens"], row["head"]
    if not isinstance(tokens, list) or not isinstance(head, int):
        raise TypeError("a row has no list of tokens or no head")
    return Context(Role(str(row["role"])), tuple(tokens), len(tokens) - 1, len(tokens), head)


@dataclass(frozen=True, slots=True)
class Solution:
    """All edits of a set, solved jointly from the base.

    artefact_ids  sorted
    fact_ids      the facts of each
    deltas        layer -> change
    owners        layer -> for each column of the change's left factor, the number of the artefact whose value it is
    names         layer -> the tensor's name in the model's files
    base          layer -> the unedited weight as stored, in the serving dtype
    transposed    the stored weight is (d_in, d_out)
    """

    artefact_ids: tuple[str, ...]
    fact_ids: tuple[tuple[str, ...], ...]
    deltas: dict[int, LowRankDelta]
    owners: dict[int, tuple[int, ...]]
    names: dict[int, str]
    base: dict[int, Tensor]
    transposed: bool
    config_sha256: str
    base_sha256: str
    statistics_sha256: str

    def tensor(self, layer: int) -> Tensor:
        """The edited weight as stored, in the serving dtype: added up in float64 and cast once."""
        change = self.deltas[layer].matrix().cpu()
        base = self.base[layer]
        return (base.double() + (change.T if self.transposed else change)).to(base.dtype).contiguous()

    def tensors(self) -> dict[str, Tensor]:
        """Name -> edited tensor, on the CPU."""
        return {self.names[layer]: self.tensor(layer) for layer in sorted(self.deltas)}

    def tensors_sha256(self) -> str:
        """Hash of the edited tensors' names, dtypes, shapes and bytes."""
        return hash_tensors(self.tensors())

    @property
    def version_id(self) -> str:
        return version_id(self.base_sha256, self.artefact_ids, self.config_sha256, self.statistics_sha256)


def version_id(
    base_sha256: str,
    artefact_ids: Sequence[str],
    config_sha256: str,
    statistics_sha256: str,
    solver_version: int = SOLVER_VERSION,
) -> str:
    """The name of a version: what went in, not what came out. No edits is the base itself."""
    if not artefact_ids:
        return "base"
    what = json.dumps([base_sha256, sorted(artefact_ids), config_sha256, statistics_sha256, solver_version])
    return hashlib.sha256(what.encode()).hexdigest()


def hash_tensors(tensors: dict[str, Tensor]) -> str:
    """Order-free hash of named tensors."""
    whole = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        whole.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        whole.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()


def hash_model_dir(model_dir: Path) -> str:
    """sha256 of a checkpoint: every weight file, byte by byte."""
    whole = hashlib.sha256()
    files = sorted(model_dir.glob("*.safetensors"))
    if not files:
        raise FileNotFoundError(f"{str(model_dir)!r} holds no safetensors file")
    for path in files:
        whole.update(path.name.encode())
        with path.open("rb") as file:
            while block := file.read(1 << 22):
                whole.update(block)
    return whole.hexdigest()


def write_version(folder: str | Path, solution: Solution, model_dir: str | Path) -> dict[str, object]:
    """Write only the changed tensors, under the names and in the dtype of the served model, with its small files.

    The folder appears whole or not at all. Returns what `version.json` in it says. Raises OSError if the disk is full.
    """
    with whole_folder(Path(folder)) as unfinished:
        return _write_into(unfinished, solution, Path(model_dir))


def _write_into(folder: Path, solution: Solution, model_dir: Path) -> dict[str, object]:
    tensors = solution.tensors()
    about: dict[str, object] = {
        "version_id": solution.version_id,
        "base_sha256": solution.base_sha256,
        "artefacts": list(solution.artefact_ids),
        "settings_sha256": solution.config_sha256,
        "statistics_sha256": solution.statistics_sha256,
        "solver_version": SOLVER_VERSION,
        "tensors_sha256": hash_tensors(tensors),
    }
    copy_small_files(model_dir, folder)
    write_tensors(tensors, folder / "model.safetensors")
    write_text(json.dumps(about, sort_keys=True, indent=1), folder / "version.json")
    return about


def copy_small_files(model_dir: Path, folder: Path) -> None:
    """What a checkpoint has beside its tensors: configuration, tokenizer, chat template."""
    for name in COPIED:
        if (model_dir / name).exists():
            shutil.copyfile(model_dir / name, folder / name)
