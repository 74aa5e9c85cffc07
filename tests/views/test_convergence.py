"""Convergence: each copy as it was made, the stop rule as it was applied, and a picture that shows both to scale."""

import re
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvmelm_lab.errors import InputError
from nvmelm_lab.runs import MigrationRun, Outcome, Phase, start
from nvmelm_lab.views import convergence, convergence_text
from nvmelm_lab.views.convergence_figure import LEFT, RIGHT
from nvmelm_lab.views.copies import copies, told
from nvmelm_lab.views.palette import CHANGED, COPYING, EQUAL
from nvmelm_lab.views.text import duration, grouped

SMALL = MigrationRun(blocks=1024, neighbour=False)
RUNS = {
    "converges": SMALL,
    "does not converge": replace(SMALL, writes_per_second=300_000, rounds=4),
    "no rounds": replace(SMALL, rounds=0),
    "no budget": replace(SMALL, rounds=2, downtime_budget_ns=0),
    "stop-and-copy": replace(SMALL, method="stop"),
    "shim": replace(SMALL, method="shim"),
    "no clock": replace(SMALL, blocks=256, schedule=("random", 3)),
    "idle guest": replace(SMALL, workload="idle"),
    "slowed down": replace(SMALL, workload="sequential", writes_per_second=60_000, throttle=90),
}
each_run = pytest.mark.parametrize("name", RUNS)


@cache
def outcome(name: str) -> Outcome:
    return start(RUNS[name]).finish()


@cache
def cancelled(phase: str) -> Outcome:
    run = start(SMALL)
    while run.progress.phase != phase:
        assert not run.advance(1)
    run.cancel()
    return run.finish()


# -- the facts -----------------------------------------------------------------------------------------------


def test_each_copy_is_told_as_the_migration_made_it():
    run = start(SMALL)
    rounds, phases = [], []
    run.lab.engine.observe("round", lambda effect: rounds.append((run.lab.engine.now, effect[2])))
    run.lab.engine.observe("phase", lambda effect: phases.append((effect[1], run.lab.engine.now)))
    made = copies(run.finish())
    begun, names = dict(phases), [name for name, _ in phases]
    ends = {name: begun[after] for name, after in pairwise(names)}
    first, *iterated, last = made
    assert [copy.blocks for copy in iterated] == [blocks for _, blocks in rounds]
    times = [begun["Iterate"], *(time for time, _ in rounds)]
    assert [copy.ns for copy in iterated] == [after - before for before, after in pairwise(times)]
    assert first.ns == ends["Initial copy"] - begun["Initial copy"]
    assert last.ns == ends["Suspend"] - begun["Suspend"]
    assert run.method.copier.copied <= sum(copy.blocks for copy in made)


@each_run
def test_what_changed_during_a_copy_is_the_work_of_the_next(name):
    made = copies(outcome(name))
    assert [copy.left for copy in made[:-1]] == [copy.blocks for copy in made[1:]]
    assert made[-1].left == -1


@each_run
def test_the_copies_have_their_names_in_their_order(name):
    found = outcome(name)
    rounds = [f"Round {n + 1}" for n in range(found.rounds)]
    names = ["Suspend"] if found.run.method == "stop" else ["Initial copy", *rounds, "Suspend"]
    assert [copy.name for copy in copies(found)] == names


def test_a_migration_that_ended_early_has_the_copies_that_it_finished():
    assert [copy.name for copy in copies(cancelled("Initial copy"))] == []
    names = [copy.name for copy in copies(cancelled("Iterate"))]
    assert names[:1] == ["Initial copy"]
    assert "Suspend" not in names


# -- the words -----------------------------------------------------------------------------------------------

LBAS = r"([\d\u202f]+) LBAs?"
COPY = re.compile(
    rf"(Initial copy|Round \d+|Suspend): {LBAS}(?: in ([^;,]+))?(?:, the VM slowed down by (\d+) %)?"
    rf"(?:; changed meanwhile: {LBAS})?"
)


def number(word: str | None) -> int:
    return -1 if word is None else int(word.replace("\u202f", ""))


@each_run
def test_the_text_tells_every_copy(name):
    lines = convergence_text(outcome(name)).splitlines()
    read = [COPY.fullmatch(line) for line in lines if COPY.match(line)]
    found = [(one[1], number(one[2]), one[3], int(one[4] or 0), number(one[5])) for one in read]
    wanted = [
        (copy.name, copy.blocks, duration(copy.ns) if copy.ns >= 0 else None, copy.throttle, copy.left)
        for copy in copies(outcome(name))
    ]
    assert found == wanted


@each_run
def test_the_text_tells_the_stop_rule_as_it_was_applied(name):
    found = outcome(name)
    budget = found.run.downtime_budget_ns
    first = convergence_text(found).splitlines()[0]
    assert all(ns > budget for ns in found.round_ns[:-1])
    if not found.round_ns:
        assert first.startswith(("Stop-and-copy", "No rounds were allowed"))
    elif found.round_ns[-1] <= budget:
        assert first.startswith(f"It converged in {found.rounds} round")
    else:
        assert first.startswith(f"It did not converge in {found.rounds} round")
        assert found.rounds == found.run.rounds
    assert f"no longer than {duration(budget)}, or after round {found.run.rounds}." in convergence_text(found)


