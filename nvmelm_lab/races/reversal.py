"""The races that decide: two steps of an execution whose order could have been the other one, and then nothing breaks.

A race is tried by running: the second step is brought before the first, with what it needs of all that lies between
them, and the rest follows as far as it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Trace
from nvmelm_lab.races.follow import Point, Run, follow

if TYPE_CHECKING:
    from nvmelm_lab.races.scenario import World

MOST_RUNS = 60
"""Races that are tried at most, those whose steps are close together first."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """A race that decides.

    first, second
        Its points of choice; `second` is -1 for a step that could have come before the first and so never came.
    decision, does
        The second step's, and, where it never came, what it would have done.
    order
        A run in which the second comes first, and nothing breaks.
    """

    first: int
    second: int
    decision: str
    does: str
    order: tuple[str, ...]


def deciding(build: Callable[[], World], run: Run, trace: Trace) -> list[Reversal]:
    """The races of `run`, whose full trace is given, that decide whether it breaks anything; the closest first."""
    candidates = sorted(_candidates(run, trace), key=lambda each: (each.second < 0, each.second - each.first))
    found = []
    for race in candidates[:MOST_RUNS]:
        other = follow(build, race.order)
        if not other.sentence:
            found.append(replace(race, order=other.order))
    return found


def _candidates(run: Run, trace: Trace) -> Iterator[Reversal]:
    """Each race of the run, with an order that begins as the run and then goes the other way."""
    order, points = run.order, run.points
    races, pasts = _races(points, trace)
    tried = set()
    for first, second in races:
        tried.add((first, order[second]))
        between = [at for at in range(first + 1, second) if not pasts[at] >> first & 1]
        turned = [*range(first), *between, second]
        rest = [at for at in range(first, len(order)) if at not in turned]
        yield Reversal(first, second, order[second], "", tuple(order[at] for at in (*turned, *rest)))
    # Who could have gone there and then, but was held up by the step that went: its next step may never come.
    for first, point in enumerate(points):
        for rival, does in point.rivals:
            if (first, rival) not in tried:
                later = next((at for at in range(first + 1, len(order)) if order[at] == rival), -1)
                rest = [at for at in range(first, len(order)) if at != later]
                turned_order = (*order[:first], rival, *(order[at] for at in rest))
                yield Reversal(first, later, rival, does, turned_order)


def _races(points: Sequence[Point], trace: Trace) -> tuple[list[tuple[int, int]], list[int]]:
    """Pairs of points that conflict and that nothing else puts in order; and for each point, one bit each, those that
    happened before it.
    """
    at_step = {point.step: index for index, point in enumerate(points)}
    races: list[tuple[int, int]] = []
    pasts: list[int] = []
    known: list[int] = []
    last: dict[str, int] = {}
    for step, record in enumerate(trace.steps):
        past = last.get(record.actor, 0) | (known[record.cause] if record.cause >= 0 else 0)
        index = at_step.get(step)
        if index is not None:
            for earlier in range(index - 1, -1, -1):
                if points[index].conflicts(points[earlier]):
                    if not past >> earlier & 1:
                        races.append((earlier, index))
                    past |= pasts[earlier] | 1 << earlier
            pasts.append(past)
            past |= 1 << index
        known.append(past)
        last[record.actor] = past
    return races, pasts
