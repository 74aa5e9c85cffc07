"""Steps, signals, gates and the life of an actor, under a schedule that has no say in it."""

import pytest

from nvmelm_lab.engine import (
    WAIT,
    Actor,
    Engine,
    Gate,
    Kind,
    Life,
    Manual,
    Recorder,
    RunToBlock,
    Signal,
    Timed,
    Trace,
    choose,
    do,
    passed,
    until,
)
from nvmelm_lab.errors import KitError
from tests.engine.actors import Diary


@pytest.fixture
def engine() -> Engine:
    return Engine(RunToBlock())


def double(subject: int) -> int:
    return 2 * subject


# Steps


def test_a_step_gives_its_actor_what_the_action_returned(engine: Engine) -> None:
    async def ask() -> list[int]:
        return [await do(Kind("double", double), 3), await do(Kind("double", double), 4)]

    actor = engine.spawn("a", ask())
    engine.run()
    assert actor.result == [6, 8]


def test_nothing_of_a_step_happens_before_the_engine_runs() -> None:
    diary = Diary(RunToBlock())
    diary.writer("a", 1)
    assert diary.entries == []
    assert diary.run() == [("a", 1)]


def test_a_run_can_be_had_in_slices_of_as_many_steps_as_one_likes() -> None:
    diary = Diary(RunToBlock())
    diary.writer("a", *range(5))
    assert diary.engine.advance(2) is False
    assert diary.entries == [("a", 0), ("a", 1)]
    assert diary.engine.advance(100) is True
    assert len(diary.entries) == 5


def test_a_run_until_an_actor_has_ended_leaves_the_others_where_they_are(engine: Engine) -> None:
    never = Signal(engine, "never")

    async def wait() -> None:
        await never.wait()

    async def three_steps() -> str:
        for _ in range(3):
            await do(Kind("double", double), 1)
        return "done"

    waiting, short = engine.spawn("waiting", wait()), engine.spawn("short", three_steps())
    assert engine.advance(100, short) is True
    assert short.result == "done"
    assert not waiting.done.level


def test_a_kind_is_described_by_its_label_and_without_one_by_its_name() -> None:
    assert Kind("fetch", double).describe(3) == "fetch"
    assert Kind("fetch", double, label=lambda subject: f"fetches {subject}").describe(3) == "fetches 3"


def test_the_first_option_is_the_habit_and_the_clock_of_a_timed_run_tells_whether_a_deadline_has_passed() -> (
    None
):
    engine = Engine(Timed())

    async def ask() -> tuple[str, bool, bool]:
        early = await passed(1_000)
        await until(1_000)
        return await choose("colour", ("red", "blue")), early, await passed(1_000)

    actor = engine.spawn("a", ask())
    engine.run()
    assert actor.result == ("red", False, True)
    assert engine.now == 1_000


# Signals


def test_a_wait_ends_when_the_level_is_reached_and_not_before(engine: Engine) -> None:
    signal = Signal(engine, "doorbell")
    seen: list[int] = []

    async def wait() -> None:
        for level in (1, 3):
            await signal.wait(level)
            seen.append(level)

    engine.spawn("a", wait())
    engine.run()
    assert seen == []
    signal.raise_to(2)
    engine.run()
    assert seen == [1]
    signal.raise_to(3)
    engine.run()
    assert seen == [1, 3]


def test_counting_raises_a_level_by_one_and_wakes_who_waits_for_it(engine: Engine) -> None:
    signal = Signal(engine, "done")
    signal.raise_to(3)

    async def wait() -> str:
        await signal.wait(5)
        return "went on"

    actor = engine.spawn("a", wait())
    signal.count()
    engine.run()
    assert (signal.level, actor.result) == (4, None)
    signal.count()
    engine.run()
    assert (signal.level, actor.result) == (5, "went on")


