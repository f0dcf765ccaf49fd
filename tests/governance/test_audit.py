"""The log's tree: against published vectors, and proofs of every size against an independent verifier."""

import base64
import hashlib
import os
import sqlite3
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance import merkle
from governance.audit import Log, canonical
from governance.audit_proofs import Tree, open_note, verify_consistency, verify_inclusion
from governance.errors import LogError, NotFound
from governance.notes import Signer, checkpoint_text
from governance.store import Store

# The Certificate Transparency reference log: transparency-dev/merkle, testonly/reference_data and proof/proof_test.go.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B1 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C1 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
A5 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
B3 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
B2 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = [(0, 1, []), (0, 8, [A1, B1, C1]), (5, 8, [A5, B3, ROOTS[4]]), (2, 3, [ROOTS[2]])]
CONSISTENCY = [(1, 1, []), (1, 8, [A1, B1, C1]), (6, 8, [B2, B3, ROOTS[4]]), (2, 5, [B1, A5])]


def reference_log(tmp_path, leaves=LEAVES):
    store = Store(tmp_path / "errata.db")
    store.migrate()
    log = Log(store)
    with store.transaction():
        for n, leaf in enumerate(leaves, start=1):
            # The vectors are bytes, not JSON, so they go in below the public method.
            _insert_leaf(store, n, bytes.fromhex(leaf))
    return store, log


def _insert_leaf(store, n, data):
    current = merkle.leaf_hash(data)
    store.write("INSERT INTO audit_entries (n, entry, leaf_hash) VALUES (:n, '', :hash)", n=n, hash=current)
    for level, position in merkle.completed_by(n - 1):
        left = Log(store)._hash((level - 1, 2 * position))
        current = merkle.node_hash(left, current)
        store.write("INSERT INTO audit_nodes VALUES (:level, :at, :hash)", level=level, at=position, hash=current)


def grown(tmp_path, size):
    store = Store(tmp_path / "errata.db")
    store.migrate()
    log = Log(store)
    with store.transaction():
        for number in range(size):
            log.append("test", {"value": number})
    return store, log


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(tmp_path, size):
    _, log = reference_log(tmp_path)
    assert log.root(size).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_inclusion_proofs_are_the_published_ones(tmp_path, index, size, path):
    _, log = reference_log(tmp_path)
    assert [step.hex() for step in log.inclusion_proof(index + 1, size)] == path


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(tmp_path, old, new, path):
    _, log = reference_log(tmp_path)
    assert [step.hex() for step in log.consistency_proof(old, new)] == path


