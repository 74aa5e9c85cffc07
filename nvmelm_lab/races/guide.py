"""The schedule of one execution of a search: repeats the path, then extends it, and looks for races on the way.

House rules:

1. A *local* step (one that touches no shared cell) runs at once, without a point of choice.  Nobody can tell when
   it happened but through a signal, and signals only rise.
2. Races are looked for among the other steps, the *events*.  An event happens before another if they are of one
   actor, if they conflict, or if a signal or a spawn leads from the one to the other.  The set of events that
   happened before a point is one integer, a bit an event.
3. A step held back by a closed gate races with the closing, at the moment when it is held back; the opening of a
   gate races with nobody, for whoever waited could not have gone before.
4. A step that stops other actors (a reset) races with the next step of each, there and then.
5. A choice (a freedom of the SSD, the clock) is an event that touches nothing, and each of its options is tried.
6. What a step declares to touch must cover what it did touch, and what it stops; a KitError names the step
   otherwise.
7. What the execution has in common with the one before it is repeated without a look: same steps, same races.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvmelm_lab.engine.schedules import NO_CLOCK
from nvmelm_lab.engine.step import WAIT
from nvmelm_lab.errors import KitError
from nvmelm_lab.races.path import NOTHING, Event, Footprint, Node, Path, conflict
from nvmelm_lab.races.walk import MARK, options_of

if TYPE_CHECKING:
    from nvmelm_lab.engine import Actor, Engine, Signal
    from nvmelm_lab.engine.cells import Key


class Guide:
    """Leads one execution.

    asleep
        It was given up, for all that could go was asleep: its order was seen already.
    all_enabled
        Try everybody at each point (sleep sets alone), and look for no races.
    """

    def __init__(self, path: Path, *, all_enabled: bool) -> None:
        self.now = NO_CLOCK
        self.asleep = False
        self._path = path
        self._bits = path.bits
        self._events = path.events
        self._past_of_step = path.past_of_step
        self._all_enabled = all_enabled
        # What the path knows already is repeated, up to the point where it has turned.
        self._repeated = 0 if path.nodes else -1
        # Races among events before this one were looked at when they first happened.
        self._fresh = len(path.nodes) - 1
        self._local: list[Actor] = []
        self._shared: dict[str, Actor] = {}
        # What the next step of each would touch.  Only a step that conflicts with it can change that.
        self._touching: dict[str, Footprint] = {}
        self._option = 0
        self._gate_movers: dict[Key, int] = {
            key: index for index, event in enumerate(path.events) for key in event.moved
        }
        self._performing: tuple[Actor, Footprint | None, tuple[Signal, int] | None] | None = None

    def bind(self, engine: Engine) -> None:
        """Remember whom to serve; while the path is repeated nothing needs to be recorded."""
        self._engine = engine
        assert engine.recorder is not None
        self._recorder = engine.recorder
        if self._repeated >= 0:
            engine.recorder = None

    def offer(self, actor: Actor) -> None:
        """Local steps go at once; the others wait for a choice.  A signal may offer who was stopped meanwhile."""
        kind = actor.kind
        if actor.stopped:
            return
        if kind.touches is None and kind.gate is None and not kind.asks:
            self._local.append(actor)
        else:
            self._shared[actor.name] = actor
            self._touching.pop(actor.name, None)

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """The option that the path says."""
        return self._option

    def next(self) -> Actor | None:
        """Whoever goes next: a local step if there is one, else what the path says, else somebody new."""
        if self._repeated >= 0:
            actor = self._next_again()
            if actor is not None:
                return actor
        self.settle()
        while self._local:
            actor = self._local.pop()
            if not actor.stopped:
                return self._perform_local(actor)
        return self._next_event()

    def _perform_local(self, actor: Actor) -> Actor:
        self._performing = (actor, None, actor.subject if actor.kind is WAIT else None)
        return actor

    # -- repeating the path --------------------------------------------------------------------------------

    def _next_again(self) -> Actor | None:
        """Whoever went here the last time; None, and recording again, where the path has turned."""
        while self._local:
            actor = self._local.pop()
            if not actor.stopped:
                actor.cause = self._engine.step_index + 1
                return actor
        path, at = self._path, self._repeated
        if at == len(path.picks):
            self._end_repeating()
            return None
        picked = path.picks[at]
        name, mark, option = picked.rpartition(MARK)
        if mark:
            self._option = int(option)
        again = self._shared.pop(name or picked, None)
        if again is None:
            raise KitError(
                f"an execution went another way than before: {picked} cannot go, only {sorted(self._shared)}"
            )
        self._repeated = at + 1
        again.cause = self._engine.step_index + 1
        return again

    def _end_repeating(self) -> None:
        if self._engine.step_index + 1 != len(self._past_of_step):
            raise KitError(
                f"an execution took {self._engine.step_index + 1} steps where it took {len(self._past_of_step)} before"
            )
        self._repeated = -1
        self._engine.recorder = self._recorder
        self._shared = {name: actor for name, actor in self._shared.items() if not actor.stopped}

    # -- choosing an event ---------------------------------------------------------------------------------

    def _next_event(self) -> Actor | None:
        enabled: dict[str, Footprint] = {}
        for name, actor in sorted(self._shared.items()):
            if actor.is_blocked:
                self._note_held(actor)
                continue
            options = options_of(actor)
            if options:
                return self._next_at({f"{name}{MARK}{option}": NOTHING for option in range(options)}, name)
            footprint = self._touching.get(name)
            if footprint is None:
                footprint = self._touching[name] = self._footprint(actor)
            if footprint == NOTHING:
                del self._shared[name]
                self._path.picks.append(name)
                return self._perform_local(actor)
            enabled[name] = footprint
        return self._next_at(enabled) if enabled else None

    def _next_at(self, enabled: dict[str, Footprint], asks: str = "") -> Actor | None:
        """Who goes at this point; `asks` names the actor whose options are all that there is to decide."""
        nodes, depth = self._path.nodes, len(self._events)
        if depth == len(nodes) and not self._extend(enabled, asks):
            return None
        node = nodes[depth]
        if node.enabled != enabled:
            raise KitError(_difference(node.enabled, enabled))
        self._path.picks.append(node.chosen)
        if asks:
            self._option = int(node.chosen.rpartition(MARK)[2])
        actor = self._shared.pop(asks or node.chosen)
        self._performing = (actor, enabled[node.chosen], None)
        return actor

    def _extend(self, enabled: dict[str, Footprint], asks: str) -> bool:
        """Add a point to the path; False when whoever could go is asleep."""
        path, sleep, last = self._path, {}, ""
        if path.nodes:
            parent = path.nodes[-1]
            last = parent.chosen
            moved = parent.enabled[last]
            for name, footprint in (*parent.sleep.items(), *parent.done.items()):
                # Of the options of a choice none sleeps: one excludes the others.
                if name != last and MARK not in name and not conflict(footprint, moved):
                    sleep[name] = footprint
        awake = [name for name in enabled if name not in sleep]
        if not awake:
            self.asleep = True
            return False
        last = last.partition(MARK)[0]
        chosen = last if last in awake else awake[0]
        backtrack = set(enabled) if self._all_enabled or asks else {chosen}
        node = Node(enabled, sleep, backtrack, chosen, len(path.picks), len(self._past_of_step))
        if len(path.nodes) < len(path.prefix):
            self._fix(node, path.prefix[len(path.nodes)], awake)
        path.nodes.append(node)
        return True

    def _fix(self, node: Node, chosen: str, awake: list[str]) -> None:
        """Choose what the prefix says; whoever comes before it in order is tried by a search of its own."""
        if chosen not in awake:
            raise KitError(f"a search begins with {chosen}, but only {', '.join(awake)} can go there")
        node.chosen = chosen
        node.done = {name: node.enabled[name] for name in awake if name < chosen}

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
        if self._engine.stops:
            self._forget_stopped(actor.name, footprint)
        if footprint is not None:
            past = self._note_event(actor.name, footprint, past)
        elif waited is not None:
            signal, level = waited
            # A level is reached by all who raised the signal up to it, not by the last alone.
            for raised in signal.raised_by[:level]:
                if raised >= 0:
                    past |= self._past_of_step[raised]
        elif self._recorder.writes or self._recorder.reads:
            self._check_touched(actor.name, NOTHING)
        actor.cause = len(self._past_of_step)
        self._past_of_step.append(past)

    def _past_of(self, actor: Actor) -> int:
        """The events that happened before the actor's present point: before its last step, or its parent's."""
        return self._past_of_step[actor.cause] if actor.cause >= 0 else 0

    def _forget_stopped(self, name: str, footprint: Footprint | None) -> None:
        """Who was stopped by this step goes no more: a race of its next step, which nobody will see as an event."""
        for other, actor in list(self._shared.items()):
            if not actor.stopped:
                continue
            del self._shared[other]
            if footprint is None:
                raise KitError(f"a step of {name} that touches nothing stopped {other}")
            node = self._path.nodes[len(self._events)]
            before = node.enabled.get(other)
            if before is None:
                # It was held back by a gate: that race was noted then.
                continue
            if not conflict(before, footprint):
                raise KitError(
                    f"a step of {name} stopped {other} without touching what its next step touches"
                )
            node.backtrack.add(other)

    def _note_event(self, name: str, footprint: Footprint, past: int) -> int:
        self._check_touched(name, footprint)
        recorder = self._recorder
        index = len(self._events)
        opened = 0
        for key in recorder.gates:
            self._gate_movers[key] = index
        for key in recorder.opened:
            opened |= self._bits[key]
        self._touching = {
            other: touched for other, touched in self._touching.items() if not conflict(touched, footprint)
        }
        past = self._find_races(name, footprint, past, index)
        self._events.append(Event(name, footprint, past, tuple(recorder.gates), opened))
        return past | 1 << index

    def _check_touched(self, name: str, footprint: Footprint) -> None:
        recorder, bits = self._recorder, self._bits
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
        held = self._path.held
        if closer is None or self._all_enabled or (actor.name, closer) in held:
            return
        held[actor.name, closer] = len(self._path.picks)
        past = self._past_of(actor)
        if not past >> closer & 1:
            self._reverse(closer, actor.name, past)

    def _reverse(self, earlier: int, name: str, past: int) -> None:
        """See to it that at the point of event `earlier` somebody is tried who lets the step of `name` come first.

        `past`: what happened before that step by way of events that come after `earlier`.
        """
        events = self._events
        tried = self._path.nodes[earlier].backtrack
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


def _difference(before: dict[str, Footprint], now: dict[str, Footprint]) -> str:
    """Why a point that was repeated is not what it was."""
    if before.keys() != now.keys():
        return f"an execution went another way than before: {sorted(now)}, not {sorted(before)}"
    changed = next(name for name in now if now[name] != before[name])
    return f"a step changed what the next step of {changed} touches without touching any of it"
