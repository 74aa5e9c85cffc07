"""The I/O commands: what each does to the blocks, and which are refused."""

from collections.abc import Callable

import pytest

from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import Status, commands, pack_ranges
from nvmelm_lab.nvme.codes import BROADCAST_NSID
from nvmelm_lab.ssd import MAX_TRANSFER_BYTES
from tests.ssd.door import Bench, Y, raw, ready, status_of


def allocated(bench: Bench, nsid: int = 1) -> list[int]:
    status = bench.x.lba_status(nsid=nsid)
    assert not isinstance(status, Status)
    return [d.slba + n for d in status.descriptors for n in range(d.blocks)]


@pytest.fixture
def bench() -> Bench:
    return ready(blocks=64)


# -- Read, Write ------------------------------------------------------------------------------------------


def test_what_was_written_is_read_back(bench: Bench) -> None:
    assert bench.y.write_blocks(10, [1, 2, 3, 4]) == Status.SUCCESS
    assert bench.y.read_blocks(9, 6) == [0, 1, 2, 3, 4, 0]
    assert allocated(bench) == [10, 11, 12, 13]


def test_the_last_write_wins(bench: Bench) -> None:
    bench.y.write_blocks(10, [1, 2, 3, 4])
    bench.y.write_blocks(11, [7])
    bench.x.write_blocks(12, [8])
    assert bench.z.read_blocks(10, 4) == [1, 7, 8, 4]


def test_any_bytes_come_back_as_they_were(bench: Bench) -> None:
    data = bytes(range(256)) * 32
    source, sink = bench.y.take(8192), bench.y.take(8192)
    bench.y.space.write(source, data)
    assert bench.y.io.status(commands.write(0, 1, 5, 2, source, source + 4096)) == Status.SUCCESS
    assert bench.y.io.status(commands.read(0, 1, 5, 2, sink, sink + 4096)) == Status.SUCCESS
    assert bench.y.space.read(sink, 8192) == data


def test_what_was_never_written_reads_as_zeros(bench: Bench) -> None:
    address = bench.y.take()
    bench.y.space.write(address, b"\xff" * PAGE_BYTES)
    assert bench.y.io.status(commands.read(0, 1, 63, 1, address)) == Status.SUCCESS
    assert bench.y.space.read(address, PAGE_BYTES) == bytes(PAGE_BYTES)


def test_writing_zeros_allocates(bench: Bench) -> None:
    bench.y.write_blocks(4, [0, 0])
    assert allocated(bench) == [4, 5]


RANGED = {
    "read": lambda nsid, slba, blocks: commands.read(0, nsid, slba, blocks, 0x1000, 0x2000),
    "write": lambda nsid, slba, blocks: commands.write(0, nsid, slba, blocks, 0x1000, 0x2000),
    "compare": lambda nsid, slba, blocks: commands.compare(0, nsid, slba, blocks, 0x1000, 0x2000),
    "verify": lambda nsid, slba, blocks: commands.verify(0, nsid, slba, blocks),
    "write zeroes": lambda nsid, slba, blocks: commands.write_zeroes(0, nsid, slba, blocks),
    "write zeroes, deallocate": lambda nsid, slba, blocks: commands.write_zeroes(0, nsid, slba, blocks, True),
    "write uncorrectable": lambda nsid, slba, blocks: commands.write_uncorrectable(0, nsid, slba, blocks),
}


@pytest.mark.parametrize("build", RANGED.values(), ids=RANGED)
@pytest.mark.parametrize(
    ("slba", "blocks"), [(64, 1), (63, 2), (0, 65), (1, 65536), ((1 << 64) - 1, 1), (1 << 32, 1)]
)
def test_a_range_that_ends_past_the_namespace_is_refused_and_changes_nothing(
    bench: Bench,
    build: Callable[..., bytes],
    slba: int,
    blocks: int,
) -> None:
    assert bench.y.io.status(build(1, slba, blocks)) == Status.LBA_OUT_OF_RANGE
    assert allocated(bench) == []


@pytest.mark.parametrize("build", RANGED.values(), ids=RANGED)
@pytest.mark.parametrize(
    ("nsid", "status"),
    [
        (0, Status.INVALID_NAMESPACE_OR_FORMAT),
        (2, Status.INVALID_FIELD),
        (129, Status.INVALID_NAMESPACE_OR_FORMAT),
        (BROADCAST_NSID, Status.INVALID_NAMESPACE_OR_FORMAT),
    ],
)
def test_a_namespace_that_is_inactive_or_cannot_be_is_refused(
    bench: Bench, build: Callable[..., bytes], nsid: int, status: Status
) -> None:
    assert bench.y.io.status(build(nsid, 0, 1)) == status


