"""A queue pair as a driver keeps it, before a real controller."""

from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import Engine, Random, Trace
from nvmelm_lab.errors import KitError
from nvmelm_lab.host.buffers import Buffer
from nvmelm_lab.host.driver import CommandFailed, Driver, status_of
from nvmelm_lab.host.queue_pair import Pending, QueuePair, Unexpected
from nvmelm_lab.lab import Lab
from nvmelm_lab.memory import make_stamp
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import Cns
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import CQE, SQE, Cqe, Sqe

ENTRIES = 4


class Bench:
    """The VMM's driver on X of a lab, with a short queue pair of its own."""

    def __init__(self, seed: int | None = None) -> None:
        self.lab = Lab()
        self.engine: Engine = self.lab.engine
        self.driver: Driver = self.lab.source_driver
        self.queue: QueuePair = self.run(self.driver.create_queue_pair(ENTRIES, "test"))
        self.buffer: Buffer = self.driver.pages.buffer(4096)
        self.trace = Trace()
        if seed is not None:
            self.lab.begin(Random(seed), trace=self.trace)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        actor = self.engine.spawn("test", coroutine)
        actor.watched = True
        self.engine.run()
        if actor.error is not None:
            raise actor.error
        return actor.result

    def flush(self) -> bytes:
        return commands.flush(0, 1)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_command_comes_back_with_its_own_completion(bench: Bench) -> None:
    async def two() -> list[int]:
        first = await bench.queue.issue(commands.read(0, 1, 0, 1, bench.buffer.address))
        second = await bench.queue.issue(commands.read(0, 1, 999_999, 1, bench.buffer.address))
        return [status_of(await bench.queue.completion(pending)) for pending in (second, first)]

    assert bench.run(two()) == [Status.LBA_OUT_OF_RANGE, Status.SUCCESS]


def test_data_go_out_and_come_back_as_they_were(bench: Bench) -> None:
    async def write_and_read() -> bytes:
        space = bench.driver.space
        space.write_stamps(bench.buffer.address, [make_stamp(9, 9)])
        await bench.queue.run(commands.write(0, 1, 3, 1, bench.buffer.address))
        space.write(bench.buffer.address, bytes(4096))
        await bench.queue.run(commands.read(0, 1, 3, 1, bench.buffer.address))
        return space.read(bench.buffer.address, 8)

    assert bench.run(write_and_read()) == make_stamp(9, 9).to_bytes(8, "little")


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 1 << 32), pattern=st.lists(st.integers(1, ENTRIES - 1), min_size=6, max_size=12))
def test_every_command_completes_once_over_many_laps_of_both_rings(seed: int, pattern: list[int]) -> None:
    bench = Bench(seed)

    async def bursts() -> list[int]:
        statuses = []
        for size in pattern:
            window = [await bench.queue.issue(bench.flush()) for _ in range(size)]
            statuses += [status_of(await bench.queue.completion(pending)) for pending in window]
        return statuses

    assert bench.run(bursts()) == [Status.SUCCESS] * sum(pattern)
    assert bench.queue.pending == {}
    assert bench.queue.unexpected == []


def test_no_two_commands_under_way_have_one_cid_even_when_the_counter_wraps(bench: Bench) -> None:
    bench.queue._next_cid = 0xFFFF
    cids = [bench.queue.submit(bench.flush()).cid for _ in range(ENTRIES - 1)]
    assert cids == [0xFFFF, 0, 1]
    bench.queue._next_cid = 0xFFFF
    bench.queue.pending.pop(1)
    assert bench.queue.submit(bench.flush()).cid == 1


def test_the_pair_writes_its_own_cid_into_the_sqe_and_nothing_else(bench: Bench) -> None:
    sqe = commands.read(0x7777, 1, 5, 1, bench.buffer.address)
    pending = bench.queue.submit(sqe)
    lying = Sqe._make(SQE.unpack(bench.driver.space.read(bench.queue.sq_base, 64)))
    assert lying == Sqe._make(SQE.unpack(sqe))._replace(cid=pending.cid)


