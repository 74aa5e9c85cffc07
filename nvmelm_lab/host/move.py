"""What every method of migration shares: the plan, the progress, both ends, and the pieces of the way.

The methods themselves (with the help of the SSD, by stopping, over a host shim) live in files of their own
and put these pieces together.  Nothing here knows how the changes of a running guest are learned of.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from nvmelm_lab.engine import Engine
from nvmelm_lab.host import provision
from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.copier import Copier
from nvmelm_lab.host.driver import Driver
from nvmelm_lab.host.managed import ManagedController
from nvmelm_lab.host.memory_move import MemoryMove
from nvmelm_lab.host.port import Door
from nvmelm_lab.host.vm import VirtualMachine

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
        Suspend as soon as what is left to copy would cross the link within this time.
    iommu
        Whether an IOMMU tracks the pages that devices write, so that memory can go ahead of time.
    """

    queue_entries: int = 128
    copy_tasks: int = 2
    whole_namespace: bool = False
    rounds: int = 30
    downtime_budget_ns: int = 2_000_000
    iommu: bool = True


@dataclass(slots=True)
class Progress:
    """How far a migration is, in plain numbers: LBAs, bytes, virtual ns.

    phases
        Name of each phase -> ``[start, end]`` in virtual ns (end -1: under way).
    round_blocks
        LBAs copied in each round of the iteration.
    """

    phases: dict[str, list[int]] = field(default_factory=dict)
    rounds: int = 0
    round_blocks: list[int] = field(default_factory=list)
    initial_blocks: int = 0
    final_blocks: int = 0
    paused_at: int = -1
    started_at: int = -1
    state: bytes = b""

    @property
    def downtime_ns(self) -> int:
        """How long the VM stood still."""
        return self.started_at - self.paused_at if self.started_at >= 0 else -1


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a migration: the driver on the MMC, the migratable controller, and the VM's door to it.

    `controller` is what the VM is plugged into, a shim where there is one; commands go through `driver` alone.
    """

    driver: Driver
    controller: Door
    mmc: str
    name: str
    cntlid: int


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
        self.copier = Copier(engine, memory.link, {nsid: nsid for nsid in nsids}, block_bytes, chunk)

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
            await provision.attach(driver, nsid, [1, cntlid])
        await provision.bring_online(driver, cntlid)
        for _ in range(self.plan.copy_tasks):
            await self.copier.open_lane(self.source.driver, driver)

    async def baseline(self) -> Changes:
        """What a copy from nothing has to bring over: the allocated LBAs, or all if the plan says so."""
        whole = self.plan.whole_namespace
        return self.source_side.whole() if whole else await self.source_side.lba_status()

    async def iterate(self, take_changes: Callable[[], Awaitable[Changes]]) -> None:
        """Copy what changed, round by round, until little enough is left or the rounds are used up."""
        progress = self.progress
        while progress.rounds < self.plan.rounds:
            changed = await take_changes()
            blocks = await self.copier.copy(changed)
            if self.memory.begun:
                await self.memory.round()
            progress.rounds += 1
            progress.round_blocks.append(blocks)
            self.engine.emit(("round", progress.rounds, blocks, changed.entries))
            if self._small_enough(changed):
                break

    def _small_enough(self, changed: Changes) -> bool:
        left = changed.blocks_to_copy * self.block_bytes
        return self.memory.link.time_for(left) <= self.plan.downtime_budget_ns

    async def pause(self) -> None:
        """Pause the VM: from here on it is down."""
        await self.vm.pause()
        self.progress.paused_at = self.engine.now

    async def move_state(self) -> None:
        """Move memory, then the controller's state from one suspended controller to the other."""
        await self.memory.finish()
        self.progress.state = await self.source_side.get_state()
        await self.destination_side.suspend()
        await self.destination_side.set_state(self.progress.state)

    async def start(self) -> None:
        """Start the VM at the destination: here its downtime ends."""
        await self.vm.start(self.destination.controller, self.memory.destination)
        self.progress.started_at = self.engine.now

    async def release_source(self) -> None:
        """Reset the source's controller and take it offline, detach its namespaces."""
        await provision.take_offline(self.source.driver, self.source.cntlid)
        for nsid in self.nsids:
            await provision.detach(self.source.driver, nsid, [self.source.cntlid])
