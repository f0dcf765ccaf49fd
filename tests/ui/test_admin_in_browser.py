"""The admin page in a real browser: decide, undo, restore, keep knowledge, prove the log; and what each role may not see."""

import time

import pytest

pytestmark = pytest.mark.browser

ATTACK = "<img src=x onerror=\"window.hacked='{0}'\"><script>window.hacked='{0}'</script>"


def choose(page, question: str) -> None:
    page.locator(".er-row", has_text=question).click()
    page.locator(".er-detail-head h2", has_text=question).wait_for()


def fill_and_send(page, **fields: str) -> None:
    page.wait_for_selector("dialog")
    for name, value in fields.items():
        page.fill(f"dialog [name={name}]", value)
    page.click("dialog [type=submit]")


def status_of(world, question: str) -> str:
    return next(row["status"] for row in world.reports.values() if row["claim"]["question"] == question)


def until(true, seconds: float = 8.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def test_a_report_is_judged_by_its_evidence_and_approved_by_keyboard(open_page, world):
    page = open_page("admin", "/admin/")
    page.wait_for_selector(".er-row")
    page.keyboard.press("j")
    page.wait_for_selector("article.er-detail")
    shown = page.locator("article.er-detail").inner_text()
    for words in (
        "Steve Jobs",
        "Tim Cook",
        "5 of 6 replies lack the right answer",
        "Does not change with time",
        "Approvals: 0 of 1",
    ):
        assert words in shown
    page.keyboard.press("a")
    fill_and_send(page, reason="The company says so.")
    assert until(lambda: status_of(world, "Who is the CEO of Apple?") == "approved")
    row = next(iter(world.reports.values()))
    assert row["approvals"][0]["reason"] == "The company says so."
    assert row["fallback"] == "knowledge"
    page.wait_for_selector(".er-worker >> text=step 2 of 5")


def test_a_claim_is_edited_rerouted_and_rejected(open_page, world):
    page = open_page("rhea", "/admin/")
    choose(page, "Who wrote Middlemarch?")
    assert page.locator("[data-key=a]").count() == 0
    page.keyboard.press("e")
    fill_and_send(page, subject="Middlemarch", paraphrases="Middlemarch is by whom?\nName the author of Middlemarch.")
    page.wait_for_selector("text=Name the author of Middlemarch.")
    page.get_by_role("button", name="Use knowledge instead").click()
    fill_and_send(page, reason="Rather a note.")
    page.locator(".er-detail-head >> text=Answer from knowledge").wait_for()
    page.keyboard.press("r")
    fill_and_send(page, reason="Already known.")
    assert until(lambda: status_of(world, "Who wrote Middlemarch?") == "rejected")
    row = next(r for r in world.reports.values() if r["claim"]["question"] == "Who wrote Middlemarch?")
    assert row["paraphrases"] == ["Middlemarch is by whom?", "Name the author of Middlemarch."]
    assert row["moves"][-1]["reason"] == "Already known."


def test_a_refusal_is_shown_in_the_gateways_words(open_page, world):
    page = open_page("admin", "/admin/")
    choose(page, "What does an espresso cost today?")
    page.get_by_role("button", name="Edit weights instead").click()
    fill_and_send(page, reason="I insist.")
    page.wait_for_selector("text=A fact that changes is never edited into weights.")
    assert status_of(world, "What does an espresso cost today?") == "queued"


def test_two_admins_decide_at_once_and_the_second_is_told(open_page, world):
    first, second = open_page("admin", "/admin/"), open_page("rhea", "/admin/")
    for page in (first, second):
        choose(page, "Who is the CEO of Apple?")
    second.keyboard.press("r")
    second.wait_for_selector("dialog")
    first.keyboard.press("a")
    fill_and_send(first, reason="Right.")
    assert until(lambda: status_of(world, "Who is the CEO of Apple?") == "approved")
    fill_and_send(second, reason="Wrong.")
    second.wait_for_selector("text=is not allowed from 'approved'")
    assert status_of(world, "Who is the CEO of Apple?") == "approved"


def test_a_preview_shows_before_and_after(open_page):
    page = open_page("admin", "/admin/")
    choose(page, "Who is the CEO of Apple?")
    page.get_by_role("button", name="Preview").click()
    table = page.locator("dialog table")
    table.wait_for()
    assert table.locator("tbody tr").count() == 4
    assert "It is Tim Cook." in table.inner_text()


def test_a_live_edit_is_undone_and_a_version_restored(open_page, world):
    page = open_page("admin", "/admin/")
    edited = world.served
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("button", name="Serve the base model now").click()
    fill_and_send(page, reason="To be safe.")
    assert until(lambda: world.served == "base")
    page.get_by_role("button", name="Serve the base model now").wait_for(state="detached")
    page.locator(".er-timeline li", has_text=edited[:12]).get_by_role("button", name="Restore").click()
    fill_and_send(page, reason="All is well.")
    assert until(lambda: world.served == edited)
    assert page.locator(".er-figure svg").count() == 5
    page.get_by_role("tab", name="Live edits").click()
    page.get_by_role("button", name="Undo").click()
    fill_and_send(page, reason="It was right before.")
    assert until(lambda: status_of(world, "Who painted the Mona Lisa?") == "rolled_back")
    page.wait_for_selector("text=No correction is live yet.")


def test_knowledge_is_added_uploaded_found_and_removed(open_page, world, tmp_path):
    page = open_page("admin", "/admin/")
    page.get_by_role("tab", name="Knowledge").click()
    page.get_by_role("button", name="Add a text").click()
    fill_and_send(
        page, title="Bus fares", text="A bus ride costs 2.40 euros.", as_of="2026-11-01", expires_at="2027-01-01"
    )
    page.wait_for_selector("td >> text=Bus fares")
    page.fill("#er-playground :is(input, textarea)", "what costs a bus ride")
    page.press("#er-playground :is(input, textarea)", "Enter")
    page.wait_for_selector("#er-found >> text=2.40 euros")
    file = tmp_path / "train.md"
    file.write_text("A train ride costs 5 euros.")
    page.set_input_files("#er-upload input, input[type=file]", str(file))
    page.wait_for_selector("td >> text=train.md")
    page.locator("tr", has_text="Bus fares").get_by_role("button", name="Remove").click()
    page.click("dialog [type=submit]")
    page.wait_for_selector("td >> text=Bus fares", state="detached")
    assert {d["title"] for d in world.documents.values()} == {"Canteen prices", "Opening hours", "train.md"}


def test_an_entry_is_proved_and_a_changed_one_is_not(open_page, world):
    page = open_page("otto", "/admin/")
    page.get_by_role("tab", name="Log").click()
    page.locator("tr", has_text="correction.live").get_by_role("button", name="Prove it").click()
    page.wait_for_selector("dialog >> text=is in the log of")
    page.keyboard.press("Escape")
    honest = world.entries[2]
    world.forged = {2: honest.replace(b"flagged", b"forgery")}
    page.click("[data-act=prove][data-id='3']")
    page.wait_for_selector("dialog >> text=The proof does not hold")


def test_people_are_added_and_their_secrets_shown_once(open_page, world):
    page = open_page("admin", "/admin/")
    page.get_by_role("tab", name="People").click()
    page.get_by_role("button", name="Add a person").click()
    page.select_option("dialog [name=role]", "reviewer")
    fill_and_send(page, name="Nora O'Neil")
    page.wait_for_selector("dialog >> text=Shown once: Nora O'Neil")
    assert "ek-" in page.locator("dialog").inner_text()
    page.keyboard.press("Escape")
    page.locator("tr", has_text="Nora O'Neil").get_by_role("button", name="Disable").click()
    page.click("dialog [type=submit]")
    assert until(lambda: world.people["Nora O'Neil"]["disabled"])


def test_an_auditor_sees_and_changes_nothing(open_page):
    page = open_page("otto", "/admin/")
    choose(page, "Who is the CEO of Apple?")
    assert page.locator(".er-actions button").count() == 0
    for tab in ("Live edits", "Versions", "Knowledge"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(700)
        assert page.locator("[role=tabpanel]:visible [data-dialog]").count() == 0
    page.get_by_role("tab", name="People").click()
    page.wait_for_selector("text=Only admins see this.")


def test_health_says_what_is_down(open_page, world):
    world.down = True
    page = open_page("admin", "/admin/")
    page.wait_for_selector(".er-strip >> text=Not ready")
    page.get_by_role("tab", name="Health").click()
    page.wait_for_selector("text=A chat would not be answered now.")


def test_nothing_in_the_queue_runs(open_page, world, fake):
    row = world.report(
        question=ATTACK.format("question"),
        answer=ATTACK.format("old"),
        correct_answer=ATTACK.format("new"),
        comment=ATTACK.format("comment"),
        evidence=["javascript:window.hacked=1", ATTACK.format("evidence")],
        priority=9,
    )
    world.triage(row)
    row["claim"]["subject"] = "{{constructor}} ${window.hacked='template'}"
    fake.add_document(world, title=ATTACK.format("title"), text=ATTACK.format("text"))
    world.people[ATTACK.format("person")] = {
        "id": "acc_x",
        "name": ATTACK.format("person"),
        "role": "user",
        "disabled": False,
        "created": fake.now(),
    }
    page = open_page("admin", "/admin/")
    page.wait_for_selector(".er-row")
    page.keyboard.press("j")
    page.wait_for_selector("article.er-detail")
    assert "${window.hacked='template'}" in page.locator("article.er-detail").inner_text()
    for key in ("a", "r", "e"):
        page.keyboard.press(key)
        page.wait_for_selector("dialog")
        page.keyboard.press("Escape")
    for tab in ("Knowledge", "People", "Log"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(700)
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, dialog img, .gradio-container img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0


def test_ten_thousand_reports_are_as_quick_as_ten(open_page, world):
    for n in range(10_000):
        world.reports[f"cor_{n}"] = next(iter(world.reports.values())) | {"id": f"cor_{n}"}
    page = open_page("admin", "/admin/")
    page.wait_for_selector(".er-row")
    assert page.locator(".er-row").count() == 50
    page.get_by_role("button", name="Show more").click()
    page.wait_for_function("document.querySelectorAll('.er-row').length === 100")
