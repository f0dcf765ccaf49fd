"""Doing something else while an answer streams, in a real browser: it goes on, or it is marked, and nothing is drawn over."""

import time

import pytest

from governance.answers import Answers
from tests_support_browser import begin_story, send
from tests_support_world import World, until

pytestmark = pytest.mark.browser

BRIDGE = "When was the Halden Bridge built?"


def titles(world: World, name: str = "user") -> list[str]:
    answers: Answers = world.services.records.answers
    return [chat.title for chat in answers.conversations(world.account(name).id)[0]]


@pytest.fixture
def streaming(open_page, ask, world):
    """A page with one finished chat, "apples", and another one whose answer comes slowly."""
    page = open_page("user")
    ask(page, "apples")
    page.click("#er-new")
    page.wait_for_selector(".er-opener", state="detached")
    begin_story(page, world.engine)
    return page


def test_another_chat_is_deleted_and_the_answer_goes_on(streaming, world):
    page = streaming
    page.locator("#er-chats li", has_text="apples").get_by_role("button", name="Delete").click()
    page.click("dialog [type=submit]")
    page.wait_for_selector("#er-chats >> text=apples", state="detached")
    world.engine.token_s = 0
    page.wait_for_selector("text=word511")
    page.wait_for_selector(".er-opener")
    assert titles(world) == ["a long story"]


def test_a_chat_that_cannot_be_opened_leaves_an_answer_that_can_be_asked_again(streaming, world):
    page, answers, account = streaming, world.services.records.answers, world.account("user")
    gone = next(chat for chat in answers.conversations(account.id)[0] if chat.title == "apples")
    answers.delete(gone.id, account_id=account.id)
    page.locator("#er-chats [data-act=open]", has_text="apples").click()
    page.wait_for_selector("#er-bot .er-badge >> text=Cut short")
    world.engine.token_s = 0
    page.click("[data-act=retry]")
    page.wait_for_selector("text=word511")
    assert until(lambda: titles(world) == ["a long story"])


def test_the_chat_that_was_chosen_last_is_the_one_that_is_shown(open_page, ask, world, monkeypatch):
    page = open_page("user")
    for question in ("apples", "pears", "plums"):
        page.click("#er-new")
        page.wait_for_selector(".er-opener", state="detached")
        ask(page, question)
    answers, read, waits = world.services.records.answers, world.services.records.answers.conversation, [1.5, 0.8, 0.4]

    def slowly(*args, **more):
        time.sleep(waits.pop(0))
        return read(*args, **more)

    monkeypatch.setattr(answers, "conversation", slowly)
    for name in ("pears", "plums", "apples"):
        page.locator("#er-chats [data-act=open]", has_text=name).click()
        page.wait_for_timeout(100)
    page.wait_for_selector("#er-top h1 >> text=apples")
    assert until(lambda: not waits)
    page.wait_for_timeout(1800)
    assert page.locator("#er-top h1").inner_text() == "apples"
    assert page.locator("#er-chats [aria-current]").inner_text() == "apples"


def test_a_report_that_is_tried_meanwhile_hangs_up_and_begins_a_chat_of_its_own(open_page, world):
    report = world.report(BRIDGE)
    world.approve(report.id)
    page = open_page("user")
    begin_story(page, world.engine)
    page.click("[data-act=reports]")
    page.locator("dialog article", has_text=BRIDGE).get_by_role("button", name="Try it now").click()
    page.wait_for_selector(".er-compare")
    assert until(lambda: world.engine.aborted == 1)
    assert "word9" not in page.locator("#er-bot").inner_text()
    assert page.locator("#er-bot .er-opener").count() == 1


def test_a_chat_that_was_deleted_elsewhere_goes_on_in_a_new_one(open_page, ask, world):
    page, answers, account = open_page("user"), world.services.records.answers, world.account("user")
    ask(page, "apples")
    answers.delete(answers.conversations(account.id)[0][0].id, account_id=account.id)
    send(page, BRIDGE)
    page.wait_for_selector(".er-problem >> text=This chat has been deleted")
    page.click("[data-act=retry]")
    page.wait_for_selector("text=1903")
    assert until(lambda: titles(world) == [BRIDGE])


