"""Create and Delete I/O Queues: what is made, what is refused, and what becomes of commands under way."""

from collections.abc import Callable
from typing import Any

import pytest

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme.codes import Property
from nvmelm_lab.ssd import Habits
from tests.ssd.door import MEMORY, Bench, Host, ready, status_of


def create_cq(host: Host, qid: int = 2, entries: int = 8, *, prp1: int | None = None, **more: Any) -> Status:
    base = host.take(16 * entries) if prp1 is None else prp1
    return host.admin.status(commands.create_io_cq(0, base, qid, entries, **more))


def create_sq(
    host: Host, qid: int = 2, entries: int = 8, cqid: int = 1, *, prp1: int | None = None, **more: Any
) -> Status:
    base = host.take(64 * entries) if prp1 is None else prp1
    return host.admin.status(commands.create_io_sq(0, base, qid, entries, cqid, **more))


def test_a_queue_pair_carries_commands_once_it_is_made() -> None:
    bench = ready()
    ring = bench.y.make_ring(2, 4)
    assert ring.status(commands.flush(0, 1)) == Status.SUCCESS


def test_queues_of_two_and_of_1024_slots_are_the_smallest_and_longest() -> None:
    bench = ready()
    for qid, entries in ((2, 2), (3, 1024)):
        ring = bench.y.make_ring(qid, entries)
        assert ring.status(commands.flush(0, 1)) == Status.SUCCESS


@pytest.mark.parametrize("create", [create_cq, create_sq])
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"qid": 0}, Status.INVALID_QUEUE_IDENTIFIER),
        ({"qid": 1}, Status.INVALID_QUEUE_IDENTIFIER),
        ({"qid": 4}, Status.INVALID_QUEUE_IDENTIFIER),
        ({"qid": 0xFFFF}, Status.INVALID_QUEUE_IDENTIFIER),
        ({"entries": 1}, Status.INVALID_QUEUE_SIZE),
        ({"entries": 1025}, Status.INVALID_QUEUE_SIZE),
        ({"entries": 0x10000}, Status.INVALID_QUEUE_SIZE),
        ({"prp1": 0x1008}, Status.PRP_OFFSET_INVALID),
        ({"prp1": MEMORY}, Status.INVALID_FIELD),
        ({"prp1": MEMORY - 4096, "entries": 1024}, Status.INVALID_FIELD),
        ({"prp1": 1 << 63}, Status.INVALID_FIELD),
        ({"contiguous": 0}, Status.INVALID_FIELD),
    ],
    ids=str,
)
def test_a_queue_that_cannot_be_is_refused(
    create: Callable[..., Status], change: dict[str, int], status: Status
) -> None:
    bench = ready()
    before = set(bench.y.controller.cqs), set(bench.y.controller.sqs)
    assert create(bench.y, **change) == status
    assert (set(bench.y.controller.cqs), set(bench.y.controller.sqs)) == before


def test_a_completion_queue_needs_an_interrupt_vector_that_there_is() -> None:
    bench = ready()
    assert create_cq(bench.y, vector=4) == Status.INVALID_INTERRUPT_VECTOR
    assert create_cq(bench.y, vector=3) == Status.SUCCESS
    assert create_cq(bench.x, vector=64) == Status.INVALID_INTERRUPT_VECTOR


@pytest.mark.parametrize(
    ("cqid", "status"),
    [
        (0, Status.INVALID_QUEUE_IDENTIFIER),
        (3, Status.COMPLETION_QUEUE_INVALID),
        (4, Status.INVALID_QUEUE_IDENTIFIER),
        (0xFFFF, Status.INVALID_QUEUE_IDENTIFIER),
    ],
)
def test_a_submission_queue_needs_a_completion_queue_that_there_is(cqid: int, status: Status) -> None:
    assert create_sq(ready().y, cqid=cqid) == status


@pytest.mark.parametrize("cc", [1, 1 | 6 << 16, 1 | 4 << 20, 1 | 7 << 16 | 5 << 20])
def test_no_queue_is_made_before_cc_says_how_long_its_entries_are(cc: int) -> None:
    host = Bench().x
    host.enable(cc=cc)
    cq_status, sq_status = create_cq(host, 1), create_sq(host, 1)
    assert cq_status == (Status.SUCCESS if cc >> 20 == 4 else Status.INVALID_QUEUE_SIZE)
    if cc >> 16 & 0xF != 6:
        assert sq_status == Status.INVALID_QUEUE_SIZE


def test_number_of_queues_says_how_many_a_controller_has() -> None:
    bench = ready()
    for host, most in ((bench.x, 63), (bench.y, 2)):
        for sqe in (commands.set_number_of_queues(0, 8, 8), commands.get_number_of_queues(0)):
            cqe = host.admin.run(sqe)
            assert (status_of(cqe), cqe.dw0) == (Status.SUCCESS, most << 16 | most)


def test_asking_for_65536_queues_is_refused() -> None:
    host = ready().x
    assert host.admin.status(commands.set_number_of_queues(0, 0x10000, 1)) == Status.INVALID_FIELD
    assert host.admin.status(commands.set_number_of_queues(0, 1, 0x10000)) == Status.INVALID_FIELD


