"""What is known of a run while it goes on, and what came of it: plain values."""

from __future__ import annotations

from dataclasses import dataclass

from nvmelm_lab.engine import Summary, Trace
from nvmelm_lab.oracle import Verdict
from nvmelm_lab.runs.observer import Observations
from nvmelm_lab.runs.spec import MigrationRun


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is.  Shares are whole percent: of the first copy that is done, of LBAs that changed since."""

    phase: str
    virtual_ns: int
    copied_percent: int
    dirty_percent: int


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of the migration: its times in virtual ns from the run's begin (-1: no clock runs), and its share.

    bytes_copied, entries_drained, rounds
        User data that crossed the link, entries of the Migration Queue consumed, iterative copies made.
    """

    name: str
    start_ns: int
    end_ns: int
    bytes_copied: int
    entries_drained: int
    rounds: int


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
    initial_blocks, round_blocks, final_blocks
        LBAs of the first copy, of each round, and of the copy while the VM stood still; deallocated ones included.
    round_ns
        How long the last copy would take after each round: what the stop rule holds against the downtime budget.
    round_throttle
        Percent of its processors' time that were taken from the VM during each round.
    bytes_copied, memory_bytes
        User data and guest memory that crossed the link.
    guest_writes, guest_commands
        Commands that changed data, issued between the migration's begin and the VM's pause; and all of the run.
    host_steps, host_ns
        What learning of the guest's changes cost the host.
    failure
        Why the migration ended early; empty when it did not.
    notes
        How the recording was understood.
    trace, summary
        What happened: the one that was asked for.
    observed
        What was seen of it from close by, where that was asked for.
    """

    run: MigrationRun
    workload: str
    phases: tuple[Phase, ...]
    virtual_ns: int
    downtime_ns: int
    rounds: int
    initial_blocks: int
    round_blocks: tuple[int, ...]
    round_ns: tuple[int, ...]
    round_throttle: tuple[int, ...]
    final_blocks: int
    bytes_copied: int
    memory_bytes: int
    entries_drained: int
    overflows: int
    guest_writes: int
    guest_commands: int
    latencies: tuple[Latency, ...]
    host_steps: int
    host_ns: int
    verdict: Verdict
    failure: str
    notes: tuple[str, ...]
    steps: int
    trace: Trace | None
    summary: Summary | None
    token: str
    observed: Observations | None = None

    @property
    def good(self) -> bool:
        """Whether the guest moved, and every property held."""
        return self.verdict.good and not self.failure
