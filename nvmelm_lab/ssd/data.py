"""The data buffer of a command: bytes and blocks, in and out, through its PRPs.

Nothing is moved before every pointer has been looked at, so a command with a bad one leaves memory as it was.
Source: Base 2.1, section 4.3.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from nvmelm_lab.memory import AddressSpace, data_pointers
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import Sqe
from nvmelm_lab.ssd.command import Command, Refused

MDTS = 7
"""Maximum Data Transfer Size: 2^7 pages of 4 KiB (Base 2.1, Identify Controller byte 77)."""

MAX_TRANSFER_BYTES = 4096 << MDTS

_PRP1, _PRP2 = Sqe._fields.index("prp1"), Sqe._fields.index("prp2")

Pieces = list[tuple[int, int]]
"""A buffer as ``(address, bytes)``, in order."""


def pieces_of(space: AddressSpace, command: Command, length: int) -> Pieces:
    """Where `length` bytes of the command's buffer lie.

    Refused with Invalid Field when that is more than MDTS allows; PrpError when a pointer cannot be followed.
    """
    if length > MAX_TRANSFER_BYTES:
        raise Refused(Status.INVALID_FIELD)
    return data_pointers(space, command.fields[_PRP1], command.fields[_PRP2], length)


def get_bytes(space: AddressSpace, command: Command, length: int) -> bytes:
    """`length` bytes of the command's buffer."""
    return b"".join(space.read(address, part) for address, part in pieces_of(space, command, length))


def put_bytes(space: AddressSpace, command: Command, data: bytes, length: int) -> None:
    """Put `data` at the beginning of the command's buffer, which the command says is of `length` bytes.

    By the buffer's length, not by the data's, PRP2 is a page or a list.
    """
    _scatter(space, pieces_of(space, command, length), data)


def get_blocks(space: AddressSpace, command: Command, blocks: int) -> Sequence[int]:
    """The stamps of `blocks` blocks in the command's buffer; refused as `pieces_of` says."""
    if blocks == 1:
        # A block that lies whole within a page of memory: no pointer can be wrong.
        stamp = space.stamp_at(command.fields[_PRP1])
        if stamp is not None:
            return (stamp,)
    size = space.block_bytes
    pieces = pieces_of(space, command, blocks * size)
    if len(pieces) == 1:
        return space.read_stamps(pieces[0][0], blocks)
    if not any(length % size for _, length in pieces):
        return [stamp for address, length in pieces for stamp in space.read_stamps(address, length // size)]
    # A block straddles two pieces.
    data = b"".join(space.read(address, length) for address, length in pieces)
    return [space.stamps.recognise(data[at : at + size]) for at in range(0, len(data), size)]


def put_blocks(space: AddressSpace, pieces: Pieces, stamps: Sequence[int]) -> None:
    """Put blocks into a buffer."""
    if len(pieces) == 1:
        space.dma_write_stamps(pieces[0][0], stamps)
        return
    size = space.stamps.block_bytes
    if any(length % size for _, length in pieces):
        _scatter(space, pieces, b"".join(map(space.stamps.expand, stamps)))
        return
    done = 0
    for address, length in pieces:
        space.dma_write_stamps(address, stamps[done : done + length // size])
        done += length // size


def _scatter(space: AddressSpace, pieces: Pieces, data: bytes) -> None:
    done = 0
    for address, length in pieces:
        if done < len(data):
            space.dma_write(address, data[done : done + length])
        done += length
