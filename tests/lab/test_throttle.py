"""A VM that is slowed down converges where it would not; it is never slower than it must be, or longer."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.move import Plan
from nvmelm_lab.host.throttle import FIRST, SLICE_NS, STEP, Throttle
from nvmelm_lab.runs import MigrationRun, Outcome, Run, replay, start

NEVER = MigrationRun(blocks=1024, workload="sequential", writes_per_second=60_000, rounds=30)
"""Writes everything anew in each round."""

MOST = 80
SLOWED = replace(NEVER, throttle=MOST)
METHODS = ("ssd", "shim")


def watched(spec: MigrationRun) -> tuple[Run, list[tuple[int, int]]]:
    """A run, and a list of how much the guest's VM is slowed down, with the virtual time."""
    run, seen = start(spec), []

    def note(effect: tuple[object, ...]) -> None:
        assert effect[1] == "guest"
        seen.append((run.lab.engine.now, effect[2]))

    run.lab.engine.observe("slowed", note)
    return run, seen


# -- what it is for ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_a_guest_that_never_converges_does_when_it_is_slowed_down(method: str) -> None:
    without, slowed = (start(replace(spec, method=method)).finish() for spec in (NEVER, SLOWED))
    assert without.good
    assert slowed.good
    assert without.rounds == NEVER.rounds
    assert without.round_ns[-1] > NEVER.downtime_budget_ns
    assert without.round_throttle == (0,) * NEVER.rounds
    assert slowed.rounds < without.rounds // 2
    assert slowed.round_ns[-1] <= NEVER.downtime_budget_ns
    assert slowed.final_blocks < without.final_blocks // 2
    assert slowed.downtime_ns < without.downtime_ns // 2


@pytest.mark.parametrize("method", METHODS)
def test_it_is_slowed_down_further_exactly_after_each_round_that_hardly_shrank(method: str) -> None:
    found = start(replace(SLOWED, method=method)).finish()
    wanted, percent = [0], 0
    for before, last in zip(found.round_blocks, found.round_blocks[1:], strict=False):
        # The first round has nothing before it to be compared with.
        wanted.append(percent)
        if last * 10 >= before * 9:
            percent = min(MOST, percent + STEP) if percent else FIRST
    assert list(found.round_throttle) == wanted
    assert 0 < found.round_throttle[-1] <= MOST


def test_a_guest_that_converges_by_itself_is_left_alone() -> None:
    usual = MigrationRun(blocks=1024)
    run, seen = watched(replace(usual, throttle=MOST))
    allowed, without = run.finish(), start(usual).finish()
    assert seen == []
    assert replace(allowed, run=usual, token=without.token) == without


def test_no_more_is_taken_than_the_plan_allows() -> None:
    found = start(replace(NEVER, throttle=35)).finish()
    assert set(found.round_throttle) == {0, FIRST, FIRST + STEP, 35}
    assert found.round_throttle[-1] == 35


def test_a_throttle_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="throttle cannot be 100; give a whole number from 0"):
        Plan(throttle=100)


# -- how a guest is slowed down ---------------------------------------------------------------------------


@pytest.mark.parametrize("percent", [20, 50, 90])
def test_a_slowed_guest_issues_its_share_of_what_it_would(percent: int) -> None:
    def issued_in_100_ms(percent: int) -> int:
        run = start(replace(NEVER, writes_per_second=10_000, lead_ns=1 << 60))
        run.lab.engine.spawn("other VMM", run.lab.guests["guest"].vm.slow_down(percent))
        while run.lab.engine.now < 100_000_000:
            run.advance(10)
        return run.guest.issued

    alone = issued_in_100_ms(0)
    assert abs(issued_in_100_ms(percent) * 100 - alone * (100 - percent)) < 100 * 5


