"""The same engine on an NVIDIA GPU, with the packages of requirements/gpu.lock."""

import shutil
import subprocess

import pytest

from server.engines.vllm import VllmEngine
from server.engines.vllm_process import this_machine

pytestmark = [pytest.mark.gpu, pytest.mark.engine]

CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(autouse=True, scope="module")
def gpu():
    listed = shutil.which("nvidia-smi") and subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True).stdout
    if not listed or "GPU " not in listed:
        pytest.skip("nvidia-smi lists no GPU here")
    if not this_machine().has_gpu:
        pytest.skip("the CPU build of vLLM is installed: remove .venv and run `make install` with ERRATA_DEVICE=gpu")


async def test_answers_and_swaps_on_the_gpu(engine_process, version_folders):
    engine = VllmEngine.on_socket(engine_process.socket)
    try:
        before = await engine.chat(CAPITAL, temperature=0, max_tokens=24)
        assert "Paris" in before["choices"][0]["message"]["content"]
        await engine.swap(version_folders["edited"], "v1")
        edited = await engine.chat(CAPITAL, temperature=0, max_tokens=24)
        assert edited["choices"][0]["message"] != before["choices"][0]["message"]
    finally:
        await engine.swap(version_folders["base"], "base")
        await engine.close()


async def test_chat_is_computed_on_the_gpu(engine_process):
    processes = subprocess.run(
        ["nvidia-smi", "--query-compute-apps=used_memory", "--format=csv,noheader"], capture_output=True, text=True
    )
    assert processes.stdout.strip(), processes.stderr
