"""Checking that an entry is in the log: RFC 6962 hashing over a proof, so that the page need not take the gateway's word."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The signed statement about the log: how long it is and what its root hash is."""

    size: int
    root: bytes

    @classmethod
    def read(cls, text: str) -> "Checkpoint":
        """From the C2SP tlog-checkpoint text. Raises ValueError if it is none."""
        lines = text.split("\n")
        if len(lines) < 3 or not lines[1].isdigit():
            raise ValueError(f"not a checkpoint: {text[:80]!r}")
        try:
            return cls(int(lines[1]), base64.b64decode(lines[2], validate=True))
        except binascii.Error as error:
            raise ValueError(f"the root hash {lines[2]!r} is not base64") from error


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def root_from(leaf: bytes, *, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that `path` leads to from the leaf at `index` (from 0) of a tree of `size` leaves.

    RFC 9162, section 2.1.3.2 (the hashing of RFC 6962). Raises ValueError if the path has the wrong length.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no entry {index} in a log of {size}")
    node, fn, sn = leaf, index, size - 1
    for sibling in path:
        if sn == 0:
            raise ValueError("the proof is longer than the tree is high")
        if fn & 1 or fn == sn:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ValueError("the proof is shorter than the tree is high")
    return node
