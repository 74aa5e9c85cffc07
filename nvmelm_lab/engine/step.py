"""The vocabulary of a run: steps, signals, gates, resources.

A *step* is a pair ``(kind, subject)``: the kind says what happens, what it touches and what it costs; the
subject says to whom.  An actor performs one with ``await do(kind, subject)``; it runs atomically, at a moment
that the schedule picks.  Between two awaits an actor may touch nothing but its own variables.

Kinds are made once (per controller, per queue pair), so that a step costs one small tuple: labels, footprints
and costs are asked of the kind only by those who want to know them.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from nvmelm_lab.engine.cells import Key, Touches

if TYPE_CHECKING:
    from nvmelm_lab.engine.core import Actor, Engine

T = TypeVar("T")


class Resource:
    """Something that serves one step at a time, first come first served: a flash channel, a link.

    `free_at` is the virtual time (ns) from which it is idle; only the schedule `Timed` reads or moves it.
    """

    __slots__ = ("free_at", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.free_at = 0


Use = tuple[Resource, int, int]
"""A resource, for how long a step holds it, and how long after that the step acts (ns)."""


class Kind:
    """What a step does.  Made once, used for every step of its sort.

    name
        A word for displays and traces, such as ``"execute"``.
    act(subject)
        The step's effect; its return value is what the ``await`` gives.
    touches(subject)
        The shared cells that `act` is about to touch.  None: none at all, the step is *local*.
    gate
        The step can happen only while this gate is open.
    takes
        Virtual time of the step in ns, when it uses no resource.
    uses(subject)
        ``(resource, busy_ns, latency_ns)``: the resource is held for `busy_ns`; the step acts `latency_ns`
        later.  Overrides `takes`.
    shares(subject)
        For a step that needs several resources at once: the same for each of them.  It acts `takes` after the last.
    label(subject)
        A sentence fragment for people, built only when somebody looks.
    hidden
        True for steps that displays fold away (waits).
    asks
        True for steps that do nothing but ask the schedule: choices, and the clock.
    """

    __slots__ = ("act", "asks", "gate", "hidden", "label", "name", "shares", "takes", "touches", "uses")

    def __init__(
        self,
        name: str,
        act: Callable[[Any], Any],
        *,
        touches: Callable[[Any], Touches] | None = None,
        gate: Gate | None = None,
        takes: int = 0,
        uses: Callable[[Any], Use] | None = None,
        shares: Callable[[Any], Iterable[Use]] | None = None,
        label: Callable[[Any], str] | None = None,
        hidden: bool = False,
        asks: bool = False,
    ) -> None:
        self.name = name
        self.act = act
        self.touches = touches
        self.gate = gate
        self.takes = takes
        self.uses = uses
        self.shares = shares
        self.label = label
        self.hidden = hidden
        self.asks = asks

    def describe(self, subject: Any) -> str:
        """The step in words."""
        return self.label(subject) if self.label is not None else self.name


Step = tuple[Kind, Any]

Life = Generator[Step, Any, Any]
"""A coroutine written as a generator that yields its steps.  Only actors that take steps for every I/O are written
so: awaiting `do` makes one frame more for each step, and a step is a sixth dearer for it."""


@types.coroutine
def do(kind: Kind, subject: Any = None) -> Generator[Step, Any, Any]:
    """Perform one step and give what its action returned."""
    return (yield kind, subject)


def _nothing(_subject: Any) -> None:
    return None


WAIT = Kind("wait", _nothing, label=lambda wanted: f"waits for {wanted[0].name}", hidden=True)
"""Wait until a signal has reached a level: subject is ``(signal, level)``.

A step of the schedule only for who records accesses; otherwise a wait is over as soon as its level is reached."""

UNTIL = Kind("until", _nothing, label=lambda at: f"idles until {at} ns", hidden=True)
"""Let virtual time pass: subject is the time in ns.  Under schedules without a clock it just happens."""

CHOOSE = Kind("choose", _nothing, label=lambda choice: f"chooses {choice[0]}", asks=True)
"""Let the schedule pick: subject is ``(name, options)``."""

PASSED = Kind("clock", _nothing, label=lambda at: f"reads the clock: is it past {at} ns?", asks=True)
"""Read the clock: subject is a deadline in ns; gives True when it has passed."""


@types.coroutine
def until(at_ns: int) -> Generator[Step, Any, None]:
    """Idle until the virtual time `at_ns`."""
    yield UNTIL, at_ns


@types.coroutine
def choose(name: str, options: tuple[T, ...]) -> Generator[Step, Any, T]:
    """One of `options`, picked by the schedule.  The first option is the habit that `Timed` follows."""
    picked: int = yield CHOOSE, (name, options)
    return options[picked]


@types.coroutine
def passed(deadline_ns: int) -> Generator[Step, Any, bool]:
    """Whether the virtual time `deadline_ns` has passed.  Schedules without a clock answer by a choice."""
    return bool((yield PASSED, deadline_ns))


class Signal:
    """A level that only rises.  Raising it never races with anything; waiting for it orders two actors.

    A one-shot signal is one that is raised to 1.  A doorbell's signal counts the entries made visible.
    """

    __slots__ = ("engine", "level", "name", "raised_by", "waiters")

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self.level = 0
        self.waiters: list[tuple[int, Actor]] = []
        # Index of the step that raised the level to n+1, for happens-before edges and cause arrows; kept only
        # while somebody looks, for a long run has many.
        self.raised_by: list[int] = []

    def raise_to(self, level: int) -> None:
        """Raise the level to `level` (never lowers it) and wake whoever waits for it."""
        if level > self.level:
            self.level = level
            if self.waiters or self.engine.watched:
                self._tell()

    def count(self) -> None:
        """Raise the level by one: one more of what it counts."""
        self.level += 1
        if self.waiters or self.engine.watched:
            self._tell()

    def _tell(self) -> None:
        """The level has risen: note by which step if somebody looks, and wake who waited for it."""
        level, engine, wake = self.level, self.engine, self.engine.wake
        if engine.watched:
            self.raised_by.extend([engine.step_index] * (level - len(self.raised_by)))
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            if waiter[0] <= level:
                wake(waiter[1])
            else:
                self.waiters.append(waiter)

    def set(self) -> None:
        """Raise a one-shot signal."""
        self.raise_to(1)

    @types.coroutine
    def wait(self, level: int = 1) -> Generator[Step, Any, None]:
        """Wait until the level is at least `level`."""
        yield WAIT, (self, level)


class Gate:
    """Steps of a gated kind happen only while the gate is open.  Closing it is a race with each of them."""

    __slots__ = ("engine", "is_open", "key", "moved_by", "name", "waiters")

    def __init__(self, engine: Engine, name: str, *, is_open: bool = True) -> None:
        self.engine = engine
        self.name = name
        self.key: Key = ("gate", name)
        self.is_open = is_open
        self.moved_by = -1
        self.waiters: list[Actor] = []

    def close(self) -> None:
        """Hold back every gated step from now on."""
        self._move(False)

    def open(self) -> None:
        """Let the gated steps go on."""
        self._move(True)
        waiters, self.waiters = self.waiters, []
        for actor in waiters:
            self.engine.schedule.offer(actor)

    def _move(self, is_open: bool) -> None:
        recorder = self.engine.recorder
        if recorder is not None:
            recorder.writes.add(self.key)
            recorder.gates.add(self.key)
            # Opening what is open lets nobody go who had to wait.
            if is_open and not self.is_open:
                recorder.opened.add(self.key)
        self.is_open = is_open
        self.moved_by = self.engine.step_index
