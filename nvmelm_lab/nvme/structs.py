"""The entries of the rings, packed and unpacked at full speed: SQE, CQE, MQE, DSM and Copy ranges.  Pure packing: what
a value may be is checked by the builders of commands, never here.
"""

from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

from nvmelm_lab.nvme.codes import EntrySpecial, LbaChange

SQE = Struct("<BBHIIIQQQIIIIII")
"""Submission Queue Entry, 64 bytes, fields in the order of `Sqe`.  Base 4.1."""

CQE = Struct("<IIHHHH")
"""Completion Queue Entry, 16 bytes, fields in the order of `Cqe`.  Base 4.2."""

MQE = Struct("<IIQ15xB")
"""LBA Migration Queue Entry Type 0, 32 bytes, fields in the order of `Mqe`.  NVM 5.6, Figure 177."""


class Sqe(NamedTuple):
    """The fields of an SQE.  `flags` holds FUSE in bits 1:0 and PSDT in bits 7:6."""

    opcode: int
    flags: int
    cid: int
    nsid: int
    cdw2: int
    cdw3: int
    mptr: int
    prp1: int
    prp2: int
    cdw10: int
    cdw11: int
    cdw12: int
    cdw13: int
    cdw14: int
    cdw15: int


class Cqe(NamedTuple):
    """The fields of a CQE.  `status_word` is the upper half of DW3: phase tag in bit 0, status above it."""

    dw0: int
    dw1: int
    sqhd: int
    sqid: int
    cid: int
    status_word: int


class Mqe(NamedTuple):
    """The fields of an MQE.  `nlb` is 0's based; `attributes` is LBAMQA, which the properties take apart."""

    nsid: int
    nlb: int
    slba: int
    attributes: int

    @property
    def blocks(self) -> int:
        """How many LBAs the range has; 0 when the entry carries no range (LBACIR other than 00b)."""
        return 0 if self.attributes >> 6 else self.nlb + 1

    @property
    def change(self) -> int:
        """LBACIR, a number of `LbaChange`."""
        return self.attributes >> 6

    @property
    def deallocated(self) -> bool:
        """DLBA: true only if the LBAs are now deallocated; false says written or deallocated."""
        return bool(self.attributes & 0x20)

    @property
    def esa(self) -> int:
        """ESA, a number of `EntrySpecial`."""
        return self.attributes >> 1 & 7

    @property
    def phase(self) -> int:
        """CDQP, the phase tag."""
        return self.attributes & 1


def pack_mqe(
    nsid: int,
    slba: int,
    blocks: int,
    *,
    esa: int = EntrySpecial.ORDINARY,
    change: int = LbaChange.RANGE,
    deallocated: bool = False,
    phase: int,
) -> bytes:
    """The 32 bytes of an MQE.  `blocks` is a plain count of LBAs.  The fields that the standard wants
    zero stay zero: SLBA and NLB unless `change` is RANGE, NSID too when it is NONE.
    """
    attributes = change << 6 | deallocated << 5 | esa << 1 | phase
    if change == LbaChange.RANGE:
        return MQE.pack(nsid, blocks - 1, slba, attributes)
    return MQE.pack(0 if change == LbaChange.NONE else nsid, 0, 0, attributes)


def unpack_mqe(data: bytes | bytearray | memoryview) -> Mqe:
    """The fields of the MQE that `data` (32 bytes) holds."""
    return Mqe._make(MQE.unpack(data))


RANGE = Struct("<IIQ")
"""One range of Dataset Management, 16 bytes: context attributes, length, SLBA.  NVM 3.3.3."""


def pack_ranges(ranges: Iterable[tuple[int, int]]) -> bytes:
    """The ranges of a Dataset Management command, each given as SLBA and a plain count of LBAs; the
    standard too has a plain count here, not a 0's based one.
    """
    return b"".join(RANGE.pack(0, blocks, slba) for slba, blocks in ranges)


def unpack_ranges(data: bytes | bytearray | memoryview) -> list[tuple[int, int]]:
    """SLBA and count of LBAs of each range in `data`, whose length is a multiple of 16."""
    return [(slba, blocks) for _, blocks, slba in RANGE.iter_unpack(data)]


COPY_RANGE = Struct("<8xQH14x")
"""One source range of Copy, descriptor format 0h, 32 bytes: SLBA, NLB.  NVM 3.3.2."""


def pack_copy_ranges(ranges: Iterable[tuple[int, int]]) -> bytes:
    """The source ranges of a Copy command, each given as SLBA and a plain count of LBAs, which becomes the 0's
    based one of the standard.
    """
    return b"".join(COPY_RANGE.pack(slba, blocks - 1) for slba, blocks in ranges)


def unpack_copy_ranges(data: bytes | bytearray | memoryview) -> list[tuple[int, int]]:
    """SLBA and plain count of LBAs of each source range in `data`, whose length is a multiple of 32."""
    return [(slba, nlb + 1) for slba, nlb in COPY_RANGE.iter_unpack(data)]
