"""Several commands of one queue in one go: fetched, executed and completed, each wholly before the next.

What it leaves everywhere (namespace, rings, Migration Queue) is byte for byte what one command after the other
leaves.  What is lost is that anything could come between them, so it is for large runs in which nobody looks at
single steps.  Most of a large run is Writes of one block that nothing stands in the way of: stretches of those
skip all that other commands need.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Use
from nvmelm_lab.nvme.codes import IoOpcode
from nvmelm_lab.nvme.structs import CQE
from nvmelm_lab.ssd import change_log
from nvmelm_lab.ssd.entries import take_command
from nvmelm_lab.ssd.io_commands import service_of

if TYPE_CHECKING:
    from nvmelm_lab.ssd.command import Command
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.namespace import Namespace
    from nvmelm_lab.ssd.rings import SubmissionQueue

_WRITE = int(IoOpcode.WRITE)
_unpack = Struct("<BBHI16xQ8xIII12x").unpack_from
"""Of an SQE what a plain Write says: opcode, flags, CID, NSID, PRP1, CDW10, CDW11, CDW12.  Base 4.1."""

_pack = CQE.pack_into


def serve(controller: Controller, queue: SubmissionQueue, most: int) -> int:
    """Fetch, execute and complete up to `most` commands of an I/O queue; gives how many there were.

    Fewer than `most` are served when no more are visible, or the Completion Queue has no room for more.
    """
    served = 0
    while served < most and queue.fetched < queue.visible.level:
        stretch = _plain_writes(controller, queue, most - served)
        if stretch:
            served += stretch
            continue
        command = take_command(controller, queue)
        if command is None:
            break
        _carry_out(controller, command)
        served += 1
    return served


def services(controller: Controller, queue: SubmissionQueue, most: int) -> Iterator[Use]:
    """Which channels serve the next `most` commands of an I/O queue, and for how long."""
    subsystem, slots, entries = controller.subsystem, queue.ring.slots, queue.entries
    for position in range(queue.fetched, queue.fetched + most):
        page, offset = slots[position % entries]
        opcode, _, _, _, _, cdw10, _, cdw12 = _unpack(page, offset)
        yield service_of(subsystem, opcode, cdw10, cdw12)


def _carry_out(controller: Controller, command: Command) -> None:
    """One command of any kind; its entries come before or after its completion, as the device has the habit."""
    controller.execute.act(command)
    entries_last = controller.subsystem.habits.entry_order == "completion first"
    if not command.told and not entries_last:
        controller.post_entries.act(command)
    controller.complete.act(command)
    if not command.told:
        controller.post_entries.act(command)


def _plain_writes(controller: Controller, queue: SubmissionQueue, most: int) -> int:
    """Serve the Writes of one block, of one namespace, at the head of the queue; gives how many there were."""
    engine, space, cq = controller.engine, controller.space, queue.cq
    if engine.watched or engine.telling or space.watched:
        return 0
    slots, entries, first = queue.ring.slots, queue.entries, queue.fetched
    stamp_at = space.stamp_at
    namespace: Namespace | None = None
    of, end = 0, 0
    lbas: list[int] = []
    stamps: list[int] = []
    cids: list[int] = []
    for position in range(first, min(first + min(most, cq.room), queue.visible.level)):
        page, offset = slots[position % entries]
        opcode, flags, cid, nsid, prp1, slba, high, cdw12 = _unpack(page, offset)
        if opcode != _WRITE or flags or high or cdw12 & 0xFFFF:
            break
        if nsid != of:
            if namespace is not None:
                break
            namespace = controller.subsystem.namespaces.get(nsid)
            if namespace is None or controller.cntlid not in namespace.attached or namespace.sanitizing:
                return 0
            of, end = nsid, namespace.blocks
        stamp = stamp_at(prp1)
        if stamp is None or slba >= end:
            break
        lbas.append(slba)
        stamps.append(stamp)
        cids.append(cid)
    if namespace is None or not cids:
        return 0
    namespace.write_blocks(lbas, stamps)
    _log(controller, namespace.nsid, lbas)
    _complete(controller, queue, cids)
    return len(cids)


def _log(controller: Controller, nsid: int, lbas: list[int]) -> None:
    """Tell of each Write, as long as the target's queue is told of changes."""
    log = controller.migration_queue
    if log is None:
        return
    for slba in lbas:
        if not log.logging:
            return
        log.decided += 1
        change_log.post_changes(controller.subsystem, log, ((nsid, slba, 1, False),))
        log.told.count()


def _complete(controller: Controller, queue: SubmissionQueue, cids: list[int]) -> None:
    """Post the CQEs of commands that succeeded, and interrupt the host once."""
    cq, qid, entries, head = queue.cq, queue.qid, queue.entries, queue.fetched
    slots, cq_entries, posted = cq.ring.slots, cq.entries, cq.posted
    for cid in cids:
        page, offset = slots[posted % cq_entries]
        head += 1
        _pack(page, offset, 0, 0, head % entries, qid, cid, 1 - (posted // cq_entries & 1))
        posted += 1
    queue.fetched = head
    cq.posted = posted
    cq.claimed += len(cids)
    controller.fetched += len(cids)
    controller.finished.raise_to(controller.finished.level + len(cids))
    if controller.interrupt is not None and cq.interrupts:
        controller.interrupt(cq.qid, cids)
