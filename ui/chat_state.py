"""What a browser tab of the chat page knows: its conversation, and beside it what it changes in place."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from . import html
from .records import Turn
from .texts import TEXTS

WINDOW = 30  # turns drawn at first; a page of 500 bubbles is slow in every browser
CHATS = 60  # listed at first, and so many more at each click


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatState:
    """The conversation that a tab shows. A `before` answer is set where a fixed report is being tried."""

    conversation_id: str = ""
    title: str = ""
    turns: tuple[Turn, ...] = ()
    shown: int = WINDOW
    before: str = ""

    def with_last(self, turn: Turn) -> "ChatState":
        """The same conversation, its last turn replaced."""
        return replace(self, turns=(*self.turns[:-1], turn))

    def turn(self, answer_id: str) -> Turn | None:
        return next((turn for turn in self.turns if turn.answer_id == answer_id), None)


def is_unfinished(state: ChatState) -> bool:
    """True while the last answer streams, and after it was cut off without a word from the server."""
    last = state.turns[-1] if state.turns else None
    return last is not None and last.provenance is None and not last.error and not last.stopped


def as_prompt(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """The messages that carry a conversation to the model; turns without an answer are left out."""
    messages = []
    for turn in turns:
        if turn.answer:
            messages += [{"role": "user", "content": turn.question}, {"role": "assistant", "content": turn.answer}]
    return messages


def as_markdown(state: ChatState) -> str:
    """The conversation as a Markdown file, with the provenance of each answer."""
    pieces = [f"# {state.title or TEXTS.new_chat}"]
    for turn in state.turns:
        pieces += [f"**{TEXTS.report_question}:** {turn.question}", turn.answer]
        if turn.provenance:
            p = turn.provenance
            pieces.append(
                f"*{TEXTS.routes.get(p.route, p.route)} · {TEXTS.weights.format(version=p.weights_version)} · {turn.answer_id}*"
            )
            pieces += [f"[{s.n}] {s.title} {s.uri} ({html.dates(s)})" for s in p.passages]
    return "\n\n".join(pieces) + "\n"


@dataclass(slots=True)
class Tab:
    """How many chats are listed, the titles that were given here, and how often the person went elsewhere: what took long
    can see by it that it is out of date."""

    rows: int = CHATS
    titles: dict[str, str] = field(default_factory=dict)
    turn: int = 0

    def titled(self, state: ChatState) -> ChatState:
        """The conversation under the title that it was given last."""
        return replace(state, title=self.titles.get(state.conversation_id, state.title))
