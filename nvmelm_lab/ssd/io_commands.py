"""The I/O commands: what each does to its namespace.  Source: NVM Command Set 1.2, section 3.3.

A handler checks everything before it changes anything, so a refused command leaves the device as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches, Use
from nvmelm_lab.memory import PrpError
from nvmelm_lab.nvme.codes import BROADCAST_NSID, IoOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import RANGE, Sqe, unpack_ranges
from nvmelm_lab.ssd.command import Change, Command, Refused, active_namespace, inactive
from nvmelm_lab.ssd.data import get_blocks, get_bytes, pieces_of, put_blocks

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.namespace import Namespace
    from nvmelm_lab.ssd.subsystem import Subsystem

# Asked for each I/O, and a member of an enumeration takes several times as long to look up.
_WRITE = int(IoOpcode.WRITE)
_OPCODE, _NSID, _CDW10, _CDW11, _CDW12 = map(Sqe._fields.index, ("opcode", "nsid", "cdw10", "cdw11", "cdw12"))
_TRANSFERS = (int(IoOpcode.READ), _WRITE)

_NOTHING: Touches = ((), ())
_DEALLOCATE = 1 << 2
"""Attribute Deallocate of Dataset Management, in CDW11."""


@dataclass(frozen=True, slots=True)
class Handler:
    """How one opcode is carried out; `changes` tells whether it can change user data."""

    act: Callable[[Controller, Command], None]
    touches: Callable[[Controller, Command], Touches]
    changes: bool


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
    return f"{word} LBA {_span(sqe.cdw11 << 32 | sqe.cdw10, (sqe.cdw12 & 0xFFFF) + 1)}"


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
    if opcode == IoOpcode.FLUSH:
        return channels[0], timing.flush, 0
    return channel, timing.deallocate, 0


def _span(slba: int, blocks: int) -> str:
    return str(slba) if blocks == 1 else f"{slba}–{slba + blocks - 1}"


def _checked(controller: Controller, command: Command) -> tuple[Namespace, int, int]:
    fields = command.fields
    nsid, slba, blocks = fields[_NSID], fields[_CDW11] << 32 | fields[_CDW10], (fields[_CDW12] & 0xFFFF) + 1
    namespace = controller.subsystem.namespaces.get(nsid)
    if namespace is None or controller.cntlid not in namespace.attached:
        raise Refused(inactive(nsid))
    if slba + blocks > namespace.blocks:
        raise Refused(Status.LBA_OUT_OF_RANGE)
    return namespace, slba, blocks


def _changed(controller: Controller, command: Command, word: str, changes: tuple[Change, ...]) -> None:
    command.changes = changes
    if controller.engine.telling:
        controller.engine.emit(("changed", controller.subsystem.name, word, command.name, changes))


# -- Read, Write ------------------------------------------------------------------------------------------


def _read(controller: Controller, command: Command) -> None:
    namespace, slba, blocks = _checked(controller, command)
    pieces = pieces_of(controller.space, command, blocks * namespace.block_bytes)
    stamps = namespace.read(slba, blocks)
    if stamps is None:
        raise Refused(Status.UNRECOVERED_READ_ERROR)
    put_blocks(controller.space, pieces, stamps)
    if controller.engine.telling:
        ssd = controller.subsystem.name
        controller.engine.emit(("read", ssd, namespace.nsid, slba, tuple(stamps), command.name))


def _read_touches(controller: Controller, command: Command) -> Touches:
    try:
        namespace, slba, blocks = _checked(controller, command)
    except Refused:
        return _NOTHING
    return namespace.reading(slba, blocks)


def _write(controller: Controller, command: Command) -> None:
    namespace, slba, blocks = _checked(controller, command)
    stamps = get_blocks(controller.space, command, blocks)
    namespace.write(slba, stamps)
    command.changes = ((namespace.nsid, slba, blocks, False),)
    engine = controller.engine
    if engine.telling:
        engine.emit(("wrote", controller.subsystem.name, namespace.nsid, slba, tuple(stamps), command.name))


def _write_touches(controller: Controller, command: Command) -> Touches:
    try:
        namespace, slba, blocks = _checked(controller, command)
    except Refused:
        return _NOTHING
    return namespace.writing(slba, blocks)


# -- the others -------------------------------------------------------------------------------------------


def _write_zeroes(controller: Controller, command: Command) -> None:
    namespace, slba, blocks = _checked(controller, command)
    if command.sqe.cdw12 >> 25 & 1:
        _forget(controller, command, namespace, [(slba, blocks)])
        return
    namespace.write_zeroes(slba, blocks)
    _changed(controller, command, "zeroes", ((namespace.nsid, slba, blocks, False),))


def _write_uncorrectable(controller: Controller, command: Command) -> None:
    namespace, slba, blocks = _checked(controller, command)
    namespace.write_uncorrectable(slba, blocks)
    _changed(controller, command, "uncorrectable", ((namespace.nsid, slba, blocks, False),))


def _zeroes_touches(controller: Controller, command: Command) -> Touches:
    try:
        namespace, slba, blocks = _checked(controller, command)
    except Refused:
        return _NOTHING
    if command.sqe.cdw12 >> 25 & 1:
        return namespace.deallocating(slba, blocks)
    return namespace.writing(slba, blocks)


def _dataset_management(controller: Controller, command: Command) -> None:
    """Deallocate where the attribute says so (CDW11 bit 2); other attributes are hints without effect."""
    namespace = active_namespace(controller, command.sqe.nsid)
    ranges = _ranges(controller, command, namespace)
    if command.sqe.cdw11 & _DEALLOCATE:
        _forget(controller, command, namespace, ranges)


def _ranges(controller: Controller, command: Command, namespace: Namespace) -> list[tuple[int, int]]:
    """The command's ranges; their length is a plain count of LBAs (NVM Command Set 1.2, section 3.3.3)."""
    count = (command.sqe.cdw10 & 0xFF) + 1
    data = get_bytes(controller.space, command, count * RANGE.size)
    ranges = [(slba, blocks) for slba, blocks in unpack_ranges(data) if blocks]
    if any(slba + blocks > namespace.blocks for slba, blocks in ranges):
        raise Refused(Status.LBA_OUT_OF_RANGE)
    return ranges


