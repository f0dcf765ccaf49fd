"""What every gate asks beside the edits: questions with known answers, and ordinary text for perplexity."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from editing.facts import Probe
from editing.questions.neighbours import neighbours_of
from editing.questions.relations import relations


@dataclass(frozen=True, slots=True)
class Controls:
    """Questions whose answers must stay, and texts whose perplexity must not rise."""

    probes: tuple[Probe, ...]
    texts: tuple[str, ...]


def load_controls() -> Controls:
    """The shipped plain questions and texts, and a well-known fact of each relation."""
    read = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    plain = [Probe(row["question"], row["answer"]) for row in read["probes"]]
    known = [probe for relation in relations().values() for probe in neighbours_of(relation, avoid=())[:1]]
    probes = {probe.question: probe for probe in (*plain, *known)}
    return Controls(tuple(probes.values()), tuple(" ".join(text.split()) for text in read["text"]))
