"""The phases of a live migration as a graph: what ends each, and what leads back.  Facts, places and words.

`phase_graph_text` is the text twin of the figure that `phases_figure` draws; places are px on its page.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import networkx as nx

from nvmelm_lab.errors import InputError
from nvmelm_lab.views.model import PHASES

GO_ON: Final = "The guest goes on at the source"
"""Where every way back ends."""

ENDS: Final = {
    "Prepare": "namespace, Ctlr H and the queues for the copy tasks are there",
    "Start logging": "Track Send has completed: from now on every change gets an entry",
    "Initial copy": "all that Get LBA Status reported has been copied once",
    "Iterate": "a round took no longer than the downtime budget, or no rounds are left",
    "Suspend": "the queue is read up to its “suspended” entry, the last blocks are copied",
    "State": "the last pages of memory and the controller state have gone over",
    "Resume": "Ctlr H fetches commands, and the VM runs at the destination",
    "Clean up": "the queue is deleted, Ctlr Y is reset and offline, its namespace detached",
}
"""When each phase ends."""

GROUPS: Final = {
    "Pre-copy: the guest works on": PHASES[:4],
    "Suspend and copy: it stands still": PHASES[4:5],
    "Post-copy": PHASES[5:],
}
"""The three phases of the talk, and the parts of each."""

WAYS_BACK: Final = (
    (
        "A round took longer than the budget, and rounds are left: copy once more what changed meanwhile.",
        (("Iterate", "Iterate"),),
    ),
    (
        "The Migration Queue was full: logging has stopped. Log again, then copy from a fresh baseline.",
        (("Initial copy", "Start logging"), ("Iterate", "Start logging")),
    ),
    (
        "Cancelled or failed while the guest still works: it never stopped, so there is nothing to resume.",
        (("Prepare", GO_ON),),
    ),
    (
        "Failed after the pause: Ctlr H goes offline, Ctlr Y is resumed and logs on, the VM starts again.",
        (("Suspend", GO_ON), ("State", GO_ON), ("Resume", GO_ON)),
    ),
)
"""What leads back, and from where to where.  Once the VM runs at the destination nothing does."""

LAST_WAY: Final = "Once the VM runs at the destination there is no way back: what is left is to clean up."

TOP, PITCH, HEIGHT = 44, 58, 34
BOX_LEFT, BOX_WIDTH = 214, 124
SOURCE: Final = (8, 308, 118, 92)
"""Left, top, width and height of the box for `GO_ON`."""


def phase_graph(current: str | None = None) -> nx.DiGraph:
    """The phases and the ways between them.

    Nodes have `pos` (the middle) and `size`; phases also `ends` and `group`, and `current` is True for one at most.
    Edges have `number` (0 for the way on, else that of the way back, from 1) and `why`.  InputError for a phase that
    there is not.
    """
    if current is not None and current not in PHASES:
        raise InputError(f"there is no phase {current!r}; there are: {', '.join(PHASES)}")
    graph = nx.DiGraph()
    groups = {phase: group for group, phases in GROUPS.items() for phase in phases}
    for number, phase in enumerate(PHASES):
        graph.add_node(
            phase,
            pos=(BOX_LEFT + BOX_WIDTH / 2, TOP + number * PITCH + HEIGHT / 2),
            size=(BOX_WIDTH, HEIGHT),
            ends=ENDS[phase],
            group=groups[phase],
            current=phase == current,
        )
    left, top, width, height = SOURCE
    graph.add_node(GO_ON, pos=(left + width / 2, top + height / 2), size=(width, height), current=False)
    for one, other in pairwise(PHASES):
        graph.add_edge(one, other, number=0, why=ENDS[one])
    for number, (why, edges) in enumerate(WAYS_BACK, 1):
        for edge in edges:
            graph.add_edge(*edge, number=number, why=why)
    return graph


def phase_graph_text(current: str | None = None) -> str:
    """The figure's facts in words: a line for each phase, then one for each way back.  InputError as for the graph."""
    graph = phase_graph(current)
    lines = ["The phases of a live migration, and what ends each"]
    for number, phase in enumerate(PHASES, 1):
        node = graph.nodes[phase]
        now = " (now)" if node["current"] else ""
        lines.append(f"{number}. {phase}{now} [{node['group']}] ends when {node['ends']}.")
    for number, (why, edges) in enumerate(WAYS_BACK, 1):
        ways = "; ".join(f"{one} -> {other}" for one, other in edges)
        lines.append(f"Way back {number}: {why} ({ways})")
    return "\n".join([*lines, LAST_WAY])
