"""Verifies a log from its format alone: shares no code with what wrote it, and names the first bad entry.

The format: entries numbered from 1, canonical JSON whose "n" is its number; leaf SHA-256(0x00 ‖ entry), node
SHA-256(0x01 ‖ left ‖ right) (RFC 6962); heads as C2SP tlog-checkpoint notes signed with Ed25519. It reads a live
database, a backup, or an exported JSON Lines file (one entry a line), and any checkpoint folders or files.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from governance.audit_proofs import EMPTY, Head, Tree, key_beside, no_note_in, open_note

PROGRESS_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not agree. `entry` is the first entry concerned, None if it is not about one."""

    entry: int | None
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `trusted_key` is False when the key came from beside the checkpoints it verifies."""

    size: int
    root: str
    heads: int
    newest_head: int
    trusted_key: bool
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing disagrees."""
        return not self.problems

    @property
    def unsigned(self) -> int:
        """How many entries come after the newest head; in a live log they will be signed within a second."""
        return max(0, self.size - self.newest_head)

    @property
    def first_bad(self) -> int | None:
        """The lowest number among the entries concerned."""
        return min((problem.entry for problem in self.problems if problem.entry is not None), default=None)


def verify(
    *,
    database: Path | None = None,
    export: Path | None = None,
    checkpoints: Sequence[Path] = (),
    key: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Check the log in `database` or `export` against itself and against signed checkpoints.

    checkpoints   folders as Errata writes them, single notes, or JSON Lines of {"note": ...}
    key           the public key (name+hash+base64); without it the one lying beside the checkpoints is used
    progress      called with (entries done, entries in all)
    """
    problems: list[Problem] = []
    folders = [path for path in checkpoints if path.is_dir()]
    verifier = key or key_beside(checkpoints)
    heads = _heads(checkpoints, verifier, problems)
    _compare_heads(heads, problems)
    signed = [leaves for folder in folders if (leaves := _SignedLeaves.open(folder / "leaves", heads, problems))]
    _compare_leaves(signed, problems)
    source = _Database(database) if database is not None else _Export(export)
    try:
        tree, roots = _walk(source, {head.size for head in heads}, signed, problems, progress)
    finally:
        source.close()
    _compare_roots(tree, roots, heads, signed, problems)
    if database is None:
        _compare_end(tree, heads, problems)
    return Report(
        size=tree.size,
        root=tree.root().hex(),
        heads=len(heads),
        newest_head=max((head.size for head in heads), default=0),
        trusted_key=key is not None,
        problems=tuple(sorted(problems, key=lambda problem: (problem.entry is None, problem.entry or 0))),
    )


# -- reading ------------------------------------------------------------------------------------------------------


def read_only(path: Path, more: str = "") -> sqlite3.Connection:
    """The database, however its file is named, opened for reading alone."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro{more}", uri=True, isolation_level=None)


@dataclass(frozen=True, slots=True)
class _Row:
    n: int
    text: str
    stored_hash: bytes | None


