"""The I/O commands: what each does to its namespace.  Source: NVM Command Set 1.2, section 3.3.

A handler checks everything before it changes anything, so a refused command leaves the device as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Resource, Touches
from nvmelm_lab.memory import data_pointers
from nvmelm_lab.nvme.codes import BROADCAST_NSID, IoOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.command import Change, Command, Refused

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.namespace import Namespace

MDTS = 7
"""Maximum Data Transfer Size: 2^7 pages of 4 KiB (Base 2.1, Identify Controller byte 77)."""

MAX_TRANSFER_BYTES = 4096 << MDTS

_RANGE = Struct("<IIQ")
_NOTHING: Touches = ((), ())


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
    return f"{word} LBA {_span(_slba(command), _blocks(command))}"


def service(controller: Controller, command: Command) -> tuple[Resource, int, int]:
    """Which channel serves the command, for how long, and what the transfer adds (ns)."""
    timing = controller.subsystem.timing
    channels = controller.subsystem.channels
    # Folded, so that I/Os that start at multiples of a long stride meet all channels too.
    stripe = command.sqe.cdw10 >> 3
    channel = channels[(stripe ^ stripe >> 2 ^ stripe >> 4 ^ stripe >> 6) % len(channels)]
    opcode = command.sqe.opcode
    if opcode == IoOpcode.WRITE or opcode == IoOpcode.READ:
        blocks = _blocks(command)
        kib = blocks * controller.subsystem.block_bytes >> 10
        busy = (timing.write if opcode == IoOpcode.WRITE else timing.read) + timing.per_kib * kib
        return channel, busy, 0
    if opcode == IoOpcode.FLUSH:
        return channels[0], timing.flush, 0
    return channel, timing.deallocate, 0


def _slba(command: Command) -> int:
    return command.sqe.cdw11 << 32 | command.sqe.cdw10


def _blocks(command: Command) -> int:
    return (command.sqe.cdw12 & 0xFFFF) + 1


def _span(slba: int, blocks: int) -> str:
    return str(slba) if blocks == 1 else f"{slba}–{slba + blocks - 1}"


def _namespace(controller: Controller, command: Command) -> Namespace:
    """The namespace that the command names; it must be attached to this controller."""
    namespace = controller.subsystem.namespaces.get(command.sqe.nsid)
    if namespace is None or controller.cntlid not in namespace.attached:
        raise Refused(Status.INVALID_NAMESPACE_OR_FORMAT)
    return namespace


def _checked(controller: Controller, command: Command) -> tuple[Namespace, int, int]:
    namespace = _namespace(controller, command)
    slba, blocks = _slba(command), _blocks(command)
    if slba + blocks > namespace.blocks:
        raise Refused(Status.LBA_OUT_OF_RANGE)
    return namespace, slba, blocks


def _buffer(controller: Controller, command: Command, blocks: int, block_bytes: int) -> list[tuple[int, int]]:
    length = blocks * block_bytes
    if length > MAX_TRANSFER_BYTES:
        raise Refused(Status.INVALID_FIELD)
    return data_pointers(controller.space, command.sqe.prp1, command.sqe.prp2, length)


def _changed(controller: Controller, command: Command, word: str, changes: tuple[Change, ...]) -> None:
    command.changes = changes
    if controller.engine.tracing:
        controller.engine.emit(("changed", controller.subsystem.name, word, command.name, changes))


# -- Read, Write ------------------------------------------------------------------------------------------


def _read(controller: Controller, command: Command) -> None:
    namespace, slba, blocks = _checked(controller, command)
    size = namespace.block_bytes
    pieces = _buffer(controller, command, blocks, size)
    stamps = namespace.read(slba, blocks)
    if stamps is None:
        raise Refused(Status.UNRECOVERED_READ_ERROR)
    if len(pieces) == 1:
        controller.space.dma_write_stamps(pieces[0][0], stamps)
    else:
        _scatter(controller, pieces, stamps, size)
    if controller.engine.tracing:
        controller.engine.emit(
            ("read", controller.subsystem.name, namespace.nsid, slba, tuple(stamps), command.name)
        )


def _scatter(controller: Controller, pieces: list[tuple[int, int]], stamps: object, size: int) -> None:
    """Blocks into a buffer in several pieces; a block may straddle two of them."""
    values = list(stamps)  # type: ignore[call-overload]
    if all(length % size == 0 for _, length in pieces):
        done = 0
        for address, length in pieces:
            controller.space.dma_write_stamps(address, values[done : done + length // size])
            done += length // size
        return
    data = b"".join(map(controller.space.stamps.expand, values))
    done = 0
    for address, length in pieces:
        controller.space.dma_write(address, data[done : done + length])
        done += length


def _gather(controller: Controller, pieces: list[tuple[int, int]], size: int) -> list[int]:
    """The reverse of `_scatter`."""
    if all(length % size == 0 for _, length in pieces):
        stamps: list[int] = []
        for address, length in pieces:
            stamps += controller.space.read_stamps(address, length // size)
        return stamps
    data = b"".join(controller.space.read(address, length) for address, length in pieces)
    return [controller.space.stamps.recognise(data[at : at + size]) for at in range(0, len(data), size)]


def _read_touches(controller: Controller, command: Command) -> Touches:
    try:
        namespace, slba, blocks = _checked(controller, command)
    except Refused:
        return _NOTHING
    return namespace.reading(slba, blocks)


def _write(controller: Controller, command: Command) -> None:
    namespace, slba, blocks = _checked(controller, command)
    pieces = _buffer(controller, command, blocks, namespace.block_bytes)
    if len(pieces) == 1:
        stamps = controller.space.read_stamps(pieces[0][0], blocks)
    else:
        stamps = _gather(controller, pieces, namespace.block_bytes)
    namespace.write(slba, stamps)
    command.changes = ((namespace.nsid, slba, blocks, False),)
    if controller.engine.tracing:
        controller.engine.emit(
            ("wrote", controller.subsystem.name, namespace.nsid, slba, tuple(stamps), command.name)
        )


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
    namespace = _namespace(controller, command)
    ranges = _ranges(controller, command, namespace)
    if command.sqe.cdw11 & 4:
        _forget(controller, command, namespace, ranges)


def _ranges(controller: Controller, command: Command, namespace: Namespace) -> list[tuple[int, int]]:
    """The command's ranges; their length is a plain count of LBAs (NVM Command Set 1.2, section 3.3.3)."""
    count = (command.sqe.cdw10 & 0xFF) + 1
    data = controller.get_data(command, count * _RANGE.size)
    ranges = [(slba, blocks) for _, blocks, slba in _RANGE.iter_unpack(data) if blocks]
    if any(slba + blocks > namespace.blocks for slba, blocks in ranges):
        raise Refused(Status.LBA_OUT_OF_RANGE)
    return ranges


