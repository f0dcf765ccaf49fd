"""The two pages on one application: admin under `/admin`, chat everywhere else."""

from typing import Any

import gradio as gr
from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from . import theme
from .admin_page import AdminPage
from .chat_page import ChatPage
from .client import Gateway


def mount_pages(app: FastAPI, *, api_url: str) -> FastAPI:
    """Two separate Blocks, so that neither page's `/config` or queue knows anything of the other."""
    gateway = Gateway(api_url)

    @app.get("/admin", include_in_schema=False)
    async def with_slash() -> RedirectResponse:
        return RedirectResponse("/admin/", status_code=308)

    # The first mount that matches a path answers it, and "/" matches them all.
    app = gr.mount_gradio_app(app, AdminPage(gateway).build(), path="/admin", **_arguments())
    mounted: FastAPI = gr.mount_gradio_app(app, ChatPage(gateway).build(), path="/", **_arguments())
    return mounted


def _arguments() -> dict[str, Any]:
    """What Gradio is told for either page: our look, no footer, no run history, no server-side rendering."""
    return {
        "theme": theme.theme(),
        "css": theme.css(),
        "head": theme.head(),
        "footer_links": [],
        "run_history": False,
        "ssr_mode": False,
        "show_error": False,
        "enable_monitoring": False,
    }
