"""Memory tracking that is refused, and where SSDs differ in what they refuse: facts A.2, A.3, freedoms 9 to 11."""

from __future__ import annotations

import pytest

from nvmelm_lab.nvme.structs import CQE
from nvmelm_lab.ssd import Habits
from tests.ssd import by_hand as do
from tests.ssd.by_hand import (
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
from tests.ssd.door import MEMORY, Bench, X, Y, Z, ready
from tests.ssd.tracking import MIB, WHOLE, read, read_into, request, track

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
