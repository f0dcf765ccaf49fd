"""The admin page in a real browser over the real gateway: decide, undo, restore, keep knowledge, prove the log."""

import dataclasses
import json

import pytest

from governance.corrections import Remedy, Status
from governance.versions import BASE
from tests_support_world import ATTACK, until
from ui.admin_texts import ADMIN

pytestmark = pytest.mark.browser

SEEN = {  # words of each tab that no other has
    "Queue": "Who wrote Middlemarch?",
    "Live edits": "Who painted the Mona Lisa?",
    "Versions": "Asked directly",
    "Knowledge": "Canteen prices",
    "Erasure": "File a request",
    "Log": "Prove it",
    "People": "Add a person",
    "Health": "A chat would be answered",
}


def choose(page, question: str) -> None:
    page.locator(".er-row", has_text=question).click()
    page.locator(".er-detail-head h2", has_text=question).wait_for()


def fill_and_send(page, **fields: str) -> None:
    page.wait_for_selector("dialog")
    for name, value in fields.items():
        page.fill(f"dialog [name={name}]", value)
    page.click("dialog [type=submit]")


def tab(page, name: str):
    """Open a tab and wait until it has been drawn."""
    page.get_by_role("tab", name=name).click()
    page.wait_for_timeout(700)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_tab_is_in_plain_reach_on_a_phone(open_page, scheme):
    phone = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True}
    page = open_page("admin", "/admin/", color_scheme=scheme, **phone)
    page.wait_for_selector(".er-row")
    for name in ADMIN.tabs:
        tapped = page.get_by_role("tab", name=name, exact=True)
        box = tapped.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 36
        tapped.tap()
        page.locator(f"[role=tabpanel]:visible >> text={SEEN[name]}").first.wait_for()
        assert tapped.get_attribute("aria-selected") == "true"
        assert page.locator("[role=tabpanel]:visible").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_by_role("button", name="More tabs").count() == 0


def test_a_report_is_judged_by_its_evidence_and_approved_by_keyboard(open_page, world):
    page = open_page("admin", "/admin/")
    choose(page, "When was the Halden Bridge built?")
    shown = page.locator("article.er-detail").inner_text()
    for words in (
        "1903",
        "1911",
        "6 of 6 replies lack the right answer",
        "Does not change with time",
        "Approvals: 0 of 1",
    ):
        assert words in shown
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Print").click()
    assert "1911" in opened.value.locator("body").inner_text()
    opened.value.close()
    page.keyboard.press("a")
    fill_and_send(page, reason="The plaque says so.")
    assert until(lambda: world.report("When was the Halden Bridge built?").status is Status.APPROVED)
    decided = world.report("When was the Halden Bridge built?")
    assert [approval.reason for approval in decided.approvals] == ["The plaque says so."]
    assert decided.fallback == "knowledge"
    world.working("solving", 2, 5)
    page.wait_for_selector(".er-worker >> text=step 2 of 5")


def test_the_queue_is_walked_with_j_and_k_in_the_order_that_is_chosen(open_page, world):
    store = world.services.records.store
    with store.transaction():
        store.write("UPDATE corrections SET priority = 4 WHERE id = :id", id=world.report("Who wrote Middlemarch?").id)
    page = open_page("admin", "/admin/")
    page.wait_for_selector(".er-row")
    assert page.locator(".er-row-title").first.inner_text() == "Who wrote Middlemarch?"
    page.keyboard.press("j")
    page.locator(".er-detail-head h2", has_text="Middlemarch").wait_for()
    page.keyboard.press("j")
    page.locator(".er-detail-head h2", has_text="Middlemarch").wait_for(state="detached")
    page.keyboard.press("k")
    page.locator(".er-detail-head h2", has_text="Middlemarch").wait_for()
    page.locator("#er-sort input").click()
    page.get_by_role("option", name="Newest").click()
    page.locator(".er-row-title >> nth=0", has_text="When was the Halden Bridge built?").wait_for()


def test_a_claim_is_edited_rerouted_and_rejected(open_page, world):
    page = open_page("reviewer", "/admin/")
    choose(page, "Who wrote Middlemarch?")
    assert page.locator("[data-key=a]").count() == 0
    assert page.locator("article.er-detail >> text=Written by rule").count() == 3
    page.keyboard.press("e")
    page.wait_for_selector("dialog")
    assert "Middlemarch" in page.input_value("dialog [name=probes]")
    fill_and_send(
        page,
        subject="Middlemarch",
        paraphrases="Middlemarch is by whom?\nName the author of Middlemarch.",
        neighbours="Who wrote Emma?",
    )
    page.wait_for_selector("text=Name the author of Middlemarch.")
    assert page.locator("article.er-detail >> text=Written by rule").count() == 1
    page.get_by_role("button", name="Use knowledge instead").click()
    fill_and_send(page, reason="Rather a note.")
    page.locator(".er-detail-head >> text=Answer from knowledge").wait_for()
    page.keyboard.press("r")
    fill_and_send(page, reason="Already known.")
    assert until(lambda: world.report("Who wrote Middlemarch?").status is Status.REJECTED)
    decided = world.report("Who wrote Middlemarch?")
    assert decided.paraphrases == ("Middlemarch is by whom?", "Name the author of Middlemarch.")
    assert decided.neighbours == ("Who wrote Emma?",)
    assert decided.probes == ()  # what was left as the rules wrote it follows the question
    assert decided.moves[-1].reason == "Already known."