class _Database:
    """The log table of a database, read in one transaction that writes nothing."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(f"no database {str(path)!r}")
        try:
            self.count = self._begin(path)
        except sqlite3.OperationalError:
            # A backup in a folder that cannot be written to: nobody changes it, so no lock file is needed.
            self._connection.close()
            self.count = self._begin(path, "&immutable=1")
        self._nodes: dict[int, sqlite3.Cursor] = {}

    def _begin(self, path: Path, more: str = "") -> int:
        self._connection = read_only(path, more)
        self._connection.text_factory = lambda raw: raw.decode(errors="replace")
        self._connection.execute("BEGIN")
        return int(self._connection.execute("SELECT COUNT(*) FROM audit_entries").fetchone()[0])

    def rows(self) -> Iterator[_Row]:
        for n, text, stored in self._connection.execute("SELECT n, entry, leaf_hash FROM audit_entries ORDER BY n"):
            yield _Row(n, text, stored)

    def next_node(self, level: int) -> tuple[int, bytes] | None:
        """Position and hash of the next stored node of a level, in order."""
        if level not in self._nodes:
            self._nodes[level] = self._connection.execute(
                "SELECT position, hash FROM audit_nodes WHERE level = ? ORDER BY position", (level,)
            )
        found: tuple[int, bytes] | None = self._nodes[level].fetchone()
        return found

    def nodes(self) -> int:
        """How many nodes are stored, on all levels."""
        return int(self._connection.execute("SELECT COUNT(*) FROM audit_nodes").fetchone()[0])

    def close(self) -> None:
        self._connection.close()


class _Export:
    """A JSON Lines file with one entry a line, in order."""

    def __init__(self, path: Path | None) -> None:
        if path is None:
            raise ValueError("nothing to verify: give a database or an export")
        self._path = path
        with path.open("rb") as file:
            self.count = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))

    def rows(self) -> Iterator[_Row]:
        with self._path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                yield _Row(number, line.removesuffix("\n"), None)

    def close(self) -> None:
        """Nothing is held open."""


class _SignedLeaves:
    """The leaf hashes beside a folder's checkpoints, believed as far as a signed root covers them."""

    def __init__(self, path: Path, covered: int) -> None:
        self.path, self.covered = path, covered
        self._data = path.read_bytes()

    @classmethod
    def open(cls, path: Path, heads: Iterable[Head], problems: list[Problem]) -> "_SignedLeaves | None":
        if not path.exists():
            return None
        own = {head.size: head.root for head in heads if Path(head.source).parent == path.parent}
        found = cls(path, 0)
        tree = Tree()
        for index in range(len(found._data) // 32):
            tree.add(found.hash(index))
            if tree.size in own:
                if tree.root() != own[tree.size]:
                    message = f"{str(path)!r} does not have the root signed for {tree.size} entries: it was changed"
                    problems.append(Problem(None, "leaves", message))
                    break
                found.covered = tree.size
        return found if found.covered else None

    def hash(self, index: int) -> bytes:
        return self._data[32 * index : 32 * index + 32]


# -- checking -----------------------------------------------------------------------------------------------------


def _walk(
    source: _Database | _Export,
    sizes: set[int],
    signed: Sequence[_SignedLeaves],
    problems: list[Problem],
    progress: Callable[[int, int], None] | None,
) -> tuple[Tree, dict[int, bytes]]:
    """Read every entry once; returns the tree and its roots at the sizes asked for. Stops at a gap."""
    tree, roots, nodes = Tree(), {0: EMPTY}, 0
    stored = source if isinstance(source, _Database) else None
    for row in source.rows():
        expected = tree.size + 1
        if row.n != expected:
            problems.append(Problem(expected, "deleted", f"entry {expected} is missing: the next one is {row.n}"))
            break
        leaf = hashlib.sha256(b"\x00" + row.text.encode()).digest()
        if problem := _entry_problem(row, expected, leaf, signed):
            problems.append(problem)
        for level, node in tree.add(leaf):
            nodes += 1
            if stored and stored.next_node(level) != ((expected >> level) - 1, node):
                stored = None
                message = (
                    f"the stored tree node over entries up to {expected} (level {level}) is wrong: proofs would fail"
                )
                problems.append(Problem(expected, "tree", message))
        if tree.size in sizes:
            roots[tree.size] = tree.root()
        if progress and tree.size % PROGRESS_EVERY == 0:
            progress(tree.size, source.count)
    if stored and not problems and stored.nodes() != nodes:
        message = "the stored tree has nodes that no entry completes: the entry that does could not be written"
        problems.append(Problem(None, "tree", message))
    if progress:
        progress(tree.size, source.count)
    return tree, roots


def _entry_problem(row: _Row, expected: int, leaf: bytes, signed: Sequence[_SignedLeaves]) -> Problem | None:
    rewritten = any(expected <= leaves.covered and leaves.hash(expected - 1) != leaf for leaves in signed)
    try:
        data = json.loads(row.text)
        number = data.get("n") if isinstance(data, dict) else None
        canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    except (ValueError, RecursionError):
        return Problem(expected, "changed", f"entry {expected} is not JSON: it was changed")
    if row.stored_hash is not None and row.stored_hash != leaf:
        return Problem(expected, "changed", f"entry {expected} was changed: its text no longer has its stored hash")
    if type(number) is not int or number != expected:
        return Problem(expected, "reordered", f"entry {expected} says it is number {number!r}: reordered or deleted")
    if canonical != row.text:
        return Problem(expected, "changed", f"entry {expected} is not canonical JSON: it was changed")
    if rewritten:
        return Problem(expected, "rewritten", f"entry {expected} is not the one that was signed: it was rewritten")
    return None


def _compare_roots(
    tree: Tree,
    roots: dict[int, bytes],
    heads: Sequence[Head],
    signed: Sequence[_SignedLeaves],
    problems: list[Problem],
) -> None:
    """The tree against every signed head."""
    ordered = sorted(heads, key=lambda head: head.size)
    beyond = [head for head in ordered if head.size > tree.size]
    if beyond and not any(problem.kind == "deleted" for problem in problems):
        n, last = tree.size + 1, beyond[-1]
        message = f"the log ends at {tree.size}, but {last.size} entries were signed ({last.source}): truncated at {n}"
        problems.append(Problem(n, "truncated", message))
    agreed = 0
    for head in ordered:
        if head.size > tree.size:
            break
        if roots[head.size] != head.root:
            if not any(problem.entry is not None and problem.entry <= head.size for problem in problems):
                message = (
                    f"the first {head.size} entries do not have the root signed in {head.source}:"
                    f" one of the entries {agreed + 1} to {head.size} was rewritten"
                )
                problems.append(Problem(agreed + 1, "rewritten", message))
            break
        agreed = head.size


def _compare_end(tree: Tree, heads: Sequence[Head], problems: list[Problem]) -> None:
    """An export ends where it was signed; what stands behind that may be anybody's."""
    last = max((head.size for head in heads), default=tree.size)
    if not tree.size:
        problems.append(Problem(None, "empty", "the export holds no entry: no log is without one"))
    if tree.size > last:
        message = f"entries {last + 1} to {tree.size} are signed by no checkpoint: they may have been appended"
        problems.append(Problem(last + 1, "unsigned", message))


def _compare_heads(heads: Sequence[Head], problems: list[Problem]) -> None:
    """Two heads of one size with different roots are a fork, whatever the log says."""
    seen: dict[int, Head] = {}
    for head in sorted(heads, key=lambda head: head.size):
        other = seen.setdefault(head.size, head)
        if other.root != head.root:
            message = f"two logs of {head.size} entries were signed ({other.source} and {head.source}): forked"
            problems.append(Problem(None, "forked", message))


def _compare_leaves(signed: Sequence[_SignedLeaves], problems: list[Problem]) -> None:
    """The leaf hashes of two folders: where they part, the log was forked."""
    for other in signed[1:]:
        first = signed[0]
        for index in range(min(first.covered, other.covered)):
            if first.hash(index) != other.hash(index):
                message = (
                    f"{first.path.parent} and {other.path.parent} part at entry {index + 1}: the log was forked there"
                )
                problems.append(Problem(index + 1, "forked", message))
                break


def _heads(paths: Sequence[Path], key: str | None, problems: list[Problem]) -> list[Head]:
    heads: dict[tuple[int, bytes, str], Head] = {}
    for source, note in _notes(paths, problems):
        if key is None:
            problems.append(Problem(None, "key", f"{source}: there is no public key to verify it with"))
            continue
        try:
            head = open_note(note, key)
        except ValueError as error:
            problems.append(Problem(None, "signature", f"checkpoint in {source} is refused: {error}"))
        else:
            heads.setdefault((head.size, head.root, source), Head(head.origin, head.size, head.root, source))
    return list(heads.values())


def _notes(paths: Sequence[Path], problems: list[Problem]) -> Iterator[tuple[str, str]]:
    for path in paths:
        names = (path / "checkpoints.jsonl", path / "checkpoint") if path.is_dir() else (path,)
        if not (files := [file for file in names if file.exists()]):
            problems.append(Problem(None, "checkpoint", no_note_in(path)))
        for file in files:
            text = file.read_text(encoding="utf-8", errors="replace")
            if not text.startswith("{"):
                yield str(file), text
                continue
            for line in text.splitlines():
                try:
                    data = json.loads(line)
                except (ValueError, RecursionError):
                    continue  # cut off by a full disk or a power cut: what it said is signed again in the next one
                yield str(file), str(data["note"]) if isinstance(data, dict) and "note" in data else line
