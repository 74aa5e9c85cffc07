"""A summary says of every moment that it shows what the full film says of it, on tiles of any size."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import Random, RunToBlock, Summary
from nvmelm_lab.errors import InputError
from nvmelm_lab.host import recovery
from nvmelm_lab.host.migration import Plan
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.workloads import WORKLOADS
from nvmelm_lab.lab import Lab
from nvmelm_lab.runs import MigrationRun, Outcome, start
from nvmelm_lab.runs.roles import roles_of
from nvmelm_lab.runs.summarizer import Summarizer
from nvmelm_lab.views.check import check
from nvmelm_lab.views.film import advanced, frame_at, model_of, model_so_far
from nvmelm_lab.views.frames import About, frames
from nvmelm_lab.views.model import PlayerModel, State
from nvmelm_lab.views.reel import Reel
from nvmelm_lab.views.replay import Moment, at, cells
from nvmelm_lab.views.scenes import Scenes
from nvmelm_lab.views.summary_film import summary_model
from tests.views import labs
from tests.views.test_frames import held_by, state_after_move

RUN = MigrationRun(
    blocks=96, workload="mixed", chunk=8, queue_entries=32, rounds=3, lead_ns=100_000, after=12
)


@dataclass
class Watched:
    """Summarizers of one run, with tiles of 1 and of 8 LBAs, the latter with few frames."""

    fine: Summarizer
    coarse: Summarizer

    @classmethod
    def of(cls, lab: Lab) -> "Watched":
        roles = roles_of(lab.introduction(), "guest")
        few = -(-roles.blocks // 8)
        return cls(
            Summarizer(lab.engine, roles),
            Summarizer(lab.engine, roles, most_tiles=few, most_frames=24),
        )

    @classmethod
    def run(cls, spec: MigrationRun) -> tuple["Watched", Outcome]:
        """The run from begin to end; the audit after it is none of a summary's business."""
        run = start(spec)
        watched = cls.of(run.lab)
        run.lab.engine.run()
        watched.fine.finish()
        watched.coarse.finish()
        return watched, run.finish()

    def check(self, trace) -> set[State]:
        """Hold every frame against the full film; gives the states that were seen at the destination."""
        film, shown_after = frames(trace).model, frames_shown(trace)
        seen = set()
        for summarizer, tile in ((self.fine, 1), (self.coarse, 8)):
            summary = summarizer.finish()
            model = check(summary_model(summary, About()))
            assert model["cell_lbas"] == tile
            for index, frame in enumerate(summary.frames):
                told = moment_of(film, shown_after[frame.step] - 1 if frame.step >= 0 else -1)
                found = at(model, index)
                assert found.source == cells(told, 0, tile), frame
                assert found.destination == cells(told, 1, tile), frame
                assert (found.head, found.tail) == (told.head, told.tail), frame
                seen |= {State(state) for state in found.destination}
        assert len(self.coarse.finish().frames) <= 24
        return seen


def frames_shown(trace):
    """For each step of the trace, how many frames of the full film there are when it is over."""
    reel = Reel(timed=False)
    scenes = Scenes(roles_of(trace.steps[0].effects, "guest"), reel)
    shown = []
    for record in trace.steps:
        scenes.play(record)
        shown.append(len(reel.frames))
    return shown


def moment_of(film: PlayerModel, index: int) -> Moment:
    if index >= 0:
        return at(film, index)
    still = {"t": 0, "lane": 0, "actor": "", "text": ""}
    return at({**film, "steps": [still, *film["steps"]]}, 0)


def summarized(**values) -> Outcome:
    return start(replace(RUN, trace="summary", **values)).finish()


# -- what the full film says -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["ssd", "shim", "stop"])
@pytest.mark.parametrize(
    ("workload", "schedule"),
    [("mixed", ("timed",)), ("zipf", ("timed",)), ("uniform", ("random", 3)), ("mixed", ("random", 4))],
)
def test_each_frame_shows_what_the_full_film_shows_at_that_moment(method, workload, schedule):
    blocks = 96 if schedule == ("timed",) else 36
    watched, outcome = Watched.run(
        replace(RUN, method=method, workload=workload, schedule=schedule, blocks=blocks, trace="full")
    )
    seen = watched.check(outcome.trace)
    assert {State.EQUAL, State.COPYING, State.DEALLOCATED} <= seen
    assert State.LOST not in seen


def test_a_full_queue_and_the_baseline_after_it_are_the_same_too():
    watched, outcome = Watched.run(
        replace(RUN, workload="uniform", writes_per_second=60_000, queue_entries=4, trace="full")
    )
    assert outcome.overflows
    watched.check(outcome.trace)
    levels = [dict(zip(frame_names(watched), f.counters, strict=True)) for f in watched.fine.finish().frames]
    assert levels[-1]["overflows"] == outcome.overflows
    film = summary_model(watched.fine.finish(), About())
    assert any(step.get("note") == "the Migration Queue was full" for step in film["steps"])


