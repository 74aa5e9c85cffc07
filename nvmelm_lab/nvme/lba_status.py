"""The LBA Status Descriptor List: the answer to Get LBA Status.

Source: NVM Command Set 1.2, 4.2.1, Figures 131 and 132.
"""

from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme.codes import Completeness, LbaRangeStatus

_HEADER = Struct("<IB3x")
_DESCRIPTOR = Struct("<QIxB2x")

HEADER_BYTES = _HEADER.size
DESCRIPTOR_BYTES = _DESCRIPTOR.size


class LbaStatusDescriptor(NamedTuple):
    """`blocks` LBAs (a plain count) from `slba` on are in the state `status`, a number of
    `LbaRangeStatus`.
    """

    slba: int
    blocks: int
    status: int = LbaRangeStatus.ALLOCATED


class LbaStatusList(NamedTuple):
    """The descriptors in ascending order of LBA, and whether they are the whole answer (CMPC, a number of
    `Completeness`).
    """

    descriptors: tuple[LbaStatusDescriptor, ...]
    completeness: int


def pack_lba_status(descriptors: Iterable[LbaStatusDescriptor], completeness: Completeness) -> bytes:
    """The bytes of a list."""
    parts = [
        _DESCRIPTOR.pack(descriptor.slba, descriptor.blocks - 1, descriptor.status)
        for descriptor in descriptors
    ]
    return b"".join((_HEADER.pack(len(parts), completeness), *parts))


def unpack_lba_status(data: bytes | bytearray | memoryview) -> LbaStatusList:
    """The list that `data` holds; bytes beyond it are ignored.  InputError when `data` is shorter than its
    own count says.
    """
    if len(data) < HEADER_BYTES:
        raise InputError(f"LBA status of {len(data)} bytes: must be at least {HEADER_BYTES}")
    count, completeness = _HEADER.unpack_from(data)
    end = HEADER_BYTES + count * DESCRIPTOR_BYTES
    if len(data) < end:
        raise InputError(f"LBA status of {len(data)} bytes: its {count} descriptors need {end}")
    return LbaStatusList(
        tuple(
            LbaStatusDescriptor(slba, nlb + 1, attributes & 7)
            for slba, nlb, attributes in _DESCRIPTOR.iter_unpack(data[HEADER_BYTES:end])
        ),
        completeness,
    )
