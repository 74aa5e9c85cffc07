"""Scenarios: the smallest migrations in which something can go wrong, built anew for each execution.

A guest issues a few commands in order, keeping `depth` of them under way, while a VMM migrates it.  Everything
goes through whole rings: submission, doorbell, fetch, execute, entry, completion, reap.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nvmelm_lab.engine import Actor, Engine, Recorder, Schedule, Trace
from nvmelm_lab.errors import InputError
from nvmelm_lab.faults import Bench, Fault, Sited, parse
from nvmelm_lab.host import recovery
from nvmelm_lab.host.driver import status_of
from nvmelm_lab.host.guest import Guest
from nvmelm_lab.host.ledger import UNREADABLE
from nvmelm_lab.host.migration import Migration, Plan
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.queue_pair import QueuePair
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import commands
from nvmelm_lab.races import company
from nvmelm_lab.ssd import Habits, Parts

_KINDS = {
    "w": OperationKind.WRITE,
    "d": OperationKind.TRIM,
    "z": OperationKind.ZEROES,
    "u": OperationKind.UNCORRECTABLE,
    "r": OperationKind.READ,
}

T = TypeVar("T")

Vmm = Callable[[Migration], Coroutine[Any, Any, None]]
"""A VMM: what drives the phases of a migration whose destination is prepared."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Plain data of one scenario.

    guest
        Its commands, such as ``"w0 d2"``: w write, d deallocate, z write zeroes, u write uncorrectable, r read,
        each of the LBA that follows, or of several: ``"w1-2"``, ``"d0,2,4-5"`` (only a deallocation has several
        ranges).
    blocks, filled
        LBAs of the namespace, and how many of them, from LBA 0 on, hold data at first; None for all.
    chunk
        LBAs that one copy carries.
    copies
        Copies that may be outstanding.
    slots
        Slots of the Migration Queue.
    rounds
        Iterative copies before the suspend.
    whole_namespace
        Whether the first copy takes every LBA, or what Get LBA Status reports.
    granularity
        LBAs whose allocation the SSDs track as one.
    before
        Commands that a VM at the destination issues to the new namespace, through the destination's controller,
        before the migration begins there; the VMM has made that VM, and ends it.
    partner
        Commands of another VM, through a controller of its own, to the same namespace.
    fault
        What fails, and behind which step of an actor: ``"reset-y@VMM#12"``; "" for nothing.
    """

    name: str
    guest: str
    blocks: int
    chunk: int = 1
    depth: int = 1
    copies: int = 2
    slots: int = 8
    rounds: int = 1
    filled: int | None = None
    whole_namespace: bool = True
    granularity: int = 1
    before: str = ""
    partner: str = ""
    habits: Habits = field(default_factory=Habits)
    fault: str = ""

    def operations(self) -> list[Operation]:
        """The guest's commands."""
        return read_commands(self.guest)


def read_commands(text: str) -> list[Operation]:
    """The commands that `text` names, as `Scenario.guest` says; InputError where it cannot be read."""
    try:
        return [_operation(word) for word in text.split()]
    except (KeyError, ValueError) as error:
        raise InputError(
            f"the guest's commands {text!r} cannot be read; write them like 'w0 d2 w1-2 d0,3' with letters "
            f"{', '.join(_KINDS)}"
        ) from error


def _operation(word: str) -> Operation:
    kind = _KINDS[word[0]]
    ranges = [_range(part) for part in word[1:].split(",")]
    if len(ranges) > 1 and kind is not OperationKind.TRIM:
        raise ValueError(word)
    return Operation(kind, *ranges[0], 0, tuple(ranges[1:]))


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    blocks = int(last or first) - int(first) + 1
    if blocks < 1:
        raise ValueError(text)
    return int(first), blocks


async def recovering(migration: Migration) -> None:
    """The reference VMM where something may fail: it recovers as `Migration.run` does."""
    await recovery.attempt(migration.move, reference(migration), migration.go_back, migration.go_on)


async def reference(migration: Migration) -> None:
    """The reference VMM."""
    await migration.start_logging()
    await migration.initial_copy()
    await migration.iterate()
    await migration.suspend_and_copy()
    await migration.move_and_resume()


