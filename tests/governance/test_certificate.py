"""What a certificate takes over of a decision: counts and codes, no text."""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from tests_support_requests import ready

from governance.audit import canonical
from governance.backup import backup
from governance.certificate import check_ground, codes_in, kept
from governance.errors import Invalid
from governance.requests import Occurrence, Place
from governance.tools import Tools


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", []),
        ("none apply", []),
        ("gdpr-17-3-e", ["gdpr-17-3-e"]),
        ("GDPR Art. 17(3)(e), and again gdpr art.17(3)(e)", ["gdprart.17(3)(e)"]),
        ("17(3)(b) or s. 33", ["17(3)(b)", "s.33"]),
        ("Section 33 of the PDPA; PDPA 33", ["section33", "pdpa33"]),
        ("Art.17-ann of 1985, Ann2, 555-12-34, ann17@zebra.example", ["art.17"]),
        ("Ann's 12 letters of gdpr-1985", []),
    ],
)
def test_exceptions_become_codes(text, codes):
    assert codes_in(text) == codes


def test_kept_occurrences_are_counted_by_what_they_are():
    found = [
        Occurrence(Place.TEXT, "txt_1"),
        Occurrence(Place.TEXT, "acc_1"),
        Occurrence(Place.CORRECTION, "cor_1"),
        Occurrence(Place.EDIT, "cor_1"),
        Occurrence(Place.DOCUMENT, "doc_1"),
        Occurrence(Place.MODEL, "probe 1"),
        Occurrence(Place.MODEL, "probe 2"),
    ]
    refs = [one.ref for one in found if one.ref != "doc_1"]
    assert kept(found, refs) == "1 text, 1 account, 1 correction, 1 edit, 2 replies of the model"
    assert kept(found, []) == ""


@pytest.mark.parametrize("place", list(Place))
def test_every_place_has_its_word(place):
    assert kept([Occurrence(place, "r")], ["r"]).startswith("1 ")


@pytest.mark.parametrize(
    "ground",
    [
        *("gdpr-17-3-e", "Art.17(3)(e)", "Art. 17", "pdpa-33", "s.33", "17(3)(b)", "pdpa-s33", "pdpa-s-33"),
        *("17-3-e", "17-3", "17.3.e", "uk-gdpr-17-3-a", "uk-gdpr art. 17(3)(b)", "hgb-257", "HGB § 257", "§ 257"),
        *("ao-147", "PDPA s. 33(1)"),
        *("bdsg-35", "bdsg-26a-1", "ccpa-1798.105", "hipaa-164.524(a)", "lgpd-art-16", "uk-dpa-2018", "dsgvo-17"),
    ],
)
def test_a_ground_is_a_code(ground):
    check_ground(ground)


@pytest.mark.parametrize(
    "ground",
    [
        *("because", "", "17", "ann.lee-1985", "John.Smith(2)", "0812345678", "art.17-ann", "gdpr-17" + "-3" * 20),
        *("j-smith-1", "555-12-34", "081-234-567", "12-5-1985", "lee-17", "ao-ann", "ao147", "s33", "uk-17"),
        *("ann-ao-147", "812-345-678"),
        *("gdpr-17-ann", "gdpr-0812345678", "hgb", "pdpa-s", "17-3-e-ann", "a-b-c", "§ Ann", "gdpr-17-3\n"),
    ],
)
def test_a_ground_holds_no_name_and_no_number_of_a_person(ground):
    with pytest.raises(Invalid, match="short code"):
        check_ground(ground)


def test_the_certificate_is_named_by_its_hash_in_the_log(room, erasures):
    request = ready(room, erasures)
    erasures.execute(request.id, room.admin, tools=Tools())
    closed = erasures.close(request.id, room.admin, told=True)
    digest = hashlib.sha256(canonical(closed.certificate).encode()).hexdigest()
    assert room.entries()[-1]["note"] == {"told": True, "certificate_sha256": digest}


def test_the_certificate_says_which_copies_remain_until_when_and_whether_it_was_in_time(room, erasures, monkeypatch):
    until = datetime(2027, 1, 31, tzinfo=UTC)
    said = []
    for day, backups_until in ((29, None), (29, until), (33, until)):
        if said:
            backup(room.store, room.log, room.path / f"{len(said)}.db", actor="opr_1")
        request = ready(room, erasures)
        erasures.execute(request.id, room.admin, tools=Tools())
        monkeypatch.setattr("governance.certificate.now", partial(request.created.__add__, timedelta(days=day)))
        closed = erasures.close(request.id, room.admin, told=False, backups_until=backups_until).certificate
        monkeypatch.undo()
        said.append((closed["in_time"], *closed["remains"]))
    assert closed["closed_by"] == room.admin.pseudonym
    assert [step["actor"] for step in closed["steps"]] == [room.admin.pseudonym] * 7
    assert said[0] == (True,)
    assert said[1:] == [
        (True, "copies in 1 backups made before, until 2027-01-31; a restore erases them again"),
        (False, "copies in 2 backups made before, until 2027-01-31; a restore erases them again"),
    ]
