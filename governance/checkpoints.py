"""Signed checkpoints in files outside the database, with the leaf hashes they cover."""

import base64
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from governance.audit import Log
from governance.errors import LogError
from governance.lines import append_lines
from governance.notes import Signer
from governance.times import now, to_text

LATEST = "checkpoint"
HISTORY = "checkpoints.jsonl"
LEAVES = "leaves"
KEY = "key"
HASH_BYTES = 32
PAGE = 10_000


class Checkpoints:
    """Writes into each folder: `checkpoint` (the newest note), `checkpoints.jsonl` (all of them), `leaves` (32 bytes
    per entry, so that a rewritten entry can be named) and `key` (the public key).

    A log that contradicts the newest note of a folder is not signed again: that would be a fork. Whoever gives a signed
    checkpoint away takes it from `sign`.
    """

    def __init__(self, log: Log, signer: Signer, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)
        self._log = log
        self._signer = signer
        self._written = -1

    @property
    def key(self) -> str:
        """The public key that the notes are signed with."""
        return self._signer.verifier_key

    def sign(self) -> str:
        """The signed head of the log as it is now, written nowhere.

        Raises LogError if the log is not an extension of what was signed in every folder before, or a note there is damaged.
        """
        size = self._log.size()
        for folder in self.folders:
            self._extends(folder, size)
        return self._log.checkpoint(self._signer, size)

    def write(self) -> str | None:
        """Sign the log as it is now if it has grown; returns the note, or None when there was nothing new.

        Call it once a second and at exit. Every folder is tried, then the first error is raised: LogError if the log is
        not an extension of what was signed there before or its note is damaged, OSError, naming the folder, if it cannot
        be written to.
        """
        size = self._log.size()
        if size == self._written:
            return None
        # No snapshot: the first `size` entries never change, and another process may have signed more meanwhile.
        note = self._log.checkpoint(self._signer, size)
        errors: list[Exception] = []
        for folder in self.folders:
            try:
                self._write_folder(folder, size, note)
            except LogError as error:
                errors.append(error)
            except OSError as error:
                errors.append(OSError(error.errno, error.strerror or str(error), str(folder)))
        if errors:
            raise errors[0]
        self._written = size
        return note

    def contradict(self, other: Log) -> bool:
        """Whether the newest note of some folder was signed for this log, of which the other one is no part and no
        continuation."""
        for path in (folder / LATEST for folder in self.folders):
            with suppress(FileNotFoundError, LogError):  # one that is missing or damaged says nothing
                signed, root = _head_of(path)
                both = min(signed, other.size())
                is_signed = signed <= self._log.size() and self._log.root(signed) == root
                if is_signed and self._log.root(both) != other.root(both):
                    return True
        return False

    def set_aside(self) -> tuple[Path, ...]:
        """Move the notes of a log that is lost (a restore without its later entries) into a folder of their own.

        They stay as evidence of what had been signed. Returns the new folders.
        """
        aside: list[Path] = []
        for folder in self.folders:
            if not folder.exists():
                continue
            with _locked(folder / ".lock"):
                found = [folder / name for name in (LATEST, HISTORY, LEAVES, KEY) if (folder / name).exists()]
                if found:
                    target = folder / f"before-{to_text(now()).replace(':', '')}"
                    target.mkdir()
                    for path in found:
                        path.rename(target / path.name)
                    aside.append(target)
        self._written = -1
        return tuple(aside)

    def _write_folder(self, folder: Path, size: int, note: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / ".lock"):
            if not self._extends(folder, size):
                return
            self._append_leaves(folder / LEAVES, size)
            append_lines(folder / HISTORY, [json.dumps({"at": to_text(now()), "note": note}, ensure_ascii=False)])
            _replace(folder / KEY, self._signer.verifier_key + "\n")
            _replace(folder / LATEST, note)

    def _extends(self, folder: Path, size: int) -> bool:
        """False if this much was signed already. Raises LogError if the log contradicts the folder's newest note, or that
        note is damaged."""
        path = folder / LATEST
        if not path.exists():
            return True
        signed, root = _head_of(path)
        if signed > self._log.size():
            raise LogError(
                f"{str(path)!r} covers {signed} entries, the log has {size}: some were lost; run `errata audit verify`"
            )
        if self._log.root(signed) != root:
            raise LogError(
                f"the log is not the one that {str(path)!r} was signed for: it was rewritten; run `errata audit verify`"
            )
        return signed < size

    def _append_leaves(self, path: Path, size: int) -> None:
        done = path.stat().st_size // HASH_BYTES if path.exists() else 0
        with path.open("r+b" if path.exists() else "w+b") as file:
            # A write that was cut off may have left part of a hash.
            file.truncate(done * HASH_BYTES)
            file.seek(0, os.SEEK_END)
            while done < size:
                hashes = [entry.leaf_hash for entry in self._log.entries(done, min(PAGE, size - done))]
                file.write(b"".join(hashes))
                done += len(hashes)
            file.flush()
            os.fsync(file.fileno())


def _head_of(path: Path) -> tuple[int, bytes]:
    """Size and root of a note. Raises LogError if it is none."""
    try:
        _, size, encoded = path.read_text(encoding="utf-8").split("\n")[:3]
        root = base64.b64decode(encoded, validate=True)
        if not size.isdecimal() or len(root) != HASH_BYTES:
            raise ValueError(f"no head of a log: {size!r}, {encoded!r}")
        return int(size), root
    except ValueError as error:
        raise LogError(
            f"{str(path)!r} is empty or damaged: run `errata audit verify`, which holds the log against {HISTORY!r} beside"
            " it; if nothing else is wrong, delete the file, and it is written anew"
        ) from error


def _replace(path: Path, text: str) -> None:
    """Write the whole file or leave the old one."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer per folder among all processes."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
