"""A conversation as Gradio's messages, and how a turn grows while it streams."""

from dataclasses import replace
from typing import Any

from . import chat_view as view
from .acting import panel
from .chat_state import ChatState
from .markdown import harmless
from .records import Provenance, Turn


def messages(state: ChatState, *, ended: bool = True) -> list[dict[str, object]]:
    """The turns that are shown, as Gradio's messages; the last may be asked again unless another one follows."""
    shown = state.turns[max(0, len(state.turns) - state.shown) :]
    drawn: list[dict[str, object]] = []
    for turn in shown:
        last = ended and turn is state.turns[-1]
        drawn += message(turn, last=last, before=state.before if last else "")
    return drawn


def message(turn: Turn, *, last: bool, before: str = "") -> list[dict[str, object]]:
    foot = panel(view.footer(turn, last=last, before=before))
    content = [view.answer_text(turn), foot] if turn.answer else [foot]
    return [{"role": "user", "content": harmless(turn.question)}, {"role": "assistant", "content": content}]


def grown(turn: Turn, chunk: Any) -> Turn:
    """The turn with one more chunk of the stream in it."""
    choice = (chunk.get("choices") or [{}])[0]
    piece = (choice.get("delta") or {}).get("content") or ""
    errata = chunk.get("errata")
    return replace(
        turn,
        answer=turn.answer + piece,
        answer_id=str(chunk.get("id") or turn.answer_id),
        limited=turn.limited or choice.get("finish_reason") == "length",
        provenance=Provenance.read(errata) if isinstance(errata, dict) else turn.provenance,
    )
