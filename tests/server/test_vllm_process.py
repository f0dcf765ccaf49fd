"""The command line and environment that vLLM is given, machine by machine."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from server.engines.vllm import VllmEngine, socket_name
from server.engines.vllm_process import (
    Machine,
    compiles,
    launch_vllm,
    make_folders,
    serving_dtype,
    this_machine,
    threads,
)
from server.settings import EngineSettings, Settings

PLAIN = Machine(has_gpu=False, cpus=2, cores=2)
WITH_GPU = replace(PLAIN, has_gpu=True)


@pytest.mark.parametrize(
    ("machine", "setting", "dtype"),
    [
        (PLAIN, "auto", "float32"),
        (WITH_GPU, "auto", "bfloat16"),
        (PLAIN, "bfloat16", "bfloat16"),
    ],
)
def test_dtype(machine, setting, dtype):
    assert serving_dtype(EngineSettings(dtype=setting), machine) == dtype


@pytest.mark.parametrize(
    ("machine", "setting", "compiled"),
    [(PLAIN, "auto", False), (WITH_GPU, "auto", True), (PLAIN, "yes", True), (WITH_GPU, "no", False)],
)
def test_compiling(machine, setting, compiled):
    assert compiles(EngineSettings(compile=setting), machine) is compiled


@pytest.mark.parametrize(
    ("cpus", "cores", "count"),
    [(1, 1, 1), (2, 2, 2), (2, 1, 2), (4, 4, 3), (16, 8, 7)],
)
def test_threads(cpus, cores, count):
    assert threads(replace(PLAIN, cpus=cpus, cores=cores)) == count


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps({"max_position_embeddings": 2048}))
    return tmp_path / "model"


def launch(tmp_path, model, machine=PLAIN, **engine):
    settings = Settings(data_dir=tmp_path / "data", engine=EngineSettings(**engine))
    return launch_vllm(settings, model, machine=machine, environ={"PATH": "/bin", "OMP_NUM_THREADS": "9"})


def option(command, name):
    return command[command.index(name) + 1]


def test_it_listens_on_a_socket_and_on_no_port(tmp_path, model):
    command = launch(tmp_path, model).command
    assert option(command, "--uds") == "engine.sock"
    assert not {"--host", "--port"} & set(command)


def test_the_context_is_no_longer_than_the_model_allows(tmp_path, model):
    assert option(launch(tmp_path, model, max_model_len=4096).command, "--max-model-len") == "2048"
    assert option(launch(tmp_path, model, max_model_len=1024).command, "--max-model-len") == "1024"


def test_a_cpu_gets_one_process_all_cores_and_a_fixed_cache(tmp_path, model):
    started = launch(tmp_path, model, kv_cache_gib=0.5)
    assert option(started.command, "--kv-cache-memory-bytes") == str(2**29)
    assert option(started.command, "--distributed-executor-backend") == "uni"
    assert started.environ["OMP_NUM_THREADS"] == "2"
    assert started.environ["ERRATA_ENGINE_FORK"] == "1"


def test_a_gpu_keeps_vllms_own_ways_and_leaves_memory_for_edits(tmp_path, model):
    started = launch(tmp_path, model, WITH_GPU)
    assert option(started.command, "--gpu-memory-utilization") == "0.6"
    assert "--enforce-eager" not in started.command
    assert "ERRATA_ENGINE_FORK" not in started.environ


def test_everything_is_written_under_the_data_folder(tmp_path, model):
    started = launch(tmp_path, model)
    names = ("HF_HOME", "VLLM_CACHE_ROOT", "VLLM_CONFIG_ROOT", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "TMPDIR")
    for name in (*names, "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "FLASHINFER_WORKSPACE_BASE", "CUDA_CACHE_PATH"):
        assert Path(started.environ[name]).is_relative_to(tmp_path / "data"), name
    assert started.folder.is_relative_to(tmp_path / "data")
    assert started.log.is_relative_to(tmp_path / "data")


def test_it_calls_nobody(tmp_path, model):
    environ = launch(tmp_path, model).environ
    assert (environ["HF_HUB_OFFLINE"], environ["VLLM_NO_USAGE_STATS"], environ["DO_NOT_TRACK"]) == ("1", "1", "1")
    assert environ["PATH"] == "/bin"


def test_compiled_modules_are_kept_even_where_the_machine_says_not_to(tmp_path, model):
    settings = Settings(data_dir=tmp_path / "data")
    started = launch_vllm(settings, model, machine=PLAIN, environ={"PYTHONDONTWRITEBYTECODE": "1"})
    assert "PYTHONDONTWRITEBYTECODE" not in started.environ


def test_folders_are_private_and_an_old_socket_goes(tmp_path, model):
    started = launch(tmp_path, model)
    make_folders(started)
    started.socket.touch()
    make_folders(started)
    assert not started.socket.exists()
    assert started.folder.stat().st_mode & 0o777 == 0o700


def test_this_machine_can_be_described():
    machine = this_machine()
    assert 1 <= machine.cores <= machine.cpus == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("folders", [1, 30])
async def test_a_socket_is_reached_however_long_its_path(tmp_path, folders):
    socket = tmp_path.joinpath(*["a-folder"] * folders) / "engine.sock"
    name = socket_name(socket)
    assert len(name) <= 107
    socket.parent.mkdir(parents=True, exist_ok=True)
    server = "import http.server, socket, sys\nclass S(http.server.HTTPServer): address_family = socket.AF_UNIX\n"
    server += "class H(http.server.BaseHTTPRequestHandler):\n  client_address = ('', 0)\n"
    server += "  def do_GET(self): self.send_response(200); self.end_headers()\n"
    server += "  def log_message(self, *a): pass\n"
    server += "S.server_bind = lambda self: self.socket.bind('engine.sock')\n"
    server += "s = S('engine.sock', H); print('up', flush=True); s.handle_request()"
    process = subprocess.Popen([sys.executable, "-c", server], cwd=socket.parent, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    engine = VllmEngine.on_socket(socket)
    assert await engine.health()
    await engine.close()
    process.wait(10)
