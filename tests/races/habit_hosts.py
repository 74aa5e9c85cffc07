"""Hosts that take one habit of an SSD for a rule of the standard, each a short program of commands by hand.

Given an SSD's habits each tells what went wrong, in a word; empty: nothing.  `test_freedoms.py` holds that each
fails under one option of one freedom and under no other.
"""

from __future__ import annotations

from struct import pack

from nvmelm_lab.engine import Random
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import (
    Completeness,
    LbaStatusAction,
    LogAction,
    MemoryRange,
    Property,
    Status,
    commands,
    pack_tracking_request,
    unpack_changes_report,
)
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.lba_status import unpack_lba_status
from nvmelm_lab.ssd import Habits
from tests.ssd.door import Bench, Ring, Y, ready, status_of

SEEDS = range(24)


def sends_a_mark_through_the_log(habits: Habits) -> str:
    """The guest deallocates a block that holds nothing, so that its entry marks a place in the log."""
    bench = ready(habits=habits)
    queue = bench.x.make_mq(16)
    queue.start()
    bench.y.write_blocks(0, [1])
    bench.y.deallocate((63, 1))
    told = {lba for entry in queue.take() for lba in range(entry.slba, entry.slba + entry.blocks)}
    whole = any(entry.change == 1 for entry in queue.look())
    return "" if 63 in told or whole else "the mark never came"


def counts_an_entry_for_each_range(habits: Habits) -> str:
    """Of two ranges that were deallocated there must be two entries."""
    bench = ready(habits=habits)
    queue = bench.x.make_mq(16)
    queue.start()
    bench.y.write_blocks(0, [1] * 4)
    queue.take()
    bench.y.deallocate((0, 2), (2, 2))
    entries = queue.take()
    return "" if len(entries) == 2 else f"{len(entries)} entries for 2 ranges"


def counts_an_entry_for_each_command(habits: Habits) -> str:
    """Of each write there must be an entry with a range."""
    for seed in SEEDS:
        bench = ready(Random(seed), habits=habits)
        queue = bench.x.make_mq(32)
        queue.start()
        bench.y.io.submit(*(commands.write_zeroes(0, 1, lba, 1) for lba in range(4)))
        bench.engine.run()
        entries = [entry for entry in queue.take() if entry.blocks]
        if len(entries) != 4:
            return f"{len(entries)} entries for 4 commands"
    return ""


def takes_what_was_submitted_before_for_unlogged(habits: Habits) -> str:
    """By the time Track Send has completed, whatever was submitted before it is taken to have ended untold."""
    for seed in SEEDS:
        bench = ready(Random(seed), habits=habits)
        queue = bench.x.make_mq(32)
        writes = [commands.write_zeroes(0, 1, lba, 1) for lba in range(4)]
        *_, behind = bench.y.io.submit(*writes, commands.flush(0, 1))
        # They were fetched, for the Flush behind them has completed.
        _run_until(bench.y.io, behind)
        queue.start()
        told = {entry.slba for entry in queue.take() if entry.blocks}
        if told:
            return f"there is an entry of a command submitted before: LBA {min(told)}"
    return ""


def resumes_by_a_reset(habits: Habits) -> str:
    """After a failure the MMC is reset; suspended controllers are taken to run again once they are online."""
    bench = ready(habits=habits)
    bench.x.suspend(Y)
    bench.x.write(Property.CC, 0)
    bench.x.enable()
    bench.online(bench.y)
    bench.y.enable()
    bench.y.admin.submit(commands.get_number_of_queues(0))
    bench.engine.run()
    return "" if bench.y.admin.reap() else "the controller is still suspended"


def makes_room_when_queues_run_out(habits: Habits) -> str:
    """At Not Enough Resources a queue is deleted and the command repeated; any other status is a bug of its own."""
    bench = Bench(habits=habits, secondary=[f"S{number}" for number in range(17)])
    bench.x.enable()
    cdqids = [bench.x.make_mq(8, target).cdqid for target in range(2, 18)]
    create = lm.create_cdq(0, bench.x.take(), 64, 18)
    status = bench.x.admin.status(create)
    if status == Status.NOT_ENOUGH_RESOURCES:
        bench.x.admin.status(lm.delete_cdq(0, cdqids[0]))
        status = bench.x.admin.status(create)
    return "" if status == Status.SUCCESS else status.title


def _track(bench: Bench, exponent: int, *ranges: MemoryRange) -> Status:
    address = bench.x.take()
    bench.x.space.write(address, pack_tracking_request(exponent, ranges))
    return bench.x.admin.status(lm.track_memory(0, Y, True, address))


