"""Abort: what it ends, what it leaves alone, and that a command that ended so has changed nothing."""

import pytest

from nvmelm_lab.engine import Random, RunToBlock
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import Cns, Property
from nvmelm_lab.ssd import Habits
from tests.ssd.door import Bench, Ring, Y, ready, status_of

LIMIT = 4
"""ACL + 1."""
NEVER = Habits(abort="never")
SEEDS = range(40)


def finish(bench: Bench, *rings: Ring) -> None:
    bench.engine.run()
    for ring in rings:
        ring.reap()


def answer(ring: Ring, cid: int) -> tuple[int, Status]:
    """DW0 and status of a command, which must have completed once."""
    (cqe,) = ring.unread.pop(cid)
    return cqe.dw0, status_of(cqe)


def write_and_abort(bench: Bench, slba: int, stamp: int) -> tuple[Status, int]:
    """Y writes a block and aborts that at once; gives the status of the write, and IANP."""
    y = bench.y
    address = y.take()
    y.space.write_stamps(address, [stamp])
    (written,) = y.io.submit(commands.write(0, 1, slba, 1, address))
    (aborted,) = y.admin.submit(commands.abort(0, 1, written))
    finish(bench, y.io, y.admin)
    dw0, status = answer(y.admin, aborted)
    assert status == Status.SUCCESS
    return answer(y.io, written)[1], dw0


@pytest.mark.parametrize("audited", [False, True])
def test_a_command_is_aborted_or_carried_out_and_never_half(audited: bool) -> None:
    found = set()
    for seed in SEEDS:
        bench = ready(Random(seed), audited=audited)
        queue = bench.x.make_mq(8)
        assert queue.start() == Status.SUCCESS
        status, not_performed = write_and_abort(bench, 5, 77)
        found.add(status)
        if status == Status.ABORT_REQUESTED:
            assert not_performed == 0
            assert (bench.y.read_blocks(5, 1), queue.look()) == ([0], [])
        else:
            assert (status, not_performed) == (Status.SUCCESS, 1)
            assert bench.y.read_blocks(5, 1) == [77]
            assert [(entry.slba, entry.blocks) for entry in queue.look()] == [(5, 1)]
    assert found == {Status.SUCCESS, Status.ABORT_REQUESTED}


@pytest.mark.parametrize("seed", SEEDS)
def test_an_ssd_may_abort_nothing(seed: int) -> None:
    bench = ready(Random(seed), habits=NEVER)
    assert write_and_abort(bench, 5, 77) == (Status.SUCCESS, 1)
    (cid,) = bench.y.admin.submit(commands.async_event_request(0))
    assert bench.y.admin.run(commands.abort(0, 0, cid)).dw0 == 1
    assert cid not in bench.y.admin.unread


def test_the_completion_of_what_is_aborted_comes_before_that_of_the_abort() -> None:
    """Both are on one queue, so that their order shows."""
    found = []
    for seed in SEEDS:
        bench = ready(Random(seed))
        ring = bench.y.admin
        address = bench.y.take()
        identify = ring.put(commands.identify(0, Cns.CONTROLLER, address))
        abort = ring.put(commands.abort(0, 0, identify))
        ring.ring()
        bench.engine.run()
        completions = [(cqe.cid, status_of(cqe), cqe.dw0) for cqe in ring.reap()]
        if (identify, Status.ABORT_REQUESTED, 0) in completions:
            found.append(completions)
            assert bench.y.space.read(address, 4096) == bytes(4096)
    assert found
    assert all(each == [(identify, Status.ABORT_REQUESTED, 0), (abort, Status.SUCCESS, 0)] for each in found)


def test_a_waiting_request_for_events_is_aborted() -> None:
    bench = ready(audited=True)
    ring = bench.x.admin
    first, second = ring.submit(commands.async_event_request(0), commands.async_event_request(0))
    assert ring.run(commands.abort(0, 0, second)).dw0 == 0
    assert answer(ring, second) == (0, Status.ABORT_REQUESTED)
    assert first not in ring.unread
    assert ring.run(commands.abort(0, 0, second)).dw0 == 1, "it is gone"
    more = ring.submit(*[commands.async_event_request(0)] * 3)
    finish(bench, ring)
    assert not ring.unread.keys() & set(more), "it counts no more"


