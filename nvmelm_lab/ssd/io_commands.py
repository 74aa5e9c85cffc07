"""The I/O commands: which there are, what they are called, and how long they take.

Every opcode has one row in `HANDLERS`.  A handler checks everything before it changes anything, so a refused
command leaves the device as it was.  Source: NVM Command Set 1.2, section 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Use
from nvmelm_lab.nvme.codes import BROADCAST_NSID, IoOpcode
from nvmelm_lab.nvme.structs import Sqe
from nvmelm_lab.ssd import io_copy, io_deallocate, io_read, io_write
from nvmelm_lab.ssd.command import Command, active_namespace
from nvmelm_lab.ssd.io_deallocate import zeroes_whole_namespace
from nvmelm_lab.ssd.io_handler import NOTHING, Handler

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.subsystem import Subsystem

# Asked for each I/O, and a member of an enumeration takes several times as long to look up.
_WRITE, _FLUSH = int(IoOpcode.WRITE), int(IoOpcode.FLUSH)
_COPY, _VERIFY = int(IoOpcode.COPY), int(IoOpcode.VERIFY)
_OPCODE, _CDW10, _CDW12 = map(Sqe._fields.index, ("opcode", "cdw10", "cdw12"))
_TRANSFERS = (int(IoOpcode.READ), _WRITE, int(IoOpcode.COMPARE))


def describe(command: Command) -> str:
    """The command in words, such as ``Write LBA 12-15``."""
    sqe = command.sqe
    try:
        word = str(IoOpcode(sqe.opcode).name).replace("_", " ").title()
    except ValueError:
        return f"a command with opcode {sqe.opcode:02X}h"
    if sqe.opcode == IoOpcode.DATASET_MANAGEMENT:
        if command.changes:
            return "Deallocate LBA " + ", ".join(
                _span(slba, blocks) for _, slba, blocks, _ in command.changes
            )
        return "Deallocate"
    if sqe.opcode == IoOpcode.FLUSH:
        return word
    slba = sqe.cdw11 << 32 | sqe.cdw10
    if sqe.opcode == IoOpcode.COPY:
        return f"Copy to LBA {_span(slba, command.changes[0][2]) if command.changes else slba}"
    if sqe.opcode == IoOpcode.WRITE_ZEROES and zeroes_whole_namespace(sqe):
        return f"Write Zeroes of namespace {sqe.nsid}"
    return f"{word} LBA {_span(slba, (sqe.cdw12 & 0xFFFF) + 1)}"


def service(controller: Controller, command: Command) -> Use:
    """Which channel serves the command, for how long, and what the transfer adds (ns)."""
    fields = command.fields
    return service_of(controller.subsystem, fields[_OPCODE], fields[_CDW10], fields[_CDW12])


def service_of(subsystem: Subsystem, opcode: int, cdw10: int, cdw12: int) -> Use:
    """The same for a command of which only this is known."""
    timing, channels = subsystem.timing, subsystem.channels
    # Folded, so that I/Os that start at multiples of a long stride meet all channels too.
    stripe = cdw10 >> 3
    channel = channels[(stripe ^ stripe >> 2 ^ stripe >> 4 ^ stripe >> 6) % len(channels)]
    if opcode in _TRANSFERS:
        kib = ((cdw12 & 0xFFFF) + 1) * subsystem.block_bytes >> 10
        return channel, (timing.write if opcode == _WRITE else timing.read) + timing.per_kib * kib, 0
    if opcode == _FLUSH:
        return channels[0], timing.flush, 0
    if opcode == _VERIFY:
        return channel, timing.read, 0
    if opcode == _COPY:
        return channel, timing.read * ((cdw12 & 0xFF) + 1) + timing.write, 0
    return channel, timing.deallocate, 0


def _span(slba: int, blocks: int) -> str:
    return str(slba) if blocks == 1 else f"{slba}–{slba + blocks - 1}"


def _flush(controller: Controller, command: Command) -> None:
    """Nothing is volatile here; only the namespace is checked (it may be all of them)."""
    if command.sqe.nsid != BROADCAST_NSID:
        active_namespace(controller, command.sqe.nsid)


HANDLERS: Mapping[int, Handler] = {
    int(IoOpcode.FLUSH): Handler(_flush, lambda _controller, _command: NOTHING, False),
    **io_read.HANDLERS,
    **io_write.HANDLERS,
    **io_deallocate.HANDLERS,
    **io_copy.HANDLERS,
}
