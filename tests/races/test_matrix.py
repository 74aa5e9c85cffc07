"""Each defect on each rung: found, with the promise that it is catalogued under, or proven absent."""

import pytest

from nvmelm_lab.races import Explorer, Found
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.catalogue import DEFECTS, Defect, property_of
from nvmelm_lab.races.ladder import LADDER, SAFEGUARDS
from nvmelm_lab.races.matrix import ABSENT, FOUND, MATRIX, OTHERWISE
from nvmelm_lab.races.scenario import Scenario
from nvmelm_lab.ssd import Habits
from tests.races.long_agreement import agree

LARGE = {
    "two writes in flight",
    "seven ranges, six slots",
    "three writes, three slots",
    "a deallocation, and the queue fills",
}
"""Rungs on which sleep sets take thousands of executions for some defects: `long_agreement.py` holds all of these."""

SMALL = [
    (name, scenario)
    for name, defect in DEFECTS.items()
    for scenario in defect.climbs
    if scenario.name not in LARGE
]
OTHER_HABITS = [
    (name, scenario)
    for name, defect in DEFECTS.items()
    for scenario in defect.climbs
    if scenario.name == "three writes, three slots" and defect.on(scenario).habits != Habits()
]
"""An entry posted after logging began anew, behind a full queue, is seen with other habits than the kit's own alone."""


def cell(defect: Defect, scenario: Scenario) -> str:
    """What the search says: its first failure of the right promise ends it, else every order is tried."""
    search = Explorer(Case(scenario, defect.name).worlds())
    while not search.advance(8):
        if _breaks(search.found, defect):
            break
    if _breaks(search.found, defect):
        return FOUND
    assert search.is_over
    return OTHERWISE if search.found.failures else ABSENT


def _breaks(found: Found, defect: Defect) -> bool:
    return any(property_of(sentence) == defect.property for sentence in found.failures)


@pytest.mark.parametrize("name", DEFECTS)
def test_each_defect_is_found_or_proven_absent_on_each_rung(name: str) -> None:
    defect = DEFECTS[name]
    row = "".join(cell(defect, scenario) for scenario in defect.climbs)
    assert row == MATRIX[name]


def test_every_defect_has_a_row_and_is_found_somewhere() -> None:
    assert MATRIX.keys() == DEFECTS.keys()
    assert all(FOUND in row for row in MATRIX.values())


@pytest.mark.parametrize("scenario", [*LADDER, *SAFEGUARDS], ids=lambda scenario: scenario.name)
def test_the_right_vmm_holds_on_every_rung(scenario: Scenario) -> None:
    found = Explorer(Case(scenario).worlds()).run()
    assert found.failures == {}
    assert found.executions <= 2_000


@pytest.mark.parametrize(
    ("name", "scenario"),
    [*SMALL, *OTHER_HABITS],
    ids=[f"{name}-{scenario.name}" for name, scenario in (*SMALL, *OTHER_HABITS)],
)
def test_with_a_defect_source_dpor_and_sleep_sets_agree_too(name: str, scenario: Scenario) -> None:
    assert agree(Case(DEFECTS[name].on(scenario), name))[0].isdigit()
