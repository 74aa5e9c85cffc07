"""Which LBAs have to be copied, and which deallocated at the destination: what a drain or baseline gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bitarray import bitarray
from bitarray.util import zeros


class Extent(NamedTuple):
    """A run of LBAs of one namespace; `deallocated`: nothing to read, deallocate it at the destination."""

    nsid: int
    slba: int
    blocks: int
    deallocated: bool

    def halves(self) -> tuple[Extent, Extent]:
        """The two halves of a run of two LBAs or more: how one comes closer to the LBA that cannot be read."""
        half = self.blocks // 2
        return (
            self._replace(blocks=half),
            self._replace(slba=self.slba + half, blocks=self.blocks - half),
        )


class Changes:
    """LBAs by namespace, each once, however often it was told of; the last word on an LBA counts.

    nsids
        NSID -> number of LBAs, for the namespaces that it can hold.
    entries
        Entries of the Migration Queue that went into it.
    """

    __slots__ = ("_copy", "_forget", "entries", "nsids")

    def __init__(self, nsids: dict[int, int]) -> None:
        self.nsids = nsids
        self.entries = 0
        self._copy: dict[int, bitarray] = {}
        self._forget: dict[int, bitarray] = {}

    def add(self, nsid: int, slba: int, blocks: int, *, deallocated: bool = False) -> None:
        """These LBAs changed; as far as they lie in the namespace."""
        if nsid not in self._copy:
            self._copy[nsid] = zeros(self.nsids[nsid])
            self._forget[nsid] = zeros(self.nsids[nsid])
        end = slba + blocks
        self._copy[nsid][slba:end] = not deallocated
        self._forget[nsid][slba:end] = deallocated

    def merge(self, later: Changes) -> None:
        """Take in what was told of later: its word on an LBA counts."""
        self.entries += later.entries
        for nsid, copy in later._copy.items():
            forget = later._forget[nsid]
            if nsid not in self._copy:
                self._copy[nsid] = copy.copy()
                self._forget[nsid] = forget.copy()
                continue
            self._copy[nsid] = self._copy[nsid] & ~forget | copy
            self._forget[nsid] = self._forget[nsid] & ~copy | forget

    def extents(self, longest: int) -> Iterator[Extent]:
        """The LBAs as runs, by namespace, ascending; runs to be copied have at most `longest` LBAs."""
        for nsid in self._copy:
            for bits, deallocated in ((self._copy[nsid], False), (self._forget[nsid], True)):
                start = bits.find(1)
                while start >= 0:
                    stop = bits.find(0, start)
                    stop = len(bits) if stop < 0 else stop
                    step = stop - start if deallocated else longest
                    for slba in range(start, stop, step):
                        yield Extent(nsid, slba, min(step, stop - slba), deallocated)
                    start = bits.find(1, stop)

    @property
    def blocks_to_copy(self) -> int:
        """LBAs that have to be read and written."""
        return sum(bits.count() for bits in self._copy.values())

    def __bool__(self) -> bool:
        return any(bits.any() for bits in (*self._copy.values(), *self._forget.values()))
