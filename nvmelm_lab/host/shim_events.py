"""What a shim answers by itself: commands about other commands, whose ids nobody behind knows.

The controller of a VM owns no Controller Data Queue, so it has no event to tell of: a request for one waits for ever,
before a shim as before the controller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.nvme.codes import AdminOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.command import Command, Refused
from nvmelm_lab.ssd.events import MOST_REQUESTS

if TYPE_CHECKING:
    from nvmelm_lab.host.shim_controller import ShimController


def _request_event(controller: ShimController, command: Command) -> None:
    """The request waits, and keeps no slot of the Completion Queue."""
    if len(controller.event_requests) == MOST_REQUESTS:
        raise Refused(Status.ASYNC_LIMIT)
    controller.event_requests[command] = None
    command.queue.cq.claimed -= 1


def _abort(controller: ShimController, command: Command) -> None:
    """A request for an event can be aborted; what is on its way behind goes on: DW0 bit 0 (IANP) says so."""
    named = command.sqe.cdw10 & 0xFFFF, command.sqe.cdw10 >> 16
    for request in controller.event_requests:
        if (request.queue.qid, request.sqe.cid) == named and request.queue.cq.room > 0:
            del controller.event_requests[request]
            request.queue.cq.claimed += 1
            controller.post(request, Status.ABORT_REQUESTED)
            return
    command.dw0 = 1


COMMANDS: Mapping[int, Callable[[ShimController, Command], None]] = {
    AdminOpcode.ASYNC_EVENT_REQUEST: _request_event,
    AdminOpcode.ABORT: _abort,
}
"""How each is carried out.  Raises Refused, nothing changed."""
