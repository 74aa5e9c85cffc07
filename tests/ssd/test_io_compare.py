"""Compare and Verify: what the host, and what the SSD itself, finds of blocks without changing any."""

import pytest

from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.ssd import MAX_TRANSFER_BYTES
from tests.ssd.door import MEMORY, Bench, ready


@pytest.fixture
def bench() -> Bench:
    bench = ready(blocks=64)
    assert bench.y.write_blocks(10, [1, 2, 3, 4]) == Status.SUCCESS
    return bench


def compare(bench: Bench, slba: int, stamps: list[int]) -> Status:
    size = bench.y.space.stamps.block_bytes * len(stamps)
    address = bench.y.take(size)
    bench.y.space.write_stamps(address, stamps)
    return bench.y.io.status(commands.compare(0, 1, slba, len(stamps), *bench.y.prp(address, size)))


@pytest.mark.parametrize(
    ("slba", "stamps"),
    [(10, [1]), (10, [1, 2, 3, 4]), (9, [0, 1, 2]), (13, [4, 0]), (40, [0])],
)
def test_equal_blocks_compare(bench: Bench, slba: int, stamps: list[int]) -> None:
    assert compare(bench, slba, stamps) == Status.SUCCESS


@pytest.mark.parametrize(
    ("slba", "stamps"),
    [(10, [2]), (10, [1, 2, 3, 5]), (9, [1, 1]), (11, [1, 2]), (40, [1])],
)
def test_one_block_that_differs_is_a_failure(bench: Bench, slba: int, stamps: list[int]) -> None:
    assert compare(bench, slba, stamps) == Status.COMPARE_FAILURE


@pytest.mark.parametrize("block_bytes", [512, 4096])
def test_it_is_the_bytes_that_are_compared(block_bytes: int) -> None:
    bench = ready(blocks=64, block_bytes=block_bytes)
    data = bytearray(range(256)) * (2 * block_bytes // 256)
    source = bench.y.take(2 * block_bytes)
    bench.y.space.write(source, data)
    second = source + PAGE_BYTES if block_bytes == PAGE_BYTES else 0
    assert bench.y.io.status(commands.write(0, 1, 5, 2, source, second)) == Status.SUCCESS
    other = bench.y.take(3 * PAGE_BYTES) + 512
    bench.y.space.write(other, data)
    sqe = commands.compare(0, 1, 5, 2, *bench.y.prp(other, 2 * block_bytes))
    assert bench.y.io.status(sqe) == Status.SUCCESS
    bench.y.space.write(other + 2 * block_bytes - 1, b"\x00")
    assert bench.y.io.status(sqe) == Status.COMPARE_FAILURE


def test_comparing_changes_neither_blocks_nor_memory(bench: Bench) -> None:
    address = bench.y.take()
    bench.y.space.write(address, b"\x5a" * PAGE_BYTES)
    assert bench.y.io.status(commands.compare(0, 1, 10, 1, address)) == Status.COMPARE_FAILURE
    assert bench.y.space.read(address, PAGE_BYTES) == b"\x5a" * PAGE_BYTES
    assert bench.y.read_blocks(10, 4) == [1, 2, 3, 4]


def test_comparing_is_bound_by_mdts() -> None:
    bench = ready(blocks=2048)
    most = MAX_TRANSFER_BYTES // 4096
    assert compare(bench, 0, [0] * most) == Status.SUCCESS
    assert compare(bench, 0, [0] * (most + 1)) == Status.INVALID_FIELD


def test_a_pointer_that_cannot_be_followed_is_told_of(bench: Bench) -> None:
    assert bench.y.io.status(commands.compare(0, 1, 10, 1, MEMORY)) == Status.DATA_TRANSFER_ERROR
    assert bench.y.io.status(commands.compare(0, 1, 10, 1, 0x1001)) == Status.PRP_OFFSET_INVALID


@pytest.mark.parametrize(("slba", "blocks"), [(10, 4), (0, 64), (63, 1), (30, 1)])
def test_what_can_be_read_verifies_and_no_data_move(bench: Bench, slba: int, blocks: int) -> None:
    assert bench.y.io.status(commands.verify(0, 1, slba, blocks)) == Status.SUCCESS


def test_verifying_is_bound_by_no_transfer_limit() -> None:
    bench = ready(blocks=1024)
    assert bench.y.io.status(commands.verify(0, 1, 0, 1024)) == Status.SUCCESS


@pytest.mark.parametrize("damaged", [False, True], ids=["made so by a command", "damaged"])
def test_an_unreadable_block_neither_compares_nor_verifies(bench: Bench, damaged: bool) -> None:
    if damaged:
        bench.ssd.namespaces[1].damage(12, 1)
    else:
        bench.y.io.status(commands.write_uncorrectable(0, 1, 12, 1))
    assert compare(bench, 12, [3]) == Status.UNRECOVERED_READ_ERROR
    assert compare(bench, 10, [9, 9, 9]) == Status.UNRECOVERED_READ_ERROR
    assert bench.y.io.status(commands.verify(0, 1, 10, 4)) == Status.UNRECOVERED_READ_ERROR
    assert bench.y.io.status(commands.verify(0, 1, 13, 1)) == Status.SUCCESS
    assert bench.y.write_blocks(12, [3]) == Status.SUCCESS
    assert compare(bench, 10, [1, 2, 3, 4]) == Status.SUCCESS
    assert bench.y.io.status(commands.verify(0, 1, 10, 4)) == Status.SUCCESS


def test_neither_is_told_of_in_the_migration_queue(bench: Bench) -> None:
    queue = bench.x.make_mq(8)
    queue.start()
    compare(bench, 10, [1])
    compare(bench, 10, [2])
    bench.y.io.status(commands.verify(0, 1, 10, 1))
    assert queue.take() == []
