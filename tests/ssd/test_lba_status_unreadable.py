"""Which LBAs cannot be read: Get LBA Status 11h (as far as the SSD knows) and 10h (as it finds), and log page 0Eh."""

import pytest

from nvmelm_lab.nvme import LbaStatusDescriptor, Status, commands, pack_copy_ranges
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import LbaStatusAction, LogPage
from nvmelm_lab.nvme.identify import OACS_GLSS, IdentifyController
from nvmelm_lab.nvme.lba_status import unpack_lba_status
from nvmelm_lab.nvme.log_pages import unpack_lba_status_information
from nvmelm_lab.nvme.pages import unpack_page
from nvmelm_lab.ssd import Habits
from tests.ssd import by_hand
from tests.ssd.door import MEMORY, Bench, Host, Y, raw, ready

SCAN, TRACKED = LbaStatusAction.SCAN, LbaStatusAction.TRACKED
BY_COMMAND, UNRECOVERABLE = 3, 1
COMPLETE, INCOMPLETE = 2, 1
BLOCKS = 64


@pytest.fixture
def bench() -> Bench:
    """Everything is written; granules are of 8 LBAs, which is no matter here."""
    bench = ready(blocks=BLOCKS, granularity=8)
    assert bench.y.io.status(commands.write_zeroes(0, 1, 0, BLOCKS)) == Status.SUCCESS
    return bench


def spoil(bench: Bench, *ranges: tuple[int, int]) -> None:
    """Write Uncorrectable."""
    for slba, blocks in ranges:
        assert bench.y.io.status(commands.write_uncorrectable(0, 1, slba, blocks)) == Status.SUCCESS


def damage(bench: Bench, *ranges: tuple[int, int]) -> None:
    """The media lose these blocks, and nobody knows."""
    for slba, blocks in ranges:
        bench.ssd.namespaces[1].damage(slba, blocks)


def ask(
    host: Host, action: int, slba: int = 0, blocks: int = 0, *, dwords: int = 1024
) -> tuple[list[tuple[int, ...]], int]:
    address = host.take(4 * dwords)
    sqe = lm.get_lba_status(
        0, 1, slba, blocks, dwords, LbaStatusAction(action), *host.prp(address, 4 * dwords)
    )
    assert host.admin.status(sqe) == Status.SUCCESS
    found = unpack_lba_status(host.space.read(address, 4 * dwords))
    assert all(isinstance(each, LbaStatusDescriptor) for each in found.descriptors)
    return [tuple(each) for each in found.descriptors], found.completeness


# -- made so by Write Uncorrectable ----------------------------------------------------------------------


@pytest.mark.parametrize("action", [SCAN, TRACKED])
def test_nothing_is_unreadable_at_first(bench: Bench, action: int) -> None:
    assert ask(bench.y, action) == ([], COMPLETE)


@pytest.mark.parametrize("action", [SCAN, TRACKED])
def test_what_write_uncorrectable_wrote_is_told_of_lba_by_lba(bench: Bench, action: int) -> None:
    spoil(bench, (3, 2), (9, 1), (63, 1))
    assert ask(bench.y, action) == ([(3, 2, BY_COMMAND), (9, 1, BY_COMMAND), (63, 1, BY_COMMAND)], COMPLETE)


@pytest.mark.parametrize("action", [SCAN, TRACKED])
def test_neighbours_share_a_descriptor(bench: Bench, action: int) -> None:
    spoil(bench, (3, 2), (7, 2), (5, 2))
    assert ask(bench.y, action) == ([(3, 6, BY_COMMAND)], COMPLETE)


REWRITES = {
    "write": lambda slba: commands.write(0, 1, slba, 1, 0x1000),
    "write zeroes": lambda slba: commands.write_zeroes(0, 1, slba, 1),
    "deallocating zeroes": lambda slba: commands.write_zeroes(0, 1, slba, 1, deallocate=True),
    "copy": lambda slba: commands.copy(0, 1, slba, 1, 0x8000),
    "format": None,
}


