"""What the tests of the pages share: the pages over a fake gateway on a real port, and a headless browser."""

import importlib.util
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import httpx
import pytest
import uvicorn

import ui

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def _load(name: str) -> ModuleType:
    """A module that lies beside the tests; there is no package to import it from."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


fake = _load("fake_gateway")


@dataclass
class Site:
    """The pages at an address, over a world that a test may change under them."""

    url: str
    world: object


@pytest.fixture(scope="session")
def running_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("gradio"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, world = f"http://127.0.0.1:{port}", fake.furnished()
    app = ui.mount(fake.create_app(world), api_url=url)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    yield Site(url, world)
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def site(running_site: Site) -> Site:
    """The running pages with a freshly furnished world."""
    running_site.world.__dict__.update(fake.furnished().__dict__)
    return running_site


@pytest.fixture
def world(site: Site) -> object:
    return site.world


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """A headless Chromium; a skip with its reason where there is none, a failure where one is demanded.

    One per file: while it is open, its event loop runs, and asynchronous tests of other files could not.
    """
    must = os.environ.get("ERRATA_REQUIRE_BROWSER") == "1"
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        (pytest.fail if must else pytest.skip)("playwright is not installed: run `make install`")
    with sync_playwright() as playwright:
        where = {"executable_path": CHROMIUM} if Path(CHROMIUM).exists() else {}
        try:
            browser = playwright.chromium.launch(args=FLAGS, **where)
        except Error as error:
            (pytest.fail if must else pytest.skip)(f"no Chromium here: {error}")
        yield browser
        browser.close()


@pytest.fixture
def open_page(site: Site, chromium) -> Iterator[Callable]:
    """`open_page("user")` is a signed-in page at `/`; `open_page("admin", "/admin/")` the admin page. Foreign requests,
    dialogs of the browser and script errors fail the test."""
    contexts, complaints = [], []

    def complain(kind: str, text: str) -> None:
        complaints.append(f"{kind}: {text}")

    def open_one(name: str, path: str = "/", **context):
        made = chromium.new_context(**{"viewport": {"width": 1280, "height": 860}, **context})
        contexts.append(made)
        page = made.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complain("script error", str(error)))
        page.on("dialog", lambda dialog: (complain("dialog", dialog.message), dialog.dismiss()))
        page.on(
            "request", lambda r: None if r.url.startswith((site.url, "data:", "blob:")) else complain("foreign", r.url)
        )
        token = sign_in(site, name)
        made.add_cookies([{"name": "errata_session", "value": token, "url": site.url, "sameSite": "Strict"}])
        page.goto(site.url + path)
        page.wait_for_selector("#er-ask textarea" if path == "/" else ".er-strip")
        if path == "/":
            page.wait_for_selector("#er-account .er-line")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(site: Site, name: str) -> str:
    answer = httpx.post(f"{site.url}/login", data={"username": name, "password": name})
    return answer.cookies["errata_session"]


def ask(page, question: str) -> None:
    """Ask and wait until the answer is complete."""
    before = page.locator(".er-opener").count()
    page.fill("#er-ask textarea", question)
    page.press("#er-ask textarea", "Enter")
    page.wait_for_function("n => document.querySelectorAll('.er-opener').length > n", arg=before)


@pytest.fixture(scope="session", name="ask")
def _ask() -> Callable:
    return ask


@pytest.fixture(scope="session", name="fake")
def _fake() -> ModuleType:
    return fake


@pytest.fixture(scope="session", name="sign_in")
def _sign_in() -> Callable:
    return sign_in
