"""What a run is made of: plain values, refused where they make no sense or this machine cannot hold them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from nvmelm_lab.engine import PCT, Random, Replay, RunToBlock, Schedule, Timed
from nvmelm_lab.errors import InputError
from nvmelm_lab.faults import Fault, parse
from nvmelm_lab.host.move import Plan
from nvmelm_lab.host.recordings import load_recording, recording_workload, resolve_workload, samples
from nvmelm_lab.host.workloads import WORKLOADS, Workload
from nvmelm_lab.lab import METHODS, GuestSpec, LabSpec
from nvmelm_lab.runs import content
from nvmelm_lab.sizes import in_words, memory_limit
from nvmelm_lab.ssd import MAX_TRANSFER_BYTES, Habits, Timing

GUEST, NEIGHBOUR = "guest", "neighbour"
NEIGHBOUR_BLOCKS, NEIGHBOUR_DEPTH, NEIGHBOUR_WRITES_PER_SECOND = 64, 2, 2_000

BYTES_PER_LBA = 128
BYTES_PER_RUN = 32 << 20
"""Memory of a run: so much for each LBA, all of which may be written, and so much whatever its size (measured)."""

SUMMARY_BYTES = 16 << 20
"""Memory of a summary beside that of each LBA: its frames, and what tiles show (measured, with some reserve)."""

PCT_LENGTH = 5_000
"""Steps among which `PCT` changes priorities: about as many as a run of 4096 LBAs takes without a clock."""


def _pct(depth: int, seed: int, length: int = PCT_LENGTH) -> PCT:
    return PCT(depth, seed, length)


SCHEDULES: Mapping[str, Callable[..., Schedule]] = {
    "timed": Timed,
    "run to block": RunToBlock,
    "random": Random,
    "pct": _pct,
    "replay": Replay,
}
"""Orders of steps: a name, then what it takes (random: a seed; pct: a depth, a seed and, if not the usual one, a
length; replay: the names of actors, the options)."""


@dataclass(frozen=True, slots=True)
class MigrationRun:
    """One run: plain values, which a token carries.

    blocks, block_bytes, filled
        LBAs of the guest's namespace, their size, and how many hold data before it begins (None: three quarters).
    queue_entries, copy_tasks, whole_namespace, rounds, downtime_budget_ns, memory_tracking, throttle
        The `Plan`.
    workload
        Name of a built-in workload, or path of a recording, which is played again and again.
    writes_per_second
        Of a built-in workload (None: its usual rate).
    depth
        Commands that the guest keeps under way at most.
    burst
        How many of them the SSD may take at once.  More is less work for this machine, and coarser in time.
    lead_ns, after
        How long the guest is alone before the migration begins, and how many commands it issues after its end.
    method
        A key of `METHODS`.
    faults
        What fails, and where: as `faults.parse` reads them.  Only the method "ssd" recovers from all of them.
    schedule
        A key of `SCHEDULES`, and what it takes.
    neighbour
        Whether another VM runs on the same SSD.
    trace
        "none", "full" for every step, or "summary" for some hundreds of frames.
    """

    blocks: int = 16384
    block_bytes: int = 4096
    filled: int | None = None
    workload: str = "zipf"
    seed: int = 1
    writes_per_second: int | None = None
    depth: int = 8
    burst: int = 1
    granularity: int = 8
    queue_entries: int = 128
    copy_tasks: int = 4
    chunk: int = 32
    whole_namespace: bool = False
    rounds: int = 12
    downtime_budget_ns: int = 2_000_000
    memory_tracking: str = "iommu"
    throttle: int = 0
    link_bytes_per_second: int = 1_250_000_000
    link_latency_ns: int = 20_000
    lead_ns: int = 1_000_000
    after: int = 64
    method: str = "ssd"
    faults: tuple[str, ...] = ()
    schedule: tuple[Any, ...] = ("timed",)
    neighbour: bool = True
    trace: str = "none"
    habits: Habits = field(default_factory=Habits)

    def plan(self) -> Plan:
        """How to migrate."""
        return Plan(**{each.name: getattr(self, each.name) for each in fields(Plan)})

    def lab(self) -> LabSpec:
        """The lab to migrate in."""
        shim = self.method == "shim"
        filled = self.blocks * 3 // 4 if self.filled is None else self.filled
        guests = [GuestSpec(GUEST, "Y", "H", (self.blocks,), filled, self.depth, self.burst, shim)]
        if self.neighbour:
            blocks = NEIGHBOUR_BLOCKS
            guests.append(GuestSpec(NEIGHBOUR, "Z", "I", (blocks,), blocks // 2, NEIGHBOUR_DEPTH))
        return LabSpec(
            guests=tuple(guests),
            block_bytes=self.block_bytes,
            granularity=self.granularity,
            ring_entries=max(16, self.depth + 1),
            chunk=self.chunk,
            link_bytes_per_second=self.link_bytes_per_second,
            link_latency_ns=self.link_latency_ns,
            habits=self.habits,
        )


def check(spec: MigrationRun) -> None:
    """Refuse what makes no sense, and what this machine cannot hold.  The lab and the workloads check the rest."""
    for name, low, high in (
        ("blocks", 1, 1 << 48),
        ("granularity", 1, 1 << 32),
        ("queue_entries", 2, 1 << 20),
        ("copy_tasks", 1, 60),
        ("depth", 1, 255),
        ("rounds", 0, 1 << 20),
        ("downtime_budget_ns", 0, 1 << 62),
        ("link_bytes_per_second", 1, 1 << 50),
        ("link_latency_ns", 0, 1 << 40),
        ("lead_ns", 0, 1 << 62),
        ("after", 0, 1 << 40),
    ):
        value = getattr(spec, name)
        if not isinstance(value, int) or not low <= value <= high:
            raise InputError(f"{name} cannot be {value!r}; give a whole number from {low} to {high}")
    if spec.filled is not None and not 0 <= spec.filled <= spec.blocks:
        raise InputError(f"filled cannot be {spec.filled} of {spec.blocks} LBAs; give 0 to {spec.blocks}")
    for what, value, known in (
        ("method", spec.method, METHODS),
        ("schedule", spec.schedule[0] if spec.schedule else "", SCHEDULES),
        ("trace", spec.trace, ("none", "full", "summary")),
    ):
        if value not in known:
            raise InputError(f"there is no {what} {value!r}; there are: {', '.join(known)}")
    schedule_of(spec)
    spec.plan()
    faults_of(spec)
    each, whole = memory_of(spec)
    needed, limit = whole + each * spec.blocks, memory_limit()
    if limit is not None and needed > limit:
        most = max(0, limit - whole) // each
        raise InputError(
            f"a namespace of {spec.blocks} LBAs takes about {in_words(needed)} of memory here, and this machine has "
            f"{in_words(limit)}; give at most {most} LBAs"
        )


def memory_of(spec: MigrationRun) -> tuple[int, int]:
    """Bytes that a run takes for each LBA, all of which may be written, and those that it takes whatever its size."""
    if spec.trace != "summary":
        return BYTES_PER_LBA, BYTES_PER_RUN
    return BYTES_PER_LBA + content.BYTES_PER_LBA, BYTES_PER_RUN + SUMMARY_BYTES


def schedule_of(spec: MigrationRun) -> Schedule:
    """A new schedule, as the spec names it."""
    name, *arguments = spec.schedule
    try:
        return SCHEDULES[name](*arguments)
    except TypeError as error:
        raise InputError(
            f"the schedule {name!r} does not go with {arguments!r}; random takes a seed, "
            "pct a depth and a seed, replay the names of actors"
        ) from error


def faults_of(spec: MigrationRun) -> list[Fault]:
    """What fails in the run.  InputError when a fault cannot be read, or the method knows no way back from it."""
    faults = [parse(text) for text in spec.faults]
    if faults and spec.method != "ssd":
        raise InputError(
            f"the method {spec.method!r} does not recover from faults; leave them away, or take the method 'ssd'"
        )
    for fault in faults:
        if fault.lba >= spec.blocks:
            raise InputError(f"the fault {fault.text!r} names an LBA beyond the {spec.blocks} that there are")
    return faults


def slowest_alone(spec: MigrationRun) -> int:
    """The longest, in ns, that a neighbour's command can take when nothing but shared channels holds it up.

    All that may be under way is before it in one channel's queue, each with the longest transfer.
    """
    timing = Timing()
    transfer = timing.per_kib * (MAX_TRANSFER_BYTES >> 10)
    longest = max(timing.read, timing.write, timing.deallocate, timing.flush) + transfer
    return (spec.copy_tasks + spec.depth + NEIGHBOUR_DEPTH) * longest


def workload_of(spec: MigrationRun) -> tuple[Workload, dict[str, str], tuple[str, ...]]:
    """The guest's workload, the hash of its recording if it is one, and what was changed to make it fit."""
    path = recording_path(spec.workload)
    if path is None or spec.writes_per_second is not None:
        built_in = resolve_workload(
            path or spec.workload,
            lba_bytes=spec.block_bytes,
            blocks=spec.blocks,
            seed=spec.seed,
            writes_per_second=spec.writes_per_second,
        )
        return built_in, {}, ()
    recording = load_recording(path, lba_bytes=spec.block_bytes, blocks=spec.blocks)
    return recording_workload(recording, repeat=True), {"workload": recording.sha256}, recording.notes


def recording_path(name: str) -> str | None:
    """The path of a recording: one that is there, or one of the kit's samples by its name."""
    if name in WORKLOADS:
        return None
    if os.path.lexists(name):
        return name
    return next((str(path) for path in samples() if path.name == name), None)
