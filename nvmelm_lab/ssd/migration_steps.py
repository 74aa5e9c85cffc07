"""What the MMC still does between the execution of a migration's command and its completion, step by step.

Each step looks for itself whether it is still wanted: the host may have deleted the queue, resumed or reset the
target while the MMC waited.  The commands themselves are in `admin_log.py` and `admin_migration.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvmelm_lab.engine import Kind, Touches, do
from nvmelm_lab.nvme.codes import EntrySpecial
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.command import Refused
from nvmelm_lab.ssd.life_cycle import Event
from nvmelm_lab.ssd.transitions import permit

if TYPE_CHECKING:
    from nvmelm_lab.ssd.command import Command
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.migration_queue import MigrationQueue

Marker = tuple["MigrationQueue", EntrySpecial]


class MigrationSteps:
    """The kinds of these steps for the MMC `controller`."""

    __slots__ = ("_controller", "delete", "mark", "start")

    def __init__(self, controller: Controller) -> None:
        name = controller.name
        self._controller = controller
        self.mark = Kind(
            "marker",
            self._mark,
            takes=controller.subsystem.timing.post,
            touches=self._marking,
            label=lambda marker: f"Ctlr {name} posted the marker: {marker[1].meaning}",
        )
        self.start = Kind(
            "start logging",
            self._start,
            touches=self._starting,
            label=lambda subject: (
                f"Ctlr {name} starts logging, now that {self._target(subject[1]).name} has nothing in flight"
            ),
        )
        self.delete = Kind(
            "delete queue",
            self._delete,
            touches=lambda queue: (controller.living, controller.subsystem.deleting(queue)),
            label=lambda _: f"Ctlr {name} deletes the Migration Queue",
        )

    def _target(self, queue: MigrationQueue) -> Controller:
        return self._controller.subsystem.controllers[queue.target]

    def _is_there(self, queue: MigrationQueue) -> bool:
        return self._controller.subsystem.migration_queues.get(queue.cdqid) is queue

    def _marking(self, marker: Marker) -> Touches:
        queue, esa = marker
        reads, writes = queue.marking(esa)
        reads += self._controller.living
        if esa == EntrySpecial.SUSPENDED:
            reads = (*reads, self._target(queue).fetch_gate.key)
        return reads, writes

    def _mark(self, marker: Marker) -> None:
        queue, esa = marker
        if esa == EntrySpecial.SUSPENDED and not self._target(queue).is_suspended():
            return
        queue.mark(esa)

    def _starting(self, subject: tuple[Command, MigrationQueue]) -> Touches:
        _, queue = subject
        reads, writes = queue.starting()
        return reads + self._controller.living, (*writes, self._target(queue).fetch_gate.key)

    def _start(self, subject: tuple[Command, MigrationQueue]) -> None:
        """Freedom 6: log from now on, and let the target fetch again."""
        command, queue = subject
        target = self._target(queue)
        if not self._is_there(queue):
            command.status = Status.INVALID_CONTROLLER_DATA_QUEUE
            return
        target.hold_fetching(False)
        try:
            permit(target, Event.START_LOGGING)
        except Refused as refused:
            command.status = refused.status
        else:
            start_logging(self._controller, queue)

    def _delete(self, queue: MigrationQueue) -> None:
        if self._is_there(queue):
            self._controller.subsystem.delete_migration_queue(queue.cdqid)


def start_logging(controller: Controller, queue: MigrationQueue) -> None:
    """From now on changes made through the queue's target are told of."""
    queue.start()
    target = controller.subsystem.controllers[queue.target]
    controller.engine.emit(("logging", controller.name, queue.cdqid, target.name, True))


async def drain_then_start(controller: Controller, command: Command, queue: MigrationQueue) -> None:
    """Freedom 6: nothing is fetched until the commands in flight are done and logging is on."""
    await controller.subsystem.controllers[queue.target].drain()
    await do(controller.steps.start, (command, queue))
    await mark_first(controller, queue)


async def mark_first(controller: Controller, queue: MigrationQueue) -> None:
    """Freedom 1: post ESA 001b alone, if that is the habit."""
    if controller.subsystem.habits.first_entry == "marker at once":
        await do(controller.steps.mark, (queue, EntrySpecial.FIRST))


async def mark_stopped(controller: Controller, command: Command, queue: MigrationQueue) -> None:
    """Post the last entry, behind those of changes that took effect while logging was on."""
    marking = _mark_stopped(controller, queue)
    if controller.subsystem.habits.stop_marker == "after the completion":
        controller.engine.spawn(f"{command.name}.marker", marking)
    else:
        await marking


async def _mark_stopped(controller: Controller, queue: MigrationQueue) -> None:
    await queue.told.wait(queue.decided)
    await do(controller.steps.mark, (queue, EntrySpecial.STOPPED))


async def drain_and_mark(
    controller: Controller, command: Command, target: Controller, *, delete: bool
) -> None:
    """Let the commands in flight end, say so in the Migration Queue, and delete that if asked to."""
    await target.drain()
    queue = target.migration_queue
    if queue is None:
        return
    marking = _mark_suspended(controller, queue)
    if not delete and controller.subsystem.habits.suspend_marker == "after the completion":
        controller.engine.spawn(f"{command.name}.marker", marking)
        return
    await marking
    if delete:
        await do(controller.steps.delete, queue)


async def _mark_suspended(controller: Controller, queue: MigrationQueue) -> None:
    await do(controller.steps.mark, (queue, EntrySpecial.SUSPENDED))
