"""Finding how a defect of the catalogue does harm, and bringing back what a token stands for, as a counterexample.

Nothing is explained or shown here.
"""

from __future__ import annotations

from dataclasses import dataclass

from nvmelm_lab.engine import RunToBlock
from nvmelm_lab.errors import InputError, KitError
from nvmelm_lab.races import token
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.defects.defect import Defect
from nvmelm_lab.races.search import Bounds, Search
from nvmelm_lab.races.shrink import Counterexample, shrink
from nvmelm_lab.races.walk import Walk


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to: the smallest execution that does harm, and how many it ran until the first one."""

    counterexample: Counterexample
    executions: int


def find(defect: Defect) -> Found:
    """The smallest way that is found in which the defect does harm."""
    # On the rungs below it is proven absent (`races/matrix.py`).
    rungs = (scenario for scenario in defect.climbs if scenario.name in defect.rungs)
    verdict = Search([Case(scenario, defect.name) for scenario in rungs], Bounds("first failure")).run()
    if not verdict.counterexamples:
        raise KitError(f"the defect {defect.name!r} was not found on any rung")
    runs = sum(each.executions + each.redundant + each.sampled for each in verdict.searched)
    return Found(shrink(*verdict.counterexamples[0]), runs)


def replayed(text: str) -> Counterexample:
    """What a token stands for.  InputError when it is damaged, or when nothing goes wrong in that order."""
    case, order = token.decode(text)
    world = case.world()
    world.begin(Walk(order))
    world.engine.run()
    world.engine.use(RunToBlock())
    sentence = world.verdict()
    if not sentence:
        raise InputError("nothing goes wrong in the order that this token stands for, so there is no story")
    return Counterexample(case, order, sentence)


def introduction(defect: Defect) -> tuple[str, ...]:
    """What a reader knows of a defect before the story begins, in sentences."""
    said = (
        f"{defect.name} ({defect.kind}): {defect.title}",
        f"Look for: {defect.look_for}",
        f"In the talk: {defect.slide}",
        defect.source_note,
    )
    return tuple(filter(None, said))
