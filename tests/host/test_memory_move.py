"""Guest memory on its way: equal at the end, and what lies on the guest's rings arrives with it."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import Engine, Kind, Random, RunToBlock, Schedule, Timed, do
from nvmelm_lab.host.disk import Request
from nvmelm_lab.host.link import Link, MemoryPages
from nvmelm_lab.host.memory_move import PAGES_AT_ONCE, MemoryMove
from nvmelm_lab.host.memory_tracking import Iommu, SsdTracking
from nvmelm_lab.host.move import TRACKING, Plan
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.queue_pair import Pending
from nvmelm_lab.host.shim_migration import ShimMigration
from nvmelm_lab.lab import METHODS, GuestSpec, Lab, LabSpec
from nvmelm_lab.memory import PAGE_BYTES, AddressSpace, Stamps, make_stamp
from nvmelm_lab.oracle import Verdict
from nvmelm_lab.ssd import Habits

SIZE = 256 * PAGE_BYTES


class Bench:
    """A guest's memory on two hosts, a link, and nobody else."""

    def __init__(self) -> None:
        self.engine = Engine(Timed())
        stamps = Stamps(4096)
        self.here = AddressSpace("here", SIZE, stamps)
        self.there = AddressSpace("there", SIZE, stamps)
        self.link = Link(self.engine)
        self.move = MemoryMove(self.link, self.here, self.there)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        actor = self.engine.spawn("VMM", coroutine)
        self.engine.run()
        return actor.result

    @property
    def is_equal(self) -> bool:
        return self.here.read(0, SIZE) == self.there.read(0, SIZE)


# The pages


def test_whole_memory_arrives_when_nothing_went_ahead() -> None:
    bench = Bench()
    bench.here.write(5000, b"code")
    bench.here.dma_write_stamps(20 * PAGE_BYTES, [make_stamp(1, 1), make_stamp(1, 2)])
    bench.run(bench.move.finish())
    assert bench.is_equal
    assert bench.move.moved == 3


def test_the_link_carries_every_page_and_takes_its_time() -> None:
    bench = Bench()
    for page in range(PAGES_AT_ONCE + 1):
        bench.here.write(page * PAGE_BYTES, b"x")
    bench.run(bench.move.finish())
    assert bench.link.sent == (PAGES_AT_ONCE + 1) * PAGE_BYTES
    assert bench.engine.now >= bench.link.time_for(bench.link.sent)


writes = st.lists(
    st.tuples(st.sampled_from(("write", "dma_write", "pinned", "dma_touch", "blocks")), st.integers(0, 255)),
    max_size=12,
)


@settings(deadline=None, max_examples=100)
@given(before=writes, rounds=st.lists(writes, max_size=4), last=writes, ahead=st.booleans())
def test_memory_is_equal_at_the_end_whoever_wrote_when(
    before: list[tuple[str, int]],
    rounds: list[list[tuple[str, int]]],
    last: list[tuple[str, int]],
    ahead: bool,
) -> None:
    bench = Bench()
    count = 0

    def write(changes: list[tuple[str, int]]) -> None:
        nonlocal count
        for how, page in changes:
            count += 1
            address = page * PAGE_BYTES
            if how == "pinned":
                bench.here.has_written(address)
                bench.here.pin(page)[count % 4000] ^= 0xFF
            elif how == "dma_touch":
                content, offset = bench.here.dma_touch(address + count % 4000)
                content[offset] ^= 0xFF
            elif how == "blocks":
                bench.here.dma_write_stamps(address, [make_stamp(1, count)])
            else:
                getattr(bench.here, how)(address + 100, count.to_bytes(4, "little"))

    async def migrate() -> None:
        write(before)
        if ahead:
            await bench.move.begin()
        for changes in rounds:
            write(changes)
            if ahead:
                await bench.move.round()
        write(last)
        await bench.move.finish()

    bench.run(migrate())
    assert bench.is_equal


def test_what_is_written_while_pages_are_on_the_link_goes_again() -> None:
    bench = Bench()
    for page in range(2 * PAGES_AT_ONCE):
        bench.here.write(page * PAGE_BYTES, b"old")

    async def guest() -> None:
        # In the middle of the first move: some pages have gone, some have not.
        await do(Kind("write", lambda _: bench.here.write(0, b"new"), takes=150_000))
        await do(Kind("write", lambda _: bench.here.dma_write((2 * PAGES_AT_ONCE - 1) * PAGE_BYTES, b"new")))

    async def migrate() -> int:
        await bench.move.begin()
        await bench.move.finish()
        return bench.move.moved

    bench.engine.spawn("guest", guest())
    assert bench.run(migrate()) > 2 * PAGES_AT_ONCE
    assert bench.is_equal


