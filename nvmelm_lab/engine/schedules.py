"""Schedules without a clock: each answers "who goes next?" in its own way.

All of them are deterministic: the same program under the same schedule takes the same steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nvmelm_lab.engine.streams import stream
from nvmelm_lab.errors import InputError

if TYPE_CHECKING:
    from nvmelm_lab.engine.core import Actor, Engine

NO_CLOCK = -1
"""What `now` says under a schedule that has no clock."""


class RunToBlock:
    """An actor goes on until it must wait; then the one that has been ready longest."""

    def __init__(self) -> None:
        self.now = NO_CLOCK
        self._ready: list[Actor] = []
        self._current: Actor | None = None

    def bind(self, engine: Engine) -> None:
        """Nothing to keep."""

    def offer(self, actor: Actor) -> None:
        """Queue up; the actor that just took a step keeps its turn."""
        if actor is self._current:
            self._ready.insert(0, actor)
        else:
            self._ready.append(actor)

    def next(self) -> Actor | None:
        """The first in the queue."""
        self._current = self._ready.pop(0) if self._ready else None
        return self._current

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """The habit."""
        return 0


class Random:
    """Any ready actor, any option, each as likely as the others, drawn from the seed."""

    def __init__(self, seed: int) -> None:
        self.now = NO_CLOCK
        self._bits = stream(seed, "schedule").getrandbits
        self._ready: list[Actor] = []

    def bind(self, engine: Engine) -> None:
        """Nothing to keep."""

    def offer(self, actor: Actor) -> None:
        """One more to pick from."""
        self._ready.append(actor)

    def next(self) -> Actor | None:
        """One of the ready actors."""
        ready = self._ready
        if not ready:
            return None
        index = self._bits(32) * len(ready) >> 32
        actor = ready[index]
        last = ready.pop()
        if last is not actor:
            ready[index] = last
        return actor

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """One of the options."""
        return self._bits(32) * options >> 32


PATIENCE = 250
"""Steps that an actor takes under `PCT` before all others come first.  No scenario that is searched is so long."""


class PCT:
    """Probabilistic concurrency testing: fixed random priorities, lowered at `depth` - 1 random moments.

    Finds every bug that needs `depth` ordering constraints with a known least probability (Burckhardt et al.,
    "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", 2010).  `length` is the number of
    steps among which the moments are drawn.

    That holds for programs that end.  An actor without an end, such as a guest at work, could keep all below it
    waiting for ever.  So whoever has taken `PATIENCE` steps falls below everybody that is there, and again after
    as many more.  Nobody waits for ever then: all that go before an actor fall below it in turn, and newcomers,
    who may come above it, are made by those.  Runs in which no actor takes so many steps, and with them the
    probability, are as published.

    Raises InputError when `depth` or `length` is less than 1.
    """

    def __init__(self, depth: int, seed: int, length: int = 200) -> None:
        for name, value in (("depth", depth), ("length", length)):
            if value < 1:
                raise InputError(f"PCT cannot have the {name} {value}; give 1 or more")
        self.now = NO_CLOCK
        self._random = stream(seed, "schedule/pct")
        self._moments = {self._random.randrange(length): -1 - n for n in range(depth - 1)}
        self._lowest = -depth
        self._priority: dict[str, int] = {}
        self._steps: dict[str, int] = {}
        self._ready: list[Actor] = []
        self._taken = 0

    def bind(self, engine: Engine) -> None:
        """Nothing to keep."""

    def offer(self, actor: Actor) -> None:
        """Give a newcomer its priority."""
        if actor.name not in self._priority:
            self._priority[actor.name] = self._random.getrandbits(32)
        self._ready.append(actor)

    def next(self) -> Actor | None:
        """The ready actor of the highest priority."""
        if not self._ready:
            return None
        actor = max(self._ready, key=self._rank)
        lowered = self._moments.get(self._taken)
        if lowered is not None:
            self._priority[actor.name] = lowered
            actor = max(self._ready, key=self._rank)
        self._taken += 1
        self._ready.remove(actor)
        steps = self._steps[actor.name] = self._steps.get(actor.name, 0) + 1
        if steps % PATIENCE == 0:
            self._lowest -= 1
            self._priority[actor.name] = self._lowest
        return actor

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """One of the options."""
        return self._random.randrange(options)

    def _rank(self, actor: Actor) -> tuple[int, str]:
        return self._priority[actor.name], actor.name


class Manual:
    """Somebody else picks: name the next actor with `take` and the next option with `prefer`."""

    def __init__(self) -> None:
        self.now = NO_CLOCK
        self.ready: dict[str, Actor] = {}
        self._next: str | None = None
        self._option = 0

    def bind(self, engine: Engine) -> None:
        """Nothing to keep."""

    def offer(self, actor: Actor) -> None:
        """One more to pick from."""
        self.ready[actor.name] = actor

    def choices(self) -> list[Actor]:
        """The actors whose step can happen now, by name."""
        ready = sorted(self.ready.items())
        return [actor for _, actor in ready if not actor.is_blocked and not actor.stopped]

    def take(self, name: str, option: int = 0) -> None:
        """Say who goes next, and which option it gets should its step be a choice.

        Raises InputError when that actor cannot go now.
        """
        if name not in {actor.name for actor in self.choices()}:
            names = ", ".join(repr(actor.name) for actor in self.choices()) or "nobody"
            raise InputError(f"{name!r} cannot take a step now; who can: {names}")
        self._next = name
        self._option = option

    def next(self) -> Actor | None:
        """The actor that was named; None until somebody is."""
        if self._next is None:
            return None
        name, self._next = self._next, None
        return self.ready.pop(name)

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """The option that was preferred."""
        return min(self._option, options - 1)


class Replay:
    """Repeats a recorded order: a list of actor names, and the options that were picked.

    When the recording ends, or where it is silent, the run goes on as `RunToBlock`.
    """

    def __init__(self, names: Sequence[str], options: Sequence[int] = ()) -> None:
        self.now = NO_CLOCK
        self._names = list(names)
        self._options = list(options)
        self._ready: dict[str, Actor] = {}
        self._at = 0
        self._picked = 0
        self._current: str | None = None

    def bind(self, engine: Engine) -> None:
        """Nothing to keep."""

    def offer(self, actor: Actor) -> None:
        """One more that the recording may name."""
        self._ready[actor.name] = actor

    def next(self) -> Actor | None:
        """The actor that the recording names.

        Raises InputError when that actor cannot go: the recording belongs to another program.
        """
        if self._at < len(self._names):
            name = self._names[self._at]
            self._at += 1
            if name not in self._ready:
                able = ", ".join(sorted(self._ready)) or "nobody"
                raise InputError(
                    f"the recording names {name!r} as step {self._at}, but only these can go: {able}"
                )
            self._current = name
            return self._ready.pop(name)
        if not self._ready:
            return None
        name = self._current if self._current in self._ready else next(iter(self._ready))
        self._current = name
        return self._ready.pop(name)

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """The option that the recording holds."""
        if self._picked == len(self._options):
            return 0
        self._picked += 1
        return self._options[self._picked - 1]
