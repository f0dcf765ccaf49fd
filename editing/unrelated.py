"""What every gate asks beside the edits: plain questions with known answers, and ordinary text for perplexity."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from editing.facts import Probe


@dataclass(frozen=True, slots=True)
class Controls:
    """Questions whose answers must stay, and texts whose perplexity must not rise."""

    probes: tuple[Probe, ...]
    texts: tuple[str, ...]


def load_controls(path: Path | None = None) -> Controls:
    """From a file of the same layout, else the shipped one."""
    read = tomllib.loads((path or Path(__file__).with_suffix(".toml")).read_text(encoding="utf-8"))
    probes = tuple(Probe(row["question"], row["answer"]) for row in read["probes"])
    return Controls(probes, tuple(" ".join(text.split()) for text in read["text"]))