def test_only_what_was_written_since_goes_again() -> None:
    bench = Bench()
    for page in range(10):
        bench.here.write(page * PAGE_BYTES, b"x")

    async def migrate() -> list[int]:
        await bench.move.begin()
        bench.here.write(3 * PAGE_BYTES, b"y")
        bench.here.dma_write(4 * PAGE_BYTES, b"y")
        rounds = [await bench.move.round(), await bench.move.round()]
        bench.here.write(5 * PAGE_BYTES, b"y")
        await bench.move.finish()
        return rounds

    assert bench.run(migrate()) == [2, 0]
    assert bench.move.moved == 10 + 2 + 1
    assert (bench.here.processor_dirty, bench.here.device_dirty) == (None, None)


def test_between_two_portions_there_is_time_for_something_else() -> None:
    bench = Bench()
    for page in range(2 * PAGES_AT_ONCE + 1):
        bench.here.write(page * PAGE_BYTES, b"x")
    looks: list[int] = []

    async def look() -> None:
        looks.append(bench.move.moved)

    bench.run(bench.move.begin(look))
    assert looks == [PAGES_AT_ONCE, 2 * PAGES_AT_ONCE]


# What lies on the guest's rings

BLOCKS = 24


class OnTheRings:
    """A guest caught in the middle of everything, and migrated so.

    Before the pause one write has completed and lies unread on the CQ; then the controller is suspended, and a
    write and a Read are put on the SQ with their doorbell rung, a second write without.
    """

    def __init__(self, method: str, schedule: Schedule, *, tracking: str) -> None:
        self.lab = Lab(LabSpec(guests=(GuestSpec(blocks=(BLOCKS,), filled=BLOCKS, shim=method == "shim"),)))
        self.engine = self.lab.engine
        self.guest = self.lab.guests["guest"]
        self.disk = self.guest.disks[0]
        self.queue = self.guest.driver.port.queues[1]
        self.method: Any = METHODS[method](
            self.lab, "guest", Plan(memory_tracking=tracking, downtime_budget_ns=0, rounds=1)
        )
        self.requests: dict[Pending, Request] = {}
        self.lab.begin(schedule)
        self.oracle = self.lab.oracle("guest")

    async def submit(self, kind: OperationKind, slba: int, *, doorbell: bool = True) -> Pending:
        request, sqe = self.disk.prepare(Operation(kind, slba, 2, 0))
        pending = await do(Kind("submit", self.queue.submit, gate=self.queue.gate), sqe)
        self.requests[pending] = request
        if doorbell:
            await do(self.queue.ring)
        return pending

    async def migrate(self) -> None:
        method = self.method
        await method.prepare_destination()
        if hasattr(method, "start_logging"):
            await method.start_logging()
            await method.initial_copy()
            await method.iterate()
        completed = await self.submit(OperationKind.WRITE, 0)
        await completed.visible.wait()
        await (method.here.suspend() if isinstance(method, ShimMigration) else method.move.suspend())
        await self.submit(OperationKind.WRITE, 4)
        await self.submit(OperationKind.READ, 8)
        await self.submit(OperationKind.WRITE, 12, doorbell=False)
        await method.suspend_and_copy()
        assert [pending.visible.level for pending in self.requests] == [1, 0, 0, 0]
        await method.move_and_resume()
        await do(self.queue.ring)
        for pending, request in self.requests.items():
            await self.queue.completion(pending)
            assert self.disk.finish(request, pending.status)
        await method.clean_up()

    def run(self) -> Verdict:
        actor = self.engine.spawn("VMM", self.migrate())
        actor.watched = True
        self.engine.run()
        return self.oracle.judge()


