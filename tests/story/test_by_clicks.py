"""The whole loop as people see it: two browser windows over real vLLM and a real edit, by clicks alone."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests_support_browser import Browsing, ask
from tests_support_story import Served

pytestmark = [pytest.mark.engine, pytest.mark.heavy, pytest.mark.browser, pytest.mark.timeout(1800)]

QUESTION, SUBJECT, RIGHT = "What year was the Pact of Ellisburg signed?", "Pact of Ellisburg", "1388"
AT_WORK = re.compile("Working ahead|Gathering approvals|Solving|Verifying|Writing")
WORDINGS = (
    "In what year was the Pact of Ellisburg signed?",
    "When was the Pact of Ellisburg signed?",
    "The Pact of Ellisburg was signed in what year?",
    "In which year was the Pact of Ellisburg signed?",
)
MINUTES = 60_000


def picture(page: Any, name: str) -> None:
    """A look at what the test saw, where ERRATA_STORY_PICTURES names a folder."""
    if folder := os.environ.get("ERRATA_STORY_PICTURES"):
        page.wait_for_timeout(400)
        page.screenshot(path=Path(folder) / f"{name}.png")


def answer_again(user: Any, name: str) -> tuple[str, str]:
    """Ask in a new chat: the answer and the route on its badge."""
    user.click("#er-new")
    user.wait_for_selector(".er-welcome")
    ask(user, QUESTION)
    picture(user, name)
    return user.locator("#er-bot").inner_text(), user.locator(".er-opener .er-badge").last.inner_text()


def test_a_wrong_answer_is_made_right_by_clicks(served: Served, chromium: Any) -> None:
    browsing = Browsing(chromium, served.url)
    user = browsing.sign_in("user", "story-user-password")
    user.set_default_timeout(3 * MINUTES)
    ask(user, QUESTION)
    picture(user, "1-asked")
    assert RIGHT not in user.locator("#er-bot").inner_text()
    user.click("[data-act=flag]")
    user.fill("dialog [name=correct_answer]", RIGHT)
    user.fill("dialog [name=evidence]", "https://treaties.example/ellisburg")
    user.click("dialog [type=submit]")
    user.wait_for_selector("text=Your report is in")
    user.click("[data-act=reports]")
    user.locator("dialog article", has_text=SUBJECT).wait_for()
    picture(user, "2-my-reports")
    user.keyboard.press("Escape")

    admin = browsing.sign_in("admin", "story-admin-password", "/admin/")
    admin.set_default_timeout(3 * MINUTES)
    admin.locator(".er-row", has_text=SUBJECT).click()
    admin.locator(".er-detail-head h2", has_text=SUBJECT).wait_for()
    picture(admin, "3-queue")
    assert "replies lack the right answer" in admin.locator("article.er-detail").inner_text()
    if admin.get_by_role("button", name="Edit weights instead").count():
        admin.get_by_role("button", name="Edit weights instead").click()
        admin.fill("dialog [name=reason]", "A treaty was signed once.")
        admin.click("dialog [type=submit]")
        admin.get_by_role("button", name="Use knowledge instead").wait_for()
    admin.keyboard.press("e")
    admin.fill("dialog [name=subject]", SUBJECT)
    admin.fill("dialog [name=paraphrases]", "\n".join(WORDINGS[:-1]))
    admin.fill("dialog [name=probes]", WORDINGS[-1])
    admin.click("dialog [type=submit]")
    admin.locator(".er-lines >> text=" + WORDINGS[0]).wait_for()
    admin.keyboard.press("a")
    admin.fill("dialog [name=reason]", "The treaty is dated.")
    admin.click("dialog [type=submit]")

    said, badge = answer_again(user, "4-by-card")
    assert RIGHT in said
    assert badge in ("Correction", "Model")
    admin.locator(".er-worker", has_text=AT_WORK).wait_for()
    picture(admin, "5-batch")
    admin.get_by_role("tab", name="Live edits").click()
    admin.locator("td", has_text=SUBJECT).wait_for(timeout=10 * MINUTES)
    picture(admin, "6-in-force")
    is_live = admin.locator("tr", has_text=SUBJECT).locator("text=Fixed in the model").count() == 1
    admin.get_by_role("tab", name="Versions").click()
    admin.wait_for_selector(".er-timeline")
    picture(admin, "7-versions")
    admin.get_by_role("tab", name="Log").click()
    admin.locator("tr", has_text="Report moved on").first.get_by_role("button", name="Prove it").click()
    admin.wait_for_selector("dialog >> text=is in the log of")
    picture(admin, "8-proof")

    # The page asks at the model's own temperature: an edit that says so greedily may say it otherwise once.
    for name in ("9-asked-again", "9-and-again", "9-once-more"):
        said, badge = answer_again(user, name)
        if RIGHT in said:
            break
    assert RIGHT in said
    assert badge == ("Model" if is_live else "Correction")
    user.click("[data-act=reports]")
    card = user.locator("dialog article", has_text=SUBJECT)
    card.get_by_role("button", name="Fixed: try it").click()
    user.wait_for_selector(".er-compare")
    picture(user, "10-before-and-after")

    if is_live:
        admin.keyboard.press("Escape")
        admin.get_by_role("tab", name="Live edits").click()
        admin.locator("tr", has_text=SUBJECT).get_by_role("button", name="Undo").click()
        admin.fill("dialog [name=reason]", "The date was misread.")
        admin.click("dialog [type=submit]")
        admin.locator("tr", has_text=SUBJECT).wait_for(state="detached")
        picture(admin, "11-undone")
        said, badge = answer_again(user, "12-as-before")
        assert RIGHT not in said
        assert badge == "Model"
    browsing.end()
