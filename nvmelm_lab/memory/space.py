"""An address space: the memory of one host or one guest, as its functions see it.

Memory is made page by page when first touched.  A page holds bytes, or, where whole blocks of user data lie,
the stamps that stand for them: bytes are made of them only when somebody looks.  Nothing here knows of rings or
commands.

Writes of the processor and writes of a device (DMA) are told apart, because a hypervisor sees the first in its
own page tables and the second only with an IOMMU that tracks dirty pages.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence

from nvmelm_lab.errors import InputError
from nvmelm_lab.memory.stamps import Stamps

PAGE_BYTES = 4096
PAGE_SHIFT = 12
_OFFSET = PAGE_BYTES - 1


class AddressSpace:
    """`size` bytes of memory (a multiple of the page), holding blocks of `block_bytes` bytes as `stamps` has them.

    name
        For displays: "guest a", "source host".
    processor_dirty, device_dirty
        Pages written since tracking began, by the processor and by devices; None while not tracked.
    device_listener
        Called with ``(address, length)`` for each write of a device, when set.
    audit
        Called with ``(address, write)`` for each access, when set.
    watched
        Whether any of these four is set: whoever reaches memory through a `Ring` tells of it then.
    """

    __slots__ = (
        "_audit",
        "_block_shift",
        "_bytes",
        "_device_dirty",
        "_device_listener",
        "_misaligned",
        "_per_page",
        "_pinned",
        "_processor_dirty",
        "_stamps",
        "block_bytes",
        "name",
        "size",
        "stamps",
        "watched",
    )

    def __init__(self, name: str, size: int, stamps: Stamps) -> None:
        if size <= 0 or size % PAGE_BYTES:
            raise InputError(f"{name} cannot have {size} bytes of memory; give a multiple of {PAGE_BYTES}")
        if PAGE_BYTES % stamps.block_bytes:
            raise InputError(f"a block of {stamps.block_bytes} bytes does not divide a page of {PAGE_BYTES}")
        self.name = name
        self.size = size
        self.stamps = stamps
        self.block_bytes = stamps.block_bytes
        self.watched = False
        self._processor_dirty: set[int] | None = None
        self._device_dirty: set[int] | None = None
        self._device_listener: Callable[[int, int], None] | None = None
        self._audit: Callable[[int, bool], None] | None = None
        self._per_page = PAGE_BYTES // stamps.block_bytes
        # A block divides a page, so its size is a power of two.
        self._block_shift = stamps.block_bytes.bit_length() - 1
        self._misaligned = stamps.block_bytes - 1
        self._bytes: dict[int, bytearray] = {}
        self._stamps: dict[int, array[int]] = {}
        self._pinned: set[int] = set()

    def contains(self, address: int, length: int) -> bool:
        """Whether all of `length` bytes at `address` are memory."""
        return address >= 0 and address + length <= self.size

    # -- who watches ---------------------------------------------------------------------------------------

    @property
    def processor_dirty(self) -> set[int] | None:
        """See above."""
        return self._processor_dirty

    @processor_dirty.setter
    def processor_dirty(self, pages: set[int] | None) -> None:
        self._processor_dirty = pages
        self._see_who_watches()

    @property
    def device_dirty(self) -> set[int] | None:
        """See above."""
        return self._device_dirty

    @device_dirty.setter
    def device_dirty(self, pages: set[int] | None) -> None:
        self._device_dirty = pages
        self._see_who_watches()

    @property
    def device_listener(self) -> Callable[[int, int], None] | None:
        """See above."""
        return self._device_listener

    @device_listener.setter
    def device_listener(self, listener: Callable[[int, int], None] | None) -> None:
        self._device_listener = listener
        self._see_who_watches()

    @property
    def audit(self) -> Callable[[int, bool], None] | None:
        """See above."""
        return self._audit

    @audit.setter
    def audit(self, audit: Callable[[int, bool], None] | None) -> None:
        self._audit = audit
        self._see_who_watches()

    def _see_who_watches(self) -> None:
        watchers = (self._audit, self._processor_dirty, self._device_dirty, self._device_listener)
        self.watched = any(each is not None for each in watchers)

    # -- structures that lie within one page: rings, lists -------------------------------------------------

    def pin(self, number: int) -> bytearray:
        """Page `number` as bytes, in place: it stays this very object, whatever is written to it later."""
        page = self._bytes.get(number)
        if page is None:
            page = self._bytes_page(number)
        self._pinned.add(number)
        return page

    def has_read(self, address: int) -> None:
        """A structure at `address` is read in place."""
        if self._audit is not None:
            self._audit(address, False)

    def has_written(self, address: int) -> None:
        """A structure at `address` is written in place by the processor."""
        if self._audit is not None:
            self._audit(address, True)
        if self._processor_dirty is not None:
            self._processor_dirty.add(address >> PAGE_SHIFT)

    def dma_has_written(self, address: int) -> None:
        """A structure at `address` is written in place by a device."""
        if self.watched:
            if self._audit is not None:
                self._audit(address, True)
            self._device_wrote(address, 1)

    def look(self, address: int) -> tuple[bytearray, int]:
        """The page that holds `address`, as bytes, and the offset in it: for reading a structure in place."""
        self.has_read(address)
        return self._bytes_page_of(address), address & _OFFSET

    def dma_touch(self, address: int) -> tuple[bytearray, int]:
        """Like `look`, for a write by a device."""
        self.dma_has_written(address)
        return self._bytes_page_of(address), address & _OFFSET

    # -- bytes ---------------------------------------------------------------------------------------------

    def read(self, address: int, length: int) -> bytes:
        """`length` bytes at `address`."""
        if self._audit is not None:
            self._audit(address, False)
        out = bytearray()
        while length > 0:
            offset = address & _OFFSET
            part = min(length, PAGE_BYTES - offset)
            out += self._page_content(address >> PAGE_SHIFT)[offset : offset + part]
            address += part
            length -= part
        return bytes(out)

    def write(self, address: int, data: bytes) -> None:
        """Write `data` at `address`, as the processor does."""
        if self._processor_dirty is not None:
            self._processor_dirty.update(_pages(address, len(data)))
        self._write(address, data)

    def dma_write(self, address: int, data: bytes) -> None:
        """Write `data` at `address`, as a device does."""
        if self.watched:
            self._device_wrote(address, len(data))
        self._write(address, data)

    # -- blocks --------------------------------------------------------------------------------------------

    def read_stamps(self, address: int, blocks: int) -> Sequence[int]:
        """The stamps of `blocks` blocks that lie at `address`."""
        if self._audit is not None:
            self._audit(address, False)
        size = self.block_bytes
        if address & self._misaligned:
            recognise = self.stamps.recognise
            return [recognise(self.read(address + n * size, size)) for n in range(blocks)]
        out: list[int] = []
        for number, first, last in self._block_runs(address, blocks):
            page = self._stamps.get(number)
            if page is None:
                page = self._recognise_page(number)
            out += page[first:last]
        return out

    def stamp_at(self, address: int) -> int | None:
        """The stamp of the block at `address`, if a block lies there as such; None: `read_stamps` has to find out.

        Most I/Os are of one block, and this takes a third of the time.
        """
        page = self._stamps.get(address >> PAGE_SHIFT)
        if page is None or address & self._misaligned or self.watched:
            return None
        return page[(address & _OFFSET) >> self._block_shift]

    def write_stamps(self, address: int, stamps: Sequence[int]) -> None:
        """Put blocks at `address`, as the processor does."""
        if len(stamps) == 1 and not self.watched and not address & self._misaligned:
            page = self._stamps.get(address >> PAGE_SHIFT)
            if page is not None:
                # As in `stamp_at`.
                page[(address & _OFFSET) >> self._block_shift] = stamps[0]
                return
        if self._processor_dirty is not None:
            self._processor_dirty.update(_pages(address, len(stamps) * self.block_bytes))
        self._write_stamps(address, stamps)

    def dma_write_stamps(self, address: int, stamps: Sequence[int]) -> None:
        """Put blocks at `address`, as a device does."""
        if self.watched:
            self._device_wrote(address, len(stamps) * self.block_bytes)
        self._write_stamps(address, stamps)

    # -- pages, for moving memory to another host ----------------------------------------------------------

    def pages(self) -> list[int]:
        """The numbers of the pages that were ever touched, ascending."""
        return sorted(self._bytes.keys() | self._stamps.keys())

    def copy_page(self, number: int, to: AddressSpace) -> None:
        """Make page `number` of `to` equal to ours."""
        if number in to._pinned:
            to._bytes[number][:] = self._page_content(number)
        elif number in self._stamps:
            to._bytes.pop(number, None)
            to._stamps[number] = self._stamps[number][:]
        else:
            to._stamps.pop(number, None)
            to._bytes[number] = bytearray(self._bytes.get(number, bytes(PAGE_BYTES)))

    # -- inside --------------------------------------------------------------------------------------------

    def _device_wrote(self, address: int, length: int) -> None:
        if self._device_dirty is not None:
            self._device_dirty.update(_pages(address, length))
        if self._device_listener is not None:
            self._device_listener(address, length)

    def _check(self, number: int) -> None:
        """Refuse a page outside memory; asked before a page is made, so that those that exist are inside."""
        if not 0 <= number < self.size >> PAGE_SHIFT:
            address = number << PAGE_SHIFT
            raise InputError(f"address {address:#x} is outside the {self.size} bytes of {self.name}")

    def _page_content(self, number: int) -> bytes | bytearray:
        page = self._bytes.get(number)
        if page is not None:
            return page
        stamps = self._stamps.get(number)
        if stamps is None:
            self._check(number)
            return bytes(PAGE_BYTES)
        return b"".join(map(self.stamps.expand, stamps))

    def _bytes_page(self, number: int) -> bytearray:
        """The page as bytes, to be changed in place."""
        page = bytearray(self._page_content(number))
        self._stamps.pop(number, None)
        self._bytes[number] = page
        return page

    def _recognise_page(self, number: int) -> array[int]:
        content = self._bytes.get(number)
        if content is None:
            self._check(number)
            return array("Q", bytes(8 * self._per_page))
        size = self.block_bytes
        return array(
            "Q", [self.stamps.recognise(content[at : at + size]) for at in range(0, PAGE_BYTES, size)]
        )

    def _write(self, address: int, data: bytes) -> None:
        if self._audit is not None:
            self._audit(address, True)
        done = 0
        while done < len(data):
            offset = address & _OFFSET
            part = min(len(data) - done, PAGE_BYTES - offset)
            self._bytes_page_of(address)[offset : offset + part] = data[done : done + part]
            address += part
            done += part

    def _bytes_page_of(self, address: int) -> bytearray:
        page = self._bytes.get(address >> PAGE_SHIFT)
        return page if page is not None else self._bytes_page(address >> PAGE_SHIFT)

    def _write_stamps(self, address: int, stamps: Sequence[int]) -> None:
        if address & self._misaligned:
            self._write(address, b"".join(map(self.stamps.expand, stamps)))
            return
        if self._audit is not None:
            self._audit(address, True)
        size = self.block_bytes
        done = 0
        for number, first, last in self._block_runs(address, len(stamps)):
            page = self._stamps.get(number)
            if page is None:
                if number in self._pinned or (number in self._bytes and last - first < self._per_page):
                    self._write(
                        (number << PAGE_SHIFT) + first * size,
                        b"".join(map(self.stamps.expand, stamps[done : done + last - first])),
                    )
                    done += last - first
                    continue
                self._check(number)
                self._bytes.pop(number, None)
                page = self._stamps[number] = array("Q", bytes(8 * self._per_page))
            for at in range(first, last):
                page[at] = stamps[done]
                done += 1

    def _block_runs(self, address: int, blocks: int) -> Iterable[tuple[int, int, int]]:
        """(page, first block in it, last + 1) for blocks that lie at an aligned address."""
        per_page = self._per_page
        number = address >> PAGE_SHIFT
        first = (address & _OFFSET) // self.block_bytes
        if first + blocks <= per_page:
            return ((number, first, first + blocks),)
        whole, rest = divmod(first + blocks - per_page, per_page)
        end = number + 1 + whole
        runs = [(number, first, per_page), *((page, 0, per_page) for page in range(number + 1, end))]
        return [*runs, (end, 0, rest)] if rest else runs


def _pages(address: int, length: int) -> range:
    return range(address >> PAGE_SHIFT, (address + max(length, 1) - 1 >> PAGE_SHIFT) + 1)
