"""The chat page in a real browser over the real gateway: ask, stop, trace, report, keep."""

import time

import httpx
import pytest

from tests_support_browser import Browsing, begin_story, break_off, send
from tests_support_cable import Cable
from tests_support_world import ATTACK, until

pytestmark = pytest.mark.browser


def chats(world, name="user"):
    """That person's chats as the server keeps them: title and questions, last used first."""
    answers, account = world.services.records.answers, world.account(name)
    found, _ = answers.conversations(account.id)
    whole = [answers.conversation(chat.id) for chat in found]
    return [(chat.title, [turn.question for turn in chat.turns]) for chat in whole]


def test_an_answer_streams_is_traced_and_is_kept(open_page, ask, world):
    page = open_page("user")
    ask(page, "When was the Halden Bridge built?")
    assert "1903" in page.locator("#er-bot").inner_text()
    page.click(".er-opener")
    opened = page.locator(".er-how").inner_text()
    assert "answered from its own weights" in opened
    assert world.services.serving.version.id in opened
    assert page.locator("#er-chats [aria-current]").inner_text() == "When was the Halden Bridge built?"
    page.reload()
    page.click("#er-chats [data-act=open]")
    page.wait_for_selector(".er-opener")
    assert "1903" in page.locator("#er-bot").inner_text()


def test_a_hint_asks_for_a_newcomer(open_page, world):
    page = open_page("user")
    page.click("[data-act=hint] >> nth=0")
    page.wait_for_selector(".er-opener")
    assert chats(world) == [("When was the Halden Bridge built?", ["When was the Halden Bridge built?"])]


def test_a_citation_opens_its_passage_with_dates(open_page, ask):
    page = open_page("user")
    ask(page, "What does an espresso cost?")
    assert page.locator(".er-opener .er-badge").inner_text() == "Knowledge"
    page.click('a[href^="#source-"]')
    shown = page.locator("dialog").inner_text()
    assert "Canteen prices" in shown
    assert "as of 2026-11-20" in shown
    assert "3.20 euros" in shown
    page.keyboard.press("Escape")
    assert page.locator("dialog").count() == 0


def test_escape_stops_the_model_and_the_conversation_goes_on(open_page, ask, world):
    world.engine.token_s = 0.1
    page = open_page("user")
    send(page, "tell me a long story")
    page.wait_for_selector("text=word5")
    page.fill("#er-ask textarea", "typed meanwhile")
    page.wait_for_selector("text=word20")
    assert page.input_value("#er-ask textarea") == "typed meanwhile"
    page.keyboard.press("Escape")
    page.wait_for_selector("text=Cut short")
    page.wait_for_selector("#er-ask .submit-button")
    assert until(lambda: world.engine.aborted == 1)
    world.engine.token_s = 0
    ask(page, "When was the Halden Bridge built?")
    assert [questions for _, questions in chats(world)] == [
        ["tell me a long story", "When was the Halden Bridge built?"]
    ]


def test_shift_enter_starts_a_line_and_enter_sends(open_page, world):
    page = open_page("user")
    page.fill("#er-ask textarea", "first")
    page.press("#er-ask textarea", "Shift+Enter")
    page.keyboard.type("second")
    page.press("#er-ask textarea", "Enter")
    page.wait_for_selector(".er-opener")
    assert [questions for _, questions in chats(world)] == [["first\nsecond"]]


def test_a_report_is_followed_until_it_is_fixed_and_tried(open_page, ask, world):
    page = open_page("user")
    ask(page, "Who wrote Ulysses, Halden?")
    page.click("[data-act=flag]")
    form = page.locator("dialog")
    assert "1903" in form.inner_text()
    assert page.evaluate("document.activeElement.name") == "correct_answer"
    page.select_option("dialog [name=category]", "wrong")
    page.fill("dialog [name=question]", "Who wrote the novel Ulysses?")
    page.fill("dialog [name=correct_answer]", "James Joyce")
    page.fill("dialog [name=evidence]", "https://example.org/ulysses\n\nthe title page")
    page.click("dialog [type=submit]")
    page.wait_for_selector("text=Your report is in")
    report = world.reports()[-1]
    assert (report.claim.question, report.claim.canonical_question) == (
        "Who wrote Ulysses, Halden?",
        "Who wrote the novel Ulysses?",
    )
    assert report.evidence == ("https://example.org/ulysses", "the title page")
    page.click("[data-act=reports]")
    page.locator("dialog article", has_text="Ulysses").locator("li.er-on").wait_for()
    page.keyboard.press("Escape")
    world.triage(report.id)
    world.revise(report.id, subject="Ulysses")
    world.approve(report.id)
    page.click("[data-act=reports]")
    card = page.locator("dialog article", has_text="Ulysses")
    card.get_by_role("button", name="Try it now").click()
    page.wait_for_selector(".er-compare")
    compared = page.locator(".er-compare").inner_text()
    assert "1903" in compared
    assert "James Joyce" in compared
    assert page.locator(".er-opener .er-badge").last.inner_text() == "Correction"


