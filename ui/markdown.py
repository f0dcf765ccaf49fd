"""Markdown from strangers made harmless: no raw HTML, no remote images, citations turned into links to their sources."""

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_TICKS = re.compile(r"`+")
_ENTITY = re.compile(r"&(?=#?\w{1,31};)")
_TAG = re.compile(r"<(?=[a-zA-Z/!?])")  # "a < b" and "x <3" open no tag and stay, also inside formulas
_CITATION = re.compile(r"\[(\d{1,2})\](?![(\[:])")


def harmless(text: str, *, answer_id: str = "", sources: int = 0) -> str:
    """Markdown that shows `text` and can do nothing else.

    Outside code every `<` that could open a tag becomes an entity, and images become links, because an image address
    is a request that can carry data away. With `answer_id`, `[n]` up to `sources` links to `#source-id-n`.
    The page sanitises what is left once more.
    """
    shown: list[str] = []
    prose: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            shown.append(line)
            if mark and mark[1][0] == fence[0] and len(mark[1]) >= len(fence) and not line.strip(" `~"):
                fence = ""
        elif mark and "`" not in line[mark.end() :]:
            shown.extend(_prose(prose, answer_id=answer_id, sources=sources))
            prose = []
            shown.append(_without_markup(line))
            fence = mark[1]
        else:
            prose.append(line)
    shown.extend(_prose(prose, answer_id=answer_id, sources=sources))
    return "\n".join(shown)


def _prose(lines: list[str], *, answer_id: str, sources: int) -> list[str]:
    """Code spans stay as they are; everything between them is disarmed."""
    if not lines:
        return []
    text, done, start = "\n".join(lines), [], 0
    while opening := _TICKS.search(text, start):
        closing = next((m for m in _TICKS.finditer(text, opening.end()) if m[0] == opening[0]), None)
        if closing is None or "\n\n" in text[opening.end() : closing.start()]:
            done.append(_disarm(text[start : opening.end()], answer_id, sources))
            start = opening.end()
            continue
        done.append(_disarm(text[start : opening.start()], answer_id, sources))
        done.append(text[opening.start() : closing.end()])
        start = closing.end()
    done.append(_disarm(text[start:], answer_id, sources))
    return ["".join(done)]


def _without_markup(text: str) -> str:
    return _TAG.sub("&lt;", _ENTITY.sub("&amp;", text))


def _disarm(text: str, answer_id: str, sources: int) -> str:
    text = _without_markup(text).replace("![", "!\\[")
    if not sources:
        return text

    def cite(found: re.Match[str]) -> str:
        n = int(found[1])
        return f"[\\[{n}\\]](#source-{answer_id}-{n})" if 1 <= n <= sources else found[0]

    return _CITATION.sub(cite, text)
