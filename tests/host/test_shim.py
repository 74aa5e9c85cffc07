"""A shim before a controller: the guest cannot tell it from the controller, and the host learns what changes."""

from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import Kind, Random, Recorder, Schedule, Timed, Trace, do
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.driver import CommandFailed, status_of
from nvmelm_lab.host.queue_pair import Pending
from nvmelm_lab.host.shim import Shim
from nvmelm_lab.host.workloads import workload
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.memory import make_stamp
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import AdminOpcode, Cns, IoOpcode, Property
from nvmelm_lab.nvme.controller_state import unpack_controller_state
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import SQE, Cqe, pack_copy_ranges, pack_ranges

BLOCKS = 24
DNR = 1 << 15


class Bench:
    """A guest's driver and buffers, before its controller or before a shim that stands there."""

    def __init__(self, *, shim: bool = True, schedule: Schedule | None = None, trace: bool = False) -> None:
        self.lab = Lab(LabSpec(guests=(GuestSpec(blocks=(BLOCKS,), filled=8, shim=shim),), granularity=1))
        self.engine = self.lab.engine
        self.guest = self.lab.guests["guest"]
        self.driver = self.guest.driver
        self.queue = self.driver.port.queues[1]
        self.space = self.guest.vm.memory
        self.buffer = self.guest.vm.pages.buffer(16 * 4096)
        self.trace = Trace()
        self.lab.begin(schedule, trace=self.trace if trace else None)

    @property
    def shim(self) -> Shim:
        assert self.guest.shim is not None
        return self.guest.shim

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        actor = self.engine.spawn("test", coroutine)
        actor.watched = True
        self.engine.run()
        assert actor.done.level, self.engine.blocked()
        if actor.error is not None:
            raise actor.error
        return actor.result

    def io(self, sqe: bytes) -> Cqe:
        cqe: Cqe = self.run(self.queue.run(sqe))
        return cqe

    def admin(self, sqe: bytes) -> Cqe:
        cqe: Cqe = self.run(self.driver.admin.run(sqe))
        return cqe

    def write(self, slba: int, blocks: int, count: int = 1) -> Cqe:
        self.space.write_stamps(self.buffer.address, [make_stamp(7, count + n) for n in range(blocks)])
        return self.io(commands.write(0, 1, slba, blocks, *self.buffer.prp(blocks * 4096)))

    def changed(self) -> list[tuple[int, int]]:
        changes: Changes = self.run(self.shim.take_changes())
        return [(extent.slba, extent.blocks) for extent in changes.extents(BLOCKS)]

    def said(self, word: str) -> list[tuple[Any, ...]]:
        return [effect for step in self.trace.steps for effect in step.effects if effect[0] == word]


# To the guest it is the controller

opcodes = st.one_of(st.sampled_from([int(opcode) for opcode in IoOpcode]), st.integers(0, 255))
# NLB, PRP1 and PRP2: one page, two, a list, and buffers that begin inside a page.
buffers = (
    (0, 0x100000, 0),
    (1, 0x100000, 0x101000),
    (3, 0x100000, 0x110000),
    (0, 0x100008, 0x101000),
    (1, 0x100010, 0x110008),
)
io_commands = st.builds(
    lambda opcode, nsid, slba, buffer, cdw11, cdw12: SQE.pack(
        opcode, 0, 0, nsid, 0, 0, 0, *buffer[1:], slba, cdw11, buffer[0] | cdw12, 0, 0, 0
    ),
    opcodes,
    st.sampled_from((1, 1, 1, 0, 2, 0xFFFFFFFF)),
    st.integers(0, BLOCKS + 2),
    st.sampled_from(buffers),
    st.sampled_from((0, 4)),
    st.sampled_from((0, 1 << 25, 1 << 25 | 1 << 23)),
)