def test_who_asks_for_the_end_of_an_actor_only_afterwards_learns_by_which_step_it_was() -> None:
    diary = Diary(RunToBlock(), trace=(trace := Trace()))

    async def ends() -> None:
        await do(diary.kind("first"), ("ends", 1))
        await do(diary.kind("last"), ("ends", 2))

    ending = diary.spawn("ends", ends())
    diary.run()

    async def joins() -> None:
        await ending.join()

    diary.spawn("joins", joins())
    diary.run()
    assert [step.kind for step in trace.steps] == ["first", "last", "wait"]
    assert trace.steps[2].cause == 1


def test_a_generator_that_yields_its_steps_is_an_actor_like_others() -> None:
    diary = Diary(RunToBlock())
    bell = Signal(diary.engine, "bell")

    def life() -> Life:
        yield WAIT, (bell, 1)
        yield diary.kind(), ("a", (yield Kind("double", double), 4))
        order = yield from choose("order", ("first", "second"))
        return order

    actor = diary.spawn("a", life())
    assert diary.run() == []
    bell.set()
    assert diary.run() == [("a", 8)]
    assert actor.result == "first"


def test_a_level_never_falls(engine: Engine) -> None:
    signal = Signal(engine, "doorbell")
    signal.raise_to(3)
    signal.raise_to(1)
    signal.set()
    assert signal.level == 3


def test_a_level_that_was_reached_before_anybody_waits_is_not_missed(engine: Engine) -> None:
    signal = Signal(engine, "done")
    signal.set()

    async def wait() -> str:
        await signal.wait()
        return "went on"

    actor = engine.spawn("a", wait())
    engine.run()
    assert actor.result == "went on"


def test_who_was_woken_goes_on_before_the_schedule_picks_again() -> None:
    diary = Diary(Manual())
    bell = Signal(diary.engine, "bell")

    async def waits(name: str) -> None:
        await bell.wait()
        diary.entries.append((name, "woken"))
        await do(diary.kind(), (name, 1))

    for name in ("b", "a"):
        diary.spawn(name, waits(name))
    diary.writer("rings", None, kind=Kind("ring", lambda _: bell.set()))
    manual = diary.engine.schedule
    assert isinstance(manual, Manual)
    manual.take("rings")
    diary.engine.advance(1)
    assert diary.entries == [("b", "woken"), ("a", "woken")]
    assert [actor.name for actor in manual.choices()] == ["a", "b"]


def test_under_a_recorder_the_end_of_a_wait_is_a_step_that_the_schedule_picks() -> None:
    diary = Diary(Manual(), recorder=Recorder())
    bell = Signal(diary.engine, "bell")

    async def waits() -> None:
        await bell.wait()
        diary.entries.append(("a", "woken"))
        await do(diary.kind(), ("a", 1))

    diary.spawn("a", waits())
    bell.set()
    diary.engine.advance(0)
    assert diary.entries == []
    manual = diary.engine.schedule
    assert isinstance(manual, Manual)
    manual.take("a")
    diary.engine.advance(1)
    assert diary.entries == [("a", "woken")]


def test_waits_count_as_steps_whether_or_not_they_are_written_down() -> None:
    def run(trace: Trace | None) -> int:
        diary = Diary(RunToBlock(), trace=trace)
        bell = Signal(diary.engine, "bell")

        async def waits() -> None:
            await bell.wait()
            await bell.wait()

        diary.spawn("a", waits())
        diary.writer("rings", None, kind=Kind("ring", lambda _: bell.set()))
        diary.run()
        return diary.engine.step_index + 1

    trace = Trace()
    assert run(trace) == len(trace.steps) == 3
    assert run(None) == 3


def test_a_signal_wakes_all_who_wait_for_its_level_and_no_others(engine: Engine) -> None:
    signal = Signal(engine, "doorbell")

    async def wait(level: int) -> int:
        await signal.wait(level)
        return level

    actors = [engine.spawn(f"{n} waits for {level}", wait(level)) for n, level in enumerate((1, 2, 2, 3))]
    signal.raise_to(2)
    engine.run()
    assert [bool(actor.done.level) for actor in actors] == [True, True, True, False]


