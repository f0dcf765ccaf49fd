"""A headless Chromium with pages that watch themselves: what tests of the pages and browser stories share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.engines.scripted import ScriptedEngine

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def launch(playwright: Any) -> Any:
    """The Chromium of the machine, else Playwright's own."""
    where = {"executable_path": CHROMIUM} if Path(CHROMIUM).exists() else {}
    return playwright.chromium.launch(args=FLAGS, **where)


def launched() -> Iterator[Any]:
    """The body of a `chromium` fixture: skips where there is no browser, fails where ERRATA_REQUIRE_BROWSER asks for one."""
    must = os.environ.get("ERRATA_REQUIRE_BROWSER") == "1"
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        (pytest.fail if must else pytest.skip)("playwright is not installed: run `make install`")
    with sync_playwright() as playwright:
        try:
            browser = launch(playwright)
        except Error as error:
            (pytest.fail if must else pytest.skip)(f"no Chromium here: {error}")
        yield browser
        browser.close()


class Browsing:
    """The pages of one test. Foreign requests, dialogs of the browser and script errors are complaints at its end."""

    def __init__(self, browser: Any, url: str) -> None:
        self._browser, self._url = browser, url
        self._contexts: list[Any] = []
        self.complaints: list[str] = []

    def open(self, session: str, path: str = "/", **context: Any) -> Any:
        """A page of its own browser context, signed in by this cookie, and drawn."""
        made = self._browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **context})
        self._contexts.append(made)
        made.add_cookies([{"name": "errata_session", "value": session, "url": self._url, "sameSite": "Strict"}])
        page = self.watched(made.new_page())
        page.goto(self._url + path)
        page.wait_for_selector("#er-ask textarea" if path == "/" else ".er-strip")
        if path == "/":
            page.wait_for_selector("#er-account .er-line")
        return page

    def sign_in(self, name: str, password: str, path: str = "/") -> Any:
        """The same by the sign-in page, as a person does it."""
        made = self._browser.new_context(viewport={"width": 1280, "height": 860})
        self._contexts.append(made)
        page = self.watched(made.new_page())
        page.goto(self._url + path)
        page.fill("[name=username]", name)
        page.fill("[name=password]", password)
        page.click("button")
        page.wait_for_selector("#er-account .er-line" if path == "/" else ".er-strip")
        return page

    def watched(self, page: Any) -> Any:
        page.set_default_timeout(45_000)
        page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        page.on("console", lambda said: self._hear(said.text))
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self._look(request.url))
        return page

    def _hear(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.complaints.append(text)

    def _look(self, url: str) -> None:
        if not url.startswith((self._url, "data:", "blob:")):
            self.complaints.append(f"foreign request: {url}")

    def end(self) -> None:
        for context in self._contexts:
            context.close()
        assert self.complaints == []


def send(page: Any, question: str) -> None:
    """Ask, and wait for nothing."""
    page.fill("#er-ask textarea", question)
    page.press("#er-ask textarea", "Enter")


def begin_story(page: Any, engine: ScriptedEngine) -> None:
    """Ask for a long story, which comes slowly, and wait until one is in the middle of it."""
    engine.token_s = 0.1
    send(page, "a long story")
    page.wait_for_selector("text=word9")


def break_off(page: Any, engine: ScriptedEngine) -> None:
    """Such a story in the middle of which the engine falls away; it is there again once the page has said so."""
    begin_story(page, engine)
    engine.is_up = False
    page.wait_for_selector(".er-problem >> text=broke off")
    engine.is_up, engine.token_s = True, 0


def ask(page: Any, question: str) -> None:
    """Ask and wait until the answer is complete."""
    before = page.locator(".er-opener").count()
    send(page, question)
    page.wait_for_function("n => document.querySelectorAll('.er-opener').length > n", arg=before)
