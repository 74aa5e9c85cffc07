"""What every method of migration shares: the plan, the progress, both ends, and the pieces of the way.

The methods themselves (with the help of the SSD, by stopping, over a host shim) live in files of their own
and put these pieces together.  Nothing here knows how the changes of a running guest are learned of.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from nvmelm_lab.engine import Engine
from nvmelm_lab.errors import InputError
from nvmelm_lab.host import provision
from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.copier import Copier
from nvmelm_lab.host.driver import Driver
from nvmelm_lab.host.managed import ManagedController
from nvmelm_lab.host.memory_move import MemoryMove
from nvmelm_lab.host.port import Door
from nvmelm_lab.host.throttle import MOST, next_percent
from nvmelm_lab.host.vm import VirtualMachine
from nvmelm_lab.host.work import HostWork

PORTION = 4
"""Extents for each copy task between two looks at what else is to be done, at most."""

TRACKING = ("iommu", "device", "none")
"""Who may tell which pages of the VM's memory devices write."""

PHASES = (
    "Prepare",
    "Start logging",
    "Initial copy",
    "Iterate",
    "Suspend",
    "State",
    "Resume",
    "Clean up",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How to migrate.

    queue_entries
        Slots of the Migration Queue.
    copy_tasks
        Copies that may be under way at once.
    whole_namespace
        Copy every LBA at first, instead of those that Get LBA Status reports.
    rounds
        Iterative copies at most, before the VM is paused whatever is left.
    downtime_budget_ns
        Suspend as soon as a round took no longer than this: the last copy will take about as long.
    memory_tracking
        Who tells which pages devices write, so that memory can go ahead of time: "iommu", "device" (the SSD itself),
        or "none": then it goes while the VM stands still.
    throttle
        Percent of the processors' time that may be taken from the VM, in growing steps, while rounds do not shrink.
    """

    queue_entries: int = 128
    copy_tasks: int = 4
    whole_namespace: bool = False
    rounds: int = 12
    downtime_budget_ns: int = 2_000_000
    memory_tracking: str = "iommu"
    throttle: int = 0

    def __post_init__(self) -> None:
        if self.memory_tracking not in TRACKING:
            raise InputError(
                f"memory_tracking cannot be {self.memory_tracking!r}; give {', '.join(map(repr, TRACKING))}"
            )
        if not isinstance(self.throttle, int) or not 0 <= self.throttle <= MOST:
            raise InputError(
                f"throttle cannot be {self.throttle!r}; give a whole number from 0 (never slow the VM down) to {MOST}"
            )


class Cancelled(Exception):
    """Somebody wanted the migration to end before its time."""


@dataclass(slots=True)
class Progress:
    """How far a migration is, in plain numbers: LBAs, bytes, virtual ns.

    phases
        Name of each phase -> ``[start, end]`` in virtual ns (end -1: under way).
    round_blocks, round_ns
        LBAs copied in each round of the iteration, and how long the last copy would take after it: what the stop
        rule looks at.
    throttle, round_throttle
        Percent of the processors' time that are taken from the VM now, and that were during each round.
    planned, copied
        LBAs that the first copy has to bring over, and LBAs copied so far, again and again included.
    behind
        LBAs known to have changed and not copied since.
    entries, overflows
        Entries of the Migration Queue consumed, and how often it filled up.
    failure
        Why the migration ended early; empty when it did not.
    """

    phases: dict[str, list[int]] = field(default_factory=dict)
    rounds: int = 0
    round_blocks: list[int] = field(default_factory=list)
    round_ns: list[int] = field(default_factory=list)
    throttle: int = 0
    round_throttle: list[int] = field(default_factory=list)
    initial_blocks: int = 0
    final_blocks: int = 0
    planned: int = 0
    copied: int = 0
    behind: int = 0
    entries: int = 0
    overflows: int = 0
    paused_at: int = -1
    started_at: int = -1
    state: bytes = b""
    failure: str = ""

    @property
    def downtime_ns(self) -> int:
        """How long the VM stood still."""
        return self.started_at - self.paused_at if self.started_at >= 0 else -1


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a migration: the driver on the MMC, the migratable controller, and the VM's door to it.

    `controller` is what the VM is plugged into, a shim where there is one; commands go by `driver` alone.
    """

    driver: Driver
    controller: Door
    mmc: str
    name: str
    cntlid: int


class Method(Protocol):
    """A way of migrating: what all of them show.

    work
        What it cost the host to learn of the guest's changes.
    """

    move: Move
    plan: Plan
    progress: Progress
    copier: Copier

    @property
    def work(self) -> HostWork:
        """See above."""

    async def run(self) -> None:
        """The whole migration; cancelled or failed, it leaves the guest where it was."""


class Move:
    """One VM's way from `source` to `destination`, as the methods of migration need it.

    nsids
        NSID -> LBAs of each namespace that goes along.  The guest's commands name the NSID, so it stays.
    memory
        How the VM's memory moves.
    """

    def __init__(
        self,
        engine: Engine,
        vm: VirtualMachine,
        source: Side,
        destination: Side,
        nsids: dict[int, int],
        memory: MemoryMove,
        plan: Plan,
        *,
        chunk: int,
        block_bytes: int,
    ) -> None:
        self.engine = engine
        self.vm = vm
        self.source = source
        self.destination = destination
        self.nsids = nsids
        self.memory = memory
        self.plan = plan
        self.progress = Progress()
        self.block_bytes = block_bytes
        self.source_side = ManagedController(source.driver, source.mmc, source.name, source.cntlid, nsids)
        self.destination_side = ManagedController(
            destination.driver, destination.mmc, destination.name, destination.cntlid, nsids
        )
        self.copier = Copier(engine, vm.name, memory.link, {nsid: nsid for nsid in nsids}, block_bytes, chunk)
        self.portion = PORTION * plan.copy_tasks
        self.created: list[int] = []
        # Not told by times: some schedules have no clock.
        self.is_paused = False
        self.may_be_suspended = False
        self.may_be_resumed = False
        self.has_moved = False
        self._cancelled = False

    def cancel(self) -> None:
        """End the migration at the next opportunity; the guest then goes on at the source.

        Once the destination's controller is resumed it is too late, and nothing changes.
        """
        self._cancelled = True

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody wants the migration to end early."""
        return self._cancelled

    def heed_cancel(self) -> None:
        """An opportunity to end early: raises Cancelled when that is wanted."""
        if self._cancelled:
            raise Cancelled("cancelled")

    # -- phases --------------------------------------------------------------------------------------------

    def enter(self, phase: str) -> None:
        """The phase before ends, this one begins."""
        self.leave()
        self.progress.phases[phase] = [self.engine.now, -1]
        self.engine.emit(("phase", phase))

    def leave(self) -> None:
        """The phase ends."""
        for times in self.progress.phases.values():
            if times[1] < 0:
                times[1] = self.engine.now

    # -- pieces, in the order in which they are needed -----------------------------------------------------

    async def prepare_destination(self) -> None:
        """Create the namespaces over there, bring the controller online, make queues for the copy tasks."""
        driver, cntlid = self.destination.driver, self.destination.cntlid
        for nsid, blocks in self.nsids.items():
            await provision.create_namespace_as(driver, blocks, nsid)
            self.created.append(nsid)
            await provision.attach(driver, nsid, [1, cntlid])
        await provision.bring_online(driver, cntlid)
        for _ in range(self.plan.copy_tasks):
            await self.copier.open_lane(self.source.driver, driver)

    async def baseline(self) -> Changes:
        """What a copy from nothing has to bring over: the allocated LBAs, or all if the plan says so."""
        whole = self.plan.whole_namespace
        return self.source_side.whole() if whole else await self.source_side.lba_status()

    async def copy(self, changes: Changes, meanwhile: Callable[[], Awaitable[bool]] | None = None) -> int:
        """Copy `changes`; returns how many LBAs were.

        `meanwhile` is called from time to time while the copy tasks go on, each time that `portion` extents have
        been copied, for what must not wait until a long copy has ended.  It may change `portion`, and ends the
        copy by returning False.
        """
        extents = list(changes.extents(self.copier.chunk))
        self.progress.planned = self.progress.planned or changes.blocks_to_copy

        async def look() -> int:
            self.progress.copied = self.copier.copied
            if self._cancelled or (meanwhile is not None and not await meanwhile()):
                return 0
            return self.portion

        blocks = await self.copier.copy(extents, self.portion, look)
        self.progress.copied = self.copier.copied
        self.heed_cancel()
        return blocks

    async def iterate(
        self,
        take_changes: Callable[[], Awaitable[Changes]],
        meanwhile: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """Copy what changed, round by round, until little enough is left or the rounds are used up."""
        progress = self.progress
        while progress.rounds < self.plan.rounds:
            self.heed_cancel()
            if self._must_slow_down():
                await self.slow_down(min(self.plan.throttle, next_percent(progress.throttle)))
            began = self.engine.now
            changed = await take_changes()
            blocks = await self.copy(changed, meanwhile)
            if self.memory.begun:
                await self.memory.round()
            progress.rounds += 1
            progress.round_blocks.append(blocks)
            progress.round_ns.append(self._would_take(changed, self.engine.now - began))
            progress.round_throttle.append(progress.throttle)
            self.engine.emit(("round", progress.rounds, blocks, changed.entries))
            if progress.round_ns[-1] <= self.plan.downtime_budget_ns:
                break

    def _must_slow_down(self) -> bool:
        """Whether the last round had about as much to copy as the one before, and the VM may be slowed further."""
        blocks = self.progress.round_blocks
        shrinks = len(blocks) < 2 or blocks[-1] * 10 < blocks[-2] * 9
        return not shrinks and self.progress.throttle < self.plan.throttle

    async def slow_down(self, percent: int) -> None:
        """Take `percent` of the processors' time from the VM."""
        await self.vm.slow_down(percent)
        self.progress.throttle = percent

    def _would_take(self, changed: Changes, took: int) -> int:
        """How long the last copy will keep the VM down, in ns.

        As long as the one before, or, where no clock runs, as long as its blocks need to cross the link.
        """
        return max(took, self.memory.link.time_for(changed.blocks_to_copy * self.block_bytes))

    async def pause(self) -> None:
        """Pause the VM: from here on it is down."""
        self.heed_cancel()
        await self.vm.pause()
        self.is_paused = True
        self.progress.paused_at = self.engine.now

    async def suspend(self) -> None:
        """Suspend the source's controller: when this returns, it has nothing in flight."""
        self.may_be_suspended = True
        await self.source_side.suspend()

    async def move_state(self) -> None:
        """Move memory, then the controller's state from one suspended controller to the other."""
        self.heed_cancel()
        await self.memory.finish()
        self.progress.state = await self.source_side.get_state()
        await self.destination_side.suspend()
        await self.destination_side.set_state(self.progress.state)

    async def resume(self) -> None:
        """Resume the destination's controller: it fetches what lies on the rings that came with the VM's memory."""
        self.may_be_resumed = True
        await self.destination_side.resume()

    async def start(self) -> None:
        """Start the VM at the destination: here its downtime ends."""
        await self.vm.start(self.destination.controller, self.memory.destination)
        self.has_moved = True
        self.progress.throttle = 0
        self.progress.started_at = self.engine.now

    async def release_source(self) -> None:
        """Reset the source's controller and take it offline, detach its namespaces."""
        await provision.take_offline(self.source.driver, self.source.cntlid)
        for nsid in self.nsids:
            await provision.detach(self.source.driver, nsid, [self.source.cntlid])
