"""Rings: phase tags, wrap, full queues, shared completion queues, hosts that do not reap, and any order of commands."""

import pytest

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import Cqe, Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import LogAction, Property, VirtualizationAction, sq_tail_doorbell
from nvmelm_lab.nvme.structs import CQE
from tests.ssd.door import Bench, Ring, Y, ready, status_of

FLUSH = commands.flush(0, 1)


@pytest.mark.parametrize("entries", [2, 3, 16])
def test_the_phase_tag_inverts_at_each_wrap(entries: int) -> None:
    bench = ready()
    ring = bench.y.make_ring(2, entries)
    tags = [ring.run(FLUSH).status_word & 1 for _ in range(4 * entries)]
    assert tags == [1] * entries + [0] * entries + [1] * entries + [0] * entries


def test_a_cqe_names_its_queue_its_command_and_the_head_of_the_submission_queue() -> None:
    bench = ready()
    ring = bench.y.make_ring(2, 4)
    for number in range(9):
        ring.put(FLUSH, cid=0xABC0 + number)
        ring.ring()
        bench.engine.run()
        (cqe,) = ring.reap()
        assert (cqe.sqid, cqe.cid, cqe.sqhd) == (2, 0xABC0 + number, (number + 1) % 4)
        assert (cqe.dw0, cqe.dw1) == (0, 0)


def test_an_error_says_do_not_retry_and_success_does_not() -> None:
    ring = ready().y.io
    assert ring.run(commands.flush(0, 99)).status_word >> 15 == 1
    assert ring.run(FLUSH).status_word >> 15 == 0


def test_a_submission_queue_of_n_slots_takes_n_minus_one_commands_at_once() -> None:
    bench = ready(entries=16)
    cids = bench.y.io.submit(*[FLUSH] * 15)
    bench.engine.run()
    assert [cqe.cid for cqe in bench.y.io.reap()] == cids


def test_a_tail_that_would_overtake_the_head_is_ignored() -> None:
    bench = ready(entries=4)
    bench.y.io.submit(FLUSH, FLUSH)
    assert not bench.y.controller.sqs[1].fetched
    bench.y.write(sq_tail_doorbell(1), 1)
    bench.engine.run()
    assert len(bench.y.io.reap()) == 2


def test_a_doorbell_may_take_back_nothing_and_be_rung_twice() -> None:
    bench = ready()
    bench.y.io.submit(FLUSH)
    bench.y.io.ring()
    bench.engine.run()
    assert len(bench.y.io.reap()) == 1


def test_a_host_that_does_not_reap_gets_no_more_completions_than_the_queue_holds() -> None:
    bench = ready()
    ring = bench.y.make_ring(2, 16, cq_entries=4)
    cids = ring.submit(*[FLUSH] * 10)
    bench.engine.run()
    assert bench.y.controller.cqs[2].posted == 3
    assert len(bench.y.controller.in_flight) == 0, "what has no room is not even fetched"
    done: list[Cqe] = []
    while len(done) < 10:
        done += ring.reap()
        bench.engine.run()
    assert [cqe.cid for cqe in done] == cids


@pytest.mark.parametrize("seed", range(5))
def test_a_host_that_does_not_reap_never_keeps_a_suspend_waiting(seed: int) -> None:
    bench = ready(Random(seed))
    ring = bench.y.make_ring(2, 16, cq_entries=4)
    bench.y.io.submit(*[FLUSH] * 15)
    ring.submit(*[FLUSH] * 10)
    bench.engine.advance(10 + 7 * seed)
    assert bench.x.suspend() == Status.SUCCESS
    assert not bench.y.controller.in_flight


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("cq_entries", [3, 4, 64])
def test_queues_that_share_a_completion_queue_never_overrun_it(seed: int, cq_entries: int) -> None:
    bench = ready(Random(seed))
    first = bench.y.make_ring(2, 8, cq_entries=cq_entries)
    second = Ring(bench.y, 3, 8, bench.y.take(512), first.cq, cq_entries)
    assert bench.y.admin.status(commands.create_io_sq(0, second.sq, 3, 8, 2)) == Status.SUCCESS
    wanted = {(2, cid) for cid in first.submit(*[FLUSH] * 7)} | {
        (3, cid) for cid in second.submit(*[FLUSH] * 7)
    }
    found: list[tuple[int, int]] = []
    for _ in range(40):
        bench.engine.advance(3)
        cq = bench.y.controller.cqs[2]
        assert cq.posted - cq.consumed.level <= cq_entries - 1
        if seed % 2:
            found += [(cqe.sqid, cqe.cid) for cqe in first.reap()]
    while len(found) < 14:
        bench.engine.run()
        more = first.reap()
        assert more, "the queues got stuck"
        found += [(cqe.sqid, cqe.cid) for cqe in more]
    assert len(found) == 14
    assert set(found) == wanted


