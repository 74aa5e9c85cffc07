"""The search for races: how many orders of each scenario matter, and how fast they are run.

Counts are exact and the same on every machine.  Those of the prototype, which was cut into steps a little
differently, stand beside them for the order of magnitude: its VMM pauses no VM, and its guest takes several
completions in one step.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import process_time

from benchmarks.measure import Figure, Peer, Size, calibrate, rates
from nvmelm_lab.errors import KitError
from nvmelm_lab.races import LADDER, SAFEGUARDS, SCENARIOS, Explorer, Found, Scenario
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.catalogue import DEFECTS, Defect, property_of
from nvmelm_lab.races.explain import explain
from nvmelm_lab.races.shrink import Counterexample, shrink

COUNTS = {
    "1 command": (13, 9),
    "2 commands": (124, 85),
    "3 commands, QD 2": (569, 477),
    "3 commands, QD 3": (2_129, 1_441),
    "4 commands": (4_538, 5_181),
}
"""Scenario -> complete executions of ours, and of the prototype."""

PROTOTYPE = Peer("prototype, 69-80 k", 80_000)
ROUNDS = 2
EXECUTIONS = 16
"""Executions of a slice."""

STEPS_PER_SECOND = 75_000.0
LADDER_S, DEEP_S, DEFECTS_S = 8.0, 10.0, 4.0
SHORT = 20
"""Lines of a story that a reader takes in at once."""


def measure(size: Size) -> list[Figure]:
    """Executions of each scenario; of the last one executions and steps per second of CPU time; ladder and defects."""
    scenarios = [each for each in SCENARIOS if each.name in COUNTS][: size.scenarios]
    found = [_search(scenario) for scenario in scenarios]
    last, (deepest, seconds) = scenarios[-1], found[-1]
    (rate,) = rates([lambda: _run(Explorer(Case(last).worlds()))], min(size.rounds, ROUNDS))
    steps = deepest.steps / (deepest.executions + deepest.redundant)
    where = f"Search, {last.name}"
    calibration = rate.calibration_ns
    return [
        *(_count(scenario, each) for scenario, (each, _) in zip(scenarios, found, strict=True)),
        _redundant([each for each, _ in found]),
        Figure(where, seconds, "s", seconds, DEEP_S),
        Figure(where, rate.best, "executions/s", rate.middle, calibration_ns=calibration),
        Figure(
            where,
            rate.best * steps,
            "steps/s",
            rate.middle * steps,
            STEPS_PER_SECOND,
            peer=PROTOTYPE,
            calibration_ns=calibration,
        ),
        _ladder([*LADDER, *SAFEGUARDS][: 4 * size.scenarios]),
        *_defects(list(DEFECTS.values())[: 8 * size.scenarios]),
    ]


def _search(scenario: Scenario) -> tuple[Found, float]:
    """What a whole search finds, and the CPU seconds that it takes."""
    begin = process_time()
    found = Explorer(Case(scenario).worlds()).run()
    return found, process_time() - begin


def _redundant(found: list[Found]) -> Figure:
    most = max(100 * each.redundant / each.executions for each in found)
    return Figure("Search, redundant executions at most", most, "%", most, 5.0)


def _ladder(rungs: list[Scenario]) -> Figure:
    seconds = sum(_search(each)[1] for each in rungs)
    return Figure(f"Search, reference VMM on {len(rungs)} rungs", seconds, "s", seconds, LADDER_S)


def _defects(defects: list[Defect]) -> list[Figure]:
    """How long it takes to find all of them on their smallest rungs, and to make what fails small; how small it is."""
    calibration, begin = calibrate(), process_time()
    found = [_find(each) for each in defects]
    seconds = process_time() - begin
    short = sum(len(explain(each).steps) <= SHORT for each in found) * 100 / len(found)
    name = f"{len(found)} defects"
    return [
        Figure(f"{name}, found and made small", seconds, "s", seconds, DEFECTS_S, calibration_ns=calibration),
        Figure(f"{name}, told in more than {SHORT} lines", 100 - short, "%", 100 - short, 25.0),
    ]


def case_of(defect: Defect) -> Case:
    """The smallest case that shows the defect."""
    return Case(next(each for each in defect.climbs if each.name == defect.rung), defect=defect.name)


def _find(defect: Defect) -> Counterexample:
    case = case_of(defect)
    explorer = Explorer(case.worlds())
    while True:
        is_over = explorer.advance(1)
        for sentence, failure in explorer.found.failures.items():
            if property_of(sentence) == defect.property:
                return shrink(case, failure)
        if is_over:
            raise KitError(f"the defect {defect.name} is not found on {defect.rung}")


def _count(scenario: Scenario, found: Found) -> Figure:
    ours, theirs = COUNTS[scenario.name]
    value, peer = float(found.executions), Peer("prototype", theirs)
    return Figure(f"Search, {scenario.name}", value, "executions", value, ours, peer, exact=True)


def _run(explorer: Explorer) -> Iterator[int]:
    found = explorer.found
    while not explorer.is_over:
        before = found.executions + found.redundant
        explorer.advance(EXECUTIONS)
        yield found.executions + found.redundant - before
