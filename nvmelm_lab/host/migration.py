"""The reference migration: an SSD-assisted live migration of one VM, phase by phase.

Source: the talk; Base 2.1, section 8.1.12.1.  Each phase is a method that can be called and watched on its
own; `run` calls them in order.  What a learner writes looks like `run`.
"""

from __future__ import annotations

from nvmelm_lab.host import recovery
from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.memory_tracking import SsdTracking
from nvmelm_lab.host.move import PHASES, PORTION, Move, Plan, Progress, Side
from nvmelm_lab.host.mq_reader import MqReader, QueueFull
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
        if self.plan.memory_tracking == "device":
            self.memory.devices = SsdTracking(move.source_side, self.memory.source)
        self.mq: MqReader | None = None
        self._behind = Changes(move.nsids)

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
        self.progress.initial_blocks = await self.move.copy(await self.move.baseline(), self._look_meanwhile)
        if self.plan.memory_tracking != "none":
            await self._look()
            await self.memory.begin(self._look)

    async def iterate(self) -> None:
        """Copy what changed, round by round, until little enough is left or the rounds are used up."""
        self.move.enter("Iterate")
        await self.move.iterate(self._take_changes, self._look_meanwhile)

    # -- suspend and copy ----------------------------------------------------------------------------------

    async def suspend_and_copy(self) -> None:
        """Pause the VM, suspend its controller, and copy the last changes."""
        self.move.enter("Suspend")
        await self.move.pause()
        await self.move.suspend()
        self.progress.final_blocks = await self.move.copy(await self._take_changes(until="suspended"))

    # -- post-copy -----------------------------------------------------------------------------------------

    async def move_and_resume(self) -> None:
        """Move memory and controller state, resume the destination's controller, start the VM there."""
        self.move.enter("State")
        await self.move.move_state()
        self.move.enter("Resume")
        await self.move.resume()
        await self.move.start()

    async def clean_up(self) -> None:
        """Delete the Migration Queue; take the source's controller offline, detach its namespaces."""
        self.move.enter("Clean up")
        assert self.mq is not None
        await self.move.source_side.delete_mq(self.mq)
        await self.move.release_source()
        await self.memory.end()
        self.move.leave()

    async def go_back(self) -> None:
        """Let the guest go on at the source, stop logging, give back what was taken at the destination."""
        await recovery.go_on_at_source(self.move)
        if self.mq is not None:
            await recovery.end_logging(self.move.source_side, self.mq)
        await recovery.end_tracking(self.move)
        await recovery.release_destination(self.move)

    async def go_on(self) -> None:
        """Clean up at the source, the guest having moved."""
        assert self.mq is not None
        await recovery.end_logging(self.move.source_side, self.mq)
        await recovery.release_source(self.move)
        await recovery.end_tracking(self.move)

    # -- what changed --------------------------------------------------------------------------------------

    async def _take_changes(self, until: str | None = None) -> Changes:
        """All that changed and was not copied since, up to now or up to the marker `until`."""
        await self._look(until)
        changed, self._behind = self._behind, Changes(self.move.nsids)
        self.progress.behind = 0
        return changed

    async def _look(self, until: str | None = None) -> int:
        """Take in the entries that wait; gives how many.  An overflow makes everything count as changed."""
        assert self.mq is not None
        entries = self.mq.drained
        try:
            self._behind.merge(await self.mq.drain(until))
        except QueueFull:
            self._behind = await self._new_baseline(suspended=until == "suspended")
        entries = self.mq.drained - entries
        self.progress.entries += entries
        self.progress.behind = self._behind.blocks_to_copy
        return entries

    async def _look_meanwhile(self) -> bool:
        """While a copy goes on: empty the queue, lest it fill up; again at the latest when a third is in use.

        False after an overflow: what is left of the copy is part of the new baseline.
        """
        overflows = self.progress.overflows
        entries = await self._look()
        move, least = self.move, self.plan.copy_tasks
        if self.progress.overflows > overflows:
            move.portion = least
            return False
        wanted = move.portion * self.plan.queue_entries // (3 * max(1, entries))
        move.portion = min(max(least, wanted), PORTION * least)
        return True

    async def _new_baseline(self, *, suspended: bool) -> Changes:
        """The queue filled up: logging has stopped, and changes since then were told to nobody.

        Log again, unless nothing can change any more, and then begin anew: copy what is allocated, deallocate
        the rest, since deallocations were lost as well.
        """
        assert self.mq is not None
        self.progress.overflows += 1
        if not suspended:
            await self.move.source_side.track_send(self.mq, start=True)
        everything = Changes(self.move.nsids)
        for nsid, blocks in self.move.nsids.items():
            everything.add(nsid, 0, blocks, deallocated=True)
        everything.merge(await self.move.baseline())
        return everything
