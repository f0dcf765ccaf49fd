"""The hashing of RFC 6962: leaves, nodes, and which nodes make a root or a proof."""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

EMPTY_ROOT = hashlib.sha256(b"").digest()

Node: TypeAlias = tuple[int, int]
"""(level, position): the perfect subtree over leaves position·2^level to (position+1)·2^level, counted from 0."""

Range: TypeAlias = tuple[int, int]
"""Leaves from the first number up to, not including, the second."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def completed_by(index: int) -> list[Node]:
    """The inner nodes that become complete when leaf `index` (from 0) is appended, lowest first."""
    nodes: list[Node] = []
    level = 0
    while index & 1:
        index >>= 1
        level += 1
        nodes.append((level, index))
    return nodes


def cover(start: int, end: int) -> list[Node]:
    """The perfect subtrees, left to right, whose fold from the right is the hash of leaves start to end.

    `start` must be a multiple of the largest power of two in the range, as it is everywhere in RFC 6962.
    """
    nodes: list[Node] = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees given left to right; the empty tree's root for none."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The leaf ranges whose hashes are the audit path of leaf `index` (from 0): RFC 6962, 2.1.1, leaf upwards."""
    path: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The leaf ranges whose hashes prove that the tree of `old` leaves is a prefix of that of `new`: 2.1.2."""
    if old in (0, new):
        return []
    path: list[Range] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, whole = middle, False
    if not whole:
        path.append((start, end))
    return path[::-1]


def range_hash(hash_of: Callable[[Node], bytes], start: int, end: int) -> bytes:
    """The hash of leaves start to end, from the stored perfect subtrees."""
    return fold([hash_of(node) for node in cover(start, end)])


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (count > 1)."""
    return 1 << ((count - 1).bit_length() - 1)
