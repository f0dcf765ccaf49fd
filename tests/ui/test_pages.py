"""How the pages are mounted: closed to programs, without history, and with a word for everything they can show."""

import dataclasses
from pathlib import Path

import pytest

import ui
from ui.admin_page import AdminPage
from ui.admin_texts import ADMIN
from ui.chat_page import ChatPage
from ui.client import Gateway
from ui.erasure_texts import ERASURE
from ui.log_texts import LOG
from ui.records import Report
from ui.texts import TEXTS

STATUSES = (
    "flagged", "needs_evidence", "queued", "approved", "editing", "live", "in_knowledge", "failed", "rejected", "closed",
    "rolled_back", "superseded",
)  # fmt: skip


@pytest.fixture(scope="module", params=[ChatPage, AdminPage])
def page(request):
    return request.param(Gateway("http://errata.test")).build()


def test_no_event_is_offered_to_programs(page):
    assert all(fn.api_visibility == "private" for fn in page.fns.values())
    assert not page.api_open


def test_many_people_can_use_a_page_at_once(page):
    assert page._queue.default_concurrency_limit >= 32
    # Answers that stream take a place of the queue each; what else a page does must find one left.
    assert page._queue.max_thread_count >= 4 * page._queue.default_concurrency_limit


def test_a_page_holds_no_data_of_its_own(page):
    config = str(page.get_config_file())
    assert "errata_session" not in config
    assert "acc_" not in config


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_a_name(status):
    assert TEXTS.statuses[status]
    assert status in dict(ADMIN.filters)


@pytest.mark.parametrize("texts", [TEXTS, ADMIN, ERASURE, LOG], ids=["chat", "admin", "erasure", "log"])
def test_no_text_is_empty(texts):
    assert [f.name for f in dataclasses.fields(texts) if not getattr(texts, f.name)] == []


def test_a_record_may_lack_everything():
    assert Report.read({}).status == ""


def test_importing_the_room_imports_no_gradio():
    import subprocess
    import sys

    code = "import sys, ui; sys.exit('gradio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(ui.__file__).parents[1], check=False)
    assert done.returncode == 0
