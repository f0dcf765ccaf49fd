"""The admin page without a browser, over the real gateway: what is drawn, what it asks for, and what a failure takes along."""

import asyncio
from types import SimpleNamespace

import httpx
import pytest

from server.app import create_app
from server.engines.scripted import ScriptedEngine
from server.settings import Settings
from tests_support import furnish
from tests_support_world import World, fill, reply
from ui.admin_page import AdminPage
from ui.admin_texts import ADMIN
from ui.client import Gateway
from ui.desk import AdminState, Desk

URL = "http://errata.test"


class Door(httpx.AsyncBaseTransport):
    """The way to the gateway: notes what is asked for, and can be shut or hold somebody up, path by path."""

    def __init__(self) -> None:
        self.app, self.asked, self.shut, self.slow = None, [], set(), {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        if path in self.shut:
            raise httpx.ConnectError("refused", request=request)
        if path in self.slow:
            await self.slow[path].wait()
        return await httpx.ASGITransport(self.app).handle_async_request(request)


class Tab:
    """One tab of a browser on the admin page: what is drawn into which of its places."""

    def __init__(self, page: AdminPage, door: Door, session: str) -> None:
        self._page, self._door, self.desk = page, door, Desk(AdminState())
        self._request = SimpleNamespace(cookies={"errata_session": session})

    def _drawn(self, row):
        return {name: row[n] for name, n in self._page._slots.items() if isinstance(row[n], str)}

    async def refresh(self):
        return self._drawn(await self._page.refresh(self.desk, self._request))

    async def on_top(self):
        return await self._page.on_top(self.desk, self._request)

    async def choose(self, name):
        return self._drawn(await self._page.choose_tab(self.desk, SimpleNamespace(value=name), self._request))

    async def act(self, name, id="", **form):
        event = SimpleNamespace(_data={"name": name, "id": id, "form": form})
        return self._drawn(await self._page.act(self.desk, event, self._request))

    async def find(self, words):
        return self._drawn(await self._page.find(self.desk, words, "priority", self._request))


@pytest.fixture(scope="module")
def built():
    door = Door()
    page = AdminPage(Gateway(URL, transport=door))
    return page, door, page.build()


@pytest.fixture
def door(built):
    door = built[1]
    door.asked, door.shut, door.slow = [], set(), {}
    return door


@pytest.fixture
def world(tmp_path, door):
    engine = ScriptedEngine(reply)
    services = furnish(Settings(data_dir=tmp_path / "data", model_dir=tmp_path / "model", _env_file=None), engine)
    made = World(URL, create_app(services, with_pages=False, with_loops=False), services, engine)
    fill(made)
    door.app = made.app
    yield made
    services.records.store.close()


@pytest.fixture
def open_tab(built, door, world):
    return lambda name: Tab(built[0], door, world.services.accounts.start_session(world.account(name).id))


async def test_nothing_waits_for_an_engine_that_hangs_but_the_line_on_top(open_tab, door):
    admin, door.slow["/ready"] = open_tab("admin"), asyncio.Event()
    line = asyncio.create_task(admin.on_top())
    for drawn in (admin.refresh(), admin.choose("Versions"), admin.act("filter", "all")):
        assert await asyncio.wait_for(drawn, 10)
    assert not line.done()
    door.slow["/ready"].set()
    assert "Engine answers" in await line


async def test_a_tick_at_the_queue_asks_for_nothing_twice_and_for_no_versions(open_tab, door):
    admin = open_tab("admin")
    await admin.refresh()
    door.asked.clear()
    await admin.refresh()
    assert "3 to decide" in await admin.on_top()
    assert sorted(set(door.asked)) == sorted(door.asked)
    assert "/version" not in door.asked


async def test_a_page_whose_first_look_failed_comes_to_itself(open_tab, door):
    admin, door.shut = open_tab("admin"), {"/v1/me"}
    assert "does not answer" in (await admin.refresh())["detail"]
    assert "does not answer" in (await admin.choose("Versions"))["versions"]
    door.shut = set()
    assert "Serve the base model now" in (await admin.refresh())["versions"]


async def test_a_report_that_cannot_be_read_takes_no_queue_along(open_tab):
    admin = open_tab("admin")
    drawn = await admin.act("select", "cor_gone")
    assert "cor_gone" in drawn["detail"]
    assert "Who wrote Middlemarch?" in drawn["queue"]
    assert "To decide" in drawn["filters"]


async def test_a_search_that_is_refused_says_so_where_its_results_would_stand(open_tab, world):
    admin = open_tab("admin")
    await admin.act("select", world.report("Who wrote Middlemarch?").id)
    drawn = await admin.find("x" * 201)
    assert "er-problem" in drawn["queue"]
    assert "George Eliot" in drawn["detail"]


async def test_a_drawing_that_comes_late_changes_nothing(open_tab, door):
    admin = open_tab("admin")
    await admin.refresh()
    door.slow["/v1/versions"] = asyncio.Event()
    first = asyncio.create_task(admin.choose("Versions"))
    while "/v1/versions" not in door.asked:
        await asyncio.sleep(0.01)
    assert "Canteen prices" in (await admin.choose("Knowledge"))["knowledge"]
    door.slow["/v1/versions"].set()
    assert await first == {}
    assert "Canteen prices" in (await admin.refresh())["knowledge"]


def test_gradio_drops_no_tab_and_sends_none_twice(built):
    chosen = [fn for fn in built[2].fns.values() if fn.name == "choose_tab"]
    assert [fn.trigger_mode for fn in chosen] == ["multiple"]


async def test_live_edits_come_page_by_page(open_tab, door, world):
    world.crowd(130)
    with world.services.records.store.transaction():
        world.services.records.store.write("UPDATE corrections SET status = 'live' WHERE id LIKE 'cor_crowd%'")
    admin = open_tab("admin")
    shown = (await admin.choose("Live edits"))["live"]
    assert shown.count("<tr>") == 1 + 50
    assert 'data-act="more" data-id="100"' in shown
    assert door.asked.count("/v1/corrections") == 2
    door.asked.clear()
    assert (await admin.act("more", "200"))["live"].count("<tr>") == 1 + 131
    assert door.asked.count("/v1/corrections") == 2
    await admin.choose("Queue")
    assert admin.desk.look.rows == 50


async def test_a_log_that_nobody_would_sign_is_still_read(open_tab, door):
    admin, door.shut = open_tab("admin"), {"/v1/audit/checkpoint"}
    shown = (await admin.choose("Log"))["log"]
    assert "Version served" in shown
    assert "version.served<" not in shown
    assert "/v1/audit/checkpoint" not in door.asked


@pytest.mark.parametrize(("role", "figures"), [("admin", True), ("auditor", True), ("reviewer", False)])
async def test_an_entry_is_found_by_its_number_and_figures_by_who_may_read_them(open_tab, role, figures):
    reader = open_tab(role)
    await reader.choose("Log")
    shown = (await reader.act("log", entry=" 7 "))["log"]
    assert "Entries 1 to 7" in shown
    assert ('href="/v1/reports"' in shown) is figures
    assert (await reader.act("log", entry="seven"))["told"]
    assert reader.desk.look.log_end == 7


async def test_a_document_is_opened_with_its_text_and_dates(open_tab, world):
    admin = open_tab("admin")
    (document,) = [one for one in world.services.knowledge.documents() if one.title == "Canteen prices"]
    assert f'data-act="document" data-id="{document.id}"' in (await admin.choose("Knowledge"))["knowledge"]
    told = (await admin.act("document", document.id))["told"]
    for words in ("Lunch costs 7.50 euros.", "2026-11-20", "2027-01-31", "https://example.org/canteen"):
        assert words in told


@pytest.mark.parametrize(
    ("role", "keys"), [("admin", "j and k move, a approves, r rejects, e edits"), ("auditor", "j and k move")]
)
async def test_the_keys_that_are_named_do_something(open_tab, role, keys):
    assert f">{keys}<" in (await open_tab(role).refresh())["keys"]


async def test_an_auditor_reads_who_there_is_and_a_reviewer_does_not(open_tab):
    shown = (await open_tab("auditor").choose("People"))["people"]
    assert "Reviewer" in shown
    assert "data-dialog" not in shown
    assert ADMIN.admins_only in (await open_tab("reviewer").choose("People"))["people"]


async def test_whom_a_request_about_an_account_is_about_is_said_to_admins(open_tab, world):
    await (
        open_tab("user")
        ._page._gateway.acting_for({"errata_session": world.services.accounts.start_session(world.account("user").id)})
        .file_erasure({})
    )
    assert "the account user" in (await open_tab("admin").choose("Erasure"))["erasure"]
    assert "an account holder" in (await open_tab("auditor").choose("Erasure"))["erasure"]


async def test_who_may_not_approve_is_told_why(open_tab, world):
    own = world.flag("Who framed the Blue Door?", "Nobody.", "Piet Aldering", by="admin")
    world.triage(own.id)
    shown = (await open_tab("admin").act("select", own.id))["detail"]
    assert "You cannot approve this: you reported this correction" in shown
    assert 'data-key="a"' not in shown
