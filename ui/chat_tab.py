"""What a browser tab of the chat page knows beside its conversation, and changes in place."""

from dataclasses import dataclass, field, replace

from .chat_view import ChatState

CHATS = 60  # listed at first, and so many more at each click


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
