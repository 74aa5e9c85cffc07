"""The door alone: what the steps of a Write do, called in a plain loop without an engine.

Doorbells and reaps are batched over a queue depth of 32, as drivers do; a fresh stamp into the guest's buffer and the
SQE into the ring happen once per I/O.  The controller then serves the batch in one go, as it does where the host
allows it a burst; or, beside that, command by command: fetch, execution, the CQE into the ring, the interrupt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.bench import BLOCKS, DEPTH, NAME, Bench
from benchmarks.measure import Figure, Rate, Size, rates
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
    bursts, singly = rates([lambda: _run(size.ios, _in_bursts), lambda: _run(size.ios, _singly)], size.rounds)
    return [
        _figure(f"Write, the door alone, {DEPTH} at once", bursts, TARGET),
        _figure("Write, the door alone, one by one", singly, None),
    ]


def _figure(name: str, rate: Rate, target: int | None) -> Figure:
    return Figure(name, rate.best, "IO/s", rate.middle, target, calibration_ns=rate.calibration_ns)


def _in_bursts(bench: Bench) -> Callable[[], None]:
    serve, job = bench.controller.serve.act, (bench.ring, DEPTH)
    return lambda: serve(job)


def _singly(bench: Bench) -> Callable[[], None]:
    controller, ring = bench.controller, bench.ring
    execute, complete = controller.execute.act, controller.complete.act

    def serve() -> None:
        for _ in range(DEPTH):
            command = take_command(controller, ring)
            if command is None:
                raise KitError("a ring of twice the queue depth is full")
            execute(command)
            complete(command)

    return serve


def _run(ios: int, way: Callable[[Bench], Callable[[], None]]) -> Iterator[int]:
    bench = Bench()
    queue, serve = bench.queue, way(bench)
    pages = bench.lab.guests[NAME].vm.pages
    write, address = pages.space.write_stamps, pages.buffer(4096).address
    submit, doorbell, reap = queue.submit, queue.ring.act, queue.reap_visible
    pack, opcode, stamp, slba = SQE.pack, int(IoOpcode.WRITE), make_stamp(0x100, 1), 0
    for _ in range(ios // (BATCHES * DEPTH)):
        for _ in range(BATCHES):
            for _ in range(DEPTH):
                write(address, (stamp,))
                submit(pack(opcode, 0, 0, 1, 0, 0, 0, address, 0, slba, 0, 0, 0, 0, 0))
                stamp, slba = stamp + 1, (slba + 7) % BLOCKS
            doorbell(None)
            serve()
            if len(reap()) != DEPTH:
                raise KitError("the door lost a command")
        yield BATCHES * DEPTH
