"""The search for races: how many orders of each scenario matter, and how fast they are run.

Counts are exact and the same on every machine.  Those of the prototype, which was cut into steps a little
differently, stand beside them for the order of magnitude.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measure import Figure, Peer, Size, rates
from nvmelm_lab.races import SCENARIOS, Explorer, Found, Scenario, World

COUNTS = {
    "1 command": (13, 9),
    "2 commands": (108, 85),
    "3 commands, QD 2": (477, 477),
    "3 commands, QD 3": (1_525, 1_441),
}
"""Scenario -> complete executions of ours, and of the prototype."""

PROTOTYPE = Peer("prototype, 69-80 k", 80_000)
ROUNDS = 2
EXECUTIONS = 16
"""Executions of a slice."""


def measure(size: Size) -> list[Figure]:
    """Executions of each scenario; of the last one executions and steps per second of CPU time."""
    scenarios = [each for each in SCENARIOS if each.name in COUNTS][: size.scenarios]
    found = [_search(scenario) for scenario in scenarios]
    last = scenarios[-1]
    (rate,) = rates([lambda: _run(Explorer(lambda: World(last)))], min(size.rounds, ROUNDS))
    steps = found[-1].steps / (found[-1].executions + found[-1].redundant)
    where = f"Search, {last.name}"
    calibration = rate.calibration_ns
    return [
        *(_count(scenario, each) for scenario, each in zip(scenarios, found, strict=True)),
        Figure(where, rate.best, "executions/s", rate.middle, calibration_ns=calibration),
        Figure(
            where,
            rate.best * steps,
            "steps/s",
            rate.middle * steps,
            peer=PROTOTYPE,
            calibration_ns=calibration,
        ),
    ]


def _search(scenario: Scenario) -> Found:
    return Explorer(lambda: World(scenario)).run()


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