def test_a_completion_queue_can_go_only_with_the_last_queue_that_shares_it() -> None:
    bench = ready()
    base = bench.y.take()
    assert bench.y.admin.status(commands.create_io_sq(0, base, 2, 8, 1)) == Status.SUCCESS
    for qid, status in ((1, Status.INVALID_QUEUE_DELETION), (2, Status.SUCCESS)):
        assert bench.y.admin.status(commands.delete_io_sq(0, qid)) == Status.SUCCESS
        assert bench.y.admin.status(commands.delete_io_cq(0, 1)) == status


def test_commands_complete_in_many_orders_and_each_exactly_once() -> None:
    orders = set()
    for seed in range(30):
        bench = ready(Random(seed))
        cids = bench.y.io.submit(*(commands.write_zeroes(0, 1, lba, 1) for lba in range(6)))
        bench.engine.run()
        order = tuple(cqe.cid for cqe in bench.y.io.reap())
        assert sorted(order) == cids
        orders.add(order)
    assert len(orders) > 20


def test_overlapping_writes_under_way_leave_one_of_them_whole() -> None:
    results = set()
    for seed in range(40):
        bench = ready(Random(seed))
        pages = []
        for writer in (1, 2, 3):
            pages.append(bench.y.take(2 * 4096))
            bench.y.space.write_stamps(pages[-1], [10 * writer, 10 * writer + 1])
        bench.y.io.submit(*(commands.write(0, 1, 5, 2, page, page + 4096) for page in pages))
        bench.engine.run()
        bench.y.io.reap()
        result = bench.y.read_blocks(5, 2)
        assert result in ([10, 11], [20, 21], [30, 31])
        results.add(tuple(result))
    assert len(results) == 3


def test_admin_queues_wrap_like_any_other() -> None:
    bench = Bench()
    assert bench.x.enable(entries=3) == 1
    for _ in range(10):
        assert bench.x.admin.status(commands.get_number_of_queues(0)) == Status.SUCCESS


def test_the_longest_ring_crosses_pages() -> None:
    bench = ready()
    ring = bench.x.make_ring(2, 1024)
    for _ in range(5):
        cids = ring.submit(*[FLUSH] * 900)
        bench.engine.run()
        assert [cqe.cid for cqe in ring.reap()] == cids


def test_a_command_is_fetched_only_once_the_doorbell_tells_of_it() -> None:
    bench = ready()
    bench.y.io.put(FLUSH)
    bench.engine.run()
    assert bench.y.io.look() is None
    bench.y.io.ring()
    bench.engine.run()
    assert bench.y.io.look() is not None


def test_the_device_writes_no_more_than_its_sixteen_bytes() -> None:
    bench = ready()
    ring = bench.y.make_ring(2, 4)
    bench.y.space.write(ring.cq + 16, b"\xee" * 48)
    ring.run(FLUSH)
    assert bench.y.space.read(ring.cq + 16, 48) == b"\xee" * 48
    assert CQE.unpack(bench.y.space.read(ring.cq, 16))[3] == 2


@pytest.mark.parametrize("opcode", [0x03, 0x06, 0x0D, 0x18, 0x7F, 0x80, 0xFF])
def test_an_io_opcode_that_is_not_there_is_refused(opcode: int) -> None:
    ring = ready().y.io
    assert ring.status(bytes([opcode]) + FLUSH[1:]) == Status.INVALID_OPCODE


@pytest.mark.parametrize("opcode", [0x03, 0x7F, 0x81, 0x82, 0xC0, 0xFF])
def test_an_admin_opcode_that_is_not_there_is_refused(opcode: int) -> None:
    bench = ready()
    for host in (bench.x, bench.y):
        assert host.admin.status(bytes([opcode]) + bytes(63)) == Status.INVALID_OPCODE


@pytest.mark.parametrize("flags", [0x01, 0x02, 0x40, 0x80])
def test_fused_commands_and_sgls_are_refused(flags: int) -> None:
    bench = ready()
    for ring, sqe in ((bench.y.io, FLUSH), (bench.y.admin, commands.get_number_of_queues(0))):
        assert ring.status(sqe[:1] + bytes([flags]) + sqe[2:]) == Status.INVALID_FIELD


@pytest.mark.parametrize(
    "sqe",
    [
        lm.create_cdq(0, 0x1000, 64, Y),
        lm.delete_cdq(0, 0),
        lm.track_send(0, 0, LogAction.START),
        lm.suspend(0, Y),
        lm.resume(0, Y),
        lm.set_controller_state(0, 0x1000, 0, Y, 14),
        lm.get_controller_state(0, 0x1000, 0, Y, 14),
        commands.namespace_create(0, 0x1000),
        commands.namespace_attach(0, 1, 0x1000),
        commands.virtualization(0, Y, VirtualizationAction.SECONDARY_OFFLINE),
    ],
    ids=lambda sqe: f"{sqe[0]:02X}h",
)
def test_a_migratable_controller_does_not_know_what_an_mmc_is_asked_for(sqe: bytes) -> None:
    assert ready().y.admin.status(sqe) == Status.INVALID_OPCODE


def test_a_shut_down_primary_can_be_brought_back() -> None:
    bench = ready()
    bench.x.write(Property.CC, 0)
    bench.x.enable()
    assert status_of(bench.x.admin.run(commands.get_number_of_queues(0))) == Status.SUCCESS
