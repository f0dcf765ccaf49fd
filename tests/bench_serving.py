"""The serving bench with a server of its own, on a free port and in a temporary folder; its figures go to standard output."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

START_TIMEOUT_S = 1200
END_TIMEOUT_S = 20
ERRATA = (sys.executable, "-m", "server")


def main(*options: str) -> int:
    """Start, wait, measure with these options, stop. Returns the bench's exit code, or 1 if the server did not get ready."""
    with tempfile.TemporaryDirectory(prefix="errata-bench-") as folder:
        environ = {**os.environ, **settings_of(Path(folder))}
        log = Path(folder) / "serve.log"
        with log.open("wb") as output:
            server = subprocess.Popen((*ERRATA, "serve"), env=environ, stdout=output, stderr=output)
        try:
            if not is_ready(environ["ERRATA_URL"], server):
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                print("The server did not get ready:", *lines[-20:], sep="\n", file=sys.stderr)
                return 1
            return subprocess.run(
                (*ERRATA, "bench", "serving", "--json", *options), env=environ, check=False
            ).returncode
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def settings_of(folder: Path) -> dict[str, str]:
    """A server that meets no other one: port, data and key are its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key = secrets.token_urlsafe(32)
    return {
        "ERRATA_HOST": "127.0.0.1",
        "ERRATA_PORT": str(port),
        "ERRATA_DATA_DIR": str(folder / "data"),
        "ERRATA_CHECKPOINT_DIR": "",
        "ERRATA_USER_KEY": key,
        "ERRATA_API_KEY": key,
        "ERRATA_URL": f"http://127.0.0.1:{port}",
    }


def is_ready(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Waits until a chat would be answered; False once the server has ended or the time is up."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/ready", timeout=5).status_code == 200:
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    return False


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
