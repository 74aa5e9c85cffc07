"""The trace: every step with its time, its cause and its effects; plain data that goes to JSON and back."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import Kind, RunToBlock, Signal, Timed, Trace, choose, do, until
from nvmelm_lab.engine.trace import FULL_LIMIT
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.workloads import workload
from nvmelm_lab.lab import Lab
from tests.engine.actors import Diary

plain = st.recursive(
    st.one_of(st.integers(-(1 << 70), 1 << 70), st.text(), st.binary(), st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    max_leaves=12,
)
steps = st.tuples(
    st.integers(-1, 1 << 60),
    st.text(),
    st.text(),
    st.text(),
    st.integers(-1, 1 << 20),
    st.lists(st.lists(plain, max_size=4).map(tuple), max_size=3).map(tuple),
    st.booleans(),
)


def test_each_step_is_written_down_with_time_actor_kind_and_words() -> None:
    diary = Diary(Timed(), trace=(trace := Trace()))
    diary.writer("a", 7, kind=diary.kind("fetch", takes=30, label=lambda word: f"fetches {word[1]}"))
    diary.run()
    (step,) = trace.steps
    assert (step.time, step.actor, step.kind, step.label) == (30, "a", "fetch", "fetches 7")
    assert (step.cause, step.effects, step.hidden) == (-1, (), False)


def test_the_label_tells_of_the_step_before_it_happens() -> None:
    count = [0]

    def raise_count(_: object) -> None:
        count[0] += 1

    diary = Diary(RunToBlock(), trace=(trace := Trace()))

    async def add() -> None:
        await do(Kind("add", raise_count, label=lambda _: f"adds to {count[0]}"))

    diary.spawn("a", add())
    diary.run()
    assert trace.steps[0].label == "adds to 0"


def test_effects_belong_to_the_step_that_had_them() -> None:
    diary = Diary(RunToBlock(), trace=(trace := Trace()))
    emit = Kind("emit", lambda word: diary.engine.emit(("said", word)))

    async def says() -> None:
        await do(emit, "one")
        await do(Kind("nothing", lambda _: None))
        await do(emit, "two")

    diary.spawn("a", says())
    diary.run()
    assert [step.effects for step in trace.steps] == [(("said", "one"),), (), (("said", "two"),)]


def test_the_cause_of_a_step_after_a_wait_is_the_step_that_raised_the_signal() -> None:
    diary = Diary(RunToBlock(), trace=(trace := Trace()))
    bell = Signal(diary.engine, "bell")

    async def waits() -> None:
        await bell.wait(2)
        await do(diary.kind("reap"), ("waits", 1))
        await do(diary.kind("rest"), ("waits", 2))

    async def rings() -> None:
        for level in (1, 2, 3):
            await do(Kind("ring", bell.raise_to), level)

    diary.spawn("waits", waits())
    diary.spawn("rings", rings())
    diary.run()
    by_kind = {step.kind: step for step in trace.steps}
    second_ring = [n for n, step in enumerate(trace.steps) if step.kind == "ring"][1]
    assert by_kind["wait"].cause == second_ring
    assert by_kind["reap"].cause == second_ring
    assert by_kind["rest"].cause == -1


def test_the_first_step_of_an_actor_is_caused_by_the_step_that_spawned_it() -> None:
    diary = Diary(RunToBlock(), trace=(trace := Trace()))

    async def child() -> None:
        await do(diary.kind("work"), ("child", 1))

    async def parent() -> None:
        await do(diary.kind("other"), ("parent", 0))
        await do(Kind("spawn", lambda _: diary.spawn("child", child()) and None))

    diary.spawn("parent", parent())
    diary.run()
    kinds = [step.kind for step in trace.steps]
    assert trace.steps[kinds.index("work")].cause == kinds.index("spawn")


def test_waits_are_hidden_and_choices_say_what_was_chosen() -> None:
    diary = Diary(RunToBlock(), trace=(trace := Trace()))

    async def ask() -> None:
        await until(10)
        await choose("order", ("entry first", "completion first"))

    diary.spawn("a", ask())
    diary.run()
    assert [(step.label, step.hidden) for step in trace.steps] == [
        ("idles until 10 ns", True),
        ("chooses order: entry first", False),
    ]


def test_a_full_trace_refuses_to_grow_beyond_its_limit() -> None:
    diary = Diary(RunToBlock(), trace=(trace := Trace()))
    diary.writer("a", *range(FULL_LIMIT + 1))
    with pytest.raises(
        InputError, match="more than 50000 steps, too many for a full trace; use fewer blocks"
    ):
        diary.run()
    assert len(trace.steps) == FULL_LIMIT == 50_000


def test_the_trace_of_a_whole_migration_comes_back_from_json_as_it_was() -> None:
    lab, trace = Lab(), Trace()
    lab.begin(trace=trace)
    guest = lab.run_workload("guest", workload("mixed", blocks=176, seed=5).operations())
    lab.engine.run(lab.engine.spawn("VMM", lab.migration("guest").run()))
    guest.stop()
    lab.engine.run()
    assert len(trace.steps) > 500
    back = Trace.from_json(trace.to_json())
    assert back.steps == trace.steps
    assert back.limit == trace.limit


@settings(deadline=None)
@given(rows=st.lists(steps, max_size=5))
def test_any_plain_data_comes_back_from_json_as_they_were(rows: list[tuple[object, ...]]) -> None:
    trace = Trace()
    for row in rows:
        trace.add(*row)  # type: ignore[arg-type]
    assert Trace.from_json(trace.to_json()).steps == trace.steps


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "not a trace"),
        ("[]", "not a trace"),
        ("null", "not a trace"),
        ('{"format": "nvmelm trace 1", "limit": 5', "not a trace"),
        ('{"format": "nvmelm trace 1", "limit": 5}', "not a trace"),
        ('{"format": "nvmelm trace 1", "limit": 5, "steps": [[1, 2]]}', "not a trace"),
        (
            '{"format": "nvmelm trace 1", "limit": 5, "steps": [[1,"a","b","c",-1,[[{"hex":"zz"}]],false]]}',
            "not a trace",
        ),
        (
            '{"format": "nvmelm trace 9", "limit": 5, "steps": []}',
            "is a 'nvmelm trace 9', not a 'nvmelm trace 1'",
        ),
    ],
)
def test_text_that_is_no_trace_is_refused_in_one_sentence(text: str, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong) as refused:
        Trace.from_json(text)
    assert "\n" not in str(refused.value)


def test_a_trace_cut_short_is_refused_wherever_it_was_cut() -> None:
    diary = Diary(RunToBlock(), trace=(trace := Trace()))
    diary.writer("a", 1, 2)
    diary.run()
    text = trace.to_json()
    assert json.loads(text)["format"]
    for length in range(len(text)):
        with pytest.raises(InputError):
            Trace.from_json(text[:length])