@pytest.mark.parametrize("build", RANGED.values(), ids=RANGED)
def test_a_namespace_of_others_is_inactive(bench: Bench, build: Callable[..., bytes]) -> None:
    bench.detach(1, Y)
    assert bench.y.io.status(build(1, 0, 1)) == Status.INVALID_FIELD


@pytest.mark.parametrize("block_bytes", [512, 4096])
def test_a_transfer_is_at_most_as_long_as_mdts_says(block_bytes: int) -> None:
    bench = ready(blocks=2048, block_bytes=block_bytes)
    most = MAX_TRANSFER_BYTES // block_bytes
    stamps = list(range(1, most + 1))
    assert bench.y.write_blocks(0, stamps) == Status.SUCCESS
    assert bench.y.read_blocks(0, most) == stamps
    assert bench.y.write_blocks(0, [9] * (most + 1)) == Status.INVALID_FIELD
    assert bench.y.read_blocks(0, most + 1) == Status.INVALID_FIELD
    assert bench.y.read_blocks(0, most) == stamps


# -- Write Zeroes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("deallocate", [False, True])
def test_write_zeroes_leaves_zeros_and_deallocates_if_asked_to(bench: Bench, deallocate: bool) -> None:
    bench.y.write_blocks(10, [1, 2, 3, 4])
    assert bench.y.io.status(commands.write_zeroes(0, 1, 11, 2, deallocate)) == Status.SUCCESS
    assert bench.y.read_blocks(10, 4) == [1, 0, 0, 4]
    assert allocated(bench) == ([10, 13] if deallocate else [10, 11, 12, 13])


def test_write_zeroes_is_bound_by_no_transfer_limit() -> None:
    bench = ready(blocks=1024)
    assert bench.y.io.status(commands.write_zeroes(0, 1, 0, 1024)) == Status.SUCCESS
    assert allocated(bench) == list(range(1024))


@pytest.mark.parametrize("where", [{}, {"cdw10": 63, "cdw12": 99}, {"cdw11": 1}])
def test_namespace_zeroes_clears_all_of_it_whatever_the_range_says(
    bench: Bench, where: dict[str, int]
) -> None:
    bench.y.write_blocks(10, [1, 2, 3, 4])
    bench.y.io.status(commands.write_uncorrectable(0, 1, 63, 1))
    cdw12 = where.pop("cdw12", 0) | 1 << 25 | 1 << 23
    cqe = bench.y.io.run(raw(0x08, nsid=1, cdw12=cdw12, **where))
    assert status_of(cqe) == Status.SUCCESS
    assert cqe.dw0 == 1, "LBACZ"
    assert bench.y.read_blocks(0, 64) == [0] * 64
    assert allocated(bench) == []


def test_namespace_zeroes_only_deallocates(bench: Bench) -> None:
    bench.y.write_blocks(10, [1])
    assert bench.y.io.status(raw(0x08, nsid=1, cdw12=1 << 23)) == Status.INVALID_FIELD
    assert bench.y.read_blocks(10, 1) == [1]


@pytest.mark.parametrize("nsid", [0, 2, 129, BROADCAST_NSID])
def test_namespace_zeroes_is_for_an_active_namespace(bench: Bench, nsid: int) -> None:
    wanted = Status.INVALID_FIELD if nsid == 2 else Status.INVALID_NAMESPACE_OR_FORMAT
    assert bench.y.io.status(commands.zero_namespace(0, nsid)) == wanted


@pytest.mark.parametrize("deallocate", [False, True])
def test_zeroes_of_a_range_say_nothing_of_the_namespace(bench: Bench, deallocate: bool) -> None:
    assert bench.y.io.run(commands.write_zeroes(0, 1, 0, 64, deallocate)).dw0 == 0


# -- Write Uncorrectable ----------------------------------------------------------------------------------


def test_a_block_made_unreadable_stays_so_until_it_is_written(bench: Bench) -> None:
    assert bench.y.io.status(commands.write_uncorrectable(0, 1, 10, 3)) == Status.SUCCESS
    assert bench.y.read_blocks(11, 1) == Status.UNRECOVERED_READ_ERROR
    assert bench.y.read_blocks(8, 4) == Status.UNRECOVERED_READ_ERROR
    assert bench.y.read_blocks(8, 2) == [0, 0]
    assert allocated(bench) == [10, 11, 12]
    assert bench.y.write_blocks(11, [5]) == Status.SUCCESS
    assert bench.y.read_blocks(11, 1) == [5]
    assert bench.y.read_blocks(10, 1) == Status.UNRECOVERED_READ_ERROR


@pytest.mark.parametrize("deallocate", [False, True])
def test_zeroes_make_an_unreadable_block_readable_again(bench: Bench, deallocate: bool) -> None:
    bench.y.io.status(commands.write_uncorrectable(0, 1, 10, 1))
    bench.y.io.status(commands.write_zeroes(0, 1, 10, 1, deallocate))
    assert bench.y.read_blocks(10, 1) == [0]


