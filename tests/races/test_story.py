"""What is found is made small and explained: every defect of the catalogue, as its reader meets it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.races import LADDER, Explorer, Failure
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.catalogue import DEFECTS, property_of
from nvmelm_lab.races.explain import Explanation, explain
from nvmelm_lab.races.follow import follow
from nvmelm_lab.races.shrink import Counterexample, shrink
from nvmelm_lab.races.story import WIDTH, story
from nvmelm_lab.races.token import decode, encode
from nvmelm_lab.ssd import Habits


def failing(name: str) -> tuple[Case, Failure]:
    """The first order in which a defect breaks the promise that the catalogue names, on its smallest rung."""
    defect = DEFECTS[name]
    (scenario,) = [each for each in defect.climbs if each.name == defect.rung]
    case = Case(scenario, defect=name)
    explorer = Explorer(case.worlds())
    while True:
        is_over = explorer.advance(1)
        for sentence, failure in explorer.found.failures.items():
            if property_of(sentence) == defect.property:
                return case, failure
        assert not is_over, f"{name} was not found on {defect.rung}"


@cache
def small(name: str) -> Counterexample:
    return shrink(*failing(name))


@cache
def told(name: str) -> Explanation:
    return explain(small(name))


@pytest.mark.parametrize("name", DEFECTS)
def test_a_counterexample_fails_again_with_the_same_property(name: str) -> None:
    found = small(name)
    again = follow(found.case.world, found.order)
    assert again.sentence == found.sentence
    assert property_of(found.sentence) == DEFECTS[name].property


@pytest.mark.parametrize("name", DEFECTS)
def test_a_story_has_lanes_of_at_most_80_columns_and_one_line_a_step(name: str) -> None:
    text = story(told(name)).splitlines()
    assert all(len(line) <= WIDTH for line in text[:-1])
    assert sum("●" in line for line in text) == len(told(name).steps)
    assert text[-1].startswith("Replay: nvmelm races find --token nvmelm1.")


@pytest.mark.parametrize("name", DEFECTS)
def test_an_explanation_says_what_broke_why_and_what_would_be_right(name: str) -> None:
    found = told(name)
    assert found.sentence
    assert found.why
    assert found.freedoms
    assert found.lanes
    assert json.loads(json.dumps(found.plain()))["token"] == found.token
    if found.broken == "no write lost":
        assert found.block is not None


@pytest.mark.parametrize("name", DEFECTS)
def test_the_order_with_a_race_reversed_breaks_nothing(name: str) -> None:
    found = small(name)
    for race in told(name).races:
        assert follow(found.case.world, race.order).sentence == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("copy-before-logging", "Ctlr Y was not logged yet"),
        ("no-last-drain", "the VMM never read it"),
        ("deallocations-ignored", "the VMM did not copy LBA 0 after"),
        ("copies-not-joined", "wrote the older v1, deallocated over it"),
        ("overflow-ignored", "the queue filled up in step"),
        ("baseline-before-logging-again", "the Migration Queue had been full since step"),
        ("allocation-misses-granule", "no copy read LBA 2"),
        ("range-not-logged", "the SSD told nobody that LBA 2 changed"),
        ("shared-namespace-not-logged", "through Ctlr Z, of which no queue tells"),
        ("earlier-commands-not-ended", "given to Ctlr H before the move"),
        ("state-before-suspend", "the state of Ctlr Y was taken in step"),
        ("rings-copied-while-running", "its queues in it, was sent in step"),
        ("interrupts-not-replayed", "nobody told the guest of it"),
        ("suspend-awaits-guest", "nobody can go on"),
        ("vm-left-paused", "never started it again"),
    ],
)
def test_an_explanation_names_the_reason(name: str, words: str) -> None:
    found = told(name)
    assert words in " ".join((found.entry, *found.why))


def test_where_the_firmware_is_wrong_the_vmm_need_not_change() -> None:
    assert told("range-not-logged").advice.startswith("The SSD's firmware, not the VMM.")


def test_every_point_of_choice_belongs_to_one_step_of_the_story() -> None:
    for name in ("no-last-drain", "copies-not-joined", "vm-left-paused"):
        points = [point for step in told(name).steps for point in step.points]
        assert sorted(points) == list(range(len(told(name).order)))


def test_three_quarters_of_the_stories_have_at_most_20_steps() -> None:
    short = [name for name in DEFECTS if len(told(name).steps) <= 20]
    assert len(short) * 4 >= len(DEFECTS) * 3


@pytest.mark.parametrize("name", ["no-last-drain", "marks-cleared-after-copy"])
def test_the_same_failure_shrinks_to_the_same_counterexample(name: str) -> None:
    assert shrink(*failing(name)) == small(name)


def test_a_smaller_rung_is_taken_where_the_same_property_breaks_on_it() -> None:
    by_name = {scenario.name: scenario for scenario in LADDER}
    case = Case(by_name["two writes in flight"], defect="no-last-drain")
    explorer = Explorer(case.worlds())
    while not explorer.found.failures:
        explorer.advance(1)
    failure = next(iter(explorer.found.failures.values()))
    assert shrink(case, failure, LADDER).case.scenario.name == "one write, no round"


def test_an_order_that_breaks_nothing_is_not_explained() -> None:
    with pytest.raises(InputError, match="nothing breaks"):
        explain(Counterexample(Case(LADDER[0]), (), ""))


def test_it_is_told_which_ssd_it_takes() -> None:
    assert "posts an entry after the completion" in told("completion-taken-for-entry").freedoms
    assert "whatever the SSD does" in told("no-last-drain").freedoms


@pytest.mark.parametrize(
    "case",
    [
        Case(LADDER[0]),
        Case(LADDER[1], defect="no-last-drain"),
        Case(replace(LADDER[2], habits=Habits(entry_order="open")), source="async def migrate(): ...\n"),
    ],
)
def test_a_token_brings_case_and_order_back(case: Case) -> None:
    order = ("guest", "Y.sq1#1?1", "VMM")
    assert decode(encode(case, order)) == (case, order)


@pytest.mark.parametrize("damage", ["", "nvmelm1.AAAA", "another line"])
def test_a_damaged_token_is_refused(damage: str) -> None:
    with pytest.raises(InputError):
        decode(damage)


def test_a_token_of_a_migration_is_refused() -> None:
    from nvmelm_lab.runs import MigrationRun, start

    outcome = start(MigrationRun(blocks=64, lead_ns=0, after=1)).finish()
    with pytest.raises(InputError, match="not one of the race search"):
        decode(outcome.token)