def test_a_refusal_is_shown_in_the_gateways_words(open_page, world):
    page = open_page("admin", "/admin/")
    choose(page, "What does an espresso cost today?")
    page.get_by_role("button", name="Edit weights instead").click()
    fill_and_send(page, reason="I insist.")
    page.wait_for_selector("text=cannot be edited into weights")
    assert world.report("What does an espresso cost today?").remedy is Remedy.KNOWLEDGE


def test_two_admins_decide_at_once_and_the_second_is_told(open_page, world):
    first, second = open_page("admin", "/admin/"), open_page("reviewer", "/admin/")
    for page in (first, second):
        choose(page, "When was the Halden Bridge built?")
    second.keyboard.press("r")
    second.wait_for_selector("dialog")
    first.keyboard.press("a")
    fill_and_send(first, reason="Right.")
    assert until(lambda: world.report("When was the Halden Bridge built?").status is Status.APPROVED)
    fill_and_send(second, reason="Wrong.")
    second.wait_for_selector("dialog .er-problem >> text=approved")
    assert world.report("When was the Halden Bridge built?").status is Status.APPROVED
    second.locator(".er-row", has_text="Halden").wait_for(state="detached")


def test_a_preview_shows_before_and_after(open_page, world):
    page = open_page("admin", "/admin/")
    choose(page, "When was the Halden Bridge built?")
    with world.answering_previews():
        page.get_by_role("button", name="Preview").click()
        table = page.locator("dialog table")
        table.wait_for()
    assert table.locator("tbody tr").count() == 4
    assert "It is 1911." in table.inner_text()
    assert world.report("When was the Halden Bridge built?").status is Status.QUEUED


def test_the_kill_switch_an_undo_and_a_return_to_a_version(open_page, world):
    page = open_page("admin", "/admin/")
    versions, edited = world.services.records.versions, world.services.serving.version.id
    painted = world.report("Who painted the Mona Lisa?").id
    tab(page, "Versions")
    page.get_by_role("button", name="Serve the base model now").click()
    fill_and_send(page, reason="To be safe.")
    assert until(lambda: versions.desired().id == BASE)
    world.serve(BASE, rolled_back=[painted])
    page.get_by_role("button", name="Serve the base model now").wait_for(state="detached")
    page.locator(".er-timeline li", has_text=edited[:12]).get_by_role("button", name="Restore").click()
    fill_and_send(page, reason="All is well.")
    assert until(lambda: versions.desired().id == edited)
    world.serve(edited, relived=[painted])
    page.locator(".er-timeline li.er-on", has_text=edited[:12]).wait_for()
    assert page.locator(".er-figure svg").count() == 5
    tab(page, "Live edits")
    page.get_by_role("button", name="Undo").click()
    fill_and_send(page, reason="It was right before.")
    assert until(lambda: world.report("Who painted the Mona Lisa?").undo_requested)
    page.wait_for_selector("td >> text=being undone")
    world.serve(BASE, rolled_back=[painted])
    page.wait_for_selector("text=No correction is live yet.")


def test_a_fact_past_its_review_date_is_shown_again_until_somebody_says_that_it_stands(open_page, world):
    painted = world.report("Who painted the Mona Lisa?").id
    with world.services.records.store.transaction():
        world.services.records.store.write(
            "UPDATE corrections SET review_due = '2020-01-01T00:00:00.000000Z' WHERE id = :id", id=painted
        )
    world.ledger.probed_again(painted, holds=False, reply="Raphael painted it.")
    page = open_page("admin", "/admin/")
    tab(page, "Live edits")
    card = page.locator(".er-card", has_text="Does not hold when asked today")
    assert "Raphael painted it." in card.inner_text()
    card.get_by_role("button", name="It stands").click()
    card.wait_for(state="detached")
    assert not world.ledger.due_for_review()


