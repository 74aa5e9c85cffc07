"""A search: samples and every order that matters, over several cases; resumable, and honest about what it left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import pytest

from nvmelm_lab.engine import Actor, RunToBlock
from nvmelm_lab.errors import InputError
from nvmelm_lab.races import LADDER, SCENARIOS, Scenario
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.samples import at_random, by_priority
from nvmelm_lab.races.scenario import Vmm
from nvmelm_lab.races.search import FIRST, Bounds, Progress, Search
from nvmelm_lab.races.variants import all_habits, with_all_habits, with_faults
from nvmelm_lab.races.verdict import Searched, Verdict
from nvmelm_lab.races.walk import Walk
from nvmelm_lab.ssd import FREEDOMS
from tests.races import wrong_vmms

BY_NAME = {scenario.name: scenario for scenario in (*LADDER, *SCENARIOS)}
WRITE, ROUND, LARGER = (
    BY_NAME[name] for name in ("one write, no round", "one write, one round", "2 commands")
)
SMALL = [Case(WRITE), Case(ROUND)]


@pytest.fixture
def drain_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases are of a VMM that does not drain the queue after the suspend."""
    monkeypatch.setattr(Case, "vmm", _forgetful)


def _forgetful(case: Case) -> Vmm:
    return wrong_vmms.forgets_the_final_drain


def sentence_of(case: Case, order: tuple[str, ...]) -> str:
    """What goes wrong in that order of the case."""
    world = case.world()
    world.begin(Walk(order))
    world.engine.run()
    world.engine.use(RunToBlock())
    return world.verdict()


def test_a_right_vmm_holds_once_every_order_of_every_case_was_seen() -> None:
    verdict = Search(SMALL).run()
    assert verdict.word == "holds"
    assert [(rung.name, rung.executions) for rung in verdict.rungs] == [(WRITE.name, 9), (ROUND.name, 13)]
    assert verdict.stopped == ""
    assert verdict.counterexamples == ()
    assert verdict.sentence == (
        "holds in every order of events (2 scenarios, 22 orders run, the SSD's own habits)"
    )


@pytest.mark.usefixtures("drain_forgotten")
def test_a_wrong_vmm_is_broken_on_the_smallest_case_that_shows_it() -> None:
    search = Search(SMALL)
    verdict = search.run()
    assert verdict.word == "broken"
    assert [each.case for each in verdict.searched] == SMALL[:1]
    case, failure = verdict.counterexamples[0]
    assert case == SMALL[0]
    assert failure.sentence.startswith("no write lost: LBA 0")
    assert verdict.sentence == f"broken: on the rung {WRITE.name!r}, {failure.sentence}"


@pytest.mark.usefixtures("drain_forgotten")
@pytest.mark.parametrize(
    ("until", "searched", "executions"),
    [("first failure", 1, 1), ("broken case", 1, 9), ("end", 2, 22)],
)
def test_a_search_goes_as_far_as_its_bounds_say(until: str, searched: int, executions: int) -> None:
    verdict = Search(SMALL, Bounds(until)).run()
    assert verdict.word == "broken"
    assert len(verdict.searched) == searched
    seen = sum(each.executions for each in verdict.searched)
    assert seen < 9 if until == "first failure" else seen == executions


@pytest.mark.usefixtures("drain_forgotten")
def test_every_failure_comes_with_an_order_that_shows_it_again() -> None:
    verdict = Search([Case(LARGER)]).run()
    assert verdict.counterexamples
    for case, failure in verdict.counterexamples:
        assert sentence_of(case, failure.order) == failure.sentence


@pytest.mark.usefixtures("drain_forgotten")
@pytest.mark.parametrize("sort", ["priorities", "random"])
def test_a_sample_takes_an_order_that_can_be_taken_again(sort: str) -> None:
    case, failing = Case(LARGER), 0
    for seed in range(12):
        walk = Walk(pick=at_random(seed) if sort == "random" else by_priority(seed, depth=3, points=40))
        world = case.world()
        world.begin(walk)
        world.engine.run()
        world.engine.use(RunToBlock())
        sentence = world.verdict()
        assert sentence_of(case, tuple(walk.taken)) == sentence
        failing += bool(sentence)
    assert failing


def test_samples_differ_by_their_seed_and_by_nothing_else() -> None:
    able: Mapping[str, Actor] = dict.fromkeys(("a", "b", "c?0", "c?1"))
    for sample in (at_random, lambda seed: by_priority(seed, depth=3, points=20)):
        runs = [[pick(able, "") for _ in range(40)] for pick in map(sample, (1, 1, 2, 3, 4))]
        assert runs[0] == runs[1]
        assert len({tuple(run) for run in runs}) > 2
        assert set().union(*runs) == able.keys()


def test_by_priority_one_goes_on_until_its_priority_is_lowered() -> None:
    able: Mapping[str, Actor] = dict.fromkeys("abc")
    pick = by_priority(5, depth=3, points=50)
    taken = [pick(able, "") for _ in range(60)]
    assert 0 < sum(one != other for one, other in pairwise(taken)) <= 2


