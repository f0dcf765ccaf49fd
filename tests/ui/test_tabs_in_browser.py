"""Tabs of the admin page in a real browser: documents come and go, the log is leafed through, and no click is lost."""

import threading

import pytest

pytestmark = pytest.mark.browser


def fill_and_send(page, **fields: str) -> None:
    page.wait_for_selector("dialog")
    for name, value in fields.items():
        page.fill(f"dialog [name={name}]", value)
    page.click("dialog [type=submit]")


def test_knowledge_is_added_uploaded_found_and_removed(open_page, world, tmp_path):
    page = open_page("admin", "/admin/")
    page.get_by_role("tab", name="Knowledge").click()
    page.get_by_role("button", name="Add a text").click()
    fill_and_send(
        page, title="Bus fares", text="A bus ride costs 2.40 euros.", as_of="2026-11-01", expires_at="2027-01-01"
    )
    page.wait_for_selector("td >> text=Bus fares")
    page.fill("#er-playground :is(input, textarea)", "What does a bus ride cost?")
    page.press("#er-playground :is(input, textarea)", "Enter")
    page.wait_for_selector("#er-found >> text=2.40 euros")
    page.wait_for_selector("#er-found >> text=would be answered by: Knowledge")
    file = tmp_path / "train.md"
    file.write_text("A train ride costs 5 euros.")
    page.set_input_files("#er-upload input, input[type=file]", str(file))
    page.wait_for_selector("dialog >> text=Add train.md")
    assert page.input_value("dialog [name=title]") == "train"
    fill_and_send(page, title="Train fares", as_of="2026-11-02", expires_at="2027-02-01")
    page.get_by_role("button", name="Train fares").click()
    page.wait_for_selector("dialog >> text=A train ride costs 5 euros.")
    assert "2027-02-01" in page.locator("dialog").inner_text()
    page.keyboard.press("Escape")
    page.locator("tr", has_text="Bus fares").get_by_role("button", name="Remove").click()
    page.click("dialog [type=submit]")
    page.wait_for_selector("td >> text=Bus fares", state="detached")
    titles = {document.title for document in world.services.knowledge.documents()}
    assert titles == {"Canteen prices", "Opening hours", "Train fares"}


def test_a_second_tab_that_is_chosen_while_the_first_is_drawn_is_drawn_too(open_page, world, monkeypatch):
    versions, held, drawn = world.services.records.versions, threading.Event(), threading.Event()
    listing = type(versions).list

    def slowly(self):
        held.wait(60)
        drawn.set()
        return listing(self)

    monkeypatch.setattr(type(versions), "list", slowly)
    page = open_page("admin", "/admin/")
    page.wait_for_selector(".er-row")
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("tab", name="Knowledge").click()
    page.locator("[role=tabpanel]:visible >> text=Canteen prices").wait_for()
    held.set()
    assert drawn.wait(60)
    page.wait_for_timeout(5000)  # what was drawn late, and the next tick, leave it as it is
    assert page.locator("[role=tabpanel]:visible >> text=Canteen prices").is_visible()


def test_an_entry_of_the_log_is_found_by_its_number(open_page, world):
    page = open_page("admin", "/admin/")
    page.get_by_role("tab", name="Log").click()
    page.get_by_role("button", name="Go to entry").click()
    fill_and_send(page, entry="3")
    page.get_by_text("Entries 1 to 3", exact=True).wait_for()
    assert page.locator("[role=tabpanel]:visible tbody tr").count() == 3
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Figures of this month").click()
    opened.value.wait_for_selector("h1")
    opened.value.close()


def test_what_replaced_a_correction_is_opened_beside_the_live_edits(open_page, world):
    painted, wrote = world.report("Who painted the Mona Lisa?"), world.report("Who wrote Middlemarch?")
    store = world.services.records.store
    with store.transaction():
        store.write("UPDATE corrections SET duplicate_of = :other WHERE id = :id", other=wrote.id, id=painted.id)
    page = open_page("admin", "/admin/")
    page.get_by_role("tab", name="Live edits").click()
    page.get_by_role("button", name="Who painted the Mona Lisa?").click()
    page.locator("dialog").get_by_role("button", name="Open report").click()
    page.wait_for_selector("dialog h2 >> text=Who wrote Middlemarch?")


def test_a_preview_is_not_started_twice_and_says_what_it_is_of(open_page, world):
    page = open_page("admin", "/admin/")
    page.locator(".er-row", has_text="Halden").click()
    page.get_by_role("button", name="Preview").click()
    page.wait_for_selector("text=Solving in a sandbox")
    page.get_by_role("button", name="Preview").click()
    page.wait_for_selector("text=This runs already")
    assert len(list(world.services.previews.waiting())) == 1
    with world.answering_previews():
        page.wait_for_selector("dialog h2 >> text=When was the Halden Bridge built?")