def test_what_it_lost_is_not_caught_up_on_when_it_may_run_again() -> None:
    run = start(replace(NEVER, writes_per_second=10_000, lead_ns=1 << 60))
    engine, vm = run.lab.engine, run.lab.guests["guest"].vm

    def until(ns: int) -> int:
        while engine.now < ns:
            run.advance(10)
        return run.guest.issued

    one = until(50_000_000)
    engine.spawn("slows", vm.slow_down(90))
    two = until(100_000_000)
    engine.spawn("gives back", vm.slow_down(0))
    three = until(150_000_000)
    assert abs((two - one) * 10 - one) < 50
    assert abs((three - two) - one) < 5


def test_it_notices_soon_that_it_may_run_again() -> None:
    throttle = Throttle()
    throttle.set(99, 0)
    assert throttle.look_again(0, 10**9) == SLICE_NS
    assert throttle.look_again(0, 10) == 1000
    assert throttle.taken(1000) == 990
    throttle.set(0, 1000)
    assert throttle.taken(5000) == throttle.taken_ns == 990


def test_the_neighbour_is_not_slowed_down() -> None:
    longest = {}
    for spec in (NEVER, SLOWED):
        run = start(spec)
        outcome = run.finish()
        (verdict,) = (each for each in outcome.verdict.properties if each.name == "neighbour unaffected")
        assert verdict.holds
        assert run.lab.guests["neighbour"].vm.throttle.taken_ns == 0
        (neighbour,) = run.lab.guests["neighbour"].programs
        longest[spec.throttle] = neighbour.completed * 10**9 // outcome.virtual_ns
    assert longest[MOST] >= longest[0]


# -- how it ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_the_vm_has_all_of_its_time_again_from_its_start_at_the_destination_on(method: str) -> None:
    run, seen = watched(replace(SLOWED, method=method))
    starts: list[int] = []
    run.lab.engine.observe("vm", lambda effect: starts.append(run.lab.engine.now))
    assert run.finish().good
    assert seen[-1] == (starts[-1], 0)
    assert all(percent > 0 for _, percent in seen[:-1])
    assert run.method.progress.throttle == run.lab.guests["guest"].vm.throttle.percent == 0


def ends_early(
    method: str, phase: str, end: Callable[[Run], None]
) -> tuple[Outcome, list[tuple[int, int]], Run]:
    """A run that is ended once its VM has been slowed down, when it enters `phase` or is in it."""
    run, seen = watched(replace(SLOWED, method=method))
    while not (seen and run.progress.phase == phase):
        assert not run.advance(1)
    end(run)
    return run.finish(), seen, run


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("phase", ["Iterate", "Suspend"])
def test_a_cancelled_migration_gives_the_time_back(phase: str, method: str) -> None:
    outcome, seen, run = ends_early(method, phase, Run.cancel)
    assert outcome.failure == "cancelled"
    assert outcome.verdict.good
    assert seen[-1][1] == 0
    assert run.lab.guests["guest"].vm.throttle.percent == run.method.progress.throttle == 0


@pytest.mark.parametrize("method", METHODS)
def test_a_failed_migration_gives_the_time_back(method: str) -> None:
    def fail(run: Run) -> None:
        async def refused(*_: object) -> None:
            raise InputError("the destination is dead")

        run.method.move.copier.copy = refused  # type: ignore[method-assign, assignment]

    outcome, seen, run = ends_early(method, "Iterate", fail)
    assert outcome.failure == "the destination is dead"
    assert outcome.verdict.good
    assert seen[-1][1] == 0
    assert run.lab.guests["guest"].vm.throttle.percent == 0


# -- the same each time -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_the_same_run_comes_out_the_same_and_a_token_brings_it_back(method: str) -> None:
    spec = replace(SLOWED, method=method)
    outcome = start(spec).finish()
    assert start(spec).finish() == outcome
    assert replay(outcome.token) == spec


@pytest.mark.parametrize("schedule", [("run to block",), ("random", 3)])
def test_without_a_clock_there_is_no_time_to_take(schedule: tuple[object, ...]) -> None:
    run = start(replace(SLOWED, blocks=64, rounds=20, downtime_budget_ns=0, schedule=schedule))
    outcome = run.finish()
    assert outcome.good
    assert max(outcome.round_throttle) > FIRST
    assert run.lab.guests["guest"].vm.throttle.taken_ns == 0
