"""The gateway process: services over the real engine, served by uvicorn."""

from __future__ import annotations

import os
from collections.abc import Callable

import uvicorn

from server.app import create_app
from server.base_model import bind_base, foreign_base
from server.engines.protocol import Engine
from server.engines.vllm import VllmEngine
from server.engines.vllm_process import SOCKET
from server.follow_ups import PARAMETERS
from server.prepare import EMBEDDED_NAME, PreparedModel, prepare_model
from server.services import bootstrap
from server.settings import EMBEDDED, Settings


def run(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Serve until TERM; requests under way get a few seconds to end."""
    # Before torch is loaded. A question's embedding takes one thread a few milliseconds; more would wait for each other,
    # spinning, on cores that the engine computes on.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // 4)))
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    base = prepare_model(settings.model, settings.model_dir, say=say) if settings.weights_are_ours else None
    services = bootstrap(
        settings,
        engine_of(settings),
        model_name=model_name(settings),
        follow_ups_by_model=follow_ups_by_model(settings, base),
    )
    bind_base(settings, services.records, base.base_sha256 if base else foreign_base(settings))
    uvicorn.run(
        create_app(services),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        server_header=False,
    )


def follow_ups_by_model(settings: Settings, base: PreparedModel | None) -> bool:
    """Whether the served model is asked to make follow-up questions stand alone; a model that is not ours is taken for large."""
    if settings.engine.follow_ups != "auto":
        return settings.engine.follow_ups == "model"
    return base is None or base.parameters > PARAMETERS


def engine_of(settings: Settings) -> Engine:
    """Our own vLLM on its socket, or the server at `engine.url`."""
    key = settings.engine.api_key.get_secret_value() if settings.engine.api_key else None
    if settings.engine.url:
        return VllmEngine.at(settings.engine.url, model=settings.engine.model, api_key=key)
    return VllmEngine.on_socket(settings.engine_dir / SOCKET)


def model_name(settings: Settings) -> str:
    """The name that clients see."""
    if settings.engine.url and settings.engine.model:
        return settings.engine.model
    return EMBEDDED_NAME if settings.model == EMBEDDED else settings.model.rstrip("/").rsplit("/", 1)[-1]
