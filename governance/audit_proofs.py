"""Checks RFC 6962 proofs and signed checkpoints from their published formats, with nothing of what wrote them."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

EMPTY = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class Head:
    """A signed checkpoint: that a log of this size had this root."""

    origin: str
    size: int
    root: bytes
    source: str


@dataclass(slots=True)
class Tree:
    """A Merkle tree that keeps only its peaks: (level, hash), left to right."""

    size: int = 0
    peaks: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, leaf: bytes) -> list[tuple[int, bytes]]:
        """Add a leaf hash; returns the inner nodes this completed, lowest first."""
        made: list[tuple[int, bytes]] = []
        level, current = 0, leaf
        while self.peaks and self.peaks[-1][0] == level:
            current = _node(self.peaks.pop()[1], current)
            level += 1
            made.append((level, current))
        self.peaks.append((level, current))
        self.size += 1
        return made

    def root(self) -> bytes:
        """The Merkle tree hash."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            root = _node(peak, root)
        return root


def verify_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the audit path leads from leaf hash `index` (from 0) to the root: RFC 9162, 2.1.3.2."""
    if not 0 <= index < size:
        return False
    position, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            current = _node(sibling, current)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            current = _node(current, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and current == root


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the old tree is a prefix of the new one: RFC 9162, 2.1.4.2."""
    if old_size == new_size:
        return not proof and old_root == new_root
    if not 0 <= old_size < new_size:
        return False
    if old_size == 0:
        return not proof and old_root == EMPTY
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = _node(sibling, old), _node(sibling, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = _node(new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def open_note(note: str, key: str) -> Head:
    """The head in a signed checkpoint. Raises ValueError if the note is malformed or not signed by this key."""
    text, separator, signatures = note.rpartition("\n\n")
    if not separator:
        raise ValueError("it has no signature")
    text += "\n"
    name, key_hash, encoded = split_key(key)
    for line in signatures.splitlines():
        dash, _, rest = line.partition(" ")
        signer, _, signature = rest.partition(" ")
        raw = _unbase64(signature)
        if dash != "—" or signer != name or raw[:4] != key_hash:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(encoded).verify(raw[4:], text.encode())
        except InvalidSignature:
            raise ValueError(f"the signature of {name} does not verify") from None
        origin, size, root = [*text.split("\n"), "", ""][:3]
        if not size.isdecimal() or str(int(size)) != size or len(_unbase64(root)) != 32 or origin != name:
            raise ValueError("its text is no checkpoint")
        return Head(origin, int(size), _unbase64(root), "")
    raise ValueError(f"it is not signed by {name}")


def no_note_in(path: Path) -> str:
    """What is said of a place that is to hold signed checkpoints and has none."""
    return (
        f"there is no signed checkpoint in {str(path)!r}: mount it or bring it back if it held some; if it was named only"
        " now, the next `errata serve`, or any command that writes, signs the first"
    )


def key_beside(paths: Sequence[Path]) -> str | None:
    """The public key that lies in one of these folders, or beside one of these files."""
    for path in paths:
        for beside in (path / "key", path.parent / "key", path.parent / f"{path.stem}.key"):
            if beside.is_file():
                return beside.read_text(encoding="utf-8", errors="replace").strip()
    return None


def split_key(key: str) -> tuple[str, bytes, bytes]:
    """Name, hash and the public key itself. Raises ValueError if it is no verifier key."""
    name, _, rest = key.strip().partition("+")
    key_hash, _, encoded = rest.partition("+")
    public = _unbase64(encoded)
    if not name or len(public) != 33 or public[0] != 1:
        raise ValueError(f"{key!r} is no Ed25519 verifier key: it reads name+hash+base64")
    expected = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
    if expected.hex() != key_hash:
        raise ValueError(f"{key!r} has the wrong key hash")
    return name, expected, public[1:]


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
