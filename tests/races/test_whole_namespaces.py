"""Formats, sanitize operations, Copy and damage among the commands of others: the explorer misses no order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from nvmelm_lab.engine import Kind, Random, Recorder, Schedule, do
from nvmelm_lab.nvme import LbaChange, Status, commands, pack_copy_ranges
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import LbaStatusAction, LogAction, SanitizeAction
from nvmelm_lab.races import Explorer, Found
from nvmelm_lab.ssd import Habits
from tests.ssd.door import Ring, Y, ready, status_of

BLOCKS = 3
LIST = 0x8000
"""Where the guest keeps its list of source ranges, and its buffers behind that."""

IO: dict[str, bytes] = {
    "zeroes": commands.write_zeroes(0, 1, 0, 1),
    "write": commands.write(0, 1, 0, 1, LIST + 0x1000),
    "read": commands.read(0, 1, 0, 1, LIST + 0x2000),
    "verify": commands.verify(0, 1, 1, 1),
    "compare": commands.compare(0, 1, 0, 1, LIST + 0x1000),
    "copy": commands.copy(0, 1, 1, 1, LIST),
    "uncorrectable": commands.write_uncorrectable(0, 1, 0, 1),
    "hint": commands.dataset_management(0, 1, 1, LIST + 0x3000, deallocate=False),
    "zero namespace": commands.zero_namespace(0, 1),
}
ADMIN: dict[str, bytes] = {
    "format": commands.format_nvm(0, 1),
    "sanitize": commands.sanitize(0, SanitizeAction.BLOCK_ERASE),
    "suspend": lm.suspend(0, Y),
    "stop": lm.track_send(0, 0, LogAction.STOP),
    "scan": lm.get_lba_status(0, 1, 0, 0, 100, LbaStatusAction.SCAN, 0x10000),
    "tracked": lm.get_lba_status(0, 1, 0, 0, 100, LbaStatusAction.TRACKED, 0x11000),
    "allocated": lm.get_lba_status(0, 1, 0, 0, 100, LbaStatusAction.ALLOCATED, 0x12000),
}


@dataclass(frozen=True)
class Race:
    """What happens at the same time; whoever is named does one command after the other, a doorbell each.

    guest, guest_admin
        Commands on Y's queues.
    neighbour
        Commands on Z's I/O queue, to the same namespace.
    manager
        Commands on X's admin queue.
    damage
        The media lose LBA 0 at some time.
    """

    guest: tuple[str, ...] = ()
    guest_admin: tuple[str, ...] = ()
    neighbour: tuple[str, ...] = ()
    manager: tuple[str, ...] = ()
    damage: bool = False
    habits: Habits = field(default_factory=Habits)

    def __str__(self) -> str:
        names = (*self.guest, *self.guest_admin, *self.neighbour, *self.manager, *("damage",) * self.damage)
        return ", ".join((*names, *self.habits.plain().values()))


class World:
    """Y is logged, and LBA 0 is written before it begins."""

    def __init__(self, race: Race) -> None:
        self.race = race
        self.bench = ready(blocks=BLOCKS, habits=race.habits)
        self.engine = self.bench.engine
        for host in (self.bench.y, self.bench.z):
            host.space.write(LIST, pack_copy_ranges([(0, 1)]))
            host.space.write(LIST + 0x3000, bytes(4) + (1).to_bytes(4, "little") + bytes(8))
            host.space.write_stamps(LIST + 0x1000, [1 << 48 | host.cntlid])
        assert self.bench.z.write_blocks(0, [5]) == Status.SUCCESS
        self.queue = self.bench.x.make_mq(16)
        assert self.queue.start() == Status.SUCCESS
        namespace = self.bench.ssd.namespaces[1]
        self._poke = Kind(
            "doorbell", lambda ring: ring.ring(), touches=lambda ring: ring.host.controller.doorbell_touches()
        )
        self._damage = Kind(
            "damage", lambda _: namespace.damage(0, 1), touches=lambda _: namespace.damaging(0, 1)
        )

    def begin(self, schedule: Schedule, recorder: Recorder | None = None) -> None:
        bench, race = self.bench, self.race
        self.engine.use(schedule, recorder=recorder)
        for name, ring, sqes in (
            ("guest", bench.y.io, [IO[word] for word in race.guest]),
            ("guest's admin", bench.y.admin, [ADMIN[word] for word in race.guest_admin]),
            ("neighbour", bench.z.io, [IO[word] for word in race.neighbour]),
            ("manager", bench.x.admin, [ADMIN[word] for word in race.manager]),
        ):
            if sqes:
                self.engine.spawn(name, self._rings(ring, sqes))
        if race.damage:
            self.engine.spawn("media", self._wears_out())

    async def _rings(self, ring: Ring, sqes: list[bytes]) -> None:
        for sqe in sqes:
            ring.put(sqe)
            await do(self._poke, ring)

    async def _wears_out(self) -> None:
        await do(self._damage)

    def verdict(self) -> str:
        """Empty when no entry says what it may not, and nothing is under way any more."""
        namespace = self.bench.ssd.namespaces[1]
        for entry in self._entries():
            if entry[1] == LbaChange.ALL and not entry[4]:
                return "all LBs in an entry with ESA 000b"
        if namespace.sanitizing or self.bench.ssd.sanitizer.under_way:
            return "the sanitize operation never ends"
        return ""

    def _entries(self) -> list[tuple[int, ...]]:
        self.queue.read = 0
        return [(e.nsid, e.change, e.slba, e.blocks, e.esa, e.deallocated) for e in self.queue.look()]

    def outcome(self) -> object:
        """All that anybody could tell of the run in the end."""
        namespace = self.bench.ssd.namespaces[1]
        content = [
            (tuple(namespace.read(lba, 1) or ("unreadable",)), namespace.is_deallocated(lba, 1))
            for lba in range(BLOCKS)
        ]
        answers = [self._answers(host.io) + self._answers(host.admin) for host in self._hosts()]
        read = [host.space.read(LIST + 0x2000, 8) for host in self._hosts()]
        lists = [self.bench.x.space.read(0x10000 + 0x1000 * n, 64) for n in range(3)]
        return repr((content, answers, read, lists, self._entries()))

    def _hosts(self) -> tuple[object, ...]:
        return self.bench.x, self.bench.y, self.bench.z

    def _answers(self, ring: Ring) -> list[tuple[int, int]]:
        reaped = ring.reaped
        found = sorted((cqe.cid, status_of(cqe)) for cqe in ring.reap(tell=False))
        ring.reaped = reaped
        ring.unread.clear()
        return found


def explore(race: Race, reduction: str = "source-dpor") -> Found:
    return Explorer(lambda: World(race), reduction=reduction, observe=World.outcome).run()


ALL_LBS = Habits(whole_namespace="all LBs")
LAST = Habits(entry_order="completion first")
RACES = [
    Race(guest=("zeroes",), guest_admin=("format",)),
    Race(guest=("write",), guest_admin=("format",), habits=LAST),
    Race(guest=("copy",), guest_admin=("format",), habits=ALL_LBS),
    Race(guest_admin=("format",), manager=("suspend",), habits=LAST),
    Race(guest_admin=("format",), manager=("stop",)),
    Race(guest_admin=("format",), neighbour=("write",), habits=LAST),
    Race(guest=("zero namespace",), neighbour=("zeroes",), habits=LAST),
    Race(guest=("copy",), neighbour=("write",)),
    Race(guest=("copy",), neighbour=("zeroes",), manager=("suspend",)),
    Race(guest=("compare",), neighbour=("write",)),
    Race(guest=("read",), manager=("sanitize",)),
    Race(guest=("write",), manager=("sanitize",)),
    Race(guest=("copy",), manager=("sanitize",)),
    Race(guest=("hint",), manager=("sanitize",)),
    Race(guest=("zeroes",), manager=("sanitize", "suspend")),
    Race(guest=("zeroes",), manager=("suspend", "sanitize")),
    Race(guest_admin=("format",), manager=("sanitize",)),
    Race(neighbour=("zeroes",), manager=("sanitize", "stop"), habits=ALL_LBS),
    Race(guest=("read",), manager=("tracked",), damage=True),
    Race(guest=("verify",), manager=("scan", "tracked"), damage=True),
    Race(guest=("write",), manager=("scan",), damage=True),
    Race(guest=("copy",), manager=("tracked",), damage=True),
    Race(guest=("uncorrectable",), manager=("scan", "allocated")),
    Race(guest_admin=("format",), manager=("scan",), damage=True),
]


@pytest.mark.parametrize("race", RACES, ids=str)
def test_source_dpor_sees_as_many_orders_and_the_same_outcomes_as_sleep_sets(race: Race) -> None:
    found, full = explore(race), explore(race, "sleep sets")
    assert found.failures == full.failures == {}
    assert found.executions == full.executions > 1
    assert found.finals == full.finals


@pytest.mark.parametrize("race", RACES, ids=str)
def test_no_random_order_ends_as_none_of_those_that_were_seen(race: Race) -> None:
    finals = explore(race).finals
    for seed in range(60):
        world = World(race)
        world.begin(Random(seed))
        world.engine.run()
        assert (world.verdict(), world.outcome()) in finals


def outcomes(race: Race, of: Callable[[World], object]) -> set[object]:
    """What `of` says of the ends of all orders."""
    found: set[object] = set()
    Explorer(lambda: World(race), observe=lambda world: found.add(of(world))).run()
    return found


def test_a_write_comes_before_a_sanitize_operation_amid_it_or_behind_it() -> None:
    def told(world: World) -> tuple[int, bool]:
        ((_, status),) = world._answers(world.bench.y.io)
        return status, bool(world.bench.ssd.namespaces[1].used_blocks())

    assert outcomes(Race(guest=("write",), manager=("sanitize",)), told) == {
        (Status.SUCCESS, False),
        (Status.SANITIZE_IN_PROGRESS, False),
        (Status.SUCCESS, True),
    }
