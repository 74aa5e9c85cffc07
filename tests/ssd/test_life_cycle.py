"""Every cell of the life cycle's table, through the door with raw commands: what is answered, and what it leaves.

The table says how to get a controller into each state, and what each event does there; the device has to come along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from random import Random as Dice

import pytest

from nvmelm_lab.engine import Actor, Kind, RunToBlock
from nvmelm_lab.engine import do as take_step
from nvmelm_lab.nvme import Status
from nvmelm_lab.nvme.codes import FunctionRegister, Property
from nvmelm_lab.ssd import Habits
from nvmelm_lab.ssd.footprints import resetting
from nvmelm_lab.ssd.life_cycle import (
    BECOMES,
    TABLE,
    Effect,
    Event,
    Intake,
    Logging,
    Motion,
    Outcome,
    Power,
    Rule,
    State,
    fetches,
    outcome,
    reachable,
)
from nvmelm_lab.ssd.power import lose_power
from nvmelm_lab.ssd.transitions import state_of
from tests.ssd import by_hand as do
from tests.ssd.by_hand import FIRST_PART, LAST_PART, MIDDLE_PART, ONLY_PART, SUCCESS
from tests.ssd.door import ENABLE, Bench, Y, raw

START = State(Power.OFFLINE, Motion.FREE, Intake.EMPTY, Logging.NO_QUEUE)
SLOTS = 16
NO_SUCH_QUEUE = 0x99
SHUTDOWN = 1 << 14

Rewrite = Callable[[Event, Rule], None]

HABITS = {
    "own habits": Habits(),
    "starts wait": Habits(start_logging="after commands in flight"),
    "own reset": Habits(reset_resumes="own controller"),
}


class Holding(RunToBlock):
    """Keeps the commands of `held` in flight: their steps are offered, and not taken before `release`."""

    def __init__(self) -> None:
        super().__init__()
        self.held: set[str] = set()
        self._waiting: list[Actor] = []

    def next(self) -> Actor | None:
        while (actor := super().next()) is not None and actor.name in self.held:
            self._waiting.append(actor)
        return actor

    def release(self) -> None:
        self.held.clear()
        for actor in self._waiting:
            self.offer(actor)
        self._waiting.clear()


class Walker:
    """A bench whose controller Y goes from state to state by what is asked of its MMC, and by what hosts do."""

    def __init__(self, habits: Habits, *, audited: bool = False) -> None:
        self.schedule = Holding()
        self.bench = Bench(self.schedule, habits=habits, audited=audited)
        self.habits = habits
        self.mmc, self.guest = self.bench.x, self.bench.y
        self.mmc.enable(entries=64)
        assert self.make_namespace() == SUCCESS
        self.cdqid = NO_SUCH_QUEUE
        self.ring = self.mmc.take(32 * SLOTS)
        self.read = 0
        self.image = self.mmc.take()
        # A header, and an NVMe Controller State of 2 dwords, without queues.
        self.mmc.space.write(self.image, bytes(16) + (2).to_bytes(16, "little") + bytes(16) + bytes(8))
        self.dw0 = 0

    def make_namespace(self) -> int | None:
        address = self.mmc.take()
        self.mmc.space.write(address, (64).to_bytes(8, "little") * 2 + bytes(14) + b"\1")
        assert self.command(raw(0x0D, prp1=address)) == SUCCESS
        self.mmc.space.write(address, bytes.fromhex("0100 0200") + bytes(60))
        return self.command(raw(0x15, nsid=1, prp1=address))

    @property
    def state(self) -> State:
        return state_of(self.guest.controller)

    def run(self) -> None:
        self.bench.engine.run()

    def command(self, sqe: bytes) -> int | None:
        """The status of an admin command of the MMC, None while it has not completed."""
        ring = self.mmc.admin
        (cid,) = ring.submit(sqe)
        self.run()
        ring.reap()
        for cqe in ring.unread.pop(cid, []):
            self.dw0 = cqe.dw0
            return cqe.status_word >> 1 & 0x7FF
        return None

    def guest_command(self, sqe: bytes) -> None:
        assert self.guest.admin.status(sqe) == SUCCESS

    # -- what is no single command of the MMC --------------------------------------------------------------

    def create(self) -> int | None:
        self.mmc.space.write(self.ring, bytes(32 * SLOTS))
        code = self.command(do.create_cdq(self.ring, 8 * SLOTS, Y))
        if code == SUCCESS:
            self.cdqid = self.dw0
        return code

    def consume(self) -> int | None:
        queue = self.guest.controller.migration_queue
        tail = 0 if queue is None else queue.tail % SLOTS
        return self.command(do.set_head(self.cdqid, tail))

    def assign(self) -> int | None:
        one, other = (self.command(raw(0x1C, cdw10=Y << 16 | kind << 8 | 8, cdw11=4)) for kind in (0, 1))
        assert one == other
        return other

    def submit(self) -> None:
        """The guest submits Get Features 07h; if the table lets it be fetched, it stays in flight."""
        controller = self.guest.controller
        if Effect.FETCH in outcome(Event.SUBMIT, self.state, self.habits).effects:
            self.schedule.held.add(f"Y.sq0#{controller.sqs[0].fetched + 1}")
        if self.guest.rings:
            self.guest.admin.submit(raw(0x0A, cdw10=0x07))

    @property
    def waiting(self) -> int:
        """Commands of the guest that are visible and not fetched."""
        queue = self.guest.controller.sqs.get(0)
        return 0 if queue is None else queue.visible.level - queue.fetched

    def fill(self) -> None:
        """The guest changes blocks until the queue is full, through I/O queues that it makes and deletes."""
        queue = self.guest.controller.migration_queue
        if queue is None or not queue.logging or Effect.FILL not in self.expected(Event.FILL).effects:
            return
        self.guest.make_ring(1)
        while not queue.is_full:
            assert self.guest.io.status(do.write_zeroes(0, 1)) == SUCCESS
        self.guest_command(raw(0x00, cdw10=1))
        self.guest_command(raw(0x04, cdw10=1))
        del self.guest.rings[1]

    def expected(self, event: Event) -> Outcome:
        return outcome(event, self.state, self.habits)

    def enable(self, cc: int) -> None:
        if self.state.power is Power.DISABLED:
            self.guest.enable(cc=cc)
        else:
            self.guest.write(Property.CC, ENABLE)

    def functions_off(self) -> None:
        self.bench.configure(self.mmc.controller, FunctionRegister.SRIOV_CONTROL, 0)
        self.bench.configure(self.mmc.controller, FunctionRegister.SRIOV_CONTROL, 1)

    def mmc_reset(self) -> None:
        self.mmc.write(Property.CC, 0)
        self.mmc.enable(entries=64)

    def mmc_function_reset(self) -> None:
        mmc = self.mmc.controller
        self.bench.configure(mmc, FunctionRegister.PXDC, 1 << 15)
        self.bench.configure(mmc, FunctionRegister.NUM_VFS, 2)
        self.bench.configure(mmc, FunctionRegister.SRIOV_CONTROL, 1)
        self.mmc.enable(entries=64)

    def power_loss(self) -> None:
        self.bench.engine.spawn("power", self._lose_power())
        self.run()
        self.mmc.enable(entries=64)

    async def _lose_power(self) -> None:
        primary = self.mmc.controller
        await take_step(
            Kind("power", lambda _: lose_power(self.bench.ssd), touches=lambda _: resetting(primary))
        )

    def set_state(self, seqind: int, first: int, behind: int) -> int | None:
        dwords = (behind - first) // 4
        return self.command(do.set_state(self.image + first, Y, dwords, seqind=seqind, offset=first))


def _deed(function: Callable[[Walker], object]) -> Callable[[Walker], int | None]:
    """What is answered by nobody."""

    def deed(walker: Walker) -> None:
        function(walker)
        walker.run()

    return deed


DEEDS: dict[Event, Callable[[Walker], int | None]] = {
    Event.SUSPEND_NOTIFICATION: lambda w: w.command(do.suspend(Y, stype=0)),
    Event.SUSPEND: lambda w: w.command(do.suspend(Y)),
    Event.SUSPEND_AND_DELETE: lambda w: w.command(do.suspend(Y, dudmq=1)),
    Event.RESUME: lambda w: w.command(do.resume(Y)),
    Event.SET_FIRST: lambda w: w.set_state(FIRST_PART, 0, 48),
    Event.SET_MIDDLE: lambda w: w.set_state(MIDDLE_PART, 48, 52),
    Event.SET_LAST: lambda w: w.set_state(LAST_PART, 48, 56),
    Event.SET_ONLY: lambda w: w.set_state(ONLY_PART, 0, 56),
    Event.GET_STATE: lambda w: w.command(do.get_state(w.mmc.take(), Y)),
    Event.CREATE_QUEUE: Walker.create,
    Event.DELETE_QUEUE: lambda w: w.command(do.delete_cdq(w.cdqid)),
    Event.START_LOGGING: lambda w: w.command(do.start_logging(w.cdqid)),
    Event.STOP_LOGGING: lambda w: w.command(do.stop_logging(w.cdqid)),
    Event.TRACK_MEMORY: lambda w: w.command(raw(0x3D, cdw10=1, cdw11=Y)),
    Event.CONSUME: Walker.consume,
    Event.SANITIZE: lambda w: w.command(do.sanitize()),
    Event.TAKE_OFFLINE: lambda w: w.command(raw(0x1C, cdw10=Y << 16 | 7)),
    Event.ASSIGN: Walker.assign,
    Event.BRING_ONLINE: lambda w: w.command(raw(0x1C, cdw10=Y << 16 | 9)),
    Event.ENABLE: _deed(lambda w: w.enable(ENABLE)),
    Event.MISCONFIGURE: _deed(lambda w: w.enable(ENABLE | 1 << 7)),
    Event.RESET: _deed(lambda w: w.guest.write(Property.CC, 0)),
    Event.SHUT_DOWN: _deed(lambda w: w.guest.write(Property.CC, w.guest.read(Property.CC) | SHUTDOWN)),
    Event.FUNCTION_RESET: _deed(
        lambda w: w.bench.configure(w.guest.controller, FunctionRegister.PXDC, 1 << 15)
    ),
    Event.SUBMIT: _deed(Walker.submit),
    Event.FILL: _deed(Walker.fill),
    Event.FINISH: _deed(lambda w: w.schedule.release()),
    Event.FUNCTIONS_OFF: _deed(Walker.functions_off),
    Event.MMC_RESET: _deed(Walker.mmc_reset),
    Event.MMC_SHUT_DOWN: _deed(lambda w: w.mmc.write(Property.CC, ENABLE | SHUTDOWN)),
    Event.MMC_FUNCTION_RESET: _deed(Walker.mmc_function_reset),
    Event.POWER_LOSS: _deed(Walker.power_loss),
}
"""How each event is brought about; gives the status of what is a command and has completed."""

COMMANDS = frozenset(list(Event)[: list(Event).index(Event.ENABLE)])
CSTS = {
    Power.OFFLINE: 0b10,
    Power.EQUIPPED: 0b10,
    Power.DISABLED: 0b00,
    Power.ENABLED: 0b01,
    Power.FAILED: 0b10,
    Power.SHUT_DOWN: 0b01,
}
"""RDY and CFS, as the host reads them."""


def step(walker: Walker, event: Event) -> None:
    """Let the event happen, and hold what is answered and what it leaves against the table."""
    before = walker.state
    cell = outcome(event, before, walker.habits)
    code = DEEDS[event](walker)
    where = f"{event.value} in {' / '.join(part.value for part in before)}"
    if event in COMMANDS:
        waits = code is None
        drains = cell.state.motion is Motion.DRAINING and Effect.SUSPEND in cell.effects
        expected = SUCCESS if cell.status is None else int(cell.status)
        if waits:
            assert drains or Effect.FINISH in cell.effects or Effect.AWAIT_COMMANDS in cell.effects, where
        else:
            assert code == expected, where
    if Effect.FINISH in cell.effects and event is not Event.FINISH:
        walker.schedule.release()
        walker.run()
    assert walker.state == cell.state, where
    assert walker.guest.read(Property.CSTS) & 0b11 == CSTS[cell.state.power], where
    if event is Event.GET_STATE:
        assert walker.dw0 == (Effect.SAY_CONSISTENT in cell.effects), where


@cache
def ways(name: str) -> dict[State, tuple[Event, ...]]:
    return dict(reachable(START, HABITS[name]))


def brought_to(name: str, state: State, *, audited: bool = False) -> Walker:
    walker = Walker(HABITS[name], audited=audited)
    assert walker.state == START
    for event in ways(name)[state]:
        step(walker, event)
    return walker


# -- the device comes along -------------------------------------------------------------------------------


@pytest.mark.parametrize("motion", Motion)
@pytest.mark.parametrize("power", Power)
@pytest.mark.parametrize("name", HABITS)
def test_in_every_state_every_event_is_answered_and_ends_as_the_table_says(
    name: str, power: Power, motion: Motion
) -> None:
    states = [state for state in ways(name) if (state.power, state.motion) == (power, motion)]
    cannot_be = motion in (Motion.BUSY, Motion.DRAINING) and power not in (Power.ENABLED, Power.SHUT_DOWN)
    assert bool(states) != cannot_be
    for state in states:
        walk(name, state, audited=False)


@pytest.mark.parametrize("logging", Logging)
def test_no_event_touches_more_in_any_state_than_it_says(logging: Logging) -> None:
    for state in ways("starts wait"):
        if state.logging is logging:
            walk("starts wait", state, audited=True)


def walk(name: str, state: State, *, audited: bool) -> None:
    """Every event in this state."""
    walker = brought_to(name, state, audited=audited)
    for event in Event:
        if walker.state != state:
            walker = brought_to(name, state, audited=audited)
        step(walker, event)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", HABITS)
def test_nothing_but_its_state_decides_what_an_event_does_to_a_controller(name: str, seed: int) -> None:
    dice = Dice(seed)
    walker = brought_to(name, dice.choice(list(ways(name))))
    for _ in range(60):
        if walker.state.logging is not Logging.FULL:
            # Lest markers fill the queue: that is an event of its own.
            walker.consume()
        event = dice.choice(list(Event))
        if event is not Event.SUBMIT or walker.waiting < 8:
            step(walker, event)


@pytest.fixture
def rewrite(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rewrite]:
    """Give an event of the table one rule alone.  What the table said is remembered, so that is forgotten."""

    def to(event: Event, rule: Rule) -> None:
        monkeypatch.setitem(TABLE, event, (rule,))
        outcome.cache_clear()

    yield to
    outcome.cache_clear()


@pytest.mark.parametrize(
    "event", sorted(COMMANDS, key=lambda event: event.name), ids=lambda event: event.name
)
def test_every_command_asks_the_table(event: Event, rewrite: Rewrite) -> None:
    walker = Walker(Habits())
    for each in (Event.CREATE_QUEUE, Event.ASSIGN, Event.BRING_ONLINE, Event.ENABLE):
        step(walker, each)
    rewrite(event, Rule(frozenset(), Status.FORMAT_IN_PROGRESS))
    before = walker.state
    assert DEEDS[event](walker) == Status.FORMAT_IN_PROGRESS
    assert walker.state == before


@pytest.mark.parametrize(
    "event",
    [
        Event.RESET,
        Event.FUNCTION_RESET,
        Event.FUNCTIONS_OFF,
        Event.MMC_RESET,
        Event.MMC_SHUT_DOWN,
        Event.MMC_FUNCTION_RESET,
        Event.POWER_LOSS,
        Event.TAKE_OFFLINE,
        Event.BRING_ONLINE,
    ],
    ids=lambda event: event.name,
)
def test_what_befalls_a_controller_does_to_it_what_the_table_says(event: Event, rewrite: Rewrite) -> None:
    walker = Walker(Habits())
    for each in (Event.CREATE_QUEUE, Event.ASSIGN, Event.BRING_ONLINE, Event.ENABLE, Event.SUSPEND):
        step(walker, each)
    rewrite(event, Rule(frozenset(), None, (Effect.RESUME,)))
    before = walker.state
    DEEDS[event](walker)
    assert walker.state == before._replace(motion=Motion.FREE)


def test_whether_it_fetches_is_read_from_the_table(rewrite: Rewrite) -> None:
    walker = Walker(Habits())
    rewrite(Event.SUBMIT, Rule(frozenset(), None, ()))
    for each in (Event.ASSIGN, Event.BRING_ONLINE, Event.ENABLE):
        step(walker, each)
    walker.guest.admin.submit(raw(0x0A, cdw10=0x07))
    walker.run()
    assert walker.guest.admin.look() is None


# -- the table itself -------------------------------------------------------------------------------------

EVERY_STATE = [State(*parts) for parts in product(Power, Motion, Intake, Logging)]


def test_there_is_an_answer_for_every_event_in_every_state_and_a_refusal_changes_nothing() -> None:
    for event in Event:
        for state in EVERY_STATE:
            cell = outcome(event, state, Habits())
            if cell.status is not None:
                assert not cell.effects
                assert cell.state == state


def test_every_rule_is_needed() -> None:
    picked = {
        id(next(rule for rule in rules if rule.fits(state, habits)))
        for name, habits in HABITS.items()
        for state in ways(name)
        for rules in TABLE.values()
    }
    needless = [
        (event.name, rule) for event, rules in TABLE.items() for rule in rules if id(rule) not in picked
    ]
    assert needless == []


def test_every_effect_and_every_part_of_a_state_comes_about() -> None:
    assert {effect for rules in TABLE.values() for rule in rules for effect in rule.effects} == set(Effect)
    assert set(BECOMES) == set(Effect)
    seen = {part for name in HABITS for state in ways(name) for part in state}
    assert seen == {*Power, *Motion, *Intake, *Logging}


def test_only_a_suspended_controller_claims_that_its_state_fits_together() -> None:
    says = {
        state.motion
        for state in EVERY_STATE
        if Effect.SAY_CONSISTENT in outcome(Event.GET_STATE, state, Habits()).effects
    }
    assert says == {Motion.SUSPENDED}


def test_nothing_but_a_running_controller_fetches() -> None:
    fetching = {state for state in EVERY_STATE if fetches(state, Habits())}
    assert fetching == {
        state
        for state in EVERY_STATE
        if state.power is Power.ENABLED
        and state.motion in (Motion.FREE, Motion.BUSY)
        and state.logging is not Logging.STARTING
    }
