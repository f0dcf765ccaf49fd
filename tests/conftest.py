"""What tests of several rooms share: the embedded model, one real vLLM for the whole session, a headless browser."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings

from tests_support_browser import launched

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 600
EDITED_LAYERS = (5, 6, 7)
COPIED = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")

# The same examples each time, however slow the machine, so that a commit passes or fails by itself;
# `--hypothesis-profile=default` looks for new ones.
settings.register_profile("fixed", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fixed")


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """A running vLLM with the embedded model's base weights (restore them, and resume, if a test changes them)."""

    socket: Path
    model: Path
    pid: int


@pytest.fixture(scope="session")
def embedded_model() -> Path:
    """The prepared embedded model; converted at first use, kept in the folder that `errata serve` uses."""
    from server.prepare import prepare_model
    from server.settings import EMBEDDED

    return prepare_model(EMBEDDED, ROOT / "model", say=print).path


@pytest.fixture(scope="session")
def engine_process(embedded_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """One vLLM for all tests marked `engine`: its start costs half a minute."""
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed here: run `make install`")
    from server.engines.vllm_process import launch_vllm, make_folders, this_machine
    from server.settings import Settings
    from server.supervisor import last_lines

    settings = Settings(data_dir=tmp_path_factory.mktemp("engine"))
    launch = launch_vllm(settings, embedded_model, machine=this_machine(), environ=os.environ)
    make_folders(launch)
    with launch.log.open("wb") as log:
        process = subprocess.Popen(
            launch.command, env=launch.environ, cwd=launch.folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        if not _answers_in_time(launch.socket, process):
            pytest.fail(f"vLLM did not start:\n{last_lines(launch.log, count=40)}")
        yield EngineProcess(launch.socket, embedded_model, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="session")
def version_folders(embedded_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders as the worker writes them: three tensors with base, with other, and with unreadable values."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    names = [f"model.layers.{layer}.mlp.down_proj.weight" for layer in EDITED_LAYERS]
    with safe_open(embedded_model / "model.safetensors", "pt") as stored:
        base = {name: stored.get_tensor(name) for name in names}
    # Spoilt enough that every greedy answer differs.
    edited = {name: torch.roll(tensor, 1, dims=0).contiguous() for name, tensor in base.items()}
    root = tmp_path_factory.mktemp("versions")
    for version, tensors in (("base", base), ("edited", edited), ("damaged", base)):
        (root / version).mkdir()
        for name in COPIED:
            shutil.copy(embedded_model / name, root / version)
        save_file(tensors, root / version / "model.safetensors", metadata={"format": "pt"})
    damaged = root / "damaged" / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:100_000])
    return {version: root / version for version in ("base", "edited", "damaged")}


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """A headless Chromium; a skip with its reason where there is none, a failure where one is demanded.

    One per file: while it is open, its event loop runs, and asynchronous tests of other files could not.
    """
    yield from launched()


def _answers_in_time(socket: Path, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    from server.engines.vllm import socket_name

    with httpx.Client(transport=httpx.HTTPTransport(uds=socket_name(socket)), base_url="http://engine") as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get("/health").is_success:
                    return True
            except httpx.TransportError:
                pass
            time.sleep(0.2)
    return False
