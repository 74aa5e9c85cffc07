"""The door alone: what the steps of a Write do, called in a plain loop without an engine.

Doorbells and reaps are batched over a queue depth of 32, as drivers do; everything else happens once per I/O: a
fresh stamp into the guest's buffer, the SQE into the ring, fetch, execution, the CQE into the ring, the interrupt.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bench import BLOCKS, DEPTH, NAME, Bench
from benchmarks.measure import Figure, Size, rates
from nvmelm_lab.errors import KitError
from nvmelm_lab.memory import make_stamp
from nvmelm_lab.nvme.codes import IoOpcode
from nvmelm_lab.nvme.structs import SQE
from nvmelm_lab.ssd.entries import take_command

TARGET = 400_000
BATCHES = 4
"""Batches of a slice."""


def measure(size: Size) -> list[Figure]:
    """I/Os per second of CPU time."""
    (rate,) = rates([lambda: _run(size.ios)], size.rounds)
    return [
        Figure(
            "Write, the door alone",
            rate.best,
            "IO/s",
            rate.middle,
            TARGET,
            calibration_ns=rate.calibration_ns,
        )
    ]


def _run(ios: int) -> Iterator[int]:
    bench = Bench()
    controller, queue, ring = bench.controller, bench.queue, bench.ring
    pages = bench.lab.guests[NAME].vm.pages
    write, address = pages.space.write_stamps, pages.buffer(4096).address
    submit, doorbell, reap = queue.submit, queue.ring.act, queue.reap_visible
    execute, complete = controller.execute.act, controller.complete.act
    pack, opcode, stamp, slba = SQE.pack, int(IoOpcode.WRITE), make_stamp(0x100, 1), 0
    for _ in range(ios // (BATCHES * DEPTH)):
        for _ in range(BATCHES):
            for _ in range(DEPTH):
                write(address, (stamp,))
                submit(pack(opcode, 0, 0, 1, 0, 0, 0, address, 0, slba, 0, 0, 0, 0, 0))
                stamp, slba = stamp + 1, (slba + 7) % BLOCKS
            doorbell(None)
            for _ in range(DEPTH):
                command = take_command(controller, ring)
                if command is None:
                    raise KitError("a ring of twice the queue depth is full")
                execute(command)
                complete(command)
            if len(reap()) != DEPTH:
                raise KitError("the door lost a command")
        yield BATCHES * DEPTH
