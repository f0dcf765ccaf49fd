"""Exports: whole, without personal text unless asked for, and harmless in a spreadsheet."""

import csv
import io
import json

import pytest

from governance.audit_verify import verify
from governance.checkpoints import Checkpoints
from governance.export import as_cell, record, write_csv, write_jsonl, write_log
from governance.notes import Signer


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+4", "'+4"),
        ("-4", "'-4"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        ("plain", "plain"),
        (-4, "-4"),
        (0.5, "0.5"),
        (True, "true"),
        (None, ""),
        (["=x"], '["=x"]'),
    ],
)
def test_cells_are_never_formulas(value, cell):
    assert as_cell(value) == cell


def test_every_correction_is_one_line_and_one_row(room):
    ids = [room.live().id, room.flag(comment="zebra\n=cmd|' /C calc'!A0").id]
    lines, table = io.StringIO(), io.StringIO()
    assert write_jsonl(room.ledger, lines) == write_csv(room.ledger, table) == 2
    assert {json.loads(line)["id"] for line in lines.getvalue().splitlines()} == set(ids)
    rows = list(csv.DictReader(io.StringIO(table.getvalue())))
    assert {row["id"] for row in rows} == set(ids)
    assert rows[-1]["reporter.pseudonym"] == room.user.pseudonym
    assert rows[-1]["deployment.weights_version_after"] == "v1"
    assert json.loads(rows[-1]["verification.figures"])["probes"]["share"] == 0.75
    assert "reply" not in rows[-1]["verification.figures"]
    assert "zebra" not in lines.getvalue() + table.getvalue()


def test_texts_are_exported_only_when_asked_for(room):
    correction = room.flag(comment="=zebra")
    assert "claim" not in record(correction)
    assert record(correction, texts=True)["claim"]["correct_answer"] == "Leonardo da Vinci"
    table = io.StringIO()
    write_csv(room.ledger, table, texts=True)
    (row,) = csv.DictReader(io.StringIO(table.getvalue()))
    assert row["comment"] == "'=zebra"
    assert row["claim.question"] == "Who painted the Mona Lisa?"


def test_the_reason_of_each_approval_is_exported_with_the_texts(room):
    risky = room.queued(question="What is the dose of paracetamol?")
    room.ledger.approve(risky.id, room.admin, reason="first reason")
    both = room.ledger.approve(risky.id, room.second_admin, reason="second reason")
    assert [one["reason"] for one in record(both, texts=True)["approvals"]] == ["first reason", "second reason"]
    assert "reason" not in record(both)["approvals"][0]


def test_the_exported_log_verifies_by_itself(room):
    room.live()
    path = room.path / "log.jsonl"
    size = write_log(room.log, Checkpoints(room.log, Signer(b"k" * 32), []), path)
    report = verify(export=path, checkpoints=[room.path / "log.jsonl.checkpoint"])
    assert report.ok
    assert (report.size, report.newest_head) == (size, size)


def test_what_is_appended_to_an_exported_log_is_named_and_in_a_live_one_only_counted(room):
    path = room.path / "log.jsonl"
    size = write_log(room.log, Checkpoints(room.log, Signer(b"k" * 32), []), path)
    for _ in range(2):
        room.flag()
    with path.open("a") as file:
        file.writelines(f"{entry.text}\n" for entry in room.log.entries(size))
    note = [room.path / "log.jsonl.checkpoint"]
    report = verify(export=path, checkpoints=note)
    assert (report.first_bad, report.problems[0].kind, report.unsigned) == (size + 1, "unsigned", 2)
    assert f"entries {size + 1} to {size + 2}" in report.problems[0].message
    live = verify(database=room.store.path, checkpoints=note)
    assert (live.ok, live.unsigned) == (True, 2)
    alone = verify(export=path)  # held against nothing: who reads the report sees no heads
    assert (alone.ok, alone.heads, alone.unsigned) == (True, 0, size + 2)
