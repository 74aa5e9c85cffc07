"""A Write through the whole door under Timed, the guest's submit and reap and ledger included.

Held against SimPy 4 twice, with the same functions as its steps' bodies (see `simpy_peer.py`).  The ratio is asked of
SimPy as its manual shows it; the leaner way stands beside it, lest the ratio look larger than it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from benchmarks import simpy_peer
from benchmarks.bench import NAME, Bench, writes
from benchmarks.measure import Figure, Peer, Rate, Size, rates

TARGET = 40_000
LEAST_RATIO = 2.0
STEPS = 1_200
"""Steps of a slice that the schedule picks; an I/O takes six."""


def measure(size: Size) -> list[Figure]:
    """I/Os per second of CPU time: the engine's, beside SimPy's."""
    ours, idiomatic, bare = rates(
        [
            lambda: _run(size.ios),
            lambda: simpy_peer.run(size.ios, simpy_peer.Idiomatic),
            lambda: simpy_peer.run(size.ios, simpy_peer.Bare),
        ],
        size.rounds,
    )
    simpy = f"SimPy {version('simpy')}"
    return [
        _figure(ours, Peer(f"{simpy}, Store and Resource", idiomatic.best, LEAST_RATIO)),
        _figure(ours, Peer(f"{simpy}, bare events", bare.best)),
    ]


def _figure(ours: Rate, peer: Peer) -> Figure:
    name = "Write, the whole door under Timed"
    return Figure(name, ours.best, "IO/s", ours.middle, TARGET, peer, calibration_ns=ours.calibration_ns)


def _run(ios: int) -> Iterator[int]:
    bench = Bench()
    guest = bench.lab.run_workload(NAME, writes(ios))
    is_over = False
    while not is_over:
        before = guest.completed
        is_over = bench.engine.advance(STEPS)
        yield guest.completed - before
