"""Abort: a command ends before it is executed, if it is not too late.

What has not been executed has changed nothing, so the Migration Queue has nothing to tell of it; what has been
executed completes as if nobody had asked.  An Asynchronous Event Request that waits can be aborted at any time.
Source: Base 2.1, section 5.1.1.  Whether an SSD aborts anything is a freedom (see `freedoms.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.codes import AdminOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.admin_handler import AdminHandler
from nvmelm_lab.ssd.command import Command
from nvmelm_lab.ssd.entries import post_completion

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller

_NOT_PERFORMED = 1
"""DW0 bit 0 (IANP): the command was not aborted, for whatever reason, such as that there is none."""


def _abort(controller: Controller, command: Command) -> None:
    """End the command that CDW10 names; its completion comes before that of the Abort."""
    if not _aborts(controller):
        command.dw0 = _NOT_PERFORMED
        return
    if controller.engine.recorder is not None:
        controller.engine.recorder.writes.update(_touches(controller, command)[1])
    named = command.sqe.cdw10 & 0xFFFF, command.sqe.cdw10 >> 16
    if _end_request(controller, named):
        return
    for other in controller.in_flight:
        if _name(other) == named and other is not command and controller.awaits_execution(other):
            controller.end(other, Status.ABORT_REQUESTED)
            return
    command.dw0 = _NOT_PERFORMED


def _end_request(controller: Controller, named: tuple[int, int]) -> bool:
    """End an Asynchronous Event Request, if it is one, and if its completion has room."""
    for request in controller.event_requests:
        if _name(request) == named and request.queue.cq.room > 0:
            del controller.event_requests[request]
            request.queue.cq.claimed += 1
            post_completion(controller, request, Status.ABORT_REQUESTED)
            return True
    return False


def _name(command: Command) -> tuple[int, int]:
    """What an Abort calls it by: the id of its queue, and its own."""
    return command.queue.qid, command.sqe.cid


def _aborts(controller: Controller) -> bool:
    return controller.subsystem.habits.abort != "never"


def _touches(controller: Controller, _command: Command) -> Touches:
    """Whether a command is still to be executed is seen from what all its steps touch."""
    if not _aborts(controller):
        return (), ()
    reads, writes = controller.ending_touches()
    return reads, (*writes, controller.events.key, *controller.claiming(controller.cqs[0]))


def _describe(command: Command) -> str:
    return f"Abort of command {command.sqe.cdw10 >> 16} of SQ {command.sqe.cdw10 & 0xFFFF}"


HANDLERS: Mapping[int, AdminHandler] = {
    AdminOpcode.ABORT: AdminHandler(_abort, touches=_touches, describe=_describe)
}
