"""A namespace: what its blocks hold, which are allocated, which were made unreadable.

A block is a stamp (see `nvmelm_lab.memory.stamps`).  A deallocated block reads as zeros (DLFEAT 001b, NVM
Command Set 1.2, section 3.2.3.2.1).  All ranges are ``slba`` and a plain count of LBAs, checked by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence

from bitarray import bitarray
from bitarray.util import zeros

from nvmelm_lab.engine import Engine, Touches
from nvmelm_lab.engine.cells import Key

MAX_NAMESPACES = 128
"""The largest NSID of an SSD (Identify Controller, NN)."""


class Namespace:
    """`blocks` LBAs of `block_bytes` bytes each.

    ssd, nsid
        Whose it is and its identifier; together they name its cells.
    granularity
        TLBAAG: how many LBAs the SSD tracks the allocation of as one (NVM Command Set 1.2, Figure 118).
    attached
        CNTLIDs of the controllers that it is attached to.
    sanitizing
        A sanitize operation is under way: no command may look at its blocks, or change them.

    Of the blocks that cannot be read, some were last written by Write Uncorrectable; the others are *damaged*, which
    the SSD notices when it reads or scans them (Potentially Unrecoverable LBAs: NVM Command Set 1.2, section
    4.2.1.1.2).
    """

    __slots__ = (
        "_allocated",
        "_by_command",
        "_content",
        "_engine",
        "_unnoticed",
        "_unreadable",
        "_unreadable_count",
        "attached",
        "block_bytes",
        "blocks",
        "granularity",
        "nsid",
        "sanitizing",
        "shared",
        "ssd",
    )

    def __init__(
        self,
        engine: Engine,
        ssd: str,
        nsid: int,
        blocks: int,
        block_bytes: int,
        granularity: int,
        shared: bool,
    ) -> None:
        self._engine = engine
        self.ssd = ssd
        self.nsid = nsid
        self.blocks = blocks
        self.block_bytes = block_bytes
        self.granularity = granularity
        self.shared = shared
        self.attached: set[int] = set()
        self._content = memoryview(bytearray(8 * blocks)).cast("Q")
        self._allocated: bitarray = zeros(blocks)
        self.sanitizing = False
        self._unreadable: bitarray = zeros(blocks)
        self._by_command: bitarray = zeros(blocks)
        self._unnoticed: bitarray = zeros(blocks)
        self._unreadable_count = 0

    # -- what a step is about to touch ---------------------------------------------------------------------

    def reading(self, slba: int, blocks: int) -> Touches:
        """The cells that a Read touches; it may notice damage, which changes what is known of the blocks."""
        cells = self._cells("lba", slba, blocks)
        return ((), cells) if self._hides_damage(slba, blocks) else (cells, ())

    def writing(self, slba: int, blocks: int) -> Touches:
        """The cells that a write touches: allocation is written only where it changes."""
        written = self._allocated.count(1, slba, slba + blocks) == blocks
        allocation = self._cells("allocated", slba, blocks)
        content = self._cells("lba", slba, blocks)
        return (allocation, content) if written else ((), content + allocation)

    def deallocating(self, slba: int, blocks: int) -> Touches:
        """The cells that a deallocation touches: of what is deallocated already it changes nothing."""
        allocation = self._cells("allocated", slba, blocks)
        if not self._allocated.count(1, slba, slba + blocks):
            return allocation, ()
        return (), self._cells("lba", slba, blocks) + allocation

    def emptying(self) -> tuple[Key, ...]:
        """The cells of all that it holds."""
        return self._cells("lba", 0, self.blocks) + self._cells("allocated", 0, self.blocks)

    def damaging(self, slba: int, blocks: int) -> Touches:
        """The cells that damage touches: it spares what is deallocated."""
        return self._cells("allocated", slba, blocks), self._cells("lba", slba, blocks)

    def asking(self, slba: int, blocks: int) -> Touches:
        """The cells that Get LBA Status touches when it asks what is allocated."""
        return self._cells("allocated", slba, blocks), ()

    def asking_unreadable(self, slba: int, blocks: int, *, notices: bool) -> Touches:
        """The cells that Get LBA Status touches when it asks what cannot be read; a scan may notice like a Read."""
        return self.reading(slba, blocks) if notices else (self._cells("lba", slba, blocks), ())

    def _cells(self, word: str, slba: int, blocks: int) -> tuple[Key, ...]:
        ssd, nsid = self.ssd, self.nsid
        return tuple((word, ssd, nsid, lba) for lba in range(slba, slba + blocks))

    # -- what commands do ----------------------------------------------------------------------------------

    def read(self, slba: int, blocks: int) -> Sequence[int] | None:
        """The stamps of the blocks; None when one of them is unreadable, which is known from then on."""
        if self._engine.recorder is not None:
            self._record(self.reading(slba, blocks))
        if self._unreadable_count and self._unreadable.count(1, slba, slba + blocks):
            self._unnoticed[slba : slba + blocks] = 0
            return None
        if blocks == 1:
            return (self._content[slba],)
        return self._content[slba : slba + blocks].tolist()

    def write(self, slba: int, stamps: Sequence[int]) -> None:
        """Put new content into the blocks from `slba` on."""
        blocks = len(stamps)
        if self._engine.recorder is not None:
            self._record(self.writing(slba, blocks))
        if blocks == 1:
            self._content[slba] = stamps[0]
            self._allocated[slba] = 1
        else:
            content = self._content
            for at, stamp in enumerate(stamps, slba):
                content[at] = stamp
            self._allocated[slba : slba + blocks] = 1
        if self._unreadable_count:
            self._make_readable(slba, blocks)

    def write_blocks(self, lbas: list[int], stamps: Sequence[int]) -> None:
        """Put new content into single blocks, one after the other."""
        if self._engine.recorder is not None or self._unreadable_count:
            for slba, stamp in zip(lbas, stamps, strict=True):
                self.write(slba, (stamp,))
            return
        content = self._content
        for slba, stamp in zip(lbas, stamps, strict=True):
            content[slba] = stamp
        self._allocated[lbas] = 1

    def write_zeroes(self, slba: int, blocks: int) -> None:
        """Make the blocks zeros; they stay or become allocated."""
        self.write(slba, [0] * blocks)

    def write_uncorrectable(self, slba: int, blocks: int) -> None:
        """Make the blocks unreadable; they count as allocated (NVM Command Set 1.2, section 2.1.1)."""
        if self._engine.recorder is not None:
            self._record(self.writing(slba, blocks))
        self._allocated[slba : slba + blocks] = 1
        self._make_readable(slba, blocks)
        self._unreadable[slba : slba + blocks] = 1
        self._by_command[slba : slba + blocks] = 1
        self._unreadable_count += blocks

    def damage(self, slba: int, blocks: int) -> None:
        """The media lose what the blocks held, and nobody knows yet; a deallocated block has nothing to lose."""
        if self._engine.recorder is not None:
            self._record(self.damaging(slba, blocks))
        end = slba + blocks
        lost = self._allocated[slba:end] & ~self._unreadable[slba:end]
        self._unreadable[slba:end] |= lost
        self._unnoticed[slba:end] |= lost
        self._unreadable_count += lost.count()

    def deallocate(self, slba: int, blocks: int) -> bool:
        """Forget the blocks: they read as zeros.  False when all of them were deallocated already."""
        if self._engine.recorder is not None:
            self._record(self.deallocating(slba, blocks))
        if not self._allocated.count(1, slba, slba + blocks):
            return False
        self._content[slba : slba + blocks] = memoryview(bytes(8 * blocks)).cast("Q")
        self._allocated[slba : slba + blocks] = 0
        if self._unreadable_count:
            self._make_readable(slba, blocks)
        return True

    def used_blocks(self) -> int:
        """How many LBAs are allocated."""
        return int(self._allocated.count())

    def is_deallocated(self, slba: int, blocks: int) -> bool:
        """Whether none of the blocks is allocated."""
        if self._engine.recorder is not None:
            self._engine.recorder.reads.update(self._cells("allocated", slba, blocks))
        return not self._allocated.count(1, slba, slba + blocks)

    def allocated_ranges(self, slba: int, end: int, most: int) -> list[tuple[int, int]]:
        """At most `most` ranges ``(slba, blocks)`` of allocated granules within ``[slba, end)``, clipped to it.

        A granule is `granularity` LBAs, aligned to its size; it counts as allocated when any LBA of it is (NVM
        Command Set 1.2, section 4.2.1).  Neighbouring ranges are one.
        """
        if self._engine.recorder is not None:
            self._engine.recorder.reads.update(self._cells("allocated", slba, end - slba))
        size = self.granularity
        allocated = self._allocated
        ranges: list[tuple[int, int]] = []
        first = slba - slba % size
        limit = min(self.blocks, -(-end // size) * size)
        while len(ranges) < most and (found := allocated.find(1, first, limit)) >= 0:
            start = found - found % size
            # Granule by granule until one is wholly deallocated: jump over runs of allocated LBAs.
            stop = start
            while stop < limit and allocated.find(1, stop, min(stop + size, limit)) >= 0:
                clear = allocated.find(0, stop, limit)
                stop = limit if clear < 0 else max(stop + size, clear - clear % size)
            ranges.append((max(start, slba), min(stop, end) - max(start, slba)))
            first = stop
        return ranges

    def unreadable_ranges(
        self, slba: int, end: int, most: int, *, scan: bool, keep: bool
    ) -> list[tuple[int, int, bool]]:
        """At most `most` ranges ``(slba, blocks, by_command)`` of blocks in ``[slba, end)`` that cannot be read.

        Neighbouring ones are one; `by_command`: all of the range was made so by Write Uncorrectable.  `scan`: damage
        that nobody has met yet is found too, and with `keep` it is known from then on (NVM Command Set 1.2, section
        4.2.1.1.2).
        """
        notices = scan and keep
        if self._engine.recorder is not None:
            self._record(self.asking_unreadable(slba, end - slba, notices=notices))
        found = self._unreadable[slba:end]
        if notices:
            self._unnoticed[slba:end] = 0
        elif not scan:
            found &= ~self._unnoticed[slba:end]
        ranges: list[tuple[int, int, bool]] = []
        stop = 0
        while len(ranges) < most and (start := found.find(1, stop)) >= 0:
            stop = found.find(0, start)
            stop = len(found) if stop < 0 else stop
            first, blocks = slba + start, stop - start
            ranges.append((first, blocks, self._by_command.count(1, first, first + blocks) == blocks))
        return ranges

    def _hides_damage(self, slba: int, blocks: int) -> bool:
        return bool(self._unreadable_count) and bool(self._unnoticed.count(1, slba, slba + blocks))

    def _record(self, touches: Touches) -> None:
        assert self._engine.recorder is not None
        self._engine.recorder.reads.update(touches[0])
        self._engine.recorder.writes.update(touches[1])

    def _make_readable(self, slba: int, blocks: int) -> None:
        end = slba + blocks
        self._unreadable_count -= self._unreadable.count(1, slba, end)
        self._unreadable[slba:end] = self._by_command[slba:end] = self._unnoticed[slba:end] = 0
