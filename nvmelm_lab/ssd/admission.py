"""What is decided of an admin command as it is fetched: whether it may be, among those that are outstanding.

Three rules, all of them about several commands at a time: how many Asynchronous Event Requests and how many Aborts
there may be (AERL and ACL of Identify Controller), and that no two commands of a queue have one CID.  Of the last
the standard leaves open how many commands are searched: here those that last, the Asynchronous Event Requests.
Sources: Base 2.1, sections 5.1.1 and 5.1.2, and Figure 102 (Command ID Conflict).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvmelm_lab.nvme.codes import AdminOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.command import UNSUPPORTED_FLAGS, Command
from nvmelm_lab.ssd.events import MOST_REQUESTS

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller

MOST_ABORTS = 4
"""ACL, as a plain count: Abort commands outstanding at a time."""


def admit(controller: Controller, command: Command) -> None:
    """Say by its status whether an admin command may be executed.

    An Asynchronous Event Request that may gives back its slot in the Completion Queue: an event takes one.
    """
    sqe, events = command.sqe, controller.events
    events.is_used |= sqe.opcode in (AdminOpcode.ABORT, AdminOpcode.ASYNC_EVENT_REQUEST)
    waiting = (*events.admitted, *controller.event_requests)
    if any(request.sqe.cid == sqe.cid for request in waiting):
        command.status = Status.COMMAND_ID_CONFLICT
    elif sqe.opcode == AdminOpcode.ABORT and _aborts(controller) > MOST_ABORTS:
        command.status = Status.ABORT_LIMIT
    elif sqe.opcode == AdminOpcode.ASYNC_EVENT_REQUEST and not sqe.flags & UNSUPPORTED_FLAGS:
        if len(waiting) == MOST_REQUESTS:
            command.status = Status.ASYNC_LIMIT
            return
        events.admitted.add(command)
        command.queue.cq.claimed -= 1


def _aborts(controller: Controller) -> int:
    return sum(
        command.queue.qid == 0 and command.sqe.opcode == AdminOpcode.ABORT for command in controller.in_flight
    )
