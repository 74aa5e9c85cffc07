"""Schedules without a clock: each picks in its own way, and always in the same."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import (
    PCT,
    Gate,
    Kind,
    Manual,
    Random,
    Replay,
    RunToBlock,
    Schedule,
    Signal,
    Timed,
    Trace,
    choose,
    do,
    passed,
    until,
)
from nvmelm_lab.engine.schedules import PATIENCE
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.workloads import workload
from nvmelm_lab.lab import Lab
from tests.engine.actors import Diary

SCHEDULES: dict[str, Callable[[], Schedule]] = {
    "timed": Timed,
    "run to block": RunToBlock,
    "random": lambda: Random(1),
    "pct": lambda: PCT(3, 2),
    "replay": lambda: Replay(["a", "b"]),
}


def three_writers(schedule: Schedule) -> str:
    diary = Diary(schedule)
    for name in "abc":
        diary.writer(name, 1, 2, 3)
    diary.run()
    return diary.order


def order_of_a_migration(schedule: Schedule) -> list[tuple[str, str]]:
    """Who did what in a whole migration with a guest at work."""
    lab, trace = Lab(), Trace()
    lab.begin(schedule, trace=trace)
    guest = lab.run_workload("guest", workload("mixed", blocks=176, seed=3).operations())
    lab.engine.run(lab.engine.spawn("VMM", lab.migration("guest").run()))
    guest.stop()
    lab.engine.run()
    return [(step.actor, step.label) for step in trace.steps]


# All of them


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_step_of_every_actor_happens_once(name: str) -> None:
    assert Counter(three_writers(SCHEDULES[name]())) == {"a": 3, "b": 3, "c": 3}


@pytest.mark.parametrize("name", ["timed", "run to block", "random", "pct"])
def test_the_same_program_takes_the_same_steps_each_time(name: str) -> None:
    first = order_of_a_migration(SCHEDULES[name]())
    assert len(first) > 200
    assert order_of_a_migration(SCHEDULES[name]()) == first


@pytest.mark.parametrize("name", ["run to block", "random", "pct", "replay"])
def test_without_a_clock_time_stands_still_and_idling_is_a_step_like_others(name: str) -> None:
    diary = Diary(SCHEDULES[name]())

    async def idle() -> None:
        await until(10**9)
        await do(diary.kind(), ("a", 1))

    diary.spawn("a", idle())
    diary.writer("b", 1)
    diary.run()
    assert sorted(diary.order) == ["a", "b"]
    assert diary.engine.now == -1


@pytest.mark.parametrize("name", SCHEDULES)
def test_nobody_goes_through_a_closed_gate(name: str) -> None:
    diary = Diary(SCHEDULES[name]())
    gate = Gate(diary.engine, "gate", is_open=False)
    for actor in "ab":
        diary.writer(actor, 1, kind=diary.kind(gate=gate))
    diary.writer("c", 1)
    assert diary.run() == [("c", 1)]
    gate.open()
    diary.run()
    assert sorted(diary.order) == ["a", "b", "c"]


# Run to block


def test_run_to_block_lets_an_actor_go_on_until_it_must_wait() -> None:
    assert three_writers(RunToBlock()) == "aaabbbccc"


def test_run_to_block_passes_on_to_whom_has_been_ready_longest() -> None:
    diary = Diary(RunToBlock())
    bell = Signal(diary.engine, "bell")

    async def rings_then_waits() -> None:
        await do(Kind("ring", lambda _: bell.raise_to(1)))
        await do(diary.kind(), ("a", 1))
        await bell.wait(2)
        await do(diary.kind(), ("a", 2))

    async def woken() -> None:
        await bell.wait(1)
        await do(diary.kind(), ("c", 1))
        await do(Kind("ring", lambda _: bell.raise_to(2)))

    diary.spawn("a", rings_then_waits())
    diary.spawn("c", woken())
    diary.writer("b", 1)
    diary.run()
    assert diary.order == "abca"


# Random


def test_random_seeds_give_random_orders() -> None:
    orders = {three_writers(Random(seed)) for seed in range(200)}
    assert len(orders) > 100


def test_random_picks_each_ready_actor_about_equally_often() -> None:
    first = Counter(three_writers(Random(seed))[0] for seed in range(600))
    assert all(150 < first[name] < 250 for name in "abc")


def test_random_picks_each_option_and_either_answer_of_the_clock() -> None:
    seen = set()
    for seed in range(60):
        diary = Diary(Random(seed))

        async def ask() -> tuple[str, bool]:
            return await choose("order", ("first", "second", "third")), await passed(10)

        actor = diary.spawn("a", ask())
        diary.run()
        seen.add(actor.result)
    assert seen == {(option, late) for option in ("first", "second", "third") for late in (False, True)}


# PCT


def test_pct_of_depth_one_runs_by_fixed_priorities() -> None:
    orders = {three_writers(PCT(1, seed)) for seed in range(60)}
    assert orders == {"".join(3 * x for x in p) for p in ("abc", "acb", "bac", "bca", "cab", "cba")}


def test_pct_of_depth_d_changes_priorities_at_most_d_minus_one_times() -> None:
    for seed in range(100):
        order = three_writers(PCT(3, seed, length=9))
        switches = sum(one != other for one, other in pairwise(order))
        assert switches <= 2 + 2 * 2


def test_pct_lets_nobody_wait_for_ever_below_an_actor_without_an_end() -> None:
    first = set()
    for seed in range(40):
        diary = Diary(PCT(1, seed))

        async def spin(diary: Diary = diary) -> None:
            while True:
                await do(diary.kind(), ("endless", 1))

        diary.spawn("endless", spin())
        for name in "ab":
            diary.writer(name, *range(PATIENCE + 50))
        diary.engine.advance(5 * PATIENCE)
        assert set(diary.engine.actors) == {"endless"}, seed
        first.add(diary.entries[0][0])
    assert first == {"endless", "a", "b"}


def test_pct_lets_nobody_wait_for_ever_below_newcomers_without_an_end() -> None:
    for seed in range(40):
        diary = Diary(PCT(1, seed))

        async def child(diary: Diary = diary) -> None:
            await do(diary.kind(), ("child", 1))

        async def parent(diary: Diary = diary) -> None:
            while True:
                await do(diary.kind(), ("parent", 1))
                diary.engine.spawn("", child(), parent=diary.engine.actors["parent"])

        diary.spawn("parent", parent())
        diary.writer("a", 1, 2, 3)
        diary.engine.advance(3 * PATIENCE)
        assert "a" not in diary.engine.actors, seed


def test_pct_is_as_published_while_no_actor_takes_too_many_steps() -> None:
    for seed in range(20):
        diary = Diary(PCT(1, seed))
        for name in "ab":
            diary.writer(name, *range(PATIENCE - 1))
        diary.run()
        assert sum(one != other for one, other in pairwise(diary.order)) == 1, seed


@pytest.mark.parametrize(("depth", "length"), [(0, 200), (-1, 200), (3, 0)])
def test_pct_refuses_a_depth_or_a_length_of_nothing(depth: int, length: int) -> None:
    with pytest.raises(InputError, match="give 1 or more"):
        PCT(depth, 1, length)


def test_pct_finds_a_bug_that_needs_two_ordered_steps() -> None:
    assert any("ab" in three_writers(PCT(2, seed, length=9)).replace("c", "") for seed in range(20))
    assert any("ba" in three_writers(PCT(2, seed, length=9)).replace("c", "") for seed in range(20))


# Manual


def test_manual_takes_the_steps_that_one_names() -> None:
    diary = Diary(manual := Manual())
    for name in "abc":
        diary.writer(name, 1, 2)
    for name in "bbac":
        manual.take(name)
        diary.engine.advance(1)
    assert diary.order == "bbac"
    assert [actor.name for actor in manual.choices()] == ["a", "c"]


def test_manual_waits_until_somebody_is_named() -> None:
    diary = Diary(Manual())
    diary.writer("a", 1)
    assert diary.run() == []


def test_manual_refuses_whom_it_cannot_let_go_and_says_who_can() -> None:
    diary = Diary(manual := Manual())
    gate = Gate(diary.engine, "gate", is_open=False)
    diary.writer("a", 1)
    diary.writer("b", 1)
    diary.writer("gated", 1, kind=diary.kind(gate=gate))
    for name in ("gated", "nobody"):
        with pytest.raises(InputError, match=f"'{name}' cannot take a step now; who can: 'a', 'b'"):
            manual.take(name)
    gate.open()
    manual.take("gated")
    diary.engine.advance(1)
    assert diary.order == "gated"


def test_manual_gives_the_option_that_one_prefers() -> None:
    diary = Diary(manual := Manual())

    async def ask() -> str:
        return await choose("order", ("first", "second"))

    actor = diary.spawn("a", ask())
    manual.take("a", option=1)
    diary.engine.advance(1)
    assert actor.result == "second"


def test_manual_does_not_offer_whom_was_stopped() -> None:
    diary = Diary(manual := Manual())
    diary.writer("a", 1)
    diary.writer("b", 1)
    diary.engine.stop("a")
    assert [actor.name for actor in manual.choices()] == ["b"]


# Replay


def test_replay_repeats_an_order_and_then_goes_on_as_run_to_block() -> None:
    assert three_writers(Replay(list("cab"))).startswith("cab")
    assert three_writers(Replay([])) == "aaabbbccc"


def test_replay_gives_the_recorded_options() -> None:
    diary = Diary(Replay([], [2, 1]))

    async def ask() -> list[str]:
        return [await choose("order", ("x", "y", "z")) for _ in range(3)]

    actor = diary.spawn("a", ask())
    diary.run()
    assert actor.result == ["z", "y", "x"]


def test_replay_refuses_a_recording_of_another_program() -> None:
    diary = Diary(Replay(["a", "zebra"]))
    diary.writer("a", 1)
    diary.writer("b", 1)
    with pytest.raises(InputError, match="names 'zebra' as step 2, but only these can go: b"):
        diary.run()


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 1 << 32))
def test_any_run_repeats_itself_from_its_own_record(seed: int) -> None:
    def run(schedule: Schedule) -> tuple[list[tuple[str, int]], list[str]]:
        diary = Diary(schedule, trace=Trace())
        bell, gate = Signal(diary.engine, "bell"), Gate(diary.engine, "gate")

        async def chooses() -> None:
            for _ in range(3):
                await do(diary.kind(), ("a", await choose("n", (0, 1, 2, 3))))
            bell.set()

        async def waits() -> None:
            await bell.wait()
            await do(Kind("close", lambda _: gate.close()))
            await do(Kind("open", lambda _: gate.open()))

        diary.spawn("a", chooses())
        diary.spawn("b", waits())
        diary.writer("c", 1, 2, 3, 4, kind=diary.kind(gate=gate))
        diary.run()
        assert diary.engine.trace is not None
        # Waits are no matter of the schedule: they end by themselves.
        return diary.entries, [step.actor for step in diary.engine.trace.steps if step.kind != "wait"]

    entries, names = run(Random(seed))
    options = [word for name, word in entries if name == "a"]
    assert run(Replay(names, options)) == (entries, names)
