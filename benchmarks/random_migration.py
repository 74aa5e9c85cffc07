"""The engine on a whole migration under random schedules: guest, neighbour and reference VMM, as tests run it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from benchmarks.measure import Figure, Peer, Size, rates
from nvmelm_lab.engine import Random
from nvmelm_lab.host.migration import Plan
from nvmelm_lab.host.workloads import workload
from nvmelm_lab.lab import Lab

TARGET = 100_000
PROTOTYPE = Peer("prototype, 80-107 k", 107_000)
"""The best that a throw-away prototype of engine and protocol reached, on another machine."""


def measure(size: Size) -> list[Figure]:
    """Steps per second of CPU time; a new seed each round."""
    seeds = count(1)
    (rate,) = rates([lambda: _run(size.steps, next(seeds))], size.rounds)
    name = "Engine, a migration under Random"
    return [
        Figure(name, rate.best, "steps/s", rate.middle, TARGET, PROTOTYPE, calibration_ns=rate.calibration_ns)
    ]


def _run(steps: int, seed: int) -> Iterator[int]:
    lab = Lab()
    lab.begin(Random(seed))
    for name, blocks in (("guest", 176), ("neighbour", 64)):
        lab.run_workload(name, workload("zipf", blocks=blocks, seed=seed).operations())
    vmm = lab.engine.spawn("VMM", lab.migration("guest", Plan(queue_entries=64)).run())
    is_over = False
    while not is_over:
        before = lab.engine.step_index
        is_over = lab.engine.advance(steps, vmm)
        yield lab.engine.step_index - before
