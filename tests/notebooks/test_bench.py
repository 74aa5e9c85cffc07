"""What a notebook imports: a migration to watch, one with knobs, questions; all of it without a browser."""

import asyncio

import pytest

from nvmelm_lab import notebook, runs
from nvmelm_lab.engine import trace
from nvmelm_lab.errors import InputError
from nvmelm_lab.notebook import SMALL, bench, predict, watch
from nvmelm_lab.notebook.watching import spec
from nvmelm_lab.views import bench as bench_module
from nvmelm_lab.views.bench import IDLE, KNOBS

pytestmark = pytest.mark.usefixtures("plain_program")


def turn(bench, knob, value):
    bench._sliders[knob].value = value


def interrupt_after(steps, monkeypatch):
    advance = runs.Run.advance

    def interrupted(run, _budget):
        advance(run, steps)
        raise KeyboardInterrupt

    monkeypatch.setattr(runs.Run, "advance", interrupted)


def full_after(steps, monkeypatch):
    monkeypatch.setattr(trace.Trace.__init__, "__defaults__", (steps,))


def status(bench):
    return bench._status.value


async def until_idle(bench):
    while bench._owner.is_busy:
        await asyncio.sleep(0)


# -- watch -------------------------------------------------------------------------------------------------


def test_watching_shows_one_whole_migration_that_ends_well():
    words = repr(watch())
    assert words.startswith("A migration of zipf (seed 7): ")
    for phase in (
        "Prepare",
        "Start logging",
        "Initial copy",
        "Iterate",
        "Suspend",
        "State",
        "Resume",
        "Clean up",
    ):
        assert f"{phase} from step" in words
    assert "no write lost: good" in words
    assert "open" not in words.split("At the end: ")[1].splitlines()[0]


def test_watching_opens_at_a_step_or_at_the_words_of_one():
    assert "Step 30 of " in repr(watch(29))
    assert "its entry is not posted yet" in repr(watch("its entry is not posted yet"))


def test_any_field_of_a_run_can_be_set_by_its_name():
    assert "seed 3" in repr(watch(seed=3))
    assert "A migration of mixed" in repr(watch(workload="mixed"))
    assert "used 0 of 7" in repr(watch(queue_entries=8))


def test_migrations_without_the_help_of_the_ssd_can_be_watched_too():
    for method in ("stop", "shim"):
        assert "no write lost: good" in repr(watch(method=method))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: watch(write_per_second=3),
            "there is no field 'write_per_second'; did you mean 'writes_per_second'?",
        ),
        (lambda: bench("granularty"), "there is no knob 'granularty'; did you mean 'granularity'?"),
        (lambda: predict("00 downtimes"), "there is no question '00 downtimes'; did you mean '00 downtime'?"),
        (lambda: watch("its entry is lost"), "no step of this run says 'its entry is lost'"),
        (lambda: watch(granularity=0), "granularity cannot be 0"),
        (lambda: watch(blocks="many"), "blocks cannot be 'many'"),
        (lambda: bench(filled=1 << 20), "filled cannot be 1048576 of 176 LBAs"),
        (lambda: watch(trace="none"), "this run has no trace to show"),
    ],
)
def test_bad_input_gets_one_sentence_and_in_a_notebook_nothing_else(call, sentence):
    with pytest.raises(InputError) as caught:
        call()
    assert sentence in str(caught.value)
    (shown,) = caught.value._render_traceback_()
    assert shown.endswith(str(caught.value))


def test_a_run_that_is_interrupted_is_shown_as_far_as_it_came(monkeypatch):
    interrupt_after(500, monkeypatch)
    words = repr(watch())
    assert "A migration of zipf, interrupted (seed 7)" in words
    assert "Suspend from step" not in words


def test_a_run_of_many_blocks_is_shown_by_its_summary():
    words = repr(watch(blocks=16384, filled=12288, chunk=32, writes_per_second=30_000))
    assert words.startswith("A migration of zipf, summary: 1 frame = ")
    assert "no write lost: good" in words
    assert "Frame 1 of " in words


def test_one_of_many_blocks_of_which_few_are_copied_is_still_shown_step_by_step():
    assert ", summary" not in repr(watch(blocks=16384))
    assert ", summary" in repr(watch(blocks=8192, whole_namespace=True))


def test_one_that_turns_out_too_long_for_a_full_trace_is_shown_by_its_summary_too(monkeypatch):
    full_after(500, monkeypatch)
    for method in ("ssd", "shim"):
        assert repr(watch(method=method)).startswith("A migration of zipf, summary: 1 frame = ")


def test_a_summary_can_be_asked_for_and_interrupted(monkeypatch):
    assert repr(watch(trace="summary")).startswith("A migration of zipf, summary: 1 frame = ")
    interrupt_after(500, monkeypatch)
    assert "A migration of zipf, interrupted, summary: 1 frame = " in repr(watch(trace="summary"))


def test_the_figure_of_the_rounds_needs_no_trace():
    assert notebook.rounds(blocks=8192, filled=8192).data


# -- the bench ---------------------------------------------------------------------------------------------