def test_a_ring_of_n_slots_takes_n_minus_one_commands(bench: Bench) -> None:
    for _ in range(ENTRIES - 1):
        assert bench.queue.has_room
        bench.queue.submit(bench.flush())
    assert not bench.queue.has_room
    with pytest.raises(KitError, match="SQ 1 of test is full with 3 commands"):
        bench.queue.submit(bench.flush())


def test_nobody_sees_a_command_before_the_doorbell(bench: Bench) -> None:
    pending = bench.queue.submit(bench.flush())
    bench.engine.run()
    assert not pending.visible.level
    bench.run(bench.queue.issue(bench.flush()))
    bench.engine.run()
    assert pending.visible.level


def test_who_asks_only_afterwards_learns_that_a_completion_is_visible(bench: Bench) -> None:
    pending = bench.run(bench.queue.issue(bench.flush()))
    bench.engine.run()
    assert pending.signal is None
    assert pending.visible.level == 1
    bench.run(bench.queue.completion(pending))
    assert pending.cqe is not None


def test_the_phase_tag_alone_tells_a_new_completion_from_the_last_laps(bench: Bench) -> None:
    async def laps(count: int) -> None:
        for _ in range(count):
            await bench.queue.run(bench.flush())

    bench.run(laps(ENTRIES + 1))
    # Every slot holds a completion, those of the lap before included; none is taken for new.
    ring = bench.driver.space.read(bench.queue.cq_base, 16 * ENTRIES)
    phases = [Cqe._make(CQE.unpack_from(ring, 16 * slot)).status_word & 1 for slot in range(ENTRIES)]
    assert phases == [0, 1, 1, 1]
    assert bench.queue.reap_visible() == []


def test_a_completion_that_answers_no_command_is_kept_as_unexpected(bench: Bench) -> None:
    bench.run(bench.queue.run(bench.flush()))
    bench.driver.space.write(bench.queue.cq_base + 16, CQE.pack(0, 0, 1, 1, 55, 1))
    assert [pending.cid for pending in bench.queue.reap_visible()] == [55]
    assert bench.queue.unexpected == [Unexpected(55, 1)]


def test_completions_whose_interrupt_was_lost_are_found_by_looking(bench: Bench) -> None:
    interrupt, bench.lab.source.primary.interrupt = bench.lab.source.primary.interrupt, None

    async def issue() -> list[Pending]:
        return [await bench.queue.issue(bench.flush()) for _ in range(2)]

    lost = bench.run(issue())
    assert [pending.visible.level for pending in lost] == [0, 0]
    bench.lab.source.primary.interrupt = interrupt
    bench.driver.port.replay_interrupts()
    assert [pending.visible.level for pending in lost] == [1, 1]
    arrived = bench.queue.arrived.level
    bench.driver.port.replay_interrupts()
    assert bench.queue.arrived.level == arrived
    assert len(bench.queue.reap_visible()) == 2


def test_waiting_for_one_completion_reads_those_before_it_too(bench: Bench) -> None:
    async def issue() -> list[Pending]:
        return [await bench.queue.issue(bench.flush()) for _ in range(3)]

    window = bench.run(issue())
    last = max(window, key=lambda pending: pending.cid)
    assert set(bench.queue.reap_until(last)) <= set(window)
    assert last.cqe is not None
    assert bench.queue.reap_until(last) == []


def test_the_controller_learns_of_the_head_before_its_ring_is_full() -> None:
    bench = Bench(1)

    async def many() -> None:
        for _ in range(3 * ENTRIES):
            await bench.queue.run(bench.flush())

    bench.run(many())
    heads = [
        effect[4]
        for step in bench.trace.steps
        for effect in step.effects
        if effect[:4] == ("doorbell", "X", "CQ", bench.queue.qid)
    ]
    assert heads == [2, 0, 2, 0, 2, 0]


def test_a_failed_admin_command_is_told_with_its_name_and_its_status_in_words(bench: Bench) -> None:
    sqe = commands.identify(0, Cns.NAMESPACE, bench.buffer.address, nsid=5_000)
    with pytest.raises(CommandFailed, match="Identify ended with status 00Bh: ") as failed:
        bench.run(bench.driver.command("Identify", sqe))
    assert failed.value.status == Status.INVALID_NAMESPACE_OR_FORMAT
