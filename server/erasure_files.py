"""What lies on disk beside the database: the files that name a person, and those that an erasure deletes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from governance.backup import discard_unfinished
from governance.requests import Subject
from governance.residual import reveals
from governance.traces import is_within_a_word
from server.parts import PARTS, lock_of
from server.prepare import EMBEDDED_NAME
from server.settings import EMBEDDED, Settings

SQLITE = b"SQLite format 3\x00"  # a backup: its copies are named in the certificate, and a restore erases them again
BLOCK = 8_000_000
LONGEST_LETTER = 12  # bytes: a letter and its accent, as JSON escapes them
CUT = "\u01c0"  # a letter that nobody writes, where a word may go on
SETTLED_S = 600.0  # an upload that is still being read is younger


@dataclass(frozen=True, slots=True)
class FoundFile:
    """`ref` says nothing by itself: a file's name may hold a person's."""

    ref: str
    path: Path


class ErasureFiles:
    """The data folder without the database, the keys, the signed checkpoints, models, the policy, the locks, and what is
    computed: artefacts, versions, the compiled code of the engine. None of these holds a name as text, and most of them
    hold any three letters."""

    def __init__(self, settings: Settings) -> None:
        self._root, self._database, self._engine = settings.data_dir, settings.database_path, settings.engine_dir
        self._artefacts, self._versions = settings.artefacts_dir, settings.versions_dir
        apart = [settings.keys_dir, settings.data_dir / "checkpoints", self._engine / "cache"]
        given = [path for path in (settings.checkpoint_dir, settings.policy, *_models(settings)) if path]
        # Only what lies inside: a folder around the data folder would hide all of it.
        apart += [path for path in given if settings.data_dir in path.parents]
        locks = (lock_of(settings.data_dir, part) for part in PARTS)
        self._apart = (*apart, *locks, self._artefacts, self._versions)

    def naming(self, needles: Sequence[str]) -> list[FoundFile]:
        """Every file whose name or content holds one of the needles, however it is written there."""
        return [
            found
            for found in self.all()
            if needles and any(reveals(text, needles) for text in _texts(found.path, needles))
        ]

    def is_within_a_word(self, found: FoundFile, subject: Subject) -> bool:
        """Whether this file holds the person's names only inside longer words."""
        return all(is_within_a_word(text, subject) for text in _texts(found.path, subject.needles))

    def all(self) -> Iterator[FoundFile]:
        for path in sorted(self._root.rglob("*")):
            if path.name.startswith(self._database.name) or any(path.is_relative_to(folder) for folder in self._apart):
                continue
            if path.is_file() and not path.is_symlink() and path.suffix != ".safetensors":
                name = str(path.relative_to(self._root)).encode()
                yield FoundFile(f"fil_{hashlib.sha256(name).hexdigest()[:24]}", path)

    def delete(self, refs: Iterable[str]) -> int:
        """Empty and remove these files; a process that still writes into one starts from nothing."""
        wanted, gone = set(refs), 0
        for found in list(self.all()):
            if found.ref in wanted:
                with contextlib.suppress(OSError):
                    found.path.open("r+b").truncate(0)
                found.path.unlink(missing_ok=True)
                gone += 1
        return gone

    def delete_temporary(self) -> int:
        """Uploads, previews and the like, once nobody can be reading them any more; what a killed restore left."""
        gone, before = 0, time.time() - SETTLED_S
        discard_unfinished(self._database)
        for folder in (self._root / "tmp", self._engine / "tmp", self._root / "previews"):
            for path in sorted(folder.rglob("*"), reverse=True):
                if path.is_file() and path.stat().st_mtime < before:
                    path.unlink(missing_ok=True)
                    gone += 1
        return gone

    def delete_artefacts(self, corrections: Iterable[str]) -> int:
        """What was computed for these edits: it holds their wordings as tokens."""
        erased, gone = set(corrections), set()
        for described in self._artefacts.glob("*.json"):
            try:
                facts = set(json.loads(described.read_text())["fact_ids"])
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if facts & erased:
                described.with_suffix(".safetensors").unlink(missing_ok=True)
                described.unlink(missing_ok=True)
                gone.add(described.stem)
        for request in self._artefacts.glob("*.request"):
            with contextlib.suppress(FileNotFoundError):  # another process was as quick
                if request.read_text() in gone:
                    request.unlink()
        return len(gone)

    def delete_version(self, version_id: str) -> None:
        """The tensors of a purged version."""
        shutil.rmtree(self._versions / version_id, ignore_errors=True)


def _models(settings: Settings) -> list[Path]:
    """Where models, the embedder and their statistics lie, or would. What is prepared is named by itself as well, for a
    `model_dir` that is the data folder."""
    fetched = settings.model.replace("/", "--")
    prepared = [settings.model_dir / name for name in ("", EMBEDDED_NAME, fetched, "hashes.json")]
    local = [name for name in (settings.model, settings.embedder) if name != EMBEDDED]
    return [*prepared, settings.statistics_dir, *(Path(name).expanduser().resolve() for name in local)]


def _texts(path: Path, needles: Sequence[str]) -> Iterator[str]:
    """The file's name, then what is in it, in pieces that overlap by the longest needle; nothing of what cannot be read."""
    yield path.name
    overlap = (max(map(len, needles)) + 1) * LONGEST_LETTER
    with contextlib.suppress(OSError), path.open("rb") as file:
        tail, block = b"", file.read(BLOCK)
        if block.startswith(SQLITE):
            return
        while block:
            ahead = file.read(BLOCK)
            # Bytes that are no text are dropped by the decoding; what is looked for is text.
            text = (tail + block).decode(errors="ignore")
            yield f"{CUT if tail else ''}{text}{CUT if ahead else ''}"
            tail, block = (tail + block)[-overlap:], ahead
