"""The reference migration: an SSD-assisted live migration of one VM, phase by phase.

Source: the talk; Base 2.1, section 8.1.12.1.  Each phase is a method that can be called and watched on its own;
`run` calls them in order.  What a learner writes looks like `run`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Engine
from nvmelm_lab.host import provision
from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.copier import Copier
from nvmelm_lab.host.driver import Driver
from nvmelm_lab.host.managed import ManagedController
from nvmelm_lab.host.memory_move import MemoryMove
from nvmelm_lab.host.mq_reader import MqReader
from nvmelm_lab.host.vm import VirtualMachine

if TYPE_CHECKING:
    from nvmelm_lab.ssd import Controller

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
    """One end of a migration: the driver on the MMC, the migratable controller, and that controller itself.

    `controller` is what the VM is plugged into; commands go through `driver` alone.
    """

    driver: Driver
    controller: Controller
    mmc: str
    name: str
    cntlid: int


class Migration:
    """One VM's way from `source` to `destination`.

    nsids
        NSID at the source -> LBAs of each namespace that goes along.
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
            destination.driver, destination.mmc, destination.name, destination.cntlid, {}
        )
        self.copier = Copier(engine, memory.link, {}, block_bytes, chunk)
        self.mq: MqReader | None = None

    async def run(self) -> None:
        """The whole migration."""
        await self.prepare_destination()
        await self.start_logging()
        await self.initial_copy()
        await self.iterate()
        await self.suspend_and_copy()
        await self.move_and_resume()
        await self.clean_up()

    # -- pre-copy ------------------------------------------------------------------------------------------

    async def prepare_destination(self) -> None:
        """Create the namespaces over there, bring the controller online, and make queues for the copy tasks."""
        self._enter("Prepare")
        driver, cntlid = self.destination.driver, self.destination.cntlid
        for nsid, blocks in self.nsids.items():
            there = await provision.create_namespace(driver, blocks)
            await provision.attach(driver, there, [1, cntlid])
            self.copier.nsids[nsid] = there
            self.destination_side.nsids[there] = blocks
        await provision.bring_online(driver, cntlid)
        for _ in range(self.plan.copy_tasks):
            await self.copier.open_lane(self.source.driver, driver)

    async def start_logging(self) -> None:
        """Create the Migration Queue and start logging; from the completion on every change is told of."""
        self._enter("Start logging")
        self.mq = await self.source_side.create_mq(self.plan.queue_entries)
        await self.source_side.track_send(self.mq, start=True)

    async def initial_copy(self) -> None:
        """Copy what is allocated (or everything), and send the VM's memory ahead."""
        self._enter("Initial copy")
        whole = self.plan.whole_namespace
        baseline = self.source_side.whole() if whole else await self.source_side.lba_status()
        self.progress.initial_blocks = await self.copier.copy(baseline)
        if self.memory.tracked:
            await self.memory.begin()

    async def iterate(self) -> None:
        """Copy what changed, round by round, until little enough is left or the rounds are used up."""
        self._enter("Iterate")
        while self.progress.rounds < self.plan.rounds:
            changed = await self._drain()
            blocks = await self.copier.copy(changed)
            if self.memory.tracked:
                await self.memory.round()
            self.progress.rounds += 1
            self.progress.round_blocks.append(blocks)
            self.engine.emit(("round", self.progress.rounds, blocks, changed.entries))
            if self._small_enough(changed):
                break

    def _small_enough(self, changed: Changes) -> bool:
        return self.memory.link.time_for(changed.blocks_to_copy * self.block_bytes) <= self.plan.downtime_budget_ns

    # -- suspend and copy ----------------------------------------------------------------------------------

    async def suspend_and_copy(self) -> None:
        """Pause the VM, suspend its controller, and copy the last changes."""
        self._enter("Suspend")
        await self.vm.pause()
        self.progress.paused_at = self.engine.now
        await self.source_side.suspend()
        self.progress.final_blocks = await self.copier.copy(await self._drain(until="suspended"))

    # -- post-copy -----------------------------------------------------------------------------------------

    async def move_and_resume(self) -> None:
        """Move memory and controller state, resume the destination's controller, start the VM there."""
        self._enter("State")
        await self.memory.finish()
        self.progress.state = await self.source_side.get_state()
        await self.destination_side.suspend()
        await self.destination_side.set_state(self.progress.state)
        self._enter("Resume")
        await self.destination_side.resume()
        await self.vm.start(self.destination.controller, self.memory.destination)
        self.progress.started_at = self.engine.now

    async def clean_up(self) -> None:
        """Delete the Migration Queue; reset the source's controller and take it offline, detach its namespaces."""
        self._enter("Clean up")
        assert self.mq is not None
        await self.source_side.delete_mq(self.mq)
        await provision.take_offline(self.source.driver, self.source.cntlid)
        for nsid in self.nsids:
            await provision.detach(self.source.driver, nsid, [self.source.cntlid])
        self._leave()

    # -- inside --------------------------------------------------------------------------------------------

    async def _drain(self, until: str | None = None) -> Changes:
        assert self.mq is not None
        return await self.mq.drain(until)

    def _enter(self, phase: str) -> None:
        self._leave()
        self.progress.phases[phase] = [self.engine.now, -1]
        self.engine.emit(("phase", phase))

    def _leave(self) -> None:
        for times in self.progress.phases.values():
            if times[1] < 0:
                times[1] = self.engine.now


