"""The small migration of the matrix: two hosts, a guest and a neighbour, some hundred steps, any schedule.

The guest writes, deallocates and reads on while it migrates, and after the migration's end once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nvmelm_lab.engine import Actor, Schedule, Timed, Trace
from nvmelm_lab.errors import InputError, KitError
from nvmelm_lab.faults.actions import VMM, Bench
from nvmelm_lab.faults.fault import Fault
from nvmelm_lab.faults.schedule import Injecting
from nvmelm_lab.host.leftovers import made_for, migration_queue_of
from nvmelm_lab.host.move import Plan
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec

_W, _T, _R = OperationKind.WRITE, OperationKind.TRIM, OperationKind.READ
_BEFORE = ((_W, 0), (_R, 0), (_W, 1), (_T, 1), (_W, 1), (_R, 1))
_AFTER = ((_R, 0), (_R, 1), (_W, 0), (_R, 0))
_GAP_NS = 100_000

MOST_STEPS = 5_000
"""Steps after which a run counts as stuck; the small migration has some hundred."""


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended.

    moved
        Whether the VM runs at the destination.
    wrong
        What must never be, in one sentence; empty if nothing is.
    happened
        Whether the fault's site was reached, and `phase`, in which phase of the migration.
    asked
        At which steps the schedule was asked who goes next: the sites that differ.
    """

    moved: bool
    wrong: str
    happened: bool
    phase: str
    asked: tuple[int, ...]


class SmallRun:
    """One run of the small migration, with `faults`, under `schedule` (the clock if None)."""

    def __init__(
        self,
        faults: Sequence[Fault] = (),
        schedule: Schedule | None = None,
        *,
        trace: Trace | None = None,
        memory_tracking: str = "iommu",
    ) -> None:
        guests = (
            GuestSpec(blocks=(2,), filled=2, depth=2),
            GuestSpec("neighbour", "Z", "I", (1,), filled=1, depth=1),
        )
        self.lab = Lab(LabSpec(guests=guests, granularity=1, chunk=1))
        self.engine = self.lab.engine
        self.schedule = Injecting(schedule if schedule is not None else Timed(), faults)
        self.lab.begin(self.schedule, trace=trace)
        self.oracle = self.lab.oracle("guest")
        plan = Plan(
            queue_entries=16, copy_tasks=1, rounds=1, downtime_budget_ns=0, memory_tracking=memory_tracking
        )
        self.method = self.lab.migration("guest", plan)
        self.bench = Bench(self.lab, "guest", self.method)
        self.schedule.aim(self.bench)
        self.phase = "Before"
        self.where = ""
        self._had_moved = False
        self.engine.observe("phase", self._on_phase)
        self.engine.observe("fault", self._on_fault)
        self.vmm = self.engine.spawn(VMM, self.method.run())
        self.vmm.watched = True
        self._actors: list[Actor] = []
        for name, operations in (("guest", self._operations()), ("neighbour", self._few())):
            program = self.lab.program(name, operations)
            self._actors += program.start()

    def _operations(self) -> Iterator[Operation]:
        number = 0
        while not self.has_ended:
            kind, lba = _BEFORE[number % len(_BEFORE)]
            yield Operation(kind, lba, 1, number * _GAP_NS)
            number += 1
        for kind, lba in _AFTER:
            yield Operation(kind, lba, 1, number * _GAP_NS)

    def _few(self) -> Iterator[Operation]:
        """A command of the neighbour's now and then."""
        number = 0
        while not self.has_ended:
            yield Operation(_W, 0, 1, number * 8 * _GAP_NS)
            number += 1
        yield Operation(_R, 0, 1, 0)

    @property
    def has_ended(self) -> bool:
        """Whether the migration is over, by whomever it was brought to an end."""
        return self.vmm.has_ended and not self.bench.is_restarting

    def finish(self) -> End:
        """Run to the end, and judge."""
        try:
            over = self.engine.advance(MOST_STEPS)
            wrong = self._stuck(over) or self._failed() or self._misplaced() or self._judge()
        except (InputError, KitError) as error:
            wrong = f"it failed: {error}"
        where = self.where or self.phase
        return End(self.bench.has_moved, wrong, bool(self.where), where, tuple(self.schedule.asked))

    # -- judging -------------------------------------------------------------------------------------------

    def _stuck(self, over: bool) -> str:
        if not over:
            return f"it goes on for more than {MOST_STEPS} steps"
        if not self.has_ended:
            return "the migration never ends: " + "; ".join(self.engine.blocked())
        waiting = [actor.name for actor in self._actors if not actor.has_ended]
        return f"{', '.join(waiting)} never end" if waiting else ""

    def _failed(self) -> str:
        error = self.vmm.error
        return "" if error is None else f"the VMM failed: {error}"

    def _misplaced(self) -> str:
        """Whether the VM is where it must not be, or where the VMM does not say."""
        moved = self.bench.has_moved
        if self._had_moved and not moved:
            return "the VM had started at the destination, and was taken back"
        failure = self.method.progress.failure
        if moved and failure:
            return f"the VM moved, but the VMM says: {failure}"
        return "" if moved or failure else "the VM stayed, and the VMM does not say why"

    def _judge(self) -> str:
        verdict = self.oracle.judge(self.method.progress.failure)
        if verdict.broken:
            return f"{verdict.broken[0].name}: {verdict.broken[0].word}"
        audit = self.engine.spawn("leftovers", self._leftovers())
        self.engine.run(audit)
        if audit.error is not None:
            raise audit.error
        left: str = audit.result
        return left

    async def _leftovers(self) -> str:
        """What the migration has left behind that nobody needs."""
        lab, moved = self.lab, self.bench.has_moved
        move = self.method.move
        if await migration_queue_of(lab.source_driver, move.source.cntlid) is not None:
            return "a Migration Queue is left"
        if not moved and await made_for(lab.destination_driver, move.destination.cntlid):
            return "a namespace is left at the destination"
        left = self.bench.here if moved else self.bench.there
        if left.online:
            return f"the controller {left.name} is still online"
        if not moved and self.bench.here.suspended:
            return "the source's controller is still suspended"
        return ""

    def _on_phase(self, effect: tuple[object, ...]) -> None:
        self.phase = str(effect[1])

    def _on_fault(self, _effect: tuple[object, ...]) -> None:
        self.where = "After" if self.has_ended else self.phase
        self._had_moved = self.bench.has_moved
