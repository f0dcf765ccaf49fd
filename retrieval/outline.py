"""Text collected under its headings, and a web page taken apart tag by tag."""

import re
from collections.abc import Mapping

from retrieval.documents import Block
from retrieval.errors import UnreadableDocument

MAX_NESTING = 1_000  # elements of a page inside each other: lxml goes through all that are open for every stray end tag
LONGEST_HEADING = 300  # characters; every passage below carries its headings, and what is longer is text

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BREAKS = frozenset(
    {"p", "div", "li", "tr", "br", "table", "section", "article", "ul", "ol", "pre", "blockquote", "dd", "dt"}
)
_UNWANTED = frozenset({"script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form", "svg"})


class Headings:
    """Collects text under the headings that are open at the time."""

    def __init__(self) -> None:
        self.first = ""
        self._open: dict[int, str] = {}
        self._blocks: list[Block] = []
        self._text: list[str] = []

    def open(self, level: int, heading: str) -> None:
        heading = " ".join(heading.split())
        if len(heading) > LONGEST_HEADING:
            self.write(heading + "\n")
            return
        self._close()
        self.first = self.first or heading
        self._open = {at: text for at, text in self._open.items() if at < level} | {level: heading}

    def write(self, text: str) -> None:
        self._text.append(text)

    def blocks(self) -> tuple[Block, ...]:
        self._close()
        return tuple(self._blocks)

    def _close(self) -> None:
        lines = (line.strip(" \t") for line in "".join(self._text).split("\n"))
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
        if text:
            self._blocks.append(Block(text, tuple(self._open[level] for level in sorted(self._open))))
        self._text = []


class WebPage:
    """What lxml tells of a page, tag by tag. No tree is built: that takes long, and many ways to walk it are quadratic."""

    def __init__(self, name: str) -> None:
        self._title: list[str] = []
        self.headings = Headings()
        self._name = name
        self._open: list[str] = []
        self._unwanted = 0  # how many open elements hold nothing to read
        self._heading: tuple[int, list[str]] | None = None

    def title(self) -> str:
        return " ".join("".join(self._title).split())

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._open.append(tag)
        if len(self._open) > MAX_NESTING:
            raise UnreadableDocument(f"{self._name!r} is nested more than {MAX_NESTING:,} deep: save it as text")
        self._unwanted += tag in _UNWANTED
        if self._unwanted:
            return
        if tag in _HEADINGS:
            self._end_heading()
            self._heading = int(tag[1]), []
        elif tag in _BREAKS:
            self._write("\n")
        elif tag in ("td", "th"):
            self._write(" | ")

    def end(self, tag: str) -> None:
        self._open.pop()
        self._unwanted -= tag in _UNWANTED
        if tag in _HEADINGS:
            self._end_heading()

    def data(self, text: str) -> None:
        if self._unwanted:
            return
        if self._open[-1:] == ["title"]:
            self._title.append(text)
        else:
            self._write(re.sub(r"\s+", " ", text))

    def close(self) -> None:
        self._end_heading()

    def _write(self, text: str) -> None:
        if self._heading:
            self._heading[1].append(text)
        else:
            self.headings.write(text)

    def _end_heading(self) -> None:
        if self._heading:
            level, parts = self._heading
            self._heading = None
            self.headings.open(level, "".join(parts))