def test_an_entry_is_proved_and_a_changed_one_is_not(open_page, world, monkeypatch):
    page = open_page("auditor", "/admin/")
    tab(page, "Log")
    page.locator("tr", has_text="Version served").first.get_by_role("button", name="Prove it").click()
    page.wait_for_selector("dialog >> text=is in the log of")
    page.keyboard.press("Escape")
    log = world.services.records.log
    honest, n = type(log).entries, log.size() - 3

    def forged(self, since=0, limit=1000):
        """A gateway that shows another entry than the one that the log holds."""
        found = honest(self, since=since, limit=limit)
        return [dataclasses.replace(e, text=json.dumps(e.data | {"at": "2020"})) if e.n == n else e for e in found]

    monkeypatch.setattr(type(log), "entries", forged)
    page.click(f"[data-act=prove][data-id='{n}']")
    page.wait_for_selector("dialog >> text=The proof does not hold")


def test_people_are_added_and_their_secrets_shown_once(open_page, world):
    page = open_page("admin", "/admin/")
    tab(page, "People")
    page.get_by_role("button", name="Add a person").click()
    page.select_option("dialog [name=role]", "reviewer")
    fill_and_send(page, name="nora@example.org")
    page.wait_for_selector("dialog >> text=Shown once: nora@example.org")
    assert page.locator("dialog .er-mono").count() == 2
    page.keyboard.press("Escape")
    page.locator("tr", has_text="nora@example.org").get_by_role("button", name="Disable").click()
    page.click("dialog [type=submit]")
    assert until(lambda: world.account("nora@example.org").disabled)


def test_an_auditor_sees_no_text_and_changes_nothing(open_page, world):
    page = open_page("auditor", "/admin/")
    page.locator(".er-row").first.click()
    page.wait_for_selector("article.er-detail")
    assert page.locator(".er-actions button").count() == 0
    for name in ("Live edits", "Versions", "Knowledge", "People"):
        tab(page, name)
        assert page.locator("[role=tabpanel]:visible [data-dialog]").count() == 0
    page.get_by_role("cell", name="Reviewer", exact=True).wait_for()
    seen = page.content()
    assert [text for text in ("Halden", "Mona Lisa", "Jane Austen") if text in seen] == []


@pytest.mark.parametrize(("role", "searches"), [("auditor", False), ("reviewer", True)])
def test_only_who_reads_reports_is_offered_to_search_in_them(open_page, role, searches):
    page = open_page(role, "/admin/")
    page.wait_for_selector(".er-row")
    assert until(lambda: page.locator("#er-search").is_visible() is searches)


def test_a_reviewer_is_offered_neither_undo_nor_people_nor_secrets(open_page):
    page = open_page("reviewer", "/admin/")
    for name in ("Live edits", "Versions"):
        tab(page, name)
        assert page.locator("[role=tabpanel]:visible [data-dialog]").count() == 0
    tab(page, "People")
    page.wait_for_selector("text=Only admins and auditors see this.")


def test_health_says_what_is_down(open_page, world):
    world.engine.is_up = False
    page = open_page("admin", "/admin/")
    page.wait_for_selector(".er-strip >> text=Not ready")
    tab(page, "Health")
    page.wait_for_selector("text=A chat would not be answered now.")
    page.wait_for_selector("dd >> text=does not answer")


def test_nothing_in_the_queue_runs(open_page, world):
    flagged = world.flag(
        "<b>Who</b> is {{constructor}}?" + ATTACK.format("question"),
        ATTACK.format("old"),
        ATTACK.format("new"),
        comment=ATTACK.format("comment"),
        evidence=["javascript:window.hacked=1", ATTACK.format("evidence")],
        subject="${window.hacked='template'}",
    )
    world.triage(flagged.id)
    world.add_document(ATTACK.format("title"), ATTACK.format("text"))
    page = open_page("admin", "/admin/")
    choose(page, "{{constructor}}")
    for key in ("a", "r", "e"):
        page.keyboard.press(key)
        page.wait_for_selector("dialog")
        page.keyboard.press("Escape")
    for name in ("Knowledge", "People", "Log"):
        tab(page, name)
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, dialog img, .gradio-container img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0


def test_the_first_of_ten_thousand_reports_are_shown_quickly_and_the_rest_is_in_reach(open_page, world):
    """The aim is 2 s on two cores of their own (docs/LOG.md); the bounds are for a busy machine."""
    world.crowd(10_000)
    open_page("admin", "/admin/")  # what is measured is the queue, not the first start of a cold browser
    page = open_page("admin", "/admin/")
    page.wait_for_selector(".er-row")
    shown_ms = page.evaluate("performance.now()")
    painted_ms = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert page.locator(".er-row").count() == 50
    assert painted_ms < 12_000
    assert shown_ms < 30_000
    page.get_by_role("button", name="Show more").click()
    page.wait_for_function("document.querySelectorAll('.er-row').length === 100")
    page.fill("#er-search :is(input, textarea)", "number 9876")
    page.locator(".er-row-title >> nth=0", has_text="number 9876").wait_for()
    assert page.locator(".er-row").count() == 1
