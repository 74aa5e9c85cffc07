"""The reference migration: an SSD-assisted live migration of one VM, phase by phase.

Source: the talk; Base 2.1, section 8.1.12.1.  Each phase is a method that can be called and watched on its
own; `run` calls them in order.  What a learner writes looks like `run`.
"""

from __future__ import annotations

from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.move import PHASES, Move, Plan, Progress, Side
from nvmelm_lab.host.mq_reader import MqReader
from nvmelm_lab.host.work import HostWork

__all__ = ["PHASES", "Migration", "Plan", "Progress", "Side"]


class Migration:
    """One VM's way from one host to the other while it runs, as `move` says; the SSD tells of what changes.

    mq
        The Migration Queue, once logging has been started.
    """

    def __init__(self, move: Move) -> None:
        self.move = move
        self.engine = move.engine
        self.vm = move.vm
        self.plan = move.plan
        self.progress = move.progress
        self.copier = move.copier
        self.memory = move.memory
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

    @property
    def work(self) -> HostWork:
        """What reading the Migration Queue has cost the host; the guest's I/Os themselves cost it nothing."""
        return self.mq.work if self.mq is not None else HostWork()

    # -- pre-copy ------------------------------------------------------------------------------------------

    async def prepare_destination(self) -> None:
        """Create the namespaces over there, bring the controller online, make queues for the copy tasks."""
        self.move.enter("Prepare")
        await self.move.prepare_destination()

    async def start_logging(self) -> None:
        """Create the Migration Queue and start logging; from the completion on every change is told of."""
        self.move.enter("Start logging")
        self.mq = await self.move.source_side.create_mq(self.plan.queue_entries)
        await self.move.source_side.track_send(self.mq, start=True)

    async def initial_copy(self) -> None:
        """Copy what is allocated (or everything), and send the VM's memory ahead."""
        self.move.enter("Initial copy")
        self.progress.initial_blocks = await self.copier.copy(await self.move.baseline())
        if self.plan.iommu:
            await self.memory.begin()

    async def iterate(self) -> None:
        """Copy what changed, round by round, until little enough is left or the rounds are used up."""
        self.move.enter("Iterate")
        await self.move.iterate(self._drain)

    # -- suspend and copy ----------------------------------------------------------------------------------

    async def suspend_and_copy(self) -> None:
        """Pause the VM, suspend its controller, and copy the last changes."""
        self.move.enter("Suspend")
        await self.move.pause()
        await self.move.source_side.suspend()
        self.progress.final_blocks = await self.copier.copy(await self._drain(until="suspended"))

    # -- post-copy -----------------------------------------------------------------------------------------

    async def move_and_resume(self) -> None:
        """Move memory and controller state, resume the destination's controller, start the VM there."""
        self.move.enter("State")
        await self.move.move_state()
        self.move.enter("Resume")
        await self.move.destination_side.resume()
        await self.move.start()

    async def clean_up(self) -> None:
        """Delete the Migration Queue; reset the source's controller, take it offline, detach its namespaces."""
        self.move.enter("Clean up")
        assert self.mq is not None
        await self.move.source_side.delete_mq(self.mq)
        await self.move.release_source()
        self.move.leave()

    async def _drain(self, until: str | None = None) -> Changes:
        assert self.mq is not None
        return await self.mq.drain(until)
