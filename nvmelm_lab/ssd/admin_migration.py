"""Migration Send and Migration Receive: suspend, resume, and a controller's state out and in.

Sources: Base 2.1, sections 5.1.17, 5.1.16 and 8.1.12.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches, do
from nvmelm_lab.nvme.codes import (
    AdminOpcode,
    EntrySpecial,
    MigrationReceiveSelect,
    MigrationSendSelect,
    SequenceIndicator,
    SuspendType,
)
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.admin_handler import AdminHandler, target_of
from nvmelm_lab.ssd.command import Command, Refused
from nvmelm_lab.ssd.state_transfer import put_state, take_state

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from nvmelm_lab.ssd.controller import Controller

    Then = Callable[[Controller, Command], Coroutine[Any, Any, None]]

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


def _send(controller: Controller, command: Command) -> Then | None:
    select = command.sqe.cdw10 & 0xFF
    if select == MigrationSendSelect.SUSPEND:
        return _suspend(controller, command)
    if select == MigrationSendSelect.RESUME:
        return _resume(controller, command)
    if select == MigrationSendSelect.SET_STATE:
        return _set_state(controller, command)
    raise Refused(Status.INVALID_FIELD)


def _suspend(controller: Controller, command: Command) -> Then | None:
    kind = command.sqe.cdw11 >> 16 & 0xFF
    if kind > SuspendType.SUSPEND:
        raise Refused(Status.INVALID_FIELD)
    target = _target(controller, command)
    if kind == SuspendType.NOTIFICATION:
        return None
    if not target.suspended:
        target.set_suspended(True, by=controller)
        return _drain_and_mark
    return _delete_if_asked


async def _drain_and_mark(controller: Controller, command: Command) -> None:
    """Let the commands in flight end, then say so in the Migration Queue: nothing of them comes behind it."""
    target = _target(controller, command)
    await target.drain()
    queue = target.migration_queue
    if queue is not None and queue.logging:
        await do(controller.post_marker, (queue, EntrySpecial.SUSPENDED))
    await _delete_if_asked(controller, command)


async def _delete_if_asked(controller: Controller, command: Command) -> None:
    queue = _target(controller, command).migration_queue
    if queue is not None and command.sqe.cdw11 >> 31:
        await do(controller.delete_queue, queue)


def _resume(controller: Controller, command: Command) -> Then | None:
    target = _target(controller, command)
    if not target.suspended:
        raise Refused(Status.CONTROLLER_NOT_SUSPENDED)
    if target.incoming is not None:
        raise Refused(Status.COMMAND_SEQUENCE_ERROR)
    target.set_suspended(False)
    queue = target.migration_queue
    if queue is None or not queue.is_logging():
        return None
    queue.first_due = True
    return _mark_first if controller.subsystem.habits.first_entry == "marker at once" else None


async def _mark_first(controller: Controller, command: Command) -> None:
    queue = _target(controller, command).migration_queue
    if queue is not None:
        await do(controller.post_marker, (queue, EntrySpecial.FIRST))


def _set_state(controller: Controller, command: Command) -> Then | None:
    sqe = command.sqe
    target = _target(controller, command)
    if not target.suspended and not target.cc & 1 and target.online:
        raise Refused(Status.INVALID_CONTROLLER_IDENTIFIER)
    sequence = sqe.cdw10 >> 16 & 3
    version, uuid = sqe.cdw11 >> 16 & 0xFF, sqe.cdw11 >> 24
    if version > VERSIONS or uuid > UUIDS or not (version or uuid):
        raise Refused(Status.INVALID_FIELD)
    length = 4 * sqe.cdw15
    if not length and sequence != SequenceIndicator.LAST:
        raise Refused(Status.INVALID_FIELD)
    begins = sequence in (SequenceIndicator.FIRST, SequenceIndicator.ONLY)
    if not begins and target.incoming is None:
        raise Refused(Status.COMMAND_SEQUENCE_ERROR)
    received = bytearray() if begins or target.incoming is None else bytearray(target.incoming)
    offset = _offset(command)
    if offset > len(received) or offset + length > MAX_STATE_BYTES:
        raise Refused(Status.INVALID_FIELD)
    received[offset : offset + length] = controller.get_data(command, length) if length else b""
    if sequence in (SequenceIndicator.LAST, SequenceIndicator.ONLY):
        if controller.engine.recorder is not None:
            controller.engine.recorder.writes.update(target.state_touches()[1])
        put_state(target, bytes(received), queues=bool(version), vendor=bool(uuid))
        target.incoming = None
        controller.engine.emit(("state set", target.name, bytes(received)))
    else:
        target.incoming = received
    return None


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
        controller.engine.recorder.reads.add(target.fetch_gate.key)
    data = take_state(target, queues=bool(version), vendor=bool(uuid))
    offset = _offset(command)
    if offset > len(data):
        raise Refused(Status.INVALID_FIELD)
    length = 4 * (sqe.cdw15 + 1)
    controller.put_data(command, data[offset : offset + length])
    command.dw0 = int(target.suspended)
    controller.engine.emit(("state taken", target.name, data, target.suspended))


# -- cells and words --------------------------------------------------------------------------------------


def _send_touches(controller: Controller, command: Command) -> Touches:
    target = _target(controller, command)
    select = command.sqe.cdw10 & 0xFF
    if select == MigrationSendSelect.SET_STATE:
        return target.state_touches()
    if select == MigrationSendSelect.RESUME:
        return (target.log_key,), (target.fetch_gate.key,)
    return (), (target.fetch_gate.key,)


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