def mth(leaves):
    """RFC 6962, 2.1, as it is written."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:split]) + mth(leaves[split:])).digest()


def test_every_proof_of_a_log_of_35_verifies(tmp_path):
    _, log = grown(tmp_path, 35)
    entries = [entry.text.encode() for entry in log.entries()]
    roots = [mth(entries[:size]) for size in range(36)]
    for size in range(36):
        assert log.root(size) == roots[size]
        for n in range(1, size + 1):
            proof = log.inclusion_proof(n, size)
            leaf = hashlib.sha256(b"\x00" + entries[n - 1]).digest()
            assert verify_inclusion(leaf, index=n - 1, size=size, proof=proof, root=roots[size])
            assert not verify_inclusion(leaf, index=n - 1, size=size, proof=[*proof, leaf], root=roots[size])
            assert not verify_inclusion(leaf, index=n % size, size=size, proof=proof, root=roots[size]) or size == 1
        for old in range(size + 1):
            proof = log.consistency_proof(old, size)
            sizes = {"old_size": old, "new_size": size, "old_root": roots[old], "new_root": roots[size]}
            assert verify_consistency(**sizes, proof=proof)
            if 0 < old < size:
                assert not verify_consistency(**(sizes | {"old_root": roots[size]}), proof=proof)
                assert not verify_consistency(**sizes, proof=proof[:-1])


@settings(max_examples=40, deadline=None)
@given(leaves=st.lists(st.binary(max_size=40), max_size=70))
def test_the_verifiers_tree_is_the_tree_of_the_rfc(leaves):
    tree = Tree()
    for leaf in leaves:
        tree.add(hashlib.sha256(b"\x00" + leaf).digest())
    assert tree.root() == mth(leaves)


@given(st.dictionaries(st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=20)))
def test_canonical_json_is_one_text_for_one_value(data):
    assert canonical(data) == canonical(dict(reversed(data.items())))
    assert canonical(data).isascii()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_has_no_text_for_is_not_logged(value):
    with pytest.raises(ValueError, match="JSON"):
        canonical({"value": value})


def test_an_entry_outside_a_transaction_is_refused(room):
    with pytest.raises(LogError, match="outside a transaction"):
        room.log.append("test", {})


@pytest.mark.parametrize("field", ["n", "at", "kind"])
def test_a_reserved_field_is_refused(room, field):
    with pytest.raises(LogError, match="reserved"), room.store.transaction():
        room.log.append("test", {field: 1})


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_entries SET entry = '{}' WHERE n = 1",
        "DELETE FROM audit_entries WHERE n = 1",
        "DELETE FROM audit_entries",
        "INSERT OR REPLACE INTO audit_entries VALUES (1, '{}', x'00')",
        "INSERT INTO audit_entries VALUES (999, '{}', x'00')",
        "UPDATE audit_nodes SET hash = x'00'",
        "DELETE FROM audit_nodes",
    ],
)
def test_the_tables_are_append_only(room, sql):
    before = room.entries()
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), room.store.transaction() as db:
        db.conn.execute(sql)
    assert room.entries() == before


@pytest.mark.parametrize("size", [-1, 10_000])
def test_there_is_no_tree_beyond_the_log(room, size):
    with pytest.raises(NotFound):
        room.log.root(size)
    with pytest.raises(NotFound):
        room.log.inclusion_proof(1, size)


@pytest.mark.parametrize("n", [-1, 0, 6])
def test_there_is_no_entry_and_no_proof_outside_the_log(tmp_path, n):
    _, log = grown(tmp_path, 5)
    assert log.entry(5).data["n"] == 5
    with pytest.raises(NotFound):
        log.entry(n)
    with pytest.raises(NotFound):
        log.inclusion_proof(n, 5)
    with pytest.raises(NotFound):
        log.inclusion_proof(n, min(n, 5))


@pytest.mark.parametrize(("old", "new"), [(-1, 5), (4, 3), (6, 5), (5, 6)])
def test_no_consistency_is_proved_with_a_tree_that_is_not_inside_the_other(tmp_path, old, new):
    _, log = grown(tmp_path, 5)
    with pytest.raises(NotFound):
        log.consistency_proof(old, new)


def test_a_node_that_is_gone_is_told_and_not_proved_around(tmp_path):
    store, log = grown(tmp_path, 4)
    store.db.conn.execute("DROP TRIGGER audit_nodes_no_delete")
    store.db.conn.execute("DELETE FROM audit_nodes WHERE level = 2")
    with pytest.raises(LogError, match="lacks node 0 of level 2"):
        log.root()


A, B, C, D = (bytes([letter]) * 32 for letter in b"abcd")
AB, CD = merkle.node_hash(A, B), merkle.node_hash(C, D)


@pytest.mark.parametrize(
    ("index", "size", "proof", "root"),
    [
        (0, 1, [B], merkle.node_hash(B, A)),
        (0, 4, [B], AB),
        (0, 4, [], A),
        (1, 1, [], A),
        (-1, 1, [], A),
    ],
)
def test_a_path_that_is_not_of_this_place_and_size_proves_nothing_though_it_leads_to_the_root(index, size, proof, root):
    assert not verify_inclusion(A, index=index, size=size, proof=proof, root=root)


THREE = merkle.node_hash(AB, C)
FOUR = merkle.node_hash(AB, CD)


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        ((2, AB), (2, AB), [A]),
        ((2, AB), (2, CD), []),
        ((2, AB), (1, AB), []),
        ((0, A), (2, AB), []),
        ((0, merkle.EMPTY_ROOT), (2, AB), [A]),
        ((3, THREE), (4, FOUR), []),
        ((3, THREE), (4, CD), [C, D, AB]),
        ((3, AB), (4, FOUR), [C, D, AB]),
        ((3, merkle.node_hash(A, THREE)), (4, merkle.node_hash(A, FOUR)), [C, D, AB, A]),
        ((1, A), (4, AB), [B]),
    ],
)
def test_no_log_is_taken_for_the_continuation_of_one_that_it_does_not_contain(old, new, proof):
    sizes = {"old_size": old[0], "old_root": old[1], "new_size": new[0], "new_root": new[1]}
    assert verify_consistency(old_size=3, old_root=THREE, new_size=4, new_root=FOUR, proof=[C, D, AB])
    assert not verify_consistency(**sizes, proof=proof)


ROOT_TEXT = base64.b64encode(A).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"other/log\n5\n{ROOT_TEXT}\n",
        f"errata/audit\n05\n{ROOT_TEXT}\n",
        f"errata/audit\n-5\n{ROOT_TEXT}\n",
        f"errata/audit\n٥\n{ROOT_TEXT}\n",
        f"errata/audit\n5\n{base64.b64encode(A[:31]).decode()}\n",
        f"errata/audit\n5\n!{ROOT_TEXT}\n",
        "errata/audit\n5\n",
    ],
)
def test_a_signed_text_that_is_no_head_of_this_log_is_refused(text):
    signer = Signer(b"s" * 32)
    with pytest.raises(ValueError, match="its text is no checkpoint"):
        open_note(signer.sign(text), signer.verifier_key)


def test_a_note_that_others_signed_too_opens_with_the_key_of_each():
    text = checkpoint_text("errata/audit", 5, A)
    signers = [Signer(b"o" * 32), Signer(b"w" * 32, "witness"), Signer(b"s" * 32)]
    note = text + "\n" + "".join(signer.sign(text).split("\n\n")[1] for signer in signers)
    for signer in (signers[0], signers[2]):
        assert open_note(note, signer.verifier_key).root == A


def test_a_key_of_another_algorithm_is_no_key():
    public = b"\x02" + A
    name_hash = hashlib.sha256(b"errata/audit\n" + public).digest()[:4].hex()
    with pytest.raises(ValueError, match="no Ed25519 verifier key"):
        open_note(Signer(b"s" * 32).sign("x\n"), f"errata/audit+{name_hash}+{base64.b64encode(public).decode()}")


def test_a_note_is_signed_as_the_specification_says():
    # Key and note of the example in c2sp.org/signed-note; only its text is no checkpoint.
    key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    signature = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    note = f"This is an example message.\n\n— example.com/foo {signature}\n"
    with pytest.raises(ValueError, match="its text is no checkpoint"):
        open_note(note, key)
    with pytest.raises(ValueError, match="does not verify"):
        open_note(note.replace("example message", "exbmple message"), key)


def test_a_checkpoint_is_signed_once_its_entries_would_outlive_a_power_cut(room, monkeypatch):
    synced, whole = [], os.fsync

    def fsync(file):
        synced.append((os.readlink(f"/proc/self/fd/{file}"), room.log.size()))
        whole(file)

    monkeypatch.setattr(os, "fsync", fsync)
    reader = sqlite3.connect(room.store.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute(
        "SELECT COUNT(*) FROM audit_entries"
    ).fetchone()  # an older reader keeps the journal from being emptied
    with room.store.transaction():
        room.log.append("test", {})
    room.log.checkpoint(Signer(b"k" * 32))
    reader.close()
    assert synced == [(f"{room.store.path}-wal", room.log.size())]


def test_a_checkpoint_opens_with_the_key_of_its_signer_alone(room):
    signer, other = Signer(b"s" * 32), Signer(b"o" * 32)
    note = room.log.checkpoint(signer)
    head = open_note(note, signer.verifier_key)
    assert (head.size, head.root) == (room.log.size(), room.log.root())
    assert note.split("\n")[2] == base64.b64encode(head.root).decode()
    with pytest.raises(ValueError, match="not signed by"):
        open_note(note, other.verifier_key)
    with pytest.raises(ValueError, match="wrong key hash"):
        open_note(note, signer.verifier_key.replace("+", "x+", 1))
    assert checkpoint_text("o", 0, merkle.EMPTY_ROOT).count("\n") == 3


def test_the_log_is_signed_as_it_was_at_an_earlier_size(tmp_path):
    _, log = grown(tmp_path, 5)
    head = open_note(log.checkpoint(Signer(b"s" * 32), 3), Signer(b"s" * 32).verifier_key)
    assert (head.size, head.root) == (3, log.root(3))


def test_appending_and_proving_stay_cheap_as_the_log_grows(tmp_path):
    store, log = grown(tmp_path, 20_000)
    start = time.perf_counter()
    with store.transaction():
        for number in range(500):
            log.append("test", {"value": number})
    assert (time.perf_counter() - start) / 500 < 0.005
    start = time.perf_counter()
    log.inclusion_proof(9_999)
    log.consistency_proof(12_345)
    assert time.perf_counter() - start < 0.1
