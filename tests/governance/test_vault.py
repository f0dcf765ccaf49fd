"""The vault: what is sealed can be read, moved nowhere, and destroyed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support_requests import ready

from governance.errors import Erased, WrongKey
from governance.store import Store
from governance.vault import Vault, load_or_create_key


def test_a_text_comes_back_and_its_commitment_fits(room):
    text_id = room.vault.put("acc_1", "question", "Wer bin ich? 🙂")
    assert room.vault.get(text_id) == "Wer bin ich? 🙂"
    commitment = room.vault.commitment(text_id)
    assert room.vault.commits_to(text_id, commitment)
    assert not room.vault.commits_to(text_id, "0" * 64)


def test_equal_texts_have_different_commitments(room):
    ids = [room.vault.put("acc_1", "question", "yes") for _ in range(2)]
    assert room.vault.commitment(ids[0]) != room.vault.commitment(ids[1])


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=5))
def test_any_text_survives(tmp_path_factory, texts):
    store = Store(tmp_path_factory.mktemp("vault") / "errata.db")
    store.migrate()
    vault = Vault(store, b"m" * 32)
    ids = [vault.put("acc_1", "question", text) for text in texts]
    assert [vault.get(text_id) for text_id in ids] == texts
    assert sorted(found[3] for found in vault.scan()) == sorted(texts)
    store.close()


def test_replacing_keeps_the_id_and_may_change_the_owner(room):
    text_id = room.vault.put("acc_1", "claim", "old")
    room.vault.replace(text_id, "new", owner="cor_1")
    assert room.vault.get(text_id) == "new"
    room.vault.erase_person("acc_1")
    assert room.vault.get(text_id) == "new"


def test_an_erased_person_is_gone_for_good_and_others_are_not(room):
    gone = room.vault.put("acc_1", "question", "mine")
    kept = room.vault.put("acc_2", "question", "theirs")
    commitment = room.vault.commitment(gone)
    assert room.vault.erase_person("acc_1") == 1
    assert room.vault.get(gone) is None
    assert room.vault.get(kept) == "theirs"
    assert room.vault.commitment(gone) is None
    assert not room.vault.commits_to(gone, commitment)
    with pytest.raises(Erased, match="destroyed"):
        room.vault.put("acc_1", "question", "again")
    with pytest.raises(Erased, match="has been erased"):
        room.vault.replace(gone, "again")


def test_another_process_reads_nothing_after_an_erasure(room):
    text_id = room.vault.put("acc_1", "question", "mine")
    other = Vault(Store(room.store.path), load_or_create_key(room.path / "master.key"))
    assert other.get(text_id) == "mine"
    room.vault.erase_person("acc_1")
    assert other.get(text_id) is None
    with pytest.raises(Erased):
        other.put("acc_1", "question", "again")


def test_a_sealed_text_cannot_be_moved_to_another_row_or_person(room):
    one, two = (room.vault.put("acc_1", "question", text) for text in ("one", "two"))
    other = room.vault.put("acc_2", "question", "three")
    with room.store.transaction():
        sql = "UPDATE texts SET (nonce, sealed) = (SELECT nonce, sealed FROM texts WHERE id = :from) WHERE id = :to"
        room.store.write(sql, **{"from": one, "to": two})
        room.store.write("UPDATE texts SET owner = 'acc_1' WHERE id = :id", id=other)
    for text_id in (two, other):
        with pytest.raises(WrongKey, match="changed or moved"):
            room.vault.get(text_id)


def test_a_text_that_cannot_be_opened_is_told_of_and_hides_no_other(room, erasures, caplog):
    spoilt, other = room.flag(), room.flag(question="Who is Ann Zebra-Lee?")
    text_id = room.store.value("SELECT claim_text_id FROM corrections WHERE id = :id", id=spoilt.id)
    with room.store.transaction():
        room.store.write("UPDATE texts SET sealed = zeroblob(99) WHERE id = :id", id=text_id)
    assert {one.id: one.claim.question for one in room.ledger.list()[0]} == {
        spoilt.id: "",
        other.id: "Who is Ann Zebra-Lee?",
    }
    assert text_id in caplog.text
    assert [one.ref for one in ready(room, erasures).occurrences] == [other.id]


def test_another_master_key_opens_nothing(room):
    text_id = room.vault.put("acc_1", "question", "mine")
    room.vault.check()
    for act in (Vault(room.store, b"x" * 32).check, lambda: Vault(room.store, b"x" * 32).get(text_id)):
        with pytest.raises(WrongKey, match="does not open the vault"):
            act()
    with pytest.raises(WrongKey, match="32 bytes, not 5"):
        Vault(room.store, b"short")


def test_of_many_that_make_the_key_at_once_all_get_the_same(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_or_create_key(tmp_path / "master.key"), range(16)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["master.key"]


def test_the_key_file_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "master.key"
    key = load_or_create_key(path)
    assert load_or_create_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"short")
    with pytest.raises(WrongKey, match="restore the key file"):
        load_or_create_key(path)


def test_no_plain_text_is_in_the_file(room):
    room.vault.put("acc_1", "question", "zebra-plaintext-marker")
    room.store.truncate_wal()
    assert b"zebra-plaintext" not in room.store.path.read_bytes()


def test_what_is_handed_over_is_as_it_was_and_what_is_somebody_elses_stays_theirs(room):
    mine, theirs = (room.vault.put(owner, "reason", "as it was") for owner in ("acc_1", "acc_2"))
    before = room.vault.commitment(mine)
    assert room.vault.hand_over([mine, theirs, "txt_none"], of=["acc_1"], to="cor_1") == 1
    for owner in ("acc_1", "acc_2"):
        room.vault.erase_person(owner)
    assert (room.vault.get(mine), room.vault.get(theirs)) == ("as it was", None)
    assert room.vault.commitment(mine) == before
    assert room.vault.commits_to(mine, before)