def test_turning_a_knob_runs_the_migration_again_and_compares_it_with_the_run_before():
    made = bench()
    first = made.outcome
    turn(made, "writes_per_second", 20_000)
    assert made.outcome.run.writes_per_second == 20_000
    assert made.outcome.bytes_copied > first.bytes_copied
    table = made._table.value
    assert table.index(bench_module.duration(made.outcome.downtime_ns)) < table.index("run before")
    assert table.index("run before") < table.rindex(bench_module.duration(first.downtime_ns))
    assert IDLE in status(made)


@pytest.mark.parametrize("knob", [knob.field for knob in KNOBS])
def test_each_knob_changes_the_film(knob):
    made = bench(knob)
    assert list(made._sliders) == [knob]
    before = repr(made._player)
    slider = made._sliders[knob]
    slider.index = 0 if slider.index else 1
    assert repr(made._player) != before
    assert getattr(made.outcome.run, knob) == slider.value


def test_the_bench_opens_where_the_guest_begins_to_wait():
    assert ": VMM pauses the VM: its virtual CPUs stand still" in repr(bench()._player)


def test_a_bench_shows_a_summary_where_a_run_is_too_long_and_opens_it_at_the_pause_too(monkeypatch):
    made = bench("writes_per_second", "granularity")
    assert ", summary" not in repr(made._player)
    full_after(500, monkeypatch)
    turn(made, "granularity", 64)
    assert made.outcome.run.granularity == 64
    assert ", summary: 1 frame = " in repr(made._player)
    assert ": VMM pauses the VM: its virtual CPUs stand still" in repr(made._player)
    assert IDLE in status(made)


def test_a_bench_may_begin_with_a_run_of_many_blocks():
    made = bench("granularity", blocks=8192, filled=6000)
    assert ", summary: 1 frame = " in repr(made._player)
    assert made.outcome.good


def test_only_the_film_that_is_shown_is_kept():
    made = bench()
    old = made._player
    turn(made, "granularity", 64)
    assert made._stage.children == (made._player,)
    assert old.comm is None


def test_what_makes_no_sense_is_said_in_place_and_the_film_before_stays():
    made = bench()
    shown = made._player
    made.spec = spec({"rounds": -1})
    turn(made, "granularity", 64)
    assert "nvb-refused" in status(made)
    assert "rounds cannot be -1" in status(made)
    assert made._player is shown
    assert made._cancel.disabled


def test_a_failure_of_the_kit_is_said_in_place_and_not_swallowed(monkeypatch):
    made = bench()

    def broken(_outcome):
        raise RuntimeError("no film")

    monkeypatch.setattr(bench_module, "model_of", broken)
    with pytest.raises(RuntimeError, match="no film"):
        turn(made, "granularity", 64)
    assert "nvb-fault" in status(made)
    assert "RuntimeError: no film" in status(made)


def test_a_long_run_goes_in_slices_and_says_how_far_it_is(monkeypatch):
    monkeypatch.setattr(bench_module, "SLICE", 100)
    monkeypatch.setattr(bench_module, "BREATH", 0)
    made = bench()
    said = []

    async def main():
        turn(made, "writes_per_second", 20_000)
        while made._owner.is_busy:
            said.append((status(made), made._bar.value, made._cancel.disabled))
            await asyncio.sleep(0)

    asyncio.run(main())
    told = [words.split(">")[1].split(",")[0] for words, _, disabled in said if not disabled]
    phases = ["Before", "Prepare", "Start logging", "Initial copy", "Iterate", "Suspend", "State", "Resume"]
    seen = [phase for phase in dict.fromkeys(told) if phase in phases]
    assert seen == [phase for phase in phases if phase in seen]
    assert {"Initial copy", "Iterate"} <= set(seen)
    assert max(bar for _, bar, _ in said) == 100
    assert made._bar.layout.visibility == "hidden"


def test_cancel_ends_the_migration_early_and_shows_what_came_of_it(monkeypatch):
    monkeypatch.setattr(bench_module, "SLICE", 100)
    monkeypatch.setattr(bench_module, "BREATH", 0)
    made = bench()

    async def main():
        turn(made, "writes_per_second", 20_000)
        while "Iterate" not in status(made):
            await asyncio.sleep(0)
        made._cancel.click()
        await until_idle(made)

    asyncio.run(main())
    assert made.outcome.failure == "cancelled"
    assert "Ended early: cancelled." in status(made)
    assert "cancelled" in made._table.value
    assert "no write lost: good" in repr(made._player)
    assert "Resume from step" not in repr(made._player)


def test_a_knob_turned_while_a_run_is_under_way_takes_its_place(monkeypatch):
    monkeypatch.setattr(bench_module, "SLICE", 100)
    monkeypatch.setattr(bench_module, "BREATH", 0)
    made = bench()
    started = []
    monkeypatch.setattr(bench_module, "start", lambda spec: started.append(spec) or runs.start(spec))

    async def main():
        turn(made, "writes_per_second", 20_000)
        for _ in range(3):
            await asyncio.sleep(0)
        for value in (16, 32, 64):
            turn(made, "granularity", value)
        await until_idle(made)

    asyncio.run(main())
    assert [(spec.writes_per_second, spec.granularity) for spec in started] == [(20_000, 8), (20_000, 64)]
    assert made.outcome.run == started[-1]
    assert made._before.run == SMALL
