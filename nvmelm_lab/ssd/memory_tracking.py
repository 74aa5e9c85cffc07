"""The tracking of host memory: which granules a controller has written since somebody last asked.

A controller that is tracked is told apart from all others that write to the same memory: while one of its steps
acts, and only then, the memory says of each write where it went.  A controller that is not tracked pays nothing.
The commands are in `admin_memory_tracking.py`.  Source: Base 2.1, sections 5.1.27.1.2 and 5.1.26.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.memory_tracking import GRANULE_BYTES, MemoryRange

if TYPE_CHECKING:
    from nvmelm_lab.engine import Kind
    from nvmelm_lab.ssd.controller import Controller

MAX_RANGES = 64
"""CMMRTD and NMMRTD: ranges that the MMC, the only one of its subsystem, tracks at a time."""

FINEST, COARSEST = 0, 10
"""MINMRTG and MAXMRTG: granules of 4 KiB to 4 MiB."""

GRANULES = {"ample": 1 << 20, "scarce": 128}
"""How many granules an SSD can tell apart, all targets together: freedom 9."""


class MemoryTracking:
    """What the MMC knows of the memory that `target` writes to.

    ranges
        The ranges that were asked for; `granules` is how many granules they have.
    exponent, reported
        Granularity that was asked for (RMRTG) and that reports have (RPMPG).
    """

    __slots__ = (
        "_acts",
        "_changed",
        "_reported_shift",
        "_spans",
        "exponent",
        "granules",
        "ranges",
        "reported",
        "target",
    )

    def __init__(
        self, target: Controller, exponent: int, ranges: Sequence[MemoryRange], reported: int
    ) -> None:
        self.target = target
        self.exponent = exponent
        self.ranges = tuple(ranges)
        self.granules = sum(each.granules for each in ranges)
        self.reported = reported
        size = GRANULE_BYTES << exponent
        self._spans = [(each.address, each.address + each.granules * size) for each in ranges]
        self._reported_shift = (GRANULE_BYTES << reported).bit_length() - 1
        self._changed: set[int] = set()
        self._acts: list[tuple[Kind, Callable[[Any], Any]]] = []

    def start(self) -> None:
        """From now on see what the target's steps write."""
        target = self.target
        for kind in (target.execute, target.execute_admin, target.complete, target.serve):
            self._acts.append((kind, kind.act))
            kind.act = partial(self._watch, kind.act)

    def stop(self) -> None:
        """See nothing any more."""
        for kind, act in self._acts:
            kind.act = act

    def report(self, most: int) -> tuple[list[MemoryRange], bool]:
        """At most `most` ranges that were written, ascending, and whether there are more.

        What is given is forgotten.  Granules that follow each other are one range.
        """
        ranges: list[MemoryRange] = []
        changed, shift = sorted(self._changed), self._reported_shift
        taken = 0
        for granule in changed:
            if ranges and ranges[-1].address + (ranges[-1].granules << shift) == granule << shift:
                ranges[-1] = MemoryRange(ranges[-1].address, ranges[-1].granules + 1)
            elif len(ranges) == most:
                break
            else:
                ranges.append(MemoryRange(granule << shift, 1))
            taken += 1
        self._changed.difference_update(changed[:taken])
        return ranges, taken < len(changed)

    # -- inside --------------------------------------------------------------------------------------------

    def _watch(self, act: Callable[[Any], Any], subject: Any) -> Any:
        """A step of the target, which may be part of a longer one."""
        space = self.target.space
        outer = space.device_listener
        space.device_listener = self._note
        try:
            return act(subject)
        finally:
            space.device_listener = outer

    def _note(self, address: int, length: int) -> None:
        shift = self._reported_shift
        for first, end in self._spans:
            low, high = max(first, address), min(end, address + max(length, 1))
            if low < high:
                self._changed.update(range(low >> shift, (high - 1 >> shift) + 1))


def asking(target: Controller) -> Touches:
    """The cells that starting, stopping and reporting touch.

    Any step of the target's commands may write to memory.  They commute with each other; they race with these as
    they do with an end of all commands.
    """
    return (target.fetch_gate.key,), target.ending_touches()[1]
