"""Get LBA Status: which granules hold data (action 02h), and which LBAs cannot be read (10h, 11h).

Allocation is tracked by granule; what cannot be read is known LBA by LBA.  Source: NVM Command Set 1.2, section 4.2.1.
"""

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
from nvmelm_lab.ssd.data import MAX_TRANSFER_BYTES, pieces_of, put_bytes

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.namespace import Namespace

_ACTIONS = {
    int(LbaStatusAction.ALLOCATED): "what is allocated",
    int(LbaStatusAction.SCAN): "scan for what cannot be read",
    int(LbaStatusAction.TRACKED): "what is known to be unreadable",
}


def _asked(controller: Controller, command: Command) -> tuple[Namespace, int, int]:
    """Namespace, first LBA and the LBA behind the last of the range asked about."""
    sqe = command.sqe
    namespace = active_namespace(controller, sqe.nsid)
    if sqe.cdw13 >> 24 not in _ACTIONS:
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
    # A scan leaves something behind: not before it is sure that its outcome can be told.
    pieces_of(controller.space, command, room)
    fitting = (room - HEADER_BYTES) // DESCRIPTOR_BYTES
    found = _descriptors(controller, command, namespace, slba, end, fitting + 1)
    completeness = Completeness.COMPLETE if len(found) <= fitting else Completeness.INCOMPLETE
    if controller.subsystem.habits.lba_status_end == "not told":
        completeness = Completeness.NO_INDICATION
    descriptors = found[:fitting]
    put_bytes(controller.space, command, pack_lba_status(descriptors, completeness), room)
    reported = sum(descriptor.blocks for descriptor in descriptors)
    controller.engine.emit(("reported", controller.name, namespace.nsid, len(descriptors), reported))


def _descriptors(
    controller: Controller, command: Command, namespace: Namespace, slba: int, end: int, most: int
) -> list[LbaStatusDescriptor]:
    """At most `most` descriptors; LBAs that follow each other share one, whatever made them unreadable."""
    action = command.sqe.cdw13 >> 24
    if action == LbaStatusAction.ALLOCATED:
        allocated = namespace.allocated_ranges(slba, end, most)
        return [LbaStatusDescriptor(*each, LbaRangeStatus.ALLOCATED) for each in allocated]
    scan = action == LbaStatusAction.SCAN
    unreadable = namespace.unreadable_ranges(slba, end, most, scan=scan, keep=_keeps(controller))
    return [
        LbaStatusDescriptor(
            first,
            blocks,
            LbaRangeStatus.WRITTEN_UNCORRECTABLE if by_command else LbaRangeStatus.UNRECOVERABLE_1,
        )
        for first, blocks, by_command in unreadable
    ]


def _keeps(controller: Controller) -> bool:
    """Whether what a scan has found is tracked from then on."""
    return controller.subsystem.habits.scan_result == "tracked"


def _touches(controller: Controller, command: Command) -> Touches:
    namespace, slba, end = _asked(controller, command)
    action = command.sqe.cdw13 >> 24
    if action == LbaStatusAction.ALLOCATED:
        return namespace.asking(slba, end - slba)
    notices = action == LbaStatusAction.SCAN and _keeps(controller)
    return namespace.asking_unreadable(slba, end - slba, notices=notices)


def _describe(command: Command) -> str:
    sqe = command.sqe
    action = _ACTIONS.get(sqe.cdw13 >> 24, "a reserved action")
    return f"Get LBA Status: {action} from LBA {sqe.cdw11 << 32 | sqe.cdw10} on"


HANDLERS: Mapping[int, AdminHandler] = {
    AdminOpcode.GET_LBA_STATUS: AdminHandler(_get, touches=_touches, describe=_describe)
}
