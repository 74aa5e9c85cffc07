"""Live migration without help from the SSD: a shim on each host sees what the guest changes.

The phases are those of the reference migration.  In place of the Migration Queue there is the shim's dirty
bitmap, in place of suspend and controller state there is the shim itself.
"""

from __future__ import annotations

from nvmelm_lab.host import recovery
from nvmelm_lab.host.move import Move
from nvmelm_lab.host.shim import Shim
from nvmelm_lab.host.work import HostWork


class ShimMigration:
    """One VM's way from one host to the other while it runs, as `move` says, from the shim `here` to `there`.

    Of the plan, `queue_entries` and `memory_tracking` do not count: there is no queue, and as no device writes to the
    guest's memory, processors see every page that changes.
    """

    def __init__(self, move: Move, here: Shim, there: Shim) -> None:
        self.move = move
        self.here = here
        self.there = there
        self.plan = move.plan
        self.progress = move.progress
        self.copier = move.copier
        self._before = HostWork(here.work.steps, here.work.ns)

    @property
    def work(self) -> HostWork:
        """What both shims have cost their hosts since this migration was planned."""
        steps = self.here.work.steps + self.there.work.steps - self._before.steps
        return HostWork(steps, self.here.work.ns + self.there.work.ns - self._before.ns)

    async def run(self) -> None:
        """The whole migration; cancelled or failed, it leaves the guest where it was."""
        await recovery.attempt(self.move, self.migrate(), self.go_back, self.go_on)

    async def migrate(self) -> None:
        """All phases."""
        await self.prepare_destination()
        await self.start_logging()
        await self.initial_copy()
        await self.iterate()
        await self.suspend_and_copy()
        await self.move_and_resume()
        await self.clean_up()

    async def prepare_destination(self) -> None:
        """Create the namespaces over there, bring the controller online, open the shim before it."""
        self.move.enter("Prepare")
        await self.move.prepare_destination()
        await self.there.open(len(self.here.controller.sqs) - 1)

    async def start_logging(self) -> None:
        """Let the shim note what changes."""
        self.move.enter("Start logging")
        await self.here.track(self.move.nsids)

    async def initial_copy(self) -> None:
        """Copy what is allocated (or everything), and send the VM's memory ahead."""
        self.move.enter("Initial copy")
        self.progress.initial_blocks = await self.move.copy(await self.move.baseline())
        await self.move.memory.begin()

    async def iterate(self) -> None:
        """Copy what changed, round by round, until little enough is left or the rounds are used up."""
        self.move.enter("Iterate")
        await self.move.iterate(self.here.take_changes)

    async def suspend_and_copy(self) -> None:
        """Pause the VM, let the shim finish what is under way, and copy the last changes."""
        self.move.enter("Suspend")
        await self.move.pause()
        await self.here.suspend()
        self.progress.final_blocks = await self.move.copy(await self.here.take_changes())

    async def move_and_resume(self) -> None:
        """Move memory and the state of the guest's queues to the other shim, start shim and VM there."""
        self.move.enter("State")
        self.move.heed_cancel()
        await self.move.memory.finish()
        self.progress.state = await self.here.get_state()
        await self.there.suspend()
        await self.there.set_state(self.progress.state)
        self.move.enter("Resume")
        await self.there.resume()
        await self.move.start()

    async def clean_up(self) -> None:
        """Close the source's shim; reset the controller behind, take it offline, detach its namespaces."""
        self.move.enter("Clean up")
        await self.here.close()
        await self.move.release_source()
        self.move.leave()

    async def go_back(self) -> None:
        """Let the guest go on at the source, and give back what was taken at the destination."""
        await self.here.resume()
        await recovery.go_on_at_source(self.move)
        await self.here.track({})
        await self.there.close()
        await recovery.release_destination(self.move)

    async def go_on(self) -> None:
        """Clean up at the source, the guest having moved."""
        await recovery.release_source(self.move)
