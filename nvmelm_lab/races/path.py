"""The path of a search: the points of choice of the current execution, and what was learned on the way there.

Between two executions only the path is kept: who could go at each point, who went, who still has to be tried.  What
the executions up to there have in common is kept as well, so that it is only repeated, not looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvmelm_lab.engine.cells import Key

Footprint = tuple[int, int]
"""Cells read and cells written, one bit a cell."""

NOTHING: Footprint = (0, 0)


def conflict(one: Footprint, other: Footprint) -> bool:
    """Whether the order of two steps can matter."""
    return bool(one[1] & (other[0] | other[1]) or one[0] & other[1])


class Bits(dict["Key", int]):
    """Gives each cell a bit when it is first asked for."""

    def __missing__(self, key: Key) -> int:
        bit = self[key] = 1 << len(self)
        return bit


@dataclass(slots=True)
class Node:
    """A point of the path where an event is chosen.

    enabled
        Decisions that can be taken, with what would be touched.
    sleep
        Who need not go first here: an order with it first was seen elsewhere.
    backtrack, done
        What has to be tried, what has been.
    picks, steps
        Picks and steps of the execution before this point's.
    """

    enabled: dict[str, Footprint]
    sleep: dict[str, Footprint]
    backtrack: set[str]
    chosen: str
    picks: int
    steps: int
    done: dict[str, Footprint] = field(default_factory=dict)

    @property
    def awake(self) -> list[str]:
        """The decisions that have to be tried here if all are, in their order."""
        return sorted(self.enabled.keys() - self.sleep.keys())


@dataclass(slots=True)
class Event:
    """An event of the current execution: whose, what it touched, what happened before it.

    moved, opened
        The gates that it moved, and the cells of those that it opened.
    """

    actor: str
    footprint: Footprint
    past: int
    moved: tuple[Key, ...]
    opened: int


class Path:
    """The current path, and the current execution as far as the next one will be the same.

    nodes, events
        One of each a point of choice.
    picks
        Who was picked among those that looked as if they touched shared cells; some of them turned out local.
    past_of_step
        For each step taken the events that happened before its actor's next.
    held
        Who was held back by a gate, since which event, and at which pick that was noted.
    prefix
        Decisions that stay as they are: only what follows is searched.
    """

    def __init__(self, prefix: Sequence[str]) -> None:
        self.nodes: list[Node] = []
        self.events: list[Event] = []
        self.picks: list[str] = []
        self.past_of_step: list[int] = []
        self.held: dict[tuple[str, int], int] = {}
        self.prefix = tuple(prefix)
        self.bits: dict[Key, int] = Bits()

    @property
    def order(self) -> tuple[str, ...]:
        """The decisions of the current execution."""
        return tuple(node.chosen for node in self.nodes)

    def turn(self) -> bool:
        """Go back to the deepest point where something else has to be tried, and choose that; False: there is none."""
        nodes = self.nodes
        while len(nodes) > len(self.prefix):
            node = nodes[-1]
            node.done[node.chosen] = node.enabled[node.chosen]
            left = sorted(node.backtrack - node.done.keys() - node.sleep.keys())
            if left:
                node.chosen = left[0]
                self._forget_after(node)
                return True
            nodes.pop()
        return False

    def _forget_after(self, node: Node) -> None:
        del self.events[len(self.nodes) - 1 :]
        del self.picks[node.picks :]
        del self.past_of_step[node.steps :]
        self.held = {key: pick for key, pick in self.held.items() if pick < node.picks}
