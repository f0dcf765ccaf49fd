"""The vLLM server process. On a CPU its engine core is forked instead of started afresh, which halves the start."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.context import BaseContext
from typing import TypeVar

T = TypeVar("T")

FORK = "ERRATA_ENGINE_FORK"  # set by vllm_process.py where forking is safe: no CUDA, one engine core


def main() -> None:
    """Run vLLM's API server with the arguments of this process."""
    os.umask(0o077)  # the socket is for the owner alone, from its first moment
    # vLLM's engine core ignores the death of its server when that is killed: it would keep the memory of a whole model.
    os.register_at_fork(after_in_child=_die_with_parent)
    if os.environ.get(FORK) == "1":
        _fork_engine_core()
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


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


if __name__ == "__main__":
    main()
