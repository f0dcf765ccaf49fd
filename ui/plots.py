"""Small plots as SVG: drawn here, coloured by the page, read aloud by their label."""

from collections.abc import Sequence

from .html import Html, element, join

_WIDTH, _HEIGHT, _EDGE = 220, 64, 8


def dots(marked: int, total: int, *, label: str, good: bool = False) -> Html:
    """`total` dots in a row, the first `marked` of them filled: shares of small samples, without false precision."""
    shown = min(total, 40)
    filled = round(marked * shown / total) if total else 0
    on = "er-dot-good" if good else "er-dot-on"
    circles = [
        element("circle", cx=8 + 14 * n, cy=8, r=5, class_=f"er-dot {on}" if n < filled else "er-dot")
        for n in range(shown)
    ]
    return element(
        "svg",
        join(circles),
        class_="er-plot",
        viewBox=f"0 0 {14 * shown + 4} 16",
        height=16,
        width=14 * shown + 4,
        role="img",
        aria_label=label,
    )


def course(
    values: Sequence[float],
    names: Sequence[str],
    *,
    title: str,
    said: Sequence[str],
    low: float | None = None,
    high: float | None = None,
) -> Html:
    """A figure over versions: a line with a dot for each, the last value written out."""
    least = min(values) if low is None else low
    most = max(values) if high is None else high
    span = (most - least) or 1.0
    step = (_WIDTH - 2 * _EDGE) / max(1, len(values) - 1)
    points = [
        (round(_EDGE + n * step, 1), round(_HEIGHT - _EDGE - (value - least) / span * (_HEIGHT - 2 * _EDGE), 1))
        for n, value in enumerate(values)
    ]
    marks = [
        element("circle", element("title", f"{name}: {word}"), cx=x, cy=y, r=3.5, class_="er-mark")
        for (x, y), name, word in zip(points, names, said, strict=True)
    ]
    line = element("polyline", points=" ".join(f"{x},{y}" for x, y in points), class_="er-course")
    ground = element("line", x1=_EDGE, x2=_WIDTH - _EDGE, y1=_HEIGHT - _EDGE, y2=_HEIGHT - _EDGE, class_="er-ground")
    last = said[-1]
    drawing = element(
        "svg",
        ground,
        line,
        join(marks),
        class_="er-plot",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=f"{title}: {last}",
    )
    return element(
        "figure", element("figcaption", element("span", title), element("b", last)), drawing, class_="er-figure"
    )
