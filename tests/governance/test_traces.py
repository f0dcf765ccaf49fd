"""Where a person is found in sealed texts: in every ordinary spelling of the name, as text and inside of JSON."""

import json

import pytest

from governance.requests import Occurrence, Place, Subject
from governance.traces import Traces


@pytest.fixture
def found(room):
    """The sealed texts in which this name is found."""
    traces = Traces(room.store, room.vault, ledger=room.ledger, versions=room.versions)
    return lambda name: {one.ref for one in traces.of(Subject(names=(name,))) if one.place is Place.TEXT}


@pytest.mark.parametrize("name", ["Zoë Zebra", "Zoe Zebra"])
def test_a_name_is_found_in_json_however_it_was_written_there(room, found, name):
    title = [{"title": "Staff of Zoë Zebra"}]
    written = [json.dumps(title, ensure_ascii=escaped) for escaped in (True, False)]
    written.append(f"I read {written[0]} there")
    sealed = {room.vault.put(room.user.id, "passages", text) for text in written}
    assert found(name) == sealed


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ann Lee", "Ann\nLee"),
        ("Ann Lee", "Ann \u00a0 Lee"),
        ("O'Brien", "O\u2019Brien"),
        ("O\u02bcBrien", "O'Brien"),
        ("Zebra-Lee", "Zebra\u2011Lee"),
        ("Zebra\u2013Lee", "Zebra-Lee"),
        ("Zebra-Lee", "Ze\u00adbra-L\u200bee"),
        ("Ann Lee", "\u202aAnn\u202c Lee"),
        ('Ann "Bo" Lee', 'Ann "Bo" Lee'),
        ("王伟", "我叫王伟。"),
    ],
)
def test_a_name_is_found_in_every_ordinary_spelling(room, found, name, written):
    texts = (f"I am {written}", json.dumps({"question": f"Who is {written}?"}, ensure_ascii=False))
    room.vault.put(room.user.id, "question", "Who is Ann, or Lee, or O Brien, or 王?")
    sealed = {room.vault.put(room.user.id, "claim", text) for text in texts}
    assert found(name) == sealed


def test_hashes_of_documents_name_nobody(room, found):
    room.vault.put("doc_1", "document", "ada" * 21)
    assert found("Ada") == set()


def test_a_request_is_found_once_it_is_refused(room, erasures):
    """One that was refused by an older Errata holds its names still."""
    filed = erasures.file(room.admin, subject=Subject(names=("Ann Zebra-Lee",)))
    traces = Traces(room.store, room.vault, ledger=room.ledger, versions=room.versions)
    assert traces.of(filed.subject) == set()
    with room.store.transaction():
        room.store.write("UPDATE erasure_requests SET status = 'refused' WHERE id = :id", id=filed.id)
    (text_id,) = (text_id for text_id, *_ in room.vault.scan(owner=filed.id))
    assert traces.of(filed.subject) == {Occurrence(Place.TEXT, text_id)}


def test_an_erased_account_is_found_no_more(room):
    traces = Traces(room.store, room.vault, ledger=room.ledger, versions=room.versions)
    subject = Subject(names=(), account_id=room.user.id)
    assert traces.of(subject) == {Occurrence(Place.TEXT, room.user.id)}
    room.vault.erase_person(room.user.id)
    assert traces.of(subject) == set()
