"""Firmware that keeps its map of what is allocated wrongly: Get LBA Status then passes over blocks that hold data.

The map has a bit for each granule (NVM Command Set 1.2, section 4.2.1), and each of these SSDs counts the granules of
a range as if it began where its first granule does.
"""

from __future__ import annotations

from collections.abc import Sequence

from bitarray import bitarray
from bitarray.util import zeros

from nvmelm_lab.engine import Engine, Touches
from nvmelm_lab.engine.cells import Key
from nvmelm_lab.ssd.namespace import Namespace


class GranuleMap(Namespace):
    """A namespace with a map of its own of which granules hold data; as it stands here the map is right.

    It is kept beside the allocation of each LBA, so that what Reads return is right whatever the map says.
    """

    __slots__ = ("_map",)

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
        super().__init__(engine, ssd, nsid, blocks, block_bytes, granularity, shared)
        self._map: bitarray = zeros(-(-blocks // granularity))

    def written(self, slba: int, blocks: int) -> range:
        """The granules that a write marks."""
        return range(slba // self.granularity, (slba + blocks - 1) // self.granularity + 1)

    def cleared(self, slba: int, blocks: int) -> range:
        """The granules that a deallocation clears: those that lie within it."""
        first, end = -(-slba // self.granularity), slba + blocks
        return range(first, max(first, end // self.granularity))

    # -- what is touched: the bits of the map, beside what is right ----------------------------------------

    def _bits(self, granules: range) -> tuple[Key, ...]:
        return tuple(("granule", self.ssd, self.nsid, n) for n in granules if n < len(self._map))

    def _with_map(self, touches: Touches, granules: range) -> Touches:
        return touches[0], touches[1] + self._bits(granules)

    def writing(self, slba: int, blocks: int) -> Touches:
        """The cells that a write touches."""
        return self._with_map(super().writing(slba, blocks), self.written(slba, blocks))

    def deallocating(self, slba: int, blocks: int) -> Touches:
        """The cells that a deallocation touches."""
        return self._with_map(super().deallocating(slba, blocks), self.cleared(slba, blocks))

    def asking(self, slba: int, blocks: int) -> Touches:
        """The cells that Get LBA Status touches."""
        reads, writes = super().asking(slba, blocks)
        size = self.granularity
        return reads + self._bits(range(slba // size, -(-(slba + blocks) // size))), writes

    # -- what is done --------------------------------------------------------------------------------------

    def write(self, slba: int, stamps: Sequence[int]) -> None:
        """Write, and mark."""
        super().write(slba, stamps)
        self._set(self.written(slba, len(stamps)), 1)

    def write_uncorrectable(self, slba: int, blocks: int) -> None:
        """Make unreadable, and mark."""
        super().write_uncorrectable(slba, blocks)
        self._set(self.written(slba, blocks), 1)

    def deallocate(self, slba: int, blocks: int) -> bool:
        """Deallocate, and clear."""
        changed = super().deallocate(slba, blocks)
        self._set(self.cleared(slba, blocks), 0)
        return changed

    def allocated_ranges(self, slba: int, end: int, most: int) -> list[tuple[int, int]]:
        """The ranges that the map says are allocated, clipped to ``[slba, end)``."""
        if self._engine.recorder is not None:
            self._record(self.asking(slba, end - slba))
        size, ranges = self.granularity, list[tuple[int, int]]()
        start = self._map.find(1, slba // size)
        while 0 <= start * size < end and len(ranges) < most:
            stop = self._map.find(0, start)
            stop = len(self._map) if stop < 0 else stop
            first, last = max(start * size, slba), min(stop * size, end)
            ranges.append((first, last - first))
            start = self._map.find(1, stop)
        return ranges

    def _set(self, granules: range, bit: int) -> None:
        self._map[granules.start : granules.stop] = bit


class MissesLastGranule(GranuleMap):
    """A write marks as many granules as its LBAs fill, from the one on in which it begins."""

    __slots__ = ()

    def written(self, slba: int, blocks: int) -> range:
        """One too few where the write begins inside a granule and ends in one more than it fills."""
        first = slba // self.granularity
        return range(first, first + -(-blocks // self.granularity))


class ClearsFromFirstGranule(GranuleMap):
    """A deallocation clears as many granules as its LBAs fill, from the one on in which it begins."""

    __slots__ = ()

    def cleared(self, slba: int, blocks: int) -> range:
        """The first of them may hold data before the range."""
        first = slba // self.granularity
        return range(first, first + blocks // self.granularity)
