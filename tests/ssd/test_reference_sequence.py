"""The sequence of a reference client of live migration, command for command, by raw commands alone.  Facts D.14.

It differs from the client in two points.  The guest's memory is copied, as a VMM does, where the client has both
SSDs in one machine; and the destination comes online without a function level reset, which is no register's doing.
"""

import pytest

from nvmelm_lab.nvme.structs import CQE
from tests.ssd import by_hand as do
from tests.ssd.by_hand import (
    FIRST,
    HABITS,
    ORDINARY,
    PAGE,
    STOPPED,
    SUCCESS,
    SUSPENDED,
    Queue,
    answer,
    bytes_of,
    status,
)
from tests.ssd.door import Bench, Host, Ring, Y, raw, ready

SLOTS = 128
"""A queue of one page."""

GUEST_BYTES = 1 << 20
"""The part of memory that is the guest's."""

SENTINEL = 0x0123_4567_89AB_CDEF


def destination_of(source: Bench) -> Bench:
    """A second SSD; its Y is offline, gets resources, comes online, and has nothing but admin queues."""
    bench = Bench()
    bench.x.enable()
    assert bench.create_namespace(64) == 1
    assert bench.attach(1, 1, Y) == SUCCESS
    assert status(bench.x, raw(0x1C, cdw10=Y << 16 | 7)) == SUCCESS
    for resource in (0, 1):
        assert answer(bench.x, raw(0x1C, cdw10=Y << 16 | resource << 8 | 8, cdw11=4)) == (SUCCESS, 4)
    assert status(bench.x, raw(0x1C, cdw10=Y << 16 | 9)) == SUCCESS
    bench.y.take(GUEST_BYTES)
    bench.y.enable()
    bench.x.make_ring(1, source.x.io.entries)
    return bench


def copy_blocks(source: Host, destination: Host, lbas: range) -> None:
    """The managing host reads from one SSD and writes to the other."""
    for lba in lbas:
        buffer, other = source.take(), destination.take()
        assert status(source, do.read(buffer, lba, 1), qid=1) == SUCCESS
        destination.space.write(other, bytes_of(source, buffer))
        assert status(destination, do.write(other, lba, 1), qid=1) == SUCCESS


def move_guest(source: Host, destination: Host) -> Ring:
    """Copy the guest's memory; gives its I/O ring, which goes on where it was."""
    destination.space.write(0, source.space.read(0, GUEST_BYTES))
    here = source.io
    there = Ring(destination, 1, here.entries, here.sq, here.cq)
    there.submitted, there.reaped = here.submitted, here.reaped
    return there


@pytest.mark.parametrize("habits", HABITS)
@pytest.mark.parametrize("before", [0, 14, 15, 16])
def test_the_reference_clients_sequence_moves_a_controller_with_a_read_under_way(
    before: int, habits: str
) -> None:
    source = ready(entries=16, habits=HABITS[habits])
    destination = destination_of(source)
    mmc, guest = source.x, source.y
    # The guest's rings stand before, at and behind their wrap, then.
    for _ in range(before):
        assert status(guest, raw(0x00, nsid=1), qid=1) == SUCCESS

    # Queue, start, one block written, stop: the queue tells of the block and of the stop.
    queue = Queue(mmc, SLOTS, Y)
    assert status(mmc, do.start_logging(queue.cdqid)) == SUCCESS
    buffer = guest.take()
    guest.space.write_stamps(buffer, [SENTINEL])
    written = bytes_of(guest, buffer)
    assert status(guest, do.write(buffer, 0, 1), qid=1) == SUCCESS
    assert status(mmc, do.stop_logging(queue.cdqid)) == SUCCESS
    *told, last = queue.poll()
    assert [entry.esa for entry in told] in ([FIRST], [FIRST, ORDINARY])
    assert last.esa == STOPPED
    assert queue.tell() == SUCCESS
    for entry in told:
        copy_blocks(mmc, destination.x, entry.lbas)

    # Start again, suspend, and let the queue go with it.
    assert status(mmc, do.start_logging(queue.cdqid)) == SUCCESS
    assert status(mmc, do.suspend(Y, dudmq=1)) == SUCCESS

    # A read that is submitted now does not complete.
    buffer = guest.take()
    guest.space.write(buffer, b"\xff" * PAGE)
    (read,) = guest.io.submit(do.read(buffer, 0, 1))
    source.engine.run()
    assert guest.io.look() is None

    # The entries are there though the queue is gone; none of them has a range.
    *first, marker = queue.poll()
    assert [entry.esa for entry in first] in ([], [FIRST])
    assert marker.esa == SUSPENDED
    assert all(entry.lbacir == 0b10 for entry in (*first, marker))
    assert queue.tell() == do.INVALID_CONTROLLER_DATA_QUEUE

    # The state, out of one controller and into the other.
    taken = mmc.take()
    assert answer(mmc, do.get_state(taken, Y)) == (SUCCESS, 1)
    there = destination.x.take()
    destination.x.space.write(there, bytes_of(mmc, taken))
    assert status(destination.x, do.suspend(Y)) == SUCCESS
    assert status(destination.x, do.set_state(there, Y, PAGE // 4)) == SUCCESS
    ring = move_guest(guest, destination.y)
    destination.engine.run()
    assert ring.look() is None

    # It resumes, and the read completes there, with what was written here.
    assert status(destination.x, do.resume(Y)) == SUCCESS
    (cqe,) = ring.reap()
    dw3 = int.from_bytes(CQE.pack(*cqe)[12:], "little")
    assert (dw3 & 0xFFFF, dw3 >> 17 & 0x7FF) == (read, SUCCESS)
    assert bytes_of(destination.y, buffer) == written
    assert guest.io.look() is None
