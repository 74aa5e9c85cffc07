"""PRPs through the door: where a buffer may lie, byte for byte, and which pointers are refused."""

from collections.abc import Callable
from random import Random as Dice

import pytest

from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import Status, commands
from tests.ssd.door import MEMORY, Bench, Host, ready


def scattered(host: Host, offset: int, length: int, seed: int = 1) -> list[tuple[int, int]]:
    """A buffer of `length` bytes in pages all over memory, its first byte at `offset` in the first of them."""
    pages = [host.take() for _ in range(-(-(offset + length) // PAGE_BYTES))]
    Dice(seed).shuffle(pages)
    pieces = [(pages[0] + offset, min(length, PAGE_BYTES - offset))]
    for page in pages[1:]:
        pieces.append((page, min(PAGE_BYTES, length - sum(part for _, part in pieces))))
    return pieces


def pointers(host: Host, pieces: list[tuple[int, int]], *, list_offset: int = 0) -> tuple[int, int]:
    """PRP1 and PRP2 for these pieces; the list starts `list_offset` bytes into a page and is chained where it must."""
    if len(pieces) == 1:
        return pieces[0][0], 0
    if len(pieces) == 2:
        return pieces[0][0], pieces[1][0]
    rest = [address for address, _ in pieces[1:]]
    first = at = host.take() + list_offset
    while True:
        room = (PAGE_BYTES - at % PAGE_BYTES) // 8
        chained = len(rest) > room
        here, rest = (rest[: room - 1], rest[room - 1 :]) if chained else (rest, [])
        following = host.take() if chained else 0
        entries = [*here, following] if chained else here
        host.space.write(at, b"".join(entry.to_bytes(8, "little") for entry in entries))
        if not chained:
            return pieces[0][0], first
        at = following


def store(host: Host, pieces: list[tuple[int, int]], data: bytes) -> None:
    done = 0
    for address, length in pieces:
        host.space.write(address, data[done : done + length])
        done += length


def load(host: Host, pieces: list[tuple[int, int]]) -> bytes:
    return b"".join(host.space.read(address, length) for address, length in pieces)


@pytest.mark.parametrize("block_bytes", [512, 4096])
@pytest.mark.parametrize("offset", [0, 4, 512, 520, 2048, 4092])
@pytest.mark.parametrize("length", [4096, 8192, 12288, 5 * 4096])
def test_a_buffer_anywhere_is_moved_byte_for_byte(block_bytes: int, offset: int, length: int) -> None:
    bench = ready(blocks=64, block_bytes=block_bytes)
    data = Dice(offset + length).randbytes(length)
    blocks = length // block_bytes
    source, sink = scattered(bench.y, offset, length), scattered(bench.y, 4096 - 4 - offset, length, 2)
    store(bench.y, source, data)
    assert bench.y.io.status(commands.write(0, 1, 3, blocks, *pointers(bench.y, source))) == Status.SUCCESS
    assert bench.y.io.status(commands.read(0, 1, 3, blocks, *pointers(bench.y, sink))) == Status.SUCCESS
    assert load(bench.y, sink) == data


@pytest.mark.parametrize("blocks", [1, 3, 7, 9, 23])
def test_small_blocks_share_pages_with_what_is_not_theirs(blocks: int) -> None:
    bench = ready(blocks=64, block_bytes=512)
    bench.y.write_blocks(0, list(range(1, blocks + 1)))
    address = bench.y.take(4 * PAGE_BYTES)
    bench.y.space.write(address, b"\x77" * 4 * PAGE_BYTES)
    start = address + 1024
    assert (
        bench.y.io.status(commands.read(0, 1, 0, blocks, *bench.y.prp(start, 512 * blocks))) == Status.SUCCESS
    )
    assert bench.y.space.read(address, 1024) == b"\x77" * 1024
    assert list(bench.y.space.read_stamps(start, blocks)) == list(range(1, blocks + 1))
    behind = start + 512 * blocks
    rest = address + 4 * PAGE_BYTES - behind
    assert bench.y.space.read(behind, rest) == b"\x77" * rest


@pytest.mark.parametrize("list_offset", [0, 8, 2048, 4088, 4080])
def test_a_list_may_begin_inside_a_page_and_goes_on_in_the_next(list_offset: int) -> None:
    bench = ready(blocks=64)
    data = Dice(list_offset).randbytes(20 * 4096)
    source, sink = scattered(bench.y, 0, len(data)), scattered(bench.y, 0, len(data), 7)
    store(bench.y, source, data)
    write = commands.write(0, 1, 0, 20, *pointers(bench.y, source, list_offset=list_offset))
    read = commands.read(0, 1, 0, 20, *pointers(bench.y, sink, list_offset=list_offset))
    assert bench.y.io.status(write) == bench.y.io.status(read) == Status.SUCCESS
    assert load(bench.y, sink) == data


@pytest.mark.parametrize(
    ("blocks", "prp1", "prp2", "status"),
    [
        (1, 0x1001, 0, Status.PRP_OFFSET_INVALID),
        (1, 0x1002, 0, Status.PRP_OFFSET_INVALID),
        (1, MEMORY, 0, Status.DATA_TRANSFER_ERROR),
        (1, MEMORY - 4, MEMORY - 4096, Status.SUCCESS),
        (1, 0x1800, 0x3800, Status.PRP_OFFSET_INVALID),
        (2, 0x1000, 0x3004, Status.PRP_OFFSET_INVALID),
        (2, 0x1000, MEMORY, Status.DATA_TRANSFER_ERROR),
        (2, 0x1000, 0xFFFF_FFFF_FFFF_F000, Status.DATA_TRANSFER_ERROR),
        (3, 0x1000, 0x3004, Status.PRP_OFFSET_INVALID),
        (3, 0x1000, MEMORY, Status.DATA_TRANSFER_ERROR),
    ],
)
@pytest.mark.parametrize("build", [commands.read, commands.write])
def test_a_pointer_that_leads_nowhere_is_refused(
    build: Callable[..., bytes], blocks: int, prp1: int, prp2: int, status: Status
) -> None:
    bench = ready()
    assert bench.y.io.status(build(0, 1, 0, blocks, prp1, prp2)) == status


@pytest.mark.parametrize(
    ("entries", "status"),
    [
        ([0x9000, 0xA000], Status.SUCCESS),
        ([0x9000, 0xA008], Status.PRP_OFFSET_INVALID),
        ([0x9004, 0xA000], Status.PRP_OFFSET_INVALID),
        ([0x9000, MEMORY], Status.DATA_TRANSFER_ERROR),
        ([1 << 63, 0xA000], Status.DATA_TRANSFER_ERROR),
    ],
)
@pytest.mark.parametrize("build", [commands.read, commands.write])
def test_a_list_entry_that_leads_nowhere_is_refused_before_anything_moves(
    build: Callable[..., bytes], entries: list[int], status: Status
) -> None:
    bench = ready()
    bench.y.write_blocks(0, [1, 2, 3])
    listed = bench.y.prp_list(entries)
    first = bench.y.take()
    bench.y.space.write(first, b"\x33" * PAGE_BYTES)
    assert bench.y.io.status(build(0, 1, 0, 3, first, listed)) == status
    if status != Status.SUCCESS:
        assert bench.y.space.read(first, PAGE_BYTES) == b"\x33" * PAGE_BYTES
        assert bench.y.read_blocks(0, 3) == [1, 2, 3]


@pytest.mark.parametrize(
    ("entry", "status"), [(0xA004, Status.PRP_OFFSET_INVALID), (MEMORY, Status.DATA_TRANSFER_ERROR)]
)
def test_a_chain_that_leads_nowhere_is_refused(entry: int, status: Status) -> None:
    bench = ready()
    listed = bench.y.take() + 4080
    bench.y.space.write(listed, (0x9000).to_bytes(8, "little") + entry.to_bytes(8, "little"))
    assert bench.y.io.status(commands.read(0, 1, 0, 5, bench.y.take(), listed)) == status


def test_data_written_by_the_device_marks_its_pages_dirty_and_no_others() -> None:
    bench: Bench = ready()
    bench.y.write_blocks(0, [1, 2])
    pieces = scattered(bench.y, 1024, 2 * 4096)
    prp1, prp2 = pointers(bench.y, pieces)
    bench.y.space.device_dirty = dirty = set[int]()
    assert bench.y.io.status(commands.read(0, 1, 0, 2, prp1, prp2)) == Status.SUCCESS
    cqe_page = bench.y.io.cq // PAGE_BYTES
    assert dirty == {address // PAGE_BYTES for address, _ in pieces} | {cqe_page}
