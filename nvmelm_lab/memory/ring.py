"""A ring of entries in memory, every slot of it found once and for all.

An entry never straddles a page: its size divides the page's, and the ring begins at a page boundary.
"""

from __future__ import annotations

from nvmelm_lab.memory.space import PAGE_BYTES, PAGE_SHIFT, AddressSpace


class Ring:
    """`entries` slots of `entry_bytes` bytes each, from `base` on.

    slots
        For each the page that holds it, as bytes to be read and changed in place, and the offset there.  As long as
        `space` is watched, whoever does so says it: `space.has_read(ring.address(slot))` and the like.

    Raises InputError when the ring does not lie in memory.
    """

    __slots__ = ("base", "entry_bytes", "slots", "space")

    def __init__(self, space: AddressSpace, base: int, entries: int, entry_bytes: int) -> None:
        self.space = space
        self.base = base
        self.entry_bytes = entry_bytes
        length = entries * entry_bytes
        self.slots = [
            (page, offset)
            for start in range(0, length, PAGE_BYTES)
            for page in (space.pin(base + start >> PAGE_SHIFT),)
            for offset in range(0, min(PAGE_BYTES, length - start), entry_bytes)
        ]

    def address(self, slot: int) -> int:
        """Where a slot begins."""
        return self.base + slot * self.entry_bytes
