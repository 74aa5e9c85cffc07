"""What a shim has to know of a command before it may let it pass: how much data it carries, what it changes.

Bits 1:0 of an opcode tell the direction of the data, but nothing tells their length: a shim must know each
command.  What is not in the tables does not pass.
Sources: Base 2.1, section 5; NVM Command Set 1.2, section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme.codes import AdminOpcode, IoOpcode
from nvmelm_lab.nvme.structs import COPY_RANGE, RANGE, Sqe, unpack_copy_ranges, unpack_ranges
from nvmelm_lab.ssd.io_deallocate import zeroes_whole_namespace

TO_CONTROLLER = 1
TO_HOST = 2
"""Values of opcode bits 1:0; 0 is no data at all."""


def _blocks(sqe: Sqe) -> int:
    return (sqe.cdw12 & 0xFFFF) + 1


def _nothing(_sqe: Sqe, _block_bytes: int) -> int:
    return 0


def _whole_blocks(sqe: Sqe, block_bytes: int) -> int:
    return _blocks(sqe) * block_bytes


ALL_BLOCKS = 1 << 32
"""More LBAs than any namespace here has: stands for all of them."""

_Length = Callable[[Sqe, int], int]

IO_BYTES: Mapping[int, _Length] = {
    IoOpcode.FLUSH: _nothing,
    IoOpcode.WRITE: _whole_blocks,
    IoOpcode.READ: _whole_blocks,
    IoOpcode.WRITE_UNCORRECTABLE: _nothing,
    IoOpcode.COMPARE: _whole_blocks,
    IoOpcode.WRITE_ZEROES: _nothing,
    IoOpcode.DATASET_MANAGEMENT: lambda sqe, _: ((sqe.cdw10 & 0xFF) + 1) * RANGE.size,
    IoOpcode.VERIFY: _nothing,
    IoOpcode.COPY: lambda sqe, _: ((sqe.cdw12 & 0xFF) + 1) * COPY_RANGE.size,
}
"""Bytes that an I/O command carries, of its SQE and the bytes of an LBA."""

ADMIN_BYTES: Mapping[int, _Length] = {
    AdminOpcode.GET_LOG_PAGE: lambda sqe, _: 4 * ((sqe.cdw11 & 0xFFFF) << 16 | sqe.cdw10 >> 16) + 4,
    AdminOpcode.IDENTIFY: lambda _sqe, _: PAGE_BYTES,
    AdminOpcode.SET_FEATURES: _nothing,
    AdminOpcode.GET_FEATURES: _nothing,
    AdminOpcode.FORMAT_NVM: _nothing,
    AdminOpcode.GET_LBA_STATUS: lambda sqe, _: 4 * sqe.cdw12 + 4,
}
"""The same for admin commands that may pass: those of the kit's SSDs that a guest may use.

Those about queues and about other commands do not: the shim answers them itself (see `shim.py`).
"""

_CHANGES_ITS_RANGE = frozenset((IoOpcode.WRITE, IoOpcode.WRITE_UNCORRECTABLE, IoOpcode.WRITE_ZEROES))


def changed_ranges(sqe: Sqe, data: bytes) -> list[tuple[int, int]]:
    """``(slba, blocks)`` that an I/O command with this payload writes or deallocates, as far as there are such LBAs."""
    slba = sqe.cdw11 << 32 | sqe.cdw10
    if sqe.opcode == IoOpcode.WRITE_ZEROES and zeroes_whole_namespace(sqe):
        return [(0, ALL_BLOCKS)]
    if sqe.opcode in _CHANGES_ITS_RANGE:
        return [(slba, _blocks(sqe))]
    if sqe.opcode == IoOpcode.COPY:
        return [(slba, sum(blocks for _, blocks in unpack_copy_ranges(data)))]
    if sqe.opcode == IoOpcode.DATASET_MANAGEMENT and sqe.cdw11 & 4:
        return unpack_ranges(data)
    return []
