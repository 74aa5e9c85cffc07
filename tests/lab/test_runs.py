"""A run is plain data: from spec to outcome, the same each time, and back from one line of text."""

import gc
import shutil
import tracemalloc
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from nvmelm_lab import __version__
from nvmelm_lab.engine import Token, TraceFull, encode_token
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.recordings import samples
from nvmelm_lab.runs import MigrationRun, Outcome, replay, restore, spec, start
from nvmelm_lab.runs.summarizer import Summarizer
from nvmelm_lab.ssd import Habits

SMALL = MigrationRun(blocks=96, workload="mixed", chunk=8, queue_entries=32, after=8, trace="full")
RANDOM = replace(SMALL, blocks=24, schedule=("random", 5), rounds=3)
BY_PRIORITY = replace(RANDOM, schedule=("pct", 3, 5))
RECORDED = replace(SMALL, workload="null_mixed.log", rounds=2)
ODD = replace(
    SMALL,
    seed=9,
    filled=7,
    memory_tracking="none",
    method="shim",
    habits=Habits(ranges="merged"),
    neighbour=False,
)


each_sort = pytest.mark.parametrize(
    "run",
    [SMALL, RANDOM, BY_PRIORITY, RECORDED, ODD],
    ids=["timed", "random", "by priority", "recorded", "odd"],
)


def same(one: Outcome, other: Outcome) -> bool:
    assert one.trace is not None
    assert other.trace is not None
    assert one.trace.to_json() == other.trace.to_json()
    return replace(one, trace=None) == replace(other, trace=None)


# -- spec and outcome -------------------------------------------------------------------------------------


def test_a_run_as_it_is_shows_what_a_migration_is() -> None:
    outcome = start(MigrationRun()).finish()
    assert outcome.good
    assert outcome.guest_writes >= 2_000
    assert 3 <= outcome.rounds < MigrationRun().rounds
    assert list(outcome.round_blocks) == sorted(outcome.round_blocks, reverse=True)
    assert outcome.overflows == 0
    assert outcome.downtime_ns <= MigrationRun().downtime_budget_ns
    assert outcome.entries_drained >= 2_000


def test_phases_follow_each_other_and_their_shares_add_up() -> None:
    outcome = start(SMALL).finish()
    phases = outcome.phases
    assert phases[0].start_ns == SMALL.lead_ns
    assert all(one.end_ns == following.start_ns for one, following in pairwise(phases))
    assert outcome.virtual_ns == phases[-1].end_ns - phases[0].start_ns
    assert outcome.bytes_copied == sum(phase.bytes_copied for phase in phases)
    assert outcome.entries_drained == sum(phase.entries_drained for phase in phases)
    assert outcome.rounds == sum(phase.rounds for phase in phases) == len(outcome.round_blocks)


def test_the_guest_waits_longer_while_it_is_migrated() -> None:
    outcome = start(replace(SMALL, blocks=1024, lead_ns=5_000_000, trace="none")).finish()
    times = {(each.kind, each.period): each for each in outcome.latencies}
    assert times.keys() == {(kind, period) for kind in ("read", "write") for period in ("before", "during")}
    for kind in ("read", "write"):
        assert times[kind, "during"].mean_ns > times[kind, "before"].mean_ns
        assert times[kind, "during"].longest_ns >= outcome.downtime_ns


def test_without_a_clock_there_are_no_times() -> None:
    outcome = start(RANDOM).finish()
    assert outcome.virtual_ns == outcome.downtime_ns == 0
    assert {phase.start_ns for phase in outcome.phases} == {-1}
    assert outcome.good


def test_the_guest_goes_on_after_it_has_moved_and_then_ends() -> None:
    run = start(SMALL)
    outcome = run.finish()
    assert outcome.trace is not None
    steps = outcome.trace.steps
    end = max(n for n, step in enumerate(steps) if step.actor == "VMM")
    issued = [e for step in steps[end:] for e in step.effects if e[0] == "issued" and e[1] == "guest"]
    assert SMALL.after - 1 <= len(issued) <= SMALL.after + 1
    assert not run.guest.queue.pending


@pytest.mark.parametrize("method", ["ssd", "shim", "stop"])
@pytest.mark.parametrize("workload", ["zipf", "mixed"])
def test_a_run_in_bursts_ends_well_and_takes_fewer_steps(method: str, workload: str) -> None:
    values = replace(
        SMALL, method=method, workload=workload, writes_per_second=200_000, depth=15, trace="none"
    )
    outcomes = [start(replace(values, burst=burst)).finish() for burst in (1, 16)]
    assert all(outcome.good for outcome in outcomes), [outcome.verdict.broken for outcome in outcomes]
    singly, in_bursts = (outcome.steps / outcome.guest_commands for outcome in outcomes)
    # A shim takes each command by itself, whatever the SSD behind it may do.
    assert (in_bursts < singly) == (method != "shim")


def test_notes_on_a_recording_are_kept() -> None:
    outcome = start(RECORDED).finish()
    assert outcome.workload == "null_mixed.log"
    assert any("wrapped around" in note for note in outcome.notes)