# -- deletion ---------------------------------------------------------------------------------------------


def test_a_submission_queue_goes_before_its_completion_queue() -> None:
    host = ready().y
    assert host.admin.status(commands.delete_io_cq(0, 1)) == Status.INVALID_QUEUE_DELETION
    assert host.admin.status(commands.delete_io_sq(0, 1)) == Status.SUCCESS
    assert host.admin.status(commands.delete_io_cq(0, 1)) == Status.SUCCESS
    assert host.make_ring(1).status(commands.flush(0, 1)) == Status.SUCCESS


@pytest.mark.parametrize("qid", [0, 2, 0xFFFF])
@pytest.mark.parametrize("delete", [commands.delete_io_sq, commands.delete_io_cq])
def test_a_queue_that_is_not_there_or_the_admin_queue_cannot_be_deleted(
    delete: Callable[..., bytes], qid: int
) -> None:
    assert ready().y.admin.status(delete(0, qid)) == Status.INVALID_QUEUE_IDENTIFIER


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("order", ["entry first", "completion first"])
def test_deleting_a_submission_queue_ends_each_of_its_commands_once_and_before_it_completes(
    seed: int, order: str
) -> None:
    bench = ready(Random(seed), habits=Habits(entry_order=order))
    queue = bench.x.make_mq(16)
    queue.start()
    sq = bench.y.controller.sqs[1]
    cids = bench.y.io.submit(*(commands.write_zeroes(0, 1, lba, 1) for lba in range(8)))
    bench.engine.advance(seed)
    (delete,) = bench.y.admin.submit(commands.delete_io_sq(0, 1))
    while (cqe := bench.y.admin.look()) is None:
        bench.engine.advance(1)
    assert (cqe.cid, status_of(cqe)) == (delete, Status.SUCCESS)
    done = bench.y.io.reap()
    bench.engine.run()
    assert bench.y.io.look() is None, "nothing may complete behind the deletion"
    assert sorted(cqe.cid for cqe in done) == cids[: sq.fetched]
    assert {status_of(cqe) for cqe in done} <= {Status.SUCCESS, Status.ABORTED_SQ_DELETION}
    status = bench.x.lba_status()
    assert not isinstance(status, Status)
    changed = [d.slba + n for d in status.descriptors for n in range(d.blocks)]
    assert sorted(entry.slba for entry in queue.take()) == changed
    assert bench.x.suspend() == Status.SUCCESS


def test_a_deletion_aborts_what_it_finds_under_way() -> None:
    seen = set()
    for seed in range(20):
        bench = ready(Random(seed))
        bench.y.io.submit(*(commands.write_zeroes(0, 1, lba, 1) for lba in range(8)))
        bench.engine.advance(10)
        bench.y.admin.submit(commands.delete_io_sq(0, 1))
        bench.engine.run()
        seen |= {status_of(cqe) for cqe in bench.y.io.reap()}
    assert seen == {Status.SUCCESS, Status.ABORTED_SQ_DELETION}


def test_deletion_leaves_the_commands_of_other_queues_alone() -> None:
    bench = ready()
    other = bench.y.make_ring(2)
    cids = other.submit(*(commands.flush(0, 1) for _ in range(3)))
    bench.engine.advance(5)
    assert bench.y.admin.status(commands.delete_io_sq(0, 1)) == Status.SUCCESS
    bench.engine.run()
    assert [(cqe.cid, status_of(cqe)) for cqe in other.reap()] == [(cid, Status.SUCCESS) for cid in cids]


def test_a_queue_can_be_deleted_and_made_again_as_often_as_wanted() -> None:
    bench = ready()
    for round_ in range(5):
        bench.y.io.submit(*(commands.flush(0, 1) for _ in range(3)))
        bench.engine.advance(6 + round_)
        assert bench.y.admin.status(commands.delete_io_sq(0, 1)) == Status.SUCCESS
        assert bench.y.admin.status(commands.delete_io_cq(0, 1)) == Status.SUCCESS
        bench.y.make_ring(1)
    assert bench.y.write_blocks(0, [1]) == Status.SUCCESS


def test_queues_are_gone_with_a_reset() -> None:
    bench = ready()
    bench.y.write(Property.CC, 0)
    bench.y.enable()
    assert bench.y.admin.status(commands.delete_io_sq(0, 1)) == Status.INVALID_QUEUE_IDENTIFIER


def test_a_queue_without_interrupts_is_found_by_its_phase_tags_alone() -> None:
    bench = ready()
    heard: list[int] = []
    bench.y.controller.interrupt = lambda cqid, cids: heard.append(cqid)
    silent = bench.y.make_ring(2, interrupts=False)
    heard.clear()
    assert silent.status(commands.flush(0, 1)) == Status.SUCCESS
    assert heard == []
    assert bench.y.io.status(commands.flush(0, 1)) == Status.SUCCESS
    assert heard == [1]
