"""What the Migration Queue tells: entries byte for byte, markers, wrap, phase, full, and in which order."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import Status, commands, pack_ranges
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import LogAction
from nvmelm_lab.ssd import Habits
from tests.ssd.door import Bench, Y, ready, status_of
from tests.ssd.mq import MigrationQueue, entry_bytes

FIRST, STOPPED, SUSPENDED, FULL = 1, 2, 3, 7


def logged(
    slots: int = 16, schedule: Random | None = None, habits: Habits | None = None
) -> tuple[Bench, MigrationQueue]:
    bench = ready(schedule, blocks=1024, habits=habits)
    queue = bench.x.make_mq(slots)
    assert queue.start() == Status.SUCCESS
    return bench, queue


def zeroes(slba: int, blocks: int = 1, *, deallocate: bool = False) -> bytes:
    return commands.write_zeroes(0, 1, slba, blocks, deallocate)


def until(bench: Bench, condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        bench.engine.advance(1)
    raise AssertionError("it never came to that")


# -- bytes ------------------------------------------------------------------------------------------------


def test_a_write_of_eight_blocks_is_the_entry_of_the_facts() -> None:
    bench, queue = logged()
    bench.y.io.status(zeroes(0x55))
    bench.y.io.status(zeroes(0x100, 8))
    assert queue.slot(1) == bytes.fromhex("0100000007000000 0001000000000000") + bytes(15) + b"\x01"


def test_the_first_entry_carries_its_range_and_says_that_it_is_the_first() -> None:
    bench, queue = logged()
    bench.y.write_blocks(5, [1, 2])
    bench.y.write_blocks(7, [3])
    assert queue.slot(0) == entry_bytes(1, 5, 2, 0x03)
    assert queue.slot(1) == entry_bytes(1, 7, 1, 0x01)


def test_a_deallocation_says_so() -> None:
    bench, queue = logged()
    bench.y.write_blocks(0, [1])
    bench.y.deallocate((0, 1))
    assert queue.slot(1) == entry_bytes(1, 0, 1, 0x21)


@pytest.mark.parametrize(
    ("sqe", "attributes"),
    [
        (commands.write(0, 1, 9, 3, 0x1000, 0), 0x01),
        (zeroes(9, 3), 0x01),
        (zeroes(9, 3, deallocate=True), 0x21),
        (commands.write_uncorrectable(0, 1, 9, 3), 0x01),
    ],
    ids=["write", "write zeroes", "write zeroes, deallocate", "write uncorrectable"],
)
def test_whatever_changes_blocks_is_told_of(sqe: bytes, attributes: int) -> None:
    bench, queue = logged()
    address = bench.y.take(3 * 4096)
    bench.y.io.status(zeroes(0))
    if sqe[0] == 1:
        sqe = commands.write(0, 1, 9, 3, *bench.y.prp(address, 3 * 4096))
    assert bench.y.io.status(sqe) == Status.SUCCESS
    assert queue.slot(1) == entry_bytes(1, 9, 3, attributes)


def test_each_range_of_a_dataset_management_command_has_its_entry() -> None:
    bench, queue = logged()
    bench.y.io.status(zeroes(0, 64))
    bench.y.deallocate((3, 2), (30, 1), (8, 8))
    assert [queue.slot(n) for n in (1, 2, 3)] == [
        entry_bytes(1, 3, 2, 0x21),
        entry_bytes(1, 30, 1, 0x21),
        entry_bytes(1, 8, 8, 0x21),
    ]


@pytest.mark.parametrize(
    "sqe",
    [
        commands.read(0, 1, 0, 1, 0x1000),
        commands.flush(0, 1),
        zeroes(1024),
        commands.write(0, 1, 0, 1, 0x1001),
        commands.write_uncorrectable(0, 7, 0, 1),
    ],
    ids=["read", "flush", "out of range", "bad pointer", "bad namespace"],
)
def test_what_changes_nothing_is_not_told_of(sqe: bytes) -> None:
    bench, queue = logged()
    bench.y.io.status(sqe)
    assert queue.take() == []


def test_zeros_written_over_zeros_are_told_of() -> None:
    bench, queue = logged(habits=Habits(no_change="not logged"))
    bench.y.io.status(zeroes(4))
    bench.y.io.status(zeroes(4))
    assert [(entry.slba, entry.blocks) for entry in queue.take()] == [(4, 1), (4, 1)]


def test_a_hint_without_deallocation_is_not_told_of() -> None:
    bench, queue = logged()
    address = bench.y.take()
    bench.y.space.write(address, pack_ranges([(0, 4)]))
    bench.y.io.status(commands.dataset_management(0, 1, 1, address, deallocate=False))
    assert queue.take() == []


def test_changes_of_every_namespace_of_the_target_are_told_of_by_nsid() -> None:
    bench, queue = logged()
    nsid = bench.create_namespace(8)
    bench.attach(nsid, Y)
    bench.y.write_blocks(3, [1], nsid)
    assert [(entry.nsid, entry.slba) for entry in queue.take()] == [(nsid, 3)]


# -- ring -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slots", [2, 3, 8])
def test_the_phase_inverts_on_each_lap(slots: int) -> None:
    bench, queue = logged(slots + 1)
    tags = []
    for lba in range(4 * (slots + 1)):
        bench.y.io.status(zeroes(lba))
        tags += [entry.phase for entry in queue.take()]
    lap = slots + 1
    assert tags == [1] * lap + [0] * lap + [1] * lap + [0] * lap


def test_a_queue_of_n_slots_holds_n_minus_one_entries_and_the_last_says_full() -> None:
    bench, queue = logged(5)
    for lba in range(10):
        assert bench.y.io.status(zeroes(lba)) == Status.SUCCESS
    entries = queue.look()
    assert [(entry.slba, entry.esa, entry.blocks) for entry in entries] == [
        (0, FIRST, 1),
        (1, 0, 1),
        (2, 0, 1),
        (3, FULL, 1),
    ]
    assert queue.slot(3) == entry_bytes(1, 3, 1, 0x0F)
    assert queue.slot(4) == bytes(32)


def test_room_made_later_does_not_bring_logging_back_but_a_start_does() -> None:
    bench, queue = logged(3)
    for lba in range(4):
        bench.y.io.status(zeroes(lba))
    assert [entry.esa for entry in queue.take()] == [FIRST, FULL]
    bench.y.io.status(zeroes(9))
    assert queue.take() == []
    assert queue.start() == Status.SUCCESS
    bench.y.io.status(zeroes(10))
    assert [(entry.slba, entry.esa) for entry in queue.take()] == [(10, FIRST)]


@pytest.mark.parametrize("seed", range(20))
def test_nothing_comes_behind_the_entry_that_says_full(seed: int) -> None:
    bench, queue = logged(4, Random(seed))
    bench.y.io.submit(*(zeroes(lba) for lba in range(12)))
    until(bench, lambda: not bench.ssd.migration_queues[0].logging)
    entries = queue.take()
    bench.engine.run()
    entries += queue.take()
    assert [entry.esa for entry in entries] == [FIRST, 0, FULL]


def test_stopping_after_the_queue_was_full_posts_no_marker() -> None:
    bench, queue = logged(3)
    for lba in range(3):
        bench.y.io.status(zeroes(lba))
    queue.take()
    assert queue.stop() == Status.SUCCESS
    assert queue.take() == []


@pytest.mark.parametrize("marker", [STOPPED, SUSPENDED])
def test_a_marker_that_fills_the_queue_says_full_instead(marker: int) -> None:
    bench, queue = logged(3)
    bench.y.io.status(zeroes(1))
    assert (queue.stop() if marker == STOPPED else bench.x.suspend()) == Status.SUCCESS
    assert queue.slot(1) == entry_bytes(0, 0, 0, 0x8F)


def test_a_marker_finds_no_room_in_a_full_queue_which_stays_full() -> None:
    bench, queue = logged(3)
    for lba in range(2):
        bench.y.io.status(zeroes(lba))
    assert bench.x.suspend() == Status.SUCCESS
    assert queue.slot(2) == bytes(32)
    assert bench.ssd.migration_queues[0].used == 2


# -- markers ----------------------------------------------------------------------------------------------


def test_stopping_posts_a_marker_and_nothing_more() -> None:
    bench, queue = logged()
    bench.y.io.status(zeroes(1))
    assert queue.stop() == Status.SUCCESS
    bench.y.io.status(zeroes(2))
    assert [entry.esa for entry in queue.look()] == [FIRST, STOPPED]
    assert queue.slot(1) == entry_bytes(0, 0, 0, 0x85)


def test_suspending_posts_a_marker() -> None:
    bench, queue = logged()
    bench.x.suspend()
    assert queue.slot(0) == entry_bytes(0, 0, 0, 0x87)


def test_suspending_twice_posts_one_marker() -> None:
    bench, queue = logged()
    bench.x.suspend()
    bench.x.suspend()
    assert [entry.esa for entry in queue.take()] == [SUSPENDED]


def test_suspending_a_target_that_is_not_logged_posts_nothing() -> None:
    bench = ready()
    queue = bench.x.make_mq(8)
    bench.x.suspend()
    assert queue.look() == []


def test_after_resume_at_the_source_logging_goes_on_and_says_so() -> None:
    bench, queue = logged()
    bench.y.io.status(zeroes(1))
    for lba in (2, 3):
        bench.x.suspend()
        bench.x.resume()
        bench.y.io.status(zeroes(lba))
        bench.y.io.status(zeroes(lba + 10))
    assert [(entry.slba, entry.esa) for entry in queue.take()] == [
        (1, FIRST),
        (0, SUSPENDED),
        (2, FIRST),
        (12, 0),
        (0, SUSPENDED),
        (3, FIRST),
        (13, 0),
    ]


def test_suspending_with_deletion_leaves_the_marker_in_memory_and_no_queue() -> None:
    bench, queue = logged()
    bench.y.io.status(zeroes(1))
    assert bench.x.suspend(delete_queue=True) == Status.SUCCESS
    assert [entry.esa for entry in queue.look()] == [FIRST, SUSPENDED]
    assert queue.tell() == Status.INVALID_CONTROLLER_DATA_QUEUE
    assert bench.x.resume() == Status.SUCCESS
    bench.y.io.status(zeroes(2))
    assert queue.look() == []


def test_suspending_again_with_deletion_deletes() -> None:
    bench, queue = logged()
    bench.x.suspend()
    assert bench.x.suspend(delete_queue=True) == Status.SUCCESS
    assert [entry.esa for entry in queue.look()] == [SUSPENDED]
    assert queue.tell() == Status.INVALID_CONTROLLER_DATA_QUEUE


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("order", ["entry first", "completion first", "open"])
def test_the_stop_marker_stands_behind_every_change_that_took_effect_before(seed: int, order: str) -> None:
    bench, queue = logged(64, Random(seed), habits=Habits(entry_order=order))
    bench.y.io.submit(*(zeroes(lba) for lba in range(8)))
    bench.engine.advance(4 + seed)
    (cid,) = bench.x.admin.submit(lm.track_send(0, queue.cdqid, LogAction.STOP))
    until(bench, lambda: not bench.ssd.migration_queues[0].logging)
    changed = allocated(bench)
    bench.engine.run()
    bench.x.admin.reap()
    assert status_of(bench.x.admin.unread[cid][0]) == Status.SUCCESS
    entries = queue.take()
    assert entries[-1].esa == STOPPED
    assert sorted(entry.slba for entry in entries[:-1]) == changed


def allocated(bench: Bench) -> list[int]:
    """What holds data now, looked up beside the door: no command may run in this very moment."""
    ranges = bench.ssd.namespaces[1].allocated_ranges(0, 1024, 1024)
    return [slba + n for slba, blocks in ranges for n in range(blocks)]


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("order", ["entry first", "completion first", "open"])
def test_the_suspend_marker_stands_behind_all_entries_of_commands_in_flight(seed: int, order: str) -> None:
    bench, queue = logged(64, Random(seed), habits=Habits(entry_order=order))
    cids = bench.y.io.submit(*(zeroes(lba) for lba in range(8)))
    bench.engine.advance(3 + seed)
    assert bench.x.suspend() == Status.SUCCESS
    done = [cqe.cid for cqe in bench.y.io.reap()]
    entries = queue.take()
    assert entries[-1].esa == SUSPENDED
    assert (
        sorted(entry.slba for entry in entries[:-1])
        == allocated(bench)
        == sorted(cid - cids[0] for cid in done)
    )
    bench.engine.run()
    assert bench.y.io.look() is None
    assert queue.take() == []


@pytest.mark.parametrize("seed", range(10))
def test_a_queue_deleted_while_a_stop_waits_gets_no_marker_nor_does_one_of_the_same_id(seed: int) -> None:
    bench, queue = logged(16, Random(seed))
    bench.y.io.submit(*(zeroes(lba) for lba in range(6)))
    until(bench, lambda: bench.ssd.migration_queues[0].decided > 2)
    bench.x.admin.submit(lm.track_send(0, queue.cdqid, LogAction.STOP))
    until(bench, lambda: not bench.ssd.migration_queues[0].logging)
    bench.ssd.delete_migration_queue(0)
    seen = bench.x.space.read(queue.base, 16 * 32)
    again = bench.x.take()
    bench.x.admin.submit(lm.create_cdq(0, again, 128, Y))
    bench.engine.run()
    assert bench.x.space.read(queue.base, 16 * 32) == seen
    assert bench.x.space.read(again, 16 * 32) == bytes(16 * 32)


@pytest.mark.parametrize("seed", range(20))
def test_a_queue_can_be_deleted_in_three_ways_at_once(seed: int) -> None:
    bench, queue = logged(16, Random(seed))
    bench.y.io.submit(*(zeroes(lba) for lba in range(4)))
    sqes = lm.suspend(0, Y, True), lm.suspend(0, Y, True), lm.delete_cdq(0, queue.cdqid)
    cids = bench.x.admin.submit(*sqes)
    bench.engine.run()
    bench.x.admin.reap()
    answers = [status_of(bench.x.admin.unread[cid][0]) for cid in cids]
    assert answers[:2] == [Status.SUCCESS] * 2
    assert answers[2] in (Status.SUCCESS, Status.INVALID_CONTROLLER_DATA_QUEUE)
    assert not bench.ssd.migration_queues


@pytest.mark.parametrize("seed", range(30))
def test_a_start_that_overtakes_a_waiting_stop_leaves_no_marker_in_the_middle(seed: int) -> None:
    bench, queue = logged(64, Random(seed))
    bench.y.io.submit(*(zeroes(lba) for lba in range(6)))
    until(bench, lambda: bench.ssd.migration_queues[0].decided > bench.ssd.migration_queues[0].told.level)
    bench.x.admin.submit(
        lm.track_send(0, queue.cdqid, LogAction.STOP), lm.track_send(0, queue.cdqid, LogAction.START)
    )
    bench.engine.run()
    bench.x.admin.reap()
    logging = bench.ssd.migration_queues[0].logging
    bench.y.io.status(zeroes(20))
    entries = queue.take()
    assert (entries[-1].slba == 20) == logging
    for entry, following in pairwise(entries):
        assert entry.esa != STOPPED or following.esa == FIRST
