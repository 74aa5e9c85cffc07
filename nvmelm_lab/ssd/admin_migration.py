"""Migration Send and Migration Receive: suspend, resume, and a controller's state out and in.

Sources: Base 2.1, sections 5.1.17, 5.1.16 and 8.1.12.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.codes import (
    CC_EN,
    AdminOpcode,
    MigrationReceiveSelect,
    MigrationSendSelect,
    SequenceIndicator,
    SuspendType,
)
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.admin_handler import AdminHandler, Rest, target_of
from nvmelm_lab.ssd.command import Command, Refused
from nvmelm_lab.ssd.data import MAX_TRANSFER_BYTES, get_bytes, put_bytes
from nvmelm_lab.ssd.migration_steps import drain_and_mark, mark_first
from nvmelm_lab.ssd.state_transfer import put_state, take_state

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller

VERSIONS = 1
UUIDS = 1
"""Formats of CNS 20h: index 1 is version 0 of the NVMe Controller State, UUID index 1 is `vendor_state`."""

MAX_STATE_BYTES = 1 << 20
"""Longest controller state that an SSD of the kit takes in."""


def _target(controller: Controller, command: Command) -> Controller:
    return target_of(controller, command.sqe.cdw11 & 0xFFFF)


def _offset(command: Command) -> int:
    offset = command.sqe.cdw13 << 32 | command.sqe.cdw12
    if offset & 3:
        raise Refused(Status.INVALID_FIELD)
    return offset


# -- Migration Send ---------------------------------------------------------------------------------------


def _send(controller: Controller, command: Command) -> Rest | None:
    select = command.sqe.cdw10 & 0xFF
    if select == MigrationSendSelect.SUSPEND:
        return _suspend(controller, command)
    if select == MigrationSendSelect.RESUME:
        return _resume(controller, command)
    if select != MigrationSendSelect.SET_STATE:
        raise Refused(Status.INVALID_FIELD)
    _set_state(controller, command)
    return None


def _suspend(controller: Controller, command: Command) -> Rest | None:
    kind = command.sqe.cdw11 >> 16 & 0xFF
    if kind > SuspendType.SUSPEND:
        raise Refused(Status.INVALID_FIELD)
    target = _target(controller, command)
    if kind == SuspendType.NOTIFICATION:
        return None
    if not target.suspended:
        target.set_suspended(True)
    return drain_and_mark(controller, command, target, delete=bool(command.sqe.cdw11 >> 31))


def _resume(controller: Controller, command: Command) -> Rest | None:
    target = _target(controller, command)
    if not target.is_suspended():
        raise Refused(Status.CONTROLLER_NOT_SUSPENDED)
    if target.incoming is not None:
        raise Refused(Status.COMMAND_SEQUENCE_ERROR)
    target.set_suspended(False)
    queue = target.migration_queue
    return None if queue is None else mark_first(controller, queue)


def _set_state(controller: Controller, command: Command) -> None:
    """Take in one part of a state, or all of it; parts follow each other without gaps."""
    sqe = command.sqe
    target = _target(controller, command)
    if not target.is_suspended() and not CC_EN.get(target.cc) and target.online:
        raise Refused(Status.INVALID_CONTROLLER_IDENTIFIER)
    sequence = sqe.cdw10 >> 16 & 3
    version, uuid = sqe.cdw11 >> 16 & 0xFF, sqe.cdw11 >> 24
    if version > VERSIONS or uuid > UUIDS or not (version or uuid):
        raise Refused(Status.INVALID_FIELD)
    if not sqe.cdw15 and sequence != SequenceIndicator.LAST:
        raise Refused(Status.INVALID_FIELD)
    begins = sequence in (SequenceIndicator.FIRST, SequenceIndicator.ONLY)
    if not begins and target.incoming is None:
        raise Refused(Status.COMMAND_SEQUENCE_ERROR)
    received = _received(controller, command, b"" if begins else bytes(target.incoming or b""))
    if sequence in (SequenceIndicator.LAST, SequenceIndicator.ONLY):
        _commit(controller, target, received, queues=bool(version), vendor=bool(uuid))
    else:
        target.incoming = received


def _received(controller: Controller, command: Command, before: bytes) -> bytearray:
    """What has been received of a state, with what this command brings."""
    offset, length = _offset(command), 4 * command.sqe.cdw15
    if offset > len(before) or offset + length > MAX_STATE_BYTES:
        raise Refused(Status.INVALID_FIELD)
    received = bytearray(before)
    if length:
        received[offset : offset + length] = get_bytes(controller.space, command, length)
    return received


def _commit(
    controller: Controller, target: Controller, received: bytearray, *, queues: bool, vendor: bool
) -> None:
    """Verify and commit; no command of the target may be in flight while its queues are replaced."""
    if controller.engine.recorder is not None:
        controller.engine.recorder.writes.update(target.state_touches()[1])
    if target.in_flight:
        raise Refused(Status.INVALID_FIELD)
    put_state(target, bytes(received), queues=queues, vendor=vendor)
    target.incoming = None
    target.move_gate()
    controller.engine.emit(("state set", target.name, bytes(received)))


# -- Migration Receive ------------------------------------------------------------------------------------


def _receive(controller: Controller, command: Command) -> None:
    sqe = command.sqe
    if sqe.cdw10 & 0xFF != MigrationReceiveSelect.GET_STATE:
        raise Refused(Status.INVALID_FIELD)
    target = _target(controller, command)
    version, uuid = sqe.cdw10 >> 16 & 0xFF, sqe.cdw11 >> 16 & 0xFF
    if version > VERSIONS or uuid > UUIDS:
        raise Refused(Status.INVALID_FIELD)
    if controller.engine.recorder is not None:
        controller.engine.recorder.writes.update(target.state_touches()[1])
    # While commands that were fetched before still end, the queues' positions do not yet fit together.
    consistent = target.is_suspended() and not target.in_flight
    data = take_state(target, consistent=consistent, queues=bool(version), vendor=bool(uuid))
    offset, length = _offset(command), 4 * (sqe.cdw15 + 1)
    if offset > len(data) or length > MAX_TRANSFER_BYTES:
        raise Refused(Status.INVALID_FIELD)
    put_bytes(controller.space, command, data[offset : offset + length], length)
    command.dw0 = int(consistent)
    controller.engine.emit(("state taken", target.name, data, consistent))


# -- cells and words --------------------------------------------------------------------------------------


def _send_touches(controller: Controller, command: Command) -> Touches:
    target = _target(controller, command)
    select, gate = command.sqe.cdw10 & 0xFF, target.fetch_gate.key
    if select == MigrationSendSelect.SET_STATE:
        # A state that was committed may let its controller fetch.
        return (), (*target.state_touches()[1], gate)
    if select == MigrationSendSelect.RESUME and target.migration_queue is not None:
        reads, writes = target.migration_queue.resuming()
        return reads, (*writes, gate)
    return (), (gate,)


def _receive_touches(controller: Controller, command: Command) -> Touches:
    target = _target(controller, command)
    return (target.fetch_gate.key,), target.state_touches()[1]


def _describe_send(command: Command) -> str:
    words = {0: "suspend the controller", 1: "resume the controller", 2: "set the controller's state"}
    return "Migration Send: " + words.get(command.sqe.cdw10 & 0xFF, "a reserved operation")


HANDLERS: Mapping[int, AdminHandler] = {
    AdminOpcode.MIGRATION_SEND: AdminHandler(
        _send, primary_only=True, touches=_send_touches, describe=_describe_send
    ),
    AdminOpcode.MIGRATION_RECEIVE: AdminHandler(
        _receive,
        primary_only=True,
        touches=_receive_touches,
        describe=lambda _: "Migration Receive: get the controller's state",
    ),
}
