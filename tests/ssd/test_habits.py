"""Every freedom of the table shows: the same commands, two SSDs that conform, two outcomes."""

import pytest

from nvmelm_lab.engine import Random, RunToBlock, Schedule
from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import LbaChange, LbaStatusAction, LogAction, Property
from nvmelm_lab.ssd import FREEDOMS, Habits
from tests.ssd.door import Bench, Y, Z, ready, status_of
from tests.ssd.mq import MigrationQueue

FIRST, SUSPENDED = 1, 3


def logged(
    schedule: Schedule | None = None, *, start: bool = True, **habits: str
) -> tuple[Bench, MigrationQueue]:
    bench = ready(schedule, habits=Habits(**habits))
    queue = bench.x.make_mq(32)
    if start:
        assert queue.start() == Status.SUCCESS
    return bench, queue


def test_the_table_is_numbered_and_each_row_is_a_habit_whose_own_option_comes_first() -> None:
    assert [freedom.number for freedom in FREEDOMS] == list(range(1, len(FREEDOMS) + 1))
    own = Habits()
    for freedom in FREEDOMS:
        assert len(freedom.options) == len(set(freedom.options)) >= 2
        assert getattr(own, freedom.name) == freedom.options[0]
        assert freedom.source
        assert freedom.question.endswith("?")
    assert own.plain() == {}
    assert Habits(ranges="merged").plain() == {"ranges": "merged"}


@pytest.mark.parametrize("name", [freedom.name for freedom in FREEDOMS])
def test_an_option_that_the_table_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"freedom {name} cannot be 'sometimes'"):
        Habits(**{name: "sometimes"})


def test_only_a_timing_can_be_left_open() -> None:
    for freedom in FREEDOMS:
        if freedom.scope == "timing":
            Habits(**{freedom.name: "open"})
        else:
            with pytest.raises(InputError):
                Habits(**{freedom.name: "open"})


# -- 1 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("habit", "entries"),
    [
        ("with the first change", [(FIRST, 1), (0, 1)]),
        ("marker at once", [(FIRST, 0), (0, 1), (0, 1)]),
    ],
)
def test_first_entry_carries_the_first_change_or_stands_alone(
    habit: str, entries: list[tuple[int, int]]
) -> None:
    bench, queue = logged(first_entry=habit)
    assert len(queue.look()) == (habit == "marker at once")
    queue.read = 0
    bench.y.write_blocks(1, [1])
    bench.y.write_blocks(2, [1])
    assert [(entry.esa, entry.blocks) for entry in queue.take()] == entries


@pytest.mark.parametrize(
    ("habit", "esas"), [("with the first change", [3, 1]), ("marker at once", [1, 3, 1, 0])]
)
def test_first_entry_after_resume_likewise(habit: str, esas: list[int]) -> None:
    bench, queue = logged(first_entry=habit)
    bench.x.suspend()
    bench.x.resume()
    bench.y.write_blocks(1, [1])
    assert [entry.esa for entry in queue.take()] == esas


@pytest.mark.parametrize("seed", range(15))
def test_there_is_one_first_entry_even_if_a_change_comes_before_the_marker(seed: int) -> None:
    bench, queue = logged(Random(seed), start=False, first_entry="marker at once")
    bench.y.io.submit(*(commands.write_zeroes(0, 1, lba, 1) for lba in range(6)))
    bench.x.admin.submit(lm.track_send(0, queue.cdqid, LogAction.START))
    bench.engine.run()
    esas = [entry.esa for entry in queue.take()]
    assert esas == [FIRST] + [0] * (len(esas) - 1)


# -- 2 ----------------------------------------------------------------------------------------------------


def entry_came_first(bench: Bench, queue: MigrationQueue, lba: int) -> bool:
    bench.y.io.submit(commands.write_zeroes(0, 1, lba, 1))
    while True:
        bench.engine.advance(1)
        entry, completion = bool(queue.look()), bool(bench.y.io.reap())
        if entry or completion:
            bench.engine.run()
            queue.take()
            bench.y.io.reap()
            return entry


@pytest.mark.parametrize(("habit", "first"), [("entry first", True), ("completion first", False)])
def test_entry_order_is_kept_for_the_run(habit: str, first: bool) -> None:
    bench, queue = logged(entry_order=habit)
    assert [entry_came_first(bench, queue, lba) for lba in range(5)] == [first] * 5


def test_an_open_entry_order_is_the_schedules_choice_each_time() -> None:
    bench, queue = logged(Random(3), entry_order="open")
    assert {entry_came_first(bench, queue, lba) for lba in range(20)} == {True, False}
    bench, queue = logged(RunToBlock(), entry_order="open")
    assert {entry_came_first(bench, queue, lba) for lba in range(5)} == {True}


# -- 3, 4, 5 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("habit", "flag"), [("flagged", True), ("as a change", False)])
def test_a_deallocation_says_so_or_is_a_change_like_others(habit: str, flag: bool) -> None:
    bench, queue = logged(deallocation_flag=habit)
    bench.y.write_blocks(0, [1, 2])
    bench.y.deallocate((0, 1))
    bench.y.io.status(commands.write_zeroes(0, 1, 1, 1, deallocate=True))
    assert [(entry.slba, entry.deallocated) for entry in queue.take()] == [(0, False), (0, flag), (1, flag)]


