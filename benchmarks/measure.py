"""How a figure is taken, and what it is.

Work is cut into slices of some milliseconds.  The figure is the best slice: what the machine does while nobody
disturbs it, which the median of a shared machine is not; the median stands beside it in the JSON.  Before each run
a calibration loop is timed in the same way, so that figures of two machines, or of two days, can be compared.
Time is CPU time of this process unless a figure says otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median

CALIBRATION_TURNS = 20_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much work a benchmark does; only `FULL` gives figures that mean something.

    rounds
        How often each run is repeated; peers take turns.
    ios, steps
        I/Os of a run through the door, and steps of a slice of the engine.
    scenarios
        How many of the scenarios of `nvmelm_lab.races` are searched.
    defects, examples
        How many defects of the catalogue the peers of the race search look for, and in how many examples at most.
    commands
        Commands of the guest in the model that Spin checks, three at most.
    blocks
        LBAs of the migration on the command line.
    processes
        How often a process is started.
    jupyterlab
        Whether JupyterLab is started.
    """

    rounds: int
    ios: int
    steps: int
    scenarios: int
    defects: int
    examples: int
    commands: int
    blocks: int
    processes: int
    jupyterlab: bool


FULL = Size(
    rounds=7,
    ios=6_400,
    steps=300,
    scenarios=5,
    defects=36,
    examples=2_000,
    commands=3,
    blocks=16_384,
    processes=5,
    jupyterlab=True,
)
TINY = Size(
    rounds=1,
    ios=256,
    steps=100,
    scenarios=1,
    defects=2,
    examples=5,
    commands=2,
    blocks=64,
    processes=1,
    jupyterlab=False,
)


@dataclass(frozen=True, slots=True)
class Peer:
    """What a figure is held against: who, its own figure in the same unit, and the ratio that is wanted.

    value
        None: the peer has none, and its name says why.
    least_ratio
        How many times as good the figure has to be; None: it is shown, and nothing more.
    """

    name: str
    value: float | None
    least_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    value, unit
        The best slice.  A unit that ends in "/s" is better when higher, any other when lower.
    middle
        The median slice, in the same unit.
    target
        What `value` has to reach on a quiet machine, or None.
    exact
        The value is a count that has to *be* the target.
    calibration_ns
        Best time of one turn of the calibration loop beside it.
    """

    name: str
    value: float
    unit: str
    middle: float
    target: float | None = None
    peer: Peer | None = None
    exact: bool = False
    calibration_ns: float = field(default_factory=lambda: calibrate())

    @property
    def ratio(self) -> float | None:
        """How many times as good as the peer; None without one, and where nothing can be divided by."""
        if self.peer is None or self.peer.value is None:
            return None
        ours, theirs = self.value, self.peer.value
        better, worse = (ours, theirs) if self.unit.endswith("/s") or self.exact else (theirs, ours)
        return better / worse if worse else None

    @property
    def is_met(self) -> bool | None:
        """Whether target and least ratio are met; None when there is neither."""
        wanted = []
        if self.target is not None:
            wanted.append(self._reaches(self.target))
        if self.peer is not None and self.peer.least_ratio is not None:
            wanted.append((self.ratio or 0) >= self.peer.least_ratio)
        return all(wanted) if wanted else None

    def _reaches(self, target: float) -> bool:
        if self.exact:
            return self.value == target
        return self.value >= target if self.unit.endswith("/s") else self.value <= target


def calibrate() -> float:
    """Time of one turn of the calibration loop, in ns."""
    return min(_calibration_run() for _ in range(10))


def _calibration_run() -> float:
    begin = time.process_time_ns()
    for turn in range(CALIBRATION_TURNS):
        turn * turn
    return (time.process_time_ns() - begin) / CALIBRATION_TURNS


Slices = Iterator[int]
"""A run of a benchmark: does one slice of work each time, and gives how much it did (I/Os, steps)."""

Timing = tuple[int, int]
"""Work of a slice, and the CPU time that it took, in ns."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Work per second of CPU time: the best slice, the median slice, and the calibration beside them."""

    best: float
    middle: float
    calibration_ns: float


def rates(runs: Iterable[Callable[[], Slices]], rounds: int) -> list[Rate]:
    """The rate of each of `runs`, which take turns slice by slice, so that a disturbance meets them all.

    Slices that did less than half of the largest slice's work (the last of a run) do not count.
    """
    runs = list(runs)
    seen: list[list[Timing]] = [[] for _ in runs]
    calibration = calibrate()
    for _ in range(rounds):
        _take_turns([run() for run in runs], seen)
        calibration = min(calibration, calibrate())
    return [_rate(slices, calibration) for slices in seen]


def _take_turns(runs: list[Slices], seen: list[list[Timing]]) -> None:
    """Run all to their end, a slice of each at a time."""
    going = list(zip(runs, seen, strict=True))
    while going:
        going = [(run, slices) for run, slices in going if _take_slice(run, slices)]


def _take_slice(run: Slices, slices: list[Timing]) -> bool:
    """One slice; False when the run has ended."""
    begin = time.process_time_ns()
    work = next(run, None)
    took = time.process_time_ns() - begin
    if work is None:
        return False
    slices.append((work, took))
    return True


def _rate(slices: list[Timing], calibration_ns: float) -> Rate:
    least = max(work for work, _ in slices) / 2
    per_second = [work * 1e9 / max(ns, 1) for work, ns in slices if work >= least]
    return Rate(max(per_second), median(per_second), calibration_ns)