SCHEDULES: dict[str, Callable[[], Schedule]] = {
    "timed": Timed,
    "run to block": RunToBlock,
    "random 1": lambda: Random(1),
    "random 2": lambda: Random(2),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("tracking", TRACKING)
@pytest.mark.parametrize("method", METHODS)
def test_commands_and_completions_on_the_rings_survive_the_move(
    method: str, tracking: str, schedule: str
) -> None:
    caught = OnTheRings(method, SCHEDULES[schedule](), tracking=tracking)
    verdict = caught.run()
    assert verdict.good, verdict.broken
    assert all(pending.cqe is not None for pending in caught.requests)
    assert caught.guest.vm.memory is caught.lab.destination_spaces["guest"]


LEFT_OUT: dict[str, Callable[[OnTheRings], int]] = {
    "the submission ring": lambda caught: caught.queue.sq_base,
    "the completion ring": lambda caught: caught.queue.cq_base,
    "the data of a write": lambda caught: list(caught.requests.values())[1].buffer.address,
}


@pytest.mark.parametrize("tracking", TRACKING)
@pytest.mark.parametrize(
    ("what", "broken"),
    [
        ("the submission ring", "each command once"),
        ("the completion ring", "each command once"),
        ("the data of a write", "no write lost"),
    ],
)
def test_a_move_that_leaves_out_one_page_of_rings_or_buffers_is_noticed(
    what: str, broken: str, tracking: str
) -> None:
    caught = OnTheRings("ssd", RunToBlock(), tracking=tracking)
    send = caught.lab.link.send_pages

    async def all_but_one(job: MemoryPages) -> None:
        left_out = LEFT_OUT[what](caught) // PAGE_BYTES if caught.requests else -1
        await send(job._replace(pages=tuple(page for page in job.pages if page != left_out)))

    caught.lab.link.send_pages = all_but_one  # type: ignore[method-assign]
    assert broken in {each.name for each in caught.run().broken}


class Nobody(Iommu):
    """Who should tell of devices' writes and sees none."""

    async def take(self) -> set[int]:
        await super().take()
        return set()


def test_sending_memory_ahead_is_wrong_where_nobody_sees_what_devices_write() -> None:
    caught = OnTheRings("ssd", RunToBlock(), tracking="iommu")
    memory = caught.method.memory
    memory.devices = Nobody(memory.source)
    assert [each.name for each in caught.run().broken] == ["each command once"]


# The SSD tells of its own writes


def stale(caught: OnTheRings) -> list[int]:
    """Pages of the guest's memory that differ between the hosts, once all has moved and nobody has gone on."""
    here, there = caught.lab.source_spaces["guest"], caught.lab.destination_spaces["guest"]
    pages = sorted({*here.pages(), *there.pages()})
    return [
        n for n in pages if here.read(n * PAGE_BYTES, PAGE_BYTES) != there.read(n * PAGE_BYTES, PAGE_BYTES)
    ]


def moved(devices: Callable[[Any], Any] | None, habits: Habits | None = None) -> list[int]:
    """The stale pages after reads and writes went on while memory went ahead, told of by `devices`."""
    lab = Lab(LabSpec(guests=(GuestSpec(blocks=(BLOCKS,), filled=BLOCKS),), habits=habits or Habits()))
    caught = OnTheRings.__new__(OnTheRings)
    caught.lab, caught.engine = lab, lab.engine
    method = lab.migration("guest", Plan(memory_tracking="device"))
    if devices is not None:
        method.memory.devices = devices(method.memory.source)
    lab.begin(Timed())
    words = [
        Operation(OperationKind.READ if n % 3 else OperationKind.WRITE, n % BLOCKS, 1, 0) for n in range(60)
    ]
    guest = lab.program("guest", words)

    async def vmm() -> None:
        await method.prepare_destination()
        await method.start_logging()
        await method.initial_copy()
        await guest.run_in_order()
        await method.iterate()
        await method.suspend_and_copy()
        await method.memory.finish()

    actor = lab.engine.spawn("VMM", vmm())
    lab.engine.run()
    assert actor.done.level, lab.engine.blocked()
    assert lab.engine.failure is None
    return stale(caught)


def test_the_ssd_tells_of_every_page_that_it_wrote() -> None:
    assert moved(None) == []


def test_without_it_pages_are_stale() -> None:
    assert moved(Nobody)


@pytest.mark.parametrize(
    "habits",
    [
        Habits(tracking_resources="scarce"),
        Habits(tracking_lengths="powers of two"),
        Habits(tracking_report="coarser"),
    ],
    ids=lambda habits: str(habits.plain()),
)
def test_whatever_it_can_track(habits: Habits) -> None:
    assert moved(None, habits) == []


def test_tracking_ends_with_the_migration() -> None:
    caught = OnTheRings("ssd", Timed(), tracking="device")
    assert caught.run().good
    assert all(each.memory_tracking is None for each in caught.lab.source.controllers.values())
    assert not caught.lab.source_spaces["guest"].watched


def test_what_somebody_has_left_on_does_not_hinder() -> None:
    lab = Lab(LabSpec(guests=(GuestSpec(blocks=(BLOCKS,), filled=BLOCKS),)))
    method = lab.migration("guest", Plan(memory_tracking="device"))
    lab.begin(Timed())
    before = SsdTracking(method.move.source_side, method.memory.source)

    async def vmm() -> set[int]:
        await before.start()
        await method.memory.begin()
        return await method.memory.devices.take()

    actor = lab.engine.spawn("VMM", vmm())
    lab.engine.run()
    assert actor.done.level
    assert actor.error is None