def test_a_read_that_fails_moves_no_data(bench: Bench) -> None:
    bench.y.io.status(commands.write_uncorrectable(0, 1, 3, 1))
    address = bench.y.take(2 * PAGE_BYTES)
    bench.y.space.write(address, b"\x5a" * 2 * PAGE_BYTES)
    assert (
        bench.y.io.status(commands.read(0, 1, 2, 2, address, address + 4096)) == Status.UNRECOVERED_READ_ERROR
    )
    assert bench.y.space.read(address, 2 * PAGE_BYTES) == b"\x5a" * 2 * PAGE_BYTES


# -- Dataset Management -----------------------------------------------------------------------------------


def test_several_ranges_are_deallocated_at_once(bench: Bench) -> None:
    bench.y.write_blocks(0, list(range(1, 33)))
    assert bench.y.deallocate((0, 2), (10, 1), (20, 12)) == Status.SUCCESS
    assert allocated(bench) == [2, 3, 4, 5, 6, 7, 8, 9, *range(11, 20)]
    assert bench.y.read_blocks(0, 4) == [0, 0, 3, 4]


def test_a_length_is_a_plain_count_and_zero_is_nothing(bench: Bench) -> None:
    bench.y.write_blocks(0, [1, 2, 3])
    assert bench.y.deallocate((1, 1), (0, 0), (999, 0)) == Status.SUCCESS
    assert allocated(bench) == [0, 2]


@pytest.mark.parametrize("bad", [(64, 1), (60, 5), (1 << 63, 1), (0, 0xFFFF_FFFF)])
def test_one_range_past_the_end_keeps_all_others_from_being_deallocated(
    bench: Bench, bad: tuple[int, int]
) -> None:
    bench.y.write_blocks(0, [1, 2, 3])
    assert bench.y.deallocate((0, 1), bad, (2, 1)) == Status.LBA_OUT_OF_RANGE
    assert allocated(bench) == [0, 1, 2]


def test_256_ranges_are_the_most_and_may_lie_anywhere_in_memory(bench: Bench) -> None:
    bench.y.write_blocks(0, list(range(1, 65)))
    address = bench.y.take(2 * PAGE_BYTES) + 2048
    ranges = b"".join(
        (0).to_bytes(4) + (1).to_bytes(4, "little") + (2 * n % 64).to_bytes(8, "little") for n in range(256)
    )
    bench.y.space.write(address, ranges)
    sqe = commands.dataset_management(0, 1, 256, *bench.y.prp(address, 4096))
    assert bench.y.io.status(sqe) == Status.SUCCESS
    assert allocated(bench) == list(range(1, 64, 2))


def test_ranges_may_overlap_and_repeat(bench: Bench) -> None:
    bench.y.write_blocks(0, list(range(1, 11)))
    assert bench.y.deallocate((2, 4), (4, 4), (2, 4)) == Status.SUCCESS
    assert allocated(bench) == [0, 1, 8, 9]


def test_without_the_deallocate_attribute_it_is_a_hint(bench: Bench) -> None:
    bench.y.write_blocks(0, [1])
    address = bench.y.take()
    bench.y.space.write(address, pack_ranges([(0, 1)]))
    assert (
        bench.y.io.status(commands.dataset_management(0, 1, 1, address, deallocate=False)) == Status.SUCCESS
    )
    assert bench.y.read_blocks(0, 1) == [1]


# -- Flush ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nsid", "status"),
    [
        (1, Status.SUCCESS),
        (BROADCAST_NSID, Status.SUCCESS),
        (2, Status.INVALID_FIELD),
        (0, Status.INVALID_NAMESPACE_OR_FORMAT),
    ],
)
def test_flush_is_for_a_namespace_or_for_all(bench: Bench, nsid: int, status: Status) -> None:
    assert bench.y.io.status(commands.flush(0, nsid)) == status


def test_two_namespaces_keep_their_blocks_apart(bench: Bench) -> None:
    nsid = bench.create_namespace(64)
    bench.attach(nsid, Y)
    bench.y.write_blocks(3, [30])
    bench.y.write_blocks(3, [31], nsid)
    assert bench.y.read_blocks(3, 1) == [30]
    assert bench.y.read_blocks(3, 1, nsid) == [31]
    bench.y.deallocate((3, 1))
    assert bench.y.read_blocks(3, 1, nsid) == [31]


def test_bits_that_are_no_matter_here_are_no_matter(bench: Bench) -> None:
    bench.y.space.write_stamps(0x1000, [77])
    sqe = raw(0x01, nsid=1, prp1=0x1000, cdw10=9, cdw12=0x4000_0000 | 0x8000_0000, cdw13=0xFF, cdw15=0xFFFF)
    assert bench.y.io.status(sqe) == Status.SUCCESS
    assert bench.y.read_blocks(9, 1) == [77]
