"""Lists and the orders of the queue: each is whole, each page goes on where the last one ended, and cursors are not mixed up."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.corrections import Status
from governance.errors import InvalidClaim
from governance.listing import PAGES, Place, Sort

KEYS = {
    Sort.CREATED: lambda c: (c.created, c.id),
    Sort.DUE: lambda c: (c.due, c.id),
    Sort.PRIORITY: lambda c: (-c.priority, c.due, c.id),
}


def filled(room, count=9):
    """Reports with priorities and due dates that agree with no other order, half of them queued."""
    for n in range(count):
        made = room.flag if n % 2 else room.queued
        correction = made(room.people["other_user"] if n % 3 else None, question=f"What is number {n}?", subject="")
        ranked(room, correction.id, n * 7 % 4, f"2026-12-{1 + n * 5 % 3:02}T00:00:00.000000Z")


def ranked(room, correction_id, rank, due="2026-12-01T00:00:00.000000Z"):
    with room.store.transaction():
        room.store.write(
            "UPDATE corrections SET priority = :rank, due = :due WHERE id = :id", id=correction_id, rank=rank, due=due
        )


def walked(room, sort, limit=2, **filters):
    found, cursor = [], None
    while True:
        page, cursor = room.ledger.list(sort=sort, limit=limit, cursor=cursor, **filters)
        found += page
        if cursor is None:
            return found


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("status", [None, Status.QUEUED])
@pytest.mark.parametrize("of_one", [False, True])
def test_the_pages_of_every_order_are_the_whole_list_in_that_order(room, sort, status, of_one):
    filled(room)
    filters = {"status": status, "reporter_id": room.user.id if of_one else None}
    found = walked(room, sort, **filters)
    expected = sorted(room.ledger.list(limit=100, **filters)[0], key=KEYS[sort], reverse=sort is Sort.CREATED)
    assert [c.id for c in found] == [c.id for c in expected]
    assert len(found) > 1


def test_what_leaves_or_joins_the_queue_between_two_pages_shifts_nothing(room):
    filled(room)
    first, cursor = room.ledger.list(Status.QUEUED, sort=Sort.PRIORITY, limit=2)
    later = [c.id for c in walked(room, Sort.PRIORITY, status=Status.QUEUED)][2:]
    room.ledger.reject(first[0].id, room.reviewer)
    newcomer = room.queued(question="Who joined?", subject="")
    ranked(room, newcomer.id, 9)
    rest, _ = room.ledger.list(Status.QUEUED, sort=Sort.PRIORITY, limit=20, cursor=cursor)
    assert [c.id for c in rest] == later


def test_a_search_keeps_the_order_and_its_pages(room):
    filled(room)
    found = walked(room, Sort.DUE, search="number")
    assert [c.id for c in found] == [c.id for c in sorted(found, key=KEYS[Sort.DUE])]
    assert len(found) == 9


@pytest.mark.parametrize("sort", list(Sort))
def test_a_cursor_of_another_order_is_refused(room, sort):
    filled(room, 3)
    _, cursor = room.ledger.list(sort=sort, limit=1)
    for other in set(Sort) - {sort}:
        with pytest.raises(InvalidClaim, match="cursor"):
            room.ledger.list(sort=other, cursor=cursor)


@given(st.text(alphabet="priotydue|-0123456789~az", max_size=60))
def test_a_cursor_is_read_or_refused(text):
    try:
        place = Place.read(Sort.PRIORITY, text)
    except InvalidClaim:
        return
    assert place.cursor().startswith("priority|")


def test_no_order_sorts_in_memory(room):
    """Ten thousand rows are read where the page is and nowhere else."""
    for (_, has_status, of_one), statement in PAGES.items():
        if of_one and not has_status:
            continue  # one person's reports are few
        values = {"status": "queued", "reporter": "x", "rank": 0, "at": "~", "id": "~", "limit": 5}
        plan = room.store.rows(f"EXPLAIN QUERY PLAN {statement}", **values)
        assert of_one or not any("TEMP B-TREE" in row["detail"] for row in plan), statement


def test_pages_hold_every_report_once_newest_first(room):
    ids = [room.flag(question=f"Who painted picture {number}?").id for number in range(7)]
    found, cursor = [], None
    while True:
        page, cursor = room.ledger.list(limit=3, cursor=cursor)
        found += [correction.id for correction in page]
        if cursor is None:
            break
    assert found == ids[::-1]


def test_lists_filter_and_search(room):
    mine, theirs = room.flag(), room.queued(room.people["other_user"], question="Who painted The Scream?")
    assert [c.id for c in room.ledger.list(reporter_id=room.user.id)[0]] == [mine.id]
    assert [c.id for c in room.ledger.list(Status.QUEUED)[0]] == [theirs.id]
    assert [c.id for c in room.ledger.list(Status.QUEUED, reporter_id=room.user.id)[0]] == []
    assert [c.id for c in room.ledger.list(search="scream")[0]] == [theirs.id]
    assert room.ledger.counts()["queued"] == 1
    assert [c.id for c in room.ledger.in_status(Status.QUEUED, Status.FLAGGED)] == [mine.id, theirs.id]
    quoted = room.flag(question='Who painted "The\nKiss"?')
    assert [c.id for c in room.ledger.list(search='"the\nkiss"')[0]] == [quoted.id]
    assert room.ledger.list(search="correct_answer") == ([], None)


def test_a_made_up_cursor_is_refused(room):
    with pytest.raises(InvalidClaim, match="cursor"):
        room.ledger.list(cursor="nonsense")


def test_a_page_of_ten_thousand_reports_is_quick(room):
    first = room.queued()
    with room.store.transaction():
        columns = [row["name"] for row in room.store.rows("SELECT name FROM pragma_table_info('corrections')")]
        rest = ", ".join(column for column in columns if column not in ("id", "created", "idempotency_hash"))
        room.store.write(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
            f" INSERT INTO corrections (id, created, {rest}) SELECT 'cor_' || i,"
            f" printf('2026-01-%02dT%05d', 1 + i % 28, i) || 'Z', {rest} FROM n, corrections WHERE id = :id",
            id=first.id,
        )
        room.store.write("UPDATE corrections SET created = '2026-01-01T00:00:00.000000Z' WHERE id <> :id", id=first.id)
    start = time.perf_counter()
    page, cursor = room.ledger.list(Status.QUEUED, limit=50)
    elapsed = time.perf_counter() - start
    assert (len(page), cursor is not None) == (50, True)
    assert elapsed < 0.2
