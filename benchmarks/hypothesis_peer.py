"""A peer of the race search: Hypothesis looks for the same defects, through the same door.

Each defect of the catalogue on its smallest rung; the same worlds, made again in the same way; a point of choice is
the same point (`nvmelm_lab.races.walk`), and index 0 goes on with whoever went last, so Hypothesis too begins with
few switches.  Two ways of writing the test:

`by_given`
    A function that draws an index at each point of choice, until the run is over.
`by_machine`
    A `RuleBasedStateMachine` whose only rule decides at one point.  Its steps are as many as the usual run has
    points; a run that is not over by then goes on by itself.

What differs: Hypothesis knows no footprints, so orders that only swap independent steps are new ones to it, and its
end proves nothing.  Its examples are the same each time and nothing is shrunk: the clock stops at the first failure,
as it does for our search, which is the one that people call, samples included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from statistics import median
from time import process_time
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from benchmarks.measure import Figure, Peer, Size
from benchmarks.race_search import case_of
from nvmelm_lab.engine import RunToBlock
from nvmelm_lab.races.catalogue import DEFECTS, Defect, property_of
from nvmelm_lab.races.search import Bounds, CaseSearch
from nvmelm_lab.races.walk import Pick, Walk, keeps_on

if TYPE_CHECKING:
    from nvmelm_lab.engine import Actor
    from nvmelm_lab.races.scenario import World


@dataclass(frozen=True, slots=True)
class Hunt:
    """How a defect was looked for: whether it was found, after how many executions and CPU seconds."""

    found: bool
    executions: int
    seconds: float


Way = Callable[[Defect, int], Hunt]
"""Looks for a defect, in so many examples at most."""


def measure(size: Size) -> list[Figure]:
    """Each defect, hunted in all three ways: how many are missed, how long it takes, and which are missed."""
    defects = list(islice(DEFECTS.values(), size.defects))
    ours = [search(each) for each in defects]
    peers = {
        f"Hypothesis, {name}": [way(each, size.examples) for each in defects]
        for name, way in (("@given", by_given), ("stateful", by_machine))
    }
    figures: list[Figure] = []
    for name, theirs in peers.items():
        figures += _together(ours, name, theirs, size.examples)
    for defect, mine, *others in zip(defects, ours, *peers.values(), strict=True):
        figures += _missed(defect, mine, dict(zip(peers, others, strict=True)), size.examples)
    return figures


def _together(ours: Sequence[Hunt], name: str, theirs: Sequence[Hunt], examples: int) -> list[Figure]:
    what = f"{len(ours)} defects"
    return [
        Figure(
            f"{what}, missed in {examples:,} examples",
            missed(ours),
            "defects",
            0,
            peer=Peer(name, missed(theirs)),
        ),
        Figure(
            f"{what}, to the first failure of each or the end",
            sum(each.seconds for each in ours),
            "s",
            median(each.seconds for each in ours),
            peer=Peer(name, sum(each.seconds for each in theirs)),
        ),
        Figure(
            f"{what}, to the first failure of each or the end",
            sum(each.executions for each in ours),
            "executions",
            median(each.executions for each in ours),
            peer=Peer(name, sum(each.executions for each in theirs)),
        ),
    ]


def missed(hunts: Sequence[Hunt]) -> int:
    """How many defects were not found."""
    return sum(not each.found for each in hunts)


def _missed(defect: Defect, ours: Hunt, theirs: Mapping[str, Hunt], examples: int) -> list[Figure]:
    """What our search needs for a defect that a peer has missed."""
    count = ours.executions
    return [
        Figure(
            f"{defect.name}, to the first failure",
            count,
            "executions",
            count,
            peer=Peer(f"{name}: none in {examples:,}", None),
        )
        for name, hunt in theirs.items()
        if not hunt.found
    ]


# -- the three ways ----------------------------------------------------------------------------------------


def search(defect: Defect) -> Hunt:
    """Our own search; it has no limit and needs none."""
    begin, searching = process_time(), CaseSearch(case_of(defect), Bounds("end"))
    found = False
    while not (found or searching.is_over):
        searching.advance(1)
        found = any(property_of(each.sentence) == defect.property for each in searching.searched.failures)
    return Hunt(found, searching.runs, process_time() - begin)


def by_given(defect: Defect, examples: int) -> Hunt:
    """Hypothesis, with an index drawn at each point of choice."""
    trial = _Trial(defect)

    @_settings(examples)
    @given(st.data())
    def test(data: st.DataObject) -> None:
        world, _ = trial.begin(Walk(pick=partial(_draw, data)))
        trial.judge(world)

    with suppress(_Broken):
        test()
    return trial.hunt()


def by_machine(defect: Defect, examples: int) -> Hunt:
    """Hypothesis, with a state machine that decides point by point."""
    trial = _Trial(defect)

    class Scheduler(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.world, self.walk = trial.begin(Walk(goes_on=False))

        @rule(data=st.data())
        def decide(self, data: st.DataObject) -> None:
            self.go_on(partial(_draw, data))

        def go_on(self, pick: Pick) -> bool:
            able, taken = self.walk.choices(), self.walk.taken
            if able:
                self.walk.take(pick(able, taken[-1] if taken else ""))
                self.world.engine.run()
            return bool(able)

        def teardown(self) -> None:
            while self.go_on(keeps_on):
                pass
            trial.judge(self.world)

    with suppress(_Broken):
        run_state_machine_as_test(Scheduler, settings=_settings(examples, trial.points))
    return trial.hunt()


def _draw(data: st.DataObject, able: Mapping[str, Actor], last: str) -> str:
    """One of the decisions; the simplest is to go on with whoever went last."""
    usual = keeps_on(able, last)
    options = [usual, *(each for each in able if each != usual)]
    return options[data.draw(_indices(len(options)))] if len(options) > 1 else usual


@cache
def _indices(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


def _settings(examples: int, steps: int = 1) -> settings:
    """As many examples, the same each time, over at the first failure."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )


class _Broken(Exception):
    """The promise that the defect breaks is broken."""


class _Trial:
    """The executions that Hypothesis makes of a defect, counted and timed up to the first failure.

    points
        Points of choice of the usual run.
    """

    def __init__(self, defect: Defect) -> None:
        self._defect = defect
        self._build = case_of(defect).worlds()
        self._executions, self._failed_after = 0, 0.0
        _, usual = self.begin(Walk())
        self.points = len(usual.taken)
        self._began = process_time()

    def begin(self, walk: Walk) -> tuple[World, Walk]:
        """An execution that goes on as far as `walk` leads it."""
        world = self._build()
        world.begin(walk)
        world.engine.run()
        return world, walk

    def judge(self, world: World) -> None:
        """Count the execution; raises _Broken.  Hypothesis runs an example that failed again, which does not count."""
        self._executions += not self._failed_after
        world.engine.use(RunToBlock())
        if property_of(world.verdict()) == self._defect.property:
            self._failed_after = self._failed_after or process_time() - self._began
            raise _Broken

    def hunt(self) -> Hunt:
        """What came of it."""
        return Hunt(
            bool(self._failed_after), self._executions, self._failed_after or process_time() - self._began
        )
