"""Track Send with SEL 1 and Track Receive, by raw commands: facts A.2, A.3, B.7, B.8 and D.11."""

from __future__ import annotations

from random import Random as Dice

import pytest

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import Cns, Property
from tests.ssd import by_hand as do
from tests.ssd.by_hand import (
    CONTROLLER_SUSPENDED,
    INVALID_CONTROLLER_IDENTIFIER,
    INVALID_FIELD,
    PAGE,
    SUCCESS,
    bytes_of,
    number,
    status,
)
from tests.ssd.door import MEMORY, Bench, Host, Y, Z, ready
from tests.ssd.tracking import MIB, WHOLE, read, read_into, request, track

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
