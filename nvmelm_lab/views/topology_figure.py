"""The topology as a plotly figure: who there is, and with a phase, who talks to whom in it.

What a part is, its shape says: VMs are rounded, the VMM has cut corners, primary controllers a double outline,
secondary ones a single one, namespaces look like drums, the Migration Queue has notched corners.  A part that is
not there (yet) is dashed.  Who talks has a thick outline, and each exchange a number that the lines below explain.
"""

from collections.abc import Iterator, Sequence
from math import cos, pi, sin
from textwrap import wrap
from typing import Any, Final

import networkx as nx

from nvmelm_lab.lab import LabSpec
from nvmelm_lab.views.figures import (
    LINE,
    LINE_CHARS,
    Figure,
    Said,
    Trace,
    colours,
    figure,
    hover,
    hover_text,
    plain,
    points,
    texts,
)
from nvmelm_lab.views.lab_graph import (
    absent,
    busy_edges,
    edges_of,
    heading_and_lines,
    topology_graph,
    topology_text,
)
from nvmelm_lab.views.model import PHASES
from nvmelm_lab.views.palette import EDGE, Colours
from nvmelm_lab.views.places import PAD, Point
from nvmelm_lab.views.talks import TALKS

WIDE_CHAR: Final = 8
"""Px of a bold character in a wide typeface."""

SIGN: Final = 18
"""Px across a number."""

ABOUT: Final = (
    "Who takes part",
    "VM: virtual machine. VMM: virtual machine monitor, the Migration Management Host (MMH).",
    "MMC: Migration Management Controller, takes all commands of a migration. MC: Migratable Controller, serves a VM.",
    "PF_0, VF: physical and virtual functions, as which one SSD shows itself (SR-IOV). NS: namespace, a VM's disk.",
    "Hover over a part to read what it does; give a phase to see who talks to whom in it.",
)


def topology(
    spec: LabSpec | None = None, phase: str | None = None, *, guest: str | None = None, theme: str = "light"
) -> Figure:
    """The parts of a lab (the usual one if None) and their connections, as a picture of 840 px or more.

    phase
        One of the eight, whose exchanges are numbered and told; None shows the parts alone.
    guest
        Name of the VM that migrates; the first of the lab if None.
    theme
        ``light`` (dark where JupyterLab is) or ``dark``.

    InputError for a phase, guest or theme that there is not.
    """
    page = colours(theme)
    graph = topology_graph(spec, guest)
    words = topology_text(spec, phase, guest)
    width, end = graph.graph["size"]
    lines = _wrapped(heading_and_lines(graph, phase) if phase else ABOUT)
    # As high as the phase with most to say, so that nothing moves from phase to phase.
    most = max(len(_wrapped(heading_and_lines(graph, each))) for each in PHASES) if phase else len(lines)
    height = end + 16 + most * LINE
    away = absent(graph, phase)
    active = [edges_of(graph, talk) for talk in TALKS[phase]] if phase else []
    busy = busy_edges(graph, phase) if phase else []
    traces = [
        *_frames(graph, page),
        *_lines(graph, page, {edge for edges in active for edge in edges}, busy),
        *_boxes(graph, page, away, {name for edges in active for edge in edges for name in edge}),
        _labels(graph, page, away),
        _handles(graph),
        _signs(graph, page, active, heading_and_lines(graph, phase)[1:-1] if phase else []),
        texts(
            [(PAD / 2, end + 22 + n * LINE, line, "middle right", page["fg"]) for n, line in enumerate(lines)]
        ),
    ]
    return figure(traces, words, page, width, height)


# --- parts ---------------------------------------------------------------------------------------------------


def _frames(graph: nx.DiGraph, page: Colours) -> Iterator[Trace]:
    for _, frame in graph.nodes(data=True):
        if not frame["inside"]:
            outline = {"color": EDGE, "width": 1}
            yield _polygon(_rounded(frame["pos"], frame["size"], 6), page["panel"], outline)


def _boxes(graph: nx.DiGraph, page: Colours, away: Sequence[str], active: set[str]) -> Iterator[Trace]:
    for name, part in graph.nodes(data=True):
        if not part["inside"]:
            continue
        there = name not in away
        outline = {
            "color": page["accent"] if name in active else page["fg"] if there else EDGE,
            "width": 3 if name in active else 1.5,
            "dash": "solid" if there else "dash",
        }
        shape = _SHAPES[part["kind"]](part["pos"], part["size"])
        yield {
            **_polygon(shape, page["bg"], outline),
            "hoveron": "fills",
            "text": hover_text(part["sentence"]),
            "hoverinfo": "text",
        }
        if part["kind"] == "mmc":
            width, height = part["size"]
            inner = {**outline, "width": 1}
            yield _polygon(_rounded(part["pos"], (width - 8, height - 8), 1), page["bg"], inner)


def _polygon(corners: Sequence[Point], fill: str, outline: dict[str, Any]) -> Trace:
    return points([*corners, corners[0]], "lines", fill="toself", fillcolor=fill, line=outline)


def _corners(pos: Point, size: Point, radius: float, arc: Sequence[float]) -> list[Point]:
    """A box whose corners are drawn by `arc`: angles in quarters of pi/2 from the corner's own centre."""
    (x, y), (width, height) = pos, size
    points = []
    for turn, (right, down) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        centre = x + right * (width / 2 - radius), y + down * (height / 2 - radius)
        points += [
            (
                centre[0] + radius * cos((turn + part) * pi / 2),
                centre[1] + radius * sin((turn + part) * pi / 2),
            )
            for part in arc
        ]
    return points


