"""Memory tracking by raw commands: the two structures as they lie in memory, facts B.7 and B.8."""

from __future__ import annotations

from struct import pack
from typing import NamedTuple

from tests.ssd import by_hand as do
from tests.ssd.by_hand import (
    PAGE,
    SUCCESS,
    bytes_of,
    number,
    status,
)
from tests.ssd.door import MEMORY, Bench, Host, Y

WHOLE = ((0, MEMORY // PAGE),)
MIB = 1 << 20


def request(bench: Bench, exponent: int, ranges: tuple[tuple[int, int], ...], *, version: int = 0) -> int:
    """The address of a Track Memory Changes structure in the memory of X."""
    data = pack("<B2xBI", version, exponent, len(ranges)) + b"".join(pack("<QI", *each) for each in ranges)
    address = bench.x.take(len(data))
    bench.x.space.write(address, data)
    return address


def track(
    bench: Bench, exponent: int = 0, ranges: tuple[tuple[int, int], ...] = WHOLE, *, target: int = Y
) -> int:
    return status(bench.x, do.track_memory(request(bench, exponent, ranges), target))


class Report(NamedTuple):
    """A Tracked Memory Change structure: facts B.8.  `ranges` are ``(address, granules)``."""

    susp: int
    mtr: int
    cntlid: int
    granule: int
    ranges: list[tuple[int, int]]

    @property
    def pages(self) -> set[int]:
        """Numbers of the pages of 4 KiB that it names."""
        size = self.granule // PAGE
        return {address // PAGE + n for address, granules in self.ranges for n in range(granules * size)}


def read(bench: Bench, *, target: int = Y, dwords: int = PAGE // 4) -> Report:
    address = bench.x.take()
    bench.x.space.write(address, b"\xff" * PAGE)
    assert status(bench.x, do.track_receive(address, target, dwords=dwords)) == SUCCESS
    data = bytes_of(bench.x, address)
    assert data[0] == 0
    assert data[1] >> 2 == 0
    assert data[10:16] == bytes(6)
    entries = [data[at : at + 16] for at in range(16, 16 + 16 * number(data, 4, 7), 16)]
    assert all(entry[12:] == bytes(4) for entry in entries)
    return Report(
        data[1] >> 1 & 1,
        data[1] & 1,
        number(data, 2, 3),
        PAGE << number(data, 8, 9),
        [(number(entry, 0, 7), number(entry, 8, 11)) for entry in entries],
    )


def read_into(host: Host, address: int, blocks: int = 1) -> None:
    """The host reads blocks from its namespace into its memory."""
    _, prp2 = host.prp(address, blocks * host.space.block_bytes)
    assert status(host, do.read(address, 0, blocks, prp2=prp2), qid=1) == SUCCESS
