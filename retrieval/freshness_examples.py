"""Questions of which it is known whether their answers change, read from files."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import BenchInputInvalid
from retrieval.freshness import RECENCY_LABELS


@dataclass(frozen=True, slots=True)
class Example:
    """A question with what is known of it: evergreen or not, how often it changes, or both."""

    question: str
    evergreen: int | None = None
    recency: int | None = None


def read_evergreen(path: Path) -> list[Example]:
    """Rows of a CSV with the columns `question,is_evergreen`. Raises BenchInputInvalid."""
    reader = csv.DictReader(StringIO(read_text(path), newline=""))
    try:
        if not {"question", "is_evergreen"} <= set(reader.fieldnames or ()):
            raise BenchInputInvalid(
                f"{path.name!r} has the columns {reader.fieldnames}: question,is_evergreen are needed"
            )
        examples = [_labelled(row, f"line {reader.line_num} of {path.name!r}") for row in reader]
    except csv.Error as error:
        raise BenchInputInvalid(f"line {reader.line_num} of {path.name!r} is no CSV ({error}): save it anew") from error
    return _some(examples, path)


def _labelled(row: Mapping[str, str | None], place: str) -> Example:
    question, label = row["question"], row["is_evergreen"]
    if not question or not question.strip():
        raise BenchInputInvalid(f"{place} has no question: every row needs one")
    if label is None or label.strip() not in ("0", "1"):
        found = "no label" if label is None else f"the label {label!r}"
        raise BenchInputInvalid(f"{place} has {found}: is_evergreen is 1 if the answer almost never changes, else 0")
    return Example(question, evergreen=int(label))


def read_recency(path: Path) -> list[Example]:
    """Rows of a JSON Lines file with `question, recency`. Raises BenchInputInvalid."""
    examples = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            label = RECENCY_LABELS.index(row["recency"])
            examples.append(Example(str(row["question"]), evergreen=_evergreen(label), recency=label))
        except (ValueError, KeyError, TypeError) as error:
            raise BenchInputInvalid(
                f"line {number} of {path.name!r} is no row of question and recency ({error}): "
                f"recency is one of {', '.join(RECENCY_LABELS)}"
            ) from error
    return _some(examples, path)


def read_text(path: Path) -> str:
    """The text of a file, without the mark that some editors put before it. Raises BenchInputInvalid."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BenchInputInvalid(
            f"{path.name!r} is no UTF-8 text ({error.reason} at byte {error.start}): save it as UTF-8"
        ) from None


def _some(examples: list[Example], path: Path) -> list[Example]:
    if not examples:
        raise BenchInputInvalid(f"{path.name!r} holds no questions: give one a line")
    return examples


def _evergreen(label: int) -> int | None:
    """Never is evergreen, up to a few years is not; many years can be read either way."""
    return {len(RECENCY_LABELS) - 1: 1, len(RECENCY_LABELS) - 2: None}.get(label, 0)


def labels_of(examples: Sequence[Example]) -> NDArray[np.int64]:
    """1 for evergreen, 0 for not; an example without the label counts as not."""
    return np.array([example.evergreen or 0 for example in examples], dtype=np.int64)
