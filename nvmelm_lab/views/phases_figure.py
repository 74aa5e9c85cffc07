"""The phases as a plotly figure: from top to bottom the way on, to the left what leads back, numbered.

The phase that is shown as the current one is filled and says so; every other is an outline.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import networkx as nx

from nvmelm_lab.views.figures import (
    LINE,
    Figure,
    Said,
    Trace,
    colours,
    figure,
    hover,
    hover_text,
    points,
    texts,
)
from nvmelm_lab.views.model import PHASES
from nvmelm_lab.views.palette import EDGE, Colours
from nvmelm_lab.views.phases import (
    BOX_LEFT,
    BOX_WIDTH,
    GO_ON,
    GROUPS,
    HEIGHT,
    LAST_WAY,
    PITCH,
    SOURCE,
    TOP,
    WAYS_BACK,
    phase_graph,
    phase_graph_text,
)

WIDTH: Final = 840
FRAME_LEFT, FRAME_RIGHT = 200, 832
TEXT: Final = BOX_LEFT + BOX_WIDTH + 12
SIGN: Final = 18
"""Px across a number."""

Point = tuple[float, float]


def phases(current: str | None = None, *, theme: str = "light") -> Figure:
    """The phases with what ends each and what leads back, 840 px wide; `current` is shown as the one under way.

    InputError for a phase or theme that there is not.
    """
    page, graph = colours(theme), phase_graph(current)
    end = TOP + len(PHASES) * PITCH
    lines = [*(why for why, _ in WAYS_BACK), LAST_WAY]
    said: list[Said] = [
        (8, 16, "<b>The phases, and what ends each</b>", "middle right", page["fg"]),
        *_names(graph, page),
        *_explained(lines, end + 12, page),
    ]
    traces = [
        *_frames(page),
        *(_line(way, page) for way in (*_ways_on(graph), *(way for _, way, _ in _ways_back()))),
        *_boxes(graph, page),
        _signs(page, end + 12),
        texts(said),
    ]
    return figure(traces, phase_graph_text(current), page, WIDTH, end + 18 + len(lines) * LINE)


# --- boxes and frames ----------------------------------------------------------------------------------------


def _rectangle(
    left: float, top: float, width: float, height: float, fill: str, line: dict[str, Any]
) -> Trace:
    right, bottom = left + width, top + height
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return points(corners, "lines", fill="toself", fillcolor=fill, line=line)


def _rows(group: str) -> tuple[float, float]:
    """Top and bottom of a group's frame."""
    first, last = PHASES.index(GROUPS[group][0]), PHASES.index(GROUPS[group][-1])
    return TOP + first * PITCH - 10, TOP + last * PITCH + HEIGHT + 10


def _frames(page: Colours) -> Iterator[Trace]:
    for group in GROUPS:
        top, bottom = _rows(group)
        line = {"color": EDGE, "width": 1}
        yield _rectangle(FRAME_LEFT, top, FRAME_RIGHT - FRAME_LEFT, bottom - top, page["panel"], line)


def _boxes(graph: nx.DiGraph, page: Colours) -> Iterator[Trace]:
    for name, node in graph.nodes(data=True):
        (x, y), (width, height) = node["pos"], node["size"]
        fill = page["accent"] if node["current"] else page["bg"]
        line = {
            "color": page["accent"] if node["current"] else page["fg"],
            "width": 3 if node["current"] else 1.5,
        }
        words = f"{name} ends when {node['ends']}." if "ends" in node else f"{name}: {LAST_WAY}"
        box = _rectangle(x - width / 2, y - height / 2, width, height, fill, line)
        yield {**box, "hoveron": "fills", "text": hover_text(words), "hoverinfo": "text"}


def _names(graph: nx.DiGraph, page: Colours) -> Iterator[Said]:
    for name, node in graph.nodes(data=True):
        x, y = node["pos"]
        if name == GO_ON:
            yield x, y, "The guest<br>goes on at<br><b>the source</b>", "middle center", page["fg"]
            continue
        ink = page["on"] if node["current"] else page["fg"]
        yield x, y, f"<b>{name}</b>{' · now' if node['current'] else ''}", "middle center", ink
        yield TEXT, y, node["ends"], "middle right", page["fg"]
    for group in GROUPS:
        top, _ = _rows(group)
        yield FRAME_RIGHT - 6, top + 9, f"<b>{group}</b>", "middle left", page["muted"]


# --- ways ----------------------------------------------------------------------------------------------------


def _line(way: Sequence[Point], page: Colours) -> Trace:
    quiet = len(way) - 1
    arrow = {
        "symbol": ["circle"] * quiet + ["arrow"],
        "size": [0] * quiet + [10],
        "angleref": "previous",
        "color": page["fg"],
        "opacity": 1,
        "line": {"width": 0},
    }
    return points(way, "lines+markers", line={"color": page["fg"], "width": 1.5}, marker=arrow)


def _ways_on(graph: nx.DiGraph) -> Iterator[list[Point]]:
    for one, other in pairwise(PHASES):
        x, y = graph.nodes[one]["pos"]
        yield [(x, y + HEIGHT / 2), (x, graph.nodes[other]["pos"][1] - HEIGHT / 2 - 1)]


def _row(phase: str) -> float:
    return TOP + PHASES.index(phase) * PITCH + HEIGHT / 2


def _ways_back() -> Iterator[tuple[int, list[Point], Point]]:
    """Number of each way back, its corners, and where its number stands; they run to the left of the boxes."""
    edge = BOX_LEFT - 1.0
    rounds, logging, copying = _row("Iterate"), _row("Start logging"), _row("Initial copy")
    yield (
        1,
        [(BOX_LEFT, rounds + 9), (186, rounds + 9), (186, rounds - 3), (edge, rounds - 3)],
        (186, rounds + 9),
    )
    yield (
        2,
        [(BOX_LEFT, rounds - 11), (164, rounds - 11), (164, logging), (edge, logging)],
        (164, copying + 29),
    )
    yield 2, [(BOX_LEFT, copying), (164, copying), (164, logging), (edge, logging)], (164, copying - 29)
    left, top, width, height = SOURCE
    frame = _rows("Pre-copy: the guest works on")[0] + 24
    yield 3, [(FRAME_LEFT, frame), (left + 50, frame), (left + 50, top - 1)], (left + 50, copying)
    for phase in ("Suspend", "State", "Resume"):
        y, side = _row(phase), left + width + 1.0
        inside = min(max(y, top + 12.0), top + height - 12.0)
        bent = [(164.0, y), (164.0, inside)] if inside != y else []
        yield 4, [(BOX_LEFT, y), *bent, (side, inside)], (182, y)


def _signs(page: Colours, below: float) -> Trace:
    """The numbers on the ways back, and again before the lines that explain them."""
    found = [(number, place) for number, _, place in _ways_back()]
    found += [(number, (17, below + (number - 1) * LINE)) for number in range(1, len(WAYS_BACK) + 1)]
    return points(
        [place for _, place in found],
        "markers+text",
        text=[f"<b>{number}</b>" for number, _ in found],
        textfont={"color": page["on"]},
        marker={
            "size": SIGN,
            "color": page["accent"],
            "opacity": 1,
            "line": {"color": page["bg"], "width": 1},
        },
        **hover([WAYS_BACK[number - 1][0] for number, _ in found]),
    )


def _explained(lines: Sequence[str], top: float, page: Colours) -> Iterator[Said]:
    for number, words in enumerate(lines):
        indent = 32 if number < len(WAYS_BACK) else 8
        yield indent, top + number * LINE, words, "middle right", page["fg"]
