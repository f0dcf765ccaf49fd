"""axe-core over every view, in light and dark and on a phone: nothing serious, by the rules of WCAG 2.1 A and AA."""

import pytest

pytestmark = pytest.mark.browser

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
DESKTOP: dict = {}
PHONE = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True}


def answered(page, ask):
    ask(page, "When was the Halden Bridge built?")
    ask(page, "What does an espresso cost?")
    page.click(".er-opener >> nth=-1")


def reporting(page, ask):
    ask(page, "When was the Halden Bridge built?")
    page.click("[data-act=flag]")
    page.wait_for_selector("dialog[open]")


def own_reports(page, ask):
    page.click("[data-act=reports]")
    page.wait_for_selector("dialog article")


def broken_off(page, ask):
    page.context.set_offline(True)
    page.wait_for_selector("#er-offline:visible")


def judging(page, ask):
    page.get_by_role("tab", name="Queue").click()
    page.locator(".er-row", has_text="Halden").click()
    page.wait_for_selector("article.er-detail")


def approving(page, ask):
    judging(page, ask)
    page.keyboard.press("a")
    page.wait_for_selector("dialog[open]")


def proving(page, ask):
    page.get_by_role("tab", name="Log").click()
    page.click("[data-act=prove]:visible >> nth=0")
    page.wait_for_selector("dialog[open]")


def opened(name):
    def open_tab(page, ask):
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(1200)

    return open_tab


def nothing(page, ask):
    pass


CHAT = {"welcome": nothing, "answers": answered, "report": reporting, "my reports": own_reports, "offline": broken_off}
ADMIN = {name: opened(name) for name in ("Live edits", "Versions", "Knowledge", "Erasure", "Log", "People", "Health")}
ADMIN |= {"proof": proving, "queue": judging, "approve": approving}


def serious(page):
    """What axe-core finds serious or critical: rule, element and what it says of it."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]})
    return [
        (violation["id"], node["html"][:200], node["failureSummary"][:300])
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", ["/", "/admin/"])
def test_axe_finds_nothing_serious(open_page, ask, path, size, scheme):
    """One sign-in per look, the views one after another."""
    page = open_page("user" if path == "/" else "admin", path, color_scheme=scheme, **size)
    page.wait_for_selector(".er-welcome" if path == "/" else ".er-row")
    findings = {}
    for name, show in (CHAT if path == "/" else ADMIN).items():
        if size is PHONE and name == "my reports":
            page.click(".sidebar .toggle-button")
            page.wait_for_timeout(400)
        show(page, ask)
        page.wait_for_timeout(300)
        if found := serious(page):
            findings[name] = found
        page.keyboard.press("Escape")
    assert findings == {}


def test_axe_finds_nothing_serious_at_the_sign_in_page(world, chromium):
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(f"{world.url}/login")
        assert serious(page) == []
        context.close()
