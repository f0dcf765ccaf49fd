"""Markdown from strangers made harmless: no raw HTML, no remote images, citations turned into links to their sources."""

import re
import string

_OPENING = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})(?!.*mermaid)")  # a diagram's source is no code: it is drawn
_MARK = re.compile(r"[\s>*+\-\d.)]*(?:`{3,}(?=[^`]*$)|~{3,})")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_ENTITY = re.compile(r"&(?=#?\w{1,31};)")
_TAG = re.compile(r"<(?=[a-zA-Z/!?])")  # "a < b" and "x <3" open no tag and stay, also inside formulas
_IMAGE = "!["
_DEFINED = "]:"  # the address or title of a link may stand in the next lines, where some readers let it take a fence
_PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")
_CITATION = re.compile(r"\[(\d{1,2})\](?![(\[:])")
_FORMULAS = (("$$", "$$"), ("\\(", "\\)"))  # in the order in which the page takes them


def harmless(text: str, *, answer_id: str = "", sources: int = 0) -> str:
    """Markdown that shows `text` and can do nothing else.

    Outside blocks of code every `<` that could open a tag becomes an entity, and images become links, because an image
    address is a request that can carry data away. With `answer_id`, `[n]` up to `sources` links to `#source-id-n`.
    The page sanitises what is left once more.

    A block of code is left alone only where every reader of Markdown sees the same one. From the first fence on that might
    belong to a quote, a list or a link, or end elsewhere than it seems to, all is prose: code may then show `&lt;`.
    """
    shown: list[str] = []
    indent, fence = "", ""
    text = re.sub(r"\r\n?", "\n", text)
    is_clear = not _formula_changes_a_fence(text)
    for line in text.split("\n"):
        if fence and line.startswith(indent) and re.fullmatch(rf" {{0,3}}{fence}{fence[0]}* *", line):
            fence = ""
            shown.append(line)
        elif fence and (not line.strip() or line.startswith(indent)) and (line.strip(" \t`~") or fence not in line):
            shown.append(line)
        elif is_clear and not fence and (opening := _OPENING.match(line)):
            indent, fence = opening[1], opening[2]
            shown.append(_without_markup(line))
        else:
            is_clear = is_clear and not fence and not _MARK.match(line) and _DEFINED not in line
            fence = ""
            shown.append(_prose(line, answer_id, sources))
    return "\n".join(shown)


def _formula_changes_a_fence(text: str) -> bool:
    """Whether the page, which takes formulas out before it reads Markdown, might take a fence with one, or a part of it."""
    for left, right in _FORMULAS:
        kept, at = "", 0
        while (start := text.find(left, at)) >= 0 and (end := text.find(right, start + len(left) + 1)) >= 0:
            lines = text[text.rfind("\n", 0, start) + 1 : end] + text[end:].partition("\n")[0]
            if "`" in text[start:end] or "```" in lines or "~~~" in lines:
                return True
            kept, at = kept + text[at:start], end + len(right)
        text = kept + text[at:]
    return False


def _prose(line: str, answer_id: str, sources: int) -> str:
    """A line with its spans of code as they are, and everything between them disarmed."""
    done, start = "", 0
    # Without its later backticks a line that begins with three would open a block.
    for span in () if line.lstrip(" \t>*+-.)0123456789").startswith("```") else _SPAN.finditer(line):
        done += _disarm(line[start : span.start()], answer_id, sources) + _code(span)
        start = span.end()
    return done + _disarm(line[start:], answer_id, sources)


def _code(span: re.Match[str]) -> str:
    """Code with a tag or an image in it is written as HTML, in which entities work: where a reader of Markdown sees no code,
    because something before it took one of the backticks, nothing is alive in it."""
    if not _TAG.search(span[2]) and _IMAGE not in span[2]:
        return span[0]
    return f"<code>{_PUNCTUATION.sub(lambda found: f'&#{ord(found[0])};', span[2].strip())}</code>"


def _without_markup(text: str) -> str:
    return _TAG.sub("&lt;", _ENTITY.sub("&amp;", text))


def _disarm(text: str, answer_id: str, sources: int) -> str:
    text = _without_markup(text).replace(_IMAGE, "!\\[")
    if not sources:
        return text

    def cite(found: re.Match[str]) -> str:
        n = int(found[1])
        return f"[\\[{n}\\]](#source-{answer_id}-{n})" if 1 <= n <= sources else found[0]

    return _CITATION.sub(cite, text)
