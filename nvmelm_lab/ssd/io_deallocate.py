"""The I/O commands that may deallocate: Write Zeroes and Dataset Management.

Source: NVM Command Set 1.2, sections 3.3.8 and 3.3.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.memory import PrpError
from nvmelm_lab.nvme.codes import IoOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import RANGE, Sqe, unpack_ranges
from nvmelm_lab.ssd.command import Command, Refused, active_namespace
from nvmelm_lab.ssd.data import get_bytes
from nvmelm_lab.ssd.io_handler import NOTHING, Handler, checked, open_namespace, tell, touching
from nvmelm_lab.ssd.namespace import Namespace

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller

_DEALLOCATE = 1 << 2
"""Attribute Deallocate of Dataset Management, in CDW11."""

_DEAC = 1 << 25
"""Write Zeroes, CDW12: by deallocating."""

_NSZ = 1 << 23
"""Write Zeroes, CDW12: the whole namespace."""

ALL_CLEARED = 1
"""LBACZ in DW0 of a Write Zeroes with NSZ: every LBA of the namespace is zeroes now."""


def zeroes_whole_namespace(sqe: Sqe) -> bool:
    """Whether a Write Zeroes asks for all LBAs, whatever its SLBA and NLB say."""
    return bool(sqe.cdw12 & _NSZ)


def deallocate(
    controller: Controller, command: Command, ranges: Sequence[tuple[Namespace, int, int]]
) -> None:
    """Deallocate `ranges`; whether one that was deallocated already is told of is freedom 4."""
    tell_all = controller.subsystem.habits.no_change == "logged"
    changes = []
    for namespace, slba, blocks in ranges:
        changed = namespace.deallocate(slba, blocks)
        if changed or tell_all:
            changes.append((namespace.nsid, slba, blocks, True))
    tell(controller, command, "deallocated", tuple(changes))


# -- Write Zeroes -----------------------------------------------------------------------------------------


def _write_zeroes(controller: Controller, command: Command) -> None:
    sqe = command.sqe
    if zeroes_whole_namespace(sqe):
        namespace = open_namespace(controller, sqe.nsid)
        if not sqe.cdw12 & _DEAC:
            raise Refused(Status.INVALID_FIELD)
        deallocate(controller, command, [(namespace, 0, namespace.blocks)])
        command.dw0 = ALL_CLEARED
        return
    namespace, slba, blocks = checked(controller, command)
    if sqe.cdw12 & _DEAC:
        deallocate(controller, command, [(namespace, slba, blocks)])
        return
    namespace.write_zeroes(slba, blocks)
    tell(controller, command, "zeroes", ((namespace.nsid, slba, blocks, False),))


_zeroing = touching("writing")
_deallocating = touching("deallocating")


def _zeroes_touches(controller: Controller, command: Command) -> Touches:
    sqe = command.sqe
    if not zeroes_whole_namespace(sqe):
        return (_deallocating if sqe.cdw12 & _DEAC else _zeroing)(controller, command)
    try:
        namespace = active_namespace(controller, sqe.nsid)
    except Refused:
        return NOTHING
    return namespace.deallocating(0, namespace.blocks)


# -- Dataset Management -----------------------------------------------------------------------------------


def _dataset_management(controller: Controller, command: Command) -> None:
    """Deallocate where the attribute says so (CDW11 bit 2); other attributes are hints without effect."""
    namespace = open_namespace(controller, command.sqe.nsid)
    ranges = _ranges(controller, command, namespace)
    if command.sqe.cdw11 & _DEALLOCATE:
        deallocate(controller, command, [(namespace, slba, blocks) for slba, blocks in ranges])


def _ranges(controller: Controller, command: Command, namespace: Namespace) -> list[tuple[int, int]]:
    """The command's ranges; their length is a plain count of LBAs."""
    count = (command.sqe.cdw10 & 0xFF) + 1
    data = get_bytes(controller.space, command, count * RANGE.size)
    ranges = [(slba, blocks) for slba, blocks in unpack_ranges(data) if blocks]
    if any(slba + blocks > namespace.blocks for slba, blocks in ranges):
        raise Refused(Status.LBA_OUT_OF_RANGE)
    return ranges


def _dataset_touches(controller: Controller, command: Command) -> Touches:
    """A hint changes nothing, but what becomes of it is seen from the allocation: see `io_handler.touching`."""
    try:
        namespace = active_namespace(controller, command.sqe.nsid)
        ranges = _ranges(controller, command, namespace)
    except (Refused, PrpError):
        return NOTHING
    footprint = namespace.deallocating if command.sqe.cdw11 & _DEALLOCATE else namespace.asking
    reads, writes = NOTHING
    for slba, blocks in ranges:
        more = footprint(slba, blocks)
        reads, writes = reads + more[0], writes + more[1]
    return reads, writes


HANDLERS: Mapping[int, Handler] = {
    int(IoOpcode.WRITE_ZEROES): Handler(_write_zeroes, _zeroes_touches, True),
    int(IoOpcode.DATASET_MANAGEMENT): Handler(_dataset_management, _dataset_touches, True),
}