@pytest.mark.parametrize("name", REWRITES)
@pytest.mark.parametrize("action", [SCAN, TRACKED])
@pytest.mark.parametrize("make", [spoil, damage], ids=["made so by a command", "damaged"])
def test_lbas_that_were_rewritten_since_are_dropped(bench: Bench, make: type, action: int, name: str) -> None:
    make(bench, (3, 3))
    assert ask(bench.y, SCAN)[0][0][:2] == (3, 3)
    build = REWRITES[name]
    if build is None:
        assert bench.y.admin.status(commands.format_nvm(0, 1)) == Status.SUCCESS
        assert ask(bench.y, action) == ([], COMPLETE)
        return
    bench.y.space.write(0x8000, pack_copy_ranges([(20, 1)]))
    assert bench.y.io.status(build(4)) == Status.SUCCESS
    assert [each[:2] for each in ask(bench.y, action)[0]] == [(3, 1), (5, 1)]
    assert ask(bench.y, TRACKED) == ask(bench.y, SCAN)


@pytest.mark.parametrize("action", [SCAN, TRACKED])
def test_a_write_that_is_refused_drops_nothing(bench: Bench, action: int) -> None:
    spoil(bench, (3, 1))
    bench.y.io.status(commands.write(0, 1, 3, 1, 0x1001))
    assert ask(bench.y, action)[0] == [(3, 1, BY_COMMAND)]


# -- damaged ----------------------------------------------------------------------------------------------


def test_damage_is_untracked_until_a_scan_finds_it(bench: Bench) -> None:
    damage(bench, (10, 2))
    assert ask(bench.y, TRACKED) == ([], COMPLETE)
    assert ask(bench.y, SCAN) == ([(10, 2, UNRECOVERABLE)], COMPLETE)
    assert ask(bench.y, TRACKED) == ([(10, 2, UNRECOVERABLE)], COMPLETE)


def test_a_scan_finds_what_lies_in_its_range_alone(bench: Bench) -> None:
    damage(bench, (10, 4))
    assert ask(bench.y, SCAN, 12, 10)[0] == [(12, 2, UNRECOVERABLE)]
    assert ask(bench.y, TRACKED)[0] == [(12, 2, UNRECOVERABLE)]


def test_what_a_scan_has_found_may_be_forgotten() -> None:
    bench = ready(blocks=BLOCKS, habits=Habits(scan_result="forgotten"))
    bench.y.io.status(commands.write_zeroes(0, 1, 0, BLOCKS))
    damage(bench, (10, 2))
    spoil(bench, (11, 1))
    for _ in range(2):
        assert ask(bench.y, SCAN) == ([(10, 2, UNRECOVERABLE)], COMPLETE)
        assert ask(bench.y, TRACKED) == ([(11, 1, BY_COMMAND)], COMPLETE)


@pytest.mark.parametrize(
    "sqe",
    [
        commands.read(0, 1, 9, 2, 0x1000, 0x2000),
        commands.compare(0, 1, 9, 2, 0x1000, 0x2000),
        commands.verify(0, 1, 9, 2),
        commands.copy(0, 1, 40, 1, 0x8000),
    ],
    ids=["read", "compare", "verify", "copy"],
)
def test_damage_is_known_once_somebody_has_met_it(bench: Bench, sqe: bytes) -> None:
    bench.y.space.write(0x8000, pack_copy_ranges([(9, 2)]))
    damage(bench, (10, 2))
    assert bench.y.io.status(sqe) == Status.UNRECOVERED_READ_ERROR
    assert ask(bench.y, TRACKED)[0] == [(10, 1, UNRECOVERABLE)]
    assert ask(bench.y, SCAN)[0] == [(10, 2, UNRECOVERABLE)]


def test_neighbours_share_a_descriptor_whatever_made_them_unreadable(bench: Bench) -> None:
    damage(bench, (10, 2))
    spoil(bench, (12, 1), (20, 1))
    assert ask(bench.y, SCAN)[0] == [(10, 3, UNRECOVERABLE), (20, 1, BY_COMMAND)]


def test_a_damaged_block_that_is_made_unreadable_on_purpose_is_known(bench: Bench) -> None:
    damage(bench, (10, 1))
    spoil(bench, (10, 1))
    assert ask(bench.y, TRACKED)[0] == [(10, 1, BY_COMMAND)]