def test_a_small_case_needs_no_samples_and_a_larger_one_has_them_before_the_bulk_of_its_orders() -> None:
    small, larger = Search([Case(WRITE), Case(LARGER)]).run().searched
    assert (small.sampled, small.executions) == (0, 9)
    assert (larger.sampled, larger.executions) == (101, 124)
    search = Search([Case(LARGER)])
    search.advance(FIRST + 50)
    (begun,) = search.verdict.searched
    assert (begun.sampled, begun.executions) == (50, FIRST)


def test_a_search_in_slices_sees_what_one_at_a_stretch_does() -> None:
    whole, sliced = Search([*SMALL, Case(LARGER)]), Search([*SMALL, Case(LARGER)])
    seen = [sliced.progress]
    while not sliced.advance(7):
        seen.append(sliced.progress)
    assert sliced.verdict == whole.run()
    assert seen[0] == Progress(WRITE.name, 1, 3, 0)
    assert seen[2] == Progress(ROUND.name, 2, 3, 14 - 9)
    assert [each.case for each in seen] == sorted(each.case for each in seen)


def test_a_cancelled_search_says_unknown_and_keeps_what_it_found() -> None:
    search = Search([*SMALL, Case(LARGER)])
    search.advance(9 + 13 + 20)
    search.cancel("its 10 s are over")
    assert search.is_over
    assert search.advance(100)
    verdict = search.verdict
    assert verdict.word == "unknown"
    assert [each.executions for each in verdict.searched] == [9, 13, 20]
    assert verdict.sentence.startswith("unknown: its 10 s are over (3 scenarios, 42 orders run")


@pytest.mark.usefixtures("drain_forgotten")
def test_a_cancelled_search_that_found_a_failure_says_broken() -> None:
    search = Search([Case(LARGER)], Bounds("end"))
    while search.verdict.word == "unknown":
        search.advance(1)
    search.cancel()
    assert search.verdict.word == "broken"


def test_before_anything_was_run_nothing_is_known() -> None:
    verdict = Search(SMALL).verdict
    assert (verdict.word, verdict.searched) == ("unknown", ())


def test_a_case_with_more_orders_than_allowed_is_left_as_unknown_and_the_next_is_searched() -> None:
    verdict = Search([Case(LARGER), *SMALL], Bounds(executions=40, samples=0)).run()
    assert verdict.word == "unknown"
    assert [(each.executions, each.is_complete) for each in verdict.searched] == [
        (40, False),
        (9, True),
        (13, True),
    ]
    assert verdict.stopped == "on the rung '2 commands' there are more than the 40 orders allowed"


def test_what_was_searched_and_the_bounds_are_plain_data() -> None:
    bounds = Bounds("end", 50, 2)
    verdict = Search([Case(replace(LARGER, habits=all_habits()[1])), Case(WRITE)], bounds).run()
    sent = json.loads(json.dumps([each.plain() for each in verdict.searched]))
    assert tuple(map(Searched.from_plain, sent)) == verdict.searched
    assert Bounds(**json.loads(json.dumps(bounds.plain()))) == bounds
    assert json.loads(json.dumps(verdict.plain()))["rungs"][1]["name"] == WRITE.name


def test_the_rows_of_one_scenario_are_one_rung_whatever_the_habits() -> None:
    cases = with_all_habits([Case(WRITE)])
    (rung,) = Verdict(
        tuple(Searched(case, executions=9, is_complete=True) for case in cases), len(cases)
    ).rungs
    assert (rung.cases, rung.executions, rung.is_complete) == (len(cases), 9 * len(cases), True)


def test_habits_are_each_freedom_alone_all_at_once_and_some_combinations() -> None:
    habits = [each.plain() for each in all_habits()]
    alone = {(name, option) for each in habits if len(each) == 1 for name, option in each.items()}
    assert habits[0] == {}
    assert alone == {(each.name, option) for each in FREEDOMS for option in each.options[1:]}
    assert sum(len(each) == len(FREEDOMS) for each in habits) == 1
    assert sum(1 < len(each) < len(FREEDOMS) for each in habits) == 4


def test_the_reference_vmm_holds_on_every_ssd() -> None:
    verdict = Search(with_all_habits([Case(WRITE)])).run()
    assert verdict.word == "holds"
    assert "combinations of an SSD's habits" in verdict.sentence


def test_a_case_with_a_fault_is_one_for_each_step_behind_which_it_can_happen() -> None:
    cases = with_faults([Case(WRITE)], ["cancel"])
    assert cases[0] == Case(WRITE)
    assert len({case.scenario.fault for case in cases}) == len(cases) > 10
    verdict = Search([cases[0], cases[1], cases[-1]]).run()
    assert verdict.word == "holds"
    assert "2 faults, each by itself" in verdict.sentence


@pytest.mark.parametrize(
    ("bounds", "what"),
    [
        ({"until": "tomorrow"}, "'tomorrow'; choose from: first failure, broken case, end"),
        ({"executions": 0}, "0 executions of a case; give 1 or more"),
        ({"samples": -1}, "-1 samples of a case; give 0 or more"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(bounds: dict[str, object], what: str) -> None:
    with pytest.raises(InputError, match=what):
        Bounds(**bounds)


def test_a_search_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="at least one case"):
        Search([])


def test_a_guest_whose_commands_cannot_be_read_is_an_error_of_the_input() -> None:
    with pytest.raises(InputError, match="'x0' cannot be read"):
        Search([Case(Scenario("bad", "x0", 1))]).run()
