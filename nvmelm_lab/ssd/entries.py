"""SQEs in and CQEs out: what whoever keeps rings does for each command, be it a controller or a shim.

Both happen once for every I/O, so the arithmetic of the slots stands here in full and not in methods of the queues.
"""

from __future__ import annotations

from nvmelm_lab.nvme.structs import CQE, SQE, Sqe
from nvmelm_lab.ssd.command import Command
from nvmelm_lab.ssd.rings import CQE_BYTES, SQE_BYTES, QueueKeeper, SubmissionQueue

_STATUS = 0x7FF
"""Status Code and its type, of the status that a CQE has."""

_CID = Sqe._fields.index("cid")


_unpack = SQE.unpack_from
_pack = CQE.pack_into


def take_command(keeper: QueueKeeper, queue: SubmissionQueue) -> Command | None:
    """The command at the head of `queue`, from now on in flight; None when its CQE would have no slot."""
    cq, position = queue.cq, queue.fetched
    claimed = cq.claimed
    if claimed - cq.consumed.level >= cq.entries - 1:
        return None
    ring, slot = queue.ring, position % queue.entries
    page, offset = ring.slots[slot]
    if ring.space.watched:
        ring.space.has_read(ring.address(slot))
    queue.fetched = position + 1
    cq.claimed = claimed + 1
    command = Command(queue, position + 1, _unpack(page, offset))
    keeper.in_flight[command] = None
    keeper.fetched += 1
    if keeper.engine.telling:
        entry = bytes(page[offset : offset + SQE_BYTES])
        keeper.engine.emit(("fetched", keeper.name, queue.qid, queue.head, command.name, entry))
    return command


def post_completion(keeper: QueueKeeper, command: Command, status: int) -> None:
    """Write the command's CQE (`status` without phase tag, with DNR) into its ring, and interrupt the host."""
    command.completed = True
    queue, cid = command.queue, command.fields[_CID]
    cq, qid = queue.cq, queue.qid
    position, entries = cq.posted, cq.entries
    ring, slot = cq.ring, position % entries
    page, offset = ring.slots[slot]
    if ring.space.watched:
        cq.has_written(ring.address(slot))
    word = status << 1 | 1 - (position // entries & 1)
    _pack(page, offset, command.dw0, command.dw1, queue.fetched % queue.entries, qid, cid, word)
    cq.posted = position + 1
    if keeper.engine.telling:
        entry = bytes(page[offset : offset + CQE_BYTES])
        keeper.engine.emit(("completed", keeper.name, cq.qid, command.name, status & _STATUS, entry))
    interrupt = keeper.interrupt
    if interrupt is not None and cq.interrupts:
        interrupt(cq.qid, (cid,))
