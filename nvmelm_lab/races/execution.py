"""One execution of a case, led by somebody from one point of choice to the next; it cannot go back.

What it says of who may go next, and who waits, is in words for people; what it says of the run is its board.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvmelm_lab.engine import WAIT, Actor, RunToBlock, Trace
from nvmelm_lab.engine.step import CHOOSE
from nvmelm_lab.errors import InputError
from nvmelm_lab.races.board import Board
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.history import Chip
from nvmelm_lab.races.names import Names, Place
from nvmelm_lab.races.stake import Next
from nvmelm_lab.races.walk import MARK, Walk, actor_of, options_of
from nvmelm_lab.races.watcher import Watcher
from nvmelm_lab.runs.attribution import COMPLETER, Role, command_name
from nvmelm_lab.runs.roles import roles_of

if TYPE_CHECKING:
    from nvmelm_lab.races.scenario import World

MOST_STEPS: Final = 20_000
"""Steps, local ones included, that may come between two points of choice."""

GUEST: Final = "guest"
"""The guest of every scenario."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to go on: the decision, and which option of a choice it stands for ("" where there is none)."""

    decision: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One who may go next: the name, what the step does and touches, and the decisions, several for a choice."""

    who: str
    does: str
    touches: tuple[Place, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One who cannot go now, and why."""

    who: str
    why: str


class Execution:
    """One execution of `case`, standing at its first point of choice."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.trace = Trace()
        self._walk = Walk(goes_on=False)
        self._world: World = case.world()
        roles = roles_of(self._world.lab.introduction(), GUEST)
        self._world.begin(self._walk, trace=self.trace)
        self._judged: str | None = None
        self._seen = 0
        self._go_on()
        self._watcher = Watcher(roles)
        self._names = Names(self._watcher.events)
        self._watch()

    # -- going on ------------------------------------------------------------------------------------------

    def take(self, decision: str) -> Chip:
        """Let that happen, and go on to the next point.  InputError where it cannot be decided."""
        actor = self._walk.choices().get(decision)
        self._walk.take(decision)
        assert actor is not None
        chip = self._chip(decision, actor)
        self._go_on()
        self._watch()
        return chip

    @property
    def able(self) -> tuple[str, ...]:
        """The decisions that can be taken now."""
        return () if self._judged is not None else tuple(self._walk.choices())

    @property
    def usual(self) -> str:
        """The decision that a run takes by itself: whoever went last goes on as long as it can."""
        able, last = self.able, self._walk.taken[-1] if self._walk.taken else ""
        return last if last in able else able[0]

    def verdict(self) -> str:
        """What the oracle says is broken, "" for nothing; only when nobody can go any more."""
        if self._judged is None:
            self._world.engine.use(RunToBlock())
            self._judged = self._world.verdict()
        return self._judged

    def _go_on(self) -> None:
        if not self._world.engine.advance(MOST_STEPS):
            raise InputError(
                f"somebody took {MOST_STEPS} steps that touch nothing shared and does not end; "
                "let each loop wait for something"
            )

    def _watch(self) -> None:
        for record in self.trace.steps[self._seen :]:
            self._watcher.take(record)
        self._seen = len(self.trace.steps)

    # -- what is to be seen --------------------------------------------------------------------------------

    def board(self) -> Board:
        """The run as it stands."""
        return self._watcher.board()

    def lanes(self) -> tuple[str, ...]:
        """Who acts, from top to bottom of a picture."""
        return self._names.lanes()

    def rows(self) -> tuple[Row, ...]:
        """Who may go next: the guest first, then the controllers, then the VMM."""
        actors = {actor_of(decision): actor for decision, actor in self._choices().items()}
        rows = []
        for actor in self._sorted(actors.values()):
            command = command_name(actor.name)
            if f"{command}{COMPLETER}" not in actors or command not in actors:
                rows.append(self._row(actor))
            elif actor.name == command:
                rows.append(self._either(actor))
        return tuple(rows)

    def nexts(self) -> list[Next]:
        """The same, as far as a hint needs it."""
        return [self._next(actor) for actor in dict.fromkeys(self._choices().values())]

    def waiting(self) -> tuple[Waiting, ...]:
        """Who cannot go now.  Controllers that only wait for a doorbell are not worth a word."""
        return tuple(self._waiting())

    def _choices(self) -> dict[str, Actor]:
        return {} if self._judged is not None else self._walk.choices()

    def _sorted(self, actors: Iterable[Actor]) -> list[Actor]:
        lanes = {lane: place for place, lane in enumerate(self._names.lanes())}
        return sorted(
            actors, key=lambda actor: (lanes.get(self._names.lane(actor.name), len(lanes)), actor.name)
        )

    def _row(self, actor: Actor) -> Row:
        kind, subject = actor.kind, actor.subject
        does = self._names.step(actor.name, kind.describe(subject))
        if not options_of(actor):
            return Row(self._names.who(actor.name), does, self._places(actor), (Option(actor.name),))
        words = subject[1] if kind is CHOOSE else ("not yet", "the deadline has passed")
        options = tuple(Option(f"{actor.name}{MARK}{n}", str(each)) for n, each in enumerate(words))
        return Row(self._names.who(actor.name), does, (), options)

    def _either(self, actor: Actor) -> Row:
        """A command whose entry and completion nobody orders: to whoever decides, that is a choice of the SSD's."""
        options = (
            Option(actor.name, "entry first"),
            Option(f"{actor.name}{COMPLETER}", "completion first"),
        )
        does = "post its entry and its completion in any order"
        return Row(self._names.who(actor.name), does, self._places(actor), options)

    def _places(self, actor: Actor) -> tuple[Place, ...]:
        kind = actor.kind
        reads, writes = kind.touches(actor.subject) if kind.touches is not None else ((), ())
        if kind.gate is not None:
            reads = (*reads, kind.gate.key)
        return self._names.places((reads, writes))

    def _next(self, actor: Actor) -> Next:
        command = self._names.command(actor.name)
        guest = self._names.lane(actor.name) == "Guest" or (
            command is not None and command.role is Role.GUEST
        )
        lba = next((place.number for place in self._places(actor) if place.side == "source"), -1)
        return Next(actor.kind.name, guest, lba)

    def _waiting(self) -> Iterator[Waiting]:
        for actor in self._sorted(self._world.engine.actors.values()):
            if not actor.is_blocked or actor.stopped:
                continue
            if actor.kind is not WAIT:
                yield Waiting(self._names.who(actor.name), self._held(actor))
            elif ".sq" not in actor.name:
                yield Waiting(
                    self._names.who(actor.name), f"waits for {self._names.waits_for(actor.subject[0].name)}"
                )

    def _held(self, actor: Actor) -> str:
        gate = actor.kind.gate
        assert gate is not None
        does = self._names.step(actor.name, actor.kind.describe(actor.subject))
        why = "it is suspended" if gate.name.startswith("fetch of") else "the VM is paused"
        return f"cannot {does}: {why}"

    def _chip(self, decision: str, actor: Actor) -> Chip:
        label = actor.kind.describe(actor.subject)
        if options_of(actor):
            _, _, number = decision.rpartition(MARK)
            words = (
                actor.subject[1][int(number)]
                if actor.kind is CHOOSE
                else ("not yet", "time is up")[int(number)]
            )
            return Chip(
                decision, self._names.lane(actor.name), words, f"{self._names.who(actor.name)}: {words}"
            )
        title = f"{self._names.who(actor.name)}: {self._names.step(actor.name, label)}"
        return Chip(decision, self._names.lane(actor.name), self._names.chip(actor.name, label), title)
