"""Running an order again, as it was or changed a little: whoever is named goes as soon as it can.

A shortened or reversed order is no order of a run: some of what it names never comes about, and other things do.  So it
is followed as far as it goes, and where it says nothing whoever went last goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvmelm_lab.engine import RunToBlock, Trace
from nvmelm_lab.races.walk import Walk, keeps_on

if TYPE_CHECKING:
    from nvmelm_lab.engine import Actor
    from nvmelm_lab.engine.cells import Key
    from nvmelm_lab.races.scenario import World


@dataclass(frozen=True, slots=True)
class Point:
    """A point of choice as a run met it.

    decision, usual
        What was decided, and what would have been by going on.
    others
        What else could have been decided.
    rivals
        Those of `others` whose order with this decision can matter, at this very point, each with what it would do.
    step
        Number of the step in the run's trace.
    reads, writes
        The cells that the step touches.
    """

    decision: str
    usual: str
    others: tuple[str, ...]
    rivals: tuple[tuple[str, str], ...]
    step: int
    reads: frozenset[Key]
    writes: frozenset[Key]

    def conflicts(self, other: Point) -> bool:
        """Whether the order of the two can matter."""
        return _clash((self.reads, self.writes), (other.reads, other.writes))


class Follow:
    """A pick of a `Walk`: of what `order` names and was not decided yet, the first that can be.

    points
        Those met so far.
    """

    def __init__(self, order: Sequence[str], *, notes_rivals: bool = False) -> None:
        self.points: list[Point] = []
        self._notes_rivals = notes_rivals
        self._left = list(order)

    def __call__(self, able: Mapping[str, Actor], last: str) -> str:
        """The decision at this point."""
        usual = keeps_on(able, last)
        decision = next((each for each in self._left if each in able), usual)
        if decision in self._left:
            self._left.remove(decision)
        actor = able[decision]
        reads, writes = _touched(actor)
        others = tuple(each for each in able if each != decision)
        rivals = tuple((each, _does(able[each])) for each in others if self._is_rival(able[each], actor))
        step = actor.engine.step_index + 1
        self.points.append(Point(decision, usual, others, rivals, step, reads, writes))
        return decision

    def _is_rival(self, other: Actor, actor: Actor) -> bool:
        return self._notes_rivals and other is not actor and _clash(_touched(actor), _touched(other))


def _does(actor: Actor) -> str:
    return actor.kind.describe(actor.subject)


Footprint = tuple[frozenset["Key"], frozenset["Key"]]


def _touched(actor: Actor) -> Footprint:
    kind = actor.kind
    reads, writes = kind.touches(actor.subject) if kind.touches is not None else ((), ())
    return frozenset(reads if kind.gate is None else (*reads, kind.gate.key)), frozenset(writes)


def _clash(one: Footprint, other: Footprint) -> bool:
    return bool(one[1] & (other[0] | other[1]) or one[0] & other[1])


@dataclass(frozen=True, slots=True)
class Run:
    """One execution that is over.

    sentence
        What it broke; "" for nothing.
    """

    points: tuple[Point, ...]
    sentence: str

    @property
    def order(self) -> tuple[str, ...]:
        """The decisions that were taken."""
        return tuple(point.decision for point in self.points)

    @property
    def deviations(self) -> int:
        """Points at which somebody else went than whoever goes on by itself."""
        return sum(point.decision != point.usual for point in self.points)


def follow(build: Callable[[], World], order: Sequence[str], trace: Trace | None = None) -> Run:
    """Run what `build` sets up in `order` as far as it goes, and judge.  Rivals are noted in a run with a trace."""
    world = build()
    pick = Follow(order, notes_rivals=trace is not None)
    world.begin(Walk(pick=pick), trace=trace)
    world.engine.run()
    world.engine.use(RunToBlock())
    return Run(tuple(pick.points), world.verdict())


def property_of(sentence: str) -> str:
    """What a verdict's sentence says was broken: ``no write lost``, ``guest never ends``."""
    return sentence.partition(":")[0]