def test_a_deallocated_block_has_nothing_to_lose(bench: Bench) -> None:
    bench.y.deallocate((8, 8))
    damage(bench, (7, 10))
    assert [each[:2] for each in ask(bench.y, SCAN)[0]] == [(7, 1), (16, 1)]
    assert bench.y.read_blocks(8, 8) == [0] * 8


# -- ranges and lengths -----------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [SCAN, TRACKED])
@pytest.mark.parametrize(
    ("slba", "blocks", "expected"),
    [
        (0, 64, [(10, 10), (40, 1)]),
        (12, 4, [(12, 4)]),
        (15, 0, [(15, 5), (40, 1)]),
        (0, 11, [(10, 1)]),
        (20, 20, []),
        (20, 21, [(40, 1)]),
        (63, 1, []),
    ],
)
def test_ranges_begin_and_end_within_what_was_asked_for(
    bench: Bench, action: int, slba: int, blocks: int, expected: list[tuple[int, int]]
) -> None:
    spoil(bench, (10, 10), (40, 1))
    assert ask(bench.y, action, slba, blocks) == ([(*each, BY_COMMAND) for each in expected], COMPLETE)


@pytest.mark.parametrize("action", [SCAN, TRACKED])
@pytest.mark.parametrize(("dwords", "fitting"), [(2, 0), (5, 0), (6, 1), (9, 1), (10, 2), (14, 3)])
def test_a_list_that_does_not_fit_says_incomplete(
    bench: Bench, action: int, dwords: int, fitting: int
) -> None:
    spoil(bench, *((lba, 1) for lba in range(0, 8, 2)))
    expected = [(lba, 1, BY_COMMAND) for lba in range(0, 8, 2)]
    assert ask(bench.y, action, dwords=dwords) == (expected[:fitting], INCOMPLETE)
    assert ask(bench.y, action, dwords=18) == (expected, COMPLETE)


@pytest.mark.parametrize("action", [SCAN, TRACKED])
@pytest.mark.parametrize("dwords", [6, 7, 10, 22])
def test_going_on_behind_the_last_range_finds_all_of_them(bench: Bench, action: int, dwords: int) -> None:
    spoil(bench, (0, 3), (9, 1), (13, 2), (20, 9), (63, 1))
    damage(bench, (33, 1), (40, 4))
    ask(bench.y, SCAN)
    found: list[tuple[int, ...]] = []
    slba, completeness = 0, INCOMPLETE
    while completeness == INCOMPLETE:
        more, completeness = ask(bench.y, action, slba, dwords=dwords)
        found += more
        slba = sum(found[-1][:2])
    assert found == ask(bench.y, SCAN)[0]
    assert len(found) == 7


@pytest.mark.parametrize("action", [SCAN, TRACKED])
@pytest.mark.parametrize(("slba", "blocks"), [(64, 0), (0, 65), (63, 2), ((1 << 64) - 1, 1)])
def test_a_range_past_the_namespace_is_refused(bench: Bench, action: int, slba: int, blocks: int) -> None:
    sqe = lm.get_lba_status(0, 1, slba, blocks, 100, LbaStatusAction(action), 0x1000)
    assert bench.y.admin.status(sqe) == Status.LBA_OUT_OF_RANGE


@pytest.mark.parametrize("prp1", [MEMORY, 0x1002])
def test_a_scan_whose_outcome_cannot_be_told_leaves_nothing_behind(bench: Bench, prp1: int) -> None:
    damage(bench, (10, 1))
    sqe = lm.get_lba_status(0, 1, 0, 0, 100, SCAN, prp1)
    assert bench.y.admin.status(sqe) in (Status.DATA_TRANSFER_ERROR, Status.PRP_OFFSET_INVALID)
    assert ask(bench.y, TRACKED) == ([], COMPLETE)


def test_each_controller_asks_about_its_own_namespaces(bench: Bench) -> None:
    spoil(bench, (3, 1))
    bench.detach(1, Y)
    sqe = raw(0x86, nsid=1, prp1=0x1000, cdw12=100, cdw13=TRACKED << 24)
    assert bench.y.admin.status(sqe) == Status.INVALID_FIELD
    assert ask(bench.x, TRACKED)[0] == ask(bench.z, SCAN)[0] == [(3, 1, BY_COMMAND)]


