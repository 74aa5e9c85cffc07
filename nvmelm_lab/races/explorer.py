"""The explorer: runs a scenario under every order of steps that can make a difference.

Stateless: each execution starts from the beginning.  Between two executions only the *path* is kept: for each
point where more than one actor could go, who could, who went, who still has to be tried.

Two reductions.  *Sleep sets* (Godefroid, 1996) skip an order that only swaps independent steps of one already
seen.  *Source-DPOR* (Abdulla, Aronis, Jonsson, Sagonas, "Optimal dynamic partial order reduction", 2014) moreover
tries only those actors whose going first reverses a race that was seen.

House rules:

1. A *local* step (one that touches no shared cell) runs at once, without a point of choice.  Nobody can tell when
   it happened but through a signal, and signals only rise.
2. Races are looked for among the other steps, the *events*.  An event happens before another if they are of one
   actor, if they conflict, or if a signal or a spawn leads from the one to the other.  The set of events that
   happened before a point is one integer, a bit an event.
3. A step held back by a closed gate races with the closing, at the moment when it is held back; the opening of a
   gate races with nobody, for whoever waited could not have gone before.
4. A step that stops other actors (a reset) races with the next step of each, there and then.
5. What a step declares to touch must cover what it did touch, and what it stops; a KitError names the step
   otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nvmelm_lab.engine import Recorder, RunToBlock
from nvmelm_lab.engine.schedules import NO_CLOCK
from nvmelm_lab.engine.step import WAIT
from nvmelm_lab.errors import KitError

if TYPE_CHECKING:
    from nvmelm_lab.engine import Actor, Engine, Signal
    from nvmelm_lab.engine.cells import Key
    from nvmelm_lab.races.scenario import World

Footprint = tuple[int, int]
"""Cells read and cells written, one bit a cell."""


def conflict(one: Footprint, other: Footprint) -> bool:
    """Whether the order of two steps can matter."""
    return bool(one[1] & (other[0] | other[1]) or one[0] & other[1])


@dataclass(slots=True)
class Node:
    """A point of the path where an event is chosen.

    enabled
        Who could go, with what it would touch.
    sleep
        Who need not go first here: an order with it first was seen elsewhere.
    backtrack, done
        Who has to be tried, who has been.
    """

    enabled: dict[str, Footprint]
    sleep: dict[str, Footprint]
    backtrack: set[str]
    chosen: str
    done: dict[str, Footprint] = field(default_factory=dict)


@dataclass(slots=True)
class Event:
    """An event of the current execution: whose, what it touched, what happened before it, the gates it opened."""

    actor: str
    footprint: Footprint
    past: int
    opened: int


@dataclass(frozen=True, slots=True)
class Failure:
    """An execution that broke a promise: the sentence, and the order of actors at the points of choice."""

    sentence: str
    order: tuple[str, ...]


@dataclass(slots=True)
class Found:
    """What a search has seen so far.

    executions, redundant
        Executions that ran to their end, and those given up because all that could go was asleep.
    steps
        Steps taken, local ones included.
    finals
        Different outcomes, as the scenario's observer tells them.
    """

    executions: int = 0
    redundant: int = 0
    steps: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)
    finals: set[Any] = field(default_factory=set)


class Bits(dict["Key", int]):
    """Gives each cell a bit when it is first asked for."""

    def __missing__(self, key: Key) -> int:
        bit = self[key] = 1 << len(self)
        return bit


class Explorer:
    """Explores the worlds that `build` makes.

    reduction
        ``"source-dpor"`` or ``"sleep sets"``.
    observe
        Gives a hashable value of a world at its end, to compare searches by; None: the verdict alone.
    """

    def __init__(
        self,
        build: Callable[[], World],
        *,
        reduction: str = "source-dpor",
        observe: Callable[[World], Any] | None = None,
    ) -> None:
        self.build = build
        self.all_enabled = reduction == "sleep sets"
        self.observe = observe
        self.found = Found()
        self.is_over = False
        self.bits: dict[Key, int] = Bits()
        self._path: list[Node] = []

    def advance(self, budget: int) -> bool:
        """Run up to `budget` executions; True when every order that matters has been seen."""
        for _ in range(budget):
            if self.is_over:
                return True
            self._execute()
        return self.is_over

    def run(self) -> Found:
        """Explore to the end."""
        while not self.advance(1024):
            pass
        return self.found

    def _execute(self) -> None:
        world = self.build()
        guide = Guide(self, self._path)
        recorder = Recorder()
        world.begin(guide, recorder)
        engine = world.engine
        engine.run()
        guide.settle()
        self.found.steps += engine.step_index + 1
        if guide.asleep:
            self.found.redundant += 1
        else:
            self.found.executions += 1
            self._judge(world)
        self._backtrack()

    def _judge(self, world: World) -> None:
        world.engine.use(RunToBlock())
        sentence = world.verdict()
        if sentence and sentence not in self.found.failures:
            order = tuple(node.chosen for node in self._path)
            self.found.failures[sentence] = Failure(sentence, order)
        self.found.finals.add(sentence if self.observe is None else (sentence, self.observe(world)))

    def _backtrack(self) -> None:
        """Turn to the deepest point where somebody else has to be tried."""
        path = self._path
        while path:
            node = path[-1]
            node.done[node.chosen] = node.enabled[node.chosen]
            left = sorted(node.backtrack - node.done.keys() - node.sleep.keys())
            if left:
                node.chosen = left[0]
                return
            path.pop()
        self.is_over = True


class Guide:
    """The schedule of one execution: follows the path, then extends it, and looks for races on the way."""

    def __init__(self, explorer: Explorer, path: list[Node]) -> None:
        self.now = NO_CLOCK
        self.asleep = False
        self._bits = explorer.bits
        self._all_enabled = explorer.all_enabled
        self._path = path
        # Races among events before this one were looked at when they first happened.
        self._fresh = len(path) - 1
        self._local: list[Actor] = []
        self._shared: dict[str, Actor] = {}
        self._events: list[Event] = []
        self._past: dict[Actor, int] = {}
        self._past_of_step: list[int] = []
        self._gate_movers: dict[Key, int] = {}
        self._held: set[tuple[Actor, int]] = set()
        self._performing: tuple[Actor, Footprint | None, tuple[Signal, int] | None] | None = None

    def bind(self, engine: Engine) -> None:
        """Remember whom to serve."""
        self._engine = engine

    def offer(self, actor: Actor) -> None:
        """Local steps go at once; the others wait for a choice.  A signal may offer who was stopped meanwhile."""
        kind = actor.kind
        if actor.stopped:
            return
        if kind.touches is None and kind.gate is None:
            self._local.append(actor)
        else:
            self._shared[actor.name] = actor

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """Choices in place follow the habit here."""
        return 0

    def next(self) -> Actor | None:
        """Whoever goes next: a local step if there is one, else what the path says, else somebody new."""
        self.settle()
        while self._local:
            actor = self._local.pop()
            if not actor.stopped:
                return self._perform_local(actor)
        return self._next_event()

    def _perform_local(self, actor: Actor) -> Actor:
        self._performing = (actor, None, actor.subject if actor.kind is WAIT else None)
        return actor

    # -- choosing an event ---------------------------------------------------------------------------------

    def _next_event(self) -> Actor | None:
        enabled: dict[str, Footprint] = {}
        for name, actor in sorted(self._shared.items()):
            if actor.is_blocked:
                self._note_held(actor)
                continue
            footprint = self._footprint(actor)
            if footprint == (0, 0):
                del self._shared[name]
                return self._perform_local(actor)
            enabled[name] = footprint
        if not enabled:
            return None
        depth = len(self._events)
        if depth == len(self._path) and not self._extend(enabled):
            return None
        node = self._path[depth]
        if node.enabled != enabled:
            raise KitError(
                f"an execution went another way than before: {sorted(enabled)}, not {sorted(node.enabled)}"
            )
        actor = self._shared.pop(node.chosen)
        self._performing = (actor, enabled[node.chosen], None)
        return actor

    def _extend(self, enabled: dict[str, Footprint]) -> bool:
        """Add a point to the path; False when whoever could go is asleep."""
        sleep: dict[str, Footprint] = {}
        last = ""
        if self._path:
            parent = self._path[-1]
            last = parent.chosen
            moved = parent.enabled[last]
            for name, footprint in (*parent.sleep.items(), *parent.done.items()):
                if name != last and not conflict(footprint, moved):
                    sleep[name] = footprint
        awake = [name for name in enabled if name not in sleep]
        if not awake:
            self.asleep = True
            return False
        chosen = last if last in awake else awake[0]
        backtrack = set(enabled) if self._all_enabled else {chosen}
        self._path.append(Node(enabled, sleep, backtrack, chosen))
        return True

    def _footprint(self, actor: Actor) -> Footprint:
        kind = actor.kind
        reads, writes = kind.touches(actor.subject) if kind.touches is not None else ((), ())
        bits = self._bits
        read_mask = write_mask = 0
        for key in reads:
            read_mask |= bits[key]
        for key in writes:
            write_mask |= bits[key]
        if kind.gate is not None:
            read_mask |= bits[kind.gate.key]
        return read_mask, write_mask

    # -- after a step --------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Take account of the step that was just performed."""
        if self._performing is None:
            return
        (actor, footprint, waited), self._performing = self._performing, None
        past = self._past_of(actor)
        self._forget_stopped(actor.name, footprint)
        if footprint is not None:
            past = self._note_event(actor.name, footprint, past)
        elif waited is not None:
            signal, level = waited
            # A level is reached by all who raised the signal up to it, not by the last alone.
            for raised in signal.raised_by[:level]:
                if raised >= 0:
                    past |= self._past_of_step[raised]
        else:
            self._check_touched(actor.name, (0, 0))
        self._past[actor] = past
        self._past_of_step.append(past)

    def _forget_stopped(self, name: str, footprint: Footprint | None) -> None:
        """Who was stopped by this step goes no more: a race of its next step, which nobody will see as an event."""
        for other, actor in list(self._shared.items()):
            if not actor.stopped:
                continue
            del self._shared[other]
            if footprint is None:
                raise KitError(f"a step of {name} that touches nothing stopped {other}")
            node = self._path[len(self._events)]
            before = node.enabled.get(other)
            if before is None:
                # It was held back by a gate: that race was noted then.
                continue
            if not conflict(before, footprint):
                raise KitError(
                    f"a step of {name} stopped {other} without touching what its next step touches"
                )
            node.backtrack.add(other)

    def _past_of(self, actor: Actor) -> int:
        """The events that happened before the actor's present point."""
        past = self._past.get(actor)
        if past is not None:
            return past
        return self._past_of_step[actor.cause] if actor.cause >= 0 else 0

    def _note_event(self, name: str, footprint: Footprint, past: int) -> int:
        self._check_touched(name, footprint)
        recorder = self._engine.recorder
        assert recorder is not None
        index = len(self._events)
        opened = 0
        for key in recorder.gates:
            self._gate_movers[key] = index
        for key in recorder.opened:
            opened |= self._bits[key]
        past = self._find_races(name, footprint, past, index)
        self._events.append(Event(name, footprint, past, opened))
        return past | 1 << index

    def _check_touched(self, name: str, footprint: Footprint) -> None:
        recorder = self._engine.recorder
        assert recorder is not None
        bits = self._bits
        for key in recorder.writes:
            if not bits[key] & footprint[1]:
                raise KitError(f"a step of {name} wrote the cell {key} without saying so beforehand")
        for key in recorder.reads:
            if not bits[key] & (footprint[0] | footprint[1]):
                raise KitError(f"a step of {name} read the cell {key} without saying so beforehand")

    # -- races ---------------------------------------------------------------------------------------------

    def _find_races(self, name: str, footprint: Footprint, past: int, index: int) -> int:
        """Reverse each race of event `index` with an earlier one; gives all that happened before it.

        Going backwards, an event that is known to have happened before is no race: something between the two
        already orders them.
        """
        reads, writes = footprint
        both = reads | writes
        events = self._events
        fresh = index >= self._fresh and not self._all_enabled
        for earlier in range(index - 1, -1, -1):
            event = events[earlier]
            clash = event.footprint[1] & both | event.footprint[0] & writes
            if not clash:
                continue
            if fresh and not past >> earlier & 1:
                if clash & ~event.opened:
                    self._reverse(earlier, name, past)
                else:
                    self._reverse_closer(earlier, clash, name, past)
            past |= event.past | 1 << earlier
        return past

    def _reverse_closer(self, opener: int, gates: int, name: str, past: int) -> None:
        """A step that an open gate let pass cannot come before the opening, but before whatever had closed it."""
        for earlier in range(opener - 1, -1, -1):
            event = self._events[earlier]
            if event.footprint[1] & gates & ~event.opened:
                if not past >> earlier & 1:
                    self._reverse(earlier, name, past)
                return

    def _note_held(self, actor: Actor) -> None:
        """A step held back by a closed gate races with whatever closed it."""
        gate = actor.kind.gate
        assert gate is not None
        closer = self._gate_movers.get(gate.key)
        if closer is None or self._all_enabled or (actor, closer) in self._held:
            return
        self._held.add((actor, closer))
        past = self._past_of(actor)
        if not past >> closer & 1:
            self._reverse(closer, actor.name, past)

    def _reverse(self, earlier: int, name: str, past: int) -> None:
        """See to it that at the point of event `earlier` somebody is tried who lets the step of `name` come first.

        `past`: what happened before that step by way of events that come after `earlier`.
        """
        events = self._events
        tried = self._path[earlier].backtrack
        before = 0
        initials: list[str] = []
        for index in range(earlier + 1, len(events)):
            event = events[index]
            if event.past >> earlier & 1:
                continue
            if not event.past & before:
                if event.actor in tried:
                    return
                initials.append(event.actor)
            before |= 1 << index
        if not past & before:
            if name in tried:
                return
            tried.add(name)
            return
        tried.add(initials[0])