def frame_names(watched: Watched) -> tuple[str, ...]:
    return watched.fine.finish().counters


OPERATIONS = [
    Operation(OperationKind.UNCORRECTABLE, 44, 1, 0),
    *(labs.write(n, 1, 30_000 * n) for n in range(20, 34)),
    *(Operation(OperationKind.TRIM, n, 3, 20_000 * n) for n in range(2, 30, 3)),
    *(Operation(OperationKind.ZEROES, n, 2, 25_000 * n) for n in range(1, 40, 5)),
]


async def _cancelled(migration):
    await migration.prepare_destination()
    await migration.start_logging()
    await migration.initial_copy()
    migration.move.cancel()
    await recovery.attempt(migration.move, migration.iterate(), migration.go_back, migration.go_on)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"operations": OPERATIONS}, State.UNREADABLE),
        ({"operations": OPERATIONS, "schedule": Random(5)}, State.UNREADABLE),
        ({"name": "uniform", "schedule": RunToBlock()}, State.EQUAL),
        ({"name": "uniform", "way": _cancelled}, State.COPYING),
        ({"name": "uniform", "way": labs.without_the_last_copy}, State.LOST),
        ({"name": "uniform", "way": labs.without_suspending}, State.EQUAL),
    ],
    ids=["unreadable", "at random", "run to block", "cancelled", "without the last copy", "not suspended"],
)
def test_so_does_a_run_that_goes_wrong_or_has_holes(values, state):
    watched: list[Watched] = []
    run = labs.migrate(**values, watching=lambda lab: watched.append(Watched.of(lab)))
    assert state in watched[0].check(run.trace)


