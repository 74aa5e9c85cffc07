"""Stop-and-copy: the VM stands still while everything is copied.  What live migration is held against.

When has the controller nothing in flight any more?  A host without help from the SSD cannot know: it gave the
function to the VM as it is, and sees neither its rings nor its commands; in practice it asks the guest to let
go of the device.  It cannot make the guest's queues over there either, for it does not know them.  A guest
here never learns of its migration, so this method takes from the SSD what it cannot do without: suspend,
controller state, resume (Base 2.1, sections 5.1.16 and 5.1.17).  What it does without is the Migration Queue:
nothing is logged, and therefore nothing can be copied before the VM stands still.
"""

from __future__ import annotations

from nvmelm_lab.host import recovery
from nvmelm_lab.host.move import Move
from nvmelm_lab.host.work import HostWork


class StopAndCopy:
    """One VM's way from one host to the other while it stands still, as `move` says.

    Of the plan, `copy_tasks` and `whole_namespace` count: without the latter Get LBA Status is asked, which
    again is help of the SSD.  Memory goes whole.

    work
        What learning of the guest's changes cost the host: nothing, for it never asks.
    """

    def __init__(self, move: Move) -> None:
        self.move = move
        self.plan = move.plan
        self.progress = move.progress
        self.copier = move.copier
        self.work = HostWork()

    async def run(self) -> None:
        """The whole migration; cancelled or failed, it leaves the guest where it was."""
        await recovery.attempt(self.move, self.migrate(), self.go_back, self.go_on)

    async def migrate(self) -> None:
        """All phases."""
        await self.prepare_destination()
        await self.suspend_and_copy()
        await self.move_and_resume()
        await self.clean_up()

    async def prepare_destination(self) -> None:
        """Create the namespaces over there, bring the controller online, make queues for the copy tasks."""
        self.move.enter("Prepare")
        await self.move.prepare_destination()

    async def suspend_and_copy(self) -> None:
        """Pause the VM, suspend its controller, and copy everything."""
        self.move.enter("Suspend")
        await self.move.pause()
        await self.move.suspend()
        self.progress.final_blocks = await self.move.copy(await self.move.baseline())

    async def move_and_resume(self) -> None:
        """Move memory and controller state, resume the destination's controller, start the VM there."""
        self.move.enter("State")
        await self.move.move_state()
        self.move.enter("Resume")
        await self.move.resume()
        await self.move.start()

    async def clean_up(self) -> None:
        """Reset the source's controller, take it offline, detach its namespaces."""
        self.move.enter("Clean up")
        await self.move.release_source()
        self.move.leave()

    async def go_back(self) -> None:
        """Let the guest go on at the source, and give back what was taken at the destination."""
        await recovery.go_on_at_source(self.move)
        await recovery.release_destination(self.move)

    async def go_on(self) -> None:
        """Clean up at the source, the guest having moved."""
        await recovery.release_source(self.move)