def tracks_page_by_page(habits: Habits) -> str:
    """All memory is to be tracked in the finest granularity; what else would be possible is not looked at."""
    bench = ready(habits=habits)
    status = _track(bench, 0, MemoryRange(0, bench.y.space.size // PAGE_BYTES))
    return "" if status == Status.SUCCESS else status.title


def tracks_three_pages(habits: Habits) -> str:
    """A range is as long as the buffer that it covers; whether lengths are limited (MRTLL) is not looked at."""
    status = _track(ready(habits=habits), 0, MemoryRange(0, 3))
    return "" if status == Status.SUCCESS else status.title


def reads_lengths_as_it_asked_for_them(habits: Habits) -> str:
    """Lengths in the report are taken in granules of the size that was asked for."""
    bench = ready(habits=habits)
    buffer = bench.y.take(4 * PAGE_BYTES)
    assert _track(bench, 0, MemoryRange(buffer, 4)) == Status.SUCCESS
    prp1, prp2 = bench.y.prp(buffer, 4 * PAGE_BYTES)
    assert bench.y.io.status(commands.read(0, 1, 0, 4, prp1, prp2)) == Status.SUCCESS
    address = bench.x.take()
    assert bench.x.admin.status(lm.track_receive(0, Y, 1024, address)) == Status.SUCCESS
    report = unpack_changes_report(bench.x.space.read(address, PAGE_BYTES))
    copied = {each.address // PAGE_BYTES + n for each in report.ranges for n in range(each.granules)}
    stale = {buffer // PAGE_BYTES + n for n in range(4)} - copied
    return f"{len(stale)} pages are stale" if stale else ""


def takes_an_abort_for_the_end(habits: Habits) -> str:
    """Once an Abort has completed, the buffer of the aborted write is used for something else."""
    for seed in range(60):
        bench = ready(Random(seed), habits=habits)
        y = bench.y
        address = y.take()
        y.space.write_stamps(address, [1])
        written, flushed = y.io.submit(commands.write(0, 1, 5, 1, address), commands.flush(0, 1))
        _run_until(y.io, flushed)
        (aborted,) = y.admin.submit(commands.abort(0, 1, written))
        _run_until(y.admin, aborted)
        y.space.write_stamps(address, [2])
        bench.engine.run()
        if y.read_blocks(5, 1) == [2]:
            return "LBA 5 holds 2, which was never written there"
    return ""


def _run_until(ring: Ring, cid: int) -> None:
    while cid not in ring.unread:
        ring.host.bench.engine.advance(1)
        ring.reap()


def passes_over_entries_without_a_range(habits: Habits) -> str:
    """Only entries that name a range are taken to tell of a change."""
    bench = ready(blocks=64, habits=habits)
    bench.y.write_blocks(0, [1])
    queue = bench.x.make_mq(16)
    queue.start()
    assert bench.y.admin.status(commands.format_nvm(0, 1)) == Status.SUCCESS
    told = {entry.slba + n for entry in queue.take() for n in range(entry.blocks)}
    return "" if len(told) == 64 else f"of 64 blocks that were formatted {len(told)} are copied"


def scans_first_and_asks_later(habits: Habits) -> str:
    """A scan for blocks that cannot be read runs ahead of time; in the end those that are tracked are asked for."""
    bench = ready(habits=habits)
    bench.y.write_blocks(3, [1])
    bench.ssd.namespaces[1].damage(3, 1)
    found = []
    for action in (LbaStatusAction.SCAN, LbaStatusAction.TRACKED):
        address = bench.x.take()
        assert bench.x.admin.status(lm.get_lba_status(0, 1, 0, 0, 100, action, address)) == Status.SUCCESS
        found.append(unpack_lba_status(bench.x.space.read(address, PAGE_BYTES)).descriptors)
    return "" if found[1] == found[0] else "LBA 3 is not marked as unreadable"


def finds_the_stop_marker_at_once(habits: Habits) -> str:
    """When the Track Send has completed its marker is taken to be in memory."""
    for seed in SEEDS:
        bench = ready(Random(seed), habits=habits)
        queue = bench.x.make_mq(16)
        queue.start()
        bench.y.write_blocks(0, [1])
        (cid,) = bench.x.admin.submit(lm.track_send(0, queue.cdqid, LogAction.STOP))
        _run_until(bench.x.admin, cid)
        if not any(entry.esa == 2 for entry in queue.look()):
            return "no entry says that logging was stopped"
    return ""


def knows_the_first_queues_number(habits: Habits) -> str:
    """The first Migration Queue is taken to have the identifier 0, whatever the completion said."""
    bench = ready(habits=habits)
    bench.x.make_mq(16)
    status = bench.x.admin.status(lm.track_send(0, 0, LogAction.START))
    return "" if status == Status.SUCCESS else status.title


def goes_on_only_when_told_so(habits: Habits) -> str:
    """The list of allocated blocks is taken to be whole unless it says that it is not."""
    bench = ready(habits=habits)
    for lba in range(0, 8, 2):
        bench.y.write_blocks(lba, [lba + 1])
    found: set[int] = set()
    slba = 0
    while True:
        address = bench.x.take()
        sqe = lm.get_lba_status(0, 1, slba, 0, 2 + 2 * 4, LbaStatusAction.ALLOCATED, address)
        assert bench.x.admin.status(sqe) == Status.SUCCESS
        status = unpack_lba_status(bench.x.space.read(address, PAGE_BYTES))
        found |= {each.slba for each in status.descriptors}
        if status.completeness != Completeness.INCOMPLETE:
            break
        slba = max(found) + 1
    missed = {0, 2, 4, 6} - found
    return f"LBA {min(missed)} is not copied" if missed else ""


def reads_reserved_bytes_as_zeros(habits: Habits) -> str:
    """Of the structure that Get Features 21h returns all 512 bytes are looked at; the buffer was not cleared."""
    bench = ready(habits=habits)
    queue = bench.x.make_mq(16)
    address = bench.x.take()
    bench.x.space.write(address, b"\xff" * 512)
    bench.x.admin.run(lm.get_cdq_feature(0, queue.cdqid, address))
    data = bench.x.space.read(address, 512)
    return (
        "" if data == pack("<II", 0, 0).ljust(512, b"\0") else "not all bytes of the structure were written"
    )


def retries_what_may_be_retried(habits: Habits) -> str:
    """A command that failed is repeated unless the completion says that it would fail again."""
    bench = ready(habits=habits)
    for _ in range(20):
        cqe = bench.x.admin.run(lm.resume(0, Y))
        if status_of(cqe) == Status.SUCCESS or cqe.status_word >> 15:
            return ""
    return "still retrying to resume what is not suspended"
