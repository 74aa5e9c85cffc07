"""Copy: ranges of a namespace to another place of it, all or none."""

import pytest

from nvmelm_lab.nvme import Status, commands, pack_copy_ranges
from nvmelm_lab.nvme.codes import BROADCAST_NSID
from nvmelm_lab.nvme.identify import IdentifyNamespace
from nvmelm_lab.nvme.pages import unpack_page
from nvmelm_lab.ssd.io_copy import LONGEST_RANGE, MOST_BLOCKS, MOST_RANGES
from tests.ssd import by_hand
from tests.ssd.door import MEMORY, Bench, Y, raw, ready, status_of
from tests.ssd.mq import entry_bytes


@pytest.fixture
def bench() -> Bench:
    bench = ready(blocks=64)
    assert bench.y.write_blocks(10, [1, 2, 3, 4]) == Status.SUCCESS
    return bench


def copy(bench: Bench, destination: int, *ranges: tuple[int, int], nsid: int = 1) -> Status:
    """Copy; of one that fails DW0 must say that nothing was copied."""
    address = bench.y.take()
    bench.y.space.write(address, pack_copy_ranges(ranges))
    cqe = bench.y.io.run(commands.copy(0, nsid, destination, len(ranges), address))
    assert cqe.dw0 == 0
    return status_of(cqe)


def allocated(bench: Bench) -> list[int]:
    status = bench.y.lba_status()
    assert not isinstance(status, Status)
    return [d.slba + n for d in status.descriptors for n in range(d.blocks)]


def test_one_range_is_copied(bench: Bench) -> None:
    assert copy(bench, 30, (10, 4)) == Status.SUCCESS
    assert bench.y.read_blocks(29, 6) == [0, 1, 2, 3, 4, 0]
    assert bench.y.read_blocks(10, 4) == [1, 2, 3, 4]


def test_ranges_follow_each_other_in_the_order_of_the_list(bench: Bench) -> None:
    assert copy(bench, 30, (13, 1), (10, 2), (20, 1), (12, 1)) == Status.SUCCESS
    assert bench.y.read_blocks(30, 5) == [4, 1, 2, 0, 3]


def test_the_same_range_may_be_copied_twice(bench: Bench) -> None:
    assert copy(bench, 30, (10, 2), (10, 2)) == Status.SUCCESS
    assert bench.y.read_blocks(30, 4) == [1, 2, 1, 2]


def test_what_is_copied_to_is_allocated_even_if_zeros_are_copied(bench: Bench) -> None:
    assert copy(bench, 30, (20, 2)) == Status.SUCCESS
    assert allocated(bench) == [10, 11, 12, 13, 30, 31]


@pytest.mark.parametrize("destination", [8, 9, 10, 11, 12])
def test_a_destination_that_overlaps_its_source_gets_what_was_there_before(
    bench: Bench, destination: int
) -> None:
    assert copy(bench, destination, (10, 4)) == Status.SUCCESS
    assert bench.y.read_blocks(destination, 4) == [1, 2, 3, 4]


def test_no_range_gets_what_an_earlier_one_has_written(bench: Bench) -> None:
    assert copy(bench, 11, (10, 1), (11, 1), (12, 1)) == Status.SUCCESS
    assert bench.y.read_blocks(10, 4) == [1, 1, 2, 3]


def test_an_unreadable_source_block_ends_it_and_nothing_is_copied(bench: Bench) -> None:
    bench.y.io.status(commands.write_uncorrectable(0, 1, 12, 1))
    assert copy(bench, 30, (10, 2), (12, 2)) == Status.UNRECOVERED_READ_ERROR
    assert bench.y.read_blocks(30, 4) == [0] * 4
    assert 30 not in allocated(bench)


def test_an_unreadable_destination_becomes_readable(bench: Bench) -> None:
    bench.y.io.status(commands.write_uncorrectable(0, 1, 30, 2))
    assert copy(bench, 30, (10, 1)) == Status.SUCCESS
    assert bench.y.read_blocks(30, 1) == [1]
    assert bench.y.read_blocks(31, 1) == Status.UNRECOVERED_READ_ERROR


