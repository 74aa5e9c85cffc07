"""Get LBA Status, action 02h: which granules hold data.  Source: NVM Command Set 1.2, section 4.2.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.codes import AdminOpcode, Completeness, LbaRangeStatus, LbaStatusAction
from nvmelm_lab.nvme.lba_status import LbaStatusDescriptor, pack_lba_status
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.admin_handler import AdminHandler
from nvmelm_lab.ssd.command import Command, Refused

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.namespace import Namespace

HEADER_BYTES = 8
DESCRIPTOR_BYTES = 16
MAX_RANGE = 1 << 32
"""LBAs that one descriptor can tell of: its NLB has 32 bits, 0's based."""


def _asked(controller: Controller, command: Command) -> tuple[Namespace, int, int]:
    """Namespace, first LBA and the LBA behind the last of the range asked about."""
    sqe = command.sqe
    namespace = controller.subsystem.namespaces.get(sqe.nsid)
    if namespace is None or controller.cntlid not in namespace.attached:
        raise Refused(Status.INVALID_NAMESPACE_OR_FORMAT)
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
    if room < HEADER_BYTES:
        raise Refused(Status.INVALID_FIELD)
    ranges = namespace.allocated_ranges(slba, end)
    fitting = (room - HEADER_BYTES) // DESCRIPTOR_BYTES
    complete = len(ranges) <= fitting
    descriptors = [
        LbaStatusDescriptor(first, blocks, LbaRangeStatus.ALLOCATED) for first, blocks in ranges[:fitting]
    ]
    blocks = sum(descriptor.blocks for descriptor in descriptors)
    controller.engine.emit(("reported", controller.name, namespace.nsid, len(descriptors), blocks))
    controller.put_data(
        command, pack_lba_status(descriptors, Completeness.COMPLETE if complete else Completeness.INCOMPLETE)
    )


def _touches(controller: Controller, command: Command) -> Touches:
    namespace, slba, end = _asked(controller, command)
    return namespace.asking(slba, end - slba)


def _describe(command: Command) -> str:
    return f"Get LBA Status: what is allocated from LBA {command.sqe.cdw11 << 32 | command.sqe.cdw10} on"


HANDLERS: Mapping[int, AdminHandler] = {
    AdminOpcode.GET_LBA_STATUS: AdminHandler(_get, touches=_touches, describe=_describe)
}
