"""Get LBA Status, action 02h: which granules hold data.  Source: NVM Command Set 1.2, section 4.2.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.codes import AdminOpcode, Completeness, LbaRangeStatus, LbaStatusAction
from nvmelm_lab.nvme.lba_status import (
    DESCRIPTOR_BYTES,
    HEADER_BYTES,
    LbaStatusDescriptor,
    pack_lba_status,
)
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.admin_handler import AdminHandler
from nvmelm_lab.ssd.command import Command, Refused, active_namespace
from nvmelm_lab.ssd.data import MAX_TRANSFER_BYTES, put_bytes

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.namespace import Namespace


def _asked(controller: Controller, command: Command) -> tuple[Namespace, int, int]:
    """Namespace, first LBA and the LBA behind the last of the range asked about."""
    sqe = command.sqe
    namespace = active_namespace(controller, sqe.nsid)
    if sqe.cdw13 >> 24 != LbaStatusAction.ALLOCATED:
        raise Refused(Status.INVALID_FIELD)
    slba = sqe.cdw11 << 32 | sqe.cdw10
    length = sqe.cdw13 & 0xFFFF
    if slba >= namespace.blocks or slba + length > namespace.blocks:
        raise Refused(Status.LBA_OUT_OF_RANGE)
    return namespace, slba, slba + length if length else namespace.blocks


def _get(controller: Controller, command: Command) -> None:
    namespace, slba, end = _asked(controller, command)
    room = 4 * (command.sqe.cdw12 + 1)
    if not HEADER_BYTES <= room <= MAX_TRANSFER_BYTES:
        raise Refused(Status.INVALID_FIELD)
    fitting = (room - HEADER_BYTES) // DESCRIPTOR_BYTES
    ranges = namespace.allocated_ranges(slba, end, fitting + 1)
    completeness = Completeness.COMPLETE if len(ranges) <= fitting else Completeness.INCOMPLETE
    descriptors = [
        LbaStatusDescriptor(first, blocks, LbaRangeStatus.ALLOCATED) for first, blocks in ranges[:fitting]
    ]
    put_bytes(controller.space, command, pack_lba_status(descriptors, completeness), room)
    reported = sum(descriptor.blocks for descriptor in descriptors)
    controller.engine.emit(("reported", controller.name, namespace.nsid, len(descriptors), reported))


def _touches(controller: Controller, command: Command) -> Touches:
    namespace, slba, end = _asked(controller, command)
    return namespace.asking(slba, end - slba)


def _describe(command: Command) -> str:
    return f"Get LBA Status: what is allocated from LBA {command.sqe.cdw11 << 32 | command.sqe.cdw10} on"


HANDLERS: Mapping[int, AdminHandler] = {
    AdminOpcode.GET_LBA_STATUS: AdminHandler(_get, touches=_touches, describe=_describe)
}
