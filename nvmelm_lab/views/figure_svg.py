"""A figure as a still picture (SVG), for hosts that know no plotly: drawn from the very data that plotly gets.

What is drawn here is what our figures are made of, and no more: scatter traces with lines, closed shapes, markers
(circle, square, diamond, arrow) and texts, on a page whose axes are its px.  Texts stand where plotly puts them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape, unescape
from math import atan2, cos, hypot, sin
from typing import Any, Final

from nvmelm_lab.errors import KitError

SPACING: Final = 1.3
"""From one line of a text to the next, by its size; plotly's own."""

ANCHORS: Final = {"left": "end", "center": "middle", "right": "start"}
"""The side of its place on which a text stands, and which of its ends is there."""

MARKUP: Final = re.compile(r"(</?b>)")

Place = tuple[Any, Any]
"""x and y in px; None in both is a gap in a line."""


def figure_svg(data: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> str:
    """Traces and layout, in plotly's words, as one SVG as large as the page and with its own ground.

    Its title is the first line of the figure's text twin, which is in `layout["meta"]`.
    """
    width, height, font = layout["width"], layout["height"], layout["font"]
    size = f'viewBox="0 0 {_px(width)} {_px(height)}" width="{_px(width)}" height="{_px(height)}"'
    style = f'role="img" font-family="{escape(font["family"])}" font-size="{font["size"]}"'
    parts = [f"<title>{escape(layout['meta'].partition(chr(10))[0])}</title>"]
    parts.append(f'<rect width="100%" height="100%" fill="{layout["paper_bgcolor"]}"/>')
    for trace in data:
        places = list(zip(trace["x"], trace["y"], strict=True))
        if "lines" in trace["mode"]:
            parts.append(_lines(trace, places))
        if "markers" in trace["mode"]:
            parts += _markers(trace["marker"], places)
        if "text" in trace["mode"]:
            parts += _texts(trace, places, font["size"])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{"".join(parts)}</svg>'


def _px(number: float) -> str:
    return f"{round(number, 1):g}"


def _each(values: Any, count: int) -> Sequence[Any]:
    """One value for each of `count` places, as plotly takes it: a list, or one value for all."""
    return list(values) if isinstance(values, (list, tuple)) else [values] * count


# --- lines ---------------------------------------------------------------------------------------------------


def _lines(trace: Mapping[str, Any], places: Sequence[Place]) -> str:
    line, way, sign = trace["line"], [], "M"
    for x, y in _up_to_the_arrow(trace, places):
        if x is not None:
            way.append(f"{sign}{_px(x)} {_px(y)}")
        sign = "M" if x is None else "L"
    width = line.get("width", 2)
    dash = f' stroke-dasharray="{_px(3 * max(3, width))}"' if line.get("dash") == "dash" else ""
    fill, end = (trace["fillcolor"], "Z") if trace.get("fill") == "toself" else ("none", "")
    stroke = f'stroke="{line["color"]}" stroke-width="{_px(width)}"{dash}'
    return f'<path d="{"".join(way)}{end}" fill="{fill}" {stroke}/>'


def _up_to_the_arrow(trace: Mapping[str, Any], places: Sequence[Place]) -> list[Place]:
    """The places of a line; one that ends in an arrow ends within it, for the line is wider than its tip."""
    symbols = _each(trace.get("marker", {}).get("symbol", ""), len(places))
    if len(places) < 2 or symbols[-1] != "arrow":
        return list(places)
    (x0, y0), (x1, y1) = places[-2:]
    back = min(0.5, trace["marker"]["size"][-1] / 2 / max(1, hypot(x1 - x0, y1 - y0)))
    return [*places[:-1], (x1 - (x1 - x0) * back, y1 - (y1 - y0) * back)]


# --- markers -------------------------------------------------------------------------------------------------


def _markers(marker: Mapping[str, Any], places: Sequence[Place]) -> Iterator[str]:
    if not marker.get("opacity", 1):
        return
    count, line = len(places), marker.get("line", {})
    looks = zip(
        _each(marker.get("symbol", "circle"), count),
        _each(marker["size"], count),
        _each(marker["color"], count),
        _each(line.get("color", "none"), count),
        strict=True,
    )
    for number, (symbol, size, fill, outline) in enumerate(looks):
        if not size:
            continue
        stroke = f' stroke="{outline}" stroke-width="{_px(line["width"])}"' if line.get("width") else ""
        shape = _shape(symbol, places[number], size / 2, places[number - 1])
        yield f'{shape} fill="{fill}"{stroke}/>'


def _shape(symbol: str, place: Place, radius: float, before: Place) -> str:
    """The begin of the element of a marker; an arrow comes from the place `before`."""
    x, y = place
    if symbol == "circle":
        return f'<circle cx="{_px(x)}" cy="{_px(y)}" r="{_px(radius)}"'
    if symbol == "square":
        side = _px(2 * radius)
        return f'<rect x="{_px(x - radius)}" y="{_px(y - radius)}" width="{side}" height="{side}"'
    if symbol == "diamond":
        half = _px(1.3 * radius)
        return f'<path d="M{_px(x)} {_px(y)}m-{half} 0l{half}-{half} {half} {half}-{half} {half}z"'
    if symbol != "arrow":
        raise KitError(f"a still picture has no marker {symbol!r}")
    # As plotly has it: the tip is at the place, and its angle is 36 degrees.
    turn = atan2(y - before[1], x - before[0])
    tail = [(-1.9 * radius, side * 0.62 * radius) for side in (-1, 1)]
    corners = [(x + a * cos(turn) - b * sin(turn), y + a * sin(turn) + b * cos(turn)) for a, b in tail]
    return f'<path d="M{_px(x)} {_px(y)}{"".join(f"L{_px(a)} {_px(b)}" for a, b in corners)}Z"'


# --- texts ---------------------------------------------------------------------------------------------------


def _texts(trace: Mapping[str, Any], places: Sequence[Place], size: float) -> Iterator[str]:
    count = len(places)
    positions = _each(trace.get("textposition", "middle center"), count)
    inks = _each(trace["textfont"]["color"], count)
    for (x, y), words, position, ink in zip(places, trace["text"], positions, inks, strict=True):
        if not words:
            continue
        lines = words.split("<br>")
        upright, aside = position.split()
        # The first base line: the text begins at its place, or has its middle there.
        rest = 0 if upright == "bottom" else (len(lines) - 1) * SPACING + 1
        base = y + size * (0.75 - rest / 2)
        at = f'x="{_px(x)}" y="{_px(base)}"'
        below = f'<tspan x="{_px(x)}" dy="{SPACING}em">'
        words = _marked(lines[0]) + "".join(f"{below}{_marked(line)}</tspan>" for line in lines[1:])
        yield f'<text {at} fill="{ink}" text-anchor="{ANCHORS[aside]}">{words}</text>'


def _marked(line: str) -> str:
    """A line of plotly's markup, of which we use bold, as SVG."""
    parts = []
    for part in MARKUP.split(line):
        if part in ("<b>", "</b>"):
            parts.append('<tspan font-weight="bold">' if part == "<b>" else "</tspan>")
        else:
            parts.append(escape(unescape(part), quote=False))
    return "".join(parts)
