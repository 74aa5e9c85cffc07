"""Resets and Delete I/O SQ among the steps of commands in flight: the explorer sees every order once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from nvmelm_lab.engine import Kind, Recorder, Schedule, do
from nvmelm_lab.errors import KitError
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import Property
from nvmelm_lab.races import Explorer, Found
from nvmelm_lab.ssd import Controller, Habits
from tests.ssd.door import Host, Ring, Y, ready
from tests.ssd.mq import MigrationQueue

OK = 0


@dataclass(frozen=True)
class Race:
    """What a guest on Y does, and what others do meanwhile.

    writes
        Commands of the guest, an LBA each.
    reset
        Controllers whose CC is written 0, each by an operator of its own.
    """

    writes: int = 1
    reset: tuple[str, ...] = ()
    delete_sq: bool = False
    suspend: bool = False
    order: str = "entry first"


class ResetWorld:
    """Y is logged; its guest zeroes LBA 0, 1, ... while somebody ends its commands."""

    def __init__(self, race: Race) -> None:
        self.race = race
        self.bench = ready(habits=Habits(entry_order=race.order))
        self.engine = self.bench.engine
        self.queue: MigrationQueue = self.bench.x.make_mq(16)
        assert self.queue.start() == OK
        if "X" in race.reset:
            self.bench.x.controller.reckon_with_resets()
        self._poke = Kind(
            "doorbell",
            lambda ring: ring.ring(),
            touches=lambda ring: ring.host.controller.doorbell_touches(),
            label=lambda ring: f"the host of {ring.host.controller.name} rings SQ {ring.qid}",
        )
        self._reset = Kind(
            "property",
            lambda host: host.write(Property.CC, 0),
            touches=lambda host: host.controller.property_touches(Property.CC),
            label=lambda host: f"the host of {host.controller.name} writes CC",
        )

    def begin(self, schedule: Schedule, recorder: Recorder | None = None) -> None:
        bench, race = self.bench, self.race
        self.engine.use(schedule, recorder=recorder)
        self.engine.spawn("guest", self._rings(bench.y.io, *map(_zero, range(race.writes))))
        for name in race.reset:
            host: Host = getattr(bench, name.lower())
            self.engine.spawn(f"operator of {name}", self._resets(host))
        if race.delete_sq:
            self.engine.spawn("driver", self._rings(bench.y.admin, commands.delete_io_sq(0, 1)))
        if race.suspend:
            self.engine.spawn("VMM", self._rings(bench.x.admin, lm.suspend(0, Y)))

    async def _rings(self, ring: Ring, *sqes: bytes) -> None:
        for sqe in sqes:
            ring.put(sqe)
            await do(self._poke, ring)

    async def _resets(self, host: Host) -> None:
        await do(self._reset, host)

    def verdict(self) -> str:
        """Empty when every change was told of, and none that was not made was answered with success."""
        changed, told = self.changed(), self.told()
        if not told <= changed:
            return f"told of {sorted(told - changed)}, which did not change"
        if not changed <= told and "X" not in self.race.reset:
            return f"nobody was told that {sorted(changed - told)} changed"
        if self.answers().count(OK) > len(changed):
            return "a command succeeded and changed nothing"
        return ""

    def changed(self) -> set[int]:
        namespace = self.bench.ssd.namespaces[1]
        return {lba for lba in range(self.race.writes) if not namespace.is_deallocated(lba, 1)}

    def told(self) -> set[int]:
        return {entry.slba for entry in self.queue.look() if entry.blocks}

    def answers(self) -> list[int]:
        cqes = list(self.bench.y.io.reap(tell=False))
        self.bench.y.io.reaped -= len(cqes)
        return [cqe.status_word >> 1 & 0x7FF for cqe in cqes]

    def outcome(self) -> object:
        """All that anybody could tell of the run in the end."""
        entries = [(entry.slba, entry.blocks, entry.esa) for entry in self.queue.look()]
        controllers = self.bench.ssd.controllers.values()
        states = tuple((each.cc, each.online, each.suspended, sorted(each.sqs)) for each in controllers)
        return tuple(self.changed()), tuple(self.answers()), repr(entries), repr(states)


def _zero(lba: int) -> bytes:
    return commands.write_zeroes(0, 1, lba, 1)


def explore(race: Race, reduction: str = "source-dpor") -> Found:
    return Explorer(lambda: ResetWorld(race), reduction=reduction, observe=ResetWorld.outcome).run()


RACES = [
    (Race(reset=("Y",)), 6),
    (Race(writes=2, reset=("Y",)), 31),
    (Race(reset=("Y",), order="completion first"), 6),
    (Race(delete_sq=True), 6),
    (Race(writes=2, delete_sq=True), 31),
    (Race(reset=("Y",), suspend=True), 15),
    (Race(reset=("X",)), 6),
    (Race(reset=("X",), suspend=True), 30),
    (Race(reset=("X", "Y")), 13),
]


@pytest.mark.parametrize(("race", "executions"), RACES, ids=str)
def test_whoever_ends_commands_leaves_no_change_untold_in_exactly_this_many_orders(
    race: Race, executions: int
) -> None:
    found = explore(race)
    assert found.failures == {}
    assert (found.executions, found.redundant) == (executions, 0)


@pytest.mark.parametrize(("race", "executions"), RACES, ids=str)
def test_source_dpor_sees_as_many_orders_and_the_same_outcomes_as_sleep_sets(
    race: Race, executions: int
) -> None:
    full = explore(race, "sleep sets")
    assert full.executions == executions
    assert full.finals == explore(race).finals


def test_a_reset_may_come_before_and_after_every_step_of_a_command() -> None:
    changed_and_answered = {(bool(final[1][0]), bool(final[1][1])) for final in explore(RACES[0][0]).finals}
    assert changed_and_answered == {(False, False), (True, False), (True, True)}


def test_a_reset_that_does_not_say_whom_it_stops_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Controller, "ending_touches", lambda self: ((), (("state", self.name),)))
    with pytest.raises(KitError, match=r"without touching"):
        explore(RACES[0][0], "sleep sets")