@pytest.mark.parametrize(("habit", "told"), [("logged", True), ("not logged", False)])
def test_a_request_that_changes_nothing_is_told_of_or_not(habit: str, told: bool) -> None:
    bench, queue = logged(no_change=habit)
    bench.y.deallocate((5, 3))
    bench.y.io.status(commands.write_zeroes(0, 1, 9, 1, deallocate=True))
    assert [entry.slba for entry in queue.take()] == ([5, 9] if told else [])


def test_a_request_that_changes_part_of_its_range_is_told_of_whole() -> None:
    bench, queue = logged(no_change="not logged")
    bench.y.write_blocks(6, [1])
    queue.take()
    bench.y.deallocate((20, 2), (5, 3))
    assert [(entry.slba, entry.blocks) for entry in queue.take()] == [(5, 3)]


@pytest.mark.parametrize(
    ("habit", "expected"),
    [
        ("an entry each", [(0, 2), (2, 3), (10, 1), (11, 1), (4, 2)]),
        ("merged", [(0, 5), (10, 2), (4, 2)]),
    ],
)
def test_ranges_that_follow_each_other_have_an_entry_each_or_share_one(
    habit: str, expected: list[tuple[int, int]]
) -> None:
    bench, queue = logged(ranges=habit)
    bench.y.write_blocks(0, [1] * 16)
    queue.take()
    bench.y.deallocate((0, 2), (2, 3), (10, 1), (11, 1), (4, 2))
    assert [(entry.slba, entry.blocks) for entry in queue.take()] == expected


def test_dlba_is_set_only_if_the_blocks_are_deallocated_when_the_entry_is_posted() -> None:
    seen = set()
    for seed in range(60):
        bench, queue = logged(Random(seed))
        bench.y.write_blocks(0, [1])
        queue.take()
        address = bench.y.take()
        bench.y.io.submit(
            commands.write_zeroes(0, 1, 0, 1, deallocate=True), commands.write(0, 1, 0, 1, address)
        )
        for _ in range(100):
            deallocated = bench.ssd.namespaces[1].is_deallocated(0, 1)
            for entry in queue.look():
                if entry.deallocated:
                    assert deallocated
                seen.add(entry.deallocated)
            bench.engine.advance(1)
    assert seen == {True, False}


# -- 6 ----------------------------------------------------------------------------------------------------


def started_amid_commands(habit: str, seed: int) -> tuple[Bench, MigrationQueue, int]:
    """Track Send amid eight writes, up to where logging is on; the last is its CID."""
    bench, queue = logged(Random(seed), start=False, start_logging=habit)
    bench.y.io.submit(*(commands.write_zeroes(0, 1, lba, 1) for lba in range(8)))
    bench.engine.advance(5 + seed)
    (cid,) = bench.x.admin.submit(lm.track_send(0, queue.cdqid, LogAction.START))
    while not bench.ssd.migration_queues[queue.cdqid].logging:
        bench.engine.advance(1)
    assert bench.x.admin.look() is None, "it completes when logging is on, not before"
    return bench, queue, cid


def effective(bench: Bench) -> set[int]:
    """LBAs that hold data now, looked up beside the door."""
    ranges = bench.ssd.namespaces[1].allocated_ranges(0, 64, 64)
    return {slba + n for slba, blocks in ranges for n in range(blocks)}


@pytest.mark.parametrize("habit", ["at once", "after commands in flight"])
@pytest.mark.parametrize("seed", range(20))
def test_whatever_takes_effect_once_logging_is_on_is_told_of_and_nothing_else(habit: str, seed: int) -> None:
    bench, queue, cid = started_amid_commands(habit, seed)
    before = effective(bench)
    bench.engine.run()
    bench.x.admin.reap()
    assert status_of(bench.x.admin.unread[cid][0]) == Status.SUCCESS
    assert {entry.slba for entry in queue.take()} == set(range(8)) - before
    assert len(bench.y.io.reap()) == 8


@pytest.mark.parametrize(
    ("habit", "busy"), [("at once", {True, False}), ("after commands in flight", {False})]
)
def test_logging_starts_at_once_or_when_the_commands_in_flight_have_ended(
    habit: str, busy: set[bool]
) -> None:
    runs = [started_amid_commands(habit, seed) for seed in range(30)]
    assert {bool(bench.y.controller.in_flight) for bench, _, _ in runs} == busy


@pytest.mark.parametrize("seed", range(10))
def test_a_start_that_waits_ends_refused_when_the_target_is_suspended_or_its_queue_deleted(seed: int) -> None:
    for other, refusal in (
        (lm.suspend(0, Y), Status.CONTROLLER_SUSPENDED),
        (lm.delete_cdq(0, 0), Status.INVALID_CONTROLLER_DATA_QUEUE),
    ):
        bench, queue = logged(Random(seed), start=False, start_logging="after commands in flight")
        bench.y.io.submit(*[commands.flush(0, 1)] * 8)
        bench.engine.advance(12)
        start, _ = bench.x.admin.submit(lm.track_send(0, queue.cdqid, LogAction.START), other)
        bench.engine.run()
        bench.x.admin.reap()
        assert status_of(bench.x.admin.unread[start][0]) in (Status.SUCCESS, refusal)
        assert not bench.y.controller.held
        bench.x.resume()
        assert bench.y.io.status(commands.flush(0, 1)) == Status.SUCCESS


