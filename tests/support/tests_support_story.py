"""What the stories share: a running Errata, its parts and its doors."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

USER_KEY, ADMIN_KEY = "story-user-key-0123456789", "story-admin-key-0123456789"
START_TIMEOUT_S = 900
END_TIMEOUT_S = 15


@dataclass
class Served:
    """A running Errata and the doors into it."""

    url: str
    data_dir: Path
    process: subprocess.Popen[bytes]

    def client(self, key: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=300)

    def pid_of(self, part: str) -> int:
        """The process of a part: engine, gateway or worker."""
        mark = {"engine": "server.engines.vllm_child", "gateway": "-m server gateway", "worker": "-m server worker"}[
            part
        ]
        listed = subprocess.run(
            ["ps", "--ppid", str(self.process.pid), "-o", "pid=,args="], capture_output=True, text=True, check=True
        )
        return next(int(line.split()[0]) for line in listed.stdout.splitlines() if mark in line)

    def children_of(self, pid: int) -> list[int]:
        """The processes that this one started."""
        listed = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True, check=True)
        return [int(line) for line in listed.stdout.split()]

    def until_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        until(lambda: self.ready(), f"{self.url}/ready", timeout_s=timeout_s)

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready", timeout=10).status_code == 200
        except httpx.TransportError:
            assert self.process.poll() is None, "errata serve ended"
            return False


def until(condition: Callable[[], Any], what: str, *, timeout_s: float = 600) -> Any:
    """The first true value of `condition`. Fails with `what` when it takes too long."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.5)
    pytest.fail(f"waited {timeout_s:g} s in vain for {what}")
