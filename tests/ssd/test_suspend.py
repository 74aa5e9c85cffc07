"""Migration Send: suspend and resume, and what a suspended controller does and does not do.  Facts A.4, D.7, D.8."""

from collections.abc import Callable

import pytest

from nvmelm_lab.engine import PCT, Random
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import Property, SequenceIndicator, SuspendType
from tests.ssd.door import ENABLE, Bench, X, Y, raw, ready, status_of

FLUSH = commands.flush(0, 1)


def test_a_suspended_controller_fetches_nothing_until_it_resumes() -> None:
    bench = ready()
    assert bench.x.suspend() == Status.SUCCESS
    cids = bench.y.io.submit(FLUSH, FLUSH)
    admin = bench.y.admin.submit(commands.get_number_of_queues(0))
    bench.engine.run()
    assert bench.y.io.look() is None
    assert bench.y.admin.look() is None
    assert bench.x.resume() == Status.SUCCESS
    assert [cqe.cid for cqe in bench.y.io.reap()] == cids
    assert [cqe.cid for cqe in bench.y.admin.reap()] == admin


def test_other_controllers_go_on() -> None:
    bench = ready()
    bench.x.suspend()
    assert bench.z.write_blocks(0, [1]) == Status.SUCCESS
    assert bench.x.read_blocks(0, 1) == [1]


@pytest.mark.parametrize("seed", range(40))
def test_when_suspend_has_completed_every_fetched_command_has_too(seed: int) -> None:
    bench = ready(Random(seed) if seed % 2 else PCT(3, seed))
    bench.y.io.submit(*[commands.write_zeroes(0, 1, lba, 1) for lba in range(10)])
    bench.y.admin.submit(*[commands.get_number_of_queues(0)] * 3)
    bench.engine.advance(seed)
    (cid,) = bench.x.admin.submit(lm.suspend(0, Y))
    while bench.x.admin.look() is None:
        bench.engine.advance(1)
    (cqe,) = bench.x.admin.reap()
    assert (cqe.cid, status_of(cqe)) == (cid, Status.SUCCESS)
    assert not bench.y.controller.in_flight
    for ring in (bench.y.io, bench.y.admin):
        ring.reap()
        assert ring.reaped == bench.y.controller.sqs[ring.qid].fetched
    posted = {qid: cq.posted for qid, cq in bench.y.controller.cqs.items()}
    bench.engine.run()
    assert {qid: cq.posted for qid, cq in bench.y.controller.cqs.items()} == posted


@pytest.mark.parametrize("seed", range(20))
def test_a_second_suspend_completes_only_when_the_controller_is_at_rest_too(seed: int) -> None:
    bench = ready(Random(seed))
    bench.y.io.submit(*[FLUSH] * 8)
    bench.engine.advance(12)
    bench.x.admin.submit(lm.suspend(0, Y), lm.suspend(0, Y))
    while bench.x.admin.look() is None:
        bench.engine.advance(1)
    assert not bench.y.controller.in_flight


def test_suspending_twice_is_no_error() -> None:
    bench = ready()
    assert bench.x.suspend() == bench.x.suspend() == Status.SUCCESS
    assert bench.x.resume() == Status.SUCCESS


def test_resuming_a_controller_that_is_not_suspended_is_refused() -> None:
    bench = ready()
    assert bench.x.resume() == Status.CONTROLLER_NOT_SUSPENDED
    bench.x.suspend()
    assert bench.x.resume() == Status.SUCCESS
    assert bench.x.resume() == Status.CONTROLLER_NOT_SUSPENDED


def test_a_notification_suspends_nothing() -> None:
    bench = ready()
    assert bench.x.admin.status(lm.suspend(0, Y, kind=SuspendType.NOTIFICATION)) == Status.SUCCESS
    assert bench.y.io.status(FLUSH) == Status.SUCCESS
    assert bench.x.resume() == Status.CONTROLLER_NOT_SUSPENDED


def test_a_notification_keeps_the_queue() -> None:
    bench = ready()
    queue = bench.x.make_mq(8)
    sqe = lm.suspend(0, Y, delete_queue=True, kind=SuspendType.NOTIFICATION)
    assert bench.x.admin.status(sqe) == Status.SUCCESS
    assert queue.start() == Status.SUCCESS


@pytest.mark.parametrize("kind", [2, 0x7F, 0xFF])
def test_reserved_kinds_of_suspend_are_refused(kind: int) -> None:
    assert ready().x.admin.status(raw(0x41, cdw11=kind << 16 | Y)) == Status.INVALID_FIELD