@pytest.mark.parametrize(
    ("destination", "ranges"),
    [
        (64, [(0, 1)]),
        (63, [(0, 2)]),
        (63, [(0, 1), (1, 1)]),
        (0, [(64, 1)]),
        (0, [(1, 1), (63, 2)]),
        (1 << 40, [(0, 1)]),
        (0, [((1 << 64) - 1, 1)]),
    ],
)
def test_a_range_past_the_end_is_refused_and_nothing_is_copied(
    bench: Bench, destination: int, ranges: list[tuple[int, int]]
) -> None:
    before = [bench.y.read_blocks(0, 64), allocated(bench)]
    assert copy(bench, destination, *ranges) == Status.LBA_OUT_OF_RANGE
    assert [bench.y.read_blocks(0, 64), allocated(bench)] == before


def test_as_much_as_identify_says_is_copied_and_no_more() -> None:
    bench = ready(blocks=4096)
    address = bench.y.take()
    assert by_hand.answer(bench.y, by_hand.identify(address, 0, nsid=1)) == (0, 0)
    page = unpack_page(IdentifyNamespace, bench.y.space.read(address, 4096))
    assert (page.mssrl, page.mcl, page.msrc) == (LONGEST_RANGE, MOST_BLOCKS, MOST_RANGES - 1)
    assert copy(bench, 2048, (0, page.mssrl)) == Status.SUCCESS
    assert copy(bench, 2048, (0, page.mssrl + 1)) == Status.SIZE_LIMIT_EXCEEDED
    full = [(0, page.mssrl)] * (page.mcl // page.mssrl)
    assert copy(bench, 2048, *full) == Status.SUCCESS
    assert copy(bench, 2048, *full, (0, 1)) == Status.SIZE_LIMIT_EXCEEDED
    many = [(0, 1)] * (page.msrc + 1)
    assert copy(bench, 2048, *many) == Status.SUCCESS
    assert copy(bench, 2048, *many, (0, 1)) == Status.SIZE_LIMIT_EXCEEDED


@pytest.mark.parametrize("form", [1, 2, 3, 4, 15])
def test_other_descriptor_formats_are_refused(bench: Bench, form: int) -> None:
    sqe = raw(0x19, nsid=1, prp1=bench.y.take(), cdw10=30, cdw12=form << 8)
    assert bench.y.io.status(sqe) == Status.INVALID_FIELD


@pytest.mark.parametrize(
    ("nsid", "status"),
    [
        (0, Status.INVALID_NAMESPACE_OR_FORMAT),
        (2, Status.INVALID_FIELD),
        (129, Status.INVALID_NAMESPACE_OR_FORMAT),
        (BROADCAST_NSID, Status.INVALID_NAMESPACE_OR_FORMAT),
    ],
)
def test_a_namespace_that_is_not_active_is_refused(bench: Bench, nsid: int, status: Status) -> None:
    assert copy(bench, 30, (10, 1), nsid=nsid) == status


@pytest.mark.parametrize(
    ("prp1", "status"), [(MEMORY, Status.DATA_TRANSFER_ERROR), (0x1002, Status.PRP_OFFSET_INVALID)]
)
def test_a_list_that_cannot_be_read_is_refused(bench: Bench, prp1: int, status: Status) -> None:
    assert bench.y.io.status(commands.copy(0, 1, 30, 1, prp1)) == status


def test_only_the_destination_is_told_of_and_as_one_range(bench: Bench) -> None:
    queue = bench.x.make_mq(8)
    queue.start()
    assert copy(bench, 30, (10, 2), (20, 3)) == Status.SUCCESS
    assert copy(bench, 31, (10, 1)) == Status.SUCCESS
    assert queue.slot(0) == entry_bytes(1, 30, 5, 0x03)
    assert queue.slot(1) == entry_bytes(1, 31, 1, 0x01)


def test_a_copy_that_is_refused_is_not_told_of(bench: Bench) -> None:
    queue = bench.x.make_mq(8)
    queue.start()
    bench.y.io.status(commands.write_uncorrectable(0, 1, 20, 1))
    queue.take()
    assert copy(bench, 30, (20, 1)) == Status.UNRECOVERED_READ_ERROR
    assert copy(bench, 64, (10, 1)) == Status.LBA_OUT_OF_RANGE
    assert queue.take() == []


def test_each_controller_copies_within_its_own_namespaces(bench: Bench) -> None:
    bench.detach(1, Y)
    assert copy(bench, 30, (10, 1)) == Status.INVALID_FIELD
