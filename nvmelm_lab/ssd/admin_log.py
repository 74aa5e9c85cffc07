"""Controller Data Queue and Track Send: the Migration Queue's making, starting, stopping and end.

Sources: Base 2.1, sections 5.1.4 and 5.1.27; NVM Command Set 1.2, section 4.1 (Track Send).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.memory import PAGE_BYTES, PrpError, prp_pages
from nvmelm_lab.nvme.codes import AdminOpcode, CdqSelect, LogAction, TrackSendSelect
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.admin_handler import AdminHandler, Rest, target_of
from nvmelm_lab.ssd.admin_memory_tracking import track_memory, track_memory_touches
from nvmelm_lab.ssd.command import Command, Refused
from nvmelm_lab.ssd.life_cycle import Effect, Event
from nvmelm_lab.ssd.migration_queue import MQE_BYTES, MigrationQueue
from nvmelm_lab.ssd.migration_steps import drain_then_start, mark_first, mark_stopped, start_logging
from nvmelm_lab.ssd.rings import ring_pages
from nvmelm_lab.ssd.transitions import permit, undergo

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller

MAX_QUEUES = 16
"""MCUDMQ and MNSUDMQ: User Data Migration Queues of the MMC, which is the only one of its subsystem."""

MAX_LIST_ENTRIES = 512
"""MCDQPC: pages of a queue that is not contiguous, as many as one page of PRP list names."""


def _select(command: Command) -> int:
    return command.sqe.cdw10 & 0xFF


def _queue_command(controller: Controller, command: Command) -> None:
    if _select(command) == CdqSelect.CREATE:
        _create(controller, command)
    elif _select(command) == CdqSelect.DELETE:
        undergo(_target(controller, _queue(controller, command)), Event.DELETE_QUEUE)
    else:
        raise Refused(Status.INVALID_FIELD)


def _create(controller: Controller, command: Command) -> None:
    sqe, subsystem = command.sqe, controller.subsystem
    length = 4 * sqe.cdw12
    if sqe.cdw10 >> 16 & 0xFF or length % MQE_BYTES or length < 2 * MQE_BYTES:
        raise Refused(Status.INVALID_FIELD)
    if sqe.prp1 % PAGE_BYTES:
        raise Refused(Status.PRP_OFFSET_INVALID)
    target = target_of(controller, sqe.cdw11 >> 16)
    permit(target, Event.CREATE_QUEUE)
    if len(subsystem.migration_queues) >= MAX_QUEUES:
        limit = subsystem.habits.queue_limit
        raise Refused(Status.INVALID_FIELD if limit == "Invalid Field" else Status.NOT_ENOUGH_RESOURCES)
    pages = _contiguous(controller, command) if sqe.cdw11 & 1 else _listed(controller, command)
    cdqid = subsystem.free_cdqid()
    queue = subsystem.parts.migration_queue(
        controller.engine,
        controller.name,
        controller.events,
        target.cntlid,
        target.log_key,
        cdqid,
        controller.space,
        pages,
        length // MQE_BYTES,
    )
    subsystem.migration_queues[cdqid] = queue
    target.migration_queue = queue
    controller.engine.emit(("queue created", controller.name, cdqid, queue.slots, target.name))
    command.dw0 = cdqid


def _contiguous(controller: Controller, command: Command) -> list[int]:
    """The pages of a queue in one piece at PRP1."""
    length = 4 * command.sqe.cdw12
    if not controller.space.contains(command.sqe.prp1, length):
        raise Refused(Status.INVALID_FIELD)
    return ring_pages(command.sqe.prp1, length)


def _listed(controller: Controller, command: Command) -> list[int]:
    """The pages of a queue that the PRP list at PRP1 names."""
    count = -(-4 * command.sqe.cdw12 // PAGE_BYTES)
    if count > MAX_LIST_ENTRIES:
        raise Refused(Status.INVALID_FIELD)
    try:
        return prp_pages(controller.space, command.sqe.prp1, count)
    except PrpError as error:
        raise Refused(Status.PRP_OFFSET_INVALID if error.offset else Status.INVALID_FIELD) from error


def _queue(controller: Controller, command: Command) -> MigrationQueue:
    queue = controller.subsystem.migration_queues.get(command.sqe.cdw11 & 0xFFFF)
    if queue is None:
        raise Refused(Status.INVALID_CONTROLLER_DATA_QUEUE)
    return queue


def _target(controller: Controller, queue: MigrationQueue) -> Controller:
    return controller.subsystem.controllers[queue.target]


def _track_send(controller: Controller, command: Command) -> Rest | None:
    if _select(command) == TrackSendSelect.TRACK_MEMORY:
        track_memory(controller, command)
        return None
    if _select(command) != TrackSendSelect.LOG_USER_DATA:
        raise Refused(Status.INVALID_FIELD)
    action = command.sqe.cdw10 >> 16 & 0xF
    if action > LogAction.START:
        raise Refused(Status.INVALID_FIELD)
    queue = _queue(controller, command)
    target = _target(controller, queue)
    effects = permit(target, Event.START_LOGGING if action == LogAction.START else Event.STOP_LOGGING)
    is_logging = queue.is_logging()
    if Effect.AWAIT_COMMANDS in effects:
        target.hold_fetching(True)
        return drain_then_start(controller, command, queue)
    if Effect.START in effects:
        start_logging(controller, queue)
        return mark_first(controller, queue)
    if not is_logging:
        return None
    queue.stop()
    controller.engine.emit(("logging", controller.name, queue.cdqid, target.name, False))
    return mark_stopped(controller, command, queue)


def _track_touches(controller: Controller, command: Command) -> Touches:
    if _select(command) == TrackSendSelect.TRACK_MEMORY:
        return track_memory_touches(controller, command)
    queue = _queue(controller, command)
    target = _target(controller, queue)
    reads, writes = queue.starting()
    if controller.subsystem.habits.start_logging == "after commands in flight":
        return reads, (target.fetch_gate.key, *writes)
    return (target.fetch_gate.key, *reads), writes


def _queue_touches(controller: Controller, command: Command) -> Touches:
    if _select(command) != CdqSelect.DELETE:
        return (), ()
    return (), controller.subsystem.deleting(_queue(controller, command))


def _describe_track(command: Command) -> str:
    what = "tracking host memory" if _select(command) else "logging user data changes"
    return f"Track Send: {'start' if command.sqe.cdw10 >> 16 & 0xF else 'stop'} {what}"


def _describe_queue(command: Command) -> str:
    return f"Controller Data Queue: {'delete' if _select(command) else 'create'} the Migration Queue"


HANDLERS: Mapping[int, AdminHandler] = {
    AdminOpcode.CONTROLLER_DATA_QUEUE: AdminHandler(
        _queue_command, primary_only=True, touches=_queue_touches, describe=_describe_queue
    ),
    AdminOpcode.TRACK_SEND: AdminHandler(
        _track_send, primary_only=True, touches=_track_touches, describe=_describe_track
    ),
}