@settings(deadline=None, max_examples=60)
@given(sqes=st.lists(io_commands, min_size=1, max_size=6), fill=st.binary(min_size=1, max_size=64))
def test_whatever_io_a_guest_issues_it_is_told_and_given_the_same(sqes: list[bytes], fill: bytes) -> None:
    answers = []
    for shim in (True, False):
        bench = Bench(shim=shim)
        bench.space.write(0x110000, b"".join((0x105000 + 4096 * n).to_bytes(8, "little") for n in range(8)))
        # Data that make sense as ranges, or not.
        bench.space.write(0x100000, pack_ranges([(0, 2), (3, 1), (20, 2)]))
        bench.space.write(0x100030, fill * (4096 // len(fill)))
        told = [bench.io(sqe) for sqe in sqes]
        held = [bench.io(commands.read(0, 1, lba, 1, 0x300000 + 4096 * lba)) for lba in range(BLOCKS)]
        data = bench.space.read(0x100000, 0x11000), bench.space.read(0x300000, BLOCKS * 4096)
        statuses = [(cqe.dw0, cqe.status_word >> 1) for cqe in told + held]
        answers.append((statuses, data))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("prp1", "prp2", "blocks"),
    [
        (0x100002, 0, 1),
        (1 << 40, 0, 1),
        (0x100000, 0x101004, 2),
        (0x100000, 1 << 40, 2),
        (0x100000, 0x101004, 3),
        (0x100000, 1 << 40, 3),
        (0x100000, 0x120000, 3),
        (0x100000, 0x130000, 200),
    ],
)
@pytest.mark.parametrize("command", [commands.read, commands.write])
def test_a_bad_pointer_ends_a_command_with_the_same_status(
    command: Any, prp1: int, prp2: int, blocks: int
) -> None:
    statuses = []
    for shim in (True, False):
        bench = Bench(shim=shim)
        bench.space.write(0x120000, (0x105008).to_bytes(8, "little") * 8)
        bench.lab.source.namespaces[1].blocks = 1024
        cqe = bench.io(command(0, 1, 0, blocks, prp1, prp2))
        statuses.append((status_of(cqe), cqe.status_word & DNR))
    assert statuses[0] == statuses[1]
    assert statuses[0][0] != Status.SUCCESS


admin_commands = st.one_of(
    st.builds(
        lambda cns, nsid, prp: SQE.pack(
            AdminOpcode.IDENTIFY, 0, 0, nsid, 0, 0, 0, prp, 0, cns, 0, 0, 0, 0, 0
        ),
        st.sampled_from([int(cns) for cns in Cns]),
        st.sampled_from((0, 1, 2, 200)),
        st.sampled_from((0x100000, 0x101000)),
    ),
    st.builds(
        lambda opcode, cdw10, cdw11: SQE.pack(
            opcode, 0, 0, 0, 0, 0, 0, 0x100000, 0, cdw10, cdw11, 0, 0, 0, 0
        ),
        st.sampled_from(
            [
                int(o)
                for o in AdminOpcode
                if o not in (AdminOpcode.IDENTIFY, AdminOpcode.DELETE_IO_SQ, AdminOpcode.ASYNC_EVENT_REQUEST)
            ]
        ),
        st.sampled_from((0, 1, 2, 7, 0x21, 3 << 16 | 2, 15 << 16 | 2, 15 << 16 | 9)),
        st.sampled_from((0, 1, 3, 2 << 16 | 1, 9 << 16 | 1)),
    ),
)


@settings(deadline=None, max_examples=60)
@given(sqes=st.lists(admin_commands, min_size=1, max_size=6))
def test_whatever_admin_command_a_guest_issues_it_is_told_and_given_the_same(sqes: list[bytes]) -> None:
    answers = []
    for shim in (True, False):
        bench = Bench(shim=shim)
        told = [bench.admin(sqe) for sqe in sqes]
        statuses = [(cqe.dw0, cqe.status_word >> 1) for cqe in told]
        answers.append((statuses, bench.space.read(0x100000, 4096)))
    assert answers[0] == answers[1]


def test_properties_say_the_same() -> None:
    benches = Bench(shim=True), Bench(shim=False)
    for register in Property:
        values = [bench.driver.port.read_property(register) for bench in benches]
        assert values[0] == values[1], register.name


def test_data_go_through_the_shim_in_both_directions() -> None:
    bench = Bench()
    assert not status_of(bench.write(3, 2))
    bench.space.write(bench.buffer.address, bytes(2 * 4096))
    assert not status_of(bench.io(commands.read(0, 1, 3, 2, *bench.buffer.prp(2 * 4096))))
    assert list(bench.space.read_stamps(bench.buffer.address, 2)) == [make_stamp(7, 1), make_stamp(7, 2)]


def test_a_failed_read_leaves_the_guests_buffer_alone() -> None:
    bench = Bench()
    bench.io(commands.write_uncorrectable(0, 1, 5, 1))
    bench.space.write(bench.buffer.address, b"mine")
    cqe = bench.io(commands.read(0, 1, 5, 1, bench.buffer.address))
    assert status_of(cqe) == Status.UNRECOVERED_READ_ERROR
    assert cqe.status_word & DNR
    assert bench.space.read(bench.buffer.address, 4) == b"mine"


def test_more_queues_than_the_first_work_too() -> None:
    bench = Bench()

    async def second() -> int:
        queue = await bench.driver.create_queue_pair(4)
        return status_of(await queue.run(commands.flush(0, 1)))

    assert bench.run(second()) == Status.SUCCESS


def test_a_queue_that_was_deleted_is_served_no_more_and_can_be_made_again() -> None:
    bench = Bench()
    assert not status_of(bench.admin(commands.delete_io_sq(0, 1)))
    assert not status_of(bench.admin(commands.delete_io_cq(0, 1)))
    assert status_of(bench.admin(commands.delete_io_sq(0, 1))) == Status.INVALID_QUEUE_IDENTIFIER

    async def again() -> int:
        bench.driver._queues = 0
        queue = await bench.driver.create_queue_pair(16)
        return status_of(await queue.run(commands.flush(0, 1)))

    # Again and again: the shim has no more queues than the guest.
    for _ in range(10):
        assert bench.run(again()) == Status.SUCCESS
        bench.admin(commands.delete_io_sq(0, 1))
        bench.admin(commands.delete_io_cq(0, 1))


def test_deleting_a_queue_aborts_what_is_under_way_and_what_that_changes_is_noted_all_the_same() -> None:
    bench = Bench()
    bench.run(bench.shim.track({1: BLOCKS}))

    async def delete() -> int:
        bench.space.write_stamps(bench.buffer.address, [make_stamp(7, 1)])
        pending = await bench.queue.issue(commands.write(0, 1, 9, 1, bench.buffer.address))
        while not bench.shim.controller.in_flight:
            await do(Kind("look", lambda _: None, takes=100))
        await bench.driver.command("Delete I/O SQ", commands.delete_io_sq(0, 1))
        return status_of(await bench.queue.completion(pending))

    assert bench.run(delete()) == Status.ABORTED_SQ_DELETION
    assert bench.changed() == [(9, 1)]


def test_a_reset_by_the_guest_ends_everything_and_what_was_under_way_is_noted_all_the_same() -> None:
    bench = Bench()
    bench.run(bench.shim.track({1: BLOCKS}))

    async def reset() -> Pending:
        bench.space.write_stamps(bench.buffer.address, [make_stamp(7, 1)])
        pending = await bench.queue.issue(commands.write(0, 1, 9, 1, bench.buffer.address))
        while not bench.shim.controller.in_flight:
            await do(Kind("look", lambda _: None, takes=100))
        await do(Kind("reset", lambda _: bench.driver.port.write_property(Property.CC, 0)))
        return pending

    pending = bench.run(reset())
    assert not pending.visible.level
    assert bench.driver.port.read_property(Property.CSTS) == 0
    assert bench.shim.controller.in_flight == {}
    assert bench.changed() == [(9, 1)]


def test_a_bad_configuration_is_a_fatal_status_as_at_the_controller() -> None:
    bench = Bench()
    port = bench.driver.port
    port.write_property(Property.CC, 0)
    port.write_property(Property.ASQ, 1 << 40)
    port.write_property(Property.CC, 1)
    assert port.read_property(Property.CSTS) == 2


# The host learns what changes


def test_exactly_what_the_guest_changes_is_noted() -> None:
    bench = Bench()
    bench.write(0, 1)
    bench.run(bench.shim.track({1: BLOCKS}))
    bench.write(3, 2)
    bench.io(commands.write_zeroes(0, 1, 8, 1))
    bench.io(commands.write_uncorrectable(0, 1, 10, 1))
    bench.space.write(bench.buffer.address, pack_ranges([(12, 1), (20, 3)]))
    bench.io(commands.dataset_management(0, 1, 2, bench.buffer.address))
    bench.space.write(bench.buffer.address, pack_copy_ranges([(3, 1), (8, 1)]))
    bench.io(commands.copy(0, 1, 15, 2, bench.buffer.address))
    bench.io(commands.read(0, 1, 16, 1, bench.buffer.address))
    bench.io(commands.compare(0, 1, 18, 1, bench.buffer.address))
    bench.io(commands.verify(0, 1, 18, 1))
    bench.io(commands.flush(0, 1))
    assert bench.changed() == [(3, 2), (8, 1), (10, 1), (12, 1), (15, 2), (20, 3)]
    assert bench.changed() == []
    bench.io(commands.zero_namespace(0, 1))
    assert bench.changed() == [(0, BLOCKS)]


def test_a_hint_that_deallocates_nothing_changes_nothing() -> None:
    bench = Bench()
    bench.run(bench.shim.track({1: BLOCKS}))
    bench.space.write(bench.buffer.address, pack_ranges([(2, 4)]))
    bench.io(commands.dataset_management(0, 1, 1, bench.buffer.address, deallocate=False))
    assert bench.changed() == []


def test_a_change_is_not_noted_before_it_has_taken_effect() -> None:
    bench = Bench(schedule=Timed(), trace=True)
    bench.run(bench.shim.track({1: BLOCKS}))

    async def take_while_under_way() -> list[int]:
        bench.space.write_stamps(bench.buffer.address, [make_stamp(7, 1)])
        pending = await bench.queue.issue(commands.write(0, 1, 9, 1, bench.buffer.address))
        counts = []
        while not pending.visible.level:
            counts.append((await bench.shim.take_changes()).blocks_to_copy)
        counts.append((await bench.shim.take_changes()).blocks_to_copy)
        return counts

    counts = bench.run(take_while_under_way())
    assert sum(counts) == 1
    noted = next(n for n, step in enumerate(bench.trace.steps) if step.kind == "give")
    took_effect = next(
        n for n, step in enumerate(bench.trace.steps) for effect in step.effects if effect[0] == "wrote"
    )
    assert took_effect < noted
    assert counts[-2:].count(1) == 1


def test_no_device_ever_writes_to_the_memory_of_a_guest_behind_a_shim() -> None:
    dirty = {}
    for shim in (True, False):
        bench = Bench(shim=shim)
        bench.space.processor_dirty, bench.space.device_dirty = set(), set()
        guest = bench.lab.run_workload(
            "guest", workload("mixed", blocks=BLOCKS, seed=1, writes_per_second=50_000).operations()
        )
        bench.engine.advance(2_000)
        guest.stop()
        bench.engine.run()
        dirty[shim] = len(bench.space.device_dirty)
    assert dirty[True] == 0
    assert dirty[False] > 0


def test_the_ssd_is_only_reached_through_the_shims_own_queues() -> None:
    bench = Bench(trace=True)
    bench.write(3, 1)
    rings = {effect[1] for effect in bench.said("submitted")}
    assert rings == {"guest", "shim Y"}
    guest_sqe = next(effect[4] for effect in bench.said("submitted") if effect[1] == "guest")
    fetched = {effect[1]: effect[5] for effect in bench.said("fetched")}
    assert fetched["shim Y"] == guest_sqe
    assert fetched["Y"] != guest_sqe


# Suspend and state


@pytest.mark.parametrize("schedule", [Timed(), Random(1), Random(2), Random(3)], ids=["timed", "1", "2", "3"])
def test_a_suspended_shim_has_nothing_under_way_and_takes_nothing_until_it_resumes(
    schedule: Schedule,
) -> None:
    bench = Bench(schedule=schedule)

    async def suspend() -> tuple[list[int], list[int], list[int]]:
        window = [await bench.queue.issue(commands.flush(0, 1)) for _ in range(5)]
        await bench.shim.suspend()
        served = [pending.visible.level for pending in window]
        assert not bench.shim.controller.in_flight
        late = [await bench.queue.issue(commands.flush(0, 1)) for _ in range(3)]
        held_back = [pending.visible.level for pending in late]
        await bench.shim.resume()
        after = [status_of(await bench.queue.completion(pending)) for pending in window + late]
        return served, held_back, after

    served, held_back, after = bench.run(suspend())
    # What was taken has been served: commands are taken in order.
    assert served == sorted(served, reverse=True)
    assert held_back == [0, 0, 0]
    assert after == [Status.SUCCESS] * 8


def test_the_state_tells_of_the_guests_queues_not_of_the_shims() -> None:
    bench = Bench()
    for _ in range(5):
        bench.io(commands.flush(0, 1))
    bench.run(bench.shim.suspend())
    state = unpack_controller_state(bench.run(bench.shim.get_state()))
    assert state.suspended
    assert state.queues is not None
    (queue,) = state.queues.submission
    assert (queue.qid, queue.prp1, queue.entries, queue.head) == (1, bench.queue.sq_base, 16, (1 + 5) % 16)


def test_a_state_that_is_none_is_refused_in_one_sentence() -> None:
    bench = Bench()
    with pytest.raises(InputError, match="shim Y cannot go on from this state: ") as refused:
        bench.run(bench.shim.set_state(b"nonsense"))
    assert "\n" not in str(refused.value)


def test_an_offline_controller_behind_is_told_when_the_shim_opens() -> None:
    bench = Bench()
    there = bench.lab.shim_migration("guest").there
    with pytest.raises(InputError, match="shim H: the controller did not become ready; is it online"):
        bench.run(there.open())


def test_an_error_of_the_guests_command_is_the_guests() -> None:
    bench = Bench()
    with pytest.raises(CommandFailed, match="Identify ended with status"):
        bench.run(bench.driver.command("Identify", commands.identify(0, Cns.NAMESPACE, 0x100000, nsid=4_000)))
    assert bench.driver.admin.pending == {}


# What it costs


def test_work_grows_with_commands_and_with_their_data() -> None:
    def cost(*sqes: bytes) -> int:
        bench = Bench()
        before = bench.shim.work.ns
        for sqe in sqes:
            bench.io(sqe)
        return bench.shim.work.ns - before

    flush = commands.flush(0, 1)
    assert cost(flush, flush) == 2 * cost(flush) > 0
    short, long = (commands.read(0, 1, 0, blocks, 0x100000, 0x101000) for blocks in (1, 2))
    assert cost(long) > cost(short) > cost(flush)


def test_one_core_serves_all_queues_of_a_guest_one_after_the_other() -> None:
    lab = Lab(LabSpec(guests=(GuestSpec(blocks=(BLOCKS, BLOCKS), filled=4, shim=True),)))
    trace = Trace()
    lab.begin(Timed(), trace=trace)
    shim = lab.guests["guest"].shim
    assert shim is not None
    before = shim.work.ns
    for disk in (0, 1):
        operations = workload("uniform", blocks=BLOCKS, seed=disk, writes_per_second=10**9).operations()
        lab.run_workload("guest", operations, disk)
    lab.engine.advance(3_000)
    assert shim.work.ns - before <= lab.engine.now + 10_000


def test_every_access_of_the_shim_to_shared_state_lies_within_what_it_declared() -> None:
    bench = Bench(schedule=Random(4))
    recorder = Recorder()
    bench.lab.begin(Random(4), recorder=recorder)
    kinds = [value for value in vars(bench.shim).values() if isinstance(value, Kind)]
    assert len(kinds) > 8
    seen = set()
    for kind in kinds:
        act, touches = kind.act, kind.touches

        def audited(subject: Any, kind: Kind = kind, act: Any = act, touches: Any = touches) -> Any:
            reads, writes = touches(subject) if touches is not None else ((), ())
            gates = {kind.gate.key} if kind.gate is not None else set()
            before = set(recorder.reads), set(recorder.writes)
            result = act(subject)
            assert recorder.reads - before[0] <= {*reads, *writes, *gates}, kind.name
            assert recorder.writes - before[1] <= {*writes, *gates}, kind.name
            seen.add(kind.name)
            return result

        kind.act = audited
    guest = bench.lab.run_workload("guest", workload("mixed", blocks=BLOCKS, seed=1).operations())
    way = bench.lab.shim_migration("guest")
    actor = bench.engine.spawn("VMM", way.run())
    bench.engine.run(actor)
    guest.stop()
    bench.engine.run()
    assert {"take", "forward", "give", "shim"} <= seen
