"""Copy: blocks from anywhere in a namespace to one range of it, without a way through the host.

The source ranges are read first and written then, all or none, as if by one Write (NVMCSA); so a destination that
overlaps a source gets what was there before.  Source: NVM Command Set 1.2, section 3.3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.memory import PrpError
from nvmelm_lab.nvme.codes import IoOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import COPY_RANGE, unpack_copy_ranges
from nvmelm_lab.ssd.command import Command, Refused, active_namespace
from nvmelm_lab.ssd.data import get_bytes
from nvmelm_lab.ssd.io_handler import NOTHING, Handler, open_namespace
from nvmelm_lab.ssd.io_read import readable

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.namespace import Namespace

MOST_RANGES = 16
"""MSRC + 1: source ranges of one command."""

LONGEST_RANGE = 128
"""MSSRL: LBAs of one source range."""

MOST_BLOCKS = 1024
"""MCL: LBAs of all source ranges."""

_Ranges = list[tuple[int, int]]


def _copy(controller: Controller, command: Command) -> None:
    namespace = open_namespace(controller, command.sqe.nsid)
    sources, destination = _ranges(controller, command, namespace)
    stamps = [stamp for slba, blocks in sources for stamp in readable(namespace, slba, blocks)]
    namespace.write(destination, stamps)
    command.changes = ((namespace.nsid, destination, len(stamps), False),)
    engine, ssd = controller.engine, controller.subsystem.name
    if engine.telling:
        engine.emit(("wrote", ssd, namespace.nsid, destination, tuple(stamps), command.name))


def _ranges(controller: Controller, command: Command, namespace: Namespace) -> tuple[_Ranges, int]:
    """The source ranges, and the first LBA that they are copied to; only descriptor format 0h is known."""
    sqe = command.sqe
    count = (sqe.cdw12 & 0xFF) + 1
    if sqe.cdw12 >> 8 & 0xF:
        raise Refused(Status.INVALID_FIELD)
    if count > MOST_RANGES:
        raise Refused(Status.SIZE_LIMIT_EXCEEDED)
    sources = unpack_copy_ranges(get_bytes(controller.space, command, count * COPY_RANGE.size))
    length = sum(blocks for _, blocks in sources)
    if length > MOST_BLOCKS or any(blocks > LONGEST_RANGE for _, blocks in sources):
        raise Refused(Status.SIZE_LIMIT_EXCEEDED)
    destination = sqe.cdw11 << 32 | sqe.cdw10
    if any(slba + blocks > namespace.blocks for slba, blocks in (*sources, (destination, length))):
        raise Refused(Status.LBA_OUT_OF_RANGE)
    return sources, destination


def _touches(controller: Controller, command: Command) -> Touches:
    try:
        namespace = active_namespace(controller, command.sqe.nsid)
        sources, destination = _ranges(controller, command, namespace)
    except (Refused, PrpError):
        return NOTHING
    reads, writes = namespace.writing(destination, sum(blocks for _, blocks in sources))
    for slba, blocks in sources:
        more = namespace.reading(slba, blocks)
        reads, writes = reads + more[0], writes + more[1]
    return reads, writes


HANDLERS: Mapping[int, Handler] = {int(IoOpcode.COPY): Handler(_copy, _touches, True)}
