"""Figures of a period, answers traced to approvals, and pages that carry no script."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from governance.corrections import Remedy
from governance.export import every
from governance.records import answered, figures
from governance.reports import correction_page, period_page


@pytest.fixture
def period():
    return {"start": datetime.now(UTC) - timedelta(hours=1), "end": datetime.now(UTC) + timedelta(hours=1)}


def test_a_period_in_figures(room, period):
    live = room.live("v1")
    room.ledger.published(version_id="base", rolled_back=[live.id])
    rejected = room.queued(question="Who wrote Emma?")
    room.ledger.reject(rejected.id, room.admin)
    room.ledger.appeal(rejected.id, room.user)
    room.ledger.triaged(rejected.id, remedy=Remedy.KNOWLEDGE, reason="", evidence={})
    room.ledger.approve(rejected.id, room.admin)
    room.ledger.to_knowledge(rejected.id)
    room.flag(room.people["other_user"], question="Who wrote Ulysses?", category="outdated")
    found = figures(every(room.ledger), **period)
    assert (found.reports, found.reporters, found.resolved) == (3, 2, 2)
    assert (found.went_live, found.rollbacks, found.went_to_knowledge) == (1, 1, 1)
    assert (found.rejections, found.appeals, found.overturned) == (1, 1, 1)
    assert found.by_category == {"outdated": 1, "wrong": 2}
    assert found.scores == {"direct": 1.0, "neighbours": 0.8333, "probes": 0.75, "subject": 1.0}
    assert found.overdue == 0
    later = figures(every(room.ledger), start=period["start"], end=period["end"] + timedelta(days=60))
    assert later.overdue == 0, "what is due on a day to come is not late today"
    empty = figures(every(room.ledger), start=period["end"], end=period["end"] + timedelta(days=1))
    assert (empty.reports, empty.median_hours, empty.scores) == (0, None, {})
    assert "3 reports from 2 people" in period_page(found)


def test_an_answer_is_traced_to_the_edits_under_it_and_who_approved_them(room, period):
    live = room.live("v1")
    for version in ("base", "v1"):
        room.answers.record(
            account_id=room.user.id, question="q", answer="a", route="model", reason="", weights_version=version
        )
    plain, edited = answered(room.answers, room.versions, room.ledger, **period)
    assert plain.edits == ()
    assert edited.approved_by == ((live.id, (room.admin.pseudonym,)),)


def test_an_answer_by_card_or_across_a_swap_is_traced_and_an_unknown_version_hides_no_day(room, period):
    live, carded = room.live("v1"), room.approved(question="Who painted The Scream?")
    given = {"account_id": room.user.id, "question": "q", "answer": "a", "reason": ""}
    room.answers.record(**given, route="correction", weights_version="base", correction_id=carded.id)
    room.answers.record(**given, route="model", weights_version="base", weights_version_end="v1")
    room.answers.record(**given, route="model", weights_version="of nobody")
    found = answered(room.answers, room.versions, room.ledger, **period)
    assert [one.edits for one in found] == [(carded.id,), (live.id,), ()]
    assert found[0].approved_by == ((carded.id, (room.admin.pseudonym,)),)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]


@pytest.mark.parametrize("texts", [False, True])
def test_a_page_shows_texts_only_when_asked_and_runs_nothing(room, texts):
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    correction = room.flag(comment=hostile, evidence=[hostile], correct_answer=hostile)
    page = correction_page(room.ledger.get(correction.id), texts=texts)
    tags = Tags()
    tags.feed(page)
    assert not tags.seen & {"script", "img", "iframe", "link"}
    assert ("&lt;script&gt;" in page) is texts
    assert room.user.pseudonym in page
    assert "<h2>History</h2>" in page
