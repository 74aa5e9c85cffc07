"""A walk: one execution of a scenario, led from one point of choice to the next.

A *point of choice* is where more than one order matters: whoever is about to touch shared cells, or to ask for a
choice, waits there to be named.  Local steps, which nobody else can tell of, go at once.  The explorer, replays, the
shortening of counterexamples and the learner as scheduler all mean this by a point, so an order of one of them is an
order of all.

A *decision* is the name of an actor; if its step is a choice, the number of the option follows: ``"Y 3?1"``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from nvmelm_lab.engine.schedules import NO_CLOCK
from nvmelm_lab.engine.step import CHOOSE
from nvmelm_lab.errors import InputError

if TYPE_CHECKING:
    from nvmelm_lab.engine import Actor, Engine

Pick = Callable[[Mapping[str, "Actor"], str], str]
"""Names one of the decisions that can be taken, given the one that was taken last."""

MARK = "?"
"""Stands between the name of an actor and the number of its option."""


def options_of(actor: Actor) -> int:
    """How many options the pending step of `actor` has; 0 if it is no choice."""
    if not actor.kind.asks:
        return 0
    return len(actor.subject[1]) if actor.kind is CHOOSE else 2


def actor_of(decision: str) -> str:
    """The name of the actor whose decision that is."""
    return decision.rpartition(MARK)[0] or decision


def is_local(actor: Actor) -> bool:
    """Whether nobody can tell when the pending step of `actor` happens."""
    kind = actor.kind
    if kind.gate is not None or kind.asks:
        return False
    return kind.touches is None or kind.touches(actor.subject) == ((), ())


def keeps_on(able: Mapping[str, Actor], last: str) -> str:
    """Whoever went last goes on as long as it can: few switches, so a story that is easy to follow."""
    return last if last in able else next(iter(able))


class Walk:
    """Takes the decisions of `order`, then goes on by itself, or, unless it `goes_on`, stops until `take` names one.

    pick
        How it goes on by itself.

    taken
        Decisions taken so far.
    """

    def __init__(self, order: Sequence[str] = (), *, goes_on: bool = True, pick: Pick = keeps_on) -> None:
        self.now = NO_CLOCK
        self.taken: list[str] = []
        self._wanted = list(order)
        self._goes_on = goes_on
        self._pick = pick
        self._waiting: dict[str, Actor] = {}
        self._option = 0

    def bind(self, engine: Engine) -> None:
        """Nothing to keep."""

    def offer(self, actor: Actor) -> None:
        """One more that waits."""
        if not actor.stopped:
            self._waiting[actor.name] = actor

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """The option that was decided."""
        return self._option

    def next(self) -> Actor | None:
        """A local step if there is one, else who was decided on; None when nobody was, or nobody can go."""
        for name, actor in list(self._waiting.items()):
            if actor.stopped:
                del self._waiting[name]
            elif is_local(actor):
                return self._waiting.pop(name)
        able = self.choices()
        if not able:
            return None
        if self._wanted:
            return self._take(self._wanted.pop(0), able)
        if not self._goes_on:
            return None
        last = self.taken[-1] if self.taken else ""
        return self._take(self._pick(able, last), able)

    def choices(self) -> dict[str, Actor]:
        """The decisions that can be taken at this point, by name; local steps have been performed."""
        found: dict[str, Actor] = {}
        for name, actor in sorted(self._waiting.items()):
            if actor.is_blocked or actor.stopped:
                continue
            options = options_of(actor)
            for option in range(options):
                found[f"{name}{MARK}{option}"] = actor
            if not options:
                found[name] = actor
        return found

    def held(self) -> list[Actor]:
        """Who waits for a gate to open."""
        return [actor for _, actor in sorted(self._waiting.items()) if actor.is_blocked and not actor.stopped]

    def take(self, decision: str) -> None:
        """Decide; `Engine.advance` then goes on to the next point.  InputError where that cannot be decided."""
        able = self.choices()
        if decision not in able:
            raise _cannot(decision, able)
        self._wanted.append(decision)

    def _take(self, decision: str, able: dict[str, Actor]) -> Actor:
        if decision not in able:
            raise _cannot(decision, able)
        actor = able[decision]
        _, mark, option = decision.rpartition(MARK)
        self._option = int(option) if mark else 0
        self.taken.append(decision)
        return self._waiting.pop(actor.name)


def _cannot(decision: str, able: dict[str, Actor]) -> InputError:
    names = ", ".join(repr(each) for each in able) or "nobody"
    return InputError(f"{decision!r} cannot go now; who can: {names}")
