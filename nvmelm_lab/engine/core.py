"""The engine: actors, the loop that performs the step that the schedule picks, and who is told of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from nvmelm_lab.engine.cells import Recorder
from nvmelm_lab.engine.step import CHOOSE, WAIT, Kind, Life, Signal
from nvmelm_lab.engine.trace import Trace
from nvmelm_lab.errors import KitError

Effect = tuple[Any, ...]
"""What a step did, for observers and the trace: a word, then plain values.  The engine only passes it on."""


class Actor:
    """A coroutine under the engine.

    name
        Stable under reordering: derived from the parent and the child's number or command, never from a
        global count.
    kind, subject
        The step that it is about to take.
    again
        Makes its coroutine anew, where it may have to begin once more; None for all others.
    has_ended
        Whether it has ended; `result` or `error` then says how.
    """

    __slots__ = (
        "_done",
        "again",
        "cause",
        "children",
        "coroutine",
        "engine",
        "error",
        "has_ended",
        "kind",
        "name",
        "result",
        "stopped",
        "subject",
        "watched",
    )

    def __init__(
        self, engine: Engine, name: str, coroutine: Coroutine[Any, Any, Any] | Life, cause: int
    ) -> None:
        self.engine = engine
        self.name = name
        self.coroutine = coroutine
        self.kind: Kind = WAIT
        self.subject: Any = None
        self.has_ended = False
        self._done: Signal | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self.children = 0
        self.cause = cause
        self.again: Callable[[], Coroutine[Any, Any, Any] | Life] | None = None
        self.watched = False
        self.stopped = False

    @property
    def done(self) -> Signal:
        """Signal: it has ended.  Made when somebody first asks, for most actors are a command that nobody joins."""
        if self._done is None:
            self._done = Signal(self.engine, self.name)
            self._done.level = int(self.has_ended)
        return self._done

    def end(self) -> None:
        """It has ended.  Who records or traces wants to know by which step, whoever asks later."""
        if self._done is not None or self.engine.watched:
            self.done.set()
        self.has_ended = True

    def __lt__(self, other: Actor) -> bool:
        """For heaps that sort by time and name: two of one name are alike, as one of them was stopped."""
        return False

    @property
    def is_blocked(self) -> bool:
        """Whether its pending step cannot happen now."""
        if self.kind is WAIT:
            signal, level = self.subject
            return bool(signal.level < level)
        gate = self.kind.gate
        return gate is not None and not gate.is_open

    async def join(self) -> Any:
        """Wait until it has ended; gives its result, or raises what ended it."""
        self.watched = True
        await self.done.wait()
        if self.error is not None:
            raise self.error
        return self.result

    def __repr__(self) -> str:
        return f"<Actor {self.name}: {self.kind.describe(self.subject)}>"


class Schedule(Protocol):
    """Who goes next.  An actor is *offered* when its next step may happen; `next` takes one out."""

    now: int

    def bind(self, engine: Engine) -> None:
        """The engine that this schedule serves; called once."""

    def offer(self, actor: Actor) -> None:
        """The pending step of `actor` may happen."""

    def next(self) -> Actor | None:
        """The actor whose step happens now; None when nobody can go on."""

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """The number of the option that `actor` gets."""


class Engine:
    """Runs actors step by step in the order that `schedule` picks.

    recorder
        With one, state records what each step touches, for explorers and audits.
    trace
        With one, every step is written down.
    stops
        Actors stopped so far.
    telling
        Whether effects that come with every I/O are emitted, and not only the rare ones.
    wake(actor)
        What a signal calls for each actor whose wait it ended.  Under a recorder the schedule says when that actor
        goes on; without one it goes on as soon as the step that woke it is done, in the order of waking.
    """

    def __init__(
        self, schedule: Schedule, *, recorder: Recorder | None = None, trace: Trace | None = None
    ) -> None:
        self.actors: dict[str, Actor] = {}
        self.effects: list[Effect] = []
        self.observers: dict[str, list[Callable[[Effect], None]]] = {}
        self._listening = False
        self.stops = 0
        self.failure: BaseException | None = None
        self._woken: deque[Actor] = deque()
        self._follow(schedule, recorder, trace)

    def use(
        self, schedule: Schedule, *, recorder: Recorder | None = None, trace: Trace | None = None
    ) -> None:
        """Go on under another schedule, counting steps from 0 again; nobody may be about to take a step.

        Raises KitError when somebody is.
        """
        ready = [actor.name for actor in self.actors.values() if not actor.is_blocked]
        if ready:
            raise KitError(f"the schedule cannot change while {', '.join(ready)} can go on")
        for actor in self.actors.values():
            actor.cause = -1
        self._follow(schedule, recorder, trace)

    def _follow(self, schedule: Schedule, recorder: Recorder | None, trace: Trace | None) -> None:
        self.schedule = schedule
        self.recorder = recorder
        self.trace = trace
        self.tracing = trace is not None
        self.telling = self.tracing or self._listening
        self.watched = trace is not None or recorder is not None
        self.wake: Callable[[Actor], None] = self._woken.append if recorder is None else schedule.offer
        self.step_index = -1
        schedule.bind(self)

    @property
    def now(self) -> int:
        """Virtual time in ns; stands still under schedules without a clock."""
        return self.schedule.now

    def spawn(
        self,
        name: str,
        coroutine: Coroutine[Any, Any, Any] | Life,
        *,
        parent: Actor | None = None,
        watched: bool = False,
    ) -> Actor:
        """Start an actor; its first step is pending when this returns.

        With a `parent` the name becomes ``parent.n`` followed by `name`, n being the parent's count of
        children.  Of one that is `watched` somebody looks at what it raises; else the run ends with that.

        Raises KitError when an actor of that name is still alive.
        """
        if parent is not None:
            parent.children += 1
            name = f"{parent.name}.{parent.children} {name}".rstrip()
        if name in self.actors:
            raise KitError(f"two actors are called {name!r}; every actor needs a name of its own")
        actor = Actor(self, name, coroutine, self.step_index)
        actor.watched = watched
        self.actors[name] = actor
        self._continue(actor, None)
        return actor

    def stop(self, name: str) -> None:
        """End an actor where it stands, as a reset ends what it resets; one that has ended is left alone."""
        actor = self.actors.get(name)
        if actor is None:
            return
        self.stops += 1
        actor.stopped = True
        actor.coroutine.close()
        self._end(actor)

    def emit(self, effect: Effect) -> None:
        """Tell observers and the trace what the current step did."""
        for observer in self.observers.get(effect[0], ()):
            observer(effect)
        if self.tracing:
            self.effects.append(effect)

    def observe(self, word: str, observer: Callable[[Effect], None], *, frequent: bool = False) -> None:
        """Call `observer` with each effect that begins with `word`.

        What happens with every I/O is told of only while a trace is written, or to observers that say `frequent`.
        """
        self.observers.setdefault(word, []).append(observer)
        self._listening |= frequent
        self.telling = self.tracing or self._listening

    def advance(self, budget: int, until: Actor | None = None) -> bool:
        """Perform up to `budget` steps.  True: the run is over (`until` has ended, or nobody can go on).

        Raises what an actor raised when nobody joins that actor.
        """
        next_actor, proceed, woken = self.schedule.next, self._continue, self._woken
        if woken:
            self._end_waits()
        for _ in range(budget):
            if until is not None and until.has_ended:
                return True
            actor = next_actor()
            if actor is None:
                return True
            kind = actor.kind
            gate = kind.gate
            if actor.stopped:
                continue
            if gate is not None and not gate.is_open:
                # It is offered again when the gate opens.
                gate.waiters.append(actor)
                continue
            self.step_index += 1
            if self.tracing or kind.asks or self.recorder is not None:
                result = self._act_watched(actor, kind, actor.subject)
            else:
                act = kind.act
                result = act(actor.subject)
            proceed(actor, result)
            if woken:
                self._end_waits()
            if self.failure is not None:
                raise self.failure
        return until is not None and until.has_ended

    def run(self, until: Actor | None = None) -> None:
        """Perform steps until `until` has ended, or until nobody can go on."""
        while not self.advance(1 << 16, until):
            pass

    def blocked(self) -> list[str]:
        """Who waits for what, one sentence an actor; the answer to "why does nothing happen?"."""
        return [
            f"{actor.name} {actor.kind.describe(actor.subject)}"
            + ("" if actor.kind.gate is None else f" (held back by the gate {actor.kind.gate.name})")
            for actor in self.actors.values()
            if actor.is_blocked
        ]

    def _end_waits(self) -> None:
        """Let go on who waited for a level that is reached by now; that may end more waits."""
        woken = self._woken
        while woken:
            actor = woken.popleft()
            if not actor.stopped:
                self.step_index += 1
                if self.tracing:
                    self._act_watched(actor, WAIT, actor.subject)
                self._continue(actor, None)

    def _act_watched(self, actor: Actor, kind: Kind, subject: Any) -> Any:
        """Perform a step of which the accesses are recorded, or which is written down."""
        recorder = self.recorder
        if recorder is not None:
            recorder.clear()
            if kind.gate is not None:
                recorder.reads.add(kind.gate.key)
        label = kind.describe(subject) if self.tracing else ""
        result = self._ask(actor, kind, subject) if kind.asks else kind.act(subject)
        if self.tracing:
            if kind is CHOOSE:
                label = f"chooses {subject[0]}: {subject[1][result]}"
            self._write_down(actor, kind, subject, label)
        return result

    def _write_down(self, actor: Actor, kind: Kind, subject: Any, label: str) -> None:
        assert self.trace is not None
        cause = actor.cause
        actor.cause = -1
        if kind is WAIT:
            signal, level = subject
            cause = signal.raised_by[level - 1] if 0 < level <= len(signal.raised_by) else -1
            actor.cause = cause
        elif kind.hidden:
            actor.cause = cause
        effects, self.effects = tuple(self.effects), []
        self.trace.add(self.now, actor.name, kind.name, label, cause, effects, kind.hidden)

    def _ask(self, actor: Actor, kind: Kind, subject: Any) -> int:
        """The schedule's answer to a choice, or to the question whether a time has passed."""
        schedule = self.schedule
        if kind is CHOOSE:
            return schedule.choose(actor, subject[0], len(subject[1]))
        if schedule.now >= 0:
            return int(schedule.now >= subject)
        return schedule.choose(actor, "deadline passed", 2)

    def _continue(self, actor: Actor, result: Any) -> None:
        """Let the actor run to its next step and park or offer it."""
        try:
            kind, subject = actor.coroutine.send(result)
        except StopIteration as stop:
            actor.result = stop.value
            self._end(actor)
            return
        except Exception as error:
            if actor.stopped:
                # By its own step: there is nobody left to go on.
                return
            actor.error = error
            if not actor.watched:
                self.failure = error
            self._end(actor)
            return
        actor.kind = kind
        actor.subject = subject
        if kind is WAIT:
            signal, level = subject
            if signal.level < level:
                signal.waiters.append((level, actor))
            else:
                self.wake(actor)
            return
        # A step behind a closed gate is offered all the same: a gate may open or close before its turn comes.
        self.schedule.offer(actor)

    def _end(self, actor: Actor) -> None:
        del self.actors[actor.name]
        actor.end()
