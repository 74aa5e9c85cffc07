"""The audit: runs a program under any schedule and holds each step to what it declared.

Two promises are checked, and a KitError names the step that breaks one:

1. What a step touched of *shared* state lies within what it said it would.
2. *Owned* state has one party at a time: of two accesses of which one writes, one happened before the other, by
   way of program order, a spawn, a signal or a conflict on a shared cell.

State that is *polled* (a completion queue's slots, found by their phase tag) is neither: reading what was written
orders the two, and reading too early is part of the protocol.

It costs some microseconds a step and a bit per step and actor: for tests, on runs of some thousand steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nvmelm_lab.engine.cells import Key, Touches
from nvmelm_lab.engine.step import WAIT, Kind
from nvmelm_lab.errors import KitError

if TYPE_CHECKING:
    from nvmelm_lab.engine.core import Actor, Engine, Schedule


@dataclass(slots=True)
class _Accesses:
    """Steps that touched a cell: the last that wrote it, and those that read it since."""

    written: int = -1
    read: list[int] = field(default_factory=list)


class Audit:
    """Follows `schedule`; the engine needs a recorder.

    polled
        Tells which owned keys are found by polling.
    party
        Name of an actor -> the party that it belongs to.  Actors of one party share variables, so what one of
        them did the others know.
    """

    def __init__(
        self,
        schedule: Schedule,
        polled: Callable[[Key], bool] = lambda key: False,
        party: Callable[[str], str] = lambda name: name,
    ) -> None:
        self._schedule = schedule
        self._polled = polled
        self._party = party
        self._engine: Engine
        self._performing: tuple[Actor, Kind, Any, Touches] | None = None
        self._names: list[str] = []
        self._past: dict[str, int] = {}
        self._past_of_step: list[int] = []
        self._shared: dict[Key, _Accesses] = {}
        self._owned: dict[Key, _Accesses] = {}

    @property
    def now(self) -> int:
        """The clock of the schedule that it follows."""
        return self._schedule.now

    def bind(self, engine: Engine) -> None:
        """Remember whom to serve."""
        self._engine = engine
        self._schedule.bind(engine)

    def offer(self, actor: Actor) -> None:
        """Pass on who may go."""
        self._schedule.offer(actor)

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """Pass on the choice."""
        return self._schedule.choose(actor, name, options)

    def next(self) -> Actor | None:
        """Whoever the schedule picks, once the step before is checked."""
        self._settle()
        actor = self._schedule.next()
        if actor is not None and not actor.is_blocked and not actor.stopped:
            kind, subject = actor.kind, actor.subject
            touches = kind.touches(subject) if kind.touches is not None else ((), ())
            self._performing = (actor, kind, subject, touches)
        return actor

    def _settle(self) -> None:
        if self._performing is None:
            return
        (actor, kind, subject, touches), self._performing = self._performing, None
        step = len(self._names)
        self._names.append(f"{actor.name} ({kind.describe(subject)})")
        self._check_declared(step, kind, touches)
        past = self._past_before(actor, kind, subject)
        past = self._order_by_cells(step, past)
        past = self._order_by_polling(step, past)
        self._check_owned(step, past)
        past |= 1 << step
        self._past[self._party(actor.name)] = past
        self._past_of_step.append(past)

    def _check_declared(self, step: int, kind: Kind, touches: Touches) -> None:
        recorder = self._engine.recorder
        assert recorder is not None
        gate = () if kind.gate is None else (kind.gate.key,)
        reads, writes = {*touches[0], *gate}, set(touches[1])
        for key in recorder.writes - writes:
            raise KitError(f"{self._names[step]} wrote {key} without saying so beforehand")
        for key in recorder.reads - reads - writes:
            raise KitError(f"{self._names[step]} read {key} without saying so beforehand")

    def _past_before(self, actor: Actor, kind: Kind, subject: Any) -> int:
        past = self._past.get(self._party(actor.name), 0)
        if actor.cause >= 0:
            past |= self._past_of_step[actor.cause]
        if kind is WAIT:
            signal, level = subject
            for raised in signal.raised_by[:level]:
                if 0 <= raised < len(self._past_of_step):
                    past |= self._past_of_step[raised]
        return past

    def _order_by_cells(self, step: int, past: int) -> int:
        recorder = self._engine.recorder
        assert recorder is not None
        for key in recorder.writes:
            cell = self._shared.setdefault(key, _Accesses())
            for other in (cell.written, *cell.read):
                past |= self._past_of_step[other] if other >= 0 else 0
            cell.written, cell.read = step, []
        for key in recorder.reads - recorder.writes:
            cell = self._shared.setdefault(key, _Accesses())
            past |= self._past_of_step[cell.written] if cell.written >= 0 else 0
            cell.read.append(step)
        return past

    def _order_by_polling(self, step: int, past: int) -> int:
        recorder = self._engine.recorder
        assert recorder is not None
        for key, write in recorder.owned:
            if self._polled(key):
                cell = self._owned.setdefault(key, _Accesses())
                if write:
                    cell.written = step
                elif cell.written >= 0:
                    past |= self._past_of_step[cell.written]
        return past

    def _check_owned(self, step: int, past: int) -> None:
        recorder = self._engine.recorder
        assert recorder is not None
        for key, write in recorder.owned:
            if self._polled(key):
                continue
            cell = self._owned.setdefault(key, _Accesses())
            for other in (cell.written, *cell.read) if write else (cell.written,):
                if other >= 0 and other != step and not past >> other & 1:
                    raise KitError(
                        f"{self._names[step]} and {self._names[other]} touch {key}, and nothing orders them"
                    )
            if write:
                cell.written, cell.read = step, []
            else:
                cell.read.append(step)
