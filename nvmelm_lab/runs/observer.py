"""What a run shows to who looks closely: each wait of the guest, where its downtime goes, how full the queue was.

An observer of effects and meters; it changes nothing, and a run that nobody observes pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from nvmelm_lab.engine import Engine
from nvmelm_lab.host.guest import Meter
from nvmelm_lab.runs.roles import Roles

Effect = tuple[Any, ...]

SHIM: Final = "shim "
"""How the names of host shims begin."""

PARTS: Final = ("suspend", "last entries", "last blocks", "memory", "controller state", "resume")
"""What the downtime is made of, in this order; a method that does without one has it not."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One command of the guest: ``read`` or ``write`` (whatever is no Read), submitted when, and how long it took.

    Times are virtual ns; `at_ns` counts from the run's begin.
    """

    kind: str
    at_ns: int
    ns: int

    @property
    def end_ns(self) -> int:
        """When the guest had its completion."""
        return self.at_ns + self.ns


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the downtime: a name in `PARTS`, and when it began and ended, in virtual ns."""

    name: str
    start_ns: int
    end_ns: int

    @property
    def ns(self) -> int:
        """How long it took."""
        return self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True)
class Level:
    """How the Migration Queue stood from `at_ns` on.

    used
        Slots that hold an entry and have not been given back.
    posted, consumed
        Entries that the SSD has posted, and that the VMM has read, since the run began.
    """

    at_ns: int
    used: int
    posted: int
    consumed: int


@dataclass(frozen=True, slots=True)
class Observations:
    """What was seen of a run.

    waits
        The guest's commands, as their completions came.
    downtime
        The parts of the downtime, without gaps; empty when the VM was never paused.
    slots, levels
        Size of the Migration Queue (0: there was none), and each change of how full it was.
    overflows
        When the queue was full, in virtual ns.
    touched
        Commands of the guest that went through software of the host, fetched and forwarded by it.
    """

    waits: tuple[Wait, ...]
    downtime: tuple[Part, ...]
    slots: int
    levels: tuple[Level, ...]
    overflows: tuple[int, ...]
    touched: int


class _KeepingMeter(Meter):
    """A meter that also keeps each wait."""

    __slots__ = ("_engine", "_kind", "_waits")

    def __init__(self, kind: str, engine: Engine, waits: list[Wait]) -> None:
        super().__init__()
        self._kind, self._engine, self._waits = kind, engine, waits

    def add(self, ns: int) -> None:
        """One more command."""
        super().add(ns)
        self._waits.append(Wait(self._kind, self._engine.schedule.now - ns, ns))


class Observer:
    """Observes the guest of `roles` in `engine` from now on."""

    def __init__(self, engine: Engine, roles: Roles) -> None:
        self._engine = engine
        self._roles = roles
        self._waits: list[Wait] = []
        self._marks: dict[str, int] = {}
        self._queue: tuple[str, int] | None = None
        self._slots = self._head = self._tail = self._posted = self._consumed = self._touched = 0
        self._levels: list[Level] = []
        self._overflows: list[int] = []
        for word, note in _NOTES.items():
            engine.observe(word, self._noting(note), frequent=True)

    def meter(self, kind: str) -> Meter:
        """A meter for the guest's commands of that kind."""
        return _KeepingMeter(kind, self._engine, self._waits)

    def told(self) -> Observations:
        """What was seen so far."""
        return Observations(
            tuple(self._waits),
            tuple(self._parts()),
            self._slots,
            tuple(self._levels),
            tuple(self._overflows),
            self._touched,
        )

    def _noting(self, note: Callable[[Observer, Effect], None]) -> Callable[[Effect], None]:
        return lambda effect: note(self, effect)

    # -- the downtime --------------------------------------------------------------------------------------

    def _parts(self) -> list[Part]:
        """From mark to mark; one that was not passed takes no time of its own."""
        if "paused" not in self._marks or "running" not in self._marks:
            return []
        found, start = [], self._marks["paused"]
        for name, mark in zip(PARTS, _MARKS, strict=True):
            if mark in self._marks:
                found.append(Part(name, start, self._marks[mark]))
                start = self._marks[mark]
        return found

    def _vm(self, effect: Effect) -> None:
        if effect[1] != self._roles.guest:
            return
        if effect[2] == "paused":
            self._marks = {"paused": self._engine.now}
        elif self._stands_still():
            self._marks["running"] = self._engine.now

    def _suspended(self, _effect: Effect) -> None:
        if self._stands_still():
            self._marks.setdefault("suspended", self._engine.now)

    def _phase(self, effect: Effect) -> None:
        if self._stands_still():
            self._marks[effect[1]] = self._engine.now

    def _memory_moved(self, _effect: Effect) -> None:
        if "State" in self._marks and self._stands_still():
            self._marks["moved"] = self._engine.now

    def _stands_still(self) -> bool:
        return "paused" in self._marks and "running" not in self._marks

    # -- the Migration Queue -------------------------------------------------------------------------------

    def _queue_created(self, effect: Effect) -> None:
        _, mmc, cdqid, slots, target = effect
        if target == self._roles.here:
            self._queue, self._slots, self._head, self._tail = (mmc, cdqid), slots, 0, 0
            self._note_level()

    def _entry(self, effect: Effect) -> None:
        if self._is_ours(effect):
            self._tail = (effect[3] + 1) % self._slots
            self._posted += 1
            self._note_level()

    def _consume(self, effect: Effect) -> None:
        if self._is_ours(effect):
            self._consumed += 1
            self._note_level()
            if self._stands_still():
                self._marks["drained"] = self._engine.now

    def _move_head(self, effect: Effect) -> None:
        if self._is_ours(effect):
            self._head = effect[3]
            self._note_level()

    def _queue_full(self, effect: Effect) -> None:
        if self._is_ours(effect):
            self._overflows.append(self._engine.now)

    def _is_ours(self, effect: Effect) -> bool:
        return self._queue == (effect[1], effect[2])

    def _note_level(self) -> None:
        used = (self._tail - self._head) % self._slots
        self._levels.append(Level(self._engine.now, used, self._posted, self._consumed))

    # -- host software -------------------------------------------------------------------------------------

    def _fetched(self, effect: Effect) -> None:
        keeper = effect[1].removeprefix(SHIM)
        is_io = effect[2] > 0
        if is_io and keeper != effect[1] and keeper in (self._roles.here, self._roles.there):
            self._touched += 1


_MARKS: Final = ("suspended", "drained", "State", "moved", "Resume", "running")
"""What ends each of `PARTS`."""

_NOTES: Final[dict[str, Callable[[Observer, Effect], None]]] = {
    "vm": Observer._vm,
    "suspended": Observer._suspended,
    "phase": Observer._phase,
    "memory moved": Observer._memory_moved,
    "queue created": Observer._queue_created,
    "entry": Observer._entry,
    "consumed": Observer._consume,
    "head": Observer._move_head,
    "queue full": Observer._queue_full,
    "fetched": Observer._fetched,
}
"""Words of the effects that are looked at."""