@pytest.mark.parametrize("select", [3, 0x80, 0xFF])
def test_reserved_operations_are_refused(select: int) -> None:
    assert ready().x.admin.status(raw(0x41, cdw10=select, cdw11=Y)) == Status.INVALID_FIELD


@pytest.mark.parametrize("cntlid", [X, 0, 4, 0xFFFF])
@pytest.mark.parametrize("build", [lm.suspend, lm.resume])
def test_only_a_migratable_controller_can_be_suspended_or_resumed(
    build: Callable[..., bytes], cntlid: int
) -> None:
    assert ready().x.admin.status(build(0, cntlid)) == Status.INVALID_CONTROLLER_IDENTIFIER


# -- beside the usual way ---------------------------------------------------------------------------------


def test_a_disabled_controller_can_be_suspended_and_then_enabled_but_fetches_only_when_resumed() -> None:
    bench = ready()
    bench.y.write(Property.CC, 0)
    assert bench.x.suspend() == Status.SUCCESS
    assert bench.y.enable() == 1
    (cid,) = bench.y.admin.submit(commands.get_number_of_queues(0))
    bench.engine.run()
    assert bench.y.admin.look() is None
    assert bench.x.resume() == Status.SUCCESS
    assert [cqe.cid for cqe in bench.y.admin.reap()] == [cid]


def test_an_offline_controller_can_be_suspended_and_stays_so_when_it_comes_online() -> None:
    bench = Bench()
    bench.x.enable()
    assert bench.x.suspend() == Status.SUCCESS
    bench.online(bench.y)
    bench.y.enable()
    (cid,) = bench.y.admin.submit(commands.get_number_of_queues(0))
    bench.engine.run()
    assert bench.y.admin.look() is None
    assert bench.x.resume() == Status.SUCCESS
    assert [cqe.cid for cqe in bench.y.admin.reap()] == [cid]


def test_properties_of_a_suspended_controller_work() -> None:
    bench = ready()
    bench.x.suspend()
    assert bench.y.read(Property.CSTS) == 1
    bench.y.write(Property.CC, ENABLE | 1 << 14)
    assert bench.y.read(Property.CSTS) == 1 | 2 << 2


def test_a_reset_of_the_target_ends_its_suspension() -> None:
    bench = ready()
    bench.x.suspend()
    bench.y.write(Property.CC, 0)
    bench.y.enable()
    bench.y.make_ring(1)
    assert bench.y.write_blocks(0, [1]) == Status.SUCCESS
    assert bench.x.resume() == Status.CONTROLLER_NOT_SUSPENDED


def test_a_target_that_was_reset_out_of_suspension_is_still_logged_and_says_so() -> None:
    bench = ready()
    queue = bench.x.make_mq(8)
    queue.start()
    bench.y.write_blocks(0, [1])
    bench.x.suspend()
    bench.y.write(Property.CC, 0)
    bench.y.enable()
    bench.y.make_ring(1)
    bench.y.write_blocks(1, [1])
    assert [(entry.slba, entry.esa) for entry in queue.take()] == [(0, 1), (0, 3), (1, 1)]


def test_resuming_with_a_state_that_is_not_committed_is_refused() -> None:
    bench = ready()
    bench.x.suspend()
    state = bench.x.get_state()[:48]
    assert bench.x.set_state(state, sequence=SequenceIndicator.FIRST) == Status.SUCCESS
    assert bench.x.resume() == Status.COMMAND_SEQUENCE_ERROR


def test_a_suspension_that_is_taken_back_while_it_drains_leaves_no_marker() -> None:
    bench = ready()
    queue = bench.x.make_mq(16)
    queue.start()
    bench.y.io.submit(*[commands.write_zeroes(0, 1, lba, 1) for lba in range(5)])
    bench.engine.advance(7)
    suspend, resume = bench.x.admin.submit(lm.suspend(0, Y), lm.resume(0, Y))
    while bench.y.controller.suspended is False:
        bench.engine.advance(1)
    bench.engine.run()
    bench.x.admin.reap()
    assert [status_of(bench.x.admin.unread[cid][0]) for cid in (suspend, resume)] == [Status.SUCCESS] * 2
    assert bench.y.io.status(FLUSH) == Status.SUCCESS
    markers = [entry.esa for entry in queue.take() if entry.esa == 3]
    assert len(markers) <= 1
