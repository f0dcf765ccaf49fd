"""What one tab of the admin page looks at, and the one thing of it that changes in place."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .records import Me

PAGE = 50  # reports drawn at a time; the rest is a click away, so that ten thousand are as quick as ten
TABS = ("queue", "live", "versions", "knowledge", "erasure", "log", "people", "health")  # named by ADMIN.tabs


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that waits for its title and dates: in memory, so that one that is never sent leaves nothing behind."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminState:
    """What one tab of the admin page looks at."""

    me: Me | None = None
    tab: str = TABS[0]
    status: str = "queued"
    sort: str = "priority"
    search: str = ""
    selected: str = ""
    rows: int = PAGE
    log_end: int = 0  # 0 is the end of the log
    erasure: str = ""  # the request that is open; the list where none is
    file: Upload | None = None


@dataclass(slots=True)
class Desk:
    """The one thing of a tab that changes in place, so that a drawing that took long can see that it is out of date.

    counts  how many reports stand in each status, as the queue was drawn with them last
    """

    look: AdminState
    turn: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    def turn_to(self, **changes: Any) -> None:
        """Look at something else, or at the same anew; whatever is being drawn now is out of date from here on."""
        self.look = replace(self.look, **changes)
        self.turn += 1
