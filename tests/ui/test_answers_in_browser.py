"""An answer as it is read and taken along: Markdown, code and formulas drawn, copied as written, a chat saved as a file."""

from pathlib import Path

import pytest

from tests_support_world import ANSWERS, CODE

pytestmark = pytest.mark.browser
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


def test_markdown_code_and_formulas_are_drawn(open_page, ask):
    page = open_page("user")
    ask(page, "show me code")
    answer = page.locator("#er-bot .message.bot, #er-bot .bot.message").last
    assert answer.locator("strong").inner_text() == "this"
    assert "print('<b>hi</b>')" in answer.locator("pre code").inner_text()
    assert answer.locator(".katex-display").count() == 1
    assert "$$" not in answer.inner_text()


@pytest.mark.parametrize("secure", [True, False], ids=["clipboard", "plain http in a network"])
def test_copy_takes_the_answer_as_it_was_written(open_page, ask, secure):
    page = open_page("user", **CLIPBOARD)
    page.evaluate("navigator.clipboard.writeText('stale')")
    if not secure:
        page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    ask(page, "show me code")
    page.click("[data-act=copy]")
    page.wait_for_selector("[data-act=copy].er-done")
    page.focus("#er-ask textarea")
    page.keyboard.press("Control+V")
    assert page.input_value("#er-ask textarea") == CODE


def test_a_copy_that_the_browser_refuses_is_said_so(open_page, ask):
    page = open_page("user")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.evaluate("document.execCommand = () => false")
    ask(page, "show me code")
    page.click("[data-act=copy]")
    page.wait_for_selector("#er-live:has-text('Not copied')", state="attached")
    assert page.locator("[data-act=copy].er-done").count() == 0


def test_a_chat_is_saved_whole_as_markdown(open_page, ask, tmp_path: Path):
    page = open_page("user")
    ask(page, "When was the Halden Bridge built?")
    ask(page, "show me code")
    with page.expect_download() as coming:
        page.click("[data-act=export]")
    coming.value.save_as(tmp_path / "chat.md")
    saved = (tmp_path / "chat.md").read_text()
    assert coming.value.suggested_filename == "errata-chat.md"
    found = [
        saved.index(text) for text in ("When was the Halden Bridge built?", ANSWERS["halden"], "show me code", CODE)
    ]
    assert found == sorted(found)
