"""Migration Send and Migration Receive: suspend, resume, and a controller's state out and in.

Sources: Base 2.1, sections 5.1.17, 5.1.16 and 8.1.12.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.codes import (
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
from nvmelm_lab.ssd.life_cycle import Effect, Event
from nvmelm_lab.ssd.migration_steps import drain_and_mark, mark_first
from nvmelm_lab.ssd.state_intake import StateIntake
from nvmelm_lab.ssd.state_transfer import put_state, take_state
from nvmelm_lab.ssd.transitions import permit, undergo

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller

VERSIONS = 1
UUIDS = 1
"""Formats of CNS 20h: index 1 is version 0 of the NVMe Controller State, UUID index 1 is `vendor_state`."""


def _target(controller: Controller, command: Command) -> Controller:
    return target_of(controller, command.sqe.cdw11 & 0xFFFF)


def _offset(command: Command) -> int:
    return command.sqe.cdw13 << 32 | command.sqe.cdw12


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
        undergo(target, Event.SUSPEND_NOTIFICATION)
        return None
    effects = permit(target, Event.SUSPEND_AND_DELETE if command.sqe.cdw11 >> 31 else Event.SUSPEND)
    if not target.suspended:
        target.set_suspended(True)
    return drain_and_mark(controller, command, target, delete=Effect.DELETE_QUEUE in effects)


def _resume(controller: Controller, command: Command) -> Rest | None:
    target = _target(controller, command)
    undergo(target, Event.RESUME)
    queue = target.migration_queue
    return None if queue is None else mark_first(controller, queue)


_PARTS = {
    SequenceIndicator.FIRST: Event.SET_FIRST,
    SequenceIndicator.MIDDLE: Event.SET_MIDDLE,
    SequenceIndicator.LAST: Event.SET_LAST,
    SequenceIndicator.ONLY: Event.SET_ONLY,
}


def _set_state(controller: Controller, command: Command) -> None:
    """Take in one part of a state, or all of it; the last part has it verified and committed (facts D.10, F-11)."""
    sqe = command.sqe
    target = _target(controller, command)
    if controller.engine.recorder is not None:
        controller.engine.recorder.writes.update(target.state_touches()[1])
    sequence = SequenceIndicator(sqe.cdw10 >> 16 & 3)
    effects = permit(target, _PARTS[sequence])
    version, uuid = sqe.cdw11 >> 16 & 0xFF, sqe.cdw11 >> 24
    if version > VERSIONS or uuid > UUIDS or not (version or uuid):
        raise Refused(Status.INVALID_FIELD)
    if not sqe.cdw15 and sequence != SequenceIndicator.LAST:
        raise Refused(Status.INVALID_FIELD)
    before = StateIntake() if Effect.FORGET in effects else target.incoming
    part = get_bytes(controller.space, command, 4 * sqe.cdw15) if sqe.cdw15 else b""
    received = (before or StateIntake()).with_part(_offset(command), part)
    if Effect.COMMIT not in effects:
        target.incoming = received
        return
    data = received.whole()
    put_state(target, data, queues=bool(version), vendor=bool(uuid))
    target.incoming = None
    target.move_gate()
    controller.engine.emit(("state set", target.name, data))


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
    consistent = Effect.SAY_CONSISTENT in permit(target, Event.GET_STATE)
    data = take_state(target, consistent=consistent, queues=bool(version), vendor=bool(uuid))
    offset, length = _offset(command), 4 * (sqe.cdw15 + 1)
    if offset & 3 or offset > len(data) or length > MAX_TRANSFER_BYTES:
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
    if select == MigrationSendSelect.SUSPEND and target.suspended:
        # It asks for more than a suspension, for the queue's end say; the gate is closed already.
        return (gate,), ()
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
