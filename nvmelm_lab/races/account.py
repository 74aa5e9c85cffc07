"""An account of one execution: its steps in lines, and what became of blocks, entries and controllers.

A line is what somebody did without interruption.  *Local* steps, which nobody else can tell of, belong to the line of
what they follow or prepare; and what serves one errand is one line as long as nobody comes in between: a command of
the guest in a controller, a piece that is copied, an admin command, a look into the Migration Queue.  The number of
lines is what is meant by the length of a counterexample.

Only values live here; `teller.py` makes them of a trace.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nvmelm_lab.nvme import Mqe
from nvmelm_lab.races.names import Names
from nvmelm_lab.runs.attribution import Command
from nvmelm_lab.runs.roles import Roles


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody did without interruption.

    lane, who, text
        Where a picture shows it, who it was, and what was done: `who` and `text` make a sentence.
    note
        What that means, for who has the room to say so; "" for nothing.
    errand
        What it serves, the same for all lines that serve the same.
    points
        The points of choice that it took, as indices into the order.
    steps
        The first and the last of its told steps in the trace.
    """

    lane: str
    who: str
    text: str
    note: str
    errand: str
    points: tuple[int, ...]
    steps: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Span:
    """LBAs that something was done to, in which line and step."""

    line: int
    step: int
    slba: int
    blocks: int

    def covers(self, lba: int) -> bool:
        """Whether this LBA is among them."""
        return self.slba <= lba < self.slba + self.blocks


@dataclass(frozen=True, slots=True)
class Change:
    """Blocks that were changed.

    span, side
        Where, and whether at the source (0) or at the destination (1).
    version
        As the player names it: ``v1, deallocated``.
    command
        Of the guest; None where the VMM changed the block, that is copied it.
    controller, who
        Which executed the command, and on whose behalf: ``command 1 of the guest``, ``Copy task 1``.
    logged
        Whether that controller's changes were logged at that moment.
    """

    span: Span
    side: int
    version: str
    command: Command | None
    controller: str
    who: str
    logged: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the Migration Queue: which line posted it into which slot, and which line read it (-1: none)."""

    line: int
    step: int
    slot: int
    mqe: Mqe
    read_by: int = -1
    read_at: int = -1

    def covers(self, lba: int) -> bool:
        """Whether it says that this LBA changed."""
        return self.mqe.slba <= lba < self.mqe.slba + self.mqe.blocks


@dataclass(slots=True)
class Way:
    """How far a command of the guest came; lines, -1 for what did not happen.

    fetched, completed
        By which controllers: ``(line, controller)``, ``(line, controller, status)``.
    """

    command: Command
    asked: int
    fetched: list[tuple[int, str]] = field(default_factory=list)
    completed: list[tuple[int, str, int]] = field(default_factory=list)
    read: int = -1


@dataclass(slots=True)
class Account:
    """One execution, told.

    lanes
        Of those who did something, from top to bottom.
    looks
        What copies read at the source.
    ways
        Of the guest's commands, in the order in which they were submitted, and then of those that it never did submit.
    happened
        The first word of an effect -> the lines in which something of that sort happened, with the effect.
    """

    roles: Roles
    names: Names
    lanes: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    changes: list[Change] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    looks: list[Span] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    happened: dict[str, list[tuple[int, tuple[Any, ...]]]] = field(default_factory=dict)

    def first(self, word: str, about: str = "") -> int:
        """The first line in which something of that sort happened (to `about`, if given); -1 for none."""
        found = self.happened.get(word, ())
        return next((line for line, effect in found if not about or about in effect[1:]), -1)

    def line_of(self, point: int) -> int:
        """The line that took a point of choice."""
        return next(at for at, line in enumerate(self.lines) if point in line.points)
