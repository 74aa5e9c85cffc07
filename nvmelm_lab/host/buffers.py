"""Where things lie in a host's memory: pages handed out one after the other, and PRP lists that name them."""

from __future__ import annotations

from struct import pack

from nvmelm_lab.errors import InputError
from nvmelm_lab.memory import PAGE_BYTES, AddressSpace


class Buffer:
    """A data buffer of whole pages with its PRP list: `address`, `length` in bytes."""

    __slots__ = ("_list", "address", "length")

    def __init__(self, address: int, length: int, list_address: int) -> None:
        self.address = address
        self.length = length
        self._list = list_address

    def prp(self, length: int) -> tuple[int, int]:
        """PRP1 and PRP2 for the first `length` bytes of the buffer (Base 2.1, section 4.3.1)."""
        if length <= PAGE_BYTES:
            return self.address, 0
        if length <= 2 * PAGE_BYTES:
            return self.address, self.address + PAGE_BYTES
        return self.address, self._list


class Pages:
    """Hands out the pages of `space` from the bottom up.  Page 0 is never given, so that 0 is nobody's address."""

    __slots__ = ("_next", "space")

    def __init__(self, space: AddressSpace) -> None:
        self.space = space
        self._next = PAGE_BYTES

    def take(self, length: int) -> int:
        """The address of `length` bytes of whole pages.  InputError when the memory is used up."""
        address = self._next
        self._next += -(-length // PAGE_BYTES) * PAGE_BYTES
        if self._next > self.space.size:
            raise InputError(
                f"{self.space.name} has {self.space.size} bytes of memory; {self._next} are needed"
            )
        return address

    def buffer(self, length: int) -> Buffer:
        """A data buffer of `length` bytes; its PRP list is written once, here."""
        address = self.take(length)
        pages = -(-length // PAGE_BYTES)
        if pages <= 2:
            return Buffer(address, length, 0)
        list_address = self.take(8 * pages)
        if pages - 1 > PAGE_BYTES // 8:
            raise InputError(
                f"a buffer of {length} bytes needs more than one page of PRP list; give at most 2 MiB"
            )
        entries = [address + PAGE_BYTES * n for n in range(1, pages)]
        self.space.write(list_address, pack(f"<{len(entries)}Q", *entries))
        return Buffer(address, length, list_address)
