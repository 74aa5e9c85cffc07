"""Get LBA Status 02h: what is allocated, granule by granule, clipped to what was asked for and to what fits."""

import pytest

from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import BROADCAST_NSID, LbaStatusAction
from nvmelm_lab.nvme.lba_status import unpack_lba_status
from nvmelm_lab.ssd import MAX_TRANSFER_BYTES
from tests.ssd.door import MEMORY, Bench, Y, raw, ready

COMPLETE, INCOMPLETE = 2, 1
BLOCKS = 64


def written(
    granularity: int, *ranges: tuple[int, int], block_bytes: int = 4096, blocks: int = BLOCKS
) -> Bench:
    bench = ready(blocks=blocks, granularity=granularity, block_bytes=block_bytes)
    for slba, count in ranges:
        assert bench.y.io.status(commands.write_zeroes(0, 1, slba, count)) == Status.SUCCESS
    return bench


def ranges_of(bench: Bench, slba: int = 0, blocks: int = 0, **more: int) -> list[tuple[int, int]]:
    status = bench.y.lba_status(slba, blocks, **more)
    assert not isinstance(status, Status)
    assert status.completeness == COMPLETE
    assert all(descriptor.status == 2 for descriptor in status.descriptors)
    return [(descriptor.slba, descriptor.blocks) for descriptor in status.descriptors]


def test_an_empty_namespace_has_an_empty_list() -> None:
    assert ranges_of(written(8)) == []


@pytest.mark.parametrize(
    ("granularity", "ranges", "expected"),
    [
        (1, [(3, 2), (9, 1)], [(3, 2), (9, 1)]),
        (8, [(3, 2)], [(0, 8)]),
        (8, [(3, 2), (9, 1)], [(0, 16)]),
        (8, [(3, 2), (17, 1)], [(0, 8), (16, 8)]),
        (8, [(7, 2)], [(0, 16)]),
        (8, [(6, 12)], [(0, 24)]),
        (16, [(63, 1)], [(48, 16)]),
        (64, [(5, 1)], [(0, 64)]),
        (100, [(5, 1)], [(0, 64)]),
        (7, [(62, 1)], [(56, 7)]),
        (7, [(63, 1)], [(63, 1)]),
    ],
)
def test_a_granule_is_reported_whole_when_any_of_it_is_allocated(
    granularity: int, ranges: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    assert ranges_of(written(granularity, *ranges)) == expected


@pytest.mark.parametrize(
    ("slba", "blocks", "expected"),
    [
        (0, 64, [(8, 16), (32, 8)]),
        (8, 24, [(8, 16)]),
        (9, 0, [(9, 15), (32, 8)]),
        (12, 4, [(12, 4)]),
        (23, 1, [(23, 1)]),
        (24, 8, []),
        (20, 13, [(20, 4), (32, 1)]),
        (39, 1, [(39, 1)]),
        (63, 1, []),
        (40, 24, []),
    ],
)
def test_ranges_begin_and_end_within_what_was_asked_for(
    slba: int, blocks: int, expected: list[tuple[int, int]]
) -> None:
    # Granules 1, 2 and 4 of 8 LBAs; each of them through one LBA alone.
    assert ranges_of(written(8, (15, 1), (16, 1), (36, 1)), slba, blocks) == expected


def test_a_granule_counts_by_blocks_that_lie_outside_the_range_too() -> None:
    bench = written(8, (8, 1), (31, 1))
    assert ranges_of(bench, 12, 2) == [(12, 2)]
    assert ranges_of(bench, 24, 2) == [(24, 2)]


def test_a_granule_is_unreported_only_when_all_of_it_is_deallocated() -> None:
    bench = written(8, (0, 24))
    bench.y.deallocate((8, 7))
    assert ranges_of(bench) == [(0, 24)]
    bench.y.deallocate((15, 1))
    assert ranges_of(bench) == [(0, 8), (16, 8)]
    bench.y.deallocate((1, 7), (16, 8))
    assert ranges_of(bench) == [(0, 8)]


@pytest.mark.parametrize(
    "make_allocated",
    [
        commands.write(0, 1, 5, 1, 0x1000),
        commands.write_zeroes(0, 1, 5, 1),
        commands.write_uncorrectable(0, 1, 5, 1),
    ],
    ids=["write", "write zeroes", "write uncorrectable"],
)
def test_what_makes_a_block_anything_but_deallocated_allocates_it(make_allocated: bytes) -> None:
    bench = written(1)
    bench.y.io.run(make_allocated)
    assert ranges_of(bench) == [(5, 1)]
    bench.y.io.run(commands.write_zeroes(0, 1, 5, 1, deallocate=True))
    assert ranges_of(bench) == []


def test_asking_changes_nothing() -> None:
    bench = written(8, (3, 1))
    assert ranges_of(bench) == ranges_of(bench) == [(0, 8)]


def test_blocks_of_512_bytes_are_counted_in_blocks() -> None:
    assert ranges_of(written(8, (9, 1), block_bytes=512)) == [(8, 8)]


# -- truncation -------------------------------------------------------------------------------------------

EVERY_OTHER = [(lba, 1) for lba in range(0, BLOCKS, 2)]


@pytest.mark.parametrize(("dwords", "fitting"), [(2, 0), (3, 0), (5, 0), (6, 1), (9, 1), (10, 2), (129, 31)])
def test_a_list_that_does_not_fit_says_incomplete_and_keeps_within_its_dwords(
    dwords: int, fitting: int
) -> None:
    bench = written(1, *EVERY_OTHER)
    address = bench.y.take(8192)
    bench.y.space.write(address, b"\xa5" * 8192)
    sqe = lm.get_lba_status(0, 1, 0, 0, dwords, LbaStatusAction.ALLOCATED, address, address + 4096)
    assert bench.y.admin.status(sqe) == Status.SUCCESS
    assert bench.y.space.read(address, 5) == fitting.to_bytes(4, "little") + bytes([INCOMPLETE])
    assert bench.y.space.read(address + 4 * dwords, 100) == b"\xa5" * 100


@pytest.mark.parametrize("written_blocks", [2, 400])
def test_a_short_list_in_a_long_buffer_leaves_the_pages_and_the_pointers_behind_it_alone(
    written_blocks: int,
) -> None:
    bench = written(1, *((lba, 1) for lba in range(0, 2 * written_blocks, 2)), blocks=800)
    first, second, third, pointers = (bench.y.take() for _ in range(4))
    bench.y.space.write(first, b"\xa5" * 3 * PAGE_BYTES)
    listed = second.to_bytes(8, "little") + third.to_bytes(8, "little")
    bench.y.space.write(pointers, listed)
    dwords = 3 * PAGE_BYTES // 4
    sqe = lm.get_lba_status(0, 1, 0, 0, dwords, LbaStatusAction.ALLOCATED, first, pointers)
    assert bench.y.admin.status(sqe) == Status.SUCCESS
    length = 8 + 16 * written_blocks
    assert bench.y.space.read(pointers, 16) == listed
    assert bench.y.space.read(first + length, 3 * PAGE_BYTES - length) == b"\xa5" * (3 * PAGE_BYTES - length)
    found = unpack_lba_status(bench.y.space.read(first, length))
    assert [each.slba for each in found.descriptors] == list(range(0, 2 * written_blocks, 2))


def test_a_list_that_just_fits_is_complete() -> None:
    bench = written(1, *EVERY_OTHER)
    assert ranges_of(bench, dwords=2 + 4 * 32) == EVERY_OTHER


@pytest.mark.parametrize("dwords", [6, 7, 10, 22, 70])
@pytest.mark.parametrize("granularity", [1, 3, 4])
def test_going_on_behind_the_last_range_finds_all_of_them(dwords: int, granularity: int) -> None:
    bench = written(granularity, (0, 3), (9, 1), (13, 2), (20, 9), (33, 1), (40, 4), (63, 1))
    whole = ranges_of(bench)
    found: list[tuple[int, int]] = []
    slba = 0
    while slba < BLOCKS:
        status = bench.y.lba_status(slba, dwords=dwords)
        assert not isinstance(status, Status)
        found += [(descriptor.slba, descriptor.blocks) for descriptor in status.descriptors]
        if status.completeness == COMPLETE:
            break
        slba = found[-1][0] + found[-1][1]
    assert found == whole


# -- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slba", "blocks"), [(64, 0), (64, 1), (0, 65), (63, 2), (1 << 63, 0), ((1 << 64) - 1, 1)]
)
def test_a_range_past_the_namespace_is_refused(slba: int, blocks: int) -> None:
    assert written(8).y.lba_status(slba, blocks) == Status.LBA_OUT_OF_RANGE