def test_a_request_that_is_aborted_while_it_is_fetched_is_aborted_or_waits() -> None:
    found = set()
    for seed in SEEDS:
        bench = ready(Random(seed), audited=True)
        ring = bench.y.admin
        request = ring.put(commands.async_event_request(0))
        abort = ring.put(commands.abort(0, 0, request))
        ring.ring()
        finish(bench, ring)
        not_performed, _ = answer(ring, abort)
        found.add(not_performed)
        assert (request in ring.unread) == (not not_performed)
        cq = bench.y.controller.cqs[0]
        assert cq.claimed == cq.posted
        assert len(bench.y.controller.event_requests) == not_performed
    assert found == {0, 1}


def test_a_waiting_request_is_not_aborted_where_its_completion_has_no_room() -> None:
    bench = ready()
    bench.y.write(Property.CC, 0)
    bench.y.enable(entries=2)
    ring = bench.y.admin
    (cid,) = ring.submit(commands.async_event_request(0))
    bench.engine.run()
    assert ring.run(commands.abort(0, 0, cid)).dw0 == 1, "the only slot is that of the Abort"
    assert cid not in ring.unread


@pytest.mark.parametrize(("sqid", "cid"), [(1, 999), (0, 999), (7, 0), (0xFFFF, 0xFFFF)])
def test_what_is_not_there_is_not_aborted(sqid: int, cid: int) -> None:
    assert ready().y.admin.run(commands.abort(0, sqid, cid)).dw0 == 1


def test_what_has_completed_is_not_aborted() -> None:
    bench = ready()
    (cid,) = bench.y.io.submit(commands.flush(0, 1))
    finish(bench, bench.y.io)
    assert answer(bench.y.io, cid) == (0, Status.SUCCESS)
    assert bench.y.admin.run(commands.abort(0, 1, cid)).dw0 == 1


def test_an_abort_does_not_abort_itself() -> None:
    bench = ready()
    ring = bench.y.admin
    cid = ring.put(commands.abort(0, 0, 0x55), 0x55)
    ring.ring()
    finish(bench, ring)
    assert answer(ring, cid) == (1, Status.SUCCESS)


def test_a_suspend_is_aborted_before_it_has_stopped_anything_or_not_at_all() -> None:
    """It waits for commands in flight, but then fetching has stopped, and it is too late."""
    found = set()
    for seed in SEEDS:
        bench = ready(Random(seed), audited=True)
        bench.y.io.submit(*[commands.write_zeroes(0, 1, lba, 1) for lba in range(4)])
        ring = bench.x.admin
        suspend = ring.put(lm.suspend(0, Y))
        abort = ring.put(commands.abort(0, 0, suspend))
        ring.ring()
        finish(bench, ring)
        outcome = answer(ring, suspend)[1], answer(ring, abort)[0], bench.x.resume()
        found.add(outcome)
    assert found == {
        (Status.SUCCESS, 1, Status.SUCCESS),
        (Status.ABORT_REQUESTED, 0, Status.CONTROLLER_NOT_SUSPENDED),
    }


def test_as_many_aborts_at_a_time_as_identify_says() -> None:
    bench = ready(RunToBlock())
    ring = bench.y.admin
    cids = ring.submit(*[commands.abort(0, 1, 999)] * (LIMIT + 2))
    finish(bench, ring)
    answers = [answer(ring, cid) for cid in cids]
    assert answers == [(1, Status.SUCCESS)] * LIMIT + [(0, Status.ABORT_LIMIT)] * 2
    assert ring.run(commands.abort(0, 1, 999)).dw0 == 1, "and again as many when these have completed"


def test_aborting_lets_a_suspend_end() -> None:
    """A command that is aborted is no longer in flight, so nobody waits for it."""
    for seed in SEEDS:
        bench = ready(Random(seed), audited=True)
        y, x = bench.y, bench.x
        written = y.io.submit(*[commands.write_zeroes(0, 1, lba, 1) for lba in range(4)])
        aborts = y.admin.submit(*[commands.abort(0, 1, cid) for cid in written])
        assert x.suspend() == Status.SUCCESS
        finish(bench, y.io, y.admin)
        assert not y.controller.in_flight
        assert x.resume() == Status.SUCCESS
        finish(bench, y.io, y.admin)
        statuses = {answer(y.io, cid)[1] for cid in written}
        assert statuses <= {Status.SUCCESS, Status.ABORT_REQUESTED}
        assert all(answer(y.admin, cid)[1] == Status.SUCCESS for cid in aborts)
