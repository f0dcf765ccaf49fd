"""Pictures of the pages for the documentation: `python tests/ui/screenshots.py` writes docs/images/*.png.

The pages are the real ones; the gateway behind them is the one in memory, so that the pictures need no model.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE)]

PORT = 8765
URL = f"http://127.0.0.1:{PORT}"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
DESKTOP = {"viewport": {"width": 1200, "height": 760}}
PHONE = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True}


def serve() -> None:
    """The pages over a furnished world, in a thread of this process."""
    import os

    import fake_gateway
    import uvicorn

    import ui

    os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp()
    app = ui.mount(fake_gateway.create_app(fake_gateway.furnished()), api_url=URL)
    server = uvicorn.Server(uvicorn.Config(app, port=PORT, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)


def sign_in(browser, name: str, path: str = "/", **context):
    page = browser.new_context(**context).new_page()
    page.goto(f"{URL}/login")
    page.fill("[name=username]", name)
    page.fill("[name=password]", name)
    page.click("button")
    page.goto(URL + path)
    page.wait_for_selector("#er-account .er-line" if path == "/" else ".er-row")
    page.wait_for_timeout(800)
    return page


def ask(page, question: str) -> None:
    before = page.locator(".er-opener").count()
    page.fill("#er-ask textarea", question)
    page.press("#er-ask textarea", "Enter")
    page.wait_for_function("n => document.querySelectorAll('.er-opener').length > n", arg=before)
    page.wait_for_timeout(400)


def take(page, target: Path, name: str) -> None:
    page.wait_for_timeout(400)
    page.screenshot(path=target / f"{name}.png")


def chat_pictures(browser, target: Path) -> None:
    for name, context in (
        ("chat", DESKTOP),
        ("chat-dark", {**DESKTOP, "color_scheme": "dark"}),
        ("chat-phone", PHONE),
    ):
        page = sign_in(browser, "user", **context)
        if name == "chat":
            take(page, target, "welcome")
        ask(page, "Who is the CEO of Apple?")
        ask(page, "What does an espresso cost?")
        page.click(".er-opener >> nth=-1")
        take(page, target, name)
        if name == "chat":
            page.click("[data-act=flag] >> nth=0")
            page.fill("dialog [name=correct_answer]", "Tim Cook")
            take(page, target, "report")
            page.keyboard.press("Escape")
            page.click("[data-act=reports]")
            take(page, target, "my-reports")


def admin_pictures(browser, target: Path) -> None:
    for name, context in (
        ("admin", DESKTOP),
        ("admin-dark", {**DESKTOP, "color_scheme": "dark"}),
        ("admin-phone", PHONE),
    ):
        page = sign_in(browser, "admin", "/admin/", **context)
        if name != "admin-phone":
            page.keyboard.press("j")
            page.wait_for_selector("article.er-detail")
        take(page, target, name)
        if name == "admin":
            page.keyboard.press("a")
            take(page, target, "admin-approve")
            page.keyboard.press("Escape")
            for tab in ("Versions", "Knowledge", "Log"):
                page.get_by_role("tab", name=tab).click()
                page.wait_for_timeout(1500)
                take(page, target, f"admin-{tab.lower()}")


def main() -> None:
    from playwright.sync_api import sync_playwright

    target = ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    serve()
    with sync_playwright() as playwright:
        where = {"executable_path": CHROMIUM} if Path(CHROMIUM).exists() else {}
        browser = playwright.chromium.launch(args=FLAGS, **where)
        chat_pictures(browser, target)
        admin_pictures(browser, target)
        browser.close()
    for picture in sorted(target.glob("*.png")):
        sys.stdout.write(f"{picture.relative_to(ROOT)} {picture.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main()