def _forget(
    controller: Controller, command: Command, namespace: Namespace, ranges: list[tuple[int, int]]
) -> None:
    tell_all = controller.subsystem.habits.no_change == "logged"
    changes = []
    for slba, blocks in ranges:
        changed = namespace.deallocate(slba, blocks)
        if changed or tell_all:
            changes.append((namespace.nsid, slba, blocks, True))
    _changed(controller, command, "deallocated", tuple(changes))


def _dataset_touches(controller: Controller, command: Command) -> Touches:
    try:
        namespace = _namespace(controller, command)
        ranges = _ranges(controller, command, namespace)
    except Refused:
        return _NOTHING
    reads: Touches = _NOTHING
    for slba, blocks in ranges if command.sqe.cdw11 & 4 else ():
        more = namespace.deallocating(slba, blocks)
        reads = (reads[0] + more[0], reads[1] + more[1])
    return reads


def _flush(controller: Controller, command: Command) -> None:
    """Nothing is volatile here; only the namespace is checked (it may be all of them)."""
    if command.sqe.nsid != BROADCAST_NSID:
        _namespace(controller, command)


HANDLERS: Mapping[int, Handler] = {
    IoOpcode.FLUSH: Handler(_flush, lambda _controller, _command: _NOTHING, False),
    IoOpcode.WRITE: Handler(_write, _write_touches, True),
    IoOpcode.READ: Handler(_read, _read_touches, False),
    IoOpcode.WRITE_UNCORRECTABLE: Handler(_write_uncorrectable, _write_touches, True),
    IoOpcode.WRITE_ZEROES: Handler(_write_zeroes, _zeroes_touches, True),
    IoOpcode.DATASET_MANAGEMENT: Handler(_dataset_management, _dataset_touches, True),
}