@given(st.sampled_from(sorted(WORKLOADS)), st.integers(0, 1 << 16), st.integers(9, 60), st.booleans())
@settings(max_examples=20, deadline=None)
def test_whatever_runs_in_whatever_order(name, seed, blocks, timed):
    watched: list[Watched] = []
    run = labs.migrate(
        name,
        seed=seed,
        lab=labs.spec(blocks, blocks // 2),
        plan=Plan(queue_entries=4 + seed % 30, copy_tasks=1 + seed % 3, rounds=3),
        schedule=None if timed else Random(seed),
        most=30,
        watching=lambda lab: watched.append(Watched.of(lab)),
    )
    watched[0].check(run.trace)


# -- the film of a summary ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return summarized(blocks=1024, filled=700, workload="zipf")


@pytest.fixture(scope="module")
def film(outcome) -> PlayerModel:
    return check(model_of(outcome))


def test_counters_end_where_the_run_did(outcome, film):
    last = dict(zip(film["lanes"], film["steps"][-1]["counts"], strict=True))
    assert last["LBAs copied"] == outcome.bytes_copied // outcome.run.block_bytes
    assert last["Downtime"] == outcome.downtime_ns
    assert last["LBAs behind"] == last["Entries waiting"] == 0
    assert last["Guest writes"] >= outcome.guest_writes > 0


def test_counters_that_count_never_fall(film):
    for name in ("Guest writes", "LBAs copied", "Downtime"):
        levels = [step["counts"][film["lanes"].index(name)] for step in film["steps"]]
        assert levels == sorted(levels)
    behind = [step["counts"][film["lanes"].index("LBAs behind")] for step in film["steps"]]
    assert max(behind) > behind[-1]


def test_all_phases_begin_in_frames_of_their_own_and_say_so(film):
    for phase in film["phases"]:
        assert phase["first"] is not None
    for name in ("Prepare", "Initial copy", "Iterate", "Suspend"):
        first = next(phase["first"] for phase in film["phases"] if phase["name"] == name)
        assert f"{name} begins" in film["steps"][first]["text"]
    texts = [step["text"] for step in film["steps"]]
    assert texts[0] == "The guest runs at the source; nothing has been copied yet"
    assert any(text.startswith("Iterate, round 2: ") for text in texts)
    assert any(text.startswith("Round 2 ended") for text in texts)
    assert texts.count("VMM pauses the VM: its virtual CPUs stand still") == 1
    assert max(map(len, texts)) <= 100


def test_sentences_of_the_largest_runs_fit_too(outcome):
    levels = dict.fromkeys(outcome.summary.counters, (1 << 40) - 1) | {"head": 0, "tail": 0, "rounds": 12}
    words = (("round", 12), ("phase", "Start logging"))
    last = replace(outcome.summary.frames[-1], words=words, counters=tuple(levels.values()))
    made = replace(outcome.summary, frames=[outcome.summary.frames[0], last])
    (_, step) = check(summary_model(made, About()))["steps"]
    assert step["text"].startswith("Round 12 ended, Start logging begins: 1")
    assert len(step["text"]) <= 100


def test_the_start_of_the_vm_tells_how_long_it_stood_still(outcome, film):
    started = film["steps"][frame_at(film, "VMM starts the VM at the destination, behind Ctlr H")]
    assert started["note"].startswith("it stood still for ")
    assert started["counts"][film["lanes"].index("Downtime")] == outcome.downtime_ns


def test_the_title_says_that_it_is_a_summary_and_how_much_a_frame_is(outcome, film):
    assert (
        film["title"] == f"A migration of zipf, summary: 1 frame = {outcome.summary.interval // 1000}.000 µs"
    )
    random = model_of(summarized(blocks=36, schedule=("random", 2)))
    assert random["title"].startswith("A migration of mixed, summary: 1 frame = ")
    assert random["title"].endswith(" steps")
    assert not random["timed"]
    assert "Downtime" not in random["lanes"]


def test_where_there_is_no_queue_nothing_waits_in_it():
    for method in ("shim", "stop"):
        assert "Entries waiting" not in model_of(summarized(method=method))["lanes"]
    assert "Entries waiting" in model_of(summarized())["lanes"]


def test_the_last_frame_has_the_verdicts_of_the_full_film(outcome, film):
    full = model_of(start(replace(outcome.run, blocks=96, filled=60, trace="full")).finish())
    assert film["properties"] == full["properties"]
    assert [(which, verdict) for which, verdict, _ in film["steps"][-1]["verdicts"]] == [
        (which, "good") for which in range(5)
    ]
    assert not any("verdicts" in step for step in film["steps"][:-1])


def test_what_the_oracle_found_broken_is_among_the_properties(outcome):
    holds = {"no write lost": False, "reads consistent": False, "neighbour unaffected": True}
    model = check(summary_model(outcome.summary, About(holds=holds)))
    assert model["steps"][-1]["verdicts"] == [[0, "bad", ""], [5, "bad", ""]]
    assert model["properties"][5]["name"] == "reads consistent"


def test_a_summary_that_went_through_json_gives_the_same_film(outcome, film):
    about = About(
        title="A migration of zipf",
        seed=outcome.run.seed,
        token=outcome.token,
        holds={each.name: each.holds for each in outcome.verdict.properties},
    )
    assert summary_model(Summary.from_json(outcome.summary.to_json()), about) == film


def test_a_namespace_that_is_no_multiple_of_the_tile_ends_in_a_short_one():
    watched, outcome = Watched.run(replace(RUN, blocks=93, filled=93, trace="full"))
    watched.check(outcome.trace)
    model = check(summary_model(watched.coarse.finish(), About()))
    assert model["cell_lbas"] == 8
    assert model["source"]["start"] == [[0, 93, State.MAPPED]]
    assert "source" not in model["steps"][0]
    assert len(at(model, 0).source) == 12


def test_a_run_that_was_cut_short_is_shown_as_far_as_it_came():
    run = start(replace(RUN, trace="summary"))
    run.advance(600)
    model = check(model_so_far(run))
    assert model["title"].startswith("A migration of mixed, interrupted, summary: ")
    assert model["phases"][7]["first"] is None
    before = len(model["steps"])
    assert len(check(model_of(run.finish()))["steps"]) > before


def test_what_was_to_end_early_does_so_when_it_begins_anew_with_a_summary():
    run = start(replace(RUN, trace="full"))
    assert not run.advance(500)
    assert run.trace is not None
    run.trace.limit = len(run.trace.steps)
    run.cancel()
    anew = advanced(run, 1_000)
    assert anew.spec.trace == "summary"
    assert anew.finish().failure == "cancelled"


def test_without_trace_and_summary_there_is_nothing_to_show():
    outcome = start(replace(RUN, trace="none")).finish()
    with pytest.raises(InputError, match='make it with trace="full" or trace="summary"'):
        model_of(outcome)


@pytest.mark.parametrize("burst", [1, 16])
def test_a_summary_changes_nothing_of_the_run(burst):
    own = replace(RUN, burst=burst, writes_per_second=1_000_000)
    one, other = (start(replace(own, trace=trace)).finish() for trace in ("none", "summary"))
    assert replace(one, run=RUN, token="") == replace(other, run=RUN, token="", summary=None)


def test_the_maps_at_the_end_are_what_the_ssds_hold_though_they_took_commands_in_bursts():
    run = start(replace(RUN, burst=16, writes_per_second=1_000_000, trace="summary"))
    model = model_of(run.finish())
    last, disk = at(model, len(model["steps"]) - 1), run.lab.guests["guest"].disks[0]
    for lba in range(disk.blocks):
        here, there = (held_by(ssd, disk.nsid, lba) for ssd in (run.lab.source, run.lab.destination))
        assert last.source[lba] == {None: State.DEALLOCATED, -1: State.UNREADABLE}.get(here, State.MAPPED)
        (promised,) = disk.ledger.allowed(lba)
        assert last.destination[lba] == state_after_move(promised, there)
