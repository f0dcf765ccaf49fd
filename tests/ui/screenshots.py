"""Pictures of the pages for the documentation: `make docs` runs this, and docs/images/*.png is written anew.

The pages, the gateway and the ledger are the real ones; the engine is scripted, so that the pictures need no model.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from tests_support_browser import Browsing, ask, launch  # noqa: E402  # found by the line above
from tests_support_world import World, running_site  # noqa: E402

DESKTOP = {"viewport": {"width": 1200, "height": 760}}
DARK = {**DESKTOP, "color_scheme": "dark"}
PHONE = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True}


class Album:
    """Takes a picture once a page rests."""

    def __init__(self, browsing: Browsing, world: World, target: Path) -> None:
        self._browsing, self._world, self._target = browsing, world, target

    def open(self, name, path="/", **context):
        page = self._browsing.open(self._world.session(name), path, **context)
        page.wait_for_selector(".er-welcome" if path == "/" else ".er-row")
        return page

    def take(self, page, name: str) -> None:
        page.wait_for_timeout(700)
        page.screenshot(path=self._target / f"{name}.png")


def chat_pictures(album: Album) -> None:
    for name, context in (("chat", DESKTOP), ("chat-dark", DARK), ("chat-phone", PHONE)):
        page = album.open("user", **context)
        album.take(page, name.replace("chat", "welcome"))
        ask(page, "When was the Halden Bridge built?")
        ask(page, "What does an espresso cost in the canteen?")
        page.click(".er-opener >> nth=-1")
        album.take(page, name)
        page.click("[data-act=flag] >> nth=0")
        page.fill("dialog [name=correct_answer]", "1911")
        album.take(page, name.replace("chat", "report"))
        page.keyboard.press("Escape")
        if context is PHONE:
            page.click(".sidebar .toggle-button")
            page.wait_for_timeout(400)
            album.take(page, "sidebar-phone")
        page.click("[data-act=reports]")
        page.wait_for_selector("dialog article")
        album.take(page, name.replace("chat", "my-reports"))


def admin_pictures(album: Album) -> None:
    for name, context in (("admin", DESKTOP), ("admin-dark", DARK), ("admin-phone", PHONE)):
        page = album.open("admin", "/admin/", **context)
        if context is not PHONE:
            page.locator(".er-row", has_text="Halden").click()
            page.wait_for_selector("article.er-detail")
        album.take(page, name)
        if context is DESKTOP:
            page.keyboard.press("a")
            album.take(page, "admin-approve")
            page.keyboard.press("Escape")
        for tab in (
            () if context is PHONE else ("Live edits", "Versions", "Knowledge", "Erasure", "Log", "People", "Health")
        ):
            page.get_by_role("tab", name=tab).click()
            page.wait_for_timeout(1200)
            if tab == "Log":
                page.wait_for_selector("td:visible")
            album.take(page, name.replace("admin", f"admin-{tab.lower().replace(' ', '-')}"))
        if context is DESKTOP:
            page.get_by_role("tab", name="Log").click()
            page.click("[data-act=prove]:visible >> nth=0")
            page.wait_for_selector("dialog")
            album.take(page, "admin-proof")
            page.keyboard.press("Escape")
            page.get_by_role("tab", name="Erasure").click()
            page.click("[data-act=erasure]:visible >> nth=0")
            page.wait_for_selector(".er-checklist")
            album.take(page, "admin-erasure-request")


def main(target: Path) -> None:
    from playwright.sync_api import sync_playwright

    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_site(Path(folder)) as site:
        world = site.furnished(Path(folder) / "furnished")
        asyncio.run(world.file_erasure())
        world.working("solving", 2, 5, "working out what an edit must say")
        with sync_playwright() as playwright:
            browsing = Browsing(launch(playwright), world.url)
            album = Album(browsing, world, target)
            chat_pictures(album)
            admin_pictures(album)
            browsing.end()
        world.services.records.store.close()
    for picture in sorted(target.glob("*.png")):
        sys.stdout.write(f"{picture.name} {picture.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "docs" / "images")
