"""Where the parts of a topology stand, and how the lines between them run: plain numbers, in px, y downwards.

Both sides mirror each other: the VMM and its controller in the middle, where the link is, the VM that migrates
beside them, its neighbours outside.  Every VM has a column: VM, controller, namespaces.
"""

from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import networkx as nx

WIDTH: Final = 840
EDGE: Final = 8
"""Between the picture's edge and what is drawn."""

GAP: Final = 88
"""Between the two sides: the link's name stands there."""

PAD: Final = 12
VMM_WIDTH: Final = 112
VM_WIDTH: Final = 96
BESIDE: Final = 28
"""Between the VMM's column and the next: arrows go there."""

BETWEEN: Final = 12
"""Between two VMs' columns."""

HOST_TOP, HOST_END, SSD_TOP = 6, 168, 206
BOX: Final = 44
QUEUE_WIDTH: Final = 84
TOPS: Final = {"vm": 32, "vmm": 32, "queue": 112, "mmc": 218, "mc": 218, "namespace": 306}
"""Kind of a part -> where its box begins; further namespaces of a VM stand below the first."""

NAMESPACE_PITCH: Final = 52
BUS: Final = 284
"""The height at which a line of the primary controller runs to the columns of the VMs."""

TITLE: Final = 28
"""Below the namespaces: an SSD's name stands there, for nothing crosses its lower edge."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side: between `left` and `right`; `inwards` is 1 where the link is to the right of it, else -1."""

    left: float
    right: float
    inwards: int

    def column(self, number: int) -> float:
        """The middle of a column: 0 for the VMM's, then the VMs' from the inside out."""
        inside = PAD + VMM_WIDTH / 2
        if number:
            inside = PAD + VMM_WIDTH + BESIDE + (number - 1) * (VM_WIDTH + BETWEEN) + VM_WIDTH / 2
        return self.right - inside if self.inwards > 0 else self.left + inside


def place(graph: nx.DiGraph) -> None:
    """Give all nodes their pos and size, all edges their way and sign, and the graph its size (width, height).

    Nodes have kind, inside, and column (0: the VMM's, 1: of the VM that migrates, then its neighbours'); edges kind.
    """
    columns = max(2, *(column for _, column in graph.nodes(data="column")))
    width = 2 * PAD + VMM_WIDTH + BESIDE + columns * VM_WIDTH + (columns - 1) * BETWEEN
    whole = max(WIDTH, 2 * (EDGE + width) + GAP)
    sides = {
        "source": _Side(EDGE, EDGE + width, 1),
        "destination": _Side(whole - EDGE - width, whole - EDGE, -1),
    }
    slots: dict[tuple[str, int], Any] = {}
    for _, part in graph.nodes(data=True):
        if part["inside"]:
            slot = slots.setdefault((part["inside"], part["column"]), count())
            _place_box(
                part, sides[part["inside"].split()[0]], next(slot) if part["kind"] == "namespace" else 0
            )
    end = max(part["pos"][1] for _, part in graph.nodes(data=True) if part["inside"]) + BOX / 2 + TITLE
    for name, part in graph.nodes(data=True):
        if not part["inside"]:
            side = sides[name.split()[0]]
            top, bottom = (HOST_TOP, HOST_END) if part["kind"] == "host" else (SSD_TOP, end)
            part.update(pos=((side.left + side.right) / 2, (top + bottom) / 2), size=(width, bottom - top))
    for one, other, edge in graph.edges(data=True):
        edge["way"] = _way(graph.nodes[one], graph.nodes[other], edge["kind"])
        edge["sign"] = _sign(edge)
    graph.graph["size"] = (whole, end)


def _place_box(part: dict[str, Any], side: _Side, slot: int) -> None:
    middle, width = side.column(part["column"]), VM_WIDTH if part["column"] else VMM_WIDTH
    if part["kind"] == "queue":
        middle -= side.inwards * (width - QUEUE_WIDTH) / 2
        width = QUEUE_WIDTH
    part.update(pos=(middle, TOPS[part["kind"]] + slot * NAMESPACE_PITCH + BOX / 2), size=(width, BOX))


def _way(one: dict[str, Any], other: dict[str, Any], kind: str) -> list[Point]:
    """The corners of a line between two boxes."""
    (x, y), (to_x, to_y) = one["pos"], other["pos"]
    half, to_half = one["size"][0] / 2, other["size"][0] / 2
    aside = 1 if to_x > x else -1
    if kind in ("link", "control"):
        return [(x + aside * half, y), (to_x - aside * to_half, to_y)]
    if kind == "attached" and one["kind"] == "mmc":
        turn = to_x - aside * (to_half + (BESIDE if other["column"] == 1 else BETWEEN) / 2)
        return [(x, y + BOX / 2), (x, BUS), (turn, BUS), (turn, to_y), (to_x - aside * to_half, to_y)]
    down = 1 if to_y > y else -1
    if kind == "commands":
        # On the inside of the column, past the queue.
        inwards = 1 if one["inside"].startswith("source") else -1
        x = x + inwards * (half - (half * 2 - QUEUE_WIDTH) / 2)
    elif kind == "entries":
        x = one["pos"][0] if one["kind"] == "queue" else to_x
    return [(x, y + down * BOX / 2), (x, to_y - down * BOX / 2)]


def _sign(edge: dict[str, Any]) -> Point:
    """Where a number stands that belongs to a line: on it, or beside it where it is short."""
    (x, y), *_, (to_x, to_y) = edge["way"]
    if edge["kind"] == "attached":
        return (to_x, (y + to_y) / 2) if len(edge["way"]) == 2 else edge["way"][2]
    if edge["kind"] in ("link", "control"):
        return (x + to_x) / 2, y - (16 if edge["kind"] == "control" else 0)
    if y < HOST_END and to_y < HOST_END:
        return x - 16, (y + to_y) / 2
    return x, (HOST_END + SSD_TOP) / 2