def test_downtime_overflows_and_a_missing_clock_are_told():
    assert f"downtime {duration(outcome('converges').downtime_ns)}, memory" in convergence_text(
        outcome("converges")
    )
    assert "no clock ran" in convergence_text(outcome("no clock"))
    full = start(replace(SMALL, queue_entries=4, writes_per_second=300_000, rounds=2)).finish()
    assert full.overflows > 0
    assert f"the Migration Queue filled up {full.overflows} time" in convergence_text(full)


def test_how_much_the_vm_was_slowed_down_is_told_in_all_and_for_each_round():
    found = outcome("slowed down")
    most = max(found.round_throttle)
    assert most > 0
    assert f"the VM was slowed down by up to {most} %" in convergence_text(found).splitlines()[1]
    assert [copy.throttle for copy in copies(found)] == [0, *found.round_throttle, 0]
    assert "slowed" not in convergence_text(outcome("does not converge"))


def test_why_a_migration_ended_early_is_told():
    words = convergence_text(cancelled("Initial copy")).splitlines()
    assert words[:2] == ["It ended early: cancelled.", "The guest goes on at the source."]


@given(st.integers(0, 10**15))
def test_numbers_keep_their_value_in_groups_of_three_digits(number):
    assert int(grouped(number).replace("\u202f", "")) == number
    assert all(len(group) == 3 for group in grouped(number).split("\u202f")[1:])


# -- the picture ---------------------------------------------------------------------------------------------


def marks(found: Outcome, symbol: str) -> list[tuple[float, float, object, str]]:
    """x, y, fill and hover text of the marks of one kind, from left to right."""
    for trace in convergence(found).data:
        if trace.mode == "markers" and trace.marker.symbol == symbol:
            fills = trace.marker.color
            each = [fills] * len(trace.x) if isinstance(fills, str) else fills
            return list(zip(trace.x, trace.y, each, trace.hovertext or [""] * len(trace.x), strict=False))
    return []


def heights_agree(places: list[float], values: list[int]) -> bool:
    """More is higher up (y grows downwards), and equal values are equally high."""
    return all(
        (one < other) == (y > other_y) and (one == other) == (y == other_y)
        for y, one in zip(places, values, strict=True)
        for other_y, other in zip(places, values, strict=True)
    )


@each_run
def test_discs_stand_as_high_as_what_was_copied_and_diamonds_as_the_next_disc(name):
    made = copies(outcome(name))
    discs, diamonds = marks(outcome(name), "circle"), marks(outcome(name), "diamond")
    assert heights_agree([y for _, y, *_ in discs], [copy.blocks for copy in made])
    assert [y for _, y, *_ in diamonds] == [y for _, y, *_ in discs[1:]]
    assert all(
        one[0] < two[0] < other[0] for one, two, other in zip(discs, diamonds, discs[1:], strict=False)
    )
    assert {fill for _, _, fill, _ in discs} <= {COPYING}
    assert {fill for _, _, fill, _ in diamonds} <= {CHANGED}


@each_run
def test_squares_are_filled_exactly_where_they_are_below_the_budgets_line(name):
    found = outcome(name)
    (line,) = (trace.y[0] for trace in convergence(found).data if trace.line.dash == "dash")
    timed = [copy for copy in copies(found) if copy.ns >= 0]
    squares = marks(found, "square")
    assert len(squares) == len(timed)
    assert heights_agree(
        [*(y for _, y, *_ in squares), line], [*(copy.ns for copy in timed), found.run.downtime_budget_ns]
    )
    for (_, y, fill, _), copy in zip(squares, timed, strict=True):
        assert (fill == EQUAL) == (y >= line) == (copy.ns <= found.run.downtime_budget_ns)


@each_run
def test_each_mark_tells_its_copy_when_pointed_at(name):
    made = copies(outcome(name))
    assert [words.replace("<br>", " ") for *_, words in marks(outcome(name), "circle")] == [
        told(copy) for copy in made
    ]


@each_run
def test_all_marks_stand_within_the_panels(name):
    found = convergence(outcome(name))
    for symbol in ("circle", "diamond", "square"):
        for x, y, *_ in marks(outcome(name), symbol):
            assert LEFT < x < RIGHT
            assert 0 < y < found.layout.height


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=80), st.integers(0, 10**12), st.integers(0, 10**10)
)
def test_any_numbers_can_be_drawn(blocks, ns, budget):
    base = outcome("converges")
    found = replace(
        base,
        run=replace(base.run, downtime_budget_ns=budget),
        rounds=len(blocks),
        round_blocks=tuple(blocks),
        round_ns=tuple(ns * (n % 3) for n in range(len(blocks))),
        round_throttle=tuple(range(len(blocks))),
        phases=tuple(Phase(one.name, 0, ns, 0, 0, 0) for one in base.phases),
    )
    figure = convergence(found)
    assert len(marks(found, "circle")) == len(blocks) + 2
    assert all(0 <= y <= figure.layout.height for trace in figure.data for y in trace.y if y is not None)


def test_an_outcome_without_any_copy_can_be_drawn():
    assert marks(cancelled("Initial copy"), "circle") == []


def test_another_theme_is_refused():
    with pytest.raises(InputError, match="there is no theme 'blue'; there are: light, dark"):
        convergence(outcome("converges"), theme="blue")
