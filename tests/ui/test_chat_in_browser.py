"""The chat page in a real browser: ask, stop, trace, report, keep."""

import time

import httpx
import pytest

pytestmark = pytest.mark.browser

ATTACK = "<img src=x onerror=\"window.hacked='{0}'\"><script>window.hacked='{0}'</script>"


def test_an_answer_streams_is_traced_and_is_kept(open_page, ask, world):
    page = open_page("user")
    ask(page, "Who is the CEO of Apple?")
    assert "Steve Jobs" in page.locator("#er-bot").inner_text()
    page.click(".er-opener")
    opened = page.locator(".er-how").inner_text()
    assert "answered from its own weights" in opened
    assert world.served in opened
    assert page.locator("#er-chats [aria-current]").inner_text() == "Who is the CEO of Apple?"
    page.reload()
    page.click("#er-chats [data-act=open]")
    page.wait_for_selector(".er-opener")
    assert "Steve Jobs" in page.locator("#er-bot").inner_text()


def test_a_hint_asks_for_a_newcomer(open_page, world):
    page = open_page("user")
    page.click("[data-act=hint] >> nth=0")
    page.wait_for_selector(".er-opener")
    assert [c["title"] for c in world.conversations.values()] == ["Who is the CEO of Apple?"]


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
    page = open_page("user")
    page.fill("#er-ask textarea", "tell me a long story")
    page.press("#er-ask textarea", "Enter")
    page.wait_for_selector("text=word5")
    page.fill("#er-ask textarea", "typed meanwhile")
    page.wait_for_selector("text=word20")
    assert page.input_value("#er-ask textarea") == "typed meanwhile"
    page.keyboard.press("Escape")
    page.wait_for_selector("text=Stopped by you")
    page.wait_for_selector("#er-ask .submit-button")
    deadline = time.monotonic() + 5
    while not world.generations_stopped and time.monotonic() < deadline:
        time.sleep(0.05)
    assert world.generations_stopped == 1
    ask(page, "Who is the CEO of Apple?")
    assert len(world.conversations) == 1


def test_shift_enter_starts_a_line_and_enter_sends(open_page, world):
    page = open_page("user")
    page.fill("#er-ask textarea", "first")
    page.press("#er-ask textarea", "Shift+Enter")
    page.keyboard.type("second")
    page.press("#er-ask textarea", "Enter")
    page.wait_for_selector(".er-opener")
    assert [c["turns"][0]["question"] for c in world.conversations.values()] == ["first\nsecond"]


def test_a_report_is_followed_until_it_is_fixed_and_tried(open_page, ask, world):
    page = open_page("user")
    ask(page, "Who wrote Ulysses, Apple?")
    page.click("[data-act=flag]")
    form = page.locator("dialog")
    assert "Steve Jobs" in form.inner_text()
    page.select_option("dialog [name=category]", "wrong")
    page.fill("dialog [name=correct_answer]", "James Joyce")
    page.fill("dialog [name=evidence]", "https://example.org/ulysses\n\nthe title page")
    page.click("dialog [type=submit]")
    page.wait_for_selector("text=Your report is in")
    report = list(world.reports.values())[-1]
    assert report["claim"]["correct_answer"] == "James Joyce"
    assert report["evidence"] == ["https://example.org/ulysses", "the title page"]
    world.publish(report)
    page.click("[data-act=reports]")
    card = page.locator("dialog article", has_text="Who wrote Ulysses")
    card.locator("li.er-on >> nth=3").wait_for()
    card.get_by_role("button", name="Fixed: try it").click()
    page.wait_for_selector(".er-compare")
    compared = page.locator(".er-compare").inner_text()
    assert "Steve Jobs" in compared
    assert "James Joyce" in compared


def test_a_question_that_is_reported_already_says_so(open_page, ask):
    page = open_page("other")
    ask(page, "Who is the CEO of Apple?")
    page.click("[data-act=flag]")
    assert "Already reported" in page.locator("dialog").inner_text()


def test_an_empty_right_answer_is_not_sent(open_page, ask, world):
    page = open_page("user")
    ask(page, "hello")
    before = len(world.reports)
    page.click("[data-act=flag]")
    page.click("dialog [type=submit]")
    assert page.locator("dialog").count() == 1
    assert len(world.reports) == before


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
    assert [c["title"] for c in world.conversations.values()] == ["Orchard"]