def test_what_is_reported_already_is_said_when_the_form_opens_and_while_typing(open_page, ask):
    page = open_page("other")
    ask(page, "when was the halden bridge built")
    page.click("[data-act=flag]")
    page.wait_for_selector("dialog .er-dialog-note >> text=In review")
    page.fill("dialog [name=question]", "Who grows apples?")
    page.wait_for_selector("dialog .er-dialog-note >> text=In review", state="detached")
    page.fill("dialog [name=question]", "Who painted the Mona Lisa?")
    page.wait_for_selector("dialog .er-dialog-note >> text=Already corrected")
    assert "Leonardo" not in page.locator("dialog").inner_text()


def test_an_empty_right_answer_is_not_sent(open_page, ask, world):
    page = open_page("user")
    ask(page, "hello")
    before = len(world.reports())
    page.click("[data-act=flag]")
    page.click("dialog [type=submit]")
    assert page.locator("dialog").count() == 1
    assert len(world.reports()) == before


def test_chats_are_renamed_found_and_deleted(open_page, ask, world):
    page = open_page("user")
    ask(page, "apples")
    page.click("#er-new")
    page.wait_for_selector(".er-opener", state="detached")
    ask(page, "pears")
    page.locator("#er-chats li", has_text="apples").get_by_role("button", name="Rename").click()
    page.fill("dialog [name=title]", "Orchard")
    page.click("dialog [type=submit]")
    page.wait_for_selector("#er-chats >> text=Orchard")
    page.fill("#er-search-chats :is(input, textarea)", "orch")
    page.wait_for_selector("#er-chats >> text=pears", state="detached")
    page.fill("#er-search-chats :is(input, textarea)", "")
    page.wait_for_selector("#er-chats >> text=pears")
    page.locator("#er-chats li", has_text="pears").get_by_role("button", name="Delete").click()
    page.click("dialog [type=submit]")
    page.wait_for_selector("#er-chats >> text=pears", state="detached")
    page.wait_for_selector(".er-opener", state="detached")
    assert chats(world) == [("Orchard", ["apples"])]


def test_an_edited_question_and_a_retry_replace_the_last_turn_and_the_record_keeps_them(open_page, ask, world):
    page = open_page("user")
    ask(page, "Who is the CEO of Orange?")
    page.get_by_role("button", name="Edit question").click()
    page.fill("dialog [name=question]", "When was the Halden Bridge built?")
    page.click("dialog [type=submit]")
    page.wait_for_selector("text=1903")
    page.wait_for_selector(".er-opener")
    page.click("[data-act=retry]")
    records = world.services.records
    assert until(lambda: records.store.value("SELECT COUNT(*) FROM answers WHERE replaced_by IS NOT NULL") == 2)
    page.wait_for_selector(".er-opener")
    assert [questions for _, questions in chats(world)] == [["When was the Halden Bridge built?"]]
    assert records.store.value("SELECT COUNT(*) FROM answers") == 3


def test_an_engine_that_is_down_is_said_and_asking_again_works(open_page, world):
    page = open_page("user")
    world.engine.is_up = False
    send(page, "When was the Halden Bridge built?")
    page.wait_for_selector(".er-problem >> text=cannot be reached")
    world.engine.is_up = True
    page.click("[data-act=retry]")
    page.wait_for_selector(".er-opener")
    assert "1903" in page.locator("#er-bot").inner_text()
    assert chats(world) == [("When was the Halden Bridge built?", ["When was the Halden Bridge built?"])]


def test_an_engine_that_dies_in_mid_answer_leaves_what_was_said(open_page, world):
    page = open_page("user")
    break_off(page, world.engine)
    assert "word9" in page.locator("#er-bot").inner_text()
    page.click("[data-act=retry]")
    page.wait_for_selector("text=word511")
    page.wait_for_selector(".er-opener")
    assert [questions for _, questions in chats(world)] == [["a long story"]]


def test_a_slow_engine_is_waited_for_and_the_page_stays_usable(open_page, ask, world):
    page = open_page("user")
    ask(page, "apples")
    world.engine.token_s = 3
    send(page, "When was the Halden Bridge built?")
    page.wait_for_selector("text=Thinking")
    page.click("[data-act=reports]")
    page.wait_for_selector("dialog article")
    assert page.locator(".er-opener").count() == 1
    world.engine.token_s = 0
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelectorAll('.er-opener').length === 2")