# Gates


def test_a_gated_step_happens_only_while_its_gate_is_open() -> None:
    diary = Diary(RunToBlock())
    gate = Gate(diary.engine, "processors", is_open=False)
    diary.writer("a", 1, kind=diary.kind(gate=gate))
    assert diary.run() == []
    gate.open()
    assert diary.run() == [("a", 1)]


def test_closing_the_gate_holds_back_a_step_that_was_about_to_happen() -> None:
    diary = Diary(RunToBlock())
    gate = Gate(diary.engine, "fetch")
    diary.writer("a", 1, 2, kind=diary.kind(gate=gate))
    diary.engine.advance(1)
    gate.close()
    assert diary.run() == [("a", 1)]
    gate.open()
    assert diary.run() == [("a", 1), ("a", 2)]


def test_a_gate_that_closes_again_at_once_lets_nobody_through() -> None:
    diary = Diary(RunToBlock())
    gate = Gate(diary.engine, "fetch", is_open=False)
    diary.writer("a", 1, kind=diary.kind(gate=gate))
    diary.run()
    gate.open()
    gate.close()
    assert diary.run() == []
    gate.open()
    assert diary.run() == [("a", 1)]


def test_who_is_blocked_and_by_what_is_told_in_words(engine: Engine) -> None:
    gate = Gate(engine, "fetch of Y", is_open=False)
    bell = Signal(engine, "doorbell of Y")

    async def wait() -> None:
        await bell.wait(2)

    async def fetch() -> None:
        await do(Kind("fetch", double, gate=gate, label=lambda _: "fetches a command"), 1)

    engine.spawn("Y.sq1", wait())
    engine.spawn("Y.sq2", fetch())
    engine.run()
    assert engine.blocked() == [
        "Y.sq1 waits for doorbell of Y",
        "Y.sq2 fetches a command (held back by the gate fetch of Y)",
    ]


# The life of an actor


def test_joining_gives_the_result_however_late_one_joins(engine: Engine) -> None:
    async def child() -> int:
        return await do(Kind("double", double), 21)

    async def parent() -> list[int]:
        actor = engine.spawn("child", child())
        return [await actor.join(), await actor.join()]

    actor = engine.spawn("parent", parent())
    engine.run()
    assert actor.result == [42, 42]


def test_a_childs_name_is_made_of_its_parents_and_its_number(engine: Engine) -> None:
    async def nothing() -> None:
        await do(Kind("double", double), 1)

    parent = engine.spawn("VMM", nothing())
    names = [engine.spawn(word, nothing(), parent=parent).name for word in ("copy", "copy", "")]
    assert names == ["VMM.1 copy", "VMM.2 copy", "VMM.3"]


def test_two_living_actors_cannot_have_one_name(engine: Engine) -> None:
    async def nothing() -> None:
        await do(Kind("double", double), 1)

    engine.spawn("a", nothing())
    second = nothing()
    with pytest.raises(KitError, match="two actors are called 'a'"):
        engine.spawn("a", second)
    second.close()
    engine.run()
    assert engine.spawn("a", nothing()).name == "a"


def test_what_a_joined_actor_raises_reaches_who_joined_it(engine: Engine) -> None:
    async def fail() -> None:
        await do(Kind("double", double), 1)
        raise LookupError("lost")

    async def parent() -> str:
        try:
            await engine.spawn("child", fail()).join()
        except LookupError as error:
            return f"caught {error}"
        return "nothing came"

    actor = engine.spawn("parent", parent())
    engine.run()
    assert actor.result == "caught lost"


def test_what_an_actor_raises_that_nobody_joins_ends_the_run(engine: Engine) -> None:
    async def fail() -> None:
        await do(Kind("double", double), 1)
        raise LookupError("lost")

    engine.spawn("a", fail())
    with pytest.raises(LookupError, match="lost"):
        engine.run()


