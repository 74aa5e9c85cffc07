"""Physical Region Pages: how a command names its data buffer.  Source: Base 2.1, section 4.3.1.

PRP1 points at the first byte (it may lie inside a page).  PRP2 is unused, or the second page, or a list of all
further pages, by the buffer's length; the last entry of a full list page points at the next list page.
"""

from __future__ import annotations

from struct import Struct

from nvmelm_lab.memory.space import PAGE_BYTES, AddressSpace

_OFFSET = PAGE_BYTES - 1
_ENTRY = Struct("<Q")


class PrpError(Exception):
    """A pointer that a device cannot follow: its `offset` is wrong, or else its address is no memory."""

    def __init__(self, *, offset: bool) -> None:
        super().__init__("offset" if offset else "address")
        self.offset = offset


def prp_pages(space: AddressSpace, list_address: int, count: int) -> list[int]:
    """The `count` page addresses of the PRP list at `list_address` (which may lie inside a page)."""
    if list_address & 7:
        raise PrpError(offset=True)
    pages: list[int] = []
    while count:
        room = (PAGE_BYTES - (list_address & _OFFSET)) // 8
        chained = count > room
        take = room - 1 if chained else count
        if not space.contains(list_address, 8 * (take + chained)):
            raise PrpError(offset=False)
        raw = space.read(list_address, 8 * (take + chained))
        entries = [entry for (entry,) in _ENTRY.iter_unpack(raw)]
        if chained:
            list_address = entries.pop()
            if list_address & _OFFSET:
                raise PrpError(offset=True)
        pages += entries
        count -= take
    for page in pages:
        if page & _OFFSET:
            raise PrpError(offset=True)
        if not space.contains(page, PAGE_BYTES):
            raise PrpError(offset=False)
    return pages


def data_pointers(space: AddressSpace, prp1: int, prp2: int, length: int) -> list[tuple[int, int]]:
    """The buffer of `length` bytes as ``(address, bytes)`` pieces; neighbouring pages are one piece.

    Raises PrpError for a pointer that is misaligned or outside memory.
    """
    if not prp1 & 3 and (prp1 & _OFFSET) + length <= PAGE_BYTES and prp1 + length <= space.size:
        # Most buffers lie within one page, and most I/Os ask: this keeps them short.
        return [(prp1, length)]
    if prp1 & 3:
        raise PrpError(offset=True)
    first = min(length, PAGE_BYTES - (prp1 & _OFFSET))
    if not space.contains(prp1, first):
        raise PrpError(offset=False)
    rest = length - first
    if rest <= PAGE_BYTES:
        if prp2 & _OFFSET:
            raise PrpError(offset=True)
        if not space.contains(prp2, rest):
            raise PrpError(offset=False)
        pages = [prp2]
    else:
        pages = prp_pages(space, prp2, -(-rest // PAGE_BYTES))
    pieces = [(prp1, first)]
    for page in pages:
        part = min(rest, PAGE_BYTES)
        address, so_far = pieces[-1]
        if address + so_far == page:
            pieces[-1] = (address, so_far + part)
        else:
            pieces.append((page, part))
        rest -= part
    return pieces
