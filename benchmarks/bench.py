"""The lab that the I/O benchmarks share: one guest of queue depth 32 that writes single LBAs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec

BLOCKS = 16_384
DEPTH = 32
NAME = "guest"
_WRITE = OperationKind.WRITE

SPEC = LabSpec(guests=(GuestSpec(NAME, "Y", "H", (BLOCKS,), depth=DEPTH),), ring_entries=2 * DEPTH)


class Bench:
    """A lab that has begun under Timed; its guest's queue pair, controller and Submission Queue are at hand."""

    def __init__(self) -> None:
        self.lab = Lab(SPEC)
        self.lab.begin()
        self.engine = self.lab.engine
        self.queue = self.lab.guests[NAME].driver.port.queues[1]
        self.controller = next(each for each in self.lab.source.controllers.values() if each.name == "Y")
        self.ring = self.controller.sqs[1]


def writes(count: int) -> Iterator[Operation]:
    """`count` Writes of one LBA each, as fast as they go, scattered over the namespace."""
    for number in range(count):
        yield Operation(_WRITE, number * 7 % BLOCKS, 1, 0)
