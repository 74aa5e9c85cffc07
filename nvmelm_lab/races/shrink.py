"""Making a counterexample small: first the scenario, then the order of its steps.

An order is the smaller, the fewer of its decisions differ from going on by itself, and then the fewer lines its account
has.  Every order that is tried is run, and is taken only if it breaks the same property.  Nothing here is drawn by
chance: the same failure shrinks to the same counterexample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from nvmelm_lab.engine import Trace
from nvmelm_lab.errors import InputError
from nvmelm_lab.races.account import Account
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.explorer import Explorer, Failure
from nvmelm_lab.races.follow import Run, follow, property_of
from nvmelm_lab.races.scenario import Scenario, World
from nvmelm_lab.races.teller import account

MOST_RUNS = 60
"""Orders that are tried at most for one counterexample."""

MOST_EXECUTIONS = 300
"""Executions of a smaller scenario that are spent on looking whether it fails, too."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An execution that breaks a property: what was run, the decisions at its points of choice, what it broke."""

    case: Case
    order: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class _Tried:
    """An order that was run, and its account."""

    run: Run
    told: Account

    @property
    def size(self) -> tuple[int, int]:
        return self.run.deviations, len(self.told.lines)


def shrink(case: Case, failure: Failure, rungs: Sequence[Scenario] = ()) -> Counterexample:
    """The smallest execution that is found to break the property that `failure` broke.

    rungs
        Smaller scenarios, smallest first: the first in which the property breaks as well is taken.

    Raises InputError when `case` does not fail in that order.
    """
    wanted = property_of(failure.sentence)
    for rung in rungs:
        found = _search(replace(case, scenario=rung), wanted)
        if found is not None:
            case, failure = replace(case, scenario=rung), found
            break
    best = _shorten(case, case.worlds(), failure.order, wanted)
    return Counterexample(case, best.run.order, best.run.sentence)


def _search(case: Case, wanted: str) -> Failure | None:
    """An order in which the case breaks this property, if a short search finds one."""
    explorer = Explorer(case.worlds())
    for _ in range(MOST_EXECUTIONS):
        is_over = explorer.advance(1)
        for sentence, failure in explorer.found.failures.items():
            if property_of(sentence) == wanted:
                return failure
        if is_over:
            break
    return None


def _try(build: Callable[[], World], order: Sequence[str]) -> _Tried:
    trace = Trace()
    run = follow(build, order, trace)
    return _Tried(run, account(trace, run.points))


def _shorten(case: Case, build: Callable[[], World], order: Sequence[str], wanted: str) -> _Tried:
    best = _try(build, order)
    if property_of(best.run.sentence) != wanted:
        raise InputError(
            f"this order does not break {wanted!r} in the scenario {case.scenario.name!r}: give one that does"
        )
    seen = {best.run.order}
    is_better = True
    runs = 0
    while is_better:
        is_better = False
        for order in _smaller(best):
            if order in seen:
                continue
            if runs == MOST_RUNS:
                return best
            runs += 1
            run = follow(build, order)
            seen |= {order, run.order}
            if property_of(run.sentence) != wanted or run.deviations > best.run.deviations:
                continue
            tried = _try(build, run.order)
            if tried.size < best.size:
                best, is_better = tried, True
                break
    return best


def _smaller(best: _Tried) -> Iterator[tuple[str, ...]]:
    """Orders that may be smaller: the largest steps first."""
    order, points = best.run.order, best.run.points
    yield ()
    at = [index for index, point in enumerate(points) if point.decision != point.usual]
    # Go on by itself from one of the deviations on.
    for place in (len(at) // 2, len(at) - 1):
        if 0 <= place < len(at):
            yield order[: at[place]]
    blocks = [line.points for line in best.told.lines if line.points]
    errands = [line.errand for line in best.told.lines if line.points]
    # Bring together what serves one errand.
    for later in range(len(blocks) - 1, 0, -1):
        earlier = next((each for each in range(later - 1, -1, -1) if errands[each] == errands[later]), -1)
        if 0 <= earlier < later - 1:
            yield _moved(order, blocks, later, earlier + 1)
            yield _moved(order, blocks, earlier, later)
    # Let go on who was interrupted.
    for index in reversed(at):
        usual = points[index].usual
        later_on = [place for place in range(index, len(order)) if order[place] == usual]
        rest = [decision for place, decision in enumerate(order) if place >= index and place not in later_on]
        yield (*order[:index], *(order[place] for place in later_on), *rest)
        yield (*order[:index], *(order[place] for place in later_on[:1]), *_without(order[index:], usual))


def _moved(
    order: Sequence[str], blocks: Sequence[tuple[int, ...]], which: int, before: int
) -> tuple[str, ...]:
    """The order with one block moved to stand before another."""
    rest = [block for at, block in enumerate(blocks) if at != which]
    place = before - (which < before)
    moved = [*rest[:place], blocks[which], *rest[place:]]
    return tuple(order[point] for block in moved for point in block)


def _without(decisions: Sequence[str], one: str) -> list[str]:
    left = list(decisions)
    if one in left:
        left.remove(one)
    return left