def test_a_stopped_actor_takes_no_further_step_wherever_it_stands() -> None:
    diary = Diary(RunToBlock())
    bell, gate = Signal(diary.engine, "bell"), Gate(diary.engine, "gate", is_open=False)

    async def waits() -> None:
        await bell.wait()
        await do(diary.kind(), ("waits", 1))

    diary.writer("ready", 1)
    diary.writer("gated", 1, kind=diary.kind(gate=gate))
    waiting = diary.spawn("waits", waits())
    diary.engine.advance(0)
    for name in ("ready", "gated", "waits"):
        diary.engine.stop(name)
    bell.set()
    gate.open()
    assert diary.run() == []
    assert waiting.done.level
    assert diary.engine.blocked() == []


def test_stopping_ends_whom_it_joins_and_leaves_alone_who_has_ended(engine: Engine) -> None:
    never = Signal(engine, "never")

    async def wait() -> None:
        await never.wait()

    async def parent(child: Actor) -> object:
        return await child.join()

    joiner = engine.spawn("parent", parent(engine.spawn("child", wait())))
    engine.run()
    engine.stop("child")
    engine.stop("child")
    engine.run()
    assert joiner.done.level
    assert joiner.result is None


def test_an_actor_may_be_stopped_by_its_own_step(engine: Engine) -> None:
    reached = []

    async def reset_itself() -> None:
        await do(Kind("reset", lambda _: engine.stop("a")))
        reached.append("behind")

    actor = engine.spawn("a", reset_itself())
    engine.run()
    assert actor.done.level
    assert actor.error is None
    assert reached == []


def test_a_stopped_actors_name_is_free_at_once_even_at_the_same_moment_of_the_clock() -> None:
    diary = Diary(Timed())
    diary.writer("Y.sq1", "old", kind=diary.kind(takes=100))
    diary.engine.stop("Y.sq1")
    diary.writer("Y.sq1", "new", kind=diary.kind(takes=100))
    assert diary.run() == [("Y.sq1", "new")]


# Effects, and another schedule


def test_effects_reach_those_who_observe_their_word(engine: Engine) -> None:
    seen: list[tuple[object, ...]] = []
    engine.observe("phase", seen.append)
    engine.emit(("phase", "Iterate"))
    engine.emit(("round", 1))
    assert seen == [("phase", "Iterate")]


def test_an_engine_goes_on_under_another_schedule_with_its_clock_and_its_count_of_steps_at_zero() -> None:
    diary = Diary(RunToBlock())
    bell = Signal(diary.engine, "bell")

    async def waits() -> None:
        await bell.wait()
        await do(diary.kind(takes=70), ("a", 1))

    diary.spawn("a", waits())
    diary.writer("b", 1, 2)
    diary.run()
    trace = Trace()
    diary.engine.use(Timed(), trace=trace)
    assert (diary.engine.now, diary.engine.step_index) == (0, -1)
    bell.set()
    diary.run()
    assert [(step.actor, step.time) for step in trace.steps] == [("a", 0), ("a", 70)]


def test_the_schedule_cannot_change_while_somebody_can_go_on() -> None:
    diary = Diary(RunToBlock())
    diary.writer("a", 1)
    with pytest.raises(KitError, match="while a can go on"):
        diary.engine.use(Timed())


# Recording


def test_a_step_through_a_gate_is_recorded_as_a_reader_of_it_and_moving_it_as_a_writer() -> None:
    recorder = Recorder()
    engine = Engine(RunToBlock(), recorder=recorder)
    gate = Gate(engine, "fetch of Y")
    seen = []

    async def fetch() -> None:
        await do(Kind("fetch", lambda _: None, gate=gate))
        seen.append((set(recorder.reads), set(recorder.writes)))
        await do(Kind("suspend", lambda _: gate.close()))
        seen.append((set(recorder.reads), set(recorder.writes)))

    engine.spawn("Y", fetch())
    engine.run()
    assert seen == [({gate.key}, set()), (set(), {gate.key})]