class World:
    """One execution of a scenario: a lab, its guest and its VMM, ready to go under a schedule."""

    def __init__(self, scenario: Scenario, vmm: Vmm = reference, parts: Parts | None = None) -> None:
        self.scenario = scenario
        filled = scenario.blocks if scenario.filled is None else scenario.filled
        self.lab = Lab(
            LabSpec(
                guests=(
                    GuestSpec(blocks=(scenario.blocks,), filled=filled, depth=scenario.depth),
                    *((company.PARTNER,) if scenario.partner else ()),
                ),
                granularity=scenario.granularity,
                ring_entries=16,
                chunk=scenario.chunk,
                habits=scenario.habits,
            ),
            parts,
        )
        self.engine: Engine = self.lab.engine
        plan = Plan(
            queue_entries=scenario.slots,
            copy_tasks=scenario.copies,
            whole_namespace=scenario.whole_namespace,
            rounds=scenario.rounds,
            downtime_budget_ns=0,
            memory_tracking="none",
        )
        self.migration = self.lab.migration("guest", plan)
        self._run("prepare", self.migration.prepare_destination())
        self.programs: list[Guest] = []
        self._vmm = vmm
        self._add_company(scenario)
        self.oracle = self.lab.oracle("guest")
        self.guest: Guest = self.lab.program("guest", scenario.operations())
        self.programs.insert(0, self.guest)
        self._fault: Fault | None = None
        if not scenario.fault:
            # Once for all executions; a fault might take the queue pairs away.
            self._run("audit", self.oracle.open())
        else:
            self._fault = parse(scenario.fault)
            self._bench = Bench(self.lab, "guest", self.migration)
            self._bench.reckon_with_faults()
        self.actors: list[Actor] = []

    def _add_company(self, scenario: Scenario) -> None:
        if scenario.partner:
            operations = read_commands(scenario.partner)
            self.programs.append(self._run("partner", company.arrive(self.lab, operations)))
        if scenario.before:
            operations = read_commands(scenario.before)
            earlier = self._run("before", company.before(self.lab, self.migration, operations))
            self._vmm = company.behind(earlier, operations, self._vmm)

    def begin(self, schedule: Schedule, recorder: Recorder | None = None, trace: Trace | None = None) -> None:
        """Start guest and VMM under `schedule`."""
        if self._fault is not None:
            schedule = Sited(schedule, self._fault, self._bench)
        self.lab.begin(schedule, recorder=recorder, trace=trace)
        self.actors = [
            # What they raise is a finding, not an error of the search.
            *(self.engine.spawn(each.name, each.run_in_order(), watched=True) for each in self.programs),
            self.engine.spawn("VMM", self._vmm(self.migration), watched=True),
        ]

    def verdict(self) -> str:
        """What went wrong, in one sentence; empty when nothing did.  Reads the destination through the door."""
        for actor in self.actors:
            if actor.error is not None:
                return f"{actor.name} failed: {actor.error}"
            if not actor.done.level:
                return f"{actor.name} never ends: it {actor.kind.describe(actor.subject)}"
        broken = self.oracle.judge(self.migration.progress.failure).broken
        return f"{broken[0].name}: {broken[0].word}" if broken else ""

    def content(self) -> tuple[int, ...]:
        """What Reads of each LBA at the destination return, UNREADABLE for an error."""
        copier = self.migration.copier
        return self._run(
            "content", _read_all(copier.destination_queue, copier.nsids[1], self.scenario.blocks)
        )

    def _run(self, name: str, coroutine: Coroutine[Any, Any, T]) -> T:
        actor = self.engine.spawn(name, coroutine)
        self.engine.run(actor)
        if actor.error is not None:
            raise actor.error
        result: T = actor.result
        return result


async def _read_all(queue: QueuePair, nsid: int, blocks: int) -> tuple[int, ...]:
    space = queue.port.space
    address = space.size - PAGE_BYTES
    values = []
    for lba in range(blocks):
        cqe = await queue.run(commands.read(0, nsid, lba, 1, address))
        values.append(UNREADABLE if status_of(cqe) else space.read_stamps(address, 1)[0])
    return tuple(values)
