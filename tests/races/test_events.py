"""Events and Aborts among the steps of others, in every order; what the explorer leaves out shows nothing new."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from nvmelm_lab.engine import Kind, Random, Recorder, Schedule, do
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import Property
from nvmelm_lab.races import Explorer, Found
from nvmelm_lab.races import guide as guides
from nvmelm_lab.ssd import Habits, admission
from tests.ssd.door import Ring, ready

REQUEST = commands.async_event_request(0)
TAIL, FULL = 0x0000_0004, 0x0000_0104
ASKED = 0x700
"""CID of the first request."""


@dataclass(frozen=True)
class Race:
    """What a guest on Y and a VMM on X do at the same time; the VMM does one thing after the other.

    writes
        Commands of the guest, an LBA each.
    requests
        Asynchronous Event Requests of the VMM, all at once, by a program of their own.
    trigger
        Slot whose entry is to raise an event.
    then
        Which more of the VMM's commands follow: ``forget`` the trigger, ``delete`` the queue, ``start`` again.
    abort
        What is aborted: the first ``request``, or the guest's first ``write``.
    aborts
        By how many Aborts, all at once.
    most
        Limit of requests and of Aborts.
    reset
        Whether somebody resets X.
    unread
        Completions that lie in X's admin queue, of 15 that fit, and that nobody reads.
    """

    writes: int = 1
    requests: int = 1
    trigger: int | None = None
    then: str = ""
    abort: str = ""
    aborts: int = 1
    most: int = 4
    reset: bool = False
    unread: int = 0
    slots: int = 8
    habits: Habits = field(default_factory=Habits, repr=False)


class EventWorld:
    """Y is logged; a VMM asks for events while entries are posted."""

    def __init__(self, race: Race) -> None:
        self.race = race
        self.bench = ready(habits=race.habits)
        self.engine = self.bench.engine
        self.queue = self.bench.x.make_mq(race.slots)
        assert self.queue.start() == 0
        self.bench.x.admin.submit(*[commands.get_number_of_queues(0)] * race.unread)
        self.engine.run()
        self._poke = Kind(
            "doorbell",
            lambda ring: ring.ring(),
            touches=lambda ring: ring.host.controller.doorbell_touches(),
            label=lambda ring: f"the host of {ring.host.controller.name} rings SQ {ring.qid}",
        )

        if race.reset:
            self.bench.x.controller.reckon_with_resets()
        self._reset = Kind(
            "property",
            lambda host: host.write(Property.CC, 0),
            touches=lambda host: host.controller.property_touches(Property.CC),
            label=lambda host: f"the host of {host.controller.name} writes CC",
        )

    def begin(self, schedule: Schedule, recorder: Recorder | None = None) -> None:
        bench, race = self.bench, self.race
        self.engine.use(schedule, recorder=recorder)
        writes = [commands.write_zeroes(0, 1, lba, 1) for lba in range(race.writes)]
        self.engine.spawn("guest", self._issues(bench.y.io, writes, 0x100))
        self.engine.spawn("events", self._issues(bench.x.admin, [REQUEST] * race.requests, ASKED))
        cdqid = self.queue.cdqid
        rest = {
            "forget": [lm.set_head(0, cdqid, 0)],
            "delete": [lm.delete_cdq(0, cdqid)],
            "start": [lm.track_send(0, cdqid, 0), lm.track_send(0, cdqid, 1)],
            "": [],
        }[race.then]
        armed = [] if race.trigger is None else [lm.set_head(0, cdqid, 0, race.trigger)]
        self.engine.spawn("VMM", self._issues_in_turn(bench.x.admin, [*armed, *rest], 0x500))
        if race.abort == "request":
            self.engine.spawn(
                "canceller", self._issues(bench.x.admin, [commands.abort(0, 0, ASKED)] * race.aborts, 0x900)
            )
        if race.abort == "write":
            self.engine.spawn(
                "canceller", self._issues(bench.y.admin, [commands.abort(0, 1, 0x100)] * race.aborts, 0x900)
            )

        if race.reset:
            self.engine.spawn("operator", self._resets())

    async def _resets(self) -> None:
        await do(self._reset, self.bench.x)

    async def _issues(self, ring: Ring, sqes: list[bytes], cid: int) -> None:
        for number, sqe in enumerate(sqes):
            ring.put(sqe, cid + number)
        if sqes:
            await do(self._poke, ring)

    async def _issues_in_turn(self, ring: Ring, sqes: list[bytes], cid: int) -> None:
        for number, sqe in enumerate(sqes):
            await self._issues(ring, [sqe], cid + number)

    def _rings(self) -> tuple[Ring, ...]:
        return self.bench.x.admin, self.bench.y.admin, self.bench.y.io

    def answers(self, ring: Ring) -> list[tuple[int, int, int, int]]:
        """CID, status, DW0 and DW1 of what the run has completed."""
        before, found = ring.reaped, ring.reap(tell=False)
        ring.reaped = before
        return [(cqe.cid, cqe.status_word >> 1 & 0x7FF, cqe.dw0, cqe.dw1) for cqe in found]

    def told(self) -> list[int]:
        """DW0 of the requests that were told of something."""
        return [
            dw0
            for cid, status, dw0, _ in self.answers(self.bench.x.admin)
            if cid & 0xF00 == ASKED and not status
        ]

    def verdict(self) -> str:
        """Empty when nobody is told twice, and nobody waits for what has happened."""
        events = self.bench.x.controller.events
        if len(set(self.told())) < len(self.told()):
            return "an event was told of twice"
        if events.pending and self.bench.x.controller.event_requests:
            return "an event and a request wait for each other"
        return ""

    def outcome(self) -> object:
        """All that anybody could tell of the run in the end; commands may complete in any order."""
        events = self.bench.x.controller.events.pending
        waiting = [request.sqe.cid for request in self.bench.x.controller.event_requests]
        entries = [self.queue.slot(number) for number in range(self.race.slots)]
        return (
            tuple(tuple(sorted(self.answers(ring))) for ring in self._rings()),
            tuple(entries),
            repr((events, waiting)),
        )


@pytest.fixture(autouse=True)
def _limits(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    race: Race = request.getfixturevalue("race")
    monkeypatch.setattr(admission, "MOST_REQUESTS", race.most)
    monkeypatch.setattr(admission, "MOST_ABORTS", race.most)


def explore(race: Race, reduction: str = "source-dpor") -> Found:
    return Explorer(lambda: EventWorld(race), reduction=reduction, observe=EventWorld.outcome).run()


RACES = [
    Race(trigger=0),
    Race(trigger=0, writes=2),
    Race(trigger=1, writes=2, requests=2),
    Race(trigger=0, then="forget"),
    Race(writes=2, slots=3, requests=1),
    Race(trigger=1, writes=2, slots=3, requests=1),
    Race(trigger=0, then="delete"),
    Race(writes=2, slots=3, then="delete"),
    Race(trigger=0, abort="request"),
    Race(writes=1, abort="write"),
    Race(writes=2, abort="write"),
    Race(writes=1, abort="write", habits=Habits(abort="never")),
    Race(trigger=0, requests=2, most=1),
    Race(writes=1, abort="write", aborts=2, most=1),
    Race(trigger=0, then="forget", unread=12),
    Race(trigger=0, reset=True),
]


@pytest.mark.parametrize("race", RACES, ids=str)
def test_every_order_ends_well_and_is_one_that_sleep_sets_see(race: Race) -> None:
    found = explore(race)
    assert found.failures == {}
    assert found.finals == explore(race, "sleep sets").finals


@pytest.mark.parametrize("race", [RACES[0], RACES[9]], ids=str)
def test_orders_that_are_left_out_as_indifferent_show_nothing_else(
    race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    reduced = explore(race).finals
    monkeypatch.setattr(guides, "conflict", lambda _one, _other: True)
    assert explore(race, "sleep sets").finals == reduced


@pytest.mark.parametrize("race", RACES, ids=str)
def test_an_order_by_chance_is_one_that_the_explorer_sees(race: Race) -> None:
    seen = {outcome for _, outcome in explore(race).finals}
    for seed in range(60):
        world = EventWorld(race)
        world.begin(Random(seed))
        world.engine.run()
        assert world.outcome() in seen
