"""Whether two questions about one subject ask the same: a learnt map over the embedding, with common relations beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.embedder import Vectors
from retrieval.errors import SamenessArtefactInvalid

ARTEFACT = Path(__file__).parent / "models" / "sameness.safetensors"
FORMAT = "errata-sameness-1"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How a question stands to the known wordings of another, the subject masked in both.

    close   cosine to the closest wording, after the map
    plain   the same before the map
    margin  how much closer that wording is than the closest of the common relations; at most about 0 for another relation
    """

    close: float
    plain: float
    margin: float


@dataclass(frozen=True, slots=True)
class SamenessMap:
    """A square map that draws wordings of one relation together, and the centre of each common relation under it.

    Learnt from questions whose subject is masked, so it knows what is asked and nothing of whom. Bound to one embedder.
    The weights are those of whoever decides by it.
    """

    embedder: str
    change: Vectors
    centres: Vectors
    weights: Mapping[str, float]

    @classmethod
    def load(cls, path: Path | None = None) -> "SamenessMap":
        """The shipped map, or the one in this file. Raises SamenessArtefactInvalid."""
        from safetensors import SafetensorError, safe_open

        path = path or ARTEFACT
        try:
            with safe_open(path, framework="np") as file:
                metadata = file.metadata() or {}
                change, centres = (file.get_tensor(name).astype(np.float32) for name in ("change", "centres"))
        except (OSError, SafetensorError) as error:
            raise SamenessArtefactInvalid(
                f"cannot read the map {path.name!r} ({error}): make one with 'errata router train-cards'"
            ) from error
        if metadata.get("format") != FORMAT:
            raise SamenessArtefactInvalid(f"{path.name!r} has format {metadata.get('format')!r}, expected {FORMAT!r}")
        return cls(metadata["embedder"], change, centres, json.loads(metadata["weights"]))

    def likeness(self, asked: Vectors, known: Vectors) -> Likeness:
        """How the vector `asked` (dimension,) stands to the wordings `known` (n, dimension)."""
        mapped = self.mapped(np.concatenate([asked[None], known]))
        close = float((mapped[1:] @ mapped[0]).max())
        return Likeness(close, float((known @ asked).max()), close - float((self.centres @ mapped[0]).max()))

    def mapped(self, vectors: Vectors) -> Vectors:
        """The vectors under the map, of unit length again."""
        return unit(vectors + vectors @ self.change)


def unit(vectors: Vectors) -> Vectors:
    """Rows of length one."""
    lengths: Vectors = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9).astype(np.float32)
    rows: Vectors = vectors / lengths
    return rows
