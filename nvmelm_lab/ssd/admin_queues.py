"""Create and Delete I/O Queues.  Source: Base 2.1, sections 5.2.1 to 5.2.4."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme.codes import CC_IOCQES, CC_IOSQES, AdminOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.admin_handler import AdminHandler
from nvmelm_lab.ssd.command import Command, Refused
from nvmelm_lab.ssd.footprints import aborting
from nvmelm_lab.ssd.rings import (
    CQE_BYTES,
    SQE_BYTES,
    CompletionQueue,
    QueueKeeper,
    SubmissionQueue,
)

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller

MAX_QUEUES = 64
"""I/O queue pairs of a controller (Set Features 07h says so)."""


def queue_limit(controller: QueueKeeper) -> int:
    """The highest I/O queue identifier: by the controller's resources if it is secondary."""
    return MAX_QUEUES if controller.primary else min(MAX_QUEUES, controller.queue_resources - 1)


def check_ring(
    controller: QueueKeeper, qid: int, entries: int, base: int, entry_bytes: int, contiguous: bool
) -> None:
    """Refuse a ring that this controller cannot have, or not before CC says how long its entries are."""
    if not 1 <= qid <= queue_limit(controller):
        raise Refused(Status.INVALID_QUEUE_IDENTIFIER)
    log_bytes = (CC_IOSQES if entry_bytes == SQE_BYTES else CC_IOCQES).get(controller.cc)
    if not 2 <= entries <= controller.max_queue_entries or 1 << log_bytes != entry_bytes:
        raise Refused(Status.INVALID_QUEUE_SIZE)
    if base % PAGE_BYTES:
        raise Refused(Status.PRP_OFFSET_INVALID)
    # CAP.CQR is 1: queues are physically contiguous.
    if not contiguous or not controller.space.contains(base, entries * entry_bytes):
        raise Refused(Status.INVALID_FIELD)


def _create_cq(controller: QueueKeeper, command: Command) -> None:
    sqe = command.sqe
    qid, entries = sqe.cdw10 & 0xFFFF, (sqe.cdw10 >> 16) + 1
    check_ring(controller, qid, entries, sqe.prp1, CQE_BYTES, bool(sqe.cdw11 & 1))
    if qid in controller.cqs:
        raise Refused(Status.INVALID_QUEUE_IDENTIFIER)
    vector = sqe.cdw11 >> 16
    if vector >= max(1, controller.interrupt_limit):
        raise Refused(Status.INVALID_INTERRUPT_VECTOR)
    controller.cqs[qid] = CompletionQueue(
        controller, qid, sqe.prp1, entries, interrupts=bool(sqe.cdw11 & 2), vector=vector
    )


def _create_sq(controller: QueueKeeper, command: Command) -> None:
    sqe = command.sqe
    qid, entries = sqe.cdw10 & 0xFFFF, (sqe.cdw10 >> 16) + 1
    check_ring(controller, qid, entries, sqe.prp1, SQE_BYTES, bool(sqe.cdw11 & 1))
    if qid in controller.sqs:
        raise Refused(Status.INVALID_QUEUE_IDENTIFIER)
    cqid = sqe.cdw11 >> 16
    if not 1 <= cqid <= queue_limit(controller):
        raise Refused(Status.INVALID_QUEUE_IDENTIFIER)
    cq = controller.cqs.get(cqid)
    if cq is None:
        raise Refused(Status.COMPLETION_QUEUE_INVALID)
    controller.create_sq(SubmissionQueue(controller, qid, cq, sqe.prp1, entries, priority=sqe.cdw11 >> 1 & 3))


def _delete_sq(controller: QueueKeeper, command: Command) -> None:
    """Commands in flight from that queue end with Command Aborted due to SQ Deletion."""
    qid = command.sqe.cdw10 & 0xFFFF
    if qid == 0 or qid not in controller.sqs:
        raise Refused(Status.INVALID_QUEUE_IDENTIFIER)
    controller.abort_commands(controller.sqs[qid])
    controller.delete_sq(qid)


def _delete_cq(controller: QueueKeeper, command: Command) -> None:
    qid = command.sqe.cdw10 & 0xFFFF
    if qid == 0 or qid not in controller.cqs:
        raise Refused(Status.INVALID_QUEUE_IDENTIFIER)
    if any(queue.cq.qid == qid for queue in controller.sqs.values()):
        raise Refused(Status.INVALID_QUEUE_DELETION)
    del controller.cqs[qid]


def _positions(controller: Controller, command: Command) -> Touches:
    reads, writes = controller.state_touches()
    queue = controller.sqs.get(command.sqe.cdw10 & 0xFFFF)
    if command.sqe.opcode != AdminOpcode.DELETE_IO_SQ or queue is None:
        return reads, writes
    more = aborting(controller, queue)
    return reads + more[0], writes + more[1]


COMMANDS: Mapping[int, Callable[[QueueKeeper, Command], None]] = {
    AdminOpcode.CREATE_IO_CQ: _create_cq,
    AdminOpcode.CREATE_IO_SQ: _create_sq,
    AdminOpcode.DELETE_IO_SQ: _delete_sq,
    AdminOpcode.DELETE_IO_CQ: _delete_cq,
}
"""How each is carried out, by whoever keeps the rings.  Raises Refused, nothing changed."""

HANDLERS: Mapping[int, AdminHandler] = {
    opcode: AdminHandler(act, touches=_positions) for opcode, act in COMMANDS.items()
}
