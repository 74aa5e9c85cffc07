"""The life cycle of a migratable controller as one table: what each command or event does in each state.

A state has four parts that change one by one: `Power` (what its properties show), `Motion` (suspended or not, with
commands in flight or without), `Intake` (of a controller state in parts), `Logging` (its User Data Migration Queue).
`TABLE` gives for each event its rules, of which the first that fits the state holds: a status, or effects.  What an
effect does to a state stands in `BECOMES`.  The device asks `outcome` before it acts and carries the effects out; it
knows no such rule besides.  docs/life-cycle.md is made of this module (tools/life_cycle.py).

Sources: Base 2.1, sections 5.1.17, 5.1.27, 8.1.12 (migration), 3.7.2 (resets), 8.2.6.3 (secondary controllers);
where they leave a question open, the number of the freedom that answers it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import NamedTuple

from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.freedoms import Habits


class Power(Enum):
    """What a host sees in the properties."""

    OFFLINE = "offline"
    EQUIPPED = "offline, may go online"
    DISABLED = "disabled"
    ENABLED = "enabled"
    FAILED = "fatal status"
    SHUT_DOWN = "shut down"


class Motion(Enum):
    """Whether it may fetch, and whether commands are in flight (Asynchronous Event Requests do not count)."""

    FREE = "free"
    BUSY = "busy"
    DRAINING = "draining"
    SUSPENDED = "suspended"


class Intake(Enum):
    """Whether parts of a controller state were received that are not committed."""

    EMPTY = "no parts"
    PARTS = "uncommitted state"


class Logging(Enum):
    """Its User Data Migration Queue; STARTING is known only with freedom 6 set to wait."""

    NO_QUEUE = "no queue"
    IDLE = "not logged"
    STARTING = "start awaited"
    LOGGING = "logged"
    FULL = "queue full"


class State(NamedTuple):
    """The state of a migratable controller."""

    power: Power
    motion: Motion
    intake: Intake
    logging: Logging


class Event(Enum):
    """What can happen to a controller: commands to its MMC, what its own host does, what befalls the MMC."""

    SUSPEND_NOTIFICATION = "Suspend, STYPE 0"
    SUSPEND = "Suspend, STYPE 1"
    SUSPEND_AND_DELETE = "Suspend with DUDMQ"
    RESUME = "Resume"
    SET_FIRST = "Set State 01b"
    SET_MIDDLE = "Set State 00b"
    SET_LAST = "Set State 10b"
    SET_ONLY = "Set State 11b"
    GET_STATE = "Get State"
    CREATE_QUEUE = "CDQ create"
    DELETE_QUEUE = "CDQ delete"
    START_LOGGING = "Track Send start"
    STOP_LOGGING = "Track Send stop"
    TRACK_MEMORY = "Track Send SEL 1"
    CONSUME = "Set Features 21h"
    SANITIZE = "Sanitize"
    TAKE_OFFLINE = "secondary offline"
    ASSIGN = "assign resources"
    BRING_ONLINE = "secondary online"
    ENABLE = "CC.EN 0 to 1"
    MISCONFIGURE = "CC.EN 0 to 1, CC impossible"
    RESET = "CC.EN 1 to 0"
    SHUT_DOWN = "CC.SHN"
    FUNCTION_RESET = "function level reset"
    SUBMIT = "host submits a command"
    FILL = "last slot of the queue taken"
    FINISH = "commands in flight end"
    FUNCTIONS_OFF = "VF Enable 1 to 0"
    MMC_RESET = "CC.EN 1 to 0 of the MMC"
    MMC_SHUT_DOWN = "CC.SHN of the MMC"
    MMC_FUNCTION_RESET = "function level reset of the MMC"
    POWER_LOSS = "power lost"


class Effect(Enum):
    """What becomes of the controller; the words are those of the documentation."""

    RESET = "reset: commands, queues and CC are gone"
    CLEAR_ADDRESSES = "AQA, ASQ and ACQ are 0"
    GO_OFFLINE = "offline, resources given back"
    EQUIP = "may go online, once it has 2 VQ and 1 VI resources and its function is enabled"
    GO_ONLINE = "online"
    ENABLE = "enabled"
    FAIL = "fatal status"
    SHUT_DOWN = "CSTS.SHST complete, fetches no more"
    FETCH = "the command is fetched"
    FINISH = "nothing in flight"
    SUSPEND = "fetches no more; suspended when nothing is in flight"
    RESUME = "suspension over"
    TAKE_PART = "the part is kept"
    FORGET = "uncommitted state is gone"
    COMMIT = "verified and committed"
    SAY_CONSISTENT = "CSUP 1, CP 1"
    CREATE_QUEUE = "queue made"
    DELETE_QUEUE = "queue deleted"
    AWAIT_COMMANDS = "fetches no more until the commands in flight are done, then logged"
    START = "logged"
    GIVE_UP_START = "not logged: the awaited start is refused"
    STOP = "no longer logged"
    FILL = "no longer logged: the queue is full"
    MAKE_ROOM = "the queue has room"


Part = Power | Motion | Intake | Logging

BECOMES: Mapping[Effect, Mapping[Part, Part]] = {
    Effect.RESET: {
        Power.ENABLED: Power.DISABLED,
        Power.FAILED: Power.DISABLED,
        Power.SHUT_DOWN: Power.DISABLED,
        Motion.BUSY: Motion.FREE,
        Motion.DRAINING: Motion.SUSPENDED,
    },
    Effect.CLEAR_ADDRESSES: {},
    Effect.GO_OFFLINE: {Power.DISABLED: Power.OFFLINE, Power.EQUIPPED: Power.OFFLINE},
    Effect.EQUIP: {Power.OFFLINE: Power.EQUIPPED},
    Effect.GO_ONLINE: {Power.EQUIPPED: Power.DISABLED},
    Effect.ENABLE: {Power.DISABLED: Power.ENABLED},
    Effect.FAIL: {Power.DISABLED: Power.FAILED},
    Effect.SHUT_DOWN: {Power.ENABLED: Power.SHUT_DOWN},
    Effect.FETCH: {Motion.FREE: Motion.BUSY},
    Effect.FINISH: {Motion.BUSY: Motion.FREE, Motion.DRAINING: Motion.SUSPENDED},
    Effect.SUSPEND: {Motion.FREE: Motion.SUSPENDED, Motion.BUSY: Motion.DRAINING},
    Effect.RESUME: {Motion.SUSPENDED: Motion.FREE, Motion.DRAINING: Motion.BUSY},
    Effect.TAKE_PART: {Intake.EMPTY: Intake.PARTS},
    Effect.FORGET: {Intake.PARTS: Intake.EMPTY},
    Effect.COMMIT: {Intake.PARTS: Intake.EMPTY},
    Effect.SAY_CONSISTENT: {},
    Effect.CREATE_QUEUE: {Logging.NO_QUEUE: Logging.IDLE},
    Effect.DELETE_QUEUE: dict.fromkeys(Logging, Logging.NO_QUEUE),
    Effect.AWAIT_COMMANDS: {Logging.IDLE: Logging.STARTING},
    Effect.START: {Logging.IDLE: Logging.LOGGING, Logging.STARTING: Logging.LOGGING},
    Effect.GIVE_UP_START: {Logging.STARTING: Logging.IDLE},
    Effect.STOP: {Logging.LOGGING: Logging.IDLE},
    Effect.FILL: {Logging.LOGGING: Logging.FULL},
    Effect.MAKE_ROOM: {Logging.FULL: Logging.IDLE},
}
"""What each effect makes of the parts of a state; a part that is not named stays."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: `where` it holds, what happens, and for which option of a freedom.

    where
        Parts of states; a state fits if, of each kind of part that is named, its own is among them.
    status
        What the command ends with, the controller as it was; None: success, if it is a command at all.
    effects
        What happens, in this order.
    option
        Name of a freedom and the option of it for which the row holds; None: always.
    """

    where: frozenset[Part]
    status: Status | None = None
    effects: tuple[Effect, ...] = ()
    option: tuple[str, str] | None = None

    def fits(self, state: State, habits: Habits) -> bool:
        """Whether this is the row for a controller in `state` on an SSD of these habits."""
        if self.option is not None and getattr(habits, self.option[0]) != self.option[1]:
            return False
        return all(part in self.where or self.where.isdisjoint(type(part)) for part in state)


def _refuse(status: Status, *where: Part) -> Rule:
    return Rule(frozenset(where), status)


def _do(*effects: Effect, where: tuple[Part, ...] = (), option: tuple[str, str] | None = None) -> Rule:
    return Rule(frozenset(where), None, effects, option)


_NOTHING = _do()
_UNSUSPENDED = (Motion.FREE, Motion.BUSY)
_STOPPING = (Motion.DRAINING, Motion.SUSPENDED)
_AWAY = (Power.OFFLINE, Power.EQUIPPED)
_ONLINE = (Power.DISABLED, Power.ENABLED, Power.FAILED, Power.SHUT_DOWN)
_ON = (Power.ENABLED, Power.FAILED, Power.SHUT_DOWN)

# F-9: suspended, or CC.EN = 1, or offline.
_TAKES_NO_STATE = _refuse(Status.INVALID_CONTROLLER_IDENTIFIER, Power.DISABLED, *_UNSUSPENDED)
_OUT_OF_SEQUENCE = _refuse(Status.COMMAND_SEQUENCE_ERROR, Intake.EMPTY)
# Queues are not replaced under commands in flight; the standard has no word on it.
_IN_USE = _refuse(Status.INVALID_FIELD, Motion.BUSY, Motion.DRAINING)
_NO_QUEUE = _refuse(Status.INVALID_CONTROLLER_DATA_QUEUE, Logging.NO_QUEUE)
_IS_SUSPENDED = _refuse(Status.CONTROLLER_SUSPENDED, *_STOPPING)
_LOGGED_ALREADY = _refuse(Status.INVALID_CONTROLLER_DATA_QUEUE, Logging.STARTING, Logging.LOGGING)

_CLR = (Effect.RESET, Effect.RESUME, Effect.FORGET)
_CLR_OFFLINE = (*_CLR, Effect.GO_OFFLINE)
_WAITS = ("start_logging", "after commands in flight")
_EITHER = ("reset_resumes", "either controller")

TABLE: Mapping[Event, tuple[Rule, ...]] = {
    Event.SUSPEND_NOTIFICATION: (_NOTHING,),
    Event.SUSPEND: (_do(Effect.SUSPEND),),
    # F-1: the commands in flight end, the queue is told of it, and goes; then the Suspend completes.
    Event.SUSPEND_AND_DELETE: (_do(Effect.SUSPEND, Effect.FINISH, Effect.DELETE_QUEUE),),
    Event.RESUME: (
        _refuse(Status.CONTROLLER_NOT_SUSPENDED, *_UNSUSPENDED),
        _refuse(Status.COMMAND_SEQUENCE_ERROR, Intake.PARTS),
        _do(Effect.RESUME),
    ),
    Event.SET_FIRST: (_TAKES_NO_STATE, _do(Effect.FORGET, Effect.TAKE_PART)),
    Event.SET_MIDDLE: (_TAKES_NO_STATE, _OUT_OF_SEQUENCE, _do(Effect.TAKE_PART)),
    Event.SET_LAST: (_TAKES_NO_STATE, _OUT_OF_SEQUENCE, _IN_USE, _do(Effect.COMMIT)),
    Event.SET_ONLY: (_TAKES_NO_STATE, _IN_USE, _do(Effect.FORGET, Effect.COMMIT)),
    Event.GET_STATE: (_do(Effect.SAY_CONSISTENT, where=(Motion.SUSPENDED,)), _NOTHING),
    Event.CREATE_QUEUE: (
        _do(Effect.CREATE_QUEUE, where=(Logging.NO_QUEUE,)),
        _refuse(Status.INVALID_FIELD),
    ),
    Event.DELETE_QUEUE: (_NO_QUEUE, _do(Effect.DELETE_QUEUE)),
    Event.START_LOGGING: (
        _NO_QUEUE,
        _IS_SUSPENDED,
        _LOGGED_ALREADY,
        _refuse(Status.CONTROLLER_DATA_QUEUE_FULL, Logging.FULL),
        _do(Effect.AWAIT_COMMANDS, where=(Motion.BUSY,), option=_WAITS),
        _do(Effect.AWAIT_COMMANDS, Effect.START, option=_WAITS),
        _do(Effect.START),
    ),
    Event.STOP_LOGGING: (_NO_QUEUE, _IS_SUSPENDED, _do(Effect.STOP)),
    Event.TRACK_MEMORY: (_IS_SUSPENDED, _NOTHING),
    Event.CONSUME: (_NO_QUEUE, _do(Effect.MAKE_ROOM)),
    Event.SANITIZE: (_IS_SUSPENDED, _NOTHING),
    Event.TAKE_OFFLINE: (
        # One that is offline already is not reset by it.
        _do(Effect.GO_OFFLINE, where=_AWAY),
        _do(*_CLR_OFFLINE, Effect.START, where=(Logging.STARTING,)),
        _do(*_CLR_OFFLINE),
    ),
    Event.ASSIGN: (
        _do(Effect.EQUIP, where=_AWAY),
        _refuse(Status.INVALID_SECONDARY_CONTROLLER_STATE),
    ),
    Event.BRING_ONLINE: (
        _refuse(Status.INVALID_SECONDARY_CONTROLLER_STATE, Power.OFFLINE),
        _do(Effect.GO_ONLINE),
    ),
    Event.ENABLE: (_do(Effect.ENABLE, where=(Power.DISABLED,)), _NOTHING),
    Event.MISCONFIGURE: (_do(Effect.FAIL, where=(Power.DISABLED,)), _NOTHING),
    Event.RESET: (
        _do(*_CLR, Effect.START, where=(*_ON, Logging.STARTING)),
        _do(*_CLR, where=_ON),
        _NOTHING,
    ),
    Event.SHUT_DOWN: (_do(Effect.SHUT_DOWN, where=(Power.ENABLED,)), _NOTHING),
    Event.FUNCTION_RESET: (
        _do(*_CLR, Effect.CLEAR_ADDRESSES, Effect.START, where=(Logging.STARTING,)),
        _do(*_CLR, Effect.CLEAR_ADDRESSES),
    ),
    Event.SUBMIT: (
        _do(where=(Logging.STARTING,)),
        _do(Effect.FETCH, where=(Power.ENABLED, *_UNSUSPENDED)),
        _NOTHING,
    ),
    Event.FILL: (_do(Effect.FILL, where=(Power.ENABLED, *_UNSUSPENDED)), _NOTHING),
    Event.FINISH: (
        _do(Effect.FINISH, Effect.GIVE_UP_START, where=(Motion.DRAINING,)),
        _do(Effect.FINISH, Effect.START, where=(Logging.STARTING,)),
        _do(Effect.FINISH),
    ),
    Event.FUNCTIONS_OFF: (
        _do(*_CLR_OFFLINE, Effect.START, where=(Logging.STARTING,)),
        _do(*_CLR_OFFLINE),
    ),
    Event.MMC_RESET: (
        # Freedom 7: whether the end of the MMC's own work ends suspensions too.
        _do(Effect.DELETE_QUEUE, *_CLR_OFFLINE, where=_ONLINE, option=_EITHER),
        _do(Effect.DELETE_QUEUE, Effect.RESET, Effect.FORGET, Effect.GO_OFFLINE, where=_ONLINE),
        _do(Effect.DELETE_QUEUE, Effect.RESUME, option=_EITHER),
        _do(Effect.DELETE_QUEUE),
    ),
    Event.MMC_SHUT_DOWN: (
        _do(
            Effect.RESET,
            Effect.FORGET,
            Effect.GO_OFFLINE,
            Effect.START,
            where=(*_ONLINE, Motion.BUSY, Logging.STARTING),
        ),
        _do(Effect.GIVE_UP_START, Effect.RESET, Effect.FORGET, Effect.GO_OFFLINE, where=_ONLINE),
        _NOTHING,
    ),
    Event.MMC_FUNCTION_RESET: (
        # A function level reset of the physical function clears VF Enable: the virtual functions are gone.
        _do(Effect.DELETE_QUEUE, *_CLR_OFFLINE, Effect.CLEAR_ADDRESSES),
    ),
    Event.POWER_LOSS: (_do(Effect.DELETE_QUEUE, *_CLR_OFFLINE, Effect.CLEAR_ADDRESSES),),
}
"""Event -> its rules, the first that fits holds; the last fits always."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A cell of the table: the status, None for success; the effects; and the state afterwards."""

    status: Status | None
    effects: tuple[Effect, ...]
    state: State


@cache
def outcome(event: Event, state: State, habits: Habits) -> Outcome:
    """What `event` does to a controller in `state`."""
    rule = next(rule for rule in TABLE[event] if rule.fits(state, habits))
    after = state
    for effect in rule.effects:
        after = State._make(BECOMES[effect].get(part, part) for part in after)
    return Outcome(rule.status, rule.effects, after)


@cache
def depends_on(event: Event, kind: type[Part]) -> bool:
    """Whether the rules of `event` look at this kind of part."""
    return any(not rule.where.isdisjoint(kind) for rule in TABLE[event])


def fetches(state: State, habits: Habits) -> bool:
    """Whether a controller in `state` fetches what its host submits."""
    return Effect.FETCH in outcome(Event.SUBMIT, state, habits).effects


def reachable(start: State, habits: Habits) -> Iterator[tuple[State, tuple[Event, ...]]]:
    """Every state that can follow from `start`, with a shortest way to it."""
    ways: dict[State, tuple[Event, ...]] = {start: ()}
    waiting = [start]
    # The list grows while it is gone through.
    for state in waiting:
        yield state, ways[state]
        for event in Event:
            after = outcome(event, state, habits).state
            if after not in ways:
                ways[after] = (*ways[state], event)
                waiting.append(after)
