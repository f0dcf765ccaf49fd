"""Single keys on the admin page, in a real browser: they can be turned off, and they decide about what is shown."""

import pytest

pytestmark = pytest.mark.browser


def test_single_keys_can_be_turned_off_and_stay_so(open_page):
    page = open_page("admin", "/admin/")
    page.wait_for_selector(".er-row")
    page.click("[data-act=keys]")
    page.keyboard.press("j")
    page.wait_for_timeout(300)
    assert page.locator("#er-detail h2").count() == 0
    page.reload()
    page.wait_for_selector(".er-row")
    page.keyboard.press("j")
    page.wait_for_timeout(300)
    assert page.locator("#er-detail h2").count() == 0
    page.click("[data-act=keys]")
    page.keyboard.press("j")
    page.wait_for_selector("#er-detail h2")


def test_a_key_decides_about_no_report_but_the_chosen_one(open_page):
    page = open_page("admin", "/admin/")
    page.locator(".er-row").nth(0).click()
    page.wait_for_selector("#er-detail h2")
    page.evaluate("() => { window.errataSend = () => {}; }")  # the server is slow to draw the next one
    page.keyboard.press("j")
    page.keyboard.press("a")
    assert page.locator("dialog[open]").count() == 0
