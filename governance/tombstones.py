"""What was erased, by id, in a file outside the database: replayed after a restore from an older backup."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from governance.errors import LogError
from governance.lines import append_lines
from governance.times import now, to_text

KINDS = ("owner", "text", "account", "version", "correction", "conversation", "document", "operator", "kept")


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One thing that must not come back. `kind` is one of KINDS, `id` a random id that says nothing by itself; of the kind
    "kept", the id of what must not go with an account, a space, and that account's."""

    kind: str
    id: str


class Tombstones:
    """An append-only file of ids. A line is written before the erasure is committed: erasing twice does no harm."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, stones: Iterable[Tombstone]) -> None:
        """Write the ids down, on disk when this returns."""
        lines = [
            json.dumps({"at": to_text(now()), "kind": stone.kind, "id": stone.id})
            for stone in stones
            if stone.kind in KINDS
        ]
        if lines:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append_lines(self.path, lines)

    def __iter__(self) -> Iterator[Tombstone]:
        """Raises LogError if the file is no text: what was erased would come back."""
        if not self.path.exists():
            return
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise LogError(
                f"{str(self.path)!r} is damaged ({error.reason} at byte {error.start}): put a copy of it back; it names what"
                " was erased, and what was erased since the backup would come back without it"
            ) from error
        for line in lines:
            try:
                data = json.loads(line)
                yield Tombstone(str(data["kind"]), str(data["id"]))
            except (ValueError, KeyError, TypeError):
                continue  # a line that was left half written was never followed by its erasure
