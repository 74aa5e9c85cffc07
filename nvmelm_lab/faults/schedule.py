"""The schedules that let faults happen at their sites, whoever else could go.

`Injecting` makes each a step of an actor of its own: what a trace shows.  `Sited` makes one part of the step behind
which it happens: what an explorer can turn around together with that step, without a choice of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nvmelm_lab.engine import WAIT, Actor, Engine, Kind, Schedule, Touches
from nvmelm_lab.errors import InputError
from nvmelm_lab.faults.fault import Fault

if TYPE_CHECKING:
    from nvmelm_lab.engine.core import Effect
    from nvmelm_lab.faults.actions import Bench


class Injecting:
    """`inner`, but for the `faults`: each happens when its site is reached, on the bench that `aim` names.

    left
        Those whose site was not reached yet.
    asked
        Number of the step that was to come each time that it was asked who goes next, where there is no fault.
    """

    def __init__(self, inner: Schedule, faults: Sequence[Fault]) -> None:
        self.inner = inner
        self.now = inner.now
        self.left = list(faults)
        self.asked: list[int] = []
        self._is_watching = not faults
        self._bench: Bench | None = None
        self._taken: Counter[str] = Counter()
        self._phases: set[str] = set()
        self._is_spawning = False
        self._urgent: Actor | None = None

    def aim(self, bench: Bench) -> None:
        """Let the faults happen there.  Before this none does."""
        self._bench = bench
        bench.engine.observe("phase", self._on_phase)

    def bind(self, engine: Engine) -> None:
        """Serve this engine."""
        self._engine = engine
        self.inner.bind(engine)

    def offer(self, actor: Actor) -> None:
        """Pass it on; a fault goes at once."""
        if self._is_spawning:
            self._urgent = actor
        else:
            self.inner.offer(actor)

    def next(self) -> Actor | None:
        """A fault whose site is reached, else whom the schedule within names."""
        if self.left and self._bench is not None:
            due = next((fault for fault in self.left if self._is_due(fault)), None)
            if due is not None:
                return self._start(due, self._bench)
        if self._is_watching:
            self.asked.append(self._engine.step_index + 1)
        actor = self.inner.next()
        self.now = self.inner.now
        if actor is not None and self.left and not (actor.kind is WAIT or actor.stopped or actor.is_blocked):
            self._taken[actor.name] += 1
        return actor

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """The choice of the schedule within."""
        return self.inner.choose(actor, name, options)

    def _start(self, fault: Fault, bench: Bench) -> Actor | None:
        self.left.remove(fault)
        self._is_spawning = True
        self._engine.spawn(f"fault {fault.text}", bench.life(fault))
        self._is_spawning = False
        return self._urgent

    def _is_due(self, fault: Fault) -> bool:
        if fault.phase:
            return fault.phase in self._phases
        if fault.actor:
            return self._taken[fault.actor] >= fault.step
        return self._engine.step_index + 1 >= fault.step

    def _on_phase(self, effect: Effect) -> None:
        self._phases.add(effect[1])


class Sited:
    """`inner`, but that `fault` happens as part of the step of an actor that is its site.

    What follows of itself does so by an actor of its own.  Waits and choices are no sites.  InputError for a fault
    whose site is no actor's step.
    """

    def __init__(self, inner: Schedule, fault: Fault, bench: Bench) -> None:
        if not fault.actor:
            raise InputError(
                f"the fault {fault.text!r} is at no step of an actor; write {fault.name}@ACTOR#STEP"
            )
        self.inner = inner
        self.now = inner.now
        self.fault = fault
        self.bench = bench
        self._taken = 0
        self._kind: Kind | None = None

    def bind(self, engine: Engine) -> None:
        """Serve this engine."""
        self.inner.bind(engine)

    def offer(self, actor: Actor) -> None:
        """Pass it on; the step that is the site becomes one with the fault."""
        kind = actor.kind
        if actor.name == self.fault.actor and not (kind is self._kind or kind is WAIT or kind.asks):
            self._taken += 1
            if self._taken == self.fault.step:
                actor.kind = self._kind = self._with_fault(kind)
        self.inner.offer(actor)

    def next(self) -> Actor | None:
        """Whom the schedule within names."""
        actor = self.inner.next()
        self.now = self.inner.now
        return actor

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """The choice of the schedule within."""
        return self.inner.choose(actor, name, options)

    def _with_fault(self, kind: Kind) -> Kind:
        bench, fault = self.bench, self.fault
        happens = bench.kind(fault)

        def act(subject: object) -> object:
            result = kind.act(subject)
            bench.happen(fault)
            rest = bench.rest(fault)
            if rest is not None:
                bench.engine.spawn(f"fault {fault.text}", rest)
            return result

        def touches(subject: object) -> Touches:
            reads, writes = kind.touches(subject) if kind.touches is not None else ((), ())
            assert happens.touches is not None
            more = happens.touches(None)
            return reads + more[0], writes + more[1]

        return Kind(
            kind.name,
            act,
            touches=touches,
            gate=kind.gate,
            takes=kind.takes,
            uses=kind.uses,
            shares=kind.shares,
            label=lambda subject: f"{kind.describe(subject)}; then {happens.describe(None)}",
        )
