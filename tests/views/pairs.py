"""Failing runs of wrong VMMs, each with one that a single other decision repairs, for tests of what shows both."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from nvmelm_lab.engine import RunToBlock
from nvmelm_lab.races import LADDER, Explorer, World
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.scenario import Vmm, reference
from nvmelm_lab.races.shrink import Counterexample
from nvmelm_lab.races.walk import Walk
from nvmelm_lab.views.pair import PairModel, Play, pair_of
from tests.races import wrong_vmms


@dataclass(frozen=True, slots=True)
class CaseOf(Case):
    """A case whose `defect` is one of the tests' wrong VMMs."""

    def vmm(self) -> Vmm:
        return getattr(wrong_vmms, self.defect) if self.defect else reference

    def world(self) -> World:
        return World(self.scenario, self.vmm())


@cache
def counterexample(name: str, rung: int = 0) -> Counterexample:
    """The first run that an explorer finds in which the wrong VMM `name` breaks a promise."""
    case = CaseOf(LADDER[rung], name)
    search = Explorer(case.world)
    while not search.found.failures:
        assert not search.advance(1), f"{name} does nothing wrong on {case.scenario.name!r}"
    failure = next(iter(search.found.failures.values()))
    return Counterexample(case, failure.order, failure.sentence)


@cache
def plays(name: str, rung: int = 0) -> tuple[Play, Play]:
    """A run in which the wrong VMM `name` breaks a promise, and one in which it happens to keep them all."""
    found = counterexample(name, rung)
    return Play(found.case, found.order), Play(found.case, repaired(found.case, found.order))


@cache
def pair(name: str, rung: int = 0) -> PairModel:
    """Both of them, side by side."""
    return pair_of(*plays(name, rung), title=name.replace("_", " ").capitalize(), token="nvmelm:race:0")


def repaired(case: CaseOf, order: Sequence[str]) -> Sequence[str]:
    """The order with the latest decision changed that makes the run keep its promises."""
    for cut in range(len(order) - 1, -1, -1):
        for other in who_can_go(case, order[:cut]):
            found = keeps_all(case, [*order[:cut], other])
            if other != order[cut] and found:
                return found
    raise AssertionError("no single decision repairs this run")


def who_can_go(case: CaseOf, order: Sequence[str]) -> list[str]:
    world, walk = case.world(), Walk(order, goes_on=False)
    world.begin(walk)
    world.engine.run()
    return list(walk.choices())


def keeps_all(case: CaseOf, order: Sequence[str]) -> Sequence[str]:
    """The whole order, where it keeps every promise; else nothing."""
    world, walk = case.world(), Walk(order)
    world.begin(walk)
    world.engine.run()
    taken = list(walk.taken)
    world.engine.use(RunToBlock())
    return [] if world.verdict() else taken
