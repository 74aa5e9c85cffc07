"""Set and Get Features: Arbitration (01h), Number of Queues (07h) and Controller Data Queue (21h).

Sources: Base 2.1, sections 5.1.25.1.1, 5.1.25.2.1 and 5.1.25.1.23.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import pack
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.codes import AdminOpcode, Feature
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.admin_handler import AdminHandler
from nvmelm_lab.ssd.admin_queues import queue_limit
from nvmelm_lab.ssd.command import Command, Refused
from nvmelm_lab.ssd.data import put_bytes
from nvmelm_lab.ssd.life_cycle import Event
from nvmelm_lab.ssd.transitions import permit

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.migration_queue import MigrationQueue

FEATURE_BYTES = {"512 bytes": 512, "8 bytes": 8}
"""What Get Features 21h transfers: freedom 19."""


def _queue(controller: Controller, command: Command) -> MigrationQueue:
    queues = controller.subsystem.migration_queues if controller.primary else {}
    queue = queues.get(command.sqe.cdw11 & 0xFFFF)
    if queue is None:
        raise Refused(Status.INVALID_CONTROLLER_DATA_QUEUE)
    return queue


def _number_of_queues(controller: Controller, command: Command) -> None:
    most = queue_limit(controller) - 1
    command.dw0 = most << 16 | most


def _set(controller: Controller, command: Command) -> None:
    feature = command.sqe.cdw10 & 0xFF
    if command.sqe.cdw10 >> 31:
        raise Refused(Status.FEATURE_NOT_SAVEABLE)
    if feature == Feature.ARBITRATION:
        controller.arbitration = command.sqe.cdw11
    elif feature == Feature.NUMBER_OF_QUEUES:
        if 0xFFFF in (command.sqe.cdw11 & 0xFFFF, command.sqe.cdw11 >> 16):
            raise Refused(Status.INVALID_FIELD)
        _number_of_queues(controller, command)
    elif feature == Feature.CONTROLLER_DATA_QUEUE:
        queue = _queue(controller, command)
        permit(controller.subsystem.controllers[queue.target], Event.CONSUME)
        armed = bool(command.sqe.cdw11 >> 31)
        if armed and command.sqe.cdw13 >= queue.slots:
            raise Refused(Status.INVALID_FIELD)
        if not queue.move_head(command.sqe.cdw12):
            raise Refused(Status.INVALID_FIELD)
        queue.arm(command.sqe.cdw13 if armed else None)
    else:
        raise Refused(Status.INVALID_FIELD)


def _get(controller: Controller, command: Command) -> None:
    feature = command.sqe.cdw10 & 0xFF
    if feature == Feature.ARBITRATION:
        command.dw0 = controller.arbitration
    elif feature == Feature.NUMBER_OF_QUEUES:
        _number_of_queues(controller, command)
    elif feature == Feature.CONTROLLER_DATA_QUEUE:
        queue = _queue(controller, command)
        if controller.engine.recorder is not None:
            controller.engine.recorder.reads.update(queue.reading_head()[0])
        trigger = queue.trigger
        length = FEATURE_BYTES[controller.subsystem.habits.queue_feature]
        data = pack("<II", queue.head % queue.slots, trigger or 0).ljust(length, b"\0")
        put_bytes(controller.space, command, data, length)
        command.dw0 = (trigger is not None) << 31 | queue.cdqid
    else:
        raise Refused(Status.INVALID_FIELD)


def _set_touches(controller: Controller, command: Command) -> Touches:
    if command.sqe.cdw10 & 0xFF != Feature.CONTROLLER_DATA_QUEUE:
        return (), ()
    return _queue(controller, command).moving_head(command.sqe.cdw12, arms=bool(command.sqe.cdw11 >> 31))


def _get_touches(controller: Controller, command: Command) -> Touches:
    if command.sqe.cdw10 & 0xFF != Feature.CONTROLLER_DATA_QUEUE:
        return (), ()
    return _queue(controller, command).reading_head()


def _describe(command: Command) -> str:
    if command.sqe.cdw10 & 0xFF == Feature.CONTROLLER_DATA_QUEUE:
        return f"Set Features 21h: the host has read up to slot {command.sqe.cdw12}"
    return f"Set Features {command.sqe.cdw10 & 0xFF:02X}h"


HANDLERS: Mapping[int, AdminHandler] = {
    AdminOpcode.SET_FEATURES: AdminHandler(_set, touches=_set_touches, describe=_describe),
    AdminOpcode.GET_FEATURES: AdminHandler(_get, touches=_get_touches),
}