@pytest.mark.parametrize("action", [0x00, 0x01, 0x03, 0x0F, 0x12, 0xFF])
def test_other_actions_are_refused(action: int) -> None:
    bench = written(8)
    sqe = raw(0x86, nsid=1, prp1=bench.y.take(), cdw12=100, cdw13=action << 24)
    assert bench.y.admin.status(sqe) == Status.INVALID_FIELD


@pytest.mark.parametrize(
    ("nsid", "status"),
    [
        (0, Status.INVALID_NAMESPACE_OR_FORMAT),
        (2, Status.INVALID_FIELD),
        (129, Status.INVALID_NAMESPACE_OR_FORMAT),
        (BROADCAST_NSID, Status.INVALID_NAMESPACE_OR_FORMAT),
    ],
)
def test_a_namespace_that_is_not_active_is_refused(nsid: int, status: Status) -> None:
    assert written(8).y.lba_status(nsid=nsid) == status


def test_each_controller_asks_about_its_own_namespaces() -> None:
    bench = written(8, (3, 1))
    bench.detach(1, Y)
    assert bench.y.lba_status() == Status.INVALID_FIELD
    assert bench.x.lba_status() == (((0, 8, 2),), COMPLETE)


@pytest.mark.parametrize(
    ("dwords", "prp1", "status"),
    [
        (1, 0x1000, Status.INVALID_FIELD),
        (MAX_TRANSFER_BYTES // 4 + 1, 0x1000, Status.INVALID_FIELD),
        (1 << 32, 0x1000, Status.INVALID_FIELD),
        (100, 0x1001, Status.PRP_OFFSET_INVALID),
        (100, MEMORY, Status.DATA_TRANSFER_ERROR),
    ],
)
def test_a_buffer_too_short_too_long_or_not_there_is_refused(dwords: int, prp1: int, status: Status) -> None:
    sqe = lm.get_lba_status(0, 1, 0, 0, dwords, LbaStatusAction.ALLOCATED, prp1)
    assert written(8).y.admin.status(sqe) == status
