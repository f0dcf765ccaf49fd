"""What the tests of the pages share: the real gateway over a scripted engine on a real port, and a headless browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests_support_browser import Browsing, ask
from tests_support_world import Site, World, running_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def world(site: Site, tmp_path: Path) -> Iterator[World]:
    """The running pages over a freshly furnished ledger."""
    made = site.furnished(tmp_path)
    yield made
    made.services.records.store.close()


@pytest.fixture
def open_page(world: World, chromium) -> Iterator[Callable]:
    """`open_page("user")` is a signed-in page at `/`; `open_page("admin", "/admin/")` the admin page. Foreign requests,
    dialogs of the browser and script errors fail the test."""
    browsing = Browsing(chromium, world.url)
    yield lambda name, path="/", **context: browsing.open(world.session(name), path, **context)
    browsing.end()


@pytest.fixture(scope="session", name="ask")
def _ask() -> Callable:
    return ask