@pytest.mark.parametrize("seed", range(10))
def test_a_second_start_while_the_first_waits_is_refused(seed: int) -> None:
    bench, queue = logged(Random(seed), start=False, start_logging="after commands in flight")
    bench.y.io.submit(*[commands.flush(0, 1)] * 8)
    bench.engine.advance(12)
    start = lm.track_send(0, queue.cdqid, LogAction.START)
    cids = bench.x.admin.submit(start, start)
    bench.engine.run()
    bench.x.admin.reap()
    answers = {status_of(bench.x.admin.unread[cid][0]) for cid in cids}
    assert answers == {Status.SUCCESS, Status.INVALID_CONTROLLER_DATA_QUEUE}


@pytest.mark.parametrize("seed", range(10))
def test_a_reset_of_the_mmc_while_a_start_waits_lets_the_target_fetch_again(seed: int) -> None:
    bench, queue = logged(Random(seed), start=False, start_logging="after commands in flight")
    bench.y.io.submit(*[commands.flush(0, 1)] * 8)
    while not bench.y.controller.in_flight:
        bench.engine.advance(1)
    bench.x.admin.submit(lm.track_send(0, queue.cdqid, LogAction.START))
    while not bench.y.controller.held:
        bench.engine.advance(1)
    bench.x.write(Property.CC, 0)
    bench.x.enable()
    bench.online(bench.y)
    bench.y.enable()
    assert bench.y.admin.status(commands.get_number_of_queues(0)) == Status.SUCCESS


# -- 7, 8 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("habit", "status"),
    [("either controller", Status.CONTROLLER_NOT_SUSPENDED), ("own controller", Status.SUCCESS)],
)
def test_a_reset_of_the_mmc_ends_suspensions_or_leaves_them(habit: str, status: Status) -> None:
    bench = ready(habits=Habits(reset_resumes=habit))
    bench.x.suspend(Y)
    bench.x.write(Property.CC, 0)
    bench.x.enable()
    bench.online(bench.z)
    assert bench.x.resume(Y) == status
    assert bench.x.resume(Z) == Status.CONTROLLER_NOT_SUSPENDED


@pytest.mark.parametrize(
    ("habit", "status"),
    [("either controller", Status.CONTROLLER_NOT_SUSPENDED), ("own controller", Status.SUCCESS)],
)
def test_so_it_is_for_one_that_was_suspended_while_offline(habit: str, status: Status) -> None:
    bench = Bench(habits=Habits(reset_resumes=habit))
    bench.x.enable()
    assert bench.x.suspend(Y) == Status.SUCCESS
    bench.x.write(Property.CC, 0)
    bench.x.enable()
    assert bench.x.resume(Y) == status


@pytest.mark.parametrize("habit", ["Not Enough Resources", "Invalid Field"])
def test_one_migration_queue_too_many_ends_with_the_status_of_the_habit(habit: str) -> None:
    bench = Bench(habits=Habits(queue_limit=habit), secondary=[f"S{number}" for number in range(17)])
    bench.x.enable()
    for target in range(2, 18):
        bench.x.make_mq(8, target)
    sqe = lm.create_cdq(0, bench.x.take(), 64, 18)
    assert bench.x.admin.status(sqe).title.startswith(habit)


# -- 13 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("habit", "first"), [("a range", (LbaChange.RANGE, 64)), ("all LBs", (LbaChange.ALL, 0))]
)
def test_whole_namespace_is_a_range_or_all_lbs_where_the_entry_may_say_so(
    habit: str, first: tuple[LbaChange, int]
) -> None:
    bench, queue = logged(whole_namespace=habit)
    bench.y.admin.status(commands.format_nvm(0, 1))
    bench.y.admin.status(commands.format_nvm(0, 1))
    assert [(entry.change, entry.blocks) for entry in queue.take()] == [first, (LbaChange.RANGE, 64)]


# -- 14 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("habit", "known"), [("tracked", 1), ("forgotten", 0)])
def test_scan_result_is_tracked_or_forgotten(habit: str, known: int) -> None:
    bench, _ = logged(scan_result=habit)
    bench.y.write_blocks(3, [1])
    bench.ssd.namespaces[1].damage(3, 1)
    counts = []
    for action in (LbaStatusAction.TRACKED, LbaStatusAction.SCAN, LbaStatusAction.TRACKED):
        address = bench.y.take()
        assert bench.y.admin.status(lm.get_lba_status(0, 1, 0, 0, 100, action, address)) == Status.SUCCESS
        counts.append(int.from_bytes(bench.y.space.read(address, 4), "little"))
    assert counts == [0, 1, known]
