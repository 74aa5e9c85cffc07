"""The steps of a command on its way through a controller: fetch, execute, post entries, complete.

Each command is an actor of its own from fetch to completion, so commands overlap and reorder.  Here is in which order
its steps come, and what each may touch; what a command does is in its handler.  Source: Base 2.1, section 3.3.
"""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from nvmelm_lab.engine import WAIT, Kind, Life, Touches, do
from nvmelm_lab.memory import PrpError
from nvmelm_lab.nvme.codes import AdminOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import Sqe
from nvmelm_lab.ssd import admin, admission, burst, change_log, io_commands
from nvmelm_lab.ssd.command import SUCCESS, UNSUPPORTED_FLAGS, Command, Refused, prp_status
from nvmelm_lab.ssd.entries import post_completion, take_command

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.rings import SubmissionQueue

_HANDLERS = io_commands.HANDLERS
_OPCODE, _FLAGS = Sqe._fields.index("opcode"), Sqe._fields.index("flags")


class CommandSteps:
    """The kinds of these steps for `controller`."""

    __slots__ = (
        "_controller",
        "complete",
        "execute",
        "execute_admin",
        "fetch",
        "leave",
        "post_entries",
        "serve",
    )

    def __init__(self, controller: Controller) -> None:
        name, subsystem = controller.name, controller.subsystem
        timing = subsystem.timing
        gate = None if controller.primary else controller.fetch_gate
        self._controller = controller
        self.fetch = Kind(
            "fetch",
            self._fetch,
            gate=gate,
            takes=timing.fetch,
            touches=self._fetching,
            label=lambda queue: f"Ctlr {name} fetches a command from SQ {queue.qid}",
        )
        self.execute = Kind(
            "execute",
            self._execute,
            uses=partial(io_commands.service, controller),
            touches=self._execute_touches,
            label=lambda command: f"Ctlr {name} executed {io_commands.describe(command)}",
        )
        self.serve = Kind(
            "burst",
            lambda stretch: burst.serve(controller, *stretch),
            gate=gate,
            takes=timing.fetch + timing.post,
            shares=lambda stretch: burst.services(controller, *stretch),
            label=lambda stretch: f"Ctlr {name} serves up to {stretch[1]} commands of SQ {stretch[0].qid}",
        )
        self.execute_admin = Kind(
            "execute",
            self._execute_admin,
            takes=timing.admin,
            touches=self._execute_admin_touches,
            label=lambda command: f"Ctlr {name} executed {admin.describe(command)}",
        )
        self.post_entries = Kind(
            "entry",
            self._post_entries,
            takes=timing.post,
            touches=self._post_entries_touches,
            label=lambda command: (
                f"Ctlr {subsystem.primary.name} posted the entry for {controller.describe(command)}"
            ),
        )
        self.complete = Kind(
            "complete",
            self._complete,
            takes=timing.post,
            touches=self._completing,
            label=lambda command: f"Ctlr {name} posted the completion of {controller.describe(command)}",
        )
        self.leave = Kind(
            "leave",
            controller.finish,
            label=lambda command: f"Ctlr {name} is done with {controller.describe(command)}",
        )

    def fetch_from(self, queue: SubmissionQueue) -> Life:
        """The life of the actor that fetches from a Submission Queue."""
        controller = self._controller
        cq = queue.cq
        while True:
            yield WAIT, (queue.visible, queue.fetched + 1)
            if cq.room <= 0:
                yield WAIT, (cq.consumed, cq.claimed - cq.entries + 2)
            if controller.arbitration and queue.qid and not controller.engine.watched:
                waiting = min(queue.visible.level - queue.fetched, cq.room, controller.burst)
                if waiting > 1:
                    yield self.serve, (queue, waiting)
                    continue
            yield self.fetch, queue

    def _fetching(self, queue: SubmissionQueue) -> Touches:
        """Queues that complete to one CQ race for its last slot."""
        controller = self._controller
        reads, writes = controller.moving[0], controller.claiming(queue.cq)
        return ((*reads, *controller.events.admitting()) if queue.qid == 0 else reads), writes

    def _completing(self, command: Command) -> Touches:
        """One Abort less is outstanding when one completes."""
        controller = self._controller
        reads, writes = controller.moving
        is_abort = command.queue.qid == 0 and command.sqe.opcode == AdminOpcode.ABORT
        return reads, ((*writes, controller.events.key) if is_abort else writes)

    def _fetch(self, queue: SubmissionQueue) -> None:
        controller = self._controller
        if controller.engine.recorder is not None:
            controller.record(self._fetching(queue))
        command = take_command(controller, queue)
        if command is not None:
            if queue.qid == 0:
                admission.admit(controller, command)
            life = self._io_command(command) if queue.qid else self._admin_command(command)
            controller.engine.spawn(command.name, life)

    def _io_command(self, command: Command) -> Life:
        yield self.execute, command
        if command.log is None:
            yield self.complete, command
            return
        order = self._controller.subsystem.habits.entry_order
        if order == "open":
            yield from self.tell_and_complete(command).__await__()
            return
        if order == "entry first":
            yield self.post_entries, command
            yield self.complete, command
        else:
            yield self.complete, command
            yield self.post_entries, command

    async def tell_and_complete(self, command: Command) -> None:
        """Freedom 2 left open: nobody orders the entries and the completion, so each is posted by an actor.

        The command leaves behind both; a reset that comes between ends both.
        """
        command.is_parted = True
        completion = self._controller.engine.spawn(command.completer, self._only_complete(command))
        await do(self.post_entries, command)
        await completion.done.wait(1)
        await do(self.leave, command)

    def _only_complete(self, command: Command) -> Life:
        yield self.complete, command

    async def _admin_command(self, command: Command) -> None:
        rest: Coroutine[Any, Any, None] | None = await do(self.execute_admin, command)
        if rest is not None:
            await rest
        if command in self._controller.in_flight:
            await do(self.complete, command)

    def _execute(self, command: Command) -> None:
        controller = self._controller
        if controller.engine.recorder is not None:
            controller.engine.recorder.reads.update(controller.living)
        fields = command.fields
        try:
            handler = _HANDLERS.get(fields[_OPCODE])
            if handler is None:
                raise Refused(Status.INVALID_OPCODE)
            if fields[_FLAGS] & UNSUPPORTED_FLAGS:
                raise Refused(Status.INVALID_FIELD)
            handler.act(controller, command)
        except Refused as refused:
            command.status = refused.status
        except PrpError as error:
            command.status = prp_status(error)
        if command.changes and (
            controller.migration_queue is not None or controller.engine.recorder is not None
        ):
            change_log.decide(controller, command)

    def _execute_touches(self, command: Command) -> Touches:
        controller = self._controller
        handler = _HANDLERS.get(command.sqe.opcode)
        if handler is None:
            return controller.living, ()
        reads, writes = handler.touches(controller, command)
        reads += controller.living
        return ((*reads, controller.log_key), writes) if handler.changes else (reads, writes)

    def _execute_admin(self, command: Command) -> Any:
        controller = self._controller
        if controller.engine.recorder is not None:
            controller.engine.recorder.reads.update(controller.living)
        if command.status is not SUCCESS:
            return None
        try:
            return admin.execute(controller, command)
        except Refused as refused:
            command.status = refused.status
            return None

    def _execute_admin_touches(self, command: Command) -> Touches:
        controller = self._controller
        reads, writes = admin.touches(controller, command)
        return reads + controller.living, writes

    def _post_entries_touches(self, command: Command) -> Touches:
        controller = self._controller
        reads, writes = change_log.posting(controller, (command,))
        return reads + controller.living, writes

    def _post_entries(self, command: Command) -> None:
        controller = self._controller
        if controller.engine.recorder is not None:
            controller.engine.recorder.reads.update(controller.living)
        change_log.post(controller, command)
        if command.completed and not command.is_parted and command in controller.in_flight:
            controller.finish(command)

    def _complete(self, command: Command) -> None:
        controller = self._controller
        if controller.engine.recorder is not None:
            controller.record(self._completing(command))
        status = command.status
        post_completion(controller, command, 0 if status is SUCCESS else status | controller.dnr)
        if command.told and not command.is_parted:
            controller.finish(command)
