"""The derived check list, rows T and L: what Track Send has logged, and Get LBA Status.  Facts E."""

import pytest

from nvmelm_lab.nvme.structs import CQE
from tests.ssd import by_hand as do
from tests.ssd.by_hand import (
    CONTROLLER_SUSPENDED,
    FIRST,
    FULL,
    HABITS,
    INVALID_CONTROLLER_DATA_QUEUE,
    ORDINARY,
    STOPPED,
    SUCCESS,
    Queue,
    bytes_of,
    number,
    status,
)
from tests.ssd.door import Bench, Y, ready


@pytest.fixture(params=HABITS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return ready(blocks=128, habits=HABITS[request.param])


def logging(bench: Bench, slots: int) -> Queue:
    queue = Queue(bench.x, slots, Y)
    assert status(bench.x, do.start_logging(queue.cdqid)) == SUCCESS
    return queue


def write(bench: Bench, slba: int, blocks: int = 1) -> None:
    """Y writes blocks, one page each at most."""
    for lba in range(slba, slba + blocks):
        assert status(bench.y, do.write(bench.y.take(), lba, 1), qid=1) == SUCCESS


def test_t1_logging_starts_once(bench: Bench) -> None:
    queue = Queue(bench.x, 8, Y)
    assert status(bench.x, do.start_logging(queue.cdqid)) == SUCCESS
    assert status(bench.x, do.start_logging(queue.cdqid)) == INVALID_CONTROLLER_DATA_QUEUE


def test_t2_logging_neither_starts_nor_stops_while_the_target_is_suspended(bench: Bench) -> None:
    queue = Queue(bench.x, 8, Y)
    assert status(bench.x, do.suspend(Y)) == SUCCESS
    assert status(bench.x, do.start_logging(queue.cdqid)) == CONTROLLER_SUSPENDED
    assert status(bench.x, do.stop_logging(queue.cdqid)) == CONTROLLER_SUSPENDED


@pytest.mark.parametrize("blocks", [1, 5, 64])
def test_t3_every_block_that_is_written_is_told_of(bench: Bench, blocks: int) -> None:
    queue = logging(bench, 8)
    assert status(bench.y, do.write_zeroes(40, blocks), qid=1) == SUCCESS
    entries = queue.poll()
    assert entries[0].esa == FIRST
    assert {entry.esa for entry in entries[1:]} <= {ORDINARY}
    assert {lba for entry in entries for lba in entry.lbas} >= set(range(40, 40 + blocks))
    assert all(entry.nsid == 1 for entry in entries if entry.lbas)


def test_t3_what_was_written_before_is_not_told_of(bench: Bench) -> None:
    write(bench, 9)
    queue = logging(bench, 8)
    write(bench, 3)
    assert {lba for entry in queue.poll() for lba in entry.lbas} == {3}


def test_t4_the_last_entry_says_that_logging_was_stopped(bench: Bench) -> None:
    queue = logging(bench, 8)
    write(bench, 0)
    assert status(bench.x, do.stop_logging(queue.cdqid)) == SUCCESS
    write(bench, 1)
    *told, last = queue.poll()
    assert {lba for entry in told for lba in entry.lbas} == {0}
    assert (last.esa, last.lbacir, last.nsid, last.nlb, last.slba) == (STOPPED, 0b10, 0, 0, 0)


def test_t5_the_entry_that_fills_the_queue_says_so_and_is_the_last(bench: Bench) -> None:
    queue = logging(bench, 4)
    for lba in range(6):
        write(bench, lba)
    assert [entry.esa for entry in queue.poll()] == [FIRST, ORDINARY, FULL]
    assert queue.slot(3) == bytes(32)
    assert queue.tell() == SUCCESS
    write(bench, 7)
    assert queue.poll() == []


def test_t5_a_full_queue_raises_one_event(bench: Bench) -> None:
    queue = logging(bench, 4)
    first, second = bench.x.admin.submit(do.async_event_request(), do.async_event_request())
    for lba in range(6):
        write(bench, lba)
    bench.x.admin.reap()
    (event,) = bench.x.admin.unread.pop(first)
    cqe = CQE.pack(*event)
    assert (number(cqe, 0, 3), number(cqe, 4, 7)) == (0x0000_0104, queue.cdqid)
    assert number(cqe, 14, 15) >> 1 == SUCCESS
    assert second not in bench.x.admin.unread


def test_t6_the_phase_tag_is_inverted_each_lap(bench: Bench) -> None:
    queue = logging(bench, 4)
    phases = []
    for lba in range(9):
        write(bench, lba)
        phases += [entry.cdqp for entry in queue.poll()]
        assert queue.tell() == SUCCESS
    assert len(phases) >= 9
    assert phases == [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1][: len(phases)]


# -- Get LBA Status ---------------------------------------------------------------------------------------

COMPLETE, INCOMPLETE, ALLOCATED = 2, 1, 0b010


def descriptors(
    bench: Bench, slba: int, blocks: int, *, dwords: int = 1024
) -> tuple[int, list[tuple[int, int, int]]]:
    """CMPC, and of each entry DSLBA, a plain count of LBAs, and LBARS."""
    address = bench.y.take()
    assert status(bench.y, do.get_lba_status(address, slba, blocks, dwords=dwords)) == SUCCESS
    data = bytes_of(bench.y, address)
    entries = [data[at : at + 16] for at in range(8, 8 + 16 * number(data, 0, 3), 16)]
    assert number(data, 5, 7) == 0
    assert all(entry[12] == entry[14] == entry[15] == 0 for entry in entries)
    return data[4], [(number(entry, 0, 7), number(entry, 8, 11) + 1, entry[13]) for entry in entries]


@pytest.mark.parametrize(
    ("slba", "blocks", "expected"),
    [(0, 64, (16, 8)), (0, 20, (16, 4)), (18, 2, (18, 2)), (20, 0, (20, 4))],
)
def test_l1_a_granule_of_which_a_part_was_written_is_reported_whole_within_the_range(
    slba: int, blocks: int, expected: tuple[int, int]
) -> None:
    bench = ready(granularity=8)
    write(bench, 17, 2)
    assert descriptors(bench, slba, blocks) == (COMPLETE, [(*expected, ALLOCATED)])


@pytest.mark.parametrize(
    ("dwords", "completeness", "count"), [(2, INCOMPLETE, 0), (6, INCOMPLETE, 1), (10, COMPLETE, 2)]
)
def test_l2_a_list_that_does_not_fit_says_that_it_is_incomplete(
    dwords: int, completeness: int, count: int
) -> None:
    bench = ready()
    write(bench, 3)
    write(bench, 9)
    found, entries = descriptors(bench, 0, 64, dwords=dwords)
    assert (found, entries) == (completeness, [(3, 1, ALLOCATED), (9, 1, ALLOCATED)][:count])