# -- the same each time -----------------------------------------------------------------------------------


@each_sort
def test_the_same_run_comes_out_the_same_however_it_is_sliced(run: MigrationRun) -> None:
    whole, sliced = start(run), start(run)
    outcome = whole.finish()
    while not sliced.advance(7):
        assert sliced.outcome is None
    assert sliced.outcome is not None
    assert same(outcome, sliced.outcome)
    assert sliced.advance(1), "an end is an end"


@each_sort
def test_a_token_brings_a_run_back(run: MigrationRun) -> None:
    outcome = start(run).finish()
    again = replay(outcome.token)
    assert again == run
    assert outcome.token.count("\n") == 0
    assert same(outcome, start(again).finish())


@pytest.mark.parametrize("run", [SMALL, RANDOM, ODD], ids=["timed", "random", "odd"])
def test_a_summary_is_the_same_each_time_and_comes_back_with_the_token(run: MigrationRun) -> None:
    outcome = start(replace(run, trace="summary")).finish()
    assert outcome.trace is None
    assert outcome.summary is not None
    assert outcome.summary.frames[-1].step <= outcome.steps
    sliced = start(replay(outcome.token))
    while not sliced.advance(7):
        pass
    assert sliced.outcome == outcome


def test_a_recorded_order_is_a_schedule_too() -> None:
    outcome = start(RANDOM).finish()
    assert outcome.trace is not None
    names = [step.actor for step in outcome.trace.steps if step.kind != "wait"]
    repeated = start(replace(RANDOM, schedule=("replay", names))).finish()
    assert repeated.trace is not None
    assert repeated.trace.to_json() == outcome.trace.to_json()


def test_another_seed_is_another_run() -> None:
    one, other = (start(replace(SMALL, seed=seed)).finish() for seed in (1, 2))
    assert one.trace is not None
    assert other.trace is not None
    assert one.trace.to_json() != other.trace.to_json()


def test_progress_only_grows_and_ends_after_the_last_phase() -> None:
    run = start(replace(SMALL, blocks=1024, trace="none"))
    seen = [run.progress]
    assert seen[0].phase == "Before"
    while not run.advance(100):
        seen.append(run.progress)
    seen.append(run.progress)
    times = [each.virtual_ns for each in seen]
    assert times == sorted(times)
    before = [each.copied_percent for each in seen if each.phase in ("Before", "Initial copy")]
    assert before == sorted(before)
    assert before[-1] >= 90
    assert {each.phase for each in seen} >= {"Initial copy", "Iterate"}
    assert run.progress.phase == "After"
    assert all(0 <= each.dirty_percent <= 100 for each in seen)


# -- recordings and tokens --------------------------------------------------------------------------------


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return Path(shutil.copy(samples()[0], tmp_path / "mine.log"))


def test_a_token_refuses_a_recording_that_was_changed(recording: Path) -> None:
    token = start(replace(SMALL, workload=str(recording))).finish().token
    recording.chmod(0o644)
    recording.write_text(recording.read_text().replace("2048 + 8", "2056 + 8"))
    with pytest.raises(InputError, match="is not the one that this token was made with"):
        replay(token)


def test_a_recording_that_was_moved_can_be_named(recording: Path, tmp_path: Path) -> None:
    outcome = start(replace(SMALL, workload=str(recording))).finish()
    moved = recording.rename(tmp_path / "elsewhere.log")
    with pytest.raises(InputError, match="is not here; say where it is"):
        replay(outcome.token)
    again = start(replay(outcome.token, workload=str(moved))).finish()
    assert again.virtual_ns == outcome.virtual_ns
    assert again.guest_commands == outcome.guest_commands


def test_a_token_without_a_recording_takes_none(recording: Path) -> None:
    with pytest.raises(InputError, match="needs no recording"):
        replay(start(SMALL).finish().token, workload=str(recording))


@pytest.mark.parametrize(
    ("token", "word"),
    [
        ("", "is not a replay token"),
        ("hello", "is not a replay token"),
        ("nvmelm1.AAAA", "is damaged"),
        (encode_token(Token("0.0.0", {}, ["timed"])), "made by version 0.0.0"),
        (encode_token(Token(__version__, {"scenario": "ladder"}, ["timed"])), "not one of a migration"),
        (encode_token(Token(__version__, {"habits": {}, "block": 1}, ["timed"])), "not one of a migration"),
        (encode_token(Token(__version__, {"habits": {"x": "y"}}, ["timed"])), "not one of a migration"),
        (encode_token(Token(__version__, {"habits": {}, "blocks": "x"}, ["timed"])), "blocks cannot be 'x'"),
        (encode_token(Token(__version__, {"habits": {}}, ["random"])), "random takes a seed"),
    ],
)
def test_a_token_that_is_none_is_refused_in_one_sentence(token: str, word: str) -> None:
    with pytest.raises(InputError, match=word) as error:
        replay(token)
    assert "\n" not in str(error.value)


