"""The proof of an entry is recomputed, and nothing but the true one is accepted."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.inclusion import Checkpoint, leaf_hash, root_from


def tree(hashes):
    """The root as RFC 6962, section 2.1, defines it."""
    if len(hashes) <= 1:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree(hashes[:k]) + tree(hashes[k:])).digest()


def path(index, hashes):
    """The proof as RFC 6962, section 2.1.1, defines it."""
    if len(hashes) <= 1:
        return []
    k = 1 << (len(hashes) - 1).bit_length() - 1
    if index < k:
        return [*path(index, hashes[:k]), tree(hashes[k:])]
    return [*path(index - k, hashes[k:]), tree(hashes[:k])]


@given(st.integers(1, 70), st.data())
def test_every_entry_of_every_log_is_proved(size, data):
    leaves = [leaf_hash(str(n).encode()) for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    assert root_from(leaves[index], index=index, size=size, path=path(index, leaves)) == tree(leaves)


@given(st.integers(2, 40), st.data())
def test_a_proof_of_another_place_leads_elsewhere(size, data):
    leaves = [leaf_hash(str(n).encode()) for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
    try:
        reached = root_from(leaves[index], index=other, size=size, path=path(index, leaves))
    except ValueError:
        return
    assert reached != tree(leaves)


def test_the_hashes_of_rfc_6962():
    """Vectors of transparency-dev/merkle: the empty leaf and the tree of its first two entries."""
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    second = leaf_hash(b"\x00")
    root = root_from(leaf_hash(b""), index=0, size=2, path=[second])
    assert root.hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"


@pytest.mark.parametrize(("index", "size", "length"), [(2, 2, 1), (0, 2, 0), (0, 2, 2), (0, 1, 1)])
def test_proofs_of_a_wrong_length_are_refused(index, size, length):
    with pytest.raises(ValueError, match=r"proof is|no entry"):
        root_from(b"x" * 32, index=index, size=size, path=[b"y" * 32] * length)


@pytest.mark.parametrize("text", ["", "origin\nmany\nAAAA\n", "origin\n3\n???\n"])
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(ValueError, match=r"checkpoint|base64"):
        Checkpoint.read(text)