def _rounded(pos: Point, size: Point, radius: float = 10) -> list[Point]:
    return _corners(pos, size, radius, (0, 0.25, 0.5, 0.75, 1))


def _cut(pos: Point, size: Point) -> list[Point]:
    return _corners(pos, size, 9, (0, 1))


def _plain(pos: Point, size: Point) -> list[Point]:
    return _corners(pos, size, 0, (0,))


def _notched(pos: Point, size: Point) -> list[Point]:
    (x, y), (width, height) = pos, size
    points: list[Point] = []
    for turn, (right, down) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        corner = x + right * width / 2, y + down * height / 2
        angles = [(turn + 3 - part / 4) * pi / 2 for part in range(5)]
        points += [(corner[0] + 7 * cos(angle), corner[1] + 7 * sin(angle)) for angle in angles]
    return points


def _drum(pos: Point, size: Point) -> list[Point]:
    (x, y), (width, height) = pos, size
    bow = [(x + width / 2 * cos(n * pi / 12), sin(n * pi / 12) * 6) for n in range(13)]
    lower = [(at, y + height / 2 - 6 + by) for at, by in bow]
    upper = [(at, y - height / 2 + 6 - by) for at, by in reversed(bow)]
    return [*lower, *upper]


_SHAPES: Final = {
    "vm": _rounded,
    "vmm": _cut,
    "mmc": _plain,
    "mc": _plain,
    "namespace": _drum,
    "queue": _notched,
}


def _labels(graph: nx.DiGraph, page: Colours, away: Sequence[str]) -> Trace:
    """The names of all parts, of the frames and of the link."""
    said: list[Said] = []
    for name, part in graph.nodes(data=True):
        (x, y), (width, height) = part["pos"], part["size"]
        if part["inside"]:
            room = int(width - 8) // WIDE_CHAR
            label = part["label"] if len(part["label"]) <= room else f"{part['label'][: room - 1]}…"
            colour = page["muted"] if name in away else page["fg"]
            said.append((x, y, f"<b>{plain(label)}</b><br>{part['detail']}", "middle center", colour))
        else:
            at = y - height / 2 + 13 if part["kind"] == "host" else y + height / 2 - 13
            said.append(
                (x - width / 2 + PAD - 4, at, f"<b>{part['label']}</b>", "middle right", page["muted"])
            )
    for _, _, edge in graph.edges(data=True):
        if edge["kind"] == "link":
            x, y = edge["sign"]
            said.append((x, y - 18, "<b>link</b>", "middle center", page["fg"]))
            said.append((x, y + 18, edge["label"], "middle center", page["fg"]))
    return texts(said)


# --- connections ---------------------------------------------------------------------------------------------


def _lines(
    graph: nx.DiGraph, page: Colours, active: set[tuple[str, str]], busy: Sequence[tuple[str, str]]
) -> Iterator[Trace]:
    """The quiet lines first, so that those that matter lie on top."""
    edges = sorted(graph.edges(data=True), key=lambda edge: (edge[:2] in active, edge[:2] in busy))
    for one, other, edge in edges:
        look = (EDGE, 1, 8)
        if (one, other) in busy:
            look = (page["fg"], 2, 10)
        if (one, other) in active:
            look = (page["accent"], 3, 13)
        yield _line(edge["way"], *look)


def _line(way: Sequence[Point], colour: str, width: float, head: float) -> Trace:
    quiet = len(way) - 1
    arrow = {
        "symbol": ["circle"] * quiet + ["arrow"],
        "size": [0] * quiet + [head],
        "angleref": "previous",
        "color": colour,
        "opacity": 1,
        "line": {"width": 0},
    }
    return points(way, "lines+markers", line={"color": colour, "width": width}, marker=arrow)


def _handles(graph: nx.DiGraph) -> Trace:
    """Where the mouse learns what a line, a host or an SSD is."""
    handles = [(edge["sign"], edge["sentence"]) for _, _, edge in graph.edges(data=True)]
    for _, part in graph.nodes(data=True):
        if not part["inside"]:
            (x, y), (width, height) = part["pos"], part["size"]
            edge = y - height / 2 + 13 if part["kind"] == "host" else y + height / 2 - 13
            handles.append(((x - width / 2 + 60, edge), part["sentence"]))
    places, sentences = zip(*handles, strict=True)
    return points(places, "markers", marker={"size": SIGN, "opacity": 0}, **hover(sentences))


def _signs(
    graph: nx.DiGraph, page: Colours, active: Sequence[Sequence[tuple[str, str]]], lines: Sequence[str]
) -> Trace:
    """The numbers of the exchanges."""
    places = [graph.edges[edges[0]]["sign"] for edges in active]
    return points(
        places,
        "markers+text",
        text=[f"<b>{number}</b>" for number in range(1, len(places) + 1)],
        textfont={"color": page["on"]},
        marker={
            "size": SIGN,
            "color": page["accent"],
            "opacity": 1,
            "line": {"color": page["bg"], "width": 1},
        },
        **hover(lines),
    )


# --- words ---------------------------------------------------------------------------------------------------


def _wrapped(lines: Sequence[str]) -> list[str]:
    """The heading in bold, then the lines; what is too long goes on below, indented."""
    told = [f"<b>{lines[0]}</b>"]
    for line in lines[1:]:
        first, *rest = wrap(plain(line), LINE_CHARS, subsequent_indent="\u2003")
        number, space, words = first.partition(" ")
        told += [f"<b>{number}</b>{space}{words}" if number.isdigit() else first, *rest]
    return told
