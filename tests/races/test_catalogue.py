"""The catalogue: what it says of each defect, what it needs, and the page that shows it."""

from pathlib import Path

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.oracle import PROPERTIES
from nvmelm_lab.races import Explorer, Scenario, World
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.catalogue import AUTHENTIC, DEFECTS, defect, property_of
from nvmelm_lab.races.defects.firmware_allocation import GranuleMap
from nvmelm_lab.races.defects.vmm_queue import trusts_the_marker
from nvmelm_lab.races.ladder import LADDER
from nvmelm_lab.races.learner import vmm_of
from nvmelm_lab.ssd import Habits, Parts

PAGE = (Path(__file__).parents[2] / "docs" / "races.md").read_text("utf-8")
ROWS = {
    cells[0].strip("` "): [cell.strip() for cell in cells]
    for line in PAGE.splitlines()
    if line.startswith("| `")
    for cells in [line.strip("|").split("|")]
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_names_a_promise_and_says_in_sentences_what_it_does_and_what_to_look_for(name: str) -> None:
    each = DEFECTS[name]
    assert each.name == name == name.lower().replace(" ", "-")
    assert each.property in PROPERTIES
    assert each.title.endswith(".")
    assert each.look_for.endswith((".", "?"))


def test_there_are_all_three_kinds_and_every_authentic_defect_says_where_it_was_met() -> None:
    assert {each.kind for each in DEFECTS.values()} == {"VMM", "firmware", "safeguard"}
    authentic = [each for each in DEFECTS.values() if each.source_note]
    assert len(authentic) == 7
    assert all(each.source_note.startswith(AUTHENTIC) for each in authentic)


def test_an_unknown_defect_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="there is no defect 'no-such'; there are: copy-before-logging, "):
        defect("no-such")


@pytest.mark.parametrize("name", DEFECTS)
def test_the_page_shows_each_defect_as_the_catalogue_has_it(name: str) -> None:
    each = DEFECTS[name]
    row = ROWS[name]
    assert row[1:] == [each.kind, each.property, each.rung, each.title, each.look_for, each.slide]


def test_the_page_shows_no_other_defect_and_every_rung() -> None:
    assert ROWS.keys() == DEFECTS.keys()
    assert all(f"| {scenario.name} |" in PAGE for scenario in LADDER)


@pytest.mark.parametrize("name", [name for name, each in DEFECTS.items() if each.habits != Habits()])
def test_a_defect_that_needs_a_habit_does_no_harm_without_it(name: str) -> None:
    each = DEFECTS[name]
    scenario = next(rung for rung in LADDER if rung.name == each.rung)
    assert Explorer(Case(scenario, name).worlds()).run().failures == {}


def test_a_map_of_granules_that_is_kept_rightly_loses_nothing() -> None:
    """What the wrong maps change is what is wrong with them."""
    for scenario in LADDER:
        if scenario.granularity > 1:
            search = Explorer(lambda scenario=scenario: World(scenario, parts=Parts(namespace=GranuleMap)))
            assert search.run().failures == {}


@pytest.mark.parametrize("scenario", LADDER, ids=lambda scenario: scenario.name)
def test_the_vmm_that_trusts_the_marker_is_right_with_an_ssd_that_stops_logging(scenario: Scenario) -> None:
    """So what the firmware that goes on logging loses is the firmware's doing."""
    assert Explorer(lambda: World(scenario, vmm_of(trusts_the_marker))).run().failures == {}


@pytest.mark.parametrize(
    ("sentence", "promise"),
    [
        ("no write lost: LBA 0: destination has zeros", "no write lost"),
        ("guest never ends: it waits for completion 1", "each command once"),
        ("VMM never ends: it waits for completion 14", "nothing lost on failure"),
        ("VMM failed: Set Features 21h ended with status 002h", "nothing lost on failure"),
    ],
)
def test_a_verdict_tells_which_promise_is_broken(sentence: str, promise: str) -> None:
    assert property_of(sentence) == promise