def test_identify_says_that_it_can_be_asked(bench: Bench) -> None:
    for host in (bench.x, bench.y):
        address = host.take()
        assert by_hand.status(host, by_hand.identify(address, 1)) == Status.SUCCESS
        assert OACS_GLSS.get(unpack_page(IdentifyController, host.space.read(address, 4096)).oacs) == 1


def test_neither_asking_nor_damage_is_told_of_in_the_migration_queue(bench: Bench) -> None:
    queue = bench.x.make_mq(8)
    queue.start()
    damage(bench, (3, 1))
    ask(bench.y, SCAN)
    assert queue.take() == []


# -- the log page LBA Status Information ------------------------------------------------------------------


def log_page(host: Host, length: int = 4096, offset: int = 0) -> bytes:
    address = host.take()
    sqe = commands.get_log_page(0, LogPage.LBA_STATUS, length // 4, address, offset=offset)
    assert host.admin.status(sqe) == Status.SUCCESS
    return host.space.read(address, length)


def test_the_log_page_tells_of_what_is_known_to_be_unreadable(bench: Bench) -> None:
    assert log_page(bench.y) == (16).to_bytes(4, "little") + bytes(4092)
    bench.create_namespace(8)
    bench.attach(2, Y)
    spoil(bench, (3, 2), (9, 1))
    assert bench.y.io.status(commands.write_uncorrectable(0, 2, 7, 1)) == Status.SUCCESS
    page = log_page(bench.y)
    assert page[:16] == bytes.fromhex("60000000 02000000 04000000 0000 0100")
    assert page[16:32] == bytes.fromhex("01000000 02000000 11") + bytes(7)
    assert page[32:64] == bytes.fromhex(
        "0300000000000000 01000000 00000000 0900000000000000 00000000 00000000"
    )
    assert page[64:96] == bytes.fromhex(
        "02000000 01000000 11 00000000000000 0700000000000000 00000000 00000000"
    )
    assert page[96:] == bytes(4000)
    assert unpack_lba_status_information(page) == ({1: [(3, 2), (9, 1)], 2: [(7, 1)]}, 1)
    assert unpack_lba_status_information(log_page(bench.z))[0] == {1: [(3, 2), (9, 1)]}, "Z does not have 2"


def test_the_log_page_knows_nothing_of_damage_that_nobody_has_met(bench: Bench) -> None:
    damage(bench, (10, 2))
    assert unpack_lba_status_information(log_page(bench.y)) == ({}, 0)
    ask(bench.y, SCAN)
    assert unpack_lba_status_information(log_page(bench.y)) == ({1: [(10, 2)]}, 1)


def test_the_generation_rises_with_what_was_not_read_of_before(bench: Bench) -> None:
    generations = []
    for change in (
        lambda: None,
        lambda: spoil(bench, (3, 2)),
        lambda: None,
        lambda: bench.y.write_blocks(3, [1]),
        lambda: spoil(bench, (3, 1)),
        lambda: spoil(bench, (4, 1)),
    ):
        change()
        generations.append(unpack_lba_status_information(log_page(bench.y))[1])
    assert generations == [0, 1, 1, 1, 2, 2]
    assert unpack_lba_status_information(log_page(bench.z))[1] == 1, "each host reads for itself"


def test_the_log_page_comes_in_parts_of_one_generation(bench: Bench) -> None:
    spoil(bench, (3, 2))
    parts = [log_page(bench.y, 16, offset) for offset in (0, 16, 32)]
    assert unpack_lba_status_information(b"".join(parts)) == ({1: [(3, 2)]}, 1)


def test_a_log_page_that_was_refused_was_not_read(bench: Bench) -> None:
    spoil(bench, (3, 2))
    for prp1, offset in ((MEMORY, 0), (0x1000, 4096)):
        sqe = commands.get_log_page(0, LogPage.LBA_STATUS, 4, prp1, offset=offset)
        assert bench.y.admin.status(sqe) != Status.SUCCESS
    spoil(bench, (9, 1))
    assert unpack_lba_status_information(log_page(bench.y))[1] == 1
