"""A port: the only way from a host to a controller.

Properties and doorbells go out through it, interrupts come in, and rings and buffers lie in its memory.  Which
controller is behind the port can change while nobody uses it: that is what a migration does to a guest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from nvmelm_lab.engine import Touches
from nvmelm_lab.engine.cells import Key
from nvmelm_lab.memory import AddressSpace

if TYPE_CHECKING:
    from nvmelm_lab.host.queue_pair import QueuePair


class Door(Protocol):
    """What a controller shows to a host: a real one of an SSD, or software that stands for one.

    interrupt
        Called with ``(cqid, cids)`` when the CQEs of these commands have become visible.
    """

    name: str
    interrupt: Callable[[int, Sequence[int]], None] | None

    def write_property(self, offset: int, value: int) -> None:
        """The host writes a property or a doorbell."""

    def read_property(self, offset: int) -> int:
        """The host reads a property."""

    def doorbell_touches(self) -> Touches:
        """The cells that a doorbell write touches."""

    def property_touches(self, offset: int) -> Touches:
        """The cells that writing the property at `offset` may touch."""


class Port:
    """Connects `space` with the controller that is plugged in.

    queues
        QID -> queue pair that interrupts of that completion queue wake.
    cells
        What whoever loses and revives the queues writes, and whoever rings a doorbell reads: empty as long as nobody
        reckons with resets.
    """

    __slots__ = ("_controller", "cells", "queues", "space")

    def __init__(self, space: AddressSpace) -> None:
        self.space = space
        self.queues: dict[int, QueuePair] = {}
        self.cells: tuple[Key, ...] = ()
        self._controller: Door | None = None

    @property
    def behind(self) -> Door | None:
        """The controller that is plugged in."""
        return self._controller

    def plug(self, controller: Door) -> None:
        """From now on this controller is behind the port."""
        self._controller = controller
        controller.interrupt = self._interrupt

    def move_to(self, space: AddressSpace) -> None:
        """From now on rings and buffers lie in `space`, at the same addresses."""
        self.space = space
        for queue in self.queues.values():
            queue.map()

    def write_property(self, offset: int, value: int) -> None:
        """Write a property or a doorbell."""
        assert self._controller is not None
        self._controller.write_property(offset, value)

    def read_property(self, offset: int) -> int:
        """Read a property."""
        assert self._controller is not None
        return self._controller.read_property(offset)

    def replay_interrupts(self) -> None:
        """Let every queue look for completions that were posted while nobody listened."""
        for queue in self.queues.values():
            queue.look()

    def doorbell_touches(self) -> Touches:
        """The cells that a doorbell write touches."""
        assert self._controller is not None
        touches = self._controller.doorbell_touches()
        return (touches[0] + self.cells, touches[1]) if self.cells else touches

    def property_touches(self, offset: int) -> Touches:
        """The cells that writing the property at `offset` may touch."""
        assert self._controller is not None
        return self._controller.property_touches(offset)

    def reviving_touches(self) -> Touches:
        """The cells that losing and reviving the queues touches."""
        reads, writes = self.doorbell_touches()
        return reads, (*writes, *self.cells)

    def _interrupt(self, cqid: int, cids: Sequence[int]) -> None:
        queue = self.queues.get(cqid)
        if queue is not None:
            queue.interrupted(cids)