def test_an_edited_question_replaces_the_last_one(open_page, ask, world):
    page = open_page("user")
    ask(page, "Who is the CEO of Orange?")
    page.get_by_role("button", name="Edit question").click()
    page.fill("dialog [name=question]", "Who is the CEO of Apple?")
    page.click("dialog [type=submit]")
    page.wait_for_selector("text=Steve Jobs")
    page.wait_for_selector(".er-opener")
    (conversation,) = world.conversations.values()
    assert [turn["question"] for turn in conversation["turns"]] == ["Who is the CEO of Apple?"]


@pytest.mark.parametrize(
    ("trouble", "said"), [({"down": True}, "engine is starting or down"), ({"hang_up_after": 2}, "does not answer")]
)
def test_trouble_is_said_and_asking_again_works(open_page, ask, world, trouble, said):
    page = open_page("user")
    world.__dict__.update(trouble)
    page.fill("#er-ask textarea", "Who is the CEO of Apple?")
    page.press("#er-ask textarea", "Enter")
    page.wait_for_selector(".er-problem")
    assert said in page.locator(".er-problem").inner_text()
    world.down, world.hang_up_after = False, None
    page.click("[data-act=retry]")
    page.wait_for_selector(".er-opener")
    assert "Steve Jobs" in page.locator("#er-bot").inner_text()


def test_nothing_that_people_or_the_model_write_runs(open_page, ask, world, fake):
    fake.add_document(
        world,
        title=ATTACK.format("title"),
        text=ATTACK.format("passage") + " what it may cost",
        uri="javascript:window.hacked=1",
    )
    fake_order = dict(reversed(list(world.passages.items())))
    world.passages.clear()
    world.passages.update(fake_order)
    page = open_page("user")
    ask(page, "xss " + ATTACK.format("question"))
    ask(page, "What does it cost?")
    page.click(".er-opener >> nth=-1")
    page.click(".er-sources button >> nth=0")
    page.wait_for_selector("dialog blockquote")
    page.keyboard.press("Escape")
    page.click("[data-act=flag] >> nth=0")
    page.fill("dialog [name=correct_answer]", ATTACK.format("right answer"))
    page.click("dialog [type=submit]")
    page.click("[data-act=reports]")
    page.wait_for_selector("dialog article")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert page.locator("#er-bot img, dialog img, #er-chats img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0


def test_a_long_conversation_opens_quickly_and_shows_its_end(open_page, world, fake):
    turns = [
        {"answer_id": f"ans_{n}", "question": f"question {n}", "answer": f"answer {n}", "created": fake.now(),
         "errata": {"route": "model", "weights_version": "base", "passages": []}}
        for n in range(250)
    ]  # fmt: skip
    world.conversations["con_long"] = {
        "id": "con_long",
        "owner": "user",
        "title": "Long",
        "created": fake.now(),
        "updated": fake.now(),
        "turns": turns,
    }
    page = open_page("user")
    page.click("#er-chats [data-act=open]")
    page.wait_for_selector("text=answer 249")
    assert page.locator(".er-opener").count() == 30
    page.click("[data-act=earlier]")
    page.wait_for_function("document.querySelectorAll('.er-opener').length === 60")


def test_each_page_knows_nothing_of_the_other(site, sign_in):
    user = {"errata_session": sign_in(site, "user")}
    chat = httpx.get(f"{site.url}/config", cookies=user).text
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
        assert httpx.get(site.url + path, cookies=user).status_code in (403, 404)
    admin = httpx.get(f"{site.url}/admin/config", cookies={"errata_session": sign_in(site, "admin")}).text
    for secret in ("Mona Lisa", "Canteen", "Tim Cook"):
        assert secret not in admin


def test_a_session_that_ended_says_so(open_page, world):
    page = open_page("user")
    world.sessions.clear()
    page.fill("#er-ask textarea", "hello")
    page.press("#er-ask textarea", "Enter")
    page.locator("dialog", has_text="Your session has ended").get_by_role("link", name="Sign in").click()
    page.wait_for_selector("[name=password]")
