"""The board: what somebody who decides on the order of steps sees of a run at one point.  Plain values only.

The cells of the namespace on both sides, the Migration Queue, who runs, where the guest's commands are, and for each
LBA whether anybody will tell the VMM of its last change.  `watcher.py` finds all of it in the effects of a trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nvmelm_lab.runs.stakes import Verdict
from nvmelm_lab.runs.states import State

Told = Literal["same", "not logged", "no entry yet", "waits", "read"]
"""Whether the VMM gets to know of an LBA's last change: nothing changed, logging was off, or where its entry is."""


@dataclass(frozen=True, slots=True)
class Side:
    """One LBA on one side: its version (``v0`` before the run, ``""``: never written there) and its state."""

    version: str
    state: State


@dataclass(frozen=True, slots=True)
class Cell:
    """One LBA on both sides.

    coming
        What the guest's commands on the way will make of it: ``v1 in flight (command 1)``; "" for none.
    copied
        The version that a copy under way has read at the source; "" for none.
    writer
        Who wrote the source's version; "" for v0.
    told
        What is known of the entry of that change.
    """

    lba: int
    source: Side
    destination: Side
    coming: str
    copied: str
    writer: str
    told: Told
    slot: int = -1


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of the Migration Queue: its phase tag, what its entry says in full and in a word, and whether the VMM
    has read that.
    """

    number: int
    phase: int
    words: str
    short: str
    state: Literal["empty", "waits", "read"]


@dataclass(frozen=True, slots=True)
class Queue:
    """The Migration Queue; without slots before it is created.  `slots` are those that are shown, of `size`."""

    slots: tuple[Slot, ...] = ()
    size: int = 0
    head: int = 0
    tail: int = 0


@dataclass(frozen=True, slots=True)
class Property:
    """A promise that is judged: how it stands so far, and a word on what broke it."""

    name: str
    verdict: Verdict
    word: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """A run at one point.

    logging, controllers, vm
        A sentence each.
    is_moved
        Whether the guest is served at the destination.
    wrong
        LBAs that are not as promised there: a loss, once the guest is served there.
    """

    cells: tuple[Cell, ...]
    blocks: int
    queue: Queue
    logging: str
    controllers: str
    vm: str
    properties: tuple[Property, ...]
    is_moved: bool = False
    wrong: tuple[int, ...] = ()
