"""What both pages need to act for a person: the caller of a request, the data of a click, words for errors."""

from dataclasses import dataclass, field

import gradio as gr
from markupsafe import escape

from . import html
from .client import Caller, Gateway
from .errors import GatewayRefused, GatewayUnreachable, SignedOut, UiError
from .texts import TEXTS

# Where the server speaks to the browser: the value is a message of html.tell, the component itself shows nothing.
TELLS = "watch('value', () => window.errataTell(props.value));"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A click that reached the server: what to do, with which object, and what was filled in into which form."""

    name: str
    id: str = ""
    n: int = 0
    form: dict[str, str] = field(default_factory=dict)
    sent: int = 0  # which form of the browser's

    @classmethod
    def read(cls, event: gr.EventData) -> "Act":
        """From whatever the browser sent; what is missing or of a wrong kind becomes empty."""
        data = event._data if isinstance(event._data, dict) else {}
        form, n, sent = data.get("form"), data.get("n"), data.get("sent")
        return cls(
            name=str(data.get("name") or ""),
            id=str(data.get("id") or ""),
            n=n if isinstance(n, int) else 0,
            form={str(k): str(v) for k, v in form.items()} if isinstance(form, dict) else {},
            sent=sent if isinstance(sent, int) else 0,
        )


def caller(gateway: Gateway, request: gr.Request) -> Caller:
    """The gateway for the person behind a Gradio request: their cookie and nothing else goes along."""
    return gateway.acting_for(dict(request.cookies))


def words_for(error: UiError) -> str:
    """What a person is told about an error."""
    if isinstance(error, SignedOut):
        return TEXTS.signed_out
    if isinstance(error, GatewayRefused):
        return error.message
    return TEXTS.may_be_done if isinstance(error, GatewayUnreachable) and error.may_be_done else TEXTS.unreachable


def warn(error: UiError) -> None:
    """Show an error; toasts are HTML in Gradio, and the gateway's wording may quote what a stranger wrote."""
    gr.Warning(str(escape(words_for(error))), title=TEXTS.product)


def refuse(act: Act, error: UiError) -> str | None:
    """What the browser is told of a refused click: what was filled in comes back with the reason, else a toast says it."""
    if act.form and not isinstance(error, SignedOut):
        return html.refused(words_for(error), sent=act.sent)
    warn(error)
    return None


def inform(words: str) -> None:
    gr.Info(str(escape(words)), duration=5, title=TEXTS.product)


def open_queue(page: gr.Blocks) -> None:
    """Many people at once. An answer holds one of the queue's `max_threads` places while it streams (40 unless said before
    `queue`), so there must be more of them than events of any one kind may run: what else a page does finds one left."""
    page.max_threads = 256
    page.queue(default_concurrency_limit=64, api_open=False)


def panel(value: str = "", elem_id: str | None = None) -> gr.HTML:
    """A piece of our own HTML in a Gradio page, without Gradio's styles for buttons and tables."""
    return gr.HTML(value, elem_id=elem_id, apply_default_css=False)


def lines(text: str) -> list[str]:
    """The lines of a text field that have something in them."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def path_id(identity: str) -> str:
    """An id that came from the browser, as a piece of a path; it can name nothing but itself."""
    return "".join(sign for sign in identity if sign.isalnum() or sign in "_-")
