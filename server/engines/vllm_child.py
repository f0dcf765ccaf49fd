"""The vLLM server process. On a CPU its engine core is forked instead of started afresh, which halves the start."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from typing import Any, TypeVar

T = TypeVar("T")

LAST_WORDS_S = 2.0  # for the errors to reach those who wait for an answer
FORK = "ERRATA_ENGINE_FORK"  # set by vllm_process.py where forking is safe: no CUDA, one engine core


def main() -> None:
    """Run vLLM's API server with the arguments of this process."""
    os.umask(0o077)  # the socket is for the owner alone, from its first moment
    # vLLM's engine core ignores the death of its server when that is killed: it would keep the memory of a whole model.
    os.register_at_fork(after_in_child=_die_with_parent)
    threading.Thread(target=_end_with_core, name="end with core", daemon=True).start()
    if os.environ.get(FORK) == "1":
        _fork_engine_core()
        _keep_seeds()
    # It warns of every tensor that a version's folder lacks; a version holds the changed ones alone.
    logging.getLogger("vllm.model_executor.model_loader.reload.layerwise").setLevel(logging.ERROR)
    from vllm.entrypoints.launchers.api_server.entry import main as serve

    serve()  # type: ignore[no-untyped-call]


def _fork_engine_core() -> None:
    """Load what the engine core needs before it is forked, and make vLLM fork it.

    vLLM spawns on CPUs, so that each worker process can read its own OMP variables. With the worker inside the engine
    core there is one set, and it is in our environment already. No OpenMP region runs in the parent before the fork.
    """
    import vllm.model_executor.models.registry
    import vllm.v1.engine.core
    import vllm.v1.engine.utils
    import vllm.v1.executor.uniproc_executor
    import vllm.v1.worker.cpu_worker

    def forked() -> BaseContext:
        return multiprocessing.get_context("fork")

    def here(fn: Callable[[], T]) -> T:
        return fn()

    vllm.v1.engine.utils.get_mp_context = forked  # type: ignore[attr-defined]
    # The first start with a model asks yet another Python what its class can do; the class is needed here anyway.
    vllm.model_executor.models.registry._run_in_subprocess = here


def _keep_seeds() -> None:
    """Leave a seed's generator alone while its prompt is still being read.

    A prompt that does not fit into one step is sampled from after each part, and the sample thrown away. vLLM then sets the
    generator back by a step of CUDA's generators; one of a CPU refuses that, and the engine core dies of it.
    """
    from vllm.v1.worker.gpu_model_runner import GPUModelRunner

    sample = GPUModelRunner.sample_tokens

    def sample_tokens(self: Any, *args: Any) -> Any:
        batch = self.input_batch
        thrown = self.discard_request_mask.np[: batch.num_reqs].nonzero()[0].tolist()
        kept = {row: batch.generators.pop(row) for row in thrown if row in batch.generators}
        try:
            return sample(self, *args)
        finally:
            batch.generators.update(kept)

    GPUModelRunner.sample_tokens = sample_tokens  # type: ignore[assignment, method-assign]


def _end_with_core() -> None:
    """End this process when its engine core has: vLLM's server would first wait for its open answers, which never end, and
    nobody would start it again."""
    while not (cores := [one for one in multiprocessing.active_children() if one.name.startswith("EngineCore")]):
        time.sleep(0.5)
    wait([core.sentinel for core in cores])
    time.sleep(LAST_WORDS_S)
    os._exit(os.EX_SOFTWARE)


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


if __name__ == "__main__":
    main()
