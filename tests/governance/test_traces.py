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


@pytest.mark.parametrize(
    ("name", "written", "within"),
    [
        ("Lee", "I sleep under a fleece", True),
        ("Lee", "Fleece, and Lee", False),
        ("Lee", "that is Lee's", False),
        ("Lee", "(LEE)", False),
        ("Lee", "ask ann_lee", False),
        ("Lee", "Lee\u00e9on", True),
        ("Lee", '{"question": "who?\\nLee"}', False),
        ("Lee", "我叫Lee。", False),
        ("Ann Lee", "Joann Leeds", True),
        ("王伟", "我叫王伟。", False),
    ],
)
def test_a_name_inside_a_longer_word_is_found_and_told_apart(room, name, written, within):
    text_id = room.vault.put(room.user.id, "question", written)
    traces = Traces(room.store, room.vault, ledger=room.ledger, versions=room.versions)
    assert traces.of(Subject(names=(name,))) == {Occurrence(Place.TEXT, text_id, within_a_word=within)}
    assert traces.of(Subject((), identifiers=(name,))) == {Occurrence(Place.TEXT, text_id)}


def test_what_a_person_wrote_is_theirs_whatever_it_holds(room):
    room.vault.put(room.user.id, "question", "How long do cats sleep?")
    traces = Traces(room.store, room.vault, ledger=room.ledger, versions=room.versions)
    found = traces.of(Subject(names=("Lee",), account_id=room.user.id))
    assert not any(one.within_a_word for one in found)


def test_one_text_that_names_the_person_is_enough_for_the_whole_correction(room):
    correction = room.queued(question="How long does a fleece last?", comment="")
    traces = Traces(room.store, room.vault, ledger=room.ledger, versions=room.versions)
    subject = Subject(names=("Lee",))
    assert traces.of(subject) == {Occurrence(Place.CORRECTION, correction.id, within_a_word=True)}
    room.ledger.reject(correction.id, room.admin, reason="Lee says so")
    assert traces.of(subject) == {Occurrence(Place.CORRECTION, correction.id)}


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
    (text_id,) = (text_id for text_id, owner, *_ in room.vault.scan() if owner == filed.id)
    assert traces.of(filed.subject) == {Occurrence(Place.TEXT, text_id)}


def test_an_erased_account_is_found_no_more(room):
    traces = Traces(room.store, room.vault, ledger=room.ledger, versions=room.versions)
    subject = Subject(names=(), account_id=room.user.id)
    assert traces.of(subject) == {Occurrence(Place.TEXT, room.user.id)}
    room.vault.erase_person(room.user.id)
    assert traces.of(subject) == set()


def test_edits_are_found_without_reading_the_versions_that_hold_them(room, monkeypatch):
    held = room.live(question="Who is Ann Zebra-Lee?")
    room.ledger.published(version_id="base", rolled_back=[held.id])
    monkeypatch.setattr(type(room.versions), "_version", None)
    traces = Traces(room.store, room.vault, ledger=room.ledger, versions=room.versions)
    assert {one.place for one in traces.of(Subject(names=("Ann Zebra-Lee",)))} == {Place.CORRECTION, Place.EDIT}
    assert room.versions.holding([held.id, "cor_none"]) == ("v1",)
