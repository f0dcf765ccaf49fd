"""One `errata serve` for all stories: real vLLM, real MEMIT, real FAISS and SQLite, as a person starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from tests_support_story import ADMIN_KEY, END_TIMEOUT_S, USER_KEY, Served

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def served(embedded_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed here: run `make install`")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data_dir = tmp_path_factory.mktemp("served")
    environ = {
        **os.environ,
        "ERRATA_PORT": str(port),
        "ERRATA_DATA_DIR": str(data_dir),
        "ERRATA_MODEL_DIR": str(ROOT / "model"),
        "ERRATA_USER_KEY": USER_KEY,
        "ERRATA_ADMIN_KEY": ADMIN_KEY,
        "ERRATA_USER_PASSWORD": "story-user-password",
        "ERRATA_ADMIN_PASSWORD": "story-admin-password",
    }
    log = (data_dir / "serve.log").open("wb")
    process = subprocess.Popen([sys.executable, "-m", "server", "serve"], env=environ, cwd=ROOT, stdout=log, stderr=log)
    running = Served(f"http://127.0.0.1:{port}", data_dir, process)
    try:
        running.until_ready()
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(f"errata serve did not end within {END_TIMEOUT_S} s of TERM")


@pytest.fixture
def user(served: Served) -> Iterator[httpx.Client]:
    with served.client(USER_KEY) as client:
        yield client


@pytest.fixture
def admin(served: Served) -> Iterator[httpx.Client]:
    with served.client(ADMIN_KEY) as client:
        yield client