def test_a_renamed_chat_is_headed_and_filtered_by_its_new_name(open_page, ask):
    page = open_page("user")
    ask(page, "apples")
    page.locator("#er-chats li", has_text="apples").get_by_role("button", name="Rename").click()
    page.fill("dialog [name=title]", "Orchard")
    page.click("dialog [type=submit]")
    page.wait_for_selector("#er-top h1 >> text=Orchard")
    page.click("#er-new")
    page.wait_for_selector(".er-opener", state="detached")
    ask(page, "pears")
    page.fill("#er-search-chats :is(input, textarea)", "orch")
    page.wait_for_selector("#er-chats >> text=pears", state="detached")
    page.click("#er-chats [data-act=open]")
    page.wait_for_selector("#er-top h1 >> text=Orchard")
    page.wait_for_timeout(300)
    assert page.locator("#er-chats li").count() == 1


def test_more_chats_than_are_listed_are_a_click_away_and_all_own_reports_count(open_page, world):
    answers, account = world.services.records.answers, world.account("user")
    for n in range(70):
        answers.start_conversation(account.id, f"chat {n}")
    page = open_page("user")
    page.wait_for_selector("#er-chats li")
    assert page.locator("#er-chats li").count() == 60
    page.click("#er-chats [data-act=chats]")
    page.wait_for_function("document.querySelectorAll('#er-chats li').length === 70")
    mine = [r for r in world.reports() if r.reporter_id == account.id]
    assert page.locator("#er-account .er-badge").inner_text() == str(len(mine))


def test_an_auditor_is_offered_nothing_to_ask(open_page):
    page = open_page("auditor")
    page.wait_for_selector("#er-top >> text=Auditors read")
    assert page.locator("[data-act=hint]").count() == 0
    assert page.locator("#er-ask textarea").is_disabled()


def test_an_answer_that_reached_its_greatest_length_says_so(open_page, ask, world):
    page = open_page("user")
    ask(page, "a long story")
    page.wait_for_selector("#er-bot .er-badge >> text=Cut at the greatest length")
    page.reload()
    page.click("#er-chats [data-act=open]")
    page.wait_for_selector("#er-bot .er-badge >> text=Cut at the greatest length")


def test_a_title_that_is_stored_late_heads_no_other_chat(open_page, ask, world, monkeypatch):
    page = open_page("user")
    for question in ("apples", "pears"):
        page.click("#er-new")
        page.wait_for_selector(".er-opener", state="detached")
        ask(page, question)
    answers, rename = world.services.records.answers, world.services.records.answers.rename

    def slowly(*args, **more):
        time.sleep(1)
        rename(*args, **more)

    monkeypatch.setattr(answers, "rename", slowly)
    page.locator("#er-chats li", has_text="pears").get_by_role("button", name="Rename").click()
    page.fill("dialog [name=title]", "Orchard")
    page.click("dialog [type=submit]")
    page.locator("#er-chats [data-act=open]", has_text="apples").click()
    page.wait_for_selector("#er-top h1 >> text=apples")
    page.wait_for_timeout(1500)
    assert page.locator("#er-top h1").inner_text() == "apples"
    ask(page, BRIDGE)
    assert [
        len(answers.conversation(chat.id).turns) for chat in answers.conversations(world.account("user").id)[0]
    ] == [
        2,
        1,
    ]


def test_an_answer_is_hung_up_before_another_is_asked_for(open_page, world):
    world.approve(world.report(BRIDGE).id)
    page = open_page("user")
    begin_story(page, world.engine)
    began = world.engine.aborted
    page.evaluate(
        """() => {
          const bot = document.getElementById("er-bot");
          window.seen = [];
          const watching = new MutationObserver(() => window.seen.push(bot.innerText.includes("word9")));
          watching.observe(bot, { subtree: true, childList: true, characterData: true });
        }"""
    )
    page.click("[data-act=reports]")
    page.locator("dialog article", has_text=BRIDGE).get_by_role("button", name="Try it now").click()
    page.wait_for_selector(".er-compare")
    assert until(lambda: world.engine.aborted == began + 1)
    seen = page.evaluate("window.seen")
    assert not any(seen[seen.index(False) :]), "the old answer was drawn again over the new one"