def test_a_lost_connection_in_mid_answer_is_said_and_the_answer_is_on_the_server(open_page, world):
    world.engine.token_s = 0.005
    page = open_page("user")
    send(page, "a long story")
    page.wait_for_selector("text=word9")
    page.context.set_offline(True)
    page.wait_for_selector("#er-offline:visible")
    page.context.set_offline(False)
    page.wait_for_selector("#er-offline", state="hidden")
    assert until(lambda: chats(world))
    page.reload()
    page.click("#er-chats [data-act=open]")
    page.wait_for_selector("#er-bot >> text=word9")


def test_a_line_that_is_cut_in_mid_answer_stops_the_model_and_the_page_comes_back_where_it_was(world, chromium, ask):
    cable = Cable(int(world.url.rsplit(":", 1)[1]))
    browsing = Browsing(chromium, f"http://127.0.0.1:{cable.port}")
    page = browsing.open(world.session("user"))
    ask(page, "apples")
    begin_story(page, world.engine)
    page.fill("#er-ask textarea", "typed meanwhile")
    cable.cut()
    page.wait_for_selector("#er-offline:visible")
    assert until(lambda: world.engine.aborted == 1)
    world.engine.token_s = 0
    cable.mend()
    page.wait_for_selector("#er-chats [aria-current] >> text=apples", timeout=60_000)
    page.wait_for_selector("#er-bot >> text=word9")
    assert page.input_value("#er-ask textarea") == "typed meanwhile"
    browsing.end()
    cable.close()


def test_nothing_that_people_or_the_model_write_runs(open_page, ask, world):
    world.add_document(
        ATTACK.format("title"), "It may cost much. " + ATTACK.format("passage"), uri="javascript:window.hacked=1"
    )
    page = open_page("user")
    ask(page, "xss " + ATTACK.format("question"))
    ask(page, "What may it cost much?")
    page.click(".er-opener >> nth=-1")
    page.click(".er-sources button:visible >> nth=0")
    page.wait_for_selector("dialog blockquote")
    page.keyboard.press("Escape")
    page.click("[data-act=flag] >> nth=0")
    page.fill("dialog [name=correct_answer]", ATTACK.format("right answer"))
    page.click("dialog [type=submit]")
    page.wait_for_selector("text=Your report is in")
    page.click("[data-act=reports]")
    page.wait_for_selector("dialog article >> text=right answer")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert page.locator("#er-bot img, dialog img, #er-chats img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0


def test_a_conversation_of_500_messages_opens_quickly_and_shows_its_end(open_page, world):
    answers, account = world.services.records.answers, world.account("user")
    chat = answers.start_conversation(account.id, "Long")
    for n in range(250):
        answers.record(
            account_id=account.id,
            conversation_id=chat.id,
            question=f"question {n}",
            answer=f"answer {n}: " + "Some words of an answer, *with* `code`. " * 8,
            route="model",
            reason="",
            weights_version="base",
            finish_reason="stop",
        )
    page = open_page("user")
    began = time.monotonic()
    page.click("#er-chats [data-act=open]")
    page.wait_for_selector("text=answer 249")
    took = time.monotonic() - began
    assert page.locator(".er-opener").count() == 30
    assert took < 20, f"{took:.1f} s to show a chat of 500 messages"
    page.click("[data-act=earlier]")
    page.wait_for_function("document.querySelectorAll('.er-opener').length === 60")


def test_each_page_knows_nothing_of_the_other(world):
    user = {"errata_session": world.session("user")}
    chat = httpx.get(f"{world.url}/config", cookies=user).text
    for word in ("Live edits", "Prove it", "Serve the base model", "Search reports"):
        assert word not in chat
    for path in (
        "/admin",
        "/admin/",
        "/admin/config",
        "/admin/gradio_api/info",
        "/admin/gradio_api/queue/data",
        "/admin/theme.css",
    ):
        assert httpx.get(world.url + path, cookies=user).status_code in (403, 404)
    event = {"data": [], "fn_index": 0, "session_hash": "abc"}
    for prefix, cookies, refused in (("/admin", user, (403, 404)), ("", {}, (401,)), ("/admin", {}, (401,))):
        answer = httpx.post(f"{world.url}{prefix}/gradio_api/queue/join", json=event, cookies=cookies)
        assert answer.status_code in refused, prefix
    for file in (world.services.settings.database_path, world.services.settings.keys_dir / "master.key", "/etc/passwd"):
        assert httpx.get(f"{world.url}/gradio_api/file={file}", cookies=user).status_code in (403, 404)
    admin = httpx.get(f"{world.url}/admin/config", cookies={"errata_session": world.session("admin")}).text
    for secret in ("Mona Lisa", "Canteen", "Halden"):
        assert secret not in admin


def test_a_session_that_ended_says_so(open_page, world):
    page = open_page("user")
    store = world.services.records.store
    with store.transaction():
        store.write("DELETE FROM sessions")
    send(page, "hello")
    with page.context.expect_page() as opened:
        page.locator("dialog", has_text="Your session has ended").get_by_role("link", name="Sign in").click()
    opened.value.wait_for_selector("[name=password]")
