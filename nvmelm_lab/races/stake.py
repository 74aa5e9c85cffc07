"""What is at stake at one point of a run, in two sentences: for who decides on the order of steps.

Sentences only, made of a board and of who could go next; nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from nvmelm_lab.oracle import PROPERTIES
from nvmelm_lab.races.board import Board, Cell

Kind = Literal["open", "risk", "lost", "broken", "good"]


@dataclass(frozen=True, slots=True)
class Stake:
    """How things stand: a few words that matter most, and what is behind them.

    kind
        ``open``: nothing is lost; ``risk``: nobody will tell the VMM of a change; ``lost``: an LBA is not as promised;
        ``broken``: another promise is broken; ``good``: the run is over, and every promise was kept.
    """

    kind: Kind
    head: str
    rest: str


@dataclass(frozen=True, slots=True)
class Next:
    """What one who may go next is about to do, as far as a hint needs it: the kind of step, for whom, which LBA."""

    kind: str
    is_guest: bool
    lba: int = -1


def stake(board: Board, nexts: Sequence[Next]) -> Stake:
    """What is at stake while the run goes on."""
    if board.wrong:
        return loss(board)
    for cell in board.cells:
        if not board.is_moved and cell.told == "not logged" and _is_stale(cell):
            return Stake("risk", f"At risk: LBA {cell.lba}.", f"{_where(cell)}. {_why(cell)}")
    for cell in board.cells:
        if not board.is_moved and cell.told != "same" and cell.source.version != cell.destination.version:
            return Stake("open", "Nothing lost yet.", f"LBA {cell.lba}: {_where(cell)}. {_why(cell)}")
    return Stake("open", "Nothing lost yet.", _hint(board, nexts))


def loss(board: Board) -> Stake:
    """An LBA is otherwise at the destination than the guest was promised."""
    cell = next((cell for cell in board.cells if cell.lba in board.wrong), None)
    if cell is None:
        return Stake(
            "lost", f"Lost: LBA {board.wrong[0]}.", "The destination has not what the guest was promised."
        )
    has = cell.destination.version or "nothing"
    promised = f"{cell.source.version}, written by {cell.writer}" if cell.writer else cell.source.version
    rest = (
        f"The guest was promised {promised}; the destination has {has}. {_ENDS[cell.told].format(cell=cell)}"
    )
    return Stake("lost", f"Lost: LBA {cell.lba}.", rest)


def ending(board: Board, sentence: str) -> Stake:
    """What came of a run that is over; `sentence`: what the oracle says is broken, "" for nothing."""
    if not sentence:
        rest = "The guest finds all that it was promised. Undo, and let somebody else go first."
        return Stake("good", "Nothing is lost in this order.", rest)
    if board.wrong:
        return loss(board)
    name, _, word = sentence.partition(": ")
    if name in PROPERTIES:
        return Stake("broken", f"Broken: {name}.", f"{PROPERTIES[name]} Here: {word}.")
    return Stake("broken", "Broken.", f"{sentence[:1].upper()}{sentence[1:]}.")


def _is_stale(cell: Cell) -> bool:
    """Whether an older version is at the destination, or on its way there."""
    older = cell.copied or cell.destination.version
    return bool(older) and older != cell.source.version


def _where(cell: Cell) -> str:
    there = (
        f"the destination {cell.destination.version}"
        if cell.destination.version
        else "the destination nothing"
    )
    if cell.copied and cell.copied != cell.destination.version:
        there += f", and a copy under way carries {cell.copied}"
    return f"The source has {cell.source.version}, {there}"


def _why(cell: Cell) -> str:
    return _REASONS[cell.told].format(cell=cell)


_REASONS: Final = {
    "same": "",
    "not logged": "No entry will tell the VMM: logging was off when {cell.writer} was executed.",
    "no entry yet": "The entry of {cell.writer} is not posted yet.",
    "waits": "The entry in slot {cell.slot} tells of it; the VMM has not read it yet.",
    "read": "The VMM has read its entry, and has to copy it again.",
}

_ENDS: Final = {
    "same": "It was never copied.",
    "not logged": "No entry told the VMM: logging was off when {cell.writer} was executed.",
    "no entry yet": "Its entry was never posted.",
    "waits": "Its entry in slot {cell.slot} was never read.",
    "read": "Its entry was read, but what it tells of was not copied after that.",
}


def _hint(board: Board, nexts: Sequence[Next]) -> str:
    """A question about what could go wrong from here."""
    if board.is_moved:
        return "The guest runs at the destination, and finds there what it was promised."
    changes = {each.lba for each in nexts if each.is_guest and each.kind == "execute"}
    coming = {cell.lba for cell in board.cells if cell.coming}
    for each in nexts:
        if each.kind == "execute" and not each.is_guest and each.lba in changes | coming:
            return (
                f"If the copy takes LBA {each.lba} now, which version will the destination get, "
                "and who will tell the VMM of the next one?"
            )
    if changes and "is not logged" in board.logging:
        return "If the guest's command is executed now, will an entry tell the VMM of it?"
    if any(each.is_guest and each.kind == "submit" for each in nexts):
        return "The guest may write at any moment: before, during or after the copy of that LBA."
    return (
        "A change is safe if it is copied after it was made, or if an entry tells the VMM to copy it again."
    )
