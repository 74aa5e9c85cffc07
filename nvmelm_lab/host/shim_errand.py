"""An errand: one command of the guest on its way through the shim, with its data, and what that costs.

Data go through buffers of the shim in host memory, both ways.  Nothing here knows of rings.
"""

from __future__ import annotations

from nvmelm_lab.host.buffers import Buffer, Pages
from nvmelm_lab.host.queue_pair import Pending, QueuePair
from nvmelm_lab.host.shim_commands import (
    ADMIN_BYTES,
    ALL_BLOCKS,
    IO_BYTES,
    TO_CONTROLLER,
    TO_HOST,
    changed_ranges,
)
from nvmelm_lab.memory import AddressSpace, PrpError, data_pointers
from nvmelm_lab.nvme.codes import AdminOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import SQE
from nvmelm_lab.ssd import MAX_TRANSFER_BYTES
from nvmelm_lab.ssd.command import Command, Refused, prp_status

# Processor time of the shim in ns: orders of magnitude, not a measurement.
TAKE_NS = 1_500
FORWARD_NS = 700
GIVE_NS = 1_500
COPY_NS_PER_KIB = 60

_DNR = 1 << 14


class Errand:
    """`command`, which goes through `backend`, a queue pair of the shim.

    length
        Bytes of its data; None for a command that may not pass.
    pieces
        Where they lie in the guest's memory: ``(address, bytes)``.
    ranges
        ``(slba, blocks)`` that it changes.
    pending
        The command behind, once it is sent.
    status
        Its status for the guest, without phase tag.
    """

    __slots__ = ("backend", "buffer", "command", "length", "pending", "pieces", "ranges", "status")

    def __init__(self, command: Command, backend: QueuePair, block_bytes: int) -> None:
        self.command = command
        self.backend = backend
        length = (IO_BYTES if command.queue.qid else ADMIN_BYTES).get(command.sqe.opcode)
        self.length = None if length is None else length(command.sqe, block_bytes)
        self.buffer: Buffer | None = None
        self.pieces: list[tuple[int, int]] = []
        self.ranges: list[tuple[int, int]] = []
        self.pending: Pending | None = None
        self.status = 0

    def forward_ns(self) -> int:
        """Processor time to send it on."""
        return FORWARD_NS + self._copy_ns(TO_CONTROLLER)

    def give_ns(self) -> int:
        """Processor time to give its completion to the guest."""
        return GIVE_NS + self._copy_ns(TO_HOST)

    def _copy_ns(self, direction: int) -> int:
        if self.command.sqe.opcode & 3 != direction or self.length is None:
            return 0
        return -(-self.length // 1024) * COPY_NS_PER_KIB

    def refuse(self, status: Status) -> None:
        """It goes no further, and ends with this status."""
        self.status = status | _DNR

    def sqe_behind(self, guest: AddressSpace, pages: Pages, buffers: list[Buffer]) -> bytes:
        """The SQE to send on, its data in a buffer out of `buffers` or a new one.

        Raises Refused where the command cannot pass.
        """
        sqe = self.command.sqe
        if self.length is None:
            raise Refused(Status.INVALID_OPCODE)
        if self.length > MAX_TRANSFER_BYTES:
            raise Refused(Status.INVALID_FIELD)
        prp1 = prp2 = 0
        data = b""
        if self.length:
            try:
                self.pieces = data_pointers(guest, sqe.prp1, sqe.prp2, self.length)
            except PrpError as error:
                raise Refused(prp_status(error)) from error
            self.buffer = buffers.pop() if buffers else pages.buffer(MAX_TRANSFER_BYTES)
            prp1, prp2 = self.buffer.prp(self.length)
            if sqe.opcode & 3 == TO_CONTROLLER:
                data = b"".join(guest.read(address, part) for address, part in self.pieces)
                pages.space.write(self.buffer.address, data)
        if self.command.queue.qid:
            self.ranges = changed_ranges(sqe, data)
        elif sqe.opcode == AdminOpcode.FORMAT_NVM:
            self.ranges = [(0, ALL_BLOCKS)]
        return SQE.pack(*sqe._replace(mptr=0, prp1=prp1, prp2=prp2))

    def bring_back(self, guest: AddressSpace, pages: Pages) -> None:
        """Put the data of a successful command into the guest's memory, as a processor writes."""
        if self.buffer is None or self.command.sqe.opcode & 3 != TO_HOST or self.status & 0x7FF:
            return
        done = 0
        for address, part in self.pieces:
            guest.write(address, pages.space.read(self.buffer.address + done, part))
            done += part
