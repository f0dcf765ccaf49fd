"""Forms in a real browser: what changes or comes in while somebody fills one in takes nothing away and decides nothing."""

import json

import pytest

from governance.corrections import Status
from tests_support_browser import Browsing
from tests_support_cable import Cable
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


def test_a_half_filled_form_comes_back_after_the_connection_was_lost(world, chromium, ask):
    cable = Cable(int(world.url.rsplit(":", 1)[1]))
    browsing = Browsing(chromium, f"http://127.0.0.1:{cable.port}")
    page = browsing.open(world.session("user"))
    ask(page, "apples")
    page.click("[data-act=flag]")
    page.fill("dialog [name=correct_answer]", "pears")
    cable.cut()
    page.wait_for_selector("#er-offline", state="attached")
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    cable.mend()
    page.reload()
    page.wait_for_selector("dialog [name=correct_answer]", timeout=60_000)
    assert page.input_value("dialog [name=correct_answer]") == "pears"
    page.click("dialog [type=submit]")
    page.wait_for_selector("text=Your report is in")
    browsing.end()
    cable.close()


def test_each_refusal_opens_the_form_that_it_is_about(open_page, world):
    page = open_page("admin", "/admin/")
    page.wait_for_selector(".er-row")
    page.evaluate("() => { window.heard = []; window.errataSend = (data) => window.heard.push(data); }")
    for name in ("first", "second"):
        field = {"name": "reason", "label": "Why", "value": f"words of the {name}"}
        spec = {"title": name, "act": "reject", "id": "cor_none", "ok": name, "fields": [field]}
        page.evaluate("(spec) => window.errataTell(spec)", json.dumps(spec))
        page.click("dialog [type=submit]")
    first = page.evaluate("window.heard[0].sent")
    page.evaluate("(told) => window.errataTell(told)", json.dumps({"refused": "No.", "sent": first}))
    assert page.locator("dialog h2").inner_text() == "first"
    assert page.input_value("dialog [name=reason]") == "words of the first"


def test_what_is_shown_but_once_is_not_taken_away(open_page):
    page = open_page("admin", "/admin/")
    page.wait_for_selector(".er-row")
    for spec in ({"title": "Keys of Ann", "html": "secret", "keep": True}, {"title": "Before and after"}):
        page.evaluate("(told) => window.errataTell(told)", json.dumps(spec))
    page.mouse.click(5, 5)
    assert page.locator("dialog h2").all_inner_texts() == ["Keys of Ann"]
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog h2 >> text=Before and after")
