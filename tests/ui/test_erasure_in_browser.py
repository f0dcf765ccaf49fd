"""Erasure by clicks over the real gateway: six steps to a certificate, and a person who asks for their own data."""

import json

import pytest

from tests_support_world import until

pytestmark = pytest.mark.browser

NAME = "Ann Zebra-Lee"


def send(page, **fields: str) -> None:
    page.wait_for_selector("dialog[open]")
    for name, value in fields.items():
        page.fill(f"dialog [name={name}]", value)
    page.click("dialog [type=submit]")


def erasures(world):
    return world.app.state.erasing.requests.list()


def test_somebody_without_an_account_is_erased_step_by_step(open_page, world):
    world.add_document("Staff", f"{NAME} works in room 12.")
    flagged = world.flag(f"Who is {NAME}?", "She sings.", f"{NAME} is a surveyor", by="other", category="personal")
    page = open_page("admin", "/admin/")
    page.get_by_role("tab", name="Erasure").click()
    page.get_by_role("button", name="File a request").click()
    send(page, names=NAME, statement="I do not want to be found.")
    page.locator("h2", has_text=NAME).wait_for()
    page.get_by_role("button", name="Identity verified").click()
    send(page, how="By her passport.")
    page.locator(".er-checklist dd", has_text="By her passport.").wait_for()
    page.get_by_role("button", name="Find", exact=True).click()
    send(page)
    page.locator(".er-checklist td", has_text="documents").first.wait_for()
    page.get_by_role("button", name="Choose the method").click()
    send(page, reason="She never agreed.")
    page.locator(".er-checklist td", has_text="Delete documents").wait_for()
    page.get_by_role("button", name="Approve").click()
    send(page, reason="Decided as it should be.")
    page.get_by_role("button", name="Carry out").click()
    send(page)
    page.locator(".er-checklist td", has_text="She never agreed.").or_(
        page.locator(".er-checklist dt", has_text="Texts left")
    ).first.wait_for(timeout=60_000)
    assert until(lambda: erasures(world)[0].status == "verified", 30)
    assert {d.title for d in world.services.knowledge.documents()} == {"Canteen prices", "Opening hours"}
    assert NAME not in str(world.ledger.get(flagged.id).claim)
    page.get_by_role("button", name="Close and certify").click()
    page.wait_for_selector("dialog[open]")
    page.select_option("dialog [name=told]", "yes")
    page.click("dialog [type=submit]")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the certificate").click()
    certificate = json.loads(download.value.path().read_text())
    assert certificate
    assert NAME not in json.dumps(certificate)


def test_a_user_asks_to_be_erased_and_sees_how_it_stands(open_page, world):
    page = open_page("other")
    page.click("[data-act=my-data]")
    send(page, statement="I leave the firm.")
    page.wait_for_selector("text=Your request is in")
    (filed,) = erasures(world)
    assert filed.account_id == world.account("other").id
    page.click("[data-act=my-data]")
    page.wait_for_selector("dialog article >> text=Received")
    assert page.locator("dialog [type=submit]").count() == 0
    auditor = open_page("auditor", "/admin/")
    auditor.get_by_role("tab", name="Erasure").click()
    auditor.locator("td", has_text="an account holder").wait_for()
    auditor.get_by_role("button", name="Open").click()
    auditor.wait_for_selector(".er-checklist")
    assert "I leave the firm." not in auditor.content()
    assert auditor.locator("[role=tabpanel]:visible [data-dialog]").count() == 0


def test_a_request_is_refused_with_its_ground(open_page, world):
    world.app.state.erasing.requests.file(
        world.account("other"), subject=_subject(world.account("other").id), kind="erasure", law="gdpr", statement=""
    )
    page = open_page("admin", "/admin/")
    page.get_by_role("tab", name="Erasure").click()
    page.get_by_role("button", name="Open").click()
    page.locator("h2", has_text="the account other").wait_for()
    page.get_by_role("button", name="Refuse").click()
    send(page, reason="Nobody answered when we asked who it is.")
    page.locator(".er-detail-head .er-badge", has_text="Refused").wait_for()
    assert page.locator("[role=tabpanel]:visible [data-dialog]").count() == 0


def _subject(account_id):
    from governance.requests import Subject

    return Subject((), (), account_id)
