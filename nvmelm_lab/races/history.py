"""The history of a session: the lines that somebody has tried, and where on which of them they are.

A *line* is an order of decisions from the start.  Going back and deciding otherwise begins another line and keeps the
old one.  Nothing here runs anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["", "good", "bad"]


@dataclass(frozen=True, slots=True)
class Chip:
    """A decision that was taken: whose, and what it did, in a word or two and in full."""

    decision: str
    lane: str
    words: str
    title: str


@dataclass(slots=True)
class Line:
    """Decisions from the start on, and what came of them: the `sentence` of what broke, once it was run to its end.

    lost_at
        Decisions after which the loss shows; 0 for none.
    """

    chips: list[Chip] = field(default_factory=list)
    outcome: Outcome = ""
    sentence: str = ""
    lost_at: int = 0

    @property
    def order(self) -> tuple[str, ...]:
        """Its decisions."""
        return tuple(chip.decision for chip in self.chips)


class History:
    """Lines, the number of the current one, and the position on it: how many of its decisions are taken."""

    def __init__(self) -> None:
        self.lines = [Line()]
        self.number = 0
        self.position = 0

    @property
    def line(self) -> Line:
        """The current line."""
        return self.lines[self.number]

    @property
    def taken(self) -> tuple[str, ...]:
        """The decisions up to the current position."""
        return self.line.order[: self.position]

    def note(self, chip: Chip) -> None:
        """A decision was taken here: go on along the line that has it, or begin one."""
        wanted = (*self.taken, chip.decision)
        for number in (self.number, *range(len(self.lines))):
            if self.lines[number].order[: len(wanted)] == wanted:
                self.number = number
                break
        else:
            chips = self.line.chips[: self.position]
            if self.position < len(self.line.chips):
                self.lines.append(Line(chips))
                self.number = len(self.lines) - 1
            self.line.chips = [*chips, chip]
        self.position += 1

    def forks(self) -> dict[int, list[int]]:
        """Where other lines leave the current one: after how many decisions, and which."""
        found: dict[int, list[int]] = {}
        for number, line in enumerate(self.lines):
            if number != self.number:
                found.setdefault(_in_common(line.order, self.line.order), []).append(number)
        return found


def _in_common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many decisions two orders have in common, from the start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (mine, yours) in pairs if mine != yours), min(len(one), len(other)))
