"""A guest's disk: one namespace behind one I/O queue pair.  Turns operations into SQEs and keeps the ledger.

Each write gets stamps of its own (the guest's writer id and a running count), made in the guest's own buffer;
each Read is held against what the ledger allows.
"""

from __future__ import annotations

from nvmelm_lab.host.buffers import Buffer, Pages
from nvmelm_lab.host.ledger import UNREADABLE, Ledger, Reading
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.memory import make_stamp
from nvmelm_lab.nvme.codes import IoOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import SQE, pack_ranges

_OPCODES = {
    OperationKind.READ: IoOpcode.READ,
    OperationKind.WRITE: IoOpcode.WRITE,
    OperationKind.TRIM: IoOpcode.DATASET_MANAGEMENT,
    OperationKind.ZEROES: IoOpcode.WRITE_ZEROES,
    OperationKind.UNCORRECTABLE: IoOpcode.WRITE_UNCORRECTABLE,
    OperationKind.FLUSH: IoOpcode.FLUSH,
}

# Asked for each I/O, and a member of an enumeration takes several times as long to look up.
_READ = OperationKind.READ
_WRITE = OperationKind.WRITE

MAX_BLOCKS = 128
"""LBAs of the longest operation that a disk takes at once; longer ones are cut by `split`."""


class Request:
    """An operation on its way: its buffer, and for a write the values that its LBAs get."""

    __slots__ = ("buffer", "operation", "reading", "submitted_ns", "values")

    def __init__(self, operation: Operation, buffer: Buffer) -> None:
        self.operation = operation
        self.buffer = buffer
        self.values: list[int] = []
        self.reading: Reading | None = None
        self.submitted_ns = 0


class Disk:
    """`blocks` LBAs of `block_bytes` bytes, as namespace `nsid`.

    longest
        LBAs of the longest operation that one command carries.
    writer
        Writer id of its stamps, 1..FFFEh.
    wrong_reads
        ``(LBA, value found)`` of each Read that returned what was never promised; UNREADABLE for an error.
    """

    def __init__(
        self, pages: Pages, nsid: int, blocks: int, block_bytes: int, *, writer: int, depth: int
    ) -> None:
        self.nsid = nsid
        self.blocks = blocks
        self.block_bytes = block_bytes
        self.ledger = Ledger()
        self.wrong_reads: list[tuple[int, int]] = []
        self.writer = writer
        self.writes = 1
        self._pages = pages
        self._stamp = make_stamp(writer, 0)
        self.longest = min(MAX_BLOCKS, blocks)
        self._buffers = [pages.buffer(max(self.longest * block_bytes, 4096)) for _ in range(depth)]

    def can_start(self, operation: Operation) -> bool:
        """Whether a buffer is free and no write in flight touches the same LBAs."""
        is_busy = self.ledger.is_busy
        if not self._buffers or is_busy(operation.slba, operation.blocks):
            return False
        return not any(is_busy(slba, blocks) for slba, blocks in operation.more)

    def prepare(self, operation: Operation) -> tuple[Request, bytes]:
        """The operation's request and SQE; a write's data are in the buffer and its values in the ledger."""
        request = Request(operation, self._buffers.pop())
        kind, slba, blocks = operation.kind, operation.slba, operation.blocks
        buffer = request.buffer
        cdw10, cdw11, cdw12, prp1, prp2 = slba & 0xFFFFFFFF, slba >> 32, blocks - 1, 0, 0
        if kind is _WRITE:
            request.values = self._fresh_stamps(blocks)
            self._pages.space.write_stamps(buffer.address, request.values)
            prp1, prp2 = buffer.prp(blocks * self.block_bytes)
        elif kind is _READ:
            request.reading = self.ledger.read_submitted(slba, blocks)
            prp1, prp2 = buffer.prp(blocks * self.block_bytes)
        elif kind is OperationKind.TRIM:
            self._pages.space.write(buffer.address, pack_ranges([(slba, blocks), *operation.more]))
            request.values = [0] * blocks
            cdw10, cdw11, cdw12, prp1 = len(operation.more), 4, 0, buffer.address
        elif kind is OperationKind.FLUSH:
            cdw12 = 0
        else:
            request.values = [0 if kind is OperationKind.ZEROES else UNREADABLE] * blocks
        if request.values:
            self.ledger.submitted(slba, request.values)
        for first, count in operation.more:
            self.ledger.submitted(first, [0] * count)
        sqe = SQE.pack(_OPCODES[kind], 0, 0, self.nsid, 0, 0, 0, prp1, prp2, cdw10, cdw11, cdw12, 0, 0, 0)
        return request, sqe

    def _fresh_stamps(self, blocks: int) -> list[int]:
        first = self._stamp + self.writes
        self.writes += blocks
        return [first] if blocks == 1 else list(range(first, first + blocks))

    def finish(self, request: Request, status: int) -> bool:
        """Take the completion in: note it in the ledger, check a Read; False when `status` says that it failed.

        A Read of unreadable blocks is expected to fail, and counts as done.
        """
        self._buffers.append(request.buffer)
        operation = request.operation
        if request.values:
            note = self.ledger.failed if status else self.ledger.acknowledged
            note(operation.slba, request.values)
            for first, count in operation.more:
                note(first, [0] * count)
            return not status
        if request.reading is not None:
            return self._check_read(request, request.reading, status)
        return not status

    def _check_read(self, request: Request, reading: Reading, status: int) -> bool:
        ledger, slba, blocks = self.ledger, request.operation.slba, request.operation.blocks
        ledger.read_ended(reading)
        if status:
            expected = any(ledger.may_find(reading, lba, UNREADABLE) for lba in range(slba, slba + blocks))
            if status == Status.UNRECOVERED_READ_ERROR and not expected:
                self.wrong_reads.append((slba, UNREADABLE))
            return expected
        values = list(self._pages.space.read_stamps(request.buffer.address, blocks))
        wrong = ledger.first_wrong(reading, values)
        if wrong is not None:
            self.wrong_reads.append((wrong, values[wrong - slba]))
        return True
