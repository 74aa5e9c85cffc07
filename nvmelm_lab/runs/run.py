"""A run under way: the lab that its spec describes, a guest at work, and a VMM that migrates it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nvmelm_lab.engine import Summary, Trace, until
from nvmelm_lab.errors import InputError, KitError
from nvmelm_lab.faults import Bench, Injecting
from nvmelm_lab.host.guest import Meter
from nvmelm_lab.host.operation import Operation
from nvmelm_lab.host.recordings import resolve_workload
from nvmelm_lab.lab import METHODS, Lab
from nvmelm_lab.runs.observer import Observer
from nvmelm_lab.runs.outcome import Latency, Outcome, Phase, RunProgress
from nvmelm_lab.runs.roles import roles_of
from nvmelm_lab.runs.spec import (
    GUEST,
    NEIGHBOUR,
    NEIGHBOUR_BLOCKS,
    NEIGHBOUR_WRITES_PER_SECOND,
    MigrationRun,
    check,
    faults_of,
    schedule_of,
    slowest_alone,
    workload_of,
)
from nvmelm_lab.runs.summarizer import Summarizer
from nvmelm_lab.runs.token import replay, token, turns_of


class Run:
    """A run under way; made by `start`."""

    def __init__(self, spec: MigrationRun, observed: bool = False) -> None:
        check(spec)
        self.spec = spec
        workload, self._hashes, self._notes = workload_of(spec)
        self.outcome: Outcome | None = None
        self._turns = 0
        self._workload = workload.name
        self.lab = Lab(spec.lab())
        self.trace = Trace() if spec.trace == "full" else None
        self._faults = Injecting(schedule_of(spec), faults_of(spec)) if spec.faults else None
        self.lab.begin(self._faults or schedule_of(spec), trace=self.trace)
        self._summarizer: Summarizer | None = None
        if spec.trace == "summary":
            self._summarizer = Summarizer(self.lab.engine, roles_of(self.lab.introduction(), GUEST))
        self._observer: Observer | None = None
        if observed:
            self._observer = Observer(self.lab.engine, roles_of(self.lab.introduction(), GUEST))
        self._oracle = self.lab.oracle(GUEST)
        self.method = METHODS[spec.method](self.lab, GUEST, spec.plan())
        self._has_ended = False
        self._ended_ns: int | None = None
        self._meters: dict[tuple[str, str], Meter] = {}
        # Its writes when the migration begins, and when the VM is paused.
        self._writes: list[int] = []
        self._marks: dict[str, tuple[int, int, int]] = {}
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
        self.lab.engine.observe("phase", self._on_phase)
        self._meter("before")
        self._vmm = self.lab.engine.spawn("VMM", self._migrate())
        self._vmm.watched = True
        self._bench: Bench | None = None
        if self._faults is not None:
            self._bench = Bench(self.lab, GUEST, self.method)
            self._faults.aim(self._bench)

    def advance(self, budget: int) -> bool:
        """Take up to `budget` steps; True when the run is over and `outcome` is there.

        Raises TraceFull when the run is too long for the trace that was asked for.
        """
        if self.outcome is None:
            self._turns += budget
            if self.lab.engine.advance(budget):
                self.outcome = self._judge()
        return self.outcome is not None

    def snapshot(self) -> str:
        """Where the run is now, as one line of text for `restore`; coroutines cannot be copied, so it runs anew."""
        return token(self.spec, self._hashes, self._turns)

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
            max(0, self.lab.engine.now if self._ended_ns is None else self._ended_ns),
            min(100, made.copied * 100 // made.planned) if made.planned else 0,
            made.behind * 100 // self.spec.blocks,
        )

    @property
    def summary(self) -> Summary | None:
        """Its summary up to now, where one was asked for."""
        return None if self._summarizer is None else self._summarizer.so_far()

    # -- while it goes on ----------------------------------------------------------------------------------

    async def _migrate(self) -> None:
        await until(self.spec.lead_ns)
        self._meter("during")
        self._writes.append(self.guest.writes)
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
        self.guest.read_times = self._meters["read", period] = self._new_meter("read")
        self.guest.write_times = self._meters["write", period] = self._new_meter("write")

    def _new_meter(self, kind: str) -> Meter:
        return Meter() if self._observer is None else self._observer.meter(kind)

    def _on_vm(self, effect: tuple[Any, ...]) -> None:
        if effect[1:3] == (GUEST, "paused"):
            self._writes.append(self.guest.writes)

    def _on_phase(self, effect: tuple[Any, ...]) -> None:
        self._marks[effect[1]] = self._done_so_far()

    def _done_so_far(self) -> tuple[int, int, int]:
        made = self.method.progress
        return self.method.copier.copied * self.spec.block_bytes, made.entries, made.rounds

    # -- the end -------------------------------------------------------------------------------------------

    def _phases(self) -> tuple[Phase, ...]:
        marks = [*self._marks.values(), self._done_so_far()]
        phases = self.method.progress.phases.items()
        return tuple(
            Phase(
                name, *times, *(after - before for before, after in zip(marks[n], marks[n + 1], strict=True))
            )
            for n, (name, times) in enumerate(phases)
        )

    def _judge(self) -> Outcome:
        if not self._vmm.done.level or (self._bench is not None and self._bench.is_restarting):
            raise KitError("the migration got stuck: " + "; ".join(self.lab.engine.blocked()))
        error = self._vmm.error
        if error is not None and not isinstance(error, InputError):
            raise error
        made, spec = self.method.progress, self.spec
        failure = made.failure or ("" if error is None else str(error))
        first, paused = [*self._writes, self.guest.writes][:2]
        steps, self._ended_ns = self.lab.engine.step_index + 1, self.lab.engine.now
        summary = None if self._summarizer is None else self._summarizer.finish()
        verdict = self._oracle.judge(failure, slowest_ns=slowest_alone(spec))
        phases = self._phases()
        return Outcome(
            run=spec,
            workload=self._workload,
            phases=phases,
            virtual_ns=phases[-1].end_ns - phases[0].start_ns,
            downtime_ns=max(0, made.downtime_ns),
            rounds=made.rounds,
            initial_blocks=made.initial_blocks,
            round_blocks=tuple(made.round_blocks),
            round_ns=tuple(made.round_ns),
            round_throttle=tuple(made.round_throttle),
            final_blocks=made.final_blocks,
            bytes_copied=self.method.copier.copied * spec.block_bytes,
            memory_bytes=self.lab.link.sent - self.method.copier.copied * spec.block_bytes,
            entries_drained=made.entries,
            overflows=made.overflows,
            guest_writes=paused - first,
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
            notes=self._notes + self._missed(),
            steps=steps,
            trace=self.trace,
            summary=summary,
            token=token(spec, self._hashes),
            observed=None if self._observer is None else self._observer.told(),
        )

    def _missed(self) -> tuple[str, ...]:
        """The faults that did not happen."""
        left = self._faults.left if self._faults is not None else ()
        return tuple(f"the fault {fault.text} did not happen: the run was over before" for fault in left)


def restore(text: str, *, workload: str | None = None) -> Run:
    """The run that a snapshot stands for, run anew up to where it was.  Takes as long as it took to get there.

    workload
        Where its recording lies now, if not where it was.
    """
    run = start(replay(text, workload=workload))
    run.advance(turns_of(text))
    return run


def start(spec: MigrationRun, *, observed: bool = False) -> Run:
    """Set `spec` up, ready to advance.  InputError when it makes no sense, or this machine cannot hold it.

    `observed`: the outcome also tells each wait of the guest, the parts of its downtime, how full the queue was.
    """
    return Run(spec, observed)
