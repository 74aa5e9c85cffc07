"""Stamps: 64-bit names for the contents of a block.

A writer makes a stamp in its own buffer (its id and its own count), and the device only moves stamps, so a copy
is equal to its original and independent writers commute.  A stamp stands for a whole block: its eight bytes
(little-endian), repeated.  Stamp 0 is a block of zeros.  A block that is no such pattern is *foreign*: it gets
a stamp computed from its bytes, which are kept beside it.
"""

from __future__ import annotations

from hashlib import sha256

WRITER_SHIFT = 48
FOREIGN_WRITER = 0xFFFF


def make_stamp(writer: int, count: int) -> int:
    """The stamp of a writer's `count`-th block.  `writer` is 1..FFFEh, `count` below 2^48."""
    return writer << WRITER_SHIFT | count


class Stamps:
    """Turns stamps into bytes and back, for blocks of `block_bytes` bytes.  One for all who exchange blocks."""

    __slots__ = ("_foreign", "block_bytes")

    def __init__(self, block_bytes: int) -> None:
        self.block_bytes = block_bytes
        self._foreign: dict[int, bytes] = {}

    def expand(self, stamp: int) -> bytes:
        """The block that `stamp` stands for."""
        if stamp >> WRITER_SHIFT == FOREIGN_WRITER and stamp in self._foreign:
            return self._foreign[stamp]
        return stamp.to_bytes(8, "little") * (self.block_bytes // 8)

    def recognise(self, block: bytes | bytearray) -> int:
        """The stamp that stands for `block`."""
        word = block[:8]
        stamp = int.from_bytes(word, "little")
        if block == word * (self.block_bytes // 8) and stamp >> WRITER_SHIFT != FOREIGN_WRITER:
            return stamp
        digest = int.from_bytes(sha256(block).digest()[:6], "little")
        stamp = make_stamp(FOREIGN_WRITER, digest)
        self._foreign[stamp] = bytes(block)
        return stamp
