"""The face of Errata: a chat page and an admin page that speak HTTP to the gateway and import none of the rooms."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["mount"]


def mount(app: "FastAPI", *, api_url: str) -> "FastAPI":
    """Mount the admin page at `/admin` and the chat page at `/`; gradio is imported only now.

    `api_url` is where the pages reach the gateway, such as `http://127.0.0.1:8000`. Call it after every other route
    is registered, because the chat page answers all paths that are left. The pages decide nothing about rights:
    the caller's cookie travels with each request and the gateway judges it.
    """
    from .pages import mount_pages

    return mount_pages(app, api_url=api_url)
