"""Track Send with SEL 1 and Track Receive, by raw commands: facts A.2, A.3, B.7, B.8 and D.11."""

from __future__ import annotations

from random import Random as Dice
from struct import pack
from typing import NamedTuple

import pytest

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import Cns, Property
from nvmelm_lab.nvme.structs import CQE
from nvmelm_lab.ssd import Habits
from tests.ssd import by_hand as do
from tests.ssd.by_hand import (
    CONTROLLER_SUSPENDED,
    HABITS,
    INVALID_CONTROLLER_IDENTIFIER,
    INVALID_FIELD,
    NOT_ENOUGH_RESOURCES,
    PAGE,
    SUCCESS,
    bytes_of,
    number,
    status,
)
from tests.ssd.door import MEMORY, Bench, Host, X, Y, Z, ready

WHOLE = ((0, MEMORY // PAGE),)
MIB = 1 << 20


def request(bench: Bench, exponent: int, ranges: tuple[tuple[int, int], ...], *, version: int = 0) -> int:
    """The address of a Track Memory Changes structure in the memory of X."""
    data = pack("<B2xBI", version, exponent, len(ranges)) + b"".join(pack("<QI", *each) for each in ranges)
    address = bench.x.take(len(data))
    bench.x.space.write(address, data)
    return address


def track(
    bench: Bench, exponent: int = 0, ranges: tuple[tuple[int, int], ...] = WHOLE, *, target: int = Y
) -> int:
    return status(bench.x, do.track_memory(request(bench, exponent, ranges), target))


class Report(NamedTuple):
    """A Tracked Memory Change structure: facts B.8.  `ranges` are ``(address, granules)``."""

    susp: int
    mtr: int
    cntlid: int
    granule: int
    ranges: list[tuple[int, int]]

    @property
    def pages(self) -> set[int]:
        """Numbers of the pages of 4 KiB that it names."""
        size = self.granule // PAGE
        return {address // PAGE + n for address, granules in self.ranges for n in range(granules * size)}


def read(bench: Bench, *, target: int = Y, dwords: int = PAGE // 4) -> Report:
    address = bench.x.take()
    bench.x.space.write(address, b"\xff" * PAGE)
    assert status(bench.x, do.track_receive(address, target, dwords=dwords)) == SUCCESS
    data = bytes_of(bench.x, address)
    assert data[0] == 0
    assert data[1] >> 2 == 0
    assert data[10:16] == bytes(6)
    entries = [data[at : at + 16] for at in range(16, 16 + 16 * number(data, 4, 7), 16)]
    assert all(entry[12:] == bytes(4) for entry in entries)
    return Report(
        data[1] >> 1 & 1,
        data[1] & 1,
        number(data, 2, 3),
        PAGE << number(data, 8, 9),
        [(number(entry, 0, 7), number(entry, 8, 11)) for entry in entries],
    )


def read_into(host: Host, address: int, blocks: int = 1) -> None:
    """The host reads blocks from its namespace into its memory."""
    _, prp2 = host.prp(address, blocks * host.space.block_bytes)
    assert status(host, do.read(address, 0, blocks, prp2=prp2), qid=1) == SUCCESS


# -- what is reported -------------------------------------------------------------------------------------


def test_what_a_read_puts_into_memory_is_reported_and_so_is_its_completion() -> None:
    bench = ready()
    assert track(bench) == SUCCESS
    bench.y.take()
    address = bench.y.take(2 * PAGE)
    read_into(bench.y, address, 2)
    assert read(bench) == (0, 0, Y, PAGE, [(bench.y.io.cq, 1), (address, 2)])


def test_what_was_reported_is_not_reported_again_and_what_is_written_again_is() -> None:
    bench = ready()
    track(bench)
    address = bench.y.take()
    bench.y.take()
    read_into(bench.y, address)
    assert address // PAGE in read(bench).pages
    assert read(bench).ranges == []
    read_into(bench.y, address)
    assert read(bench).pages == {address // PAGE, bench.y.io.cq // PAGE}


def test_what_the_host_itself_writes_is_not_reported() -> None:
    bench = ready()
    track(bench)
    bench.y.space.write(bench.y.take(), b"by a processor")
    assert read(bench).ranges == []


def test_an_identify_page_is_reported_as_are_all_admin_completions() -> None:
    bench = ready()
    track(bench)
    address = bench.y.take()
    bench.y.take()
    assert status(bench.y, do.identify(address, 0x01)) == SUCCESS
    assert read(bench).pages == {address // PAGE, bench.y.admin.cq // PAGE}


def test_only_writes_within_the_ranges_are_reported() -> None:
    bench = ready()
    first, second, third = (bench.y.take(2 * PAGE) for _ in range(3))
    assert track(bench, 0, ((first, 1), (third, 2))) == SUCCESS
    for address in (first, second, third):
        read_into(bench.y, address, 2)
    assert read(bench).ranges == [(first, 1), (third, 2)]


@pytest.mark.parametrize("exponent", [0, 1, 4, 10])
def test_granules_are_as_large_as_was_asked_for(exponent: int) -> None:
    bench = ready()
    size = PAGE << exponent
    assert track(bench, exponent, ((0, MEMORY // size),)) == SUCCESS
    address = 3 * 4 * MIB - PAGE
    read_into(bench.y, address)
    report = read(bench)
    assert report.granule == size
    assert (address // size * size, 1) in report.ranges
    assert {each // size for each in (address, bench.y.io.cq)} == {each // size for each, _ in report.ranges}


def test_a_write_across_a_border_of_granules_changes_both() -> None:
    bench = ready(block_bytes=512)
    track(bench)
    address = bench.y.take(2 * PAGE)
    read_into(bench.y, address + PAGE - 512, 2)
    assert {address // PAGE, address // PAGE + 1} <= read(bench).pages


@pytest.mark.parametrize("seed", range(12))
def test_reports_are_exactly_what_an_iommu_sees(seed: int) -> None:
    bench = ready(Random(seed), block_bytes=512)
    dice = Dice(seed)
    assert track(bench) == SUCCESS
    buffers = bench.y.take(64 * PAGE)
    bench.y.space.device_dirty = set()
    for _ in range(6):
        bench.y.space.device_dirty.clear()
        for _ in range(dice.randrange(8)):
            address = buffers + 512 * dice.randrange(8 * 60)
            blocks = 1 + dice.randrange(16)
            prp = bench.y.prp(address, 512 * blocks)
            sqe = dice.choice(
                [
                    commands.read(0, 1, 0, blocks, *prp),
                    commands.write(0, 1, 0, blocks, *prp),
                    commands.read(0, 1, 60, 16, *prp),
                    commands.flush(0, 1),
                ]
            )
            bench.y.io.run(sqe)
            bench.y.admin.run(commands.identify(0, Cns.CONTROLLER, buffers + PAGE * dice.randrange(64)))
        assert read(bench).pages == bench.y.space.device_dirty


def test_a_stretch_of_commands_that_are_served_in_one_go_is_tracked_too() -> None:
    bench = ready(entries=64)
    no_limit = commands.set_arbitration(0, 6)
    bench.y.admin.status(no_limit)
    track(bench)
    address = bench.y.take()
    bench.y.io.submit(*[do.write(address, lba, 1) for lba in range(20)], do.read(address, 3, 1))
    bench.engine.run()
    assert len(bench.y.io.reap()) == 21
    assert read(bench).pages == {bench.y.io.cq // PAGE, address // PAGE}


def test_another_controller_in_the_same_memory_is_told_apart() -> None:
    bench = ready()
    theirs = Host(bench, bench.y.controller)
    z = bench.z.controller
    bench.z.write(Property.CC, 0)
    z.space, z.has_written = bench.y.space, bench.y.space.dma_has_written
    bench.z.space = bench.y.space
    bench.z._next = 8 * MIB
    assert bench.z.enable() == 1
    bench.z.make_ring(1)
    track(bench)
    address = bench.z.take()
    read_into(bench.z, address)
    assert theirs.space.read(address, 1) == b"\0"
    assert read(bench).ranges == []
    assert track(bench, target=Z) == SUCCESS
    read_into(bench.z, address)
    read_into(bench.y, bench.y.take())
    assert address // PAGE not in read(bench).pages
    assert address // PAGE in read(bench, target=Z).pages


# -- a report that is too long ----------------------------------------------------------------------------


def scattered(bench: Bench, count: int) -> list[int]:
    addresses = [bench.y.take(2 * PAGE) for _ in range(count)]
    assert track(bench, 0, tuple((address, 1) for address in addresses)) == SUCCESS
    for address in addresses:
        read_into(bench.y, address)
    return addresses


def test_a_report_that_does_not_fit_says_that_there_is_more() -> None:
    bench = ready()
    addresses = scattered(bench, 5)
    reports = [read(bench, dwords=(16 + 2 * 16) // 4) for _ in range(4)]
    assert [report.mtr for report in reports] == [1, 1, 0, 0]
    assert [[address for address, _ in report.ranges] for report in reports] == [
        addresses[:2],
        addresses[2:4],
        addresses[4:],
        [],
    ]


def test_a_report_without_a_range_never_says_that_there_is_more() -> None:
    bench = ready()
    addresses = scattered(bench, 2)
    assert read(bench, dwords=4) == (0, 0, Y, PAGE, [])
    assert [address for address, _ in read(bench).ranges] == addresses


def test_a_buffer_too_short_for_the_header_or_longer_than_mdts_is_refused() -> None:
    bench = ready()
    track(bench)
    for dwords in (1, 3, MIB // 4):
        assert status(bench.x, do.track_receive(bench.x.take(), Y, dwords=dwords)) == INVALID_FIELD


def test_a_refused_report_consumes_nothing() -> None:
    bench = ready()
    (address,) = scattered(bench, 1)
    assert status(bench.x, do.track_receive(MEMORY, Y)) != SUCCESS
    assert read(bench).ranges == [(address, 1)]


# -- suspension -------------------------------------------------------------------------------------------


def test_susp_without_mtr_says_that_everything_is_told_until_the_target_resumes() -> None:
    bench = ready()
    addresses = scattered(bench, 3)
    assert status(bench.x, do.suspend(Y)) == SUCCESS
    first, second, last = (read(bench, dwords=(16 + 2 * 16) // 4) for _ in range(3))
    assert (first.susp, first.mtr) == (1, 1)
    assert (second.susp, second.mtr) == (1, 0)
    assert first.pages | second.pages == {address // PAGE for address in addresses}
    assert last == (1, 0, Y, PAGE, [])
    bench.y.io.submit(do.read(addresses[0], 0, 1))
    bench.engine.run()
    assert read(bench).ranges == []
    assert status(bench.x, do.resume(Y)) == SUCCESS
    bench.y.io.reap()
    assert read(bench) == (0, 0, Y, PAGE, [(addresses[0], 1)])


@pytest.mark.parametrize("seed", range(30))
def test_nothing_is_written_any_more_once_a_report_says_that_the_target_is_suspended(seed: int) -> None:
    bench = ready(Random(seed))
    address = bench.y.take()
    track(bench)
    bench.y.io.submit(*[do.read(address, 0, 1)] * 8)
    bench.engine.advance(seed)
    report = bench.x.take()
    bench.x.admin.submit(do.suspend(Y), do.track_receive(report, Y))
    while bench.x.admin.look() is None or number(bytes_of(bench.x, report), 2, 3) != Y:
        bench.engine.advance(1)
    said = bytes_of(bench.x, report)[1] >> 1 & 1
    written = bench.y.controller.cqs[1].posted
    bench.engine.run()
    if said:
        assert bench.y.controller.cqs[1].posted == written


@pytest.mark.parametrize("tact", [0, 1])
def test_tracking_neither_starts_nor_stops_while_the_target_is_suspended(tact: int) -> None:
    bench = ready()
    assert status(bench.x, do.suspend(Y)) == SUCCESS
    sqe = do.track_memory(request(bench, 0, WHOLE), Y, tact=tact)
    assert status(bench.x, sqe) == CONTROLLER_SUSPENDED


# -- when it ends -----------------------------------------------------------------------------------------


def test_stopped_it_sees_nothing_costs_nothing_and_reports_nothing() -> None:
    bench = ready()
    controller = bench.y.controller
    kinds = (controller.execute, controller.execute_admin, controller.complete, controller.serve)
    acts = [kind.act for kind in kinds]
    track(bench)
    assert [kind.act for kind in kinds] != acts
    assert status(bench.x, do.track_memory(0, Y, tact=0)) == SUCCESS
    assert [kind.act for kind in kinds] == acts
    assert not bench.y.space.watched
    read_into(bench.y, bench.y.take())
    assert status(bench.x, do.track_receive(bench.x.take(), Y)) == INVALID_CONTROLLER_IDENTIFIER
    assert track(bench) == SUCCESS
    assert read(bench).ranges == []


def test_stopping_what_is_not_tracked_succeeds() -> None:
    assert status(ready().x, do.track_memory(0, Y, tact=0)) == SUCCESS


def test_a_reset_of_the_mmc_ends_it_and_one_of_the_target_does_not() -> None:
    bench = ready()
    track(bench)
    bench.y.write(Property.CC, 0)
    assert bench.y.enable() == 1
    bench.y.make_ring(1)
    address = bench.y.take()
    read_into(bench.y, address)
    assert address // PAGE in read(bench).pages
    bench.x.write(Property.CC, 0)
    assert bench.x.enable() == 1
    assert status(bench.x, do.track_receive(bench.x.take(), Y)) == INVALID_CONTROLLER_IDENTIFIER
    assert bench.y.controller.memory_tracking is None


# -- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [X, 0, 9, 0xFFFF])
def test_only_a_migratable_controller_can_be_tracked(target: int) -> None:
    bench = ready()
    assert track(bench, target=target) == INVALID_CONTROLLER_IDENTIFIER
    assert status(bench.x, do.track_memory(0, target, tact=0)) == INVALID_CONTROLLER_IDENTIFIER
    assert status(bench.x, do.track_receive(bench.x.take(), target)) == INVALID_CONTROLLER_IDENTIFIER


def test_a_target_is_tracked_once() -> None:
    bench = ready()
    assert track(bench) == SUCCESS
    assert track(bench) == INVALID_CONTROLLER_IDENTIFIER
    assert track(bench, target=Z) == SUCCESS


@pytest.mark.parametrize(
    ("exponent", "ranges"),
    [
        (11, ((0, 1),)),
        (255, ((0, 1),)),
        (0, ()),
        (0, ((0, 1),) * 65),
        (0, ((512, 1),)),
        (4, ((PAGE, 1),)),
        (0, ((0, 0),)),
        (0, ((MEMORY, 1),)),
        (0, ((0, MEMORY // PAGE * 2),)),
        (0, ((0, 1), (1 << 60, 1))),
    ],
    ids=[
        "coarser than MAXMRTG",
        "much coarser",
        "no range",
        "more than CMMRTD",
        "not aligned to a page",
        "not aligned to its granule",
        "an empty range",
        "behind memory",
        "longer than memory",
        "one of them nowhere",
    ],
)
def test_ranges_that_cannot_be_tracked_are_refused(
    exponent: int, ranges: tuple[tuple[int, int], ...]
) -> None:
    bench = ready()
    assert track(bench, exponent, ranges) == INVALID_FIELD
    assert bench.y.controller.memory_tracking is None


def test_another_version_of_the_structure_is_refused() -> None:
    bench = ready()
    assert status(bench.x, do.track_memory(request(bench, 0, WHOLE, version=1), Y)) == INVALID_FIELD


def test_ranges_of_all_targets_together_are_limited_by_cmmrtd() -> None:
    bench = ready()
    assert track(bench, 0, ((0, 1),) * 40) == SUCCESS
    assert track(bench, 0, ((0, 1),) * 25, target=Z) == INVALID_FIELD
    assert track(bench, 0, ((0, 1),) * 24, target=Z) == SUCCESS


@pytest.mark.parametrize("sel", [1, 0xFF])
def test_a_reserved_report_is_refused(sel: int) -> None:
    bench = ready()
    track(bench)
    assert status(bench.x, do.track_receive(bench.x.take(), Y, sel=sel)) == INVALID_FIELD


def test_a_target_refuses_these_commands() -> None:
    bench = ready()
    for sqe in (do.track_memory(0, Y, tact=0), do.track_receive(0, Y)):
        assert status(bench.y, sqe) == 0x001


# -- freedoms 9, 10 and 11 --------------------------------------------------------------------------------


def refusal(bench: Bench, exponent: int, ranges: tuple[tuple[int, int], ...]) -> tuple[int, int, int]:
    """Status, DW0 and DW1 of the completion."""
    cqe = CQE.pack(*bench.x.admin.run(do.track_memory(request(bench, exponent, ranges), Y)))
    return number(cqe, 14, 15) >> 1 & 0x7FF, number(cqe, 0, 3), number(cqe, 4, 7)


@pytest.mark.parametrize(
    ("exponent", "ranges", "granularity", "possible"),
    [
        (0, WHOLE, 5, 0),
        (2, ((0, MEMORY // PAGE // 4),), 5, 0),
        (0, ((0, 100), (MIB, 28), (2 * MIB, 1)), 1, 2),
        (0, ((0, 2), (0, 256)), 2, 1),
        (10, tuple((0, 4) for _ in range(33)), 10, 32),
    ],
)
def test_38h_says_which_granularity_and_how_many_ranges_are_possible(
    exponent: int, ranges: tuple[tuple[int, int], ...], granularity: int, possible: int
) -> None:
    bench = ready(habits=Habits(tracking_resources="scarce"))
    assert refusal(bench, exponent, ranges) == (NOT_ENOUGH_RESOURCES, granularity, possible)
    assert bench.y.controller.memory_tracking is None
    if possible:
        assert track(bench, exponent, ranges[:possible]) == SUCCESS
    elif granularity <= 5:
        size = PAGE << granularity
        assert track(bench, granularity, ((0, MEMORY // size),)) == SUCCESS


@pytest.mark.parametrize(("habit", "expected"), [("any", SUCCESS), ("powers of two", INVALID_FIELD)])
def test_lengths_are_powers_of_two_where_mrtll_says_so(habit: str, expected: int) -> None:
    bench = ready(habits=Habits(tracking_lengths=habit))
    page = bench.x.take()
    assert status(bench.x, do.identify(page, 0x01)) == SUCCESS
    assert bytes_of(bench.x, page)[576] >> 2 & 1 == (habit == "powers of two")
    assert track(bench, 0, ((0, 3),)) == expected
    assert track(bench, 0, ((0, 4),), target=Z) == SUCCESS


@pytest.mark.parametrize(("habit", "granule"), [("as asked for", PAGE), ("coarser", 2 * PAGE)])
def test_a_report_says_its_own_granularity(habit: str, granule: int) -> None:
    bench = ready(habits=Habits(tracking_report=habit))
    address = bench.y.take(2 * PAGE)
    assert track(bench, 0, ((address, 2),)) == SUCCESS
    read_into(bench.y, address, 2)
    report = read(bench)
    assert report.granule == granule
    assert all(start % granule == 0 for start, _ in report.ranges)
    assert report.pages >= {address // PAGE, address // PAGE + 1}


@pytest.mark.parametrize("name", HABITS)
def test_whatever_its_habits_an_ssd_loses_no_page(name: str) -> None:
    bench = ready(habits=HABITS[name])
    address = bench.y.take(4 * PAGE)
    code, _, _ = refusal(bench, 0, ((address, 4),))
    assert code == SUCCESS
    read_into(bench.y, address, 3)
    assert read(bench).pages >= {address // PAGE + n for n in range(3)}


# -- every step says what it touches ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_a_tracked_controllers_steps_touch_what_they_say(seed: int) -> None:
    bench = ready(Random(seed), audited=True)
    address = bench.y.take()
    assert track(bench) == SUCCESS
    pages = set()
    for _ in range(5):
        bench.y.io.submit(*[do.read(address, 0, 1)] * 3)
        bench.y.admin.submit(do.identify(address, 0x01))
        pages |= read(bench).pages
        bench.engine.run()
        bench.y.io.reap()
        bench.y.admin.reap()
    assert address // PAGE in pages | read(bench).pages
    assert status(bench.x, do.track_memory(0, Y, tact=0)) == SUCCESS
