"""Forms in a real browser: what changes or comes in while somebody fills one in takes nothing away and decides nothing."""

import pytest

from governance.corrections import Status
from tests_support_world import until

pytestmark = pytest.mark.browser

BRIDGE = "When was the Halden Bridge built?"


def judging(open_page, role="admin"):
    """The admin page with the report about the bridge chosen."""
    page = open_page(role, "/admin/")
    page.locator(".er-row", has_text=BRIDGE).click()
    page.locator(".er-detail-head h2", has_text=BRIDGE).wait_for()
    return page


def end_sessions(world):
    store = world.services.records.store
    with store.transaction():
        store.write("DELETE FROM sessions")


@pytest.mark.parametrize(
    ("button", "field"), [("Approve", "reason"), ("Edit", "subject"), ("Use knowledge instead", "reason")]
)
def test_a_form_over_words_that_have_changed_since_is_refused_and_stays(open_page, world, button, field):
    page = judging(open_page)
    page.locator(".er-actions").get_by_role("button", name=button).click()
    page.fill(f"dialog [name={field}]", "Halden")
    world.revise(world.report(BRIDGE).id, correct_answer="1912")
    changed = world.report(BRIDGE)
    page.click("dialog [type=submit]")
    page.wait_for_selector("dialog .er-problem >> text=has changed since")
    assert page.input_value(f"dialog [name={field}]") == "Halden"
    assert world.report(BRIDGE) == changed


def test_a_preview_that_is_ready_waits_until_the_form_is_closed(open_page, world):
    page = judging(open_page)
    page.get_by_role("button", name="Preview").click()
    assert until(lambda: list(world.services.previews.waiting()))
    page.keyboard.press("e")
    page.fill("dialog [name=subject]", "Halden")
    with world.answering_previews():
        assert until(lambda: not list(world.services.previews.waiting()))
        page.wait_for_timeout(1500)
        assert page.input_value("dialog [name=subject]") == "Halden"
        page.keyboard.press("Escape")
        page.locator("dialog table").wait_for()


def test_a_session_that_ends_leaves_the_form_as_it_was_filled_in(open_page, world):
    page = judging(open_page)
    page.keyboard.press("a")
    page.fill("dialog [name=reason]", "The plaque says so.")
    end_sessions(world)
    page.wait_for_selector("dialog .er-problem >> text=session has ended")
    assert page.locator("dialog .er-problem").count() == 1
    page.click("dialog [type=submit]")  # sent in vain, it comes back
    page.wait_for_selector("dialog .er-problem >> text=session has ended")
    assert page.input_value("dialog [name=reason]") == "The plaque says so."
    with page.context.expect_page() as opened:
        page.locator("dialog").get_by_role("link", name="Sign in").click()
    opened.value.fill("[name=username]", "admin")
    opened.value.fill("[name=password]", world.password("admin"))
    opened.value.click("button")
    opened.value.wait_for_selector(".er-strip")
    opened.value.close()
    page.wait_for_selector("dialog .er-problem", state="detached")
    page.click("dialog [type=submit]")
    assert until(lambda: world.report(BRIDGE).status is Status.APPROVED)
    end_sessions(world)
    page.wait_for_selector("dialog h2 >> text=session has ended")
