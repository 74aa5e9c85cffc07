"""A whole migration as plain data: what is migrated, how and in which order of steps, and what came of it.

`start` sets a run up, `advance` takes it on, `outcome` says what came of it.  A run has a replay token, one line of
text that brings the same run back anywhere.  Nothing here prints, and nothing asks the clock of this machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from nvmelm_lab import __version__
from nvmelm_lab.engine import (
    Random,
    Replay,
    RunToBlock,
    Schedule,
    Timed,
    Token,
    Trace,
    decode_token,
    encode_token,
    until,
)
from nvmelm_lab.errors import InputError, KitError
from nvmelm_lab.host.guest import Meter
from nvmelm_lab.host.move import Plan
from nvmelm_lab.host.operation import Operation
from nvmelm_lab.host.recordings import load_recording, recording_workload, resolve_workload, samples
from nvmelm_lab.host.workloads import WORKLOADS, Workload
from nvmelm_lab.lab import METHODS, GuestSpec, Lab, LabSpec
from nvmelm_lab.oracle import Verdict
from nvmelm_lab.sizes import in_words, memory_limit
from nvmelm_lab.ssd import MAX_TRANSFER_BYTES, Habits, Timing

GUEST, NEIGHBOUR = "guest", "neighbour"
NEIGHBOUR_BLOCKS, NEIGHBOUR_DEPTH, NEIGHBOUR_WRITES_PER_SECOND = 64, 2, 2_000

BYTES_PER_LBA = 24
BYTES_PER_RUN = 48 << 20
"""Memory of a run: so much for each LBA, and so much whatever its size (measured, see tests/lab)."""

SCHEDULES: Mapping[str, Callable[..., Schedule]] = {
    "timed": Timed,
    "run to block": RunToBlock,
    "random": Random,
    "replay": Replay,
}
"""Orders of steps: a name, then what it takes (random: a seed; replay: the names of actors, the options)."""


@dataclass(frozen=True, slots=True)
class MigrationRun:
    """One run: plain values, which a token carries.

    blocks, block_bytes, filled
        LBAs of the guest's namespace, their size, and how many hold data before it begins (None: three quarters).
    workload
        Name of a built-in workload, or path of a recording, which is played again and again.
    writes_per_second
        Of a built-in workload (None: its usual rate).
    depth
        Commands that the guest keeps under way at most.
    lead_ns, after
        How long the guest is alone before the migration begins, and how many commands it issues after its end.
    method
        A key of `METHODS`.
    schedule
        A key of `SCHEDULES`, and what it takes.
    neighbour
        Whether another VM runs on the same SSD.
    trace
        "none", or "full" for every step.
    """

    blocks: int = 16384
    block_bytes: int = 4096
    filled: int | None = None
    workload: str = "zipf"
    seed: int = 1
    writes_per_second: int | None = None
    depth: int = 8
    granularity: int = 8
    queue_entries: int = 128
    copy_tasks: int = 4
    chunk: int = 32
    whole_namespace: bool = False
    rounds: int = 12
    downtime_budget_ns: int = 2_000_000
    iommu: bool = True
    link_bytes_per_second: int = 1_250_000_000
    link_latency_ns: int = 20_000
    lead_ns: int = 1_000_000
    after: int = 64
    method: str = "ssd"
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
        guests = [GuestSpec(GUEST, "Y", "H", (self.blocks,), filled, self.depth, shim)]
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


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is.  Shares are whole percent: of the first copy that is done, of LBAs that changed since."""

    phase: str
    virtual_ns: int
    copied_percent: int
    dirty_percent: int


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of the migration, in virtual ns from the run's begin; both are -1 where no clock runs."""

    name: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Latency:
    """What the guest's commands took, in virtual ns: those of one kind, before or during the migration."""

    kind: str
    period: str
    count: int
    mean_ns: int
    longest_ns: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    virtual_ns, downtime_ns
        From the migration's begin to its end, and how long the VM stood still; 0 where no clock runs.
    bytes_copied, memory_bytes
        User data and guest memory that crossed the link.
    guest_writes, guest_commands
        Commands that changed data, issued between the migration's begin and the VM's pause; and all of the run.
    host_steps, host_ns
        What learning of the guest's changes cost the host.
    failure
    initial_blocks, round_blocks, final_blocks
        LBAs of the first copy, of each round, and of the copy while the VM stood still; deallocated ones included.
    round_ns
        How long the last copy would take after each round: what the stop rule holds against the downtime budget.
        Why the migration ended early; empty when it did not.
    notes
        How the recording was understood.
    """

    run: MigrationRun
    workload: str
    phases: tuple[Phase, ...]
    virtual_ns: int
    downtime_ns: int
    rounds: int
    round_blocks: tuple[int, ...]
    bytes_copied: int
    memory_bytes: int
    entries_drained: int
    overflows: int
    guest_writes: int
    guest_commands: int
    initial_blocks: int
    latencies: tuple[Latency, ...]
    round_ns: tuple[int, ...]
    final_blocks: int
    host_steps: int
    host_ns: int
    verdict: Verdict
    failure: str
    notes: tuple[str, ...]
    steps: int
    trace: Trace | None
    token: str

    @property
    def good(self) -> bool:
        """Whether the guest moved, and every property held."""
        return self.verdict.good and not self.failure


class Run:
    """A run under way; made by `start`."""

    def __init__(self, spec: MigrationRun) -> None:
        check(spec)
        self.spec = spec
        workload, self._hashes, self._notes = _workload(spec)
        self.outcome: Outcome | None = None
        self._workload = workload.name
        self.lab = Lab(spec.lab())
        self.trace = Trace() if spec.trace == "full" else None
        self.lab.begin(SCHEDULES[spec.schedule[0]](*spec.schedule[1:]), trace=self.trace)
        self._oracle = self.lab.oracle(GUEST)
        self.method = METHODS[spec.method](self.lab, GUEST, spec.plan())
        self._has_ended = False
        self._meters: dict[tuple[str, str], Meter] = {}
        self._writes = [0, 0]
        self.guest = self.lab.run_workload(GUEST, self._until_after(workload.operations()))
        if spec.neighbour:
            beside = resolve_workload(
                "mixed",
                lba_bytes=spec.block_bytes,
                blocks=NEIGHBOUR_BLOCKS,
                seed=spec.seed + 1,
                writes_per_second=NEIGHBOUR_WRITES_PER_SECOND,
            )
            self.lab.run_workload(NEIGHBOUR, self._until_after(beside.operations()))
        self.lab.engine.observe("vm", self._on_vm)
        self._meter("before")
        self._vmm = self.lab.engine.spawn("VMM", self._migrate())
        self._vmm.watched = True

    def advance(self, budget: int) -> bool:
        """Take up to `budget` steps; True when the run is over and `outcome` is there.

        Raises InputError when the run is too long for the trace that was asked for.
        """
        if self.outcome is None and self.lab.engine.advance(budget):
            self.outcome = self._judge()
        return self.outcome is not None

    def finish(self) -> Outcome:
        """Run to the end."""
        while not self.advance(1 << 16):
            pass
        assert self.outcome is not None
        return self.outcome

    def cancel(self) -> None:
        """End the migration early; the guest goes on at the source.  Too late once it runs at the destination."""
        self.method.move.cancel()

    @property
    def progress(self) -> RunProgress:
        """How far it is."""
        made = self.method.progress
        phase = next(reversed(made.phases)) if made.phases else "Before"
        return RunProgress(
            "After" if self._has_ended else phase,
            max(0, self.lab.engine.now),
            min(100, made.copied * 100 // made.planned) if made.planned else 0,
            made.behind * 100 // self.spec.blocks,
        )

    # -- while it goes on ----------------------------------------------------------------------------------

    async def _migrate(self) -> None:
        await until(self.spec.lead_ns)
        self._meter("during")
        self._writes = [self.guest.writes, self.guest.writes]
        try:
            await self.method.run()
        finally:
            self._has_ended = True
            self._meter("after")

    def _until_after(self, operations: Iterator[Operation]) -> Iterator[Operation]:
        """The operations until the migration has ended, and a few more, so that the guest is seen to go on."""
        left = self.spec.after
        for operation in operations:
            left -= self._has_ended
            if left < 0:
                return
            yield operation

    def _meter(self, period: str) -> None:
        self.guest.read_times = self._meters["read", period] = Meter()
        self.guest.write_times = self._meters["write", period] = Meter()

    def _on_vm(self, effect: tuple[Any, ...]) -> None:
        if effect[1:3] == (GUEST, "paused"):
            self._writes[1] = self.guest.writes

    # -- the end -------------------------------------------------------------------------------------------

    def _judge(self) -> Outcome:
        if not self._vmm.done.level:
            raise KitError("the migration got stuck: " + "; ".join(self.lab.engine.blocked()))
        error = self._vmm.error
        if error is not None and not isinstance(error, InputError):
            raise error
        made, spec = self.method.progress, self.spec
        failure = made.failure or ("" if error is None else str(error))
        writes = self._writes[1] if made.paused_at >= 0 else self.guest.writes
        steps = self.lab.engine.step_index + 1
        verdict = self._oracle.judge(failure, slowest_ns=slowest_alone(spec))
        phases = tuple(Phase(name, *times) for name, times in made.phases.items())
        return Outcome(
            run=spec,
            workload=self._workload,
            phases=phases,
            virtual_ns=phases[-1].end_ns - phases[0].start_ns,
            downtime_ns=max(0, made.downtime_ns),
            rounds=made.rounds,
            round_blocks=tuple(made.round_blocks),
            bytes_copied=self.method.copier.copied * spec.block_bytes,
            memory_bytes=self.lab.link.sent - self.method.copier.copied * spec.block_bytes,
            entries_drained=made.entries,
            overflows=made.overflows,
            guest_writes=writes - self._writes[0],
            guest_commands=self.guest.issued,
            latencies=tuple(
                Latency(kind, period, meter.count, meter.total_ns // meter.count, meter.longest_ns)
                for (kind, period), meter in self._meters.items()
                if meter.count and period != "after"
            ),
            host_steps=self.method.work.steps,
            host_ns=self.method.work.ns,
            verdict=verdict,
            failure=failure,
            notes=self._notes,
            steps=steps,
            trace=self.trace,
            token=token(spec, self._hashes),
        )


def start(spec: MigrationRun) -> Run:
    """Set `spec` up, ready to advance.  InputError when it makes no sense, or this machine cannot hold it."""
    return Run(spec)
            initial_blocks=made.initial_blocks,

            round_ns=tuple(made.round_ns),
            final_blocks=made.final_blocks,

def token(spec: MigrationRun, hashes: Mapping[str, str]) -> str:
    """The run as one line of text; `hashes` are those of the files that it needs beside."""
    own = MigrationRun()
    scenario = {
        each.name: getattr(spec, each.name)
        for each in fields(spec)
        if each.name not in ("schedule", "habits") and getattr(spec, each.name) != getattr(own, each.name)
    }
    scenario["habits"] = spec.habits.plain()
    return encode_token(Token(__version__, scenario, list(spec.schedule), dict(hashes)))


def replay(text: str, *, workload: str | None = None) -> MigrationRun:
    """The run that a token stands for.  `workload`: where its recording lies now, if not where it was.

    InputError when the token is damaged or of another kit, or when the recording is not the one that was played.
    """
    found = decode_token(text, kit=__version__)
    scenario = dict(found.scenario)
    if workload is not None:
        scenario["workload"] = workload
    try:
        habits = Habits(**scenario.pop("habits"))
        spec = MigrationRun(**scenario, habits=habits, schedule=tuple(found.schedule))
    except (TypeError, KeyError) as error:
        raise InputError(
            "this token is not one of a migration; give one that nvmelm migrate printed"
        ) from error
    if found.hashes != _workload(spec)[1]:
        raise InputError(
            f"the recording {spec.workload!r} is not the one that this token was made with; give that one"
        )
    return spec


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
        if not low <= getattr(spec, name) <= high:
            raise InputError(f"{name} cannot be {getattr(spec, name)}; give {low} to {high}")
    if spec.filled is not None and not 0 <= spec.filled <= spec.blocks:
        raise InputError(f"filled cannot be {spec.filled} of {spec.blocks} LBAs; give 0 to {spec.blocks}")
    for what, value, known in (
        ("method", spec.method, METHODS),
        ("schedule", spec.schedule[0] if spec.schedule else "", SCHEDULES),
        ("trace", spec.trace, ("none", "full")),
    ):
        if value not in known:
            raise InputError(f"there is no {what} {value!r}; there are: {', '.join(known)}")
    needed, limit = BYTES_PER_RUN + BYTES_PER_LBA * spec.blocks, memory_limit()
    if limit is not None and needed > limit:
        most = max(0, limit - BYTES_PER_RUN) // BYTES_PER_LBA
        raise InputError(
            f"a namespace of {spec.blocks} LBAs takes about {in_words(needed)} of memory here, and this machine has "
            f"{in_words(limit)}; give at most {most} LBAs"
        )


def slowest_alone(spec: MigrationRun) -> int:
    """The longest, in ns, that a neighbour's command can take when nothing but shared channels holds it up.

    All that may be under way is before it in one channel's queue, each with the longest transfer.
    """
    timing = Timing()
    transfer = timing.per_kib * (MAX_TRANSFER_BYTES >> 10)
    longest = max(timing.read, timing.write, timing.deallocate, timing.flush) + transfer
    return (spec.copy_tasks + spec.depth + NEIGHBOUR_DEPTH) * longest


def _workload(spec: MigrationRun) -> tuple[Workload, dict[str, str], tuple[str, ...]]:
    """The guest's workload, the hash of its recording if it is one, and what was changed to make it fit."""
    path = _recording(spec.workload)
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


def _recording(name: str) -> str | None:
    """The path of a recording: one that is there, or one of the kit's samples by its name."""
    if name in WORKLOADS:
        return None
    if os.path.lexists(name):
        return name
    return next((str(path) for path in samples() if path.name == name), None)