# -- what cannot be ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"blocks": 0}, "blocks cannot be 0; give a whole number from 1"),
        ({"blocks": 1.5}, "blocks cannot be 1.5; give a whole number"),
        ({"block_bytes": 1000}, "give 512 or 4096"),
        ({"filled": 97}, "filled cannot be 97 of 96 LBAs; give 0 to 96"),
        ({"workload": "zpf"}, "did you mean 'zipf'"),
        ({"workload": "null_mixed.log", "writes_per_second": 5}, "brings its own times"),
        ({"writes_per_second": 0}, "writes_per_second must be between 1"),
        ({"granularity": 0}, "granularity cannot be 0"),
        ({"queue_entries": 1}, "queue_entries cannot be 1; give a whole number from 2"),
        ({"copy_tasks": 0}, "copy_tasks cannot be 0"),
        ({"copy_tasks": 61}, "copy_tasks cannot be 61"),
        ({"chunk": 129}, "give 1 to 128"),
        ({"depth": 256}, "depth cannot be 256"),
        ({"burst": 3}, "an arbitration burst cannot be 3; give 1, 2, 4, 8, 16, 32, 64"),
        ({"link_bytes_per_second": 0}, "link_bytes_per_second cannot be 0"),
        ({"method": "fly"}, "there is no method 'fly'; there are: ssd, shim, stop"),
        ({"schedule": ()}, "there is no schedule ''"),
        ({"schedule": ("random",)}, "random takes a seed"),
        ({"schedule": ("pct", 3)}, "pct a depth and a seed"),
        ({"schedule": ("pct", "3", 1)}, "pct a depth and a seed"),
        ({"schedule": ("pct", 0, 1)}, "PCT cannot have the depth 0; give 1 or more"),
        ({"schedule": ("pct", 3, 1, 0)}, "PCT cannot have the length 0; give 1 or more"),
        ({"throttle": -1}, "throttle cannot be -1; give a whole number from 0"),
        ({"throttle": 0.5}, "throttle cannot be 0.5; give a whole number from 0"),
        ({"trace": "some"}, "there is no trace 'some'; there are: none, full, summary"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(change: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word) as error:
        start(replace(SMALL, **change))  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_what_this_machine_cannot_hold_is_refused_with_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "memory_limit", lambda: 1 << 30)
    with pytest.raises(
        InputError, match=r"about 2\.0 TiB of memory here, .* 1\.0 GiB; give at most"
    ) as error:
        start(replace(SMALL, blocks=1 << 34))
    most = int(str(error.value).split()[-2])
    spec.check(replace(SMALL, blocks=most))
    with pytest.raises(InputError):
        spec.check(replace(SMALL, blocks=most + 1))
    monkeypatch.setattr(spec, "memory_limit", lambda: None)
    spec.check(replace(SMALL, blocks=1 << 34))


def test_the_estimate_of_memory_is_near_what_is_taken() -> None:
    taken = []
    for blocks in (1 << 10, 1 << 13):
        gc.collect()
        tracemalloc.start()
        run = start(MigrationRun(blocks=blocks, filled=blocks, workload="idle", chunk=128, neighbour=False))
        run.finish()
        taken.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    each = (taken[1] - taken[0]) / ((1 << 13) - (1 << 10))
    assert spec.BYTES_PER_LBA / 2 < each < spec.BYTES_PER_LBA
    assert taken[0] < spec.BYTES_PER_RUN


def test_the_estimate_of_memory_knows_of_the_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    # Tiles take memory too, but there are never more than so many: few enough not to matter here.
    monkeypatch.setattr("nvmelm_lab.runs.run.Summarizer", partial(Summarizer, most_tiles=256))
    taken = []
    for blocks in (1 << 10, 1 << 13):
        gc.collect()
        tracemalloc.start()
        run = MigrationRun(
            blocks=blocks, filled=blocks, workload="idle", chunk=128, neighbour=False, trace="summary"
        )
        start(run).finish()
        taken.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    each, whole = spec.memory_of(run)
    assert each / 2 < (taken[1] - taken[0]) / ((1 << 13) - (1 << 10)) < each
    assert taken[0] < whole
    assert spec.memory_of(replace(run, trace="none")) == (spec.BYTES_PER_LBA, spec.BYTES_PER_RUN)


def test_a_run_too_long_for_a_full_trace_says_so() -> None:
    with pytest.raises(TraceFull, match="more than 50000 steps, too many for a full trace"):
        start(MigrationRun(trace="full")).finish()


def test_a_snapshot_brings_a_run_back_to_where_it_was_and_it_goes_on_the_same() -> None:
    run = start(RANDOM)
    run.advance(700)
    snapshot = run.snapshot()
    again = restore(snapshot)
    assert run.outcome is None
    assert run.trace is not None
    assert again.trace is not None
    assert len(run.trace.steps) > 500
    assert again.trace.steps == run.trace.steps
    assert again.snapshot() == snapshot
    one, other = run.finish(), again.finish()
    assert one.trace is not None
    assert other.trace is not None
    assert other.trace.steps == one.trace.steps
    assert other.verdict == one.verdict


def test_the_token_of_a_snapshot_also_replays_from_the_begin() -> None:
    run = start(SMALL)
    run.advance(100)
    assert replay(run.snapshot()) == run.spec