def _forget(
    controller: Controller, command: Command, namespace: Namespace, ranges: list[tuple[int, int]]
) -> None:
    """Deallocate `ranges`; whether one that was deallocated already is told of is freedom 4."""
    tell_all = controller.subsystem.habits.no_change == "logged"
    changes = []
    for slba, blocks in ranges:
        changed = namespace.deallocate(slba, blocks)
        if changed or tell_all:
            changes.append((namespace.nsid, slba, blocks, True))
    _changed(controller, command, "deallocated", tuple(changes))


def _dataset_touches(controller: Controller, command: Command) -> Touches:
    try:
        namespace = active_namespace(controller, command.sqe.nsid)
        ranges = _ranges(controller, command, namespace)
    except (Refused, PrpError):
        return _NOTHING
    reads, writes = _NOTHING
    for slba, blocks in ranges if command.sqe.cdw11 & _DEALLOCATE else ():
        more = namespace.deallocating(slba, blocks)
        reads, writes = reads + more[0], writes + more[1]
    return reads, writes


def _flush(controller: Controller, command: Command) -> None:
    """Nothing is volatile here; only the namespace is checked (it may be all of them)."""
    if command.sqe.nsid != BROADCAST_NSID:
        active_namespace(controller, command.sqe.nsid)


HANDLERS: Mapping[int, Handler] = {
    int(IoOpcode.FLUSH): Handler(_flush, lambda _controller, _command: _NOTHING, False),
    int(IoOpcode.WRITE): Handler(_write, _write_touches, True),
    int(IoOpcode.READ): Handler(_read, _read_touches, False),
    int(IoOpcode.WRITE_UNCORRECTABLE): Handler(_write_uncorrectable, _write_touches, True),
    int(IoOpcode.WRITE_ZEROES): Handler(_write_zeroes, _zeroes_touches, True),
    int(IoOpcode.DATASET_MANAGEMENT): Handler(_dataset_management, _dataset_touches, True),
}
